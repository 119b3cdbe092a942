"""The Cholesky factorisation and what solves with it, under SciPy's names.

One triangle of a matrix is read, and has a derivative.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from pullback.core.shapes import dtype_of, shape_of
from pullback.errors import ArgumentValueError
from pullback.rules import linalg
from pullback.rules.banded import adjoint_band, banded_solve
from pullback.scipy.first_step import serves
from pullback.scipy.linalg.arguments import (
    columns,
    fixed,
    matrices,
    matrix,
    square,
    system,
    taken_back,
    vector,
)
from pullback.scipy.linalg.solving import factored_solve

__all__ = ["cho_factor", "cho_solve", "cholesky", "factor"]


def factor(a: Any, lower: bool) -> Any:
    """L of A = LLᴴ, or U of A = UᴴU, from one triangle of A."""
    return linalg.cholesky(a) if lower else linalg.cholesky(a.mT).mT


@serves(scipy.linalg.cholesky)
def cholesky(
    a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> Any:
    name = "scipy.linalg.cholesky"
    return factor(square(a, name, check_finite), fixed(lower, name, "lower"))


@serves(scipy.linalg.cho_factor)
def cho_factor(
    a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> tuple[Any, bool]:
    """The factor in one triangle, and in the other one what the matrix has there."""
    name = "scipy.linalg.cho_factor"
    a = square(a, name, check_finite)
    other = np.triu(a, 1) if fixed(lower, name, "lower") else np.tril(a, -1)
    return factor(a, lower) + other, lower


@serves(scipy.linalg.cholesky_banded)
def cholesky_banded(
    ab: Any, overwrite_ab: bool = False, lower: bool = False, check_finite: bool = True
) -> Any:
    """By the factor of the whole matrix, which has the same band."""
    name = "scipy.linalg.cholesky_banded"
    ab, lower = matrix(ab, name, check_finite), bool(fixed(lower, name, "lower"))
    count, n = shape_of(ab)[-2] - 1, shape_of(ab)[-1]
    diagonals, columns_of = np.arange(count + 1)[:, None], np.arange(n)
    rows = columns_of + (diagonals if lower else diagonals - count)
    inside = (rows >= 0) & (rows < n)
    at = np.where(inside, rows, 0)
    # Of each element of the triangle, where it is in the band.
    offset = np.arange(n)[:, None] - columns_of
    row = (
        np.where((offset >= 0) & (offset <= count), offset, 0)
        if lower
        else (np.where((offset <= 0) & (offset >= -count), count + offset, count))
    )
    held = (offset >= 0) & (offset <= count) if lower else (offset <= 0) & (offset >= -count)
    whole = np.where(held, ab[..., row, columns_of], np.zeros((), dtype_of(ab)))
    found = factor(whole, lower)[..., at, np.broadcast_to(columns_of, at.shape)]
    return np.where(inside, found, ab)


@serves(scipy.linalg.cho_solve_banded)
def cho_solve_banded(
    cb_and_lower: Any, b: Any, overwrite_b: bool = False, check_finite: bool = True
) -> Any:
    """A⁻¹b by the two bands of the factor and its adjoint."""
    name = "scipy.linalg.cho_solve_banded"
    cb, lower = cb_and_lower
    cb, b = matrices(matrix(cb, name, check_finite), vector(b, name, check_finite))
    b, single = columns(b)
    if shape_of(cb)[-1] != shape_of(b)[-2]:
        raise ArgumentValueError(
            f"{name}: got diagonals of shape {shape_of(cb)} and right-hand sides of shape "
            f"{shape_of(b)}, wanted as many rows in these as those are long"
        )
    count = shape_of(cb)[-2] - 1
    below, above = (count, 0) if fixed(lower, name, "lower") else (0, count)
    other = adjoint_band(cb, below, above)
    first, second = ((cb, below, above), (other, above, below))[:: 1 if lower else -1]
    for band, under, over in (first, second):
        b = banded_solve(band, b, lower=under, upper=over)
    return taken_back(b, single)


@serves(scipy.linalg.cho_solve)
def cho_solve(
    c_and_lower: Any, b: Any, overwrite_b: bool = False, check_finite: bool = True
) -> Any:
    """A⁻¹b, which reads one triangle of the factor."""
    name = "scipy.linalg.cho_solve"
    c, lower = c_and_lower
    c, b, single = system(c, b, name, check_finite)
    return taken_back(factored_solve(c, b, fixed(lower, name, "lower")), single)
