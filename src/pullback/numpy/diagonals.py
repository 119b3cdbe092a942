"""NumPy's diagonals, traces and triangles of matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from pullback.core.shapes import dtype_of, shape_of
from pullback.errors import ArgumentValueError
from pullback.numpy.conversion import convert
from pullback.numpy.operands import of_rank, operand
from pullback.numpy.registration import implements
from pullback.numpy.views import view_of
from pullback.rules import reductions, shaping

__all__ = ["diag", "diagflat", "diagonal", "trace", "tril", "triu"]


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


@implements(np.linalg.diagonal)
def linalg_diagonal(x: Any, /, *, offset: int = 0) -> Any:
    return diagonal(x, offset, -2, -1)


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
    a = operand(a)
    if dtype is not None:
        a = convert(a, np.dtype(dtype))
    return reductions.sum(diagonal(a, offset, axis1, axis2), axis=-1)


@implements(np.linalg.trace)
def linalg_trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    return trace(x, offset, -2, -1, dtype)


@implements(np.tril)
def tril(m: Any, k: int = 0) -> Any:
    return _triangle(m, lambda rows, columns: np.tri(rows, columns, k, dtype=bool))


@implements(np.triu)
def triu(m: Any, k: int = 0) -> Any:
    return _triangle(m, lambda rows, columns: ~np.tri(rows, columns, k - 1, dtype=bool))


def _triangle(m: Any, mask: Any) -> Any:
    """`m` where the mask is true, over its last two axes, and 0 elsewhere."""
    m = operand(m)
    shape = shape_of(m)
    if len(shape) == 1:
        shape *= 2
    return np.where(mask(*shape[-2:]), m, dtype_of(m).type(0))


# -- indices of the parts of a matrix -------------------------------------------------------------


def _serve_indices(function: Callable[..., Any]) -> None:
    """Serve a function of an array whose result depends on the array's shape alone."""

    @implements(function)
    def indices(arr: Any, *offset: Any, **named: Any) -> tuple[Any, ...]:
        places: tuple[Any, ...] = function(np.empty(shape_of(operand(arr)), bool), *offset, **named)
        return places


for _function in (np.tril_indices_from, np.triu_indices_from, np.diag_indices_from):
    _serve_indices(_function)
