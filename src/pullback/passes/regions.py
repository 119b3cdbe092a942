"""Regions: what subscripts of integers and slices name.

Two of them name the same elements, or have none in common, or neither of these is known.
"""

from __future__ import annotations

from typing import Any

__all__ = ["Key", "Region", "are_apart", "is_whole", "key_of", "region"]

Key = tuple[Any, ...]
Region = tuple[tuple[bool, range], ...]
"""For each axis whether it stays an axis, and the positions that are named along it."""


def region(key: Key, shape: tuple[int, ...]) -> Region | None:
    """What a subscript without index arrays and new axes names, or `None`."""
    named = []
    axis = 0
    for entry in key:
        if entry is Ellipsis:
            skipped = len(shape) - (len(key) - 1)
            named += [(True, range(extent)) for extent in shape[axis : axis + skipped]]
            axis += skipped
        elif isinstance(entry, slice):
            named.append((True, range(*entry.indices(shape[axis]))))
            axis += 1
        elif type(entry) is int:
            place = entry % shape[axis]
            named.append((False, range(place, place + 1)))
            axis += 1
        else:
            return None
    named += [(True, range(extent)) for extent in shape[axis:]]
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


def is_whole(named: Region, shape: tuple[int, ...]) -> bool:
    """Whether all elements are named, in order."""
    return all(
        stays and positions == range(extent)
        for (stays, positions), extent in zip(named, shape, strict=True)
    )


def are_apart(one: Region, other: Region) -> bool:
    """Whether two subscripts are known to have no element in common."""
    return any(_apart(a, b) for (_, a), (_, b) in zip(one, other, strict=True))


def _apart(a: range, b: range) -> bool:
    if not a or not b:
        return True
    if min(a[0], a[-1]) > max(b[0], b[-1]) or min(b[0], b[-1]) > max(a[0], a[-1]):
        return True
    if len(a) == 1:
        return a[0] not in b
    return len(b) == 1 and b[0] not in a
