"""Gaussian elimination under SciPy's names. Which rows are exchanged is constant."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer
from pullback.errors import ArgumentValueError
from pullback.rules import elimination
from pullback.scipy.first_step import serves
from pullback.scipy.linalg.arguments import (
    fixed,
    matrix,
    system,
    taken_back,
)
from pullback.scipy.linalg.solving import triangular

__all__ = ["lu", "lu_factor", "lu_solve"]


@serves(scipy.linalg.lu_factor)
def lu_factor(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> tuple[Any, Any]:
    factors, pivots, _ = elimination.lu_factors(matrix(a, "scipy.linalg.lu_factor", check_finite))
    return factors, pivots


@serves(scipy.linalg.lu_solve)
def lu_solve(
    lu_and_piv: Any,
    b: Any,
    trans: Any = 0,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:
    """A⁻¹b, A⁻ᵀb or A⁻ᴴb from what `lu_factor` gives."""
    name = "scipy.linalg.lu_solve"
    factors, pivots = lu_and_piv
    if fixed(trans, name, "trans") not in (0, 1, 2):
        raise ArgumentValueError(f"{name}: got trans={trans!r}; give 0, 1 or 2")
    factors, b, single = system(factors, b, name, check_finite)
    order = elimination.permutation(pivots if isinstance(pivots, Tracer) else np.asarray(pivots))
    if not trans:
        inner = triangular(factors, elimination.rows_in(b, order), True, 0, unit=True)
        return taken_back(triangular(factors, inner, False, 0), single)
    inner = triangular(factors, triangular(factors, b, False, trans), True, trans, unit=True)
    return taken_back(elimination.rows_in(inner, np.argsort(order, axis=-1)), single)


@serves(scipy.linalg.lu)
def lu(
    a: Any,
    permute_l: bool = False,
    overwrite_a: bool = False,
    check_finite: bool = True,
    p_indices: bool = False,
) -> tuple[Any, ...]:
    a = matrix(a, "scipy.linalg.lu", check_finite)
    rows, cols = shape_of(a)[-2:]
    few = min(rows, cols)
    factors, _, order = elimination.lu_factors(a)
    lower = np.tril(factors[..., :few], -1) + np.eye(rows, few, dtype=dtype_of(a))
    upper = np.triu(factors[..., :few, :])
    back = np.argsort(order, axis=-1)
    if permute_l:
        return elimination.rows_in(lower, back), upper
    if p_indices:
        return back.astype(np.int32), lower, upper
    precision: Any = np.float32 if dtype_of(a).char in "fF" else np.float64
    if (rows, cols) == (1, 1):
        precision = dtype_of(a)
    marks = np.equal(back[..., :, None], np.arange(rows)).astype(precision)
    return marks, lower, upper
