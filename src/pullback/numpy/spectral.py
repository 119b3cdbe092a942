"""NumPy's spectral decompositions, and what rests on them: rank, condition, least squares."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer, known, strip
from pullback.errors import ArgumentValueError, DataDependenceError
from pullback.numpy import norms
from pullback.numpy.conversion import inexact, promoted
from pullback.numpy.decisions import Kind, decide
from pullback.numpy.operands import operand, refuse, square
from pullback.numpy.registration import implements
from pullback.rules import spectral
from pullback.rules.custom import stop_gradient
from pullback.rules.orthogonal import complement, singular_basis

__all__ = ["completed", "pseudoinverse"]

_EighResult: Any = type(np.linalg.eigh(np.eye(1)))
_SVDResult: Any = type(np.linalg.svd(np.eye(1)))


@implements(np.linalg.eigh)
def eigh(a: Any, UPLO: str = "L") -> Any:
    return _EighResult(*_hermitian("np.linalg.eigh", a, UPLO))


@implements(np.linalg.eigvalsh)
def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    return _hermitian("np.linalg.eigvalsh", a, UPLO)[0]


def _hermitian(name: str, a: Any, triangle: str) -> Any:
    """Eigenvalues and vectors of the matrices that have this triangle."""
    a = square(a, name)
    if triangle.upper() not in ("L", "U"):
        raise ArgumentValueError(f"{name}: got UPLO={triangle!r}; give 'L' or 'U'")
    return spectral.eigh(a, uplo=triangle.upper())


@implements(np.linalg.svd)
def svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    a = operand(a)
    if hermitian:
        return _hermitian_svd(a, compute_uv)
    if not compute_uv:
        return svdvals(a)
    u, s, vh = spectral.svd(a)
    if full_matrices:
        rows, columns = shape_of(a)[-2:]
        if rows > columns:
            u = completed(u, singular_basis(a)[0], "np.linalg.svd")
        elif rows < columns:
            whole = np.conj(singular_basis(a)[1]).mT
            vh = np.conj(completed(np.conj(vh).mT, whole, "np.linalg.svd")).mT
    return _SVDResult(u, s, vh)


def completed(q: Any, whole: Any, name: str) -> Any:
    """Orthonormal columns, and beside them the last ones of the basis of the `whole` space."""
    rest = complement(q, stop_gradient(whole[..., shape_of(q)[-1] :]), name=name)
    return np.concatenate([q, rest], axis=-1)


def _hermitian_svd(a: Any, compute_uv: bool) -> Any:
    """A = V diag(w) Vᴴ = V diag(|w|) (V diag(sgn w))ᴴ, of the lower triangle, in falling order."""
    w, v = _hermitian("np.linalg.svd", a, "L")
    order = np.argsort(np.abs(w))[..., ::-1]
    w = np.take_along_axis(w, order, -1)
    if not compute_uv:
        return np.abs(w)
    u = np.take_along_axis(v, order[..., None, :], -1)
    return _SVDResult(u, np.abs(w), np.conj(u * np.sign(w)[..., None, :]).mT)


@implements(np.linalg.svdvals)
def svdvals(x: Any, /) -> Any:
    return spectral.svd(operand(x))[1]


@implements(np.linalg.pinv)
def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """A⁺; its derivative is taken along matrices of the same rank.

    With `hermitian` it is that of the Hermitian matrix with the lower triangle of `a`.
    """
    a, rcond = operand(a), rtol if rcond is None else rcond
    if isinstance(rcond, Tracer):
        refuse("np.linalg.pinv", "rcond", rcond, "give a number: the derivative by it is zero")
    if hermitian:
        below = np.tril(a, -1)
        a = below + np.conj(below).mT + np.real(a * np.eye(shape_of(a)[-1], dtype=bool))
    return pseudoinverse(a, rcond=rcond, hermitian=hermitian)


_NOTHING = 1e-6
"""Singular values up to so small a part of the largest one are those of a matrix of lower rank."""


def pseudoinverse(a: Any, *, rcond: Any, atol: float = 0.0, hermitian: bool = False) -> Any:
    """A⁺ of the singular values above ``rcond * s[0] + atol``.

    If values are left out that are not all but 0, this is a function of them like others, in whose
    derivative the vectors turn between those that are left out and those that are not.
    """
    if not atol and (rcond is None or np.all(np.less_equal(rcond, _NOTHING))):
        return spectral.pinv(a, rcond=rcond, hermitian=hermitian)
    if known(a) and np.ndim(strip(a)) == len(shape_of(a)) == 2 and not np.ndim(rcond):
        sizes = np.linalg.svdvals(strip(a))
        largest = np.max(sizes, initial=0)
        bound = (rcond or 0.0) * largest + atol
        if largest and np.all((sizes > bound) | (sizes <= _NOTHING * largest)):
            return spectral.pinv(a, rcond=float(bound / largest), hermitian=hermitian)
    if hermitian:
        values, u = spectral.eigh(a)
        v = u
    else:
        u, values, vh = spectral.svd(a)
        v = np.conj(vh).mT
    sizes = np.abs(values)
    least = np.asarray(0.0 if rcond is None else rcond)[..., None]
    kept = np.greater(sizes, least * np.max(sizes, axis=-1, keepdims=True, initial=0) + atol)
    inverse = np.where(kept, 1 / np.where(kept, values, 1), 0)
    return v @ (inverse[..., :, None] * np.conj(u).mT)


@implements(np.linalg.lstsq)
def lstsq(a: Any, b: Any, rcond: Any = None) -> tuple[Any, Any, Any, Any]:
    """x = A⁺b, of a matrix of full rank if it is differentiated, where x is continuous.

    While a graph is recorded the rank is taken to be full, on which the residuals' shape depends.
    """
    a, b = promoted(inexact(operand(a)), inexact(operand(b)))
    rows, columns = shape_of(a)
    if rcond is None:
        rcond = np.finfo(dtype_of(a)).eps * max(rows, columns)
    x = pinv(a, rcond) @ b
    values = svdvals(a)
    rank = matrix_rank(a, rtol=rcond).astype(np.int32)
    if isinstance(a, Tracer) and known(rank) and np.any(np.less(strip(rank), min(rows, columns))):
        raise ArgumentValueError(
            f"np.linalg.lstsq: the matrix of shape {(rows, columns)} is differentiated and has "
            f"rank {strip(rank)}, where the solution jumps between neighbouring matrices; for the "
            "derivative along matrices of the same rank use np.linalg.pinv(a, rcond) @ b"
        )
    residual = b - a @ x
    squares = np.sum(np.real(residual * np.conj(residual)), axis=0, keepdims=residual.ndim == 1)
    return (
        x,
        squares if columns < rows and _is_full("lstsq", rank, columns) else squares[:0],
        rank,
        values,
    )


def _is_full(name: str, rank: Any, columns: int) -> bool:
    """Whether the columns are independent, of all examples if they are mapped."""
    if not known(rank):
        return True
    full = np.equal(strip(rank), columns)
    if np.any(full) and not np.all(full):
        raise DataDependenceError(
            f"np.linalg.{name}: some examples have a matrix of full rank and some have not, so "
            "that the shape of the residuals differs; use np.linalg.pinv(a, rcond) @ b"
        )
    return bool(np.all(full))


@implements(np.linalg.matrix_rank)
def matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """How many singular values exceed the tolerance: constant wherever it is differentiable."""
    a = operand(A)
    if len(shape_of(a)) < 2:
        return np.any(np.not_equal(a, 0)).astype(np.intp)
    values = np.abs(eigvalsh(a)) if hermitian else svdvals(a)
    if tol is None:
        eps = np.finfo(dtype_of(values)).eps
        bound = max(shape_of(a)[-2:]) * eps if rtol is None else operand(rtol)
        tol = np.max(values, axis=-1, initial=0) * bound
    return np.count_nonzero(np.greater(values, np.expand_dims(tol, -1)), axis=-1)


@implements(np.linalg.cond)
def cond(x: Any, p: Any = None) -> Any:
    x = operand(x)
    if p is None or p in (2, -2):
        values = svdvals(x)
        largest, smallest = values[..., 0], values[..., -1]
        return smallest / largest if p == -2 else largest / smallest
    return norms.norm(x, p, (-2, -1)) * norms.norm(np.linalg.inv(x), p, (-2, -1))


decide(np.linalg, "matrix_rank", Kind.CONSTANT, "tests and counts, which jump")
