"""NumPy's reversing, rolling and repeating of elements along axes."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from pullback.core.shapes import dtype_of, shape_of
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.numpy import shaping as rearranged
from pullback.numpy.indexing import take
from pullback.numpy.operands import holds_tracer, of_rank, operand, require_known
from pullback.numpy.registration import implements
from pullback.numpy.views import as_array, copy_of, laid_like
from pullback.rules.shaping import broadcast_to, concatenate, reshape

__all__: list[str] = []


@implements(np.flipud)
def flipud(m: Any) -> Any:
    return np.flip(of_rank(1, m, "np.flipud"), 0)


@implements(np.fliplr)
def fliplr(m: Any) -> Any:
    return np.flip(of_rank(2, m, "np.fliplr"), 1)


@implements(np.rot90)
def rot90(m: Any, k: int = 1, axes: Sequence[int] = (0, 1)) -> Any:
    m = operand(m)
    plane = normalize_axis_tuple(tuple(axes), len(shape_of(m)), "axes")
    if len(plane) != 2:
        raise ArgumentValueError(f"np.rot90: got axes={tuple(axes)}; give two different axes")
    first, second = plane
    turns = k % 4
    if turns == 0:
        return m[...]
    if turns == 2:
        return np.flip(m, plane)
    if turns == 1:
        return rearranged.swapaxes(np.flip(m, second), first, second)
    return np.flip(rearranged.swapaxes(m, first, second), second)


@implements(np.roll)
def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    a = operand(a)
    shape = shape_of(a)
    if axis is None:
        flat = reshape(a, shape=(math.prod(shape),))
        return as_array(reshape(roll(flat, shift, 0), shape=shape))
    axes = normalize_axis_tuple(axis, len(shape), "axis", allow_duplicate=True)
    if holds_tracer(shift):
        return _rolled_by_unknown(a, operand(shift), axes)
    shifts, places = np.broadcast_arrays(shift, axes)
    if shifts.ndim > 1:
        raise ArgumentValueError(
            f"np.roll: got shift of shape {np.shape(shift)}; give one integer for each axis"
        )
    whole = a
    for by, place in zip(shifts.ravel().tolist(), places.ravel().tolist(), strict=True):
        cut = -by % shape[place] if shape[place] else 0
        if cut:
            lead = (slice(None),) * place
            a = concatenate(a[*lead, cut:], a[*lead, :cut], axis=place)
    return copy_of(whole) if a is whole else laid_like(whole, a)


def _rolled_by_unknown(a: Any, shift: Any, axes: tuple[int, ...]) -> Any:
    """`a` rolled by integers that are mapped, or not known while a graph is recorded."""
    shape = shape_of(shift)
    if dtype_of(shift).kind not in "iub" or len(shape) > 1:
        raise ArgumentTypeError(
            f"np.roll: shift has dtype {dtype_of(shift)} and shape {shape}, wanted one integer, or "
            "one for each axis"
        )
    count = np.broadcast_shapes(shape, (len(axes),))[0]
    whole = a
    for turn in range(count):
        by = shift[turn % shape[0]] if shape else shift
        axis = axes[turn % len(axes)]
        extent = shape_of(a)[axis]
        if extent:
            a = take(a, (np.arange(extent) - by) % extent, axis)
    return copy_of(whole) if a is whole else laid_like(whole, a)


@implements(np.tile)
def tile(A: Any, reps: Any) -> Any:
    a = operand(A)
    counts = tuple(operator.index(n) for n in (reps if np.ndim(reps) else (reps,)))
    shape = shape_of(a)
    rank = max(len(shape), len(counts))
    shape = (1,) * (rank - len(shape)) + shape
    counts = (1,) * (rank - len(counts)) + counts
    pairs = list(zip(counts, shape, strict=True))
    a = reshape(a, shape=tuple(n for _, extent in pairs for n in (1, extent)))
    a = broadcast_to(a, shape=tuple(n for pair in pairs for n in pair))
    return copy_of(reshape(a, shape=tuple(count * extent for count, extent in pairs)))


@implements(np.repeat)
def repeat(a: Any, repeats: Any, axis: int | None = None) -> Any:
    a = operand(a)
    if axis is None or (not shape_of(a) and axis in (0, -1)):
        a = reshape(a, shape=(math.prod(shape_of(a)),))
        axis = 0
    shape = shape_of(a)
    axis = normalize_axis_index(axis, len(shape))
    counts = np.asarray(require_known("np.repeat", "repeats", repeats))
    if counts.size != 1:
        return a[*(slice(None),) * axis, np.repeat(np.arange(shape[axis]), counts)]
    count = operator.index(counts.reshape(())[()])
    before, extent, after = shape[:axis], shape[axis], shape[axis + 1 :]
    a = reshape(a, shape=(*before, extent, 1, *after))
    a = broadcast_to(a, shape=(*before, extent, count, *after))
    return copy_of(reshape(a, shape=(*before, extent * count, *after)), "C")
