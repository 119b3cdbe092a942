"""Solving linear equations, inverting and determinants, under SciPy's names.

They are compositions of the primitives of `pullback.rules.linalg` and `pullback.rules.factored`:
what SciPy reads of a matrix is what has a derivative, and every other element of it has zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.structure.axes import size_of
from pullback.errors import ArgumentValueError
from pullback.numpy.conversion import convert
from pullback.numpy.operands import operand
from pullback.numpy.spectral import pseudoinverse
from pullback.rules import linalg
from pullback.rules.factored import factorise, solve_factored, triangular_solve
from pullback.rules.shaping import diagonal, reshape
from pullback.scipy.first_step import serves
from pullback.scipy.linalg.arguments import (
    columns,
    fixed,
    hermitian_of,
    matrices,
    matrix,
    require_fit,
    square,
    system,
    taken_back,
    vector,
)

__all__ = ["factored_solve", "solve", "solve_triangular", "triangular"]


def triangular(t: Any, b: Any, lower: bool, trans: int, unit: bool = False) -> Any:
    """T⁻¹B, T⁻ᵀB or T⁻ᴴB, as `trans` is 0, 1 or 2, of which the diagonal may count as ones."""
    if unit:
        t = (np.tril(t, -1) if lower else np.triu(t, 1)) + np.eye(
            shape_of(t)[-1], dtype=dtype_of(t)
        )
    if trans == 1 and dtype_of(t).kind == "c":
        t = np.conj(t)
    return triangular_solve(t, b, lower=bool(lower), adjoint=bool(trans))


def factored_solve(c: Any, b: Any, lower: bool) -> Any:
    """A⁻¹B from a factor of A = LLᴴ, or of A = UᴴU."""
    inner = triangular(c, b, lower, 0 if lower else 2)
    return triangular(c, inner, lower, 2 if lower else 0)


_TRANSPOSITIONS = {0: 0, 1: 1, 2: 2, "N": 0, "T": 1, "C": 2}


@serves(scipy.linalg.solve_triangular)
def solve_triangular(
    a: Any,
    b: Any,
    trans: Any = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:
    """The triangle that is not read has derivative zero, and so has a diagonal of ones."""
    name = "scipy.linalg.solve_triangular"
    trans = fixed(trans, name, "trans")
    if trans not in _TRANSPOSITIONS:
        raise ArgumentValueError(f"{name}: got trans={trans!r}; give 0, 1, 2, 'N', 'T' or 'C'")
    a, b, single = system(a, b, name, check_finite)
    found = triangular(a, b, fixed(lower, name, "lower"), _TRANSPOSITIONS[trans], unit_diagonal)
    return taken_back(found, single)


@serves(scipy.linalg.solve)
def solve(
    a: Any,
    b: Any,
    lower: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    assume_a: Any = None,
    transposed: bool = False,
) -> Any:
    """A⁻¹b of the matrix that `assume_a` makes of the elements that it reads."""
    name = "scipy.linalg.solve"
    a, b = _at_least_2d(a, name, check_finite), vector(_at_least_1d(b), name, check_finite)
    a, b = matrices(a, b)
    if transposed and dtype_of(a).kind == "c":
        raise NotImplementedError(
            "scipy.linalg.solve can currently not solve a^T x = b or a^H x = b for complex matrices"
        )
    b, single = columns(b)
    if size_of(a) == 1:
        if len(shape_of(a)) == 2:
            a = reshape(a, shape=(1, 1))
        return taken_back(b / a, single)
    require_fit(name, a, b)
    kind = _STRUCTURES.get(assume_a)
    if kind is None:
        raise ValueError(f"{assume_a} is not a recognized matrix structure")
    return taken_back(_solved(a, b, kind, bool(lower), bool(transposed)), single)


_STRUCTURES = {
    None: "general", "general": "general", "gen": "general", "banded": "general",
    "diagonal": "diagonal", "tridiagonal": "tridiagonal",
    "upper triangular": "upper", "lower triangular": "lower",
    "symmetric": "symmetric", "sym": "symmetric", "hermitian": "hermitian", "her": "hermitian",
    "positive definite": "definite", "pos": "definite",
}  # fmt: skip
"""What `assume_a` says. Of a banded matrix SciPy reads all, to find out how wide the band is."""


def _solved(a: Any, b: Any, kind: str, lower: bool, transposed: bool) -> Any:
    if kind == "diagonal":
        on = diagonal(a)
        return b / reshape(on, shape=(*shape_of(on), 1))
    if kind in ("upper", "lower"):
        return triangular(a, b, kind == "lower", int(transposed))
    if kind == "definite":
        factor = linalg.cholesky(a) if lower else linalg.cholesky(a.mT).mT
        return factored_solve(factor, b, lower)
    if kind == "tridiagonal":
        a = np.triu(np.tril(a, 1), -1)
    elif kind != "general":
        a = hermitian_of(a, lower, conjugate=kind == "hermitian")
    a = a.mT if transposed and kind in ("general", "tridiagonal") else a
    return solve_factored(a, *factorise(a), b)  # the pullback takes the factors, too


def _at_least_1d(b: Any) -> Any:
    b = operand(b)
    return b if len(shape_of(b)) else reshape(b, shape=(1,))


def _at_least_2d(a: Any, name: str, check_finite: bool) -> Any:
    a = operand(a)
    if len(shape_of(a)) < 2:
        a = reshape(a, shape=(1, *shape_of(a)) if shape_of(a) else (1, 1))
    return square(a, name, check_finite)


@serves(scipy.linalg.inv)
def inv(
    a: Any,
    overwrite_a: bool = False,
    check_finite: bool = True,
    *,
    assume_a: Any = None,
    lower: bool = False,
) -> Any:
    """SciPy leaves what is beside the diagonal as it is, if that is all that is read."""
    a = square(a, "scipy.linalg.inv", check_finite)
    kind = None if assume_a == "banded" else _STRUCTURES.get(assume_a)
    if kind in (None, "tridiagonal"):
        raise ValueError(f"{assume_a} is not a recognized matrix structure")
    if kind == "general":
        return linalg.inv(a)
    whole = np.eye(shape_of(a)[-1], dtype=dtype_of(a))
    found = _solved(a, whole, kind, bool(lower), transposed=False)
    return found + np.triu(a, 1) + np.tril(a, -1) if kind == "diagonal" else found


@serves(scipy.linalg.det)
def det(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """SciPy's is in double precision, whatever the matrix is in."""
    a = square(a, "scipy.linalg.det", check_finite)
    double = np.complex128 if dtype_of(a).kind == "c" else np.float64
    return linalg.det(a.astype(double))


