"""Sums, extrema and the like of slices of varying length."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from pullback.core.tracing import Tracer
from pullback.lifting.recording import current
from pullback.lifting.slices.elementwise import elementwise
from pullback.lifting.slices.varying import Varying, method, operations, refusal
from pullback.rules import reductions

__all__: list[str] = []


def _axes(x: Varying, axis: Any) -> tuple[int, ...]:
    return tuple(range(x.ndim)) if axis is None else normalize_axis_tuple(axis, x.ndim)


def _reduced(function: Any, array: Any, x: Varying, axis: Any, keepdims: bool) -> Any:
    """A reduction of the whole array, where the elements that don't count add nothing."""
    axes = _axes(x, axis)
    out = function(array, axis=axes if len(axes) != 1 else axes[0], keepdims=keepdims)
    spans = [
        None if place in axes else span
        for place, span in enumerate(x._spans)
        if keepdims or place not in axes
    ]
    return Varying(out, tuple(spans)) if any(spans) else out


def _count(x: Varying, axis: Any) -> Any:
    """How many elements are reduced to one."""
    count = 1
    for place in _axes(x, axis):
        count = x.shape[place] * count
    return count


def _require_elements(x: Varying, axis: Any, name: str) -> None:
    for place in _axes(x, axis):
        span = x._spans[place]
        if span is not None and not current().intervals.exceeds(span.length, 1):
            raise refusal(f"{name} of one that may be empty")


def _sum(x: Varying, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _reduced(np.sum, x.filled(0), x, axis, keepdims)


def _prod(x: Varying, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _reduced(np.prod, x.filled(1), x, axis, keepdims)


def _any(x: Varying, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _reduced(np.any, x.filled(0), x, axis, keepdims)


def _all(x: Varying, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _reduced(np.all, x.filled(1), x, axis, keepdims)


def _count_nonzero(x: Varying, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _reduced(np.count_nonzero, x.filled(0), x, axis, keepdims)


def _mean(x: Varying, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _sum(x, axis, keepdims=keepdims) / _count(x, axis)


def _var(x: Varying, axis: Any = None, *, ddof: Any = 0, keepdims: bool = False) -> Any:
    if x.dtype.kind == "c":
        raise refusal("the variance of complex numbers")
    apart = elementwise(np.subtract, x, _mean(x, axis, keepdims=True))
    squares = elementwise(np.multiply, apart, apart)
    return _sum(squares, axis, keepdims=keepdims) / (_count(x, axis) - ddof)


def _std(x: Varying, axis: Any = None, *, ddof: Any = 0, keepdims: bool = False) -> Any:
    out = _var(x, axis, ddof=ddof, keepdims=keepdims)
    if type(out) is Varying:
        return Varying(reductions.root(out.filled(1)), out._spans)
    return reductions.root(out)


def _lowest(dtype: np.dtype[Any], sign: int) -> Any:
    if dtype.kind == "f":
        return -sign * np.inf
    if dtype.kind == "i":
        return np.iinfo(dtype).min if sign > 0 else np.iinfo(dtype).max
    raise refusal(f"an extremum of dtype {dtype}")


def _extremum(function: Any, sign: int) -> Callable[..., Any]:
    def extremum(x: Varying, axis: Any = None, *, keepdims: bool = False) -> Any:
        _require_elements(x, axis, function.__name__)
        return _reduced(function, x.filled(_lowest(x.dtype, sign)), x, axis, keepdims)

    return extremum


def _place(function: Any, sign: int) -> Callable[..., Any]:
    def place(x: Varying, axis: Any = None) -> Any:
        if axis is None and x.ndim > 1:
            raise refusal(f"{function.__name__} of the flat array")
        (number,) = _axes(x, axis)
        _require_elements(x, number, function.__name__)
        out = _reduced(function, x.filled(_lowest(x.dtype, sign)), x, number, False)
        span = x._spans[number]
        if span is None:
            return out
        # Where all that counts is infinite, the first of those is before the span.
        return np.maximum(out - span.start, 0) if type(span.start) is Tracer else out

    return place


def _cumulative(function: Any, neutral: int) -> Callable[..., Any]:
    def cumulative(x: Varying, axis: Any = None) -> Any:
        if axis is None and x.ndim > 1:
            raise refusal(f"{function.__name__} of the flat array")
        (number,) = _axes(x, axis)
        return Varying(function(x.filled(neutral), axis=number), x._spans)

    return cumulative


def _norm(x: Varying) -> Any:
    return np.linalg.norm(x.filled(0))


def _ptp(x: Varying, axis: Any = None) -> Any:
    return _METHODS["max"](x, axis) - _METHODS["min"](x, axis)


def _average(x: Varying, axis: Any = None) -> Any:
    return _mean(x, axis)


_METHODS: dict[str, Callable[..., Any]] = {
    "sum": _sum, "prod": _prod, "any": _any, "all": _all, "mean": _mean, "var": _var, "std": _std,
    "max": _extremum(np.max, 1), "min": _extremum(np.min, -1), "argmax": _place(np.argmax, 1),
    "argmin": _place(np.argmin, -1), "cumsum": _cumulative(np.cumsum, 0),
    "cumprod": _cumulative(np.cumprod, 1),
}  # fmt: skip
for _name, _implementation in _METHODS.items():
    method(_name)(_implementation)
    operations[getattr(np, _name)] = _implementation
operations.update({
    np.amax: _METHODS["max"], np.amin: _METHODS["min"], np.count_nonzero: _count_nonzero,
    np.linalg.norm: _norm, np.ptp: _ptp, np.average: _average,
})  # fmt: skip


def _sum_of_items(x: Varying, start: Any = 0) -> Any:
    """Python's sum, along the first axis."""
    return start + _sum(x, 0)


operations[sum] = _sum_of_items
operations[abs] = lambda x: elementwise(np.absolute, x)
operations[len] = lambda x: x.length
