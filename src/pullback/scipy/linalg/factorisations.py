"""Orthogonal factorisations and singular values under SciPy's names, and what rests on them."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer, known, strip
from pullback.errors import ArgumentTypeError, ArgumentValueError, DataDependenceError
from pullback.numpy.factorisations import factors
from pullback.numpy.spectral import completed
from pullback.rules import orthogonal, spectral
from pullback.rules.column_order import column_order
from pullback.rules.complex import adjoint
from pullback.scipy.first_step import serves
from pullback.scipy.linalg.arguments import (
    columns,
    fixed,
    matrices,
    matrix,
    taken_back,
    vector,
)

__all__ = ["lstsq", "orth", "polar", "qr", "rq", "svd", "svdvals"]


@serves(scipy.linalg.qr)
def qr(
    a: Any,
    overwrite_a: bool = False,
    lwork: Any = None,
    mode: str = "full",
    pivoting: bool = False,
    check_finite: bool = True,
) -> tuple[Any, ...]:
    """The order of columns is constant; of what completes Q, only the space is determined."""
    name = "scipy.linalg.qr"
    if mode not in ("full", "qr", "r", "economic"):
        raise ArgumentTypeError(
            f"{name}: got mode={mode!r} where a matrix is being differentiated; call it with "
            "mode='full', 'economic' or 'r'"
        )
    a = matrix(a, name, check_finite)
    order = column_order(a) if fixed(pivoting, name, "pivoting") else None
    if order is not None:
        a = np.take_along_axis(a, order[..., None, :].astype(np.intp), -1)
    q, r = factors(a)
    rows, cols = shape_of(a)[-2:]
    if rows > cols and mode != "economic":
        if mode != "r":
            q = completed(q, orthogonal.basis(a), name)
        r = np.concatenate(
            [r, np.zeros((*shape_of(r)[:-2], rows - cols, cols), dtype_of(r))], axis=-2
        )
    rest = (r,) if order is None else (r, order)
    return rest if mode == "r" else (q, *rest)


@serves(scipy.linalg.rq)
def rq(
    a: Any,
    overwrite_a: bool = False,
    lwork: Any = None,
    mode: str = "full",
    check_finite: bool = True,
) -> Any:
    """That of Aᴴ with rows and columns in reverse order is a QR factorisation."""
    name = "scipy.linalg.rq"
    if mode not in ("full", "r", "economic"):
        raise ValueError("Mode argument should be one of ['full', 'r', 'economic']")
    a = matrix(a, name, check_finite)
    rows, cols = shape_of(a)[-2:]
    turned = adjoint(a[..., ::-1, ::-1])
    q, r = factors(turned)
    if rows < cols and mode != "economic":
        if mode != "r":
            q = completed(q, orthogonal.basis(turned), name)
        r = np.concatenate(
            [r, np.zeros((*shape_of(r)[:-2], cols - rows, rows), dtype_of(r))], axis=-2
        )
    r, q = adjoint(r)[..., ::-1, ::-1], adjoint(q)[..., ::-1, ::-1]
    return r if mode == "r" else (r, q)


@serves(scipy.linalg.svd)
def svd(
    a: Any,
    full_matrices: bool = True,
    compute_uv: bool = True,
    overwrite_a: bool = False,
    check_finite: bool = True,
    lapack_driver: str = "gesdd",
) -> Any:
    name = "scipy.linalg.svd"
    if lapack_driver not in ("gesdd", "gesvd"):
        raise ValueError(f'lapack_driver must be "gesdd" or "gesvd", not "{lapack_driver}"')
    if lapack_driver == "gesvd" and compute_uv:
        raise ArgumentTypeError(
            f"{name}: got lapack_driver='gesvd', which chooses signs of its own, where a matrix is "
            "being differentiated; leave it out"
        )
    a = matrix(a, name, check_finite)
    if not compute_uv:
        return np.linalg.svdvals(a)
    return tuple(np.linalg.svd(a, full_matrices=bool(full_matrices)))


@serves(scipy.linalg.svdvals)
def svdvals(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    return np.linalg.svdvals(matrix(a, "scipy.linalg.svdvals", check_finite))


@serves(scipy.linalg.polar)
def polar(a: Any, side: str = "right") -> tuple[Any, Any]:
    """A = UP, or PU, with the unitary factor UVᴴ of the singular value decomposition."""
    if side not in ("right", "left"):
        raise ValueError("`side` must be either 'right' or 'left'")
    w, s, vh = spectral.svd(matrix(a, "scipy.linalg.polar", False))
    s = s[..., None, :]
    return w @ vh, (adjoint(vh) * s) @ vh if side == "right" else (w * s) @ adjoint(w)


def _rank(s: Any, shape: Any, rcond: Any, name: str) -> int:
    """How many singular values count, the same for all examples."""
    rcond = fixed(rcond, name, "rcond")
    if rcond is None:
        rcond = np.finfo(dtype_of(s)).eps * max(shape[-2:])
    if not known(s):
        raise DataDependenceError(
            f"{name}: how many vectors there are depends on the matrix, of shape {shape}, which "
            "is not known while a function is recorded; use svd, and choose them by number"
        )
    values = strip(s)
    counts = np.sum(values > rcond * np.max(values, axis=-1, keepdims=True, initial=0), axis=-1)
    if np.ptp(np.reshape(counts, -1)):
        raise DataDependenceError(
            f"{name}: the examples have different ranks, {np.unique(counts).tolist()}, and results "
            "of different shapes; call it for one at a time"
        )
    return int(np.reshape(counts, -1)[0])


@serves(scipy.linalg.orth)
def orth(A: Any, rcond: Any = None) -> Any:
    A = matrix(A, "scipy.linalg.orth")
    u, s, _ = spectral.svd(A)
    return u[..., : _rank(s, shape_of(A), rcond, "scipy.linalg.orth")]


@serves(scipy.linalg.null_space)
def null_space(
    A: Any,
    rcond: Any = None,
    *,
    overwrite_a: bool = False,
    check_finite: bool = True,
    lapack_driver: str = "gesdd",
) -> Any:
    """Of a basis of what the rows leave, only the space is determined, and has a derivative."""
    name = "scipy.linalg.null_space"
    A = matrix(A, name, check_finite)
    _, s, vh = spectral.svd(A)
    rank = _rank(s, shape_of(A), rcond, name)
    whole = adjoint(orthogonal.singular_basis(A)[1])
    return completed(adjoint(vh)[..., :rank], whole, name)[..., rank:]


@serves(scipy.linalg.orthogonal_procrustes)
def orthogonal_procrustes(A: Any, B: Any, check_finite: bool = True) -> tuple[Any, Any]:
    name = "scipy.linalg.orthogonal_procrustes"
    A, B = matrices(matrix(A, name, check_finite), matrix(B, name, check_finite))
    if shape_of(A) != shape_of(B):
        raise ValueError(f"the shapes of A and B differ ({shape_of(A)} vs {shape_of(B)})")
    u, w, vh = spectral.svd((B.mT @ np.conj(A)).mT)
    return u @ vh, np.sum(w, axis=-1)


@serves(scipy.linalg.subspace_angles)
def subspace_angles(A: Any, B: Any) -> Any:
    """From sines where they are small, and from cosines elsewhere, as SciPy does."""
    name = "scipy.linalg.subspace_angles"
    first, second = orth(matrix(A, name)), orth(matrix(B, name))
    if shape_of(first)[-2] != shape_of(second)[-2]:
        raise ArgumentValueError(
            f"A and B must have the same number of rows, got {shape_of(first)[-2]} and "
            f"{shape_of(second)[-2]}"
        )
    if shape_of(first)[-1] < shape_of(second)[-1]:
        first, second = second, first
    inner = adjoint(first) @ second
    cosines = np.linalg.svdvals(inner)[..., ::-1]
    sines = np.linalg.svdvals(second - first @ inner)
    small = np.greater_equal(cosines**2, 0.5)
    angles = np.arcsin(np.where(small, sines, 0))
    return np.where(small, angles, np.arccos(np.where(small, 0, cosines)))


@serves(scipy.linalg.lstsq)
def lstsq(
    a: Any,
    b: Any,
    cond: Any = None,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    lapack_driver: Any = None,
) -> tuple[Any, Any, Any, Any]:
    """x = A⁺b, of a matrix of full rank if it is differentiated."""
    name = "scipy.linalg.lstsq"
    driver = scipy.linalg.lstsq.default_lapack_driver if lapack_driver is None else lapack_driver
    if driver not in ("gelsd", "gelsy", "gelss"):
        raise ValueError(f'LAPACK driver "{driver}" is not found')
    a, b = matrices(matrix(a, name, check_finite), vector(b, name, check_finite))
    b, single = columns(b)
    rows, cols = shape_of(a)[-2:]
    if rows != shape_of(b)[-2]:
        raise ValueError(
            "Shape mismatch: a and b should have the same number of rows "
            f"({rows} != {shape_of(b)[-2]})."
        )
    cond = np.finfo(dtype_of(a)).eps if cond is None else fixed(cond, name, "cond")
    values = np.linalg.svdvals(a)
    rank = np.count_nonzero(
        np.greater(values, cond * np.max(values, axis=-1, keepdims=True, initial=0)), axis=-1
    )
    if isinstance(a, Tracer) and known(rank) and np.any(np.less(strip(rank), min(rows, cols))):
        raise ArgumentValueError(
            f"{name}: the matrix of shape {(rows, cols)} is differentiated and has rank "
            f"{strip(rank)}, where the solution jumps between neighbouring matrices; for the "
            "derivative along matrices of the same rank use scipy.linalg.pinv(a, rtol=cond) @ b"
        )
    x = spectral.pinv(a, rcond=float(cond)) @ b
    residual = b - a @ x
    squares = np.sum(np.real(residual * np.conj(residual)), axis=-2)
    squares = squares[..., 0] if single else squares
    full = not known(rank) or bool(np.all(np.equal(strip(rank), cols)))
    if driver == "gelsy" or rows <= cols or not full:
        squares = np.zeros(0, dtype_of(a))
    return taken_back(x, single), squares, rank, None if driver == "gelsy" else values
