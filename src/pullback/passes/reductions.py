"""Reductions: of what is repeated, negated or rearranged; over extents of 1.

A sum over an axis along which its argument is repeated is a product with the extent.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pullback.core.primitive import Primitive, registry
from pullback.core.shapes import shape_of
from pullback.core.structure import Reduction
from pullback.graph.program import Atom
from pullback.graph.variable import Variable
from pullback.passes.layout import padded, reshaped
from pullback.passes.rewriting import Pass, Rewriting
from pullback.rules import reductions as rules
from pullback.rules.arithmetic import multiply, negative
from pullback.rules.losses import total
from pullback.rules.shaping import reshape, transpose

__all__ = ["simplify_reductions"]

simplify_reductions = Pass()

_OVER_AXES = {
    primitive: primitive.structure
    for primitive in registry.values()
    if isinstance(primitive.structure, Reduction)
    and not (primitive.structure.position or primitive.structure.running)
}
_JOINED = [each for each, structure in _OVER_AXES.items() if structure.operation is not None]


def _axes_of(x: Atom, axis: Any) -> tuple[int, ...]:
    """The reduced axes, in order."""
    rank = len(shape_of(x))
    if axis is None:
        return tuple(range(rank))
    given = axis if isinstance(axis, tuple) else (axis,)
    return tuple(sorted({int(each) % rank for each in given})) if rank else ()


@simplify_reductions.rewrites_each(*_OVER_AXES)
def _in_one_spelling(
    primitive: Primitive, rw: Rewriting, _y: Variable, x: Atom, **params: Any
) -> Atom | None:
    """The axes in order, or None for all of them; every parameter written out."""
    axes = _axes_of(x, params.get("axis"))
    canonical = {
        "axis": None if len(axes) == len(shape_of(x)) else axes,
        "keepdims": bool(params.get("keepdims", False)),
    }
    if "ddof" in params:
        canonical["ddof"] = params["ddof"]
    return None if params == canonical else rw.bind(primitive, x, **canonical)


@simplify_reductions.rewrites_each(
    rules.sum, rules.mean, rules.max, rules.min, rules.any, rules.all
)
def _of_repeated(
    primitive: Primitive,
    rw: Rewriting,
    y: Variable,
    x: Atom,
    *,
    axis: Any = None,
    keepdims: bool = False,
) -> Atom | None:
    """What is repeated along a reduced axis is looked at once there."""
    old = shape_of(x)
    axes = _axes_of(x, axis)
    if math.prod([old[each] for each in axes]) == 1:
        return reshaped(rw, rw.cast(x, y.dtype), y.shape)
    source = rw.source(x)
    if source is None or 0 in old:
        return None
    narrow = padded(shape_of(source), len(old))
    repeated = math.prod([old[each] for each in axes if narrow[each] == 1])
    if primitive is rules.sum and not np.isfinite(y.dtype.type(repeated)):
        return None
    out = source
    missing = len(old) - len(shape_of(source))
    inner = tuple(each - missing for each in axes if narrow[each] != 1)
    if inner:
        out = rw.bind(primitive, source, axis=inner, keepdims=False)
    out = rw.cast(out, y.dtype)
    if primitive is rules.sum and repeated > 1:
        out = rw.bind(multiply, out, repeated)
    if not shape_of(out):
        return out
    shape = [1 if each in axes else extent for each, extent in enumerate(narrow)]
    kept = [extent for each, extent in enumerate(shape) if keepdims or each not in axes]
    return reshaped(rw, out, tuple(kept))


@simplify_reductions.rewrites_each(rules.sum, rules.mean)
def _of_negated(
    primitive: Primitive, rw: Rewriting, _y: Variable, x: Atom, **params: Any
) -> Atom | None:
    """Σ −x = −Σ x, if −x is of no other use."""
    minus = rw.operand(x, negative)
    if minus is None or not rw.used_once(x) or minus.dtype.kind not in "fc":
        return None
    return rw.bind(negative, rw.bind(primitive, minus, **params))


@simplify_reductions.rewrites_each(*_JOINED)
def _of_rearranged(
    primitive: Primitive,
    rw: Rewriting,
    _y: Variable,
    x: Atom,
    *,
    axis: Any = None,
    keepdims: bool = False,
) -> Atom | None:
    """A reduction over all axes does not depend on what they are."""
    if axis is not None or keepdims:
        return None
    for rearrangement in (reshape, transpose):
        equation = rw.made_by(x, rearrangement)
        if equation is not None:
            return rw.bind(primitive, equation.inputs[0], axis=None, keepdims=False)
    return None


@simplify_reductions.rewrites_each(*_JOINED)
def _of_moved(
    primitive: Primitive,
    rw: Rewriting,
    y: Variable,
    x: Atom,
    *,
    axis: Any = None,
    keepdims: bool = False,
) -> Atom | None:
    """What only has its axes in another order, or axes of extent 1, is reduced as it was before."""
    if axis is None or keepdims:
        return None
    equation = rw.made_by(x, transpose)
    if equation is not None:
        order = equation.params["axes"]
        axes = tuple(order[each] for each in axis)
        kept = [each for each in range(len(order)) if each not in axes]
        moved = tuple(kept.index(each) for i, each in enumerate(order) if i not in axis)
        out = rw.bind(primitive, equation.inputs[0], axis=axes, keepdims=False)
        return out if moved == tuple(sorted(moved)) else rw.bind(transpose, out, axes=moved)
    equation = rw.made_by(x, reshape)
    if equation is None:
        return None
    source = equation.inputs[0]
    old, new = shape_of(source), shape_of(x)
    before = [each for each, extent in enumerate(old) if extent != 1]
    after = [each for each, extent in enumerate(new) if extent != 1]
    if [old[each] for each in before] != [new[each] for each in after] or len(old) > len(new):
        return None
    places = dict(zip(after, before, strict=True))
    axes = tuple(places[each] for each in axis if each in places)
    return reshaped(rw, rw.bind(primitive, source, axis=axes, keepdims=False), y.shape)


@simplify_reductions.rewrites(total)
def _total(rw: Rewriting, _y: Variable, x: Atom, *, count: int, lead: int = 0) -> Atom | None:
    """The mean of one number is that number."""
    source = rw.source(x)
    if source is None or shape_of(source) or math.prod(shape_of(x)[lead:]) != count:
        return None
    return source
