"""Assembly: an array of which all places are written is joined from what is written there.

The pullback of ``x[0], x[1], x[2]``, or of a roll, writes to zeros a part at a time. Where such
writes cover an axis, each place once, they become a `stack` or a `concatenate`: a *layer*. A sum of
several layers is one of joined arrays; what is left over is written as before.

A chain of writes is looked at once, where it ends.
"""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from pullback.core.primitive import Primitive
from pullback.core.shapes import dtype_of
from pullback.graph.program import Atom, Equation
from pullback.graph.variable import Variable
from pullback.passes.joining import joined
from pullback.passes.layout import reshaped
from pullback.passes.places import Key, region
from pullback.passes.rewriting import Pass, Rewriting
from pullback.rules.arithmetic import add
from pullback.rules.indexing import index, index_add, index_update, scatter

__all__ = ["assemble"]

assemble = Pass()

_ALL_AXES = -1
"""In place of an axis: the positions are those of the flat array."""


class Span(NamedTuple):
    """What a write names: all of an array but for one axis, and there these positions.

    Attributes
    ----------
    axis : int
    start, stop : int
    single : bool
        Whether it is one position, and the value lacks the axis.
    backwards : bool
    """

    axis: int
    start: int
    stop: int
    single: bool
    backwards: bool = False


class Write(NamedTuple):
    """A write to zeros or to an earlier state of an array."""

    equation: Equation
    span: Span | None

    @property
    def value(self) -> Atom:
        """What is written."""
        return self.equation.inputs[self.equation.primitive is not scatter]


@dataclass(eq=False)
class Layer:
    """Writes along one axis that have no place in common, or name the same.

    Attributes
    ----------
    axis : int
    spans : list of Span
        In order.
    writes : list of list of Write
        Those to each of these; what they write is added up.
    """

    axis: int
    spans: list[Span] = field(default_factory=list)
    writes: list[list[Write]] = field(default_factory=list)

    def take(self, write: Write, span: Span) -> bool:
        """Whether a write belongs here, where it is entered then."""
        if span.axis != self.axis:
            return False
        spans, place = self.spans, bisect.bisect_left(self.spans, span.start, key=_start)
        if place < len(spans) and spans[place][:4] == span[:4]:
            if write.equation.primitive is index_update:
                self.writes[place].clear()
            self.writes[place].append(write)
            return True
        if place < len(spans) and spans[place].start < span.stop:
            return False
        if place and spans[place - 1].stop > span.start:
            return False
        spans.insert(place, span)
        self.writes.insert(place, [write])
        return True

    def covers(self, shape: tuple[int, ...]) -> bool:
        """Whether every place of an array of this shape is written."""
        extent = math.prod(shape) if self.axis == _ALL_AXES else shape[self.axis]
        return sum(span.stop - span.start for span in self.spans) == extent

    def replaces(self) -> bool:
        """Whether nothing is added to what was there before."""
        return all(row[0].equation.primitive is index_update for row in self.writes)


def _start(span: Span) -> int:
    return span.start


def _span(key: Key, shape: tuple[int, ...]) -> Span | None:
    """What a subscript names, if that is a span that is neither everything nor nothing."""
    named = region(key, shape)
    if named is None:
        return None
    partial = [
        axis
        for axis, (stays, positions) in enumerate(named)
        if not (stays and positions == range(shape[axis]))
    ]
    if len(partial) == 1:
        (axis,) = partial
        stays, positions = named[axis]
        if not positions or (len(positions) > 1 and abs(positions.step) != 1):
            return None
        start, stop = min(positions[0], positions[-1]), max(positions[0], positions[-1]) + 1
        return Span(axis, start, stop, not stays, len(positions) > 1 and positions.step < 0)
    if partial and not any(stays for stays, _ in named):
        place = int(np.ravel_multi_index([positions[0] for _, positions in named], shape))
        return Span(_ALL_AXES, place, place + 1, single=True)
    return None


@assemble.rewrites(scatter)
def _scatter(
    rw: Rewriting, y: Variable, v: Atom, *indices: Atom, key: Key, shape: tuple[int, ...]
) -> Atom | None:
    """One write, to everything but for axes that a value lacks."""
    return _assembled(rw, y, Equation(scatter, (v, *indices), {"key": key, "shape": shape}, (y,)))


@assemble.rewrites_each(index_add, index_update)
def _write(
    primitive: Primitive, rw: Rewriting, y: Variable, *inputs: Atom, key: Key
) -> Atom | None:
    """The last of several writes."""
    return _assembled(rw, y, Equation(primitive, inputs, {"key": key}, (y,)))


