"""Solving with matrices that few numbers make: those with a band, and those with equal diagonals.

Right-hand sides are columns in the last two axes; leading axes are batches.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from pullback.core.linear import Linear
from pullback.core.shapes import shape_of
from pullback.core.structure import rowwise
from pullback.rules.complex import conjugated
from pullback.rules.matrix_equations import each_of
from pullback.rules.registration import rule
from pullback.rules.shaping import reshape

__all__ = ["adjoint_band", "banded_solve", "toeplitz_matrix", "toeplitz_solve"]


# -- matrices with a band -------------------------------------------------------------------------


def _shifted(x, by, axis):
    """Moved along an axis, where zeros come in."""
    n = shape_of(x)[axis]
    by = max(-n, min(n, by))
    zeros = np.zeros_like(x[(..., slice(0, abs(by)), *(slice(None),) * (-1 - axis))])
    kept = slice(0, n - by) if by > 0 else slice(-by, None)
    kept_part = x[(..., kept, *(slice(None),) * (-1 - axis))]
    return np.concatenate([zeros, kept_part] if by > 0 else [kept_part, zeros], axis=axis)


def adjoint_band(ab: Any, lower: int, upper: int) -> Any:
    """The diagonals of Aᴴ, of which A has `lower` below the main one and `upper` above it."""
    rows = [
        _shifted(conjugated(ab[..., upper + offset, :]), offset, -1)
        for offset in range(lower, -upper - 1, -1)
    ]
    return np.stack(rows, axis=-2)


def _banded_solve(ab, b, *, lower=0, upper=0):
    return each_of(
        lambda ab, b: scipy.linalg.solve_banded((lower, upper), ab, b, check_finite=False), ab, b
    )


@rule(
    _banded_solve,
    rowwise("(d,n),(n,k)->(n,k)", lambda d, n, k: 2 * d**2 * n + 4 * d * n * k, apart="k"),
)
def banded_solve(x, ab, _b, *, lower=0, upper=0):
    """AX = B, where A has diagonals in the rows of `ab`: AẊ = Ḃ − ȦX, AᴴB̄ = X̄, and in the band

    Ā = −B̄Xᴴ. What lies outside of the matrix in `ab` is not read.
    """

    def product(ab, x):
        terms = (
            _shifted(ab[..., upper + offset, :][..., None] * x, offset, -2)
            for offset in range(-upper, lower + 1)
        )
        return sum(terms)

    def pull_b(x_bar):
        return banded_solve(adjoint_band(ab, lower, upper), x_bar, lower=upper, upper=lower)

    def pull_ab(x_bar):
        b_bar, other = pull_b(x_bar), conjugated(x)
        rows = [
            np.sum(_shifted(b_bar, -offset, -2) * other, axis=-1)
            for offset in range(-upper, lower + 1)
        ]
        return -np.stack(rows, axis=-2)

    def solve(b):
        return banded_solve(ab, b, lower=lower, upper=upper)

    return (
        Linear(lambda ab_dot: -solve(product(ab_dot, x)), pull_ab),
        Linear(solve, pull_b),
    )


# -- matrices with equal diagonals ----------------------------------------------------------------


def toeplitz_matrix(c: Any, r: Any) -> Any:
    """The matrix with the first column `c`, and the first row `r` but for its first element."""
    rows, columns = shape_of(c)[-1], shape_of(r)[-1]
    numbers = _joined(c[..., ::-1], r[..., 1:])
    places = rows - 1 + np.arange(columns) - np.arange(rows)[:, None]
    return numbers[..., places]


def _joined(x, y):
    """One after the other along the last axis, with leading axes broadcast."""
    lead = np.broadcast_shapes(shape_of(x)[:-1], shape_of(y)[:-1])
    parts = [np.broadcast_to(each, (*lead, shape_of(each)[-1])) for each in (x, y)]
    return np.concatenate(parts, axis=-1)


def _toeplitz_solve(c, r, b):
    lead = np.broadcast_shapes(c.shape[:-1], r.shape[:-1], b.shape[:-2])
    if not lead:
        return scipy.linalg.solve_toeplitz((c, r), b, check_finite=False)
    return each_of(
        lambda c, r, b: scipy.linalg.solve_toeplitz((c[0], r[0]), b, check_finite=False),
        c[..., None, :], r[..., None, :], b,
    )  # fmt: skip


@rule(_toeplitz_solve, rowwise("(n),(n),(n,k)->(n,k)", lambda n, k: 4 * n**2 * (k + 1), apart="k"))
def toeplitz_solve(x, c, r, _b):
    """TX = B with the matrix of the first column c and the first row r, without its first element:

    TẊ = Ḃ − ṪX, TᴴB̄ = X̄, and c̄ and r̄ are the sums along the diagonals of −B̄Xᴴ.
    """
    n = shape_of(c)[-1]
    corner = _joined(c[..., :1], r[..., 1:])

    def pull_b(x_bar):
        return toeplitz_solve(conjugated(corner), conjugated(c), x_bar)

    def sums(x_bar):
        """Along all diagonals of −B̄Xᴴ, from the lower left corner to the upper right."""
        outer = -(pull_b(x_bar) @ conjugated(x).mT)[..., ::-1, :]
        lead = shape_of(outer)[:-2]
        wide = np.concatenate([outer, np.zeros_like(outer)], axis=-1)
        flat = reshape(wide, shape=(*lead, 2 * n * n))[..., : n * (2 * n - 1)]
        return np.sum(reshape(flat, shape=(*lead, n, 2 * n - 1)), axis=-2)

    def push_c(c_dot):
        row = np.concatenate([c_dot[..., :1], np.zeros_like(c_dot[..., 1:])], axis=-1)
        return -toeplitz_solve(c, r, toeplitz_matrix(c_dot, row) @ x)

    def push_r(r_dot):
        column = np.zeros_like(r_dot)
        return -toeplitz_solve(c, r, toeplitz_matrix(column, r_dot) @ x)

    def pull_r(x_bar):
        found = sums(x_bar)[..., n:]
        first = np.zeros_like(found, shape=(*shape_of(found)[:-1], 1))
        return np.concatenate([first, found], axis=-1)

    return (
        Linear(push_c, lambda x_bar: sums(x_bar)[..., n - 1 :: -1]),
        Linear(push_r, pull_r),
        Linear(lambda b_dot: toeplitz_solve(c, r, b_dot), pull_b),
    )
