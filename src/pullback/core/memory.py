"""How arrays lie in memory: what NumPy makes a view and what a copy, and who may write there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.tracing import Tracer, is_plain, strip

__all__ = [
    "copied",
    "in_memory",
    "is_read_only",
    "lying",
    "rely",
    "snapshot",
    "strides_of_part",
    "with_snapshots",
]


def in_memory(x: Any) -> Any:
    """An array or scalar of the shape and dtype of `x` that lies in memory as NumPy would have it.

    It is what is underneath all levels of tracing; of a batch, one example of it. Its elements mean
    nothing if `x` is mapped, or not known: read none of them. `None` if it is not known how `x`
    lies in memory.
    """
    if type(x) is np.ndarray:
        return x
    array = strip(x)
    if type(array) is np.ndarray and array.shape == x.shape:
        return array
    if isinstance(array, Abstract):
        array = array.memory
        if array is None:
            return None
    shape = shape_of(x)
    lead = len(shape_of(array)) - len(shape)
    if not lead:
        return array
    if 0 in array.shape[:lead]:
        return np.empty(shape, dtype_of(x))
    return array[(0,) * lead + (Ellipsis,)]


def rely(x: Any) -> None:
    """Note that what is computed depends on how `x` lies in memory.

    A graph that is being recorded is right then only for arguments that lie as those do.
    """
    array = strip(x)
    if isinstance(array, Abstract):
        array.rely()


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

    As they are, if elements of the array overlap.
    """
    out = list(strides)
    step, room = itemsize, itemsize  # the stride without a gap, in the array and in the part
    axes = (axis for axis, extent in enumerate(shape) if extent > 1 and strides[axis])
    for axis in sorted(axes, key=lambda axis: (abs(strides[axis]), -axis)):
        stride = abs(strides[axis])
        if stride < step:
            return list(strides)  # or are interleaved
        width = room if stride == step else room + itemsize
        out[axis] = width if strides[axis] > 0 else -width
        step, room = stride * shape[axis], width * part[axis]
    return out


def snapshot(x: Any) -> Any:
    """`x` as it is now, safe from later writes: what a rule may keep of a constant.

    Read-only arrays are kept as they are; make large constants read-only to save the copy.
    """
    if type(x) is Tracer:
        return x._snapshot()
    if is_plain(x) and not is_read_only(x):
        return copied(x)  # the layout decides what NumPy makes a view
    return x


def is_read_only(array: Any) -> bool:
    """Whether nobody can write to an array: a view is as writable as what it looks into."""
    while isinstance(array, np.ndarray):
        if array.flags.writeable:
            return False
        array = array.base
    return array is None


def with_snapshots(values: Sequence[Any], wanted: Sequence[bool]) -> list[Any]:
    """The arguments of a primitive, as its linear maps may keep them.

    Those that are differentiated are safe already, being values of a recorded program.
    """
    return [x if wants else snapshot(x) for x, wants in zip(values, wanted, strict=True)]
