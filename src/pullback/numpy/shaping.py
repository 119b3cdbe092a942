"""NumPy's rearrangements: reshaping, permuting and stretching the axes of one array.

Where NumPy returns a view, so does each of these: a write to the result reaches the array that it
looks into.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from pullback.core.primitive import bind
from pullback.core.shapes import broadcast_shapes, shape_of
from pullback.core.tracing import is_number
from pullback.errors import ArgumentValueError
from pullback.numpy.operands import operand
from pullback.numpy.registration import implements
from pullback.numpy.views import (
    array_of,
    copy_of,
    definite,
    in_order,
    known_memory,
    may_share,
    view_of,
)
from pullback.rules import shaping

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "broadcast_to",
    "flatten",
    "ravel",
    "reshape",
    "swapaxes",
    "transpose",
]


def _array(a: Any) -> Any:
    """`a` as an array, as NumPy's functions take a Python number; one of NumPy stays what it is."""
    a = operand(a)
    return a if shape_of(a) or not is_number(a) else array_of(a)


def _permuted(a: Any, axes: Sequence[int]) -> Any:
    """The view of the array `a` with its axes in this order."""
    axes = tuple(axes)
    return view_of(
        a,
        lambda base: bind(shaping.transpose, (base,), {"axes": axes}),
        lambda _base, value: shaping.transpose(value, axes=shaping.inverse(axes)),
        always=True,
    )


def _reshaped(a: Any, shape: tuple[int, ...], order: str = "C") -> Any:
    """The array `a` in another `shape`, all extents given; a view where NumPy makes one."""
    a = _array(a)
    old = shape_of(a)
    return view_of(
        a,
        lambda base: bind(shaping.reshape, (base,), {"shape": shape, "order": order}),
        lambda _base, value: shaping.reshape(value, shape=old, order=order),
    )


# -- reshaping ------------------------------------------------------------------------------------


@implements(np.reshape)
def reshape(a: Any, /, shape: Any, order: str = "C", *, copy: bool | None = None) -> Any:
    a = operand(a)
    wanted = _complete(shape, shape_of(a))
    order = definite(order, a)
    if copy is False:
        memory = known_memory(a)
        if not may_share(shaping.reshape(memory, shape=wanted, order=order), memory):
            raise ArgumentValueError(
                f"np.reshape: copy=False, and an array of shape {shape_of(a)} that lies in memory "
                f"as this one does can't have the shape {wanted} without being copied; leave "
                "copy=False out"
            )
    out = _reshaped(a, wanted, order)
    return copy_of(out) if copy else out


