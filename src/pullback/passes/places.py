"""Places: what subscripts name.

Two subscripts of integers and slices name the same elements, or have none in common, or neither of
these is known. Of subscripts with integers that are computed it is known only that they name the
same elements if the integers are the same variables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pullback.core.structure.template import selection
from pullback.graph.program import Atom
from pullback.graph.variable import Variable
from pullback.rules.indexing import ARRAY, index

__all__ = [
    "Computed", "Key", "Place", "Region", "are_apart", "is_whole", "key_of", "place_of", "region",
    "with_numbers",
]  # fmt: skip

Key = tuple[Any, ...]
Region = tuple[tuple[bool, range], ...]
"""For each axis whether it stays an axis, and the positions that are named along it."""


@dataclass(frozen=True)
class Computed:
    """What a subscript with computed integers names.

    Attributes
    ----------
    key : tuple
    indices : tuple of int
        The identities of the variables of these integers.
    """

    key: Key
    indices: tuple[int, ...]


Place = Region | Computed


def place_of(key: Key, indices: Sequence[Atom], shape: tuple[int, ...]) -> Place | None:
    """What a subscript names of an array of this shape; `None` if that is not known."""
    if not indices:
        return region(key, shape)
    for x in indices:
        if type(x) is not Variable or x.shape or x.dtype.kind not in "iu":
            return None
    return Computed(key, tuple(map(id, indices)))


def region(key: Key, shape: tuple[int, ...]) -> Region | None:
    """What a subscript without index arrays and new axes names, or `None`."""
    if any(type(entry) not in (int, slice, type(Ellipsis)) for entry in key):
        return None
    found = selection(index, shape, key, ())
    named: list[tuple[bool, range]] = []
    for place in found.indices:
        if not place.steps:
            named.append((False, range(place.start, place.start + 1)))
        for axis, step in place.steps:
            stop = place.start + step * found.shape[axis]
            named.append((True, range(place.start, stop, step)))
    return tuple(named)


def key_of(named: Region, shape: tuple[int, ...]) -> Key:
    """The one spelling of a subscript that names a region."""
    key = [
        _slice(positions, extent) if stays else positions[0]
        for (stays, positions), extent in zip(named, shape, strict=True)
    ]
    while key and key[-1] == slice(None):
        key.pop()
    return tuple(key)


def _slice(positions: range, extent: int) -> slice:
    """A slice that names these positions of so many, as short as it can be."""
    first, last, step = positions.start, positions.stop, positions.step
    if not positions:
        return slice(None, 0)
    if step > 0:
        start, stop = first or None, None if last >= extent else last
    else:
        start, stop = None if first >= extent - 1 else first, None if last < 0 else last
    return slice(start, stop, None if step == 1 else step)


def is_whole(named: Place, shape: tuple[int, ...]) -> bool:
    """Whether all elements are named, in order."""
    return not isinstance(named, Computed) and all(
        stays and positions == range(extent)
        for (stays, positions), extent in zip(named, shape, strict=True)
    )


def are_apart(one: Place, other: Place) -> bool:
    """Whether two subscripts are known to have no element in common."""
    if isinstance(one, Computed) or isinstance(other, Computed):
        return False
    return any(_apart(a, b) for (_, a), (_, b) in zip(one, other, strict=True))


def _apart(a: range, b: range) -> bool:
    if not a or not b:
        return True
    if min(a[0], a[-1]) > max(b[0], b[-1]) or min(b[0], b[-1]) > max(a[0], a[-1]):
        return True
    if len(a) == 1:
        return a[0] not in b
    return len(b) == 1 and b[0] not in a


def with_numbers(
    key: Key, indices: Sequence[Atom], shape: tuple[int, ...]
) -> tuple[Key, list[Atom]] | None:
    """A subscript with the indices that are numbers in its template, and the other indices.

    `None` if none of them is a number, or one is out of bounds, which is to fail later.
    """
    if not any(map(_is_integer, indices)):
        return None
    entries: list[Any] = []
    left: list[Atom] = []
    remaining = iter(indices)
    axis = 0
    consumed = sum(_axes(x) for x in indices)
    consumed += sum(1 for entry in key if isinstance(entry, int | slice))
    for entry in key:
        if isinstance(entry, str) and entry == ARRAY:
            x = next(remaining)
            if _is_integer(x):
                entry = int(x)
                if not -shape[axis] <= entry < shape[axis]:
                    return None
            else:
                left.append(x)
                axis += _axes(x) - 1
        if entry is Ellipsis:
            axis += len(shape) - consumed
        elif entry is not None:
            axis += 1
        entries.append(entry)
    return tuple(entries), left


def _is_integer(x: Atom) -> bool:
    return type(x) is int or isinstance(x, np.integer)


def _axes(x: Atom) -> int:
    """How many axes an index array stands for."""
    return x.ndim if type(x) is Variable and x.dtype.kind == "b" else 1
