"""Equations with structure under SciPy's names: Sylvester's, Lyapunov's, Riccati's, banded ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import known, strip
from pullback.errors import ArgumentValueError
from pullback.numpy.conversion import double
from pullback.rules.banded import adjoint_band, banded_solve, toeplitz_matrix, toeplitz_solve
from pullback.rules.complex import adjoint
from pullback.rules.linalg import solve
from pullback.rules.matrix_equations import discrete_lyapunov, riccati, sylvester
from pullback.scipy.first_step import serves
from pullback.scipy.linalg.arguments import (
    columns,
    fixed,
    matrices,
    matrix,
    square,
    taken_back,
    vector,
)

__all__ = [
    "solve_banded",
    "solve_circulant",
    "solve_continuous_are",
    "solve_continuous_lyapunov",
    "solve_discrete_are",
    "solve_discrete_lyapunov",
    "solve_sylvester",
    "solve_toeplitz",
    "solveh_banded",
]


@serves(scipy.linalg.solve_sylvester)
def solve_sylvester(a: Any, b: Any, q: Any) -> Any:
    name = "scipy.linalg.solve_sylvester"
    return sylvester(*matrices(square(a, name), square(b, name), matrix(q, name)))


@serves(scipy.linalg.solve_continuous_lyapunov, scipy.linalg.solve_lyapunov)
def solve_continuous_lyapunov(a: Any, q: Any) -> Any:
    """AX + XAᴴ = Q."""
    name = "scipy.linalg.solve_continuous_lyapunov"
    a, q = matrices(square(a, name), square(q, name))
    return sylvester(a, adjoint(a), q)


@serves(scipy.linalg.solve_discrete_lyapunov)
def solve_discrete_lyapunov(a: Any, q: Any, method: Any = None) -> Any:
    """AXAᴴ − X + Q = 0."""
    name = "scipy.linalg.solve_discrete_lyapunov"
    a, q = matrices(square(a, name), square(q, name))
    method = None if fixed(method, name, "method") is None else method.lower()
    if method not in (None, "direct", "bilinear"):
        raise ValueError(f"Unknown solver {method}")
    direct = None if method is None else method == "direct"
    return discrete_lyapunov(double(a), double(q), direct=direct)


def _riccati(name: str, discrete: bool, matrices_given: Any, e: Any, s: Any, balanced: Any) -> Any:
    """With E and S put into A and Q: AE⁻¹ − BR⁻¹S̃ᴴ and E⁻ᴴQE⁻¹ − S̃R⁻¹S̃ᴴ, S̃ = E⁻ᴴS."""
    a, b, q, r = (
        matrix(x, name) if place == 1 else square(x, name) for place, x in enumerate(matrices_given)
    )
    for label, x in (("q", q), ("r", r)):
        if known(x):
            plain = strip(x)
            size = np.linalg.norm(plain, 1, axis=(-2, -1))
            odd = np.linalg.norm(plain - adjoint(plain), 1, axis=(-2, -1))
            if np.any(odd > np.spacing(size) * 100):
                raise ValueError(f"Matrix {label} should be symmetric/hermitian.")
    if e is not None:
        e = square(e, name)
        s = None if s is None else solve(adjoint(e), matrix(s, name))
        a = adjoint(solve(adjoint(e), adjoint(a)))
        q = solve(adjoint(e), adjoint(solve(adjoint(e), adjoint(q))))
    if s is not None:
        s = matrix(s, name)
        shift = solve(r, adjoint(s))
        a, q = a - b @ shift, q - s @ shift
    return riccati(*matrices(a, b, q, r), discrete=discrete, balanced=bool(balanced))


@serves(scipy.linalg.solve_continuous_are)
def solve_continuous_are(
    a: Any, b: Any, q: Any, r: Any, e: Any = None, s: Any = None, balanced: bool = True
) -> Any:
    return _riccati(
        "scipy.linalg.solve_continuous_are", False, (a, b, q, r), e, s, balanced
    )  # fmt: skip


@serves(scipy.linalg.solve_discrete_are)
def solve_discrete_are(
    a: Any, b: Any, q: Any, r: Any, e: Any = None, s: Any = None, balanced: bool = True
) -> Any:
    return _riccati("scipy.linalg.solve_discrete_are", True, (a, b, q, r), e, s, balanced)


# -- matrices with a band -------------------------------------------------------------------------


def _require_band(name: str, ab: Any, b: Any, rows: int) -> None:
    if shape_of(ab)[-1] != shape_of(b)[-2] or shape_of(ab)[-2] != rows:
        raise ArgumentValueError(
            f"{name}: got diagonals of shape {shape_of(ab)} and right-hand sides of shape "
            f"{shape_of(b)}, wanted {rows} diagonals, as long as there are rows in these"
        )


@serves(scipy.linalg.solve_banded)
def solve_banded(
    l_and_u: Any,
    ab: Any,
    b: Any,
    overwrite_ab: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:
    name = "scipy.linalg.solve_banded"
    lower, upper = (int(fixed(x, name, "l_and_u")) for x in l_and_u)
    ab, b = matrices(matrix(ab, name, check_finite), vector(b, name, check_finite))
    b, single = columns(b)
    if shape_of(ab)[-1] == 1:
        return taken_back(b / ab[..., upper : upper + 1, :], single)
    _require_band(name, ab, b, lower + upper + 1)
    return taken_back(banded_solve(ab, b, lower=lower, upper=upper), single)


@serves(scipy.linalg.solveh_banded)
def solveh_banded(
    ab: Any,
    b: Any,
    overwrite_ab: bool = False,
    overwrite_b: bool = False,
    lower: bool = False,
    check_finite: bool = True,
) -> Any:
    """Where elements are known, one that is not positive definite raises, as in SciPy."""
    name = "scipy.linalg.solveh_banded"
    ab, b = matrices(matrix(ab, name, check_finite), vector(b, name, check_finite))
    b, single = columns(b)
    _require_band(name, ab, b, shape_of(ab)[-2])
    other = shape_of(ab)[-2] - 1
    whole = whole_band(ab, fixed(lower, name, "lower"))
    if known(ab):
        for each in np.reshape(strip(ab), (-1, *shape_of(strip(ab))[-2:])):
            scipy.linalg.cholesky_banded(each, lower=lower, check_finite=False)
    return taken_back(banded_solve(whole, b, lower=other, upper=other), single)


def whole_band(ab: Any, lower: bool) -> Any:
    """All diagonals of a Hermitian matrix, of which those on one side of the main one are given."""
    count = shape_of(ab)[-2] - 1
    given = (count, 0) if lower else (0, count)
    other = adjoint_band(ab, *given)  # it has the main one too
    main = np.real(ab[..., :1, :] if lower else ab[..., count:, :]).astype(dtype_of(ab))
    if lower:
        return np.concatenate([other[..., :count, :], main, ab[..., 1:, :]], axis=-2)
    return np.concatenate([ab[..., :count, :], main, other[..., 1:, :]], axis=-2)


# -- matrices with equal diagonals ----------------------------------------------------------------


def _column_and_row(c_or_cr: Any, name: str, check_finite: bool) -> tuple[Any, Any]:
    c, r = c_or_cr if isinstance(c_or_cr, tuple) else (c_or_cr, None)
    c = double(vector(c, name, check_finite))
    return c, np.conj(c) if r is None else double(vector(r, name, check_finite))


@serves(scipy.linalg.solve_toeplitz)
def solve_toeplitz(c_or_cr: Any, b: Any, check_finite: bool = True) -> Any:
    name = "scipy.linalg.solve_toeplitz"
    c, r = _column_and_row(c_or_cr, name, check_finite)
    b, single = columns(double(vector(b, name, check_finite)))
    if not shape_of(c)[-1] == shape_of(r)[-1] == shape_of(b)[-2]:
        raise ValueError("Incompatible dimensions.")
    return taken_back(toeplitz_solve(*matrices(c, r, b)), single)


@serves(scipy.linalg.matmul_toeplitz)
def matmul_toeplitz(
    c_or_cr: Any, x: Any, check_finite: bool = False, workers: Any = None
) -> Any:  # fmt: skip
    name = "scipy.linalg.matmul_toeplitz"
    c, r = _column_and_row(c_or_cr, name, check_finite)
    x, single = columns(double(vector(x, name, check_finite)))
    if shape_of(r)[-1] != shape_of(x)[-2]:
        raise ValueError("Incompatible dimensions.")
    return taken_back(toeplitz_matrix(c, r) @ x, single)


@serves(scipy.linalg.solve_circulant)
def solve_circulant(
    c: Any,
    b: Any,
    singular: str = "raise",
    tol: Any = None,
    caxis: int = -1,
    baxis: int = 0,
    outaxis: int = 0,
) -> Any:
    """F⁻¹(Fb / Fc) with the Fourier transform F; with singular='lstsq', 0 where Fc is."""
    name = "scipy.linalg.solve_circulant"
    c, b = np.moveaxis(_line(c, name), caxis, -1), np.moveaxis(_line(b, name), baxis, -1)
    n = shape_of(c)[-1]
    if n != shape_of(b)[-1]:
        raise ArgumentValueError(
            f"{name}: got c of shape {shape_of(c)} and b of shape {shape_of(b)}, which differ "
            "along the axes that are solved along"
        )
    turns = np.outer(np.arange(n), np.arange(n)) % n
    wide = np.result_type(dtype_of(c), dtype_of(b), np.complex64)
    transform = np.exp(-2j * np.pi * turns / n).astype(wide)
    fc, fb = c @ transform, b @ transform
    sizes = np.abs(fc)
    if tol is None:
        tol = np.max(sizes, axis=-1, keepdims=True, initial=0) * n * np.finfo(float).eps
    zero = np.less_equal(sizes, tol)
    if known(zero) and np.any(strip(zero)) and singular == "raise":
        raise np.linalg.LinAlgError("near singular circulant matrix.")
    x = np.where(zero, 0, fb / np.where(zero, 1, fc)) @ (np.conj(transform) / n)
    if dtype_of(c).kind != "c" and dtype_of(b).kind != "c":
        x = np.real(x)
    return x if outaxis == -1 else np.moveaxis(x, -1, outaxis)


def _line(x: Any, name: str) -> Any:
    return vector(np.atleast_1d(x), name, False)
