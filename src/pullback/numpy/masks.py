"""Masks in subscripts, of which the values are not known, or differ from example to example."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from pullback.core.tracing import Tracer, is_plain, known
from pullback.graph.staging import Staging
from pullback.graph.variable import Variable

__all__ = ["WideMask", "narrowed", "same_mask", "wide_mask"]


def _is_open_mask(key: Any) -> bool:
    """Whether a subscript is one mask that is not known, or differs from example to example."""
    return type(key) is Tracer and key.dtype.kind == "b" and not key._is_constant


class WideMask(NamedTuple):
    """A subscript that selects by a mask, as a mask of a whole array."""

    wide: Any
    free: int
    """The number of axes behind those of the mask."""
    lead: int
    """The number of axes in front of them."""
    mask: Any


def wide_mask(x: Any, key: Any) -> WideMask | None:
    """The mask of a subscript of full slices and one mask that is not known, or one truth for all.

    `None` for other subscripts.
    """
    entries = key if type(key) is tuple else (key,)
    masks = [i for i, x in enumerate(entries) if _is_open_mask(x) or _is_truth(x)]
    place = masks[0] if masks else -1
    others = [each for i, each in enumerate(entries) if i != place]
    if place < 0 or any(type(each) is not slice or each != slice(None) for each in others):
        return None
    mask = entries[place] if type(entries[place]) is Tracer else np.asarray(entries[place])
    end = place + len(mask.shape)
    if mask.shape != x.shape[place:end]:
        raise IndexError(
            f"y[mask] = v: the mask has shape {mask.shape}, wanted {x.shape[place:end]}, the "
            "extents of the array"
        )
    free = len(x.shape) - end
    wide = np.reshape(mask, (1,) * place + mask.shape + (1,) * free)
    return WideMask(wide, free, place, mask)


def _is_truth(x: Any) -> bool:
    return is_plain(x, bool | np.bool_) or (is_plain(x) and not x.shape and x.dtype.kind == "b")


def narrowed(x: Any, key: Any) -> tuple[Any, tuple[Any, ...]] | None:
    """Of ``x[0, 1:, mask]`` the view ``x[0, 1:]`` and ``(:, mask)``, full slices and the mask.

    `None` for subscripts of anything but slices, integers and one mask that is not known, and where
    slices lie between integers and the mask, as NumPy moves the axis of the selected then.
    """
    entries = key if type(key) is tuple else (key,)
    place = next((i for i, each in enumerate(entries) if _is_open_mask(each)), None)
    if place is None:
        return None
    mask = entries[place]
    named = sum(type(each) is slice or _is_integer(each) for each in entries)
    missing = len(x.shape) - len(mask.shape) - named
    more = sum(each is None or each is Ellipsis for each in entries)
    if missing < 0 or named + more + 1 < len(entries):
        return None
    full: list[Any] = []
    for each in (*entries, Ellipsis):
        if each is not Ellipsis:
            full.append(each)
        else:
            full += [slice(None)] * missing
            missing = 0
    place = next(i for i, each in enumerate(full) if each is mask)
    integers = [i for i, each in enumerate(full) if _is_integer(each)]
    if integers and max(*integers, place) - min(*integers, place) > len(integers):
        return None
    lead = sum(not _is_integer(each) for each in full[:place])
    full[place : place + 1] = [slice(None)] * len(mask.shape)
    if not all(type(each) is slice and each == slice(None) for each in full):
        x = x[tuple(full)]
    return x, (*[slice(None)] * lead, mask)


def _is_integer(x: Any) -> bool:
    if type(x) is Tracer:
        return x.dtype.kind in "iu" and not x.shape and not x._mutable
    return type(x) is int or is_plain(x, np.integer)


def same_mask(one: Any, other: Any) -> bool:
    """Whether two masks are known to be the same."""
    if one is other:
        return True
    if type(one) is not Tracer or type(other) is not Tracer or one.shape != other.shape:
        return False
    if one._interpreter is not other._interpreter or (one._payload is None) != (
        other._payload is None
    ):
        return False
    if known(one) and known(other):
        if type(one._value) is Tracer or type(other._value) is Tracer:
            return same_mask(one._value, other._value)
        return bool(np.array_equal(one._value, other._value))
    if not isinstance(one._interpreter, Staging):  # of a batch that is recorded
        return same_mask(one._value, other._value)
    return _same(one._value, other._value, one._interpreter)


def _same(one: Any, other: Any, staging: Staging) -> bool:
    """Whether two atoms of a graph that is recorded are the same, or come out of the same."""
    if one is other:
        return True
    if type(one) is not Variable or type(other) is not Variable:
        return type(one) is type(other) and np.ndim(one) == 0 and bool(one == other)
    a, b = staging.source(one), staging.source(other)
    return (
        a is not None
        and b is not None
        and a.primitive is b.primitive
        and a.params == b.params
        and len(a.inputs) == len(b.inputs)
        and a.outputs.index(one) == b.outputs.index(other)
        and all(_same(x, y, staging) for x, y in zip(a.inputs, b.inputs, strict=True))
    )
