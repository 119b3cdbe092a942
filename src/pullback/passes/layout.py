"""Layout: the same elements in other shapes, axes, dtypes and memory.

Each of these has one spelling, and two in a row become one, or none. What is repeated is moved
towards the results, past whatever only rearranges it, until something uses it as it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.core.shapes import dtype_of, shape_of
from pullback.graph.program import Atom
from pullback.graph.variable import Variable
from pullback.passes.rewriting import Pass, Rewriting
from pullback.rules.conversion import astype, copy
from pullback.rules.shaping import broadcast_to, reshape, transpose

__all__ = ["narrow_shape", "padded", "reshaped", "simplify_layout"]

simplify_layout = Pass()


def padded(shape: tuple[int, ...], rank: int) -> tuple[int, ...]:
    """A shape with extents 1 in front, as broadcasting adds them."""
    return (1,) * (rank - len(shape)) + shape


def reshaped(rw: Rewriting, x: Atom, shape: tuple[int, ...]) -> Atom:
    """`x` in another shape, itself if it has that shape."""
    return x if shape_of(x) == shape else rw.bind(reshape, x, shape=shape)


# -- memory and dtypes ----------------------------------------------------------------------------


@simplify_layout.rewrites(copy)
def _copy(_rw: Rewriting, _y: Variable, x: Atom, *, order: str) -> Atom:
    """A copy is the value itself: nothing is written to in a graph."""
    return x


@simplify_layout.rewrites(astype)
def _astype(rw: Rewriting, y: Variable, x: Atom, *, dtype: np.dtype[Any]) -> Atom | None:
    """To the same dtype; and past a conversion in between that loses nothing."""
    if type(x) is not Variable:
        return rw.cast(x, y.dtype)
    if x.dtype == dtype:
        return x if x.weak is None else None
    earlier = rw.made_by(x, astype)
    if earlier is not None:
        first = earlier.inputs[0]
        given, between = dtype_of(first), x.dtype
        if given.kind == "b" or (given.kind == between.kind and given.itemsize < between.itemsize):
            return rw.bind(astype, first, dtype=dtype)
    source = rw.source(x)
    return None if source is None else rw.bind(astype, source, dtype=dtype)


# -- shapes ---------------------------------------------------------------------------------------


@simplify_layout.rewrites(reshape)
def _reshape(rw: Rewriting, y: Variable, x: Atom, **params: Any) -> Atom | None:
    """To the same shape; of a reshaped array; of a repeated one; by axes in front."""
    old = shape_of(x)
    if old == y.shape:
        return x
    if y.shape == padded(old, len(y.shape)):
        return rw.bind(broadcast_to, x, shape=y.shape)
    order = _order(old, y.shape, params)
    canonical = _in_order(y.shape, order)
    earlier = rw.made_by(x, reshape)
    if earlier is not None:
        first = earlier.inputs[0]
        orders = {order, _order(shape_of(first), old, earlier.params)} - {None}
        if len(orders) < 2:
            return rw.bind(reshape, first, **_in_order(y.shape, *orders))
    source = rw.source(x)
    if source is not None and order != "F":
        narrow = narrow_shape(padded(shape_of(source), len(old)), old, y.shape)
        if narrow is not None:
            return reshaped(rw, source, narrow) if shape_of(source) else source
    return None if params == canonical else rw.bind(reshape, x, **canonical)


def _order(old: Sequence[int], new: Sequence[int], params: dict[str, Any]) -> str | None:
    """The order in which a reshape reads and places elements; `None` if it does not matter."""
    same = [n for n in old if n != 1] == [n for n in new if n != 1]
    return None if same or 0 in new else params.get("order", "C")


def _in_order(shape: tuple[int, ...], order: str | None = None) -> dict[str, Any]:
    """The parameters of a reshape."""
    return {"shape": shape} if order in (None, "C") else {"shape": shape, "order": order}


def narrow_shape(
    source: Sequence[int], wide: Sequence[int], new: Sequence[int]
) -> tuple[int, ...] | None:
    """The shape in which a source can be repeated to what a repetition of it is reshaped to.

    `None` if the reshaping does more than to add or drop extents 1 to what is not all repeated.
    """
    if math.prod(source) == 1:
        return (1,) * len(new)
    extents = [each for each, full in zip(source, wide, strict=True) if full != 1]
    if [full for full in wide if full != 1] != [full for full in new if full != 1]:
        return None
    remaining = iter(extents)
    return tuple(1 if full == 1 else next(remaining) for full in new)


@simplify_layout.rewrites(broadcast_to)
def _broadcast_to(rw: Rewriting, y: Variable, x: Atom, *, shape: Any) -> Atom | None:
    """To the same shape; of a repeated array; of a number, which has the dtype of the result."""
    if shape_of(x) == y.shape:
        return x
    if type(x) is not Variable:
        number = rw.cast(x, y.dtype)
        return None if number is x else rw.bind(broadcast_to, number, shape=y.shape)
    if x.weak is not None:
        return rw.bind(astype, x, dtype=y.dtype)
    source = rw.source(x)
    return source if source is not None else None


# -- axes -----------------------------------------------------------------------------------------


@simplify_layout.rewrites(transpose)
def _transpose(rw: Rewriting, y: Variable, x: Atom, *, axes: Any = None) -> Atom | None:
    """Of axes that stay in order; of a transposed array; of a repeated one."""
    rank = len(y.shape)
    order = tuple(range(rank))[::-1] if axes is None else tuple(axis % rank for axis in axes)
    old = shape_of(x)
    moving = [axis for axis in order if old[axis] != 1]
    if moving == sorted(moving):
        return x if old == y.shape else rw.bind(reshape, x, shape=y.shape)
    earlier = rw.made_by(x, transpose)
    if earlier is not None:
        first = earlier.params["axes"]
        return rw.bind(transpose, earlier.inputs[0], axes=tuple(first[axis] for axis in order))
    source = rw.source(x)
    if source is not None:
        if not shape_of(source):
            return source
        narrow = padded(shape_of(source), rank)
        if narrow != old:
            return rw.bind(transpose, rw.bind(reshape, source, shape=narrow), axes=order)
    return None if axes == order else rw.bind(transpose, x, axes=order)
