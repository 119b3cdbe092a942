"""Shaping: the same elements in another arrangement.

All of these maps are linear and move elements without changing them, so a rule is the function
itself in one direction and the way back in the other. None of them reads a value.
"""

from __future__ import annotations

import functools
import itertools
import math

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from pullback.core.linear import Selection
from pullback.core.maps import Joint
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.structure import Access, Index, Loops, View
from pullback.core.structure.axes import common, in_batches, joined, listed, reversed_axes, stretch
from pullback.core.structure.loops import along, broadcast, moved
from pullback.errors import ArgumentValueError
from pullback.graph.layout import looking
from pullback.rules.indexing import ARRAY, scatter
from pullback.rules.layouts import reshaped
from pullback.rules.registration import rule

__all__ = ["broadcast_to", "concatenate", "diagonal", "embed_diagonal", "inverse", "reshape",
           "stack", "transpose", "windows"]  # fmt: skip


def _reshape(x, *, shape, order="C"):
    if type(x) is np.ndarray:
        return x.reshape(shape, order=order)
    return np.reshape(x, shape, order=order)


def _reshaped(primitive, old, *, shape, order="C"):
    """The elements in ``shape``, of which one extent may be −1, to be filled in."""
    size = math.prod(old)
    wanted = [shape] if isinstance(shape, int | np.integer) else list(shape)
    if wanted.count(-1) == 1:
        others = -math.prod(wanted)
        if others and size % others == 0:
            wanted[wanted.index(-1)] = size // others
    if math.prod(wanted) != size or any(extent < 0 for extent in wanted):
        raise ArgumentValueError(
            f"{primitive.name}: an array of shape {old} has {size} elements, which do not "
            f"fit the shape {shape}"
        )
    steps, step = {}, 1
    axes = range(len(wanted))
    for axis in axes if order == "F" else reversed(axes):
        steps[axis] = step
        step *= wanted[axis]
    flat = Index(0, tuple(sorted(steps.items())))
    extents = tuple(int(n) if isinstance(n, np.integer) else n for n in wanted)
    return moved(extents, [flat], "F" if order == "F" else "C")


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


@rule(_reshape, View(_reshaped, _reshape_batch, layouts=reshaped))
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


def _transposed(_primitive, old, *, axes=None):
    rank = len(old)
    order = tuple(range(rank))[::-1] if axes is None else axes
    if len(order) != rank:
        raise ArgumentValueError(
            f"transpose: axes are {tuple(axes)}, wanted one for each axis of the shape {old}"
        )
    order = normalize_axis_tuple(order, rank, "axes")
    return moved(tuple(old[axis] for axis in order), along(*inverse(order)))


def _transpose_batch(primitive, _size, _mapped, values, params):
    (x,) = values
    axes = params.get("axes")
    if axes is None:
        return reversed_axes(x)
    rank = len(shape_of(x)) - 1
    return primitive(x, axes=(0, *(axis % rank + 1 for axis in axes)))


@rule(_transpose, View(_transposed, _transpose_batch, layouts=looking(_transpose)))
def transpose(_y, _x, *, axes=None):
    """yᵢⱼ… = x with permuted axes: x̄ is ȳ under the inverse permutation."""
    return Selection(
        lambda x_dot: transpose(x_dot, axes=axes),
        lambda y_bar: transpose(y_bar, axes=None if axes is None else inverse(axes)),
    )


def _broadcast_to(x, *, shape):
    return np.broadcast_to(x, shape)


def _repeated(primitive, old, *, shape):
    wide = tuple(shape)
    if common(primitive, [old, wide]) != wide:
        raise ArgumentValueError(
            f"broadcast_to: an array of shape {old} cannot be broadcast to {wide}: its "
            "extents must be those of the wide shape, or 1"
        )
    return moved(wide, broadcast(old, len(wide)).indices)


def _broadcast_to_batch(primitive, size, _mapped, values, params):
    shape = params["shape"]
    return primitive(stretch(values[0], len(shape)), shape=(size, *shape))


@rule(_broadcast_to, View(_repeated, _broadcast_to_batch, layouts=looking(_broadcast_to)))
def broadcast_to(_y, _x, *, shape):
    """y repeats x along new and stretched axes: the identity, up to a broadcast.

    The engine broadcasts ẏ and sums x̄ over the axes along which x was repeated.
    """
    return 1


def _joined(primitive, *shapes, axis):
    place = normalize_axis_index(axis, len(shapes[0]))
    if len({shape[:place] + shape[place + 1 :] for shape in shapes}) > 1:
        raise ArgumentValueError(
            f"{primitive.name}: arrays of the shapes {listed(shapes)} cannot be joined along "
            f"axis {axis}: their other extents must be equal"
        )
    return _side_by_side(place, shapes, along(*range(len(shapes[0]))))


