"""Between which places of an axis the elements of a slice lie, where that is not known."""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

import numpy as np

from pullback.core.tracing import Tracer
from pullback.lifting.reasons import UnliftableError
from pullback.lifting.recording import current
from pullback.numpy.scalars import as_number

__all__ = ["Cut", "Span", "cut", "element", "is_integer"]


class Span(NamedTuple):
    """The places ``start ≤ p < stop`` of an axis, where ``0 ≤ start ≤ stop ≤ extent``."""

    start: Any
    stop: Any
    extent: int

    @property
    def length(self) -> Any:
        """How many elements there are, as a Python integer."""
        number = current().intervals.difference(self.stop, self.start)
        if number is not None:
            return number
        return self.stop if type(self.start) is int and not self.start else self.stop - self.start

    @property
    def reversed(self) -> Span:
        """The same elements, where the whole axis is reversed."""
        return Span(self.extent - self.stop, self.extent - self.start, self.extent)

    @property
    def mask(self) -> Any:
        """A boolean for each place of the axis."""
        places = np.arange(self.extent)
        if type(self.start) is int and not self.start:
            return np.less(places, self.stop)
        above = np.greater_equal(places, self.start)
        if type(self.stop) is int and self.stop == self.extent:
            return above
        return np.logical_and(above, np.less(places, self.stop))

    @property
    def is_whole(self) -> bool:
        """Whether it is known that all places count."""
        intervals = current().intervals
        return intervals.exceeds(0, self.start) and intervals.exceeds(self.stop, self.extent)

    def trimmed(self) -> tuple[Span, int]:
        """The span in the part of the axis that it can reach, and where that starts."""
        intervals = current().intervals
        low, high = intervals.least(self.start), intervals.most(self.stop)
        first = 0 if low is None else max(low, 0)
        last = self.extent if high is None else min(high, self.extent)
        if last <= first:
            return Span(0, 0, 0), first
        if not first:
            return Span(self.start, self.stop, last), first
        return Span(self.start - first, self.stop - first, last - first), first


class Cut(NamedTuple):
    """What a slice selects of an axis: a part of known extent, of which a span counts.

    It is `flipped` after it has been cut. Where it is much shorter than the part of the axis that
    it can reach, it is cut `at` the place where it starts; beyond the end it goes on at the first.
    """

    part: slice
    span: Span | None = None
    flipped: bool = False
    at: Any = None

    @property
    def places(self) -> Any:
        """The places in the part, no place being named twice."""
        assert self.span is not None
        extent = self.part.stop - self.part.start
        places = np.arange(self.span.extent) + self.at
        return np.where(np.less(places, extent), places, places - extent)


_SHORT = 4
"""How often a slice fits into the part of an axis where it is read at the places of its own."""

_NOTHING = Cut(slice(0, 0))


def is_integer(x: Any) -> bool:
    """Whether it is an integer, known or not, and no array."""
    if type(x) is Tracer:
        return not x.shape and x.dtype.kind in "iu"
    return type(x) is int or isinstance(x, np.integer)


def element(place: Any, span: Span) -> Any:
    """The place on the whole axis of an element that is counted from the start of a span."""
    intervals, length = current().intervals, span.length
    if intervals.exceeds(place, 0) and intervals.exceeds(length, place + 1):
        return span.start + place
    if intervals.exceeds(-1, place) and intervals.exceeds(place, -length):
        return span.stop + place
    raise UnliftableError(
        "it isn't known of a slice of varying length whether it has an element at this place"
    )


def cut(entry: slice, extent: int, span: Span | None) -> Cut:
    """What a slice selects of an axis of this extent, of which a span counts."""
    start, stop = _bound(entry.start), _bound(entry.stop)
    step = 1 if entry.step is None else operator.index(entry.step)
    if span is None and type(start) is not Tracer and type(stop) is not Tracer:
        return Cut(slice(start, stop, step))
    if span is not None and start is None and stop is None and abs(step) == 1:
        return Cut(slice(None), span if step == 1 else span.reversed, step == -1)
    if span is None and step > 0 and _is_window(start, stop, extent):
        return Cut(slice(start, stop, step))
    if abs(step) > 1:
        return _strided(start, stop, step, extent, span)
    length = extent if span is None else span.length
    start, stop = _places(start, stop, length) if step == 1 else _backwards(start, stop, length)
    if span is not None:
        start, stop = span.start + start, span.start + stop
    return _made(Span(start, stop, extent), step == -1)


