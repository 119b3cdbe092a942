"""Shaping: the same elements in another arrangement.

All of these maps are linear and move elements without changing them, so a rule is the function
itself in one direction and the way back in the other. None of them reads a value.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from pullback.core.linear import Joint, Selection
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.errors import ArgumentValueError
from pullback.rules import operation_counts as counts
from pullback.rules import shape_rules as shapes
from pullback.rules.batching import joining, reversed_axes, stretch, with_ranks
from pullback.rules.indexing import ARRAY, scatter
from pullback.rules.registration import rule

__all__ = ["broadcast_to", "concatenate", "diagonal", "embed_diagonal", "inverse", "reshape",
           "stack", "transpose", "windows"]  # fmt: skip


def _reshape(x, *, shape, order="C"):
    if type(x) is np.ndarray:
        return x.reshape(shape, order=order)
    return np.reshape(x, shape, order=order)


def _reshape_batch(primitive, size, _mapped, values, params):
    (x,) = values
    shape, order = params["shape"], params.get("order", "C")
    if -1 in shape:  # which is undetermined where there are no examples
        shape = np.broadcast_to(0, shape_of(x)[1:]).reshape(shape).shape
    if order == "C":
        return primitive(x, shape=(size, *shape))
    # In the order "F" a reshape is that of the reversed axes to the reversed shape.
    x = reversed_axes(x)
    return reversed_axes(primitive(x, shape=(size, *shape[::-1])))


@rule(
    _reshape,
    name="reshape",
    batch=_reshape_batch,
    shape=shapes.reshaped,
    operations=counts.nothing,
    rearranges=True,
)
def reshape(_y, _x, *, shape, order="C"):
    """y = x in another shape: ẏ = ẋ in that shape, x̄ = ȳ in the old one.

    The elements are read and placed in the same `order`, "C" or "F".
    """
    old = shape_of(_x)
    return Selection(
        lambda x_dot: reshape(x_dot, shape=shape, order=order),
        lambda y_bar: reshape(y_bar, shape=old, order=order),
    )


def _transpose(x, *, axes=None):
    return x.transpose(axes) if type(x) is np.ndarray else np.transpose(x, axes)


@functools.cache
def inverse(axes: tuple[int, ...]) -> tuple[int, ...]:
    """The permutation that undoes the permutation `axes`."""
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


def _transpose_batch(primitive, _size, _mapped, values, params):
    (x,) = values
    axes = params.get("axes")
    if axes is None:
        return reversed_axes(x)
    rank = len(shape_of(x)) - 1
    return primitive(x, axes=(0, *(axis % rank + 1 for axis in axes)))


@rule(
    _transpose,
    name="transpose",
    batch=_transpose_batch,
    shape=shapes.transposed,
    operations=counts.nothing,
    rearranges=True,
)
def transpose(_y, _x, *, axes=None):
    """yᵢⱼ… = x with permuted axes: x̄ is ȳ under the inverse permutation."""
    return Selection(
        lambda x_dot: transpose(x_dot, axes=axes),
        lambda y_bar: transpose(y_bar, axes=None if axes is None else inverse(axes)),
    )


def _broadcast_to(x, *, shape):
    return np.broadcast_to(x, shape)


def _broadcast_to_batch(primitive, size, _mapped, values, params):
    shape = params["shape"]
    return primitive(stretch(values[0], len(shape)), shape=(size, *shape))


def _broadcast_to_shape(primitive, x, *, shape):
    wide = tuple(shape)
    if shapes.common(primitive, [shape_of(x), wide]) != wide:
        raise ArgumentValueError(
            f"broadcast_to: an array of shape {shape_of(x)} cannot be broadcast to {wide}: its "
            "extents must be those of the wide shape, or 1"
        )
    return Abstract(wide, dtype_of(x))


@rule(
    _broadcast_to,
    name="broadcast_to",
    batch=_broadcast_to_batch,
    shape=_broadcast_to_shape,
    operations=counts.nothing,
    rearranges=True,
)
def broadcast_to(_y, _x, *, shape):
    """y repeats x along new and stretched axes: the identity, up to a broadcast.

    The engine broadcasts ẏ and sums x̄ over the axes along which x was repeated.
    """
    return 1


def _concatenate(*arrays, axis):
    return np.concatenate(arrays, axis=axis)


@rule(
    _concatenate,
    name="concatenate",
    batch=joining,
    shape=shapes.concatenated,
    operations=counts.nothing,
    pads="constants",
)
def concatenate(_y, *_xs, axis):
    """y = x₁, x₂, … joined along `axis`: ẏ joins the tangents, each x̄ᵢ is its slice of ȳ."""
    lead = (slice(None),) * (axis % len(shape_of(_y)))

    def pushforward(*dots):
        return concatenate(
            *(_zeros(x) if dot is None else dot for x, dot in zip(_xs, dots, strict=True)),
            axis=axis,
        )

    def pullback(y_bar):
        bars, start = [], 0
        for x in _xs:
            stop = start + shape_of(x)[axis]
            bars.append(y_bar[*lead, start:stop])
            start = stop
        return tuple(bars)

    return Joint(pushforward, pullback)


def _stack(*arrays, axis):
    return np.stack(arrays, axis=axis)


@rule(
    _stack,
    name="stack",
    batch=joining,
    shape=shapes.stacked,
    operations=counts.nothing,
    pads="constants",
)
def stack(_y, *_xs, axis):
    """y = x₁, x₂, … along a new `axis`: ẏ stacks the tangents, x̄ᵢ is ȳ at position i."""
    lead = (slice(None),) * (axis % len(shape_of(_y)))

    def pushforward(*dots):
        return stack(
            *(_zeros(x) if dot is None else dot for x, dot in zip(_xs, dots, strict=True)),
            axis=axis,
        )

    def pullback(y_bar):
        return tuple(y_bar[*lead, position] for position in range(len(_xs)))

    return Joint(pushforward, pullback)


def _zeros(x):
    """A zero tangent of an argument that does not vary, beside others that do."""
    return np.broadcast_to(np.zeros((), dtype_of(x)), shape_of(x))


def _diagonal(x, *, offset=0):
    return np.diagonal(x, offset, -2, -1)


def _diagonal_shape(_primitive, x, *, offset=0):
    *lead, rows, columns = shape_of(x)
    extent = min(rows + min(offset, 0), columns - max(offset, 0))
    return Abstract((*lead, max(extent, 0)), dtype_of(x))


@rule(
    _diagonal,
    name="diagonal",
    batch=with_ranks(2),
    shape=_diagonal_shape,
    operations=counts.nothing,
    rearranges=True,
    masks=True,
)
def diagonal(_y, _x, *, offset=0):
    """y…ᵢ = x…ᵢ,ᵢ₊ₖ with k = `offset`, over the last two axes; x̄ is ȳ on that diagonal, else 0."""
    matrix = shape_of(_x)[-2:]
    return Selection(
        lambda x_dot: diagonal(x_dot, offset=offset),
        lambda y_bar: embed_diagonal(y_bar, shape=matrix, offset=offset),
    )


def _embed_diagonal(x, *, shape, offset=0):
    x = np.asarray(x)
    y = np.zeros(x.shape[:-1] + shape, x.dtype)
    rows = np.arange(x.shape[-1]) + max(0, -offset)
    y[..., rows, rows + offset] = x
    return y


def _embed_diagonal_shape(_primitive, x, *, shape, offset=0):
    return Abstract(shape_of(x)[:-1] + shape, dtype_of(x))


@rule(
    _embed_diagonal,
    name="embed_diagonal",
    batch=with_ranks(1),
    shape=_embed_diagonal_shape,
    operations=counts.nothing,
    pads="always",
)
def embed_diagonal(_y, _x, *, shape, offset=0):
    """y…ᵢ,ᵢ₊ₖ = x…ᵢ in matrices of `shape` that are 0 elsewhere; x̄ is that diagonal of ȳ."""
    return Selection(
        lambda x_dot: embed_diagonal(x_dot, shape=shape, offset=offset),
        lambda y_bar: diagonal(y_bar, offset=offset),
    )


def _windows(x, *, widths, axes):
    return np.lib.stride_tricks.sliding_window_view(x, widths, axes)


def _windows_batch(primitive, _size, _mapped, values, params):
    return primitive(
        *values, widths=params["widths"], axes=tuple(axis + 1 for axis in params["axes"])
    )


def _windows_shape(_primitive, x, *, widths, axes):
    seen = _windows(np.broadcast_to(0, shape_of(x)), widths=widths, axes=axes)
    return Abstract(seen.shape, dtype_of(x))


@rule(
    _windows,
    name="windows",
    batch=_windows_batch,
    shape=_windows_shape,
    operations=counts.nothing,
    rearranges=True,
)
def windows(_y, _x, *, widths, axes):
    """y…ᵢ…ⱼ = x…ᵢ₊ⱼ…, windows of these `widths` along `axes`: x̄ is the sum of ȳ over i + j."""
    shape = shape_of(_x)
    places = np.arange(math.prod(shape)).reshape(shape)

    def pull(y_bar):
        line = scatter(
            y_bar, _windows(places, widths=widths, axes=axes), key=(ARRAY,), shape=(places.size,)
        )
        return reshape(line, shape=shape)

    return Selection(lambda x_dot: windows(x_dot, widths=widths, axes=axes), pull)
