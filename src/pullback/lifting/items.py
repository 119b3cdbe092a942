"""What loops go over: ranges with traced ends, arrays, and `enumerate` and the like of them."""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from types import CodeType
from typing import Any

import numpy as np

from pullback.core.tracing import Tracer, known
from pullback.lifting.cells import Block
from pullback.lifting.effects import undecided
from pullback.lifting.recording import current
from pullback.lifting.slices.varying import Varying
from pullback.numpy.affine import Form, total

__all__ = ["Items", "Over", "items_of", "iterate", "of_range"]

SHORT = 4
"""Loops with fewer iterations are left to Python."""

_MOST_PASSES = 27
"""Of loops that are short and inside each other, how many iterations are left to Python."""


@dataclass(frozen=True)
class Items:
    """What a loop goes over: so many items, of which the k-th one is ``item(k)``."""

    count: Any
    item: Callable[[Any], Any]
    spans: tuple[tuple[Any, int], ...] = ()
    """Where the number of items is not known: it is that of steps of a size in a span, of each."""

    @property
    def bounds(self) -> tuple[tuple[Any, int], ...]:
        """The spans, also where the number of items is known."""
        return ((self.count, 1),) if type(self.count) is int else self.spans

    @property
    def last(self) -> list[Form]:
        """What the place of an item does not exceed, as forms, where there is an item."""
        if type(self.count) is int:
            return [{None: self.count - 1}]
        form = current().intervals.form
        return [total({}, total(form(x), {None: 1}, -1), Fraction(1, n)) for x, n in self.spans]


class Over:
    """What `range`, `enumerate`, `zip` or `reversed` makes, which a loop can go over at once.

    `items` is known where all it is made of has items; `isn't` long where Python is as good.
    """

    def __init__(self, items: Items, plain: Callable[[], Any] | None, *, worth: bool) -> None:
        self.items, self._plain, self.worth = items, plain, worth

    def __iter__(self) -> Iterator[Any]:
        if self._plain is not None:
            return iter(self._plain())
        count = self.items.count.__index__()  # which says that it isn't known
        return map(self.items.item, builtins.range(count))


def iterate(
    function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], call: Callable[[Any], Any]
) -> Any:
    """What a call of one of the four makes, in a loop's head."""
    if function is builtins.range:
        if any(map(undecided, args)) and len(args) <= 3:
            start, stop, step = {1: (0, *args, 1), 2: (*args, 1), 3: args}[len(args)]
            if type(step) is not Tracer:
                return Over(_range(start, stop, int(step)), None, worth=True)
    elif function in (builtins.enumerate, builtins.zip, builtins.reversed) and args:
        made = _joined(function, args, **kwargs)
        if made is not None:
            return made
    return call(function)(*args, **kwargs)


def _range(start: Any, stop: Any, step: int) -> Items:
    if step == 0:
        raise ValueError("range() arg 3 must not be zero")
    span = (stop - start if _isnt(start, 0) else stop) if step > 0 else start - stop
    size = abs(step)
    count = span if size == 1 else (span + (size - 1)) // size
    if not current().intervals.exceeds(count, 0):
        count = np.maximum(count, 0)

    def item(k: Any) -> Any:
        k = k * step if step != 1 else k
        return start + k if _isnt(start, 0) else k

    return Items(count, item, ((span, size),))


def _isnt(x: Any, number: int) -> bool:
    return type(x) is not int or x != number


def _joined(
    function: Any, args: tuple[Any, ...], *, start: Any = 0, strict: bool = False
) -> Over | None:
    first = start
    if function is builtins.enumerate:
        args, first = args[:1], args[1] if len(args) > 1 else start
    parts = [_part(each) for each in args]
    found = [each[0] for each in parts if each is not None]
    if len(found) < len(parts):
        return None
    worth = any(each[1] for each in parts if each is not None)
    counts = [each.count for each in found]
    if strict and any(current().intervals.difference(each, counts[0]) != 0 for each in counts):
        return None
    count = functools.reduce(_smaller, counts)
    spans = tuple(span for each in found for span in each.bounds)
    items = found[0]

    def plain() -> Any:
        return zip(*args, strict=strict) if function is builtins.zip else enumerate(args[0], first)

    if function is builtins.enumerate:
        return Over(Items(count, lambda k: (first + k, items.item(k)), spans), plain, worth=worth)
    if function is builtins.reversed:
        return Over(Items(count, lambda k: items.item(count - 1 - k), spans), None, worth=worth)
    return Over(Items(count, lambda k: tuple(x.item(k) for x in found), spans), plain, worth=worth)


def _smaller(x: Any, y: Any) -> Any:
    return min(x, y) if type(x) is int and type(y) is int else np.minimum(x, y)


def _part(x: Any) -> tuple[Items, bool] | None:
    """The items of something, and whether it is for their sake that a loop is lifted."""
    if type(x) is Over:
        return x.items, x.worth
    if type(x) is builtins.range:
        return of_range(x), len(x) >= SHORT
    if type(x) is Varying:
        return Items(x.length, _rows(x), ((x.length, 1),)), True
    if type(x) is Tracer and x.shape:
        return Items(x.shape[0], _rows(x)), x.shape[0] >= SHORT and not known(x)
    return None


def of_range(x: range) -> Items:
    """The items of a range."""
    return Items(len(x), _range(x.start, x.stop, x.step).item)


def _rows(x: Any) -> Callable[[Any], Any]:
    return lambda k: x[k]


def items_of(x: Any, body: Block) -> Items | None:
    """The items of what a loop goes over, if it is to be lifted."""
    part = _part(x)
    if part is None:
        return None
    items, worth = part
    short = SHORT if _has_loops(body.__code__) else max(SHORT, current().innermost)
    if type(items.count) is int and items.count < short:
        passes = current().passes * items.count
        worth = type(x) is builtins.range and passes > _MOST_PASSES
    return items if worth else None


_LOOPS = frozenset({"each", "while_"})
"""What rewritten code calls where it has a loop."""


@functools.lru_cache(maxsize=4096)
def _has_loops(code: CodeType) -> bool:
    """Whether there is a loop in the text of a block."""
    inside = (each for each in code.co_consts if type(each) is CodeType)
    return not _LOOPS.isdisjoint(code.co_names) or any(map(_has_loops, inside))
