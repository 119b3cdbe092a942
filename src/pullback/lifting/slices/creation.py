"""Arrays that are made with extents that are not known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.tracing import Tracer
from pullback.lifting.recording import current
from pullback.lifting.slices.spans import Span, is_integer
from pullback.lifting.slices.varying import Varying, refusal

__all__ = ["creations", "has_open_extent"]


def has_open_extent(args: tuple[Any, ...]) -> bool:
    """Whether an integer among arguments, or in tuples of them, is not known."""
    for x in args:
        if type(x) is Tracer:
            if is_integer(x):
                return True
        elif type(x) in (tuple, list) and has_open_extent(tuple(x)):
            return True
    return False


def _extents(shape: Any) -> tuple[tuple[int, ...], tuple[Span | None, ...]]:
    shape = tuple(shape) if type(shape) in (tuple, list) else (shape,)
    spans = tuple(_span(x) if type(x) is Tracer else None for x in shape)
    extents = tuple(x if s is None else s.extent for x, s in zip(shape, spans, strict=True))
    return extents, spans


def _span(length: Any) -> Span | None:
    intervals = current().intervals
    most = intervals.most(length)
    if most is None:
        raise refusal("an array whose extent may be anything")
    if not intervals.exceeds(length, 0):
        raise refusal("an array whose extent may be negative")
    return Span(0, length, max(most, 0))


def _filled(function: Callable[..., Any], shape: Any, *args: Any, **options: Any) -> Any:
    if options.keys() - {"dtype"}:
        raise refusal(f"{function.__name__} with {', '.join(options)}")
    extents, spans = _extents(shape)
    if not any(spans):
        return function(shape, *args, **options)
    return Varying(function(extents, *args, **options), spans)


def _arange(
    function: Callable[..., Any], start: Any, stop: Any = None, step: Any = 1, dtype: Any = None
) -> Any:
    if stop is None:
        start, stop = 0, start
    if type(step) is not int or step != 1 or not is_integer(start) or not is_integer(stop):
        raise refusal("np.arange with a step, or of what is no integer,")
    length = stop - start
    if not current().intervals.exceeds(length, 0):
        length = np.maximum(length, 0)
    number = current().intervals.difference(length, 0)
    if number is not None:
        out = function(number) + start
        return out if dtype is None else out.astype(dtype)
    span = _span(length)
    assert span is not None
    out = function(span.extent) + start
    return Varying(out if dtype is None else out.astype(dtype), (span,))


creations: dict[Any, Callable[..., Any]] = {
    np.zeros: _filled, np.ones: _filled, np.empty: _filled, np.full: _filled, np.arange: _arange,
}  # fmt: skip
"""What functions that make arrays do with extents that are not known; they come first."""
