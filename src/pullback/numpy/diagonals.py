"""NumPy's diagonals, traces and triangles of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from pullback.core.shapes import shape_of
from pullback.errors import ArgumentValueError
from pullback.numpy.conversion import cast
from pullback.numpy.operands import of_rank, operand
from pullback.numpy.registration import implements
from pullback.numpy.views import view_of
from pullback.rules import reductions, shaping

__all__: list[str] = []


@implements(np.diagonal)
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """A read-only view, as in NumPy."""
    a = of_rank(2, a, "np.diagonal")
    rank = len(shape_of(a))
    first = normalize_axis_index(axis1, rank, "axis1")
    second = normalize_axis_index(axis2, rank, "axis2")
    if first == second:
        raise ArgumentValueError(
            f"np.diagonal: got axis1={axis1} and axis2={axis2}, which are the same axis"
        )
    order = (*(i for i in range(rank) if i not in (first, second)), first, second)

    def read(base: Any) -> Any:
        if order != tuple(range(rank)):
            base = shaping.transpose(base, axes=order)
        return shaping.diagonal(base, offset=offset)

    return view_of(a, read)


@implements(np.diag)
def diag(v: Any, k: int = 0) -> Any:
    v = operand(v)
    shape = shape_of(v)
    if len(shape) == 2:
        return diagonal(v, k)
    if len(shape) != 1:
        raise ArgumentValueError(
            f"np.diag: got an array of shape {shape}; it wants a vector or a matrix"
        )
    extent = shape[0] + abs(k)
    return shaping.embed_diagonal(v, shape=(extent, extent), offset=k)


@implements(np.diagflat)
def diagflat(v: Any, k: int = 0) -> Any:
    v = operand(v)
    return diag(shaping.reshape(v, shape=(int(np.prod(shape_of(v))),)), k)


@implements(np.trace)
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    a = cast(operand(a), dtype)
    return reductions.sum(diagonal(a, offset, axis1, axis2), axis=-1)
