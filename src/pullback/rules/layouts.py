"""How reshaped arrays, and what an index selects, lie in memory: as views, or as copies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.core.memory import in_memory
from pullback.core.primitive import Primitive
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.strides import Lying, corner_of, look, strides_in
from pullback.core.structure.template import selection
from pullback.graph.layout import wherever, widened

__all__ = ["indexed", "reshaped"]


def reshaped(args: Sequence[Any], params: dict[str, Any]) -> list[Any]:
    """A view if the elements are in order already, or else a new array in this order."""
    shape, order = params["shape"], params.get("order", "C")

    def of(x: Lying) -> Lying:
        try:
            return look(x, lambda a: np.reshape(a, shape, order=order, copy=False))
        except ValueError:
            extents = np.reshape(np.broadcast_to(0, x.shape), shape).shape
            return Lying(extents, x.dtype, strides_in(extents, x.dtype.itemsize, order))

    return [wherever(args[0], of)]


def indexed(primitive: Primitive, args: Sequence[Any], params: dict[str, Any]) -> list[Any]:
    """A view if there are no index arrays, or else a new array, of which a corner is made."""
    x, *indices = args
    key = params["key"]
    remaining = iter(indices)
    entries = [_place(next(remaining)) if type(entry) is str else entry for entry in key]
    if all(isinstance(entry, _BASIC) for entry in entries):
        return [wherever(x, lambda x: x[tuple(entries)])]
    shape = selection(primitive, shape_of(x), key, [*map(_known, indices)]).shape

    def of(x: Lying) -> Lying | None:
        through, picks = _apart(entries)
        corner = corner_of(x[tuple(through)])[tuple(picks)]
        layout = widened(corner, Abstract(shape, x.dtype))
        strides = None if layout is True else layout
        return layout and Lying(shape, x.dtype, strides)

    return [wherever(x, of)]


_BASIC = (int, slice, type(None), type(Ellipsis))


def _place(index: Any) -> Any:
    """The first of the places that an index array names; an integer where it is no array."""
    if not shape_of(index) and not isinstance(in_memory(index), np.ndarray):
        return 0
    return index


def _known(index: Any) -> Any:
    """An index array; in place of a mask that is not known, another one."""
    unknown = isinstance(index, Abstract) and index.dtype.kind == "b"
    return np.broadcast_to(np.True_, index.shape) if unknown else index


def _apart(entries: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """An index as one of slices, and one for the corner of what those select."""
    through: list[Any] = []
    picks: list[Any] = []
    for entry in entries:
        if entry is None:
            picks.append(entry)
        elif isinstance(entry, _BASIC):
            through.append(slice(None) if type(entry) is int else entry)
            picks.append(slice(None) if type(entry) is slice else 0 if type(entry) is int else ...)
        elif dtype_of(entry).kind == "b":
            through += [slice(None)] * len(shape_of(entry))
            mask = np.zeros([min(extent, 2) for extent in shape_of(entry)], np.bool_)
            mask.flat[: np.count_nonzero(_known(entry))] = True
            picks.append(mask)
        else:
            through.append(slice(None))
            memory = in_memory(entry)
            small = [min(extent, 2) for extent in shape_of(entry)]
            corner = np.zeros(small, np.intp) if memory is None else corner_of(memory)
            picks.append(corner.astype(np.intp))
    return through, picks
