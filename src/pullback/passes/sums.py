"""Sums moved inside linear maps: Σₙ Q vₙ = Q Σₙ vₙ.

A sum, or a mean, of products over axes that one of the factors lacks is that factor times the sum
of the other one: fewer products, and no array of them. So the sum over samples of what a matrix
makes of each is what the matrix makes of a sum over samples.

Where the factor is infinite, a sum of products is NaN if the other one has two signs, or a zero;
the product with the sum would hide that. It is looked at, unless the factor is known to be finite.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from pullback.core.primitive import Primitive
from pullback.core.shapes import shape_of
from pullback.core.structure import Contraction
from pullback.core.structure.loops import Index
from pullback.graph.program import Atom, Equation
from pullback.graph.variable import Variable
from pullback.passes.bounds import bound
from pullback.passes.layout import padded, reshaped
from pullback.passes.rewriting import Pass, Rewriting
from pullback.rules import reductions
from pullback.rules.arithmetic import multiply
from pullback.rules.constants import CONSTANTS
from pullback.rules.conversion import astype
from pullback.rules.selection import where

__all__ = ["sums_inside"]

sums_inside = Pass()


WORTH = 3
"""How many times the work has to become less for what it takes to look at signs to be written."""


class Side(NamedTuple):
    """A factor of a product, and which of its axes the axes of a sum of products are."""

    place: int
    axes: tuple[int, ...]


@sums_inside.rewrites_each(reductions.sum, reductions.mean)
def _inside(
    primitive: Primitive, rw: Rewriting, y: Variable, x: Atom, *, axis: Any = None, **_: Any
) -> Atom | None:
    """A sum of products over axes that one of the factors lacks."""
    if type(x) is not Variable or y.dtype != x.dtype or x.dtype.char not in "fdFD":
        return None
    made = rw.origin.get(x)
    if made is None or not rw.used_once(x) or 0 in x.shape or made.primitive.multiple:
        return None
    rank = x.ndim
    given = range(rank) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    summed = [each % rank for each in given if x.shape[each] != 1]
    if not summed or any(getattr(each, "dtype", None) != x.dtype for each in made.inputs):
        return None
    sides = _sides(made)
    if not any(sides):
        return None
    for place in sorted((0, 1), key=lambda place: -math.prod(shape_of(made.inputs[place]))):
        along, other = sides[place], sides[1 - place]
        axes = tuple(along[each] for each in summed if each in along and each not in other)
        moved = _moved(primitive, rw, y, made, Side(place, axes), summed) if axes else None
        if moved is not None:
            return moved
    return None


def _moved(
    primitive: Primitive,
    rw: Rewriting,
    y: Variable,
    made: Equation,
    side: Side,
    summed: Sequence[int],
) -> Atom | None:
    """The product with the sum over these axes of a factor, summed over what is left."""
    product, (x,) = made.primitive, made.outputs
    if any(0 in shape_of(each) for each in (x, *made.inputs)):
        return None
    many, factor = made.inputs[side.place], made.inputs[1 - side.place]
    looks = x.dtype.kind == "f" and bound(rw, factor) == math.inf
    shape = [1 if axis in side.axes else n for axis, n in enumerate(shape_of(many))]
    few = Variable(tuple(shape), x.dtype)
    pair = (few, factor) if side.place == 0 else (factor, few)
    before = _operations(product, x, made.inputs) + x.size
    after = _operations(product, x, pair) + math.prod(shape_of(many)) + x.size // _times(few, many)
    if looks:
        after = WORTH * (2 * after + math.prod(shape_of(many)) + few.size + factor.size)
    if after >= before:
        return None

    def of_few(reduced: Atom, factor: Atom) -> Any:
        pair = (reduced, factor) if side.place == 0 else (factor, reduced)
        return rw.bind(product, *pair, **made.params)

    def over(reduction: Primitive) -> Any:
        return reshaped(rw, rw.bind(reduction, many, axis=side.axes, keepdims=False), few.shape)

    out = of_few(over(primitive), factor)
    if looks:
        signs = CONSTANTS["less_equal"], CONSTANTS["greater_equal"]
        ends = [over(reductions.min), over(reductions.max)]
        mixed = rw.bind(
            CONSTANTS["bitwise_and"],
            *(rw.bind(sign, end, 0) for sign, end in zip(signs, ends, strict=True)),
        )
        infinite = rw.bind(CONSTANTS["isinf"], factor)
        met = of_few(*(rw.bind(astype, each, dtype=x.dtype) for each in (mixed, infinite)))
        undefined = rw.bind(CONSTANTS["greater"], met, 0)
        out = rw.bind(where, undefined, x.dtype.type(np.nan), out)
    left = tuple(axis for axis in summed if shape_of(out)[axis] != 1)
    if left:
        out = rw.bind(primitive, out, axis=left, keepdims=False)
    return reshaped(rw, out, y.shape)


def _times(few: Atom, many: Atom) -> int:
    """How many elements are summed up to one."""
    return math.prod(shape_of(many)) // max(math.prod(shape_of(few)), 1)


def _operations(product: Primitive, x: Variable, inputs: Sequence[Atom]) -> int:
    """How many operations a product takes."""
    if product.structure.elementwise:
        return math.prod(np.broadcast_shapes(*map(shape_of, inputs)))
    return product.structure.operations(x, *inputs)


# -- axes -----------------------------------------------------------------------------------------


def _sides(made: Equation) -> list[dict[int, int]]:
    """For each factor of a product which of its axes an axis of the result is.

    Of a result that is none both are empty.
    """
    nothing: list[dict[int, int]] = [{}, {}]
    (out,) = made.outputs
    if made.primitive is multiply:
        return [_of_broadcast(shape_of(x), out.shape) for x in made.inputs]
    structure = made.primitive.structure
    if not isinstance(structure, Contraction):
        return nothing
    found = structure.loops(made.primitive, made.inputs, made.params)
    if found is None or len(found) != 1:
        return nothing
    (loops,) = found
    written = _axes(loops.write.indices)
    sides = nothing
    for side, read in zip(sides, loops.reads, strict=True):
        axes = {axis: place for place, axis in _axes(read.indices).items()}
        meets = [axis for index in read.indices for axis, _ in index.steps]
        for place, axis in written.items():
            if axis in axes and meets.count(axis) == 1:
                side[place] = axes[axis]
            elif axis in meets:
                return [{}, {}]
    return sides


def _axes(indices: Sequence[Index]) -> dict[int, int]:
    """By place: the axis of the space that is an index as it is."""
    return {
        place: index.steps[0][0]
        for place, index in enumerate(indices)
        if len(index.steps) == 1 and index.steps[0][1] == 1 and not index.start
    }


def _of_broadcast(shape: tuple[int, ...], wide: tuple[int, ...]) -> dict[int, int]:
    """Which axes of an array those are that it has of the shape that it is broadcast to."""
    missing = len(wide) - len(shape)
    extents = enumerate(padded(shape, len(wide)))
    return {axis: axis - missing for axis, extent in extents if extent != 1}
