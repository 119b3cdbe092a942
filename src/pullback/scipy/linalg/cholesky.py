"""The Cholesky factorisation and what solves with it, under SciPy's names.

One triangle of a matrix is read, and has a derivative.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from pullback.rules import linalg
from pullback.scipy.first_step import serves
from pullback.scipy.linalg.arguments import (
    columns,
    fixed,
    matrices,
    require_fit,
    square,
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


@serves(scipy.linalg.cho_solve)
def cho_solve(
    c_and_lower: Any, b: Any, overwrite_b: bool = False, check_finite: bool = True
) -> Any:
    """A⁻¹b, which reads one triangle of the factor."""
    name = "scipy.linalg.cho_solve"
    c, lower = c_and_lower
    c, b = matrices(square(c, name, check_finite), vector(b, name, check_finite))
    b, single = columns(b)
    require_fit(name, c, b)
    return taken_back(factored_solve(c, b, fixed(lower, name, "lower")), single)
