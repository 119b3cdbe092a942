"""Shapes of what an index selects, from its template and the shapes of its index arrays.

Only a boolean array has to be known: the number of its elements that hold is an extent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.core.primitive import Primitive
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.tracing import Tracer, is_plain
from pullback.errors import ArgumentValueError, DataDependenceError
from pullback.rules.batched_indexing import ARRAY

__all__ = ["nonzero", "read", "scattered", "writes", "written"]

Key = tuple[Any, ...]
_BOOL, _INTP = np.dtype(np.bool_), np.dtype(np.intp)


def read(primitive: Primitive, x: Any, *indices: Any, key: Key) -> Abstract:
    """The elements of `x` that an index selects."""
    return Abstract(selected(primitive, shape_of(x), key, indices), dtype_of(x))


def scattered(
    primitive: Primitive, v: Any, *indices: Any, key: Key, shape: tuple[int, ...]
) -> Abstract:
    """An array of `shape`, to whose selected elements `v` is added."""
    _require_fit(primitive, shape_of(v), shape, key, indices)
    return Abstract(tuple(shape), dtype_of(v))


def written(primitive: Primitive, x: Any, v: Any, *indices: Any, key: Key) -> Abstract:
    """`x`, with `v` in its selected elements."""
    _require_fit(primitive, shape_of(v), shape_of(x), key, indices)
    return Abstract(shape_of(x), dtype_of(x))


def writes(primitive: Primitive, *indices: Any, key: Key, shape: tuple[int, ...]) -> Abstract:
    """A truth value for each selected element of an array of `shape`."""
    return Abstract(selected(primitive, shape, key, indices), _BOOL)


def nonzero(primitive: Primitive, x: Any) -> tuple[Abstract, ...]:
    """The positions of the elements that are not zero, of which there are as many as there are."""
    if not is_plain(x, np.ndarray | np.generic):
        raise DataDependenceError(
            f"{primitive.name}: the number of nonzero elements of an array of dtype {dtype_of(x)} "
            f"and shape {shape_of(x)} depends on values that are not known while the function is "
            "recorded; keep all elements and choose between values with np.where(condition, a, b)"
        )
    return (Abstract((int(np.count_nonzero(x)),), _INTP),) * len(shape_of(x))


def selected(
    primitive: Primitive, shape: tuple[int, ...], key: Key, indices: Sequence[Any]
) -> tuple[int, ...]:
    """The shape of ``x[key]`` for an array `x` of this shape.

    Index arrays are broadcast against each other. The axes of what they make stand where the first
    of them stands if they, and integers beside them, stand side by side, and in front otherwise.
    """
    entries = _filled(key, indices)
    consumed = sum(map(_axes, entries))
    if consumed > len(shape):
        raise IndexError(
            f"{primitive.name}: the index has entries for {consumed} axes, and the array of shape "
            f"{shape} has {len(shape)}"
        )
    if not any(entry is Ellipsis for entry in entries):
        entries.append(Ellipsis)
    kept: list[int] = []
    parts: list[tuple[int, ...]] = []
    places: list[int] = []
    before = axis = 0
    for place, entry in enumerate(entries):
        if entry is None:
            kept.append(1)
        elif entry is Ellipsis:
            skipped = len(shape) - consumed
            kept += shape[axis : axis + skipped]
            axis += skipped
        elif isinstance(entry, slice):
            kept.append(_length(primitive, entry, shape[axis]))
            axis += 1
        else:
            before = len(kept)
            parts.append(_extent(primitive, entry, shape, axis))
            places.append(place)
            axis += _axes(entry)
    try:
        together = np.broadcast_shapes(*parts)
    except ValueError:
        raise IndexError(
            f"{primitive.name}: index arrays of the shapes {' and '.join(map(str, parts))} cannot "
            "be broadcast together"
        ) from None
    apart = bool(places) and places[-1] - places[0] >= len(places)
    before = 0 if apart else before
    return (*kept[:before], *together, *kept[before:])


def _filled(key: Key, indices: Sequence[Any]) -> list[Any]:
    """The template with its arrays in their places.

    An array may be the stand-in of a Python integer that is not known, a number of its own.
    """
    remaining = (Abstract.of(x) if type(x) is int else x for x in indices)
    return [next(remaining) if _is_array(entry) else entry for entry in key]


def _is_array(entry: Any) -> bool:
    return isinstance(entry, str) and entry == ARRAY


def _axes(entry: Any) -> int:
    """How many axes an entry of an index stands for, an ellipsis apart."""
    if entry is None or entry is Ellipsis:
        return 0
    if is_plain(entry, slice | int):
        return 1
    return len(shape_of(entry)) if dtype_of(entry).kind == "b" else 1


def _length(primitive: Primitive, entry: slice, extent: int) -> int:
    """How many of `extent` elements a slice selects."""
    bounds = (entry.start, entry.stop, entry.step)
    if any(isinstance(bound, Tracer | Abstract) for bound in bounds):
        raise DataDependenceError(
            f"{primitive.name}: a bound of a slice is not known while the function is recorded, "
            "and with it the shape of what it selects; where the length n is known, index with "
            "positions: x[start + np.arange(n)]"
        )
    return len(range(*entry.indices(extent)))


def _extent(primitive: Primitive, entry: Any, shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
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


def _require_fit(
    primitive: Primitive,
    given: tuple[int, ...],
    shape: tuple[int, ...],
    key: Key,
    indices: Sequence[Any],
) -> None:
    """Raise an error unless a value of shape `given` can be assigned to what is selected."""
    places = selected(primitive, shape, key, indices)
    extents = given[max(len(given) - len(places), 0) :]
    fits = all(a in (1, b) for a, b in zip(extents[::-1], places[::-1], strict=False))
    if not fits or any(extent != 1 for extent in given[: len(given) - len(extents)]):
        raise ArgumentValueError(
            f"{primitive.name}: a value of shape {given} cannot be broadcast to the shape {places} "
            "that the index selects"
        )
