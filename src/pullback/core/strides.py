"""How arrays lie in memory: their strides, without their elements."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

__all__ = [
    "Lying",
    "copied",
    "corner_of",
    "look",
    "lying",
    "strides_in",
    "strides_like",
    "strides_of_part",
    "strides_of_whole",
]


class Lying:
    """How an array lies in memory, by NumPy's names, without its elements: in C order by default.

    A primitive that looks into memory can be applied to it: the result tells what NumPy makes a
    view, and what a copy.
    """

    __slots__ = ("_base", "dtype", "shape", "strides")

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        strides: tuple[int, ...] | None = None,
        base: Lying | None = None,
    ) -> None:
        self.shape = shape
        self.dtype = dtype
        self.strides = strides_in(shape, dtype.itemsize) if strides is None else strides
        self._base = base

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def flags(self) -> Lying:
        """What NumPy says of an array's memory is said here itself, when it is asked for."""
        return self

    @property
    def c_contiguous(self) -> bool:
        return _without_gaps(self.shape[::-1], self.strides[::-1], self.dtype.itemsize)

    @property
    def f_contiguous(self) -> bool:
        return _without_gaps(self.shape, self.strides, self.dtype.itemsize)

    @property
    def fnc(self) -> bool:
        return self.f_contiguous and not self.c_contiguous

    @property
    def forc(self) -> bool:
        return self.f_contiguous or self.c_contiguous

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Lying:
        """A part, for an index of integers, slices and an ellipsis."""
        entries = key if type(key) is tuple else (key,)
        return look(self, lambda x: x[entries if ... in entries else (*entries, ...)])

    def transpose(self, axes: Sequence[int]) -> Lying:
        return look(self, lambda x: x.transpose(axes))

    @property
    def owner(self) -> Lying:
        """Whose memory this is."""
        return self if self._base is None else self._base

    def empty(self) -> Any:
        """An array that lies so, whose elements mean nothing."""
        return lying(self.shape, self.dtype, self.strides)

    def _take(self, primitive: Any, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """How the value of a primitive lies, for `bind`."""
        (found,) = primitive.structure.layouts(args, params)
        return found


def _without_gaps(shape: tuple[int, ...], strides: tuple[int, ...], step: int) -> bool:
    """Whether an array has no gaps, its innermost axis being the first."""
    for extent, stride in zip(shape, strides, strict=True):
        if stride != step and extent != 1:
            return 0 in shape
        step *= extent
    return True


_ROOM = np.empty(1 << 16, np.uint8)
"""Memory for the elements of small arrays, of which NumPy makes one in a tenth of the time."""

_ADDRESS = _ROOM.__array_interface__["data"]


def look(memory: Lying, view: Callable[[Any], Any]) -> Lying:
    """How the view ``view(x)`` lies, which must not read an element of `x`: there are none."""
    shape, strides = memory.shape, memory.strides
    start, room = 0, memory.dtype.itemsize
    for extent, stride in zip(shape, strides, strict=True):
        if stride < 0 and extent:
            start -= (extent - 1) * stride
        room += abs((extent - 1) * stride)
    if room <= _ROOM.size:
        x = np.ndarray(shape, memory.dtype, _ROOM, start, strides)
    else:
        interface = {
            "version": 3,
            "shape": shape,
            "strides": strides,
            "typestr": memory.dtype.str,
            "data": _ADDRESS,
        }
        x = np.asarray(SimpleNamespace(__array_interface__=interface))
    seen = view(x)
    return Lying(seen.shape, seen.dtype, seen.strides, memory.owner)


def strides_in(shape: Sequence[int], itemsize: int, order: str = "C") -> tuple[int, ...]:
    """The strides of a new array in the order "C" or "F"."""
    strides, step = [], itemsize
    for extent in shape if order == "F" else reversed(shape):
        strides.append(step)
        step *= max(extent, 1)
    return tuple(strides if order == "F" else reversed(strides))


def strides_like(memory: Any, dtype: np.dtype[Any]) -> tuple[int, ...]:
    """The strides of ``empty_like``: of a new array that NumPy lays out as it finds one."""
    whole = strides_of_whole(np.empty_like(corner_of(memory), dtype), memory.shape)
    assert whole is not None, "a new array has no gaps"
    return whole


def corner_of(memory: Any) -> Any:
    """An array of zeros that lies as the first two places along each axis of an array do."""
    small = tuple([min(extent, 2) for extent in memory.shape])
    itemsize = memory.dtype.itemsize
    return lying(
        small, memory.dtype, strides_of_part(memory.shape, memory.strides, itemsize, small)
    )


def strides_of_whole(corner: Any, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """The strides of an array without gaps of which there is a corner; `None` if that has gaps."""
    small, itemsize = corner.strides, corner.dtype.itemsize
    if 0 in shape:
        return strides_in(shape, itemsize)
    # Along an axis without extent the stride means nothing.
    inwards = sorted(
        range(len(shape)), key=lambda axis: (corner.shape[axis] > 1, -abs(small[axis]))
    )
    strides = [0] * len(shape)
    step = few = itemsize
    for axis in reversed(inwards):
        if corner.shape[axis] > 1 and abs(small[axis]) != few:
            return None
        strides[axis] = -step if small[axis] < 0 and corner.shape[axis] > 1 else step
        few *= max(corner.shape[axis], 1)
        step *= max(shape[axis], 1)
    return tuple(strides)


def lying(shape: tuple[int, ...], dtype: np.dtype[Any], strides: Sequence[int]) -> Any:
    """An array of zeros that lies in memory with these strides, which may overlap or be negative.

    Its pages are not touched before somebody reads them.
    """
    if not math.prod(shape):
        return np.empty(shape, dtype)
    ends = [(extent - 1) * stride for extent, stride in zip(shape, strides, strict=True)]
    room = np.zeros(sum(map(abs, ends)) + dtype.itemsize, np.uint8)
    start = -sum(end for end in ends if end < 0)
    return np.ndarray(shape, dtype, room, start, strides)


def copied(x: Any) -> Any:
    """A copy of an array of which NumPy makes views and copies as it does of `x`.

    Where elements are repeated, so they are in the copy, and axes that go backwards still do. Gaps
    are kept, but short: that there are some decides on what a reshape is.
    """
    if x.flags.forc:
        return x.copy(order="K")
    out = lying(x.shape, x.dtype, strides_of_part(x.shape, x.strides, x.itemsize, x.shape))
    out[...] = x
    return out


def strides_of_part(
    shape: Sequence[int], strides: Sequence[int], itemsize: int, part: Sequence[int]
) -> list[int]:
    """Strides for the shape of a part of an array, with gaps where the array has some, but short.

    Axes with the same stride, as those of windows, have the same one again. If elements of the
    array overlap in another way the strides are as they are.
    """
    out = list(strides)
    step, room = itemsize, itemsize  # the stride without a gap, in the array and in the part
    last = width = 0
    axes = (axis for axis, extent in enumerate(shape) if extent > 1 and strides[axis])
    for axis in sorted(axes, key=lambda axis: (abs(strides[axis]), -axis)):
        stride = abs(strides[axis])
        if stride == last:
            step, room = step + stride * (shape[axis] - 1), room + width * (part[axis] - 1)
        elif stride < step:
            return list(strides)  # or are interleaved
        else:
            width = room if stride == step else room + itemsize
            step, room, last = stride * shape[axis], width * part[axis], stride
        out[axis] = width if strides[axis] > 0 else -width
    return out
