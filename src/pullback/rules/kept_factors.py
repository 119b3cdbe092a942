"""The factors of a matrix, kept while the sweep that made them may ask for them again.

The pullbacks of a solution and of a determinant want A⁻ᴴ, of a vector and as a whole. Where a
program has both, as the density of a normal distribution does, A is factorised once for the way
back. Factors are recalled by the matrix's elements, so that it may have been written to in between,
and forgotten with the array that they are of.
"""

from __future__ import annotations

import weakref
from typing import Any, NamedTuple

import numpy as np

from pullback.rules.factored import is_single, routine

__all__ = ["inverse_by_factors", "solve_by_factors"]

_LEAST = 16
"""Of fewer rows NumPy solves the system sooner than the elements are compared."""

MOST_KNOWN = 2


class _Factors(NamedTuple):
    """A matrix, what LAPACK's getrf has made of it, and the array that it was found in."""

    owner: Any
    matrix: np.ndarray[Any, Any]
    factors: np.ndarray[Any, Any]
    places: np.ndarray[Any, Any]


_known: list[_Factors] = []


def _forget(owner: Any) -> None:
    _known[:] = [each for each in _known if each.owner is not owner]


def _factors_of(a: np.ndarray[Any, Any]) -> _Factors:
    for each in list(_known):
        if each.matrix.dtype == a.dtype and np.array_equal(each.matrix, a):
            return each
    factors, places, info = routine("getrf", a)(a)
    if info > 0:
        raise np.linalg.LinAlgError("Singular matrix")
    found = _Factors(weakref.ref(a, _forget), a.copy(), factors, places)
    _known.append(found)
    del _known[:-MOST_KNOWN]
    return found


def _applies(*matrices: Any) -> bool:
    """Whether these are plain single matrices of one dtype, large enough."""
    first = matrices[0]
    return all(
        type(x) is np.ndarray and x.dtype == first.dtype and x.shape[0] >= _LEAST for x in matrices
    ) and is_single(*matrices)


def solve_by_factors(a: Any, b: Any) -> Any:
    """A⁻ᴴB, or `None` for what NumPy, or a primitive, solves."""
    if not _applies(a, b):
        return None
    kept = _factors_of(a)
    x, _ = routine("getrs", a)(kept.factors, kept.places, b, trans=2)
    return np.ascontiguousarray(x)


def inverse_by_factors(a: Any) -> Any:
    """A⁻¹, or `None` likewise."""
    if not _applies(a):
        return None
    kept = _factors_of(a)
    unit = np.eye(len(a), dtype=a.dtype, order="F")
    inverse, _ = routine("getrs", a)(kept.factors, kept.places, unit, overwrite_b=True)
    return inverse
