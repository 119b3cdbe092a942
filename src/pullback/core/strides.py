"""Arrays that lie in memory as others do: with these strides, or with the same gaps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["copied", "lying", "strides_of_part"]


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
