"""Reductions over an axis where NumPy's are slow, those of many short rows, and broadcasts of such.

NumPy starts an inner loop for each row, which costs as much as summing a hundred numbers. What is
here has the same bits: it adds in the same order, and of a maximum or a count there is only one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["broadcast_together", "counted", "highest", "summed", "summed_between"]

_MANY = 512
"""With fewer elements NumPy's own reduction is as fast."""

_SHORT = {"f": 7, "d": 7, "F": 3, "D": 3}
"""Up to which length NumPy adds the numbers of a row one after the other."""

_REAL, _BOOLEAN = {"f": 16, "d": 16}, {"?": 8}
"""Up to which length of a row of numbers, or of booleans, NumPy is slower than column by column."""

_FEW = 64
"""Up to which number of columns einsum is faster."""


_BROADCAST = 2048, 4
"""From how many elements, and up to which length of a row, NumPy broadcasts slower likewise."""

_START: Any = np.add.reduce(np.full((2, 2), -0.0), axis=-1)[0]
"""The zero that NumPy adds the numbers of a row to."""


def _has_short_rows(x: Any, axis: Any, kinds: dict[str, int]) -> bool:
    """Whether an array has many rows of less than so many elements, and these are reduced."""
    return (
        type(x) is np.ndarray
        and x.size > _MANY
        and (axis == -1 or axis == x.ndim - 1)
        and 2 <= x.shape[-1] <= kinds.get(x.dtype.char, 0)
        and x.flags.c_contiguous
    )


def summed(x: Any, axis: Any, keepdims: Any) -> Any:
    """``np.add.reduce``, column by column where the last axis is summed and short."""
    if _has_short_rows(x, axis, _SHORT):
        out = x[..., 0] + x[..., 1]
        for column in range(2, x.shape[-1]):
            out += x[..., column]
        out += _START
        return out[..., None] if keepdims else out
    return np.add.reduce(x, axis=axis, keepdims=keepdims)


def highest(x: Any, axis: Any) -> Any:
    """The maximum, −∞ of no elements; the axes are kept with extent 1."""
    if _has_short_rows(x, axis, _REAL):
        out = np.maximum(x[..., 0], x[..., 1])
        for column in range(2, x.shape[-1]):
            np.maximum(out, x[..., column], out=out)
        return out[..., None]
    return np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf)


def counted(mask: Any, axis: Any, dtype: Any) -> Any:
    """For how many elements a mask is true, in a floating dtype; the axes are kept likewise."""
    if _has_short_rows(mask, axis, _BOOLEAN):
        out = mask[..., 0].astype(dtype)
        for column in range(1, mask.shape[-1]):
            out += mask[..., column]
        return out[..., None]
    return np.add.reduce(mask, axis=axis, keepdims=True, dtype=np.intp).astype(dtype)


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


def broadcast_together(
    ufunc: Any,
    evaluate: Callable[[Any, Any], Any],
    x: np.ndarray[Any, Any],
    y: np.ndarray[Any, Any],
) -> Any:
    """``evaluate(x, y)`` of two arrays, column by column where the last axis is short and NumPy
    broadcasts one of them to the other, or has broadcast the second along that axis.

    That is so of the differences of many points, ``x[:, None] - x``, and of sums of their squares.
    """
    least, most = _BROADCAST
    if (
        x.ndim > 2 < y.ndim
        and 2 <= x.shape[-1] == y.shape[-1] <= most
        and x.dtype is y.dtype
        and x.dtype.char in "fd"
        and type(ufunc) is np.ufunc
        and ufunc.signature is None
        and x.flags.c_contiguous
    ):
        if x.shape == y.shape:
            shape, slow = x.shape, not y.strides[-1]
        else:
            shape = np.broadcast_shapes(x.shape, y.shape)
            slow = x.shape[-2] != y.shape[-2] and y.flags.c_contiguous
        if slow and math.prod(shape) >= least:
            out = np.empty(shape, x.dtype)
            for column in range(shape[-1]):
                ufunc(x[..., column], y[..., column], out=out[..., column])
            return out
    return evaluate(x, y)
