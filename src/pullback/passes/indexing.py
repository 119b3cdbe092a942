"""Index maps: reading what was written, and writing over what was written.

A read looks through the writes before it for the one that it sees, or
for what was there before; it gives up after `FARTHEST` of them, so that the work stays in
proportion to the number of equations. A write replaces an earlier one to the same place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.core.primitive import Primitive
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.structure.template import selection
from pullback.graph.program import Atom, Equation
from pullback.graph.variable import Variable
from pullback.passes.layout import reshaped
from pullback.passes.places import (
    Computed,
    Key,
    Place,
    Region,
    are_apart,
    is_whole,
    key_of,
    place_of,
    region,
    with_numbers,
)  # fmt: skip
from pullback.passes.rewriting import Pass, Rewriting, is_number, is_strong
from pullback.rules.arithmetic import add
from pullback.rules.indexing import index, index_add, index_update, scatter
from pullback.rules.shaping import broadcast_to, concatenate, reshape, stack, transpose

__all__ = ["FARTHEST", "simplify_indexing"]

simplify_indexing = Pass()

_WRITES = {index_update: 1, index_add: 1, scatter: 0}
"""Which of the arguments is written; after it come the index arrays."""

FARTHEST = 16
"""How many writes back a read looks."""


def _written(rw: Rewriting, equation: Equation) -> Place | None:
    """What a write names, of the array that it makes."""
    (out,) = equation.outputs
    if out not in rw.notes:
        indices = equation.inputs[1 + _WRITES[equation.primitive] :]
        rw.notes[out] = place_of(equation.params["key"], indices, out.shape)
    named: Place | None = rw.notes[out]
    return named


@simplify_indexing.rewrites_each(index, *_WRITES)
def _with_numbers(
    primitive: Primitive, rw: Rewriting, y: Variable, *inputs: Atom, key: Key, **params: Any
) -> Atom | None:
    """Indices that are known belong to the template."""
    first = 1 + _WRITES.get(primitive, 0)
    array = y if primitive is scatter else inputs[0]
    known = with_numbers(key, inputs[first:], shape_of(array))
    if known is None:
        return None
    return rw.bind(primitive, *inputs[:first], *known[1], key=known[0], **params)


# -- reading --------------------------------------------------------------------------------------


@simplify_indexing.rewrites(index)
def _index(rw: Rewriting, y: Variable, x: Atom, *indices: Atom, key: Key) -> Atom | None:
    """Everything; axes of extent 1 put in and taken out; a repeated number; what was written.

    One element of an array in another shape, or order of axes, is one of the array itself.
    """
    source = rw.source(x)
    if source is not None and not shape_of(source):
        return source
    if type(x) is not Variable:
        return None
    if not indices and _only_ones(key, x.shape):
        return reshaped(rw, x, y.shape)
    if not indices and None in key:
        return reshaped(rw, rw.bind(index, x, key=_without_new(key)), y.shape)
    here = place_of(key, indices, x.shape)
    if here is None:
        return None
    found = _read(rw, y, x, indices, key, here)
    if found is not None or isinstance(here, Computed):
        return found
    if here and not y.shape:
        found = _element(rw, x, [positions[0] for _, positions in here])
        if found is not None:
            return found
    canonical = key_of(here, x.shape)
    return None if key == canonical else rw.bind(index, x, key=canonical)


def _element(rw: Rewriting, x: Variable, places: Sequence[int]) -> Atom | None:
    """The element of `x` at these places, read where it was before a reshape or a transpose."""
    equation = rw.made_by(x, transpose) or rw.made_by(x, reshape)
    if equation is None or not is_strong(equation.inputs[0]):
        return None
    (source,), params = equation.inputs, equation.params
    before = shape_of(source)
    if equation.primitive is transpose:
        axes = params.get("axes") or range(x.ndim)[::-1]
        inner = [places[list(axes).index(axis)] for axis in range(x.ndim)]
    elif params.get("order", "C") == "C":
        flat = np.ravel_multi_index(tuple(places), x.shape)
        inner = [int(place) for place in np.unravel_index(flat, before)]
    else:
        return None
    return rw.bind(index, source, key=tuple(inner))


def _without_new(key: Key) -> Key:
    """A subscript without its new axes."""
    return tuple(entry for entry in key if entry is not None)


def _only_ones(key: Key, shape: tuple[int, ...]) -> bool:
    """Whether a subscript does nothing but to put in and take out axes of extent 1."""
    named = region(_without_new(key), shape)
    return named is not None and all(
        positions == range(extent) for (_, positions), extent in zip(named, shape, strict=True)
    )


def _read(
    rw: Rewriting, y: Variable, x: Variable, indices: Sequence[Atom], key: Key, here: Place
) -> Atom | None:
    """The elements of `x` that are named: what is found behind the writes, and what these add."""
    base: Atom = x
    found: Atom | None = None
    added: list[Atom] = []
    for _ in range(FARTHEST):
        source = rw.source(base)
        if source is not None and not shape_of(source):
            found = source
            break
        equation = rw.origin.get(base)
        if equation is None:
            break
        primitive = equation.primitive
        if primitive is stack and not isinstance(here, Computed):
            found = _part(rw, equation, here)
            break
        if primitive is concatenate and not isinstance(here, Computed):
            found = _slice_of_part(rw, equation, here)
            break
        there = _written(rw, equation) if primitive in _WRITES else None
        if there is None:
            break
        before, value = equation.inputs[0], equation.inputs[_WRITES[primitive]]
        if there == here:
            if primitive is index_add:
                added.append(value)
            else:
                kept = type(value) is not Variable or value.dtype == y.dtype
                found = value if kept else None
                break
        elif not are_apart(here, there):
            break
        elif primitive is scatter:
            found = y.dtype.type(0)
            break
        base = before
    else:
        return None  # too far away
    if found is None:
        if base is x:
            return None
        found = rw.bind(index, base, *indices, key=key)
    for value in reversed(added):
        found = rw.bind_like(y, add, found, value)
        if found is None:
            return None
    return found


def _part(rw: Rewriting, equation: Equation, here: Region) -> Atom | None:
    """What is read of one of several stacked arrays, if it is of one."""
    shape = equation.outputs[0].shape
    axis = equation.params["axis"] % len(shape)
    stays, positions = here[axis]
    if stays:
        return None
    rest = here[:axis] + here[axis + 1 :]
    key = key_of(rest, shape[:axis] + shape[axis + 1 :])
    part = rw.bind(index, equation.inputs[positions[0]], key=key)
    return rw.cast(part, equation.outputs[0].dtype)


def _slice_of_part(rw: Rewriting, equation: Equation, here: Region) -> Atom | None:
    """What is read of one of several joined arrays, if it is of one."""
    (out,) = equation.outputs
    axis = equation.params["axis"] % len(out.shape)
    stays, positions = here[axis]
    if not positions:
        return None
    first, last = sorted((positions[0], positions[-1]))
    start = 0
    for part in equation.inputs:
        stop = start + shape_of(part)[axis]
        if start <= first and last < stop:
            bounds = (positions.start, positions.stop)
            moved = range(bounds[0] - start, bounds[1] - start, positions.step)
            key = key_of((*here[:axis], (stays, moved), *here[axis + 1 :]), shape_of(part))
            return rw.cast(rw.bind(index, part, key=key), out.dtype)
        start = stop
    return None


# -- writing --------------------------------------------------------------------------------------


def _overwritten(rw: Rewriting, x: Atom, here: Place) -> Equation | None:
    """The write that `x` comes from, if it was to the same place and nobody reads the rest of it.

    Otherwise both states of the array would be needed at once, and none could be updated in place.
    """
    equation = rw.origin.get(x) if type(x) is Variable else None
    if equation is None or equation.primitive not in _WRITES or _written(rw, equation) != here:
        return None
    others = [each for each in rw.readers(x) if not _reads(rw, each, x, here)]
    return equation if len(others) <= 1 else None


def _reads(rw: Rewriting, equation: Equation | None, x: Variable, here: Place) -> bool:
    """Whether an equation of the old graph only reads what is named of `x`."""
    if equation is None or equation.primitive is not index:
        return False
    key, indices = equation.params["key"], [rw.becomes(i) for i in equation.inputs[1:]]
    key, indices = with_numbers(key, indices, x.shape) or (key, indices)
    return place_of(key, indices, x.shape) == here


@simplify_indexing.rewrites_each(*_WRITES)
def _of_repeated(
    primitive: Primitive, rw: Rewriting, _y: Variable, *inputs: Atom, **params: Any
) -> Atom | None:
    """What is written is repeated by the write itself."""
    place = _WRITES[primitive]
    value = inputs[place]
    source = rw.source(value) if type(value) is Variable else None
    if source is None:
        return None
    return rw.bind(primitive, *inputs[:place], source, *inputs[place + 1 :], **params)


@simplify_indexing.rewrites_each(*_WRITES)
def _in_one_spelling(
    primitive: Primitive, rw: Rewriting, y: Variable, *inputs: Atom, key: Key, **params: Any
) -> Atom | None:
    """A subscript without new axes, and in as few words as it can be."""
    *before, value = inputs
    if len(before) > _WRITES[primitive]:
        return None
    if None in key:
        found = selection(primitive, y.shape, key, ())
        if type(value) is Variable and value.ndim == len(found.shape):
            kept = sorted(axis for each in found.indices for axis, _ in each.steps)
            value = reshaped(rw, value, tuple(value.shape[axis] for axis in kept))
        elif shape_of(value):
            return None
        return rw.bind(primitive, *before, value, key=_without_new(key), **params)
    here = region(key, y.shape)
    if here is None or key == key_of(here, y.shape):
        return None
    return rw.bind(primitive, *inputs, key=key_of(here, y.shape), **params)


@simplify_indexing.rewrites(index_update)
def _index_update(
    rw: Rewriting, y: Variable, x: Atom, v: Atom, *indices: Atom, key: Key
) -> Atom | None:
    """Of everything; twice to one place; of what is there already."""
    if _same_number(rw.source(x), rw.source(v), y):
        return x
    here = place_of(key, indices, y.shape)
    if here is None:
        return None
    if is_whole(here, y.shape):
        return v
    overwritten = _overwritten(rw, x, here)
    if overwritten is not None and overwritten.primitive is not scatter:
        return rw.bind(index_update, overwritten.inputs[0], v, *indices, key=key)
    equation = rw.made_by(v, index)
    if equation is None or equation.inputs[0] is not x:
        return None
    read = place_of(equation.params["key"], equation.inputs[1:], y.shape)
    return x if read == here else None


def _same_number(one: Atom | None, other: Atom | None, y: Variable) -> bool:
    if one is None or other is None or type(one) is Variable or type(other) is Variable:
        return False
    return bool(np.asarray(one, y.dtype).tobytes() == np.asarray(other, y.dtype).tobytes())


@simplify_indexing.rewrites(index_add)
def _index_add(
    rw: Rewriting, y: Variable, x: Atom, v: Atom, *indices: Atom, key: Key
) -> Atom | None:
    """Of zeros, or to zeros; to everything; to the place that was written last."""
    if is_number(v, 0):
        return x
    if dtype_of(v) != y.dtype:
        return None
    if rw.filled_with(x, 0) and any(type(atom) is Variable for atom in (v, *indices)):
        return rw.bind(scatter, v, *indices, key=key, shape=y.shape)
    here = place_of(key, indices, y.shape)
    if here is None:
        return None
    if is_whole(here, y.shape):
        return rw.bind_like(y, add, x, v)
    equation = _overwritten(rw, x, here)
    if equation is None:
        return None
    if equation.primitive is scatter:
        both = rw.bind_like(y, add, equation.inputs[0], v)
        return None if both is None else rw.bind(scatter, both, *indices, key=key, shape=y.shape)
    before, earlier = equation.inputs[:2]
    if type(earlier) is Variable and earlier.dtype != y.dtype:
        return None
    both = rw.bind_like(y, add, earlier, v)
    return None if both is None else rw.bind(equation.primitive, before, both, *indices, key=key)


@simplify_indexing.rewrites(scatter)
def _scatter(
    rw: Rewriting, y: Variable, v: Atom, *indices: Atom, key: Key, shape: tuple[int, ...]
) -> Atom | None:
    """Of zeros; to everything; in another order."""
    if rw.filled_with(v, 0):
        return y.dtype.type(0)
    if indices:
        return None
    here = region(key, shape)
    if here is None:
        return None
    if is_whole(here, shape):
        return v
    if shape_of(v) == shape and all(
        stays and len(positions) == extent
        for (stays, positions), extent in zip(here, shape, strict=True)
    ):
        return rw.bind(index, v, key=key)  # each axis as it is, or reversed
    if len(here) == 1 and here[0][1] and math.prod(shape_of(v)) == 1 and shape == (1,):
        return rw.bind(broadcast_to, v, shape=shape)
    return None
