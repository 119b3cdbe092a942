"""Indices as templates: what they select, and what they are with a mapped axis in front.

An index is a template and the index arrays, which are arguments: a tuple of integers, slices,
`None` and `Ellipsis`, in which `ARRAY` marks the places of integer and boolean arrays. Of boolean
arrays the elements have to be known: the number of those that hold is an extent.

NumPy puts the axes of index arrays where the first of them stands if they, and integers beside
them, stand side by side, and in front if a slice or a new axis separates them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.structure.axes import Marks, Row, stretch
from pullback.core.structure.loops import Index, Load, broadcast
from pullback.core.tracing import Tracer, is_plain
from pullback.errors import ArgumentValueError, DataDependenceError

__all__ = ["ARRAY", "Key", "Plan", "require_fit", "selection"]

ARRAY = "array"
"""What stands for an index array in a template."""

Key = tuple[Any, ...]
Extents = tuple[int, ...]


class Selected(NamedTuple):
    """What ``x[key]`` is.

    Attributes
    ----------
    shape : tuple of int
    sources : list of tuple
        For each axis of `x` which of the axes that are kept it becomes, with start and step; or
        `None`, and an index array or integer.
    before, width : int
        How many axes come before those of index arrays, and how many are theirs.
    apart : bool
        Whether index arrays don't stand side by side.
    """

    shape: Extents
    sources: list[tuple[Any, ...]]
    before: int
    width: int
    apart: bool

    @property
    def indices(self) -> tuple[Index, ...]:
        """For each axis of `x`, the place of an element of ``x[key]``."""
        return tuple(map(self._index, self.sources))

    def _index(self, source: tuple[Any, ...]) -> Index:
        if source[0] is not None:
            axis, start, step = source
            return Index(start, ((axis if axis < self.before else axis + self.width, step),))
        _, argument, entry, extents, part, extent = source
        if argument is None:
            return Index(int(entry) % extent)
        indices = broadcast(extents, self.before + self.width).indices
        return Index(load=Load(argument, indices, part if dtype_of(entry).kind == "b" else None))


def selection(primitive: Any, shape: Extents, key: Key, indices: Row, first: int = 1) -> Selected:
    """What an index selects of an array of `shape`.

    The first of the index arrays is an argument of the primitive, that with the number `first`.
    """
    entries = _filled(key, indices, first)
    consumed = sum([_axes(entry) for entry, _ in entries])
    if consumed > len(shape):
        raise IndexError(
            f"{primitive.name}: the index has entries for {consumed} axes, and the array of shape "
            f"{shape} has {len(shape)}"
        )
    if Ellipsis not in key:
        entries.append((Ellipsis, None))
    kept: list[int] = []
    parts: list[tuple[int, ...]] = []
    places: list[int] = []
    sources: list[tuple[Any, ...]] = []
    before = axis = 0
    for place, (entry, argument) in enumerate(entries):
        if entry is None:
            kept.append(1)
        elif entry is Ellipsis:
            for extent in shape[axis : axis + len(shape) - consumed]:
                sources.append((len(kept), 0, 1))
                kept.append(extent)
                axis += 1
        elif isinstance(entry, slice):
            start, stop, step = _bounds(primitive, entry, shape[axis])
            sources.append((len(kept), start, step))
            kept.append(_length(start, stop, step))
            axis += 1
        else:
            before, count = len(kept), _axes(entry)
            extents = _extent(primitive, entry, shape, axis)
            sources += [(None, argument, entry, extents, i, shape[axis]) for i in range(count)]
            parts.append(extents)
            places.append(place)
            axis += count
    try:
        together = np.broadcast_shapes(*parts) if len(parts) > 1 else sum(parts, ())
    except ValueError:
        raise IndexError(
            f"{primitive.name}: index arrays of the shapes {' and '.join(map(str, parts))} cannot "
            "be broadcast together"
        ) from None
    apart = bool(places) and places[-1] - places[0] >= len(places)
    before, width = 0 if apart else before, len(together)
    return Selected((*kept[:before], *together, *kept[before:]), sources, before, width, apart)


def _filled(key: Key, indices: Row, first: int) -> list[tuple[Any, int | None]]:
    """The template with its arrays in their places, and which arguments these are.

    An array may be the stand-in of a Python integer that is not known, a number of its own.
    """
    if not indices:
        return [(entry, None) for entry in key]
    remaining = enumerate([Abstract.of(x) if type(x) is int else x for x in indices], first)
    filled: list[tuple[Any, int | None]] = []
    for entry in key:
        if isinstance(entry, str) and entry == ARRAY:
            argument, array = next(remaining)
            filled.append((array, argument))
        else:
            filled.append((entry, None))
    return filled


def _axes(entry: Any) -> int:
    """How many axes an entry of an index stands for, an ellipsis apart."""
    if entry is None or entry is Ellipsis:
        return 0
    if is_plain(entry, slice | int):
        return 1
    return len(shape_of(entry)) if dtype_of(entry).kind == "b" else 1


def _bounds(primitive: Any, entry: slice, extent: int) -> tuple[int, int, int]:
    """Start, stop and step of a slice of so many elements."""
    if any(isinstance(x, Tracer | Abstract) for x in (entry.start, entry.stop, entry.step)):
        raise DataDependenceError(
            f"{primitive.name}: a bound of a slice is not known while the function is recorded, "
            "and with it the shape of what it selects; where the length n is known, index with "
            "positions: x[start + np.arange(n)]"
        )
    numbers = entry.start, entry.stop, entry.step, extent
    if any(isinstance(x, int) and type(x) is not int for x in numbers):
        return _counted(entry, extent)
    return entry.indices(extent)


def _counted(entry: slice, extent: int) -> tuple[int, int, int]:
    """The same, of integers of a class of their own, which say what is computed with them."""
    step = 1 if entry.step is None else entry.step
    if step == 0:
        raise ValueError("slice step cannot be zero")
    low, high = (0, extent) if step > 0 else (-1, extent - 1)

    def place(x: int | None, default: int) -> int:
        return default if x is None else min(max(x + extent if x < 0 else x, low), high)

    first, last = (low, high) if step > 0 else (high, low)
    return place(entry.start, first), place(entry.stop, last), step


def _length(start: int, stop: int, step: int) -> int:
    """How many integers there are from `start` on, each so far from the next one."""
    if step > 0:
        return (stop - start - 1) // step + 1 if start < stop else 0
    return (start - stop - 1) // -step + 1 if stop < start else 0


def _extent(primitive: Any, entry: Any, shape: Extents, axis: int) -> Extents:
    """The shape of what an integer, or an index array, contributes."""
    if is_plain(entry, int):
        if not -shape[axis] <= entry < shape[axis]:
            raise IndexError(
                f"{primitive.name}: index {entry} is out of bounds for axis {axis} of an array of "
                f"shape {shape}"
            )
        return ()
    if dtype_of(entry).kind != "b":
        return shape_of(entry)
    if not is_plain(entry, np.ndarray | np.generic):
        raise DataDependenceError(
            f"{primitive.name}: the index is a boolean array of shape {shape_of(entry)} whose "
            "values are not known while the function is recorded, and with them the shape of what "
            "it selects; use np.where(mask, x, 0) to read, and np.where(mask, v, x) to write"
        )
    if entry.shape != shape[axis : axis + entry.ndim]:
        raise IndexError(
            f"{primitive.name}: the boolean index of shape {entry.shape} does not match the axes "
            f"from {axis} of an array of shape {shape}"
        )
    return (int(np.count_nonzero(entry)),)


def require_fit(primitive: Any, given: Extents, shape: Extents, key: Key, indices: Row) -> None:
    """Raise an error unless a value of shape `given` can be assigned to what is selected."""
    places = selection(primitive, shape, key, indices).shape
    extents = given[max(len(given) - len(places), 0) :]
    fits = all(a in (1, b) for a, b in zip(extents[::-1], places[::-1], strict=False))
    if not fits or any(extent != 1 for extent in given[: len(given) - len(extents)]):
        raise ArgumentValueError(
            f"{primitive.name}: a value of shape {given} cannot be broadcast to the shape {places} "
            "that the index selects"
        )


# -- with a mapped axis ---------------------------------------------------------------------------


class Plan:
    """The index of a batch that does what an index does to each example.

    With a mapped axis in front of the array, or of the index arrays, the axes of the result can
    come out in another order than those of the examples.

    Attributes
    ----------
    key, arrays : tuple, list of array
    rank : int
        Number of axes that indexing an example results in.
    source, destination : tuple of int
        Axes to move in the result; both empty if they come out in order.
    """

    __slots__ = ("arrays", "destination", "key", "rank", "source")

    def __init__(
        self, primitive: Any, shape: Extents, key: Key, indices: Row, mapped: Marks, size: int
    ) -> None:
        examples = [*indices]
        for place, x in enumerate(indices):
            if mapped[place]:
                examples[place] = Abstract(shape_of(x)[1:], dtype_of(x))
                if dtype_of(x).kind == "b":
                    raise DataDependenceError(
                        "vmap: indexing with a mapped boolean array has a result of a different "
                        "shape for each example; use np.where(mask, x, 0) instead"
                    )
        found = selection(primitive, shape, key, examples)
        before, width, self.rank = found.before, found.width, len(found.shape)
        self.source: Extents = ()
        self.destination: Extents = ()
        if any(mapped):
            self.key = (ARRAY, *key)
            each = np.arange(size).reshape(size, *(1,) * width)
            rows = zip(indices, mapped, strict=True)
            self.arrays = [each, *(stretch(x, width) if one else x for x, one in rows)]
            if before:
                self.source = tuple(range(1, 1 + width))
                self.destination = tuple(range(1 + before, 1 + before + width))
        else:
            self.key, self.arrays = (slice(None), *key), [*indices]
            if found.apart and width:
                self.source, self.destination = (width,), (0,)

    def ordered(self, result: Any) -> Any:
        """The result of the batch's index with the axes of the examples' results."""
        return np.moveaxis(result, self.source, self.destination) if self.source else result

    def disordered(self, value: Any, *, mapped: bool) -> Any:
        """A value that is assigned to the examples' index, as the batch's index takes it."""
        if mapped:
            value = stretch(value, self.rank)
        else:
            shape = shape_of(value)
            value = np.reshape(value, (1,) * (self.rank + 1 - len(shape)) + shape)
        return np.moveaxis(value, self.destination, self.source) if self.source else value