def _complete(shape: Any, old: tuple[int, ...]) -> tuple[int, ...]:
    """`shape` as a tuple with its −1, if there is one, worked out."""
    wanted = _extents(shape)
    size = math.prod(old)
    if wanted.count(-1) == 1:
        rest = -math.prod(wanted)
        if rest > 0 and size % rest == 0:
            wanted = tuple(size // rest if extent == -1 else extent for extent in wanted)
    if math.prod(wanted) != size or min(wanted, default=0) < 0:
        raise ArgumentValueError(
            f"np.reshape: cannot reshape an array of shape {old} and size {size} into shape "
            f"{shape}; give a shape with {size} elements, in which one extent may be -1"
        )
    return wanted


def _extents(shape: Any) -> tuple[int, ...]:
    """A shape given as a sequence or as one integer."""
    if type(shape) is int:
        return (shape,)
    try:
        return tuple(map(operator.index, shape))
    except TypeError:
        return (operator.index(shape),)


def _as_in_memory(a: Any) -> Any:
    """`a` with its axes in the order in which NumPy walks through memory."""
    shape = shape_of(a)
    wide = sum(extent > 1 for extent in shape) > 1 and 0 not in shape
    value = known_memory(a) if wide else None
    if value is None:
        return a
    strides = [
        abs(stride) if extent > 1 else 0
        for stride, extent in zip(value.strides, value.shape, strict=True)
    ]
    # NumPy's insertion sort, from the innermost axis outwards; a stride of 0 decides nothing.
    inner: list[int] = []
    for axis in range(len(strides) - 1, -1, -1):
        place = len(inner)
        for j in range(len(inner) - 1, -1, -1):
            if strides[axis] and strides[inner[j]]:
                if strides[inner[j]] <= strides[axis]:
                    break
                place = j
        inner.insert(place, axis)
    axes = inner[::-1]
    return a if axes == sorted(axes) else _permuted(a, tuple(axes))


@implements(np.ravel)
def ravel(a: Any, order: str = "C") -> Any:
    """A contiguous array: of one with gaps, or that is reversed, it is a copy."""
    a = operand(a)
    if order == "K":
        a = _as_in_memory(a)
        order = "C"
    out = _reshaped(a, (math.prod(shape_of(a)),), definite(order, a))
    return in_order(out)


def flatten(a: Any, order: str = "C") -> Any:
    """A flat copy: what ``ndarray.flatten`` returns."""
    return copy_of(ravel(a, order))


@implements(np.expand_dims)
def expand_dims(a: Any, axis: Any) -> Any:
    a = operand(a)
    shape = shape_of(a)
    axes = tuple(axis) if isinstance(axis, tuple | list) else (axis,)
    rank = len(shape) + len(axes)
    places = normalize_axis_tuple(axes, rank)
    extents = iter(shape)
    return _reshaped(a, tuple(1 if i in places else next(extents) for i in range(rank)))


@implements(np.squeeze)
def squeeze(a: Any, axis: Any = None) -> Any:
    a = _array(a)
    shape = shape_of(a)
    if axis is None:
        if 1 not in shape:
            return a
        return _reshaped(a, tuple(extent for extent in shape if extent != 1))
    if not shape and axis in (0, -1):
        return a  # as NumPy has it
    places = normalize_axis_tuple(axis, len(shape))
    for place in places:
        if shape[place] != 1:
            raise ArgumentValueError(
                f"np.squeeze: axis {place} of an array of shape {shape} has extent {shape[place]}; "
                "only axes of extent 1 can be removed"
            )
    return _reshaped(a, tuple(extent for i, extent in enumerate(shape) if i not in places))


def _atleast(rank: int) -> Callable[..., Any]:
    """np.atleast_1d and np.atleast_2d: axes are added in front."""

    def atleast(*arys: Any) -> Any:
        arrays = [operand(a) for a in arys]
        wide = [
            _reshaped(a, (1,) * (rank - len(shape_of(a))) + shape_of(a))
            if len(shape_of(a)) < rank
            else a
            for a in arrays
        ]
        return wide[0] if len(wide) == 1 else tuple(wide)

    return atleast


atleast_1d = implements(np.atleast_1d)(_atleast(1))
atleast_2d = implements(np.atleast_2d)(_atleast(2))


# -- permuting ------------------------------------------------------------------------------------


@implements(np.transpose)
def transpose(a: Any, axes: Any = None) -> Any:
    a = _array(a)
    rank = len(shape_of(a))
    if axes is None:
        return _permuted(a, range(rank)[::-1])
    order = normalize_axis_tuple(axes, rank, "axes")
    if len(order) != rank:
        raise ArgumentValueError(
            f"np.transpose: got axes {axes} for an array of shape {shape_of(a)}; give each "
            f"of its {rank} axes once"
        )
    return _permuted(a, order)


@implements(np.swapaxes)
def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    a = _array(a)
    order = list(range(len(shape_of(a))))
    first = normalize_axis_index(axis1, len(order), "axis1")
    second = normalize_axis_index(axis2, len(order), "axis2")
    order[first], order[second] = order[second], order[first]
    return _permuted(a, order)


@implements(np.moveaxis)
def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    a = _array(a)
    rank = len(shape_of(a))
    sources = normalize_axis_tuple(source, rank, "source")
    destinations = normalize_axis_tuple(destination, rank, "destination")
    if len(sources) != len(destinations):
        raise ArgumentValueError(
            f"np.moveaxis: got {len(sources)} axes in source and {len(destinations)} in "
            "destination; give as many of one as of the other"
        )
    order = [axis for axis in range(rank) if axis not in sources]
    for place, axis in sorted(zip(destinations, sources, strict=True)):
        order.insert(place, axis)
    return _permuted(a, order)


@implements(np.matrix_transpose, np.linalg.matrix_transpose)
def matrix_transpose(x: Any, /) -> Any:
    x = operand(x)
    if len(shape_of(x)) < 2:
        raise ArgumentValueError(
            f"np.matrix_transpose: got an array of shape {shape_of(x)}; it wants at least 2 axes"
        )
    return swapaxes(x, -1, -2)


# -- stretching -----------------------------------------------------------------------------------


@implements(np.broadcast_to)
def broadcast_to(array: Any, shape: Any, subok: bool = False) -> Any:
    wanted = _extents(shape)
    return view_of(operand(array), lambda base: shaping.broadcast_to(base, shape=wanted))


@implements(np.broadcast_arrays)
def broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Any, ...]:
    arrays = [operand(a) for a in args]
    shape = broadcast_shapes(*(shape_of(a) for a in arrays))
    return tuple(array_of(a) if shape_of(a) == shape else broadcast_to(a, shape) for a in arrays)


@implements(np.copy)
def copy(a: Any, order: str = "K", subok: bool = False) -> Any:
    return copy_of(operand(a), order)


@implements(np.meshgrid)
def meshgrid(
    *xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy"
) -> tuple[Any, ...]:
    if indexing not in ("xy", "ij"):
        raise ArgumentValueError(f"np.meshgrid: got indexing={indexing!r}; give 'xy' or 'ij'")
    rank = len(xi)
    grids = []
    for position, x in enumerate(xi):
        place = 1 - position if indexing == "xy" and rank > 1 and position < 2 else position
        grids.append(reshape(x, (1,) * place + (-1,) + (1,) * (rank - place - 1)))
    if not sparse:
        grids = list(broadcast_arrays(*grids))
    return tuple(copy_of(grid, "C") if copy else grid for grid in grids)