@serves(scipy.linalg.norm)
def norm(
    a: Any, ord: Any = None, axis: Any = None, keepdims: bool = False, check_finite: bool = True
) -> Any:
    """SciPy's is in double precision where LAPACK has a routine for it."""
    a = vector(_at_least_1d(a), "scipy.linalg.norm", check_finite)
    found = np.linalg.norm(a, ord, axis, keepdims)
    rank = len(shape_of(a))
    routine = {1: (None, 2), 2: (1, np.inf)}.get(rank, ())
    if axis is None and not keepdims and size_of(a) and ord in routine:
        return convert(found, np.dtype(np.float64))
    return found


@serves(scipy.linalg.pinv)
def pinv(
    a: Any,
    *,
    atol: Any = None,
    rtol: Any = None,
    return_rank: bool = False,
    check_finite: bool = True,
) -> Any:
    """A⁺, of the singular values above max(atol, rtol·s₀); its derivative keeps the rank."""
    name = "scipy.linalg.pinv"
    a = matrix(a, name, check_finite)
    return _truncated(a, name, (atol, rtol), return_rank, hermitian=False)


@serves(scipy.linalg.pinvh)
def pinvh(
    a: Any,
    atol: Any = None,
    rtol: Any = None,
    lower: bool = True,
    return_rank: bool = False,
    check_finite: bool = True,
) -> Any:
    """A⁺ of the Hermitian matrix with one triangle of `a`; its derivative keeps the rank."""
    name = "scipy.linalg.pinvh"
    a = hermitian_of(square(a, name, check_finite), lower)
    return _truncated(a, name, (atol, rtol), return_rank, hermitian=True)


def _truncated(
    a: Any, name: str, tolerances: tuple[Any, Any], return_rank: bool, *, hermitian: bool
) -> Any:
    atol, rtol = fixed(tolerances[0], name, "atol"), fixed(tolerances[1], name, "rtol")
    atol = 0.0 if atol is None else atol
    if rtol is None:
        rtol = max(shape_of(a)[-2:]) * np.finfo(dtype_of(a)).eps if not atol else 0.0
    if atol < 0 or rtol < 0:
        raise ValueError("atol and rtol values must be positive.")
    found = pseudoinverse(a, rcond=float(rtol), atol=float(atol), hermitian=hermitian)
    if not return_rank:
        return found
    values = np.abs(np.linalg.eigvalsh(a)) if hermitian else np.linalg.svdvals(a)
    least = atol + rtol * np.max(values, axis=-1, keepdims=True, initial=0)
    return found, np.count_nonzero(np.greater(values, least), axis=-1)