def _made(span: Span, flipped: bool = False) -> Cut:
    length = current().intervals.difference(span.stop, span.start)
    if length == 0:
        return _NOTHING
    if length is not None:
        return Cut(slice(span.start, span.start + length), None, flipped)
    span, first = span.trimmed()
    if not span.extent:
        return _NOTHING
    part = slice(first, first + span.extent)
    most = current().intervals.most(span.length)
    if most is not None and most * _SHORT <= span.extent:
        short = Span(0, span.length, most)
        return Cut(part, short.reversed if flipped else short, flipped, span.start)
    return Cut(part, span.reversed if flipped else span, flipped)


def _strided(start: Any, stop: Any, step: int, extent: int, span: Span | None) -> Cut:
    """A slice of every second place, or the like, from a place that is known."""
    if span is not None or step < 0 or type(start) is Tracer:
        raise UnliftableError(f"it takes a slice with the step {step} from a place that varies")
    start, stop = _places(start, stop, extent)
    if start >= extent:
        return _NOTHING
    count = -(-(extent - start) // step)
    made, first = Span(0, (stop - start + (step - 1)) // step, count).trimmed()
    if not made.extent:
        return _NOTHING
    return Cut(slice(start + first * step, start + (made.extent - 1) * step + 1, step), made)


def _bound(x: Any) -> Any:
    """An end of a slice: `None`, a Python integer, or one that isn't known."""
    if x is None or type(x) is int:
        return x
    if type(x) is Tracer and is_integer(x):
        number = current().intervals.difference(x, 0)
        return x if number is None else number
    return operator.index(x)


def _is_window(start: Any, stop: Any, extent: int) -> bool:
    """Whether a slice is of known length, and lies inside, or isn't known to lie outside.

    It is read as a window then, which says so at run time where it doesn't lie inside.
    """
    if start is None or stop is None:
        return False
    intervals = current().intervals
    length = intervals.difference(stop, start)
    if length is None or length <= 0:
        return False
    low, high = intervals.least(start), intervals.most(stop)
    return low is None or high is None or (low >= 0 and high <= extent)


def _places(start: Any, stop: Any, length: Any) -> tuple[Any, Any]:
    """The places between which a slice of step 1 lies."""
    first = 0 if start is None else _within(_wrapped(start, length), 0, length)
    last = length if stop is None else _within(_wrapped(stop, length), 0, length)
    return first, _at_least(last, first)


def _backwards(start: Any, stop: Any, length: Any) -> tuple[Any, Any]:
    """The places between which a slice of step -1 lies: from the lowest to after the highest."""
    first = length if start is None else _within(_wrapped(start, length) + 1, 0, length)
    last = 0 if stop is None else _within(_wrapped(stop, length) + 1, 0, length)
    return last, _at_least(first, last)


def _wrapped(x: Any, length: Any) -> Any:
    """A place that is counted from the end if it is negative."""
    intervals = current().intervals
    if intervals.exceeds(x, 0):
        return x
    if intervals.exceeds(-1, x):
        return x + length
    return _number(np.where(np.less(x, 0), x + length, x)[()])


def _within(x: Any, low: Any, high: Any) -> Any:
    return _at_most(_at_least(x, low), high)


def _at_least(x: Any, low: Any) -> Any:
    return x if current().intervals.exceeds(x, low) else _number(np.maximum(x, low))


def _at_most(x: Any, high: Any) -> Any:
    return x if current().intervals.exceeds(high, x) else _number(np.minimum(x, high))


def _number(x: Any) -> Any:
    """An integer as a Python integer."""
    if type(x) is not Tracer:
        return int(x)
    number = current().intervals.difference(x, 0)
    return as_number(x) if number is None else number
