"""Bringing slices of equal length to the same places, so that they are combined one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.core.shapes import shape_of
from pullback.lifting.recording import current
from pullback.lifting.slices.spans import Span
from pullback.lifting.slices.varying import Spans, Varying, refusal, spans_of

__all__ = ["aligned", "brought", "common", "laid_on"]


def aligned(operands: Sequence[Any]) -> tuple[list[Any], Spans]:
    """Operands that broadcast, brought to the same places, and the spans of what they make."""
    found = list(operands)
    rank = max(len(spans_of(x)) for x in found)
    spans: list[Span | None] = []
    for axis in range(-rank, 0):
        having = [i for i, x in enumerate(found) if len(spans_of(x)) >= -axis]
        varying = [i for i in having if spans_of(found[i])[axis] is not None]
        if varying and any(_extent(found[i], axis) != 1 for i in having if i not in varying):
            raise refusal("combining it with an array of fixed extent")
        target = common([spans_of(found[i])[axis] for i in varying])
        spans.append(target)
        for i in varying:
            found[i] = brought(found[i], axis, target)
    return found, tuple(spans)


def _extent(x: Any, axis: int) -> int:
    return (x._array.shape if type(x) is Varying else shape_of(x))[axis]


def common(spans: Sequence[Any]) -> Any:
    """The places to which spans of equal length are brought; `None` if there are none."""
    if not spans:
        return None
    intervals = current().intervals
    first = next((x for x in spans if intervals.difference(x.start, 0) == 0), spans[0])
    extent = first.extent
    for each in spans:
        if intervals.difference(each.length, first.length) != 0:
            raise refusal("combining it with another one, whose length isn't known to be the same,")
        if intervals.difference(each.start, first.start) == 0:
            extent = min(extent, each.extent)
    return Span(first.start, first.stop, extent)


def brought(x: Varying, axis: int, target: Span) -> Varying:
    """The array with its elements at the places of another span of the same length."""
    axis %= x.ndim
    span = x._spans[axis]
    assert span is not None
    lead = (slice(None),) * axis
    array = x._array
    if current().intervals.difference(span.start, target.start) != 0:
        places = np.arange(target.extent) + (span.start - target.start)
        array = array[(*lead, np.clip(places, 0, span.extent - 1))]
    elif span.extent > target.extent:
        array = array[(*lead, slice(0, target.extent))]
    elif span.extent < target.extent:
        array = array[(*lead, np.minimum(np.arange(target.extent), span.extent - 1))]
    return Varying(array, (*x._spans[:axis], target, *x._spans[axis + 1 :]))


def laid_on(value: Any, view: Varying) -> Any:
    """What is written to a part in place of `value`, an array that broadcasts to its extents."""
    spans = spans_of(value)
    while len(spans) > view.ndim and spans[0] is None and _extent(value, 0) == 1:
        value = Varying(value._array[0], spans[1:]) if type(value) is Varying else value[0]
        spans = spans[1:]
    if len(spans) > view.ndim:
        raise refusal("writing an array of more dimensions")
    for axis in range(-len(spans), 0):
        span, target = spans[axis], view._spans[axis]
        if span is None:
            extent = _extent(value, axis)
            if extent != 1 and (target is not None or extent != view._array.shape[axis]):
                raise refusal("writing an array of fixed extent to it")
        elif target is None:
            raise refusal("writing it to an axis of fixed extent")
        else:
            common([target, span])
            value = brought(value, axis, target)
    return value._array if type(value) is Varying else value
