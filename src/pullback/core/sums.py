"""Sums over an axis where NumPy's reductions are slow: those of many short rows.

NumPy starts an inner loop for each row, which costs as much as summing a hundred numbers. What is
here has the same bits: it adds in the same order.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["summed", "summed_between"]

_MANY = 512
"""With fewer elements NumPy's own reduction is as fast."""

_SHORT = {"f": 7, "d": 7, "F": 3, "D": 3}
"""Up to which length NumPy adds the numbers of a row one after the other."""

_FEW = 64
"""Up to which number of columns einsum is faster."""


_START: Any = np.add.reduce(np.full((2, 2), -0.0), axis=-1)[0]
"""The zero that NumPy adds the numbers of a row to."""


def summed(x: Any, axis: Any, keepdims: Any) -> Any:
    """``np.add.reduce``, column by column where the last axis is summed and short."""
    if type(x) is np.ndarray and x.size > _MANY and (axis == -1 or axis == x.ndim - 1):
        length = x.shape[-1]
        if 2 <= length <= _SHORT.get(x.dtype.char, 0) and x.flags.c_contiguous:
            out = x[..., 0] + x[..., 1]
            for column in range(2, length):
                out += x[..., column]
            out += _START
            return out[..., None] if keepdims else out
    return np.add.reduce(x, axis=axis, keepdims=keepdims)


def summed_between(x: Any, axis: int) -> Any:
    """The sum over one axis, which is kept with extent 1; nothing warns of an overflow."""
    if type(x) is np.ndarray and x.size > _MANY and x.flags.c_contiguous:
        shape, short = x.shape, _SHORT.get(x.dtype.char)
        if axis == x.ndim - 1:
            return summed(x, axis, True)
        columns = math.prod(shape[axis + 1 :])
        if short and columns <= _FEW:
            flat = x.reshape(-1, shape[axis], columns)
            return np.einsum("ijk->ik", flat).reshape(*shape[:axis], 1, *shape[axis + 1 :])
    return np.add.reduce(x, axis=axis, keepdims=True)