def _assembled(rw: Rewriting, y: Variable, last: Equation) -> Atom | None:
    """What a chain of writes makes, if they cover it, perhaps more than once."""
    if not _ends(rw, y):
        return None
    base, writes = _chain(rw, last)
    layers: list[Layer] = []
    left: list[Write] = []
    for write in writes:
        if not _entered(layers, write):
            if write.equation.primitive is index_update:
                return None
            left.append(write)
    whole = [layer for layer in layers if layer.covers(y.shape)]
    replaces = any(write.equation.primitive is index_update for write in writes)
    if not whole or (replaces and (left or len(layers) > 1)):
        return None
    if replaces and base is not None and not layers[0].replaces():
        return None
    parts = [_joined(rw, y, layer) for layer in whole]
    total = parts.pop(0) if base is None or replaces else base
    for part in parts:
        total = rw.bind(add, total, part)
    left += [
        write for layer in layers if layer not in whole for row in layer.writes for write in row
    ]
    for write in left:
        total = rw.bind(index_add, total, write.value, key=write.equation.params["key"])
    return total


def _entered(layers: list[Layer], write: Write) -> bool:
    """Whether a write was entered in a layer, perhaps a new one."""
    span = write.span
    if span is None:
        return False
    if write.equation.primitive is index_update:
        if not layers:
            layers.append(Layer(span.axis))
        return len(layers) == 1 and layers[0].take(write, span)
    if not any(layer.take(write, span) for layer in layers[:MOST_LAYERS]):
        if len(layers) == MOST_LAYERS:
            return False
        layers.append(Layer(span.axis, [span], [[write]]))
    return True


MOST_LAYERS = 8
"""How many layers a write is compared with."""


def _ends(rw: Rewriting, y: Variable) -> bool:
    """Whether an array is read by something other than the next write alone.

    Of what was made in this walk it is not known; the next one will tell.
    """
    readers = rw.readers(y)
    if len(readers) != 1 or readers[0] is None:
        return bool(readers)
    reader = readers[0]
    follows = reader.primitive in (index_add, index_update) and reader.inputs[0] is y
    return not (follows and _is_plain(reader))


def _is_plain(equation: Equation) -> bool:
    """Whether a write's places are known and its value has the array's dtype."""
    (out,) = equation.outputs
    place = int(equation.primitive is not scatter)
    value = equation.inputs[place]
    dtype = dtype_of(value) if type(value) is Variable else np.result_type(value, out.dtype)
    return bool(dtype == out.dtype) and len(equation.inputs) == place + 1


def _chain(rw: Rewriting, last: Equation) -> tuple[Atom | None, list[Write]]:
    """The writes that end with this one, in order, and what the first was to: `None` for zeros."""
    writes: list[Write] = []
    equation, shape = last, last.outputs[0].shape
    while _is_plain(equation):
        writes.append(Write(equation, _span(equation.params["key"], shape)))
        if equation.primitive is scatter:
            return None, writes[::-1]
        base = equation.inputs[0]
        earlier = rw.origin.get(base) if type(base) is Variable and rw.used_once(base) else None
        if earlier is None or earlier.primitive not in (scatter, index_add, index_update):
            break
        equation = earlier
    return last.inputs[0] if not writes else writes[-1].equation.inputs[0], writes[::-1]


def _joined(rw: Rewriting, y: Variable, layer: Layer) -> Atom:
    """The array that a layer makes."""
    flat = layer.axis == _ALL_AXES
    axis = 0 if flat else layer.axis
    shape = (y.size,) if flat else y.shape
    parts = []
    for span, writes in zip(layer.spans, layer.writes, strict=True):
        extent = () if span.single else (span.stop - span.start,)
        like = Variable((*shape[:axis], *extent, *shape[axis + 1 :]), y.dtype)
        values = [_forwards(rw, rw.fit(write.value, like), write) for write in writes]
        total = values[0]
        for value in values[1:]:
            total = rw.bind(add, total, value)
        parts.append((total, span.single))
    return reshaped(rw, joined(rw, parts, axis), y.shape)


def _forwards(rw: Rewriting, value: Atom, write: Write) -> Atom:
    """What is written, in the order of the positions."""
    span = write.span
    if span is None or not span.backwards:
        return value
    return rw.bind(index, value, key=(*[slice(None)] * span.axis, slice(None, None, -1)))