def _side_by_side(place, spaces, read):
    """The loops of the arguments that go to places along an axis one after the other."""
    loops, start = [], 0
    for argument, space in enumerate(spaces):
        write = list(along(*range(len(space))))
        write[place] = Index(start, ((place, 1),))
        loops.append(Loops(space, (Access(read, argument),), Access(tuple(write))))
        start += space[place]
    shape = list(spaces[0])
    shape[place] = start
    return tuple(shape), tuple(loops)


def _join(arranged):
    """The structure of what joins its arguments in memory of its own."""
    return View(arranged, joined, pads="constants", reorders=False, shares=False)


def _concatenate(*arrays, axis):
    return np.concatenate(arrays, axis=axis)


@rule(_concatenate, _join(_joined))
def concatenate(_y, *_xs, axis):
    """y = x₁, x₂, … joined along `axis`: ẏ joins the tangents, each x̄ᵢ is its slice of ȳ."""
    lead = (slice(None),) * (axis % len(shape_of(_y)))
    extents = [shape_of(x)[axis] for x in _xs]
    stops = itertools.accumulate(extents)
    slices = (slice(stop - extent, stop) for stop, extent in zip(stops, extents, strict=True))
    return _joining(concatenate, _xs, axis, [(*lead, each) for each in slices])


def _joining(join, xs, axis, keys):
    """The map of what joins arguments, each of which is the part of the result with its key."""

    def pushforward(*dots):
        rows = zip(xs, dots, strict=True)
        return join(*(_zeros(x) if dot is None else dot for x, dot in rows), axis=axis)

    return Joint(pushforward, lambda y_bar: tuple(y_bar[key] for key in keys))


def _zeros(x):
    """A zero tangent of an argument that does not vary, beside others that do."""
    return np.broadcast_to(np.zeros((), dtype_of(x)), shape_of(x))


def _stacked(primitive, *shapes, axis):
    if len(set(shapes)) > 1:
        raise ArgumentValueError(
            f"{primitive.name}: arrays of the shapes {listed(shapes)} cannot be stacked: they must "
            "have one shape"
        )
    first, rank = shapes[0], len(shapes[0])
    place = normalize_axis_index(axis, rank + 1)
    space = (*first[:place], 1, *first[place:])
    read = along(*(i + (i >= place) for i in range(rank)))
    return _side_by_side(place, [space] * len(shapes), read)


def _stack(*arrays, axis):
    if axis in (0, -1) and not any(map(shape_of, arrays)):
        return np.array(arrays)  # np.stack takes five times as long for a few numbers
    return np.stack(arrays, axis=axis)


@rule(_stack, _join(_stacked))
def stack(_y, *_xs, axis):
    """y = x₁, x₂, … along a new `axis`: ẏ stacks the tangents, x̄ᵢ is ȳ at position i."""
    lead = (slice(None),) * (axis % len(shape_of(_y)))
    return _joining(stack, _xs, axis, [(*lead, position) for position in range(len(_xs))])


def _diagonal(x, *, offset=0):
    return np.diagonal(x, offset, -2, -1)


def _on_diagonal(_primitive, old, *, offset=0):
    *lead, rows, columns = old
    extent = max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)
    return moved(
        (*lead, extent), (*along(*range(len(lead))), *_diagonal_indices(len(lead), offset))
    )


def _diagonal_indices(axis, offset):
    """Row and column of the elements of a diagonal, which are counted by an axis."""
    return Index(max(0, -offset), ((axis, 1),)), Index(max(0, offset), ((axis, 1),))


@rule(_diagonal, View(_on_diagonal, in_batches, masks=True, layouts=looking(_diagonal)))
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


def _on_zeros(_primitive, old, *, shape, offset=0):
    lead = len(old) - 1
    write = (*along(*range(lead)), *_diagonal_indices(lead, offset))
    read = Access(along(*range(lead + 1)))
    return (*old[:-1], *shape), (Loops(old, (read,), Access(write), start=0),)


@rule(_embed_diagonal, View(_on_zeros, in_batches, pads="always", reorders=False, shares=False))
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


def _seen(_primitive, old, *, widths, axes):
    rank, extents = len(old), [*old]
    steps = [[(axis, 1)] for axis in range(rank)]
    for place, (width, axis) in enumerate(zip(widths, axes, strict=True), rank):
        extents[axis] -= width - 1
        steps[axis].append((place, 1))
    return moved((*extents, *widths), [Index(0, tuple(row)) for row in steps])


@rule(_windows, View(_seen, _windows_batch, layouts=looking(_windows)))
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
