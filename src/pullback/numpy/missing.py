"""NumPy's reductions that leave NaN out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.shapes import is_inexact
from pullback.errors import ArgumentValueError
from pullback.numpy import reductions as full
from pullback.numpy.operands import anywhere, operand
from pullback.numpy.registration import implements
from pullback.numpy.statistics import quantile_of, require_unweighted

__all__ = ["nanargmax", "nanargmin", "nanmax", "nanmean", "nanmedian", "nanmin", "nanpercentile",
           "nanprod", "nanquantile", "nanstd", "nansum", "nanvar"]  # fmt: skip


def _present(a: Any) -> tuple[Any, Any]:
    """An array, and which of its elements are numbers."""
    x = operand(a)
    return x, ~np.isnan(x)


@implements(np.nansum)
def nansum(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = 0,
    where: Any = True,
) -> Any:
    x, present = _present(a)
    return full.sum(x, axis, dtype, out, keepdims, initial, present & where)


@implements(np.nanprod)
def nanprod(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = 1,
    where: Any = True,
) -> Any:
    x, present = _present(a)
    return full.prod(x, axis, dtype, out, keepdims, initial, present & where)


@implements(np.nanmean)
def nanmean(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    *,
    where: Any = True,
) -> Any:
    x, present = _present(a)
    full.require_elements("np.nanmean", x, axis)
    return full.mean(x, axis, dtype, out, keepdims, where=present & where)


@implements(np.nanvar)
def nanvar(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    x, present = _present(a)
    full.require_elements("np.nanvar", x, axis)
    return full.var(
        x, axis, dtype, out, ddof, keepdims,
        where=present & where, mean=mean, correction=correction,
    )  # fmt: skip


@implements(np.nanstd)
def nanstd(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    """√nanvar; its derivative where the variance is 0 is 0."""
    x, present = _present(a)
    full.require_elements("np.nanstd", x, axis)
    return full.std(
        x, axis, dtype, out, ddof, keepdims,
        where=present & where, mean=mean, correction=correction,
    )  # fmt: skip


@implements(np.nanmax)
def nanmax(
    a: Any,
    axis: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    return _nan_extremum("np.nanmax", full.amax, -np.inf, a, axis, keepdims, initial, where)


@implements(np.nanmin)
def nanmin(
    a: Any,
    axis: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    return _nan_extremum("np.nanmin", full.amin, np.inf, a, axis, keepdims, initial, where)


def _nan_extremum(
    name: str,
    function: Callable[..., Any],
    neutral: float,
    a: Any,
    axis: Any,
    keepdims: bool,
    initial: Any,
    where: Any,
) -> Any:
    """The extremum of the numbers, and NaN where there are none."""
    x, present = _present(a)
    if initial is None:
        full.require_elements(name, x, axis, "give initial, or test x.size first")
    if not is_inexact(x):
        return function(x, axis, None, keepdims, initial, where)
    value = function(np.where(present, x, neutral), axis, None, keepdims, initial, where)
    if initial is not None:
        return value
    return np.where(np.any(present, axis=axis, keepdims=keepdims), value, np.nan)


@implements(np.nanargmax)
def nanargmax(a: Any, axis: Any = None, out: Any = None, *, keepdims: bool = False) -> Any:
    x, present = _present(a)
    full.require_elements("np.nanargmax", x, axis)
    if not is_inexact(x):
        return full.argmax(x, axis, out, keepdims=keepdims)
    _require_numbers("np.nanargmax", present, axis)
    return full.argmax(np.where(present, x, -np.inf), axis, out, keepdims=keepdims)


@implements(np.nanargmin)
def nanargmin(a: Any, axis: Any = None, out: Any = None, *, keepdims: bool = False) -> Any:
    x, present = _present(a)
    full.require_elements("np.nanargmin", x, axis)
    if not is_inexact(x):
        return full.argmin(x, axis, out, keepdims=keepdims)
    _require_numbers("np.nanargmin", present, axis)
    return full.argmin(np.where(present, x, np.inf), axis, out, keepdims=keepdims)


def _require_numbers(name: str, present: Any, axis: Any) -> None:
    if anywhere(~np.any(present, axis=axis)):
        raise ArgumentValueError(
            f"{name}: got a slice that holds nothing but NaN; use np.{name[6:]}, or "
            "replace NaN first"
        )


@implements(np.nanmedian)
def nanmedian(
    a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: bool = False
) -> Any:
    return _nan_quantile("np.nanmedian", a, 0.5, axis, "linear", keepdims)


@implements(np.nanquantile)
def nanquantile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: Any = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Any:
    require_unweighted("np.nanquantile", weights)
    return _nan_quantile("np.nanquantile", a, q, axis, method, keepdims)


@implements(np.nanpercentile)
def nanpercentile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: Any = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Any:
    require_unweighted("np.nanpercentile", weights)
    return _nan_quantile("np.nanpercentile", a, operand(q) / 100, axis, method, keepdims)


def _nan_quantile(name: str, a: Any, q: Any, axis: Any, method: str, keepdims: bool) -> Any:
    """A quantile of the numbers of each line, of which there may be different counts."""
    return quantile_of(name, a, q, axis, method, keepdims, missing=True)
