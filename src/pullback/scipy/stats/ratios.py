"""Quotients that are smooth where SciPy's code changes formulas, and values beside derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as sc

from pullback.core.structure import Elementwise
from pullback.rules.custom import stop_gradient
from pullback.rules.registration import constant, elementwise
from pullback.scipy.stats.borrowed import canonical

__all__ = ["log1p_excess", "log1p_ratio", "valued"]

_SMALL = 0.1
_TERMS = 18


def _near_zero(u: Any, terms: int, first: int) -> Any:
    """Σ (−u)ⁿ/(n + first) for n up to `terms`."""
    total: Any = np.zeros_like(u)
    for n in range(terms, -1, -1):
        total = 1 / (n + first) - u * total
    return total


def log1p_ratio(u: Any) -> Any:
    """log(1 + u)/u, and 1 at u = 0, with derivatives that don't lose digits there."""
    small = np.abs(u) < _SMALL
    inner = np.where(small, u, 0.0)
    outer = np.where(small, 1.0, u)
    return np.where(small, _near_zero(inner, _TERMS, 1), sc.log1p(outer) / outer)


def log1p_excess(u: Any) -> Any:
    """(u − log(1 + u))/u², and 1/2 at u = 0."""
    small = np.abs(u) < _SMALL
    inner = np.where(small, u, 0.0)
    outer = np.where(small, 1.0, u)
    far = (outer - sc.log1p(outer)) / (outer * outer)
    return np.where(small, _near_zero(inner, _TERMS, 2), far)


# -- a value of SciPy's, with the derivative of a formula ------------------------------------------


def _second(smooth: Any, value: Any) -> Any:
    shape = np.broadcast_shapes(np.shape(smooth), np.shape(value))
    return np.array(np.broadcast_to(value, shape), np.result_type(smooth, value))[()]


@elementwise(_second, name="valued")
def _valued(_y: Any, _smooth: Any, _value: Any) -> Any:
    """y = v, where a formula s(x) = v to rounding: ∂y/∂x = ∂s/∂x."""
    return 1, None


def _plainly(*args: Any, distribution: Any, method: str) -> Any:
    arrays = np.broadcast_arrays(*args)
    with np.errstate(all="ignore"):
        out = getattr(distribution, method)(*(np.ravel(each) for each in arrays))
    return np.reshape(np.asarray(out, np.float64), np.shape(arrays[0]))[()]


plainly = constant(_plainly, Elementwise(), name="plain_method")
"""What SciPy's own method gives, without a derivative."""


def valued(distribution: Any, method: str, smooth: Any, *args: Any) -> Any:
    """The value of SciPy's method with the derivative of a formula for the same."""
    detached = (stop_gradient(each) for each in args)
    value = plainly(*detached, distribution=canonical(distribution), method=method)
    return _valued(smooth, value)
