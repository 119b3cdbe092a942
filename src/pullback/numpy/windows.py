"""Slices between traced bounds: ``x[i : i + 3]``, of a length that does not depend on `i`.

How long a slice is decides on a shape, so it must be known although its bounds are not. It is where
stop − start is a number: for mapped bounds of which the examples are at hand, where that is the
same number for all; for recorded ones, where both are sums of the same multiples of the same
values, and of numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.core.primitive import bind
from pullback.core.tracing import Tracer, View, known, strip
from pullback.numpy.affine import form_of, number_of, total
from pullback.rules import indexing

__all__ = ["Part", "has_window", "looked_through", "seen_through"]


def has_window(key: Any) -> bool:
    """Whether a subscript has slices with traced bounds."""
    for entry in key if type(key) is tuple else (key,):
        if type(entry) is slice and (type(entry.start) is Tracer or type(entry.stop) is Tracer):
            return True
    return False


class Part:
    """Reads, and writes, the part of an array that a subscript selects, `arrays` being traced."""

    __slots__ = ("arrays", "key")

    def __init__(self, key: tuple[Any, ...], arrays: Sequence[Any] = ()) -> None:
        self.key = key
        self.arrays = arrays

    def read(self, base: Any) -> Any:
        return bind(indexing.index, (base, *self.arrays), {"key": self.key})

    def write(self, base: Any, value: Any) -> Any:
        return bind(indexing.index_update, (base, value, *self.arrays), {"key": self.key})


def looked_through(x: Any, key: Any) -> tuple[Any, tuple[Any, ...]]:
    """`x` as seen through the windows of a subscript, and what is left of the subscript.

    A slice is left as it is where its length is not known, or is no window of positive steps.
    """
    entries = key if type(key) is tuple else (key,)
    rest: list[Any] = []
    axis = 0
    for place, entry in enumerate(entries):
        if entry is Ellipsis:
            axis = len(x.shape) - sum(map(_axes, entries[place + 1 :]))
        elif type(entry) is slice and has_window(entry):
            length = _length(entry)
            if length is not None:
                step = 1 if entry.step is None else entry.step
                if axis >= len(x.shape):
                    raise IndexError(f"too many indices for an array of shape {x.shape}")
                params = {"length": length, "step": step, "extent": x.shape[axis]}
                positions = bind(indexing.window, (entry.start,), params)
                x = seen_through(x, Part((slice(None),) * axis + (indexing.ARRAY,), [positions]))
                entry = slice(None)
        rest.append(entry)
        axis += _axes(entry)
    return x, tuple(rest)


def seen_through(base: Any, part: Part) -> Any:
    """A part of an array, as a view."""
    out = part.read(base)
    if base._mutable and isinstance(out, Tracer):
        out._alias = View(base, part.read, part.write)
    return out


def _axes(entry: Any) -> int:
    """How many axes an entry of a subscript stands for, an ellipsis apart."""
    if entry is None or entry is Ellipsis:
        return 0
    if isinstance(entry, slice | int | np.integer):
        return 1
    array = entry if isinstance(entry, Tracer) else np.asarray(entry)
    return len(array.shape) if array.dtype.kind == "b" else 1


def _length(entry: slice) -> int | None:
    """The number of elements of a slice between traced bounds; `None` if it is not known."""
    step = 1 if entry.step is None else entry.step
    if entry.start is None or entry.stop is None or type(step) is not int or step < 1:
        return None
    if known(entry.start) and known(entry.stop):
        differences = np.unique(strip(entry.stop) - strip(entry.start))
        if differences.size != 1:
            return None
        distance = int(differences[0])
    else:
        number = number_of(total(form_of(entry.stop), form_of(entry.start), -1))
        if number is None:
            return None
        distance = int(number)
    return max(0, -(-distance // step))
