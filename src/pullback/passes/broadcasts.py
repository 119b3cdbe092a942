"""Broadcasts: what is repeated is computed once.

A function that acts element by element is applied to what its arguments repeat, and its result is
repeated; where some argument is not a repetition, the function itself repeats the others. Constants
that are filled with one number thereby become that number. The rows of a matrix product that are
repetitions of one row are computed once.
"""

from __future__ import annotations

import numpy as np

from pullback.core.shapes import shape_of
from pullback.graph.program import Atom, Equation
from pullback.graph.variable import Variable
from pullback.passes.layout import padded
from pullback.passes.rewriting import Pass, Rewriting
from pullback.rules import reductions
from pullback.rules.contractions import matmul
from pullback.rules.shaping import broadcast_to

__all__ = ["simplify_broadcasts"]


def _narrow(rw: Rewriting, equation: Equation) -> tuple[Atom, ...] | None:
    """The function of what the inputs repeat, if any of them is a repetition."""
    sources, primitive, inputs = rw.sources, equation.primitive, equation.inputs
    for x in inputs:
        if type(x) is Variable and x in sources:
            break
    else:
        return None
    if not primitive.structure.elementwise or any(
        isinstance(p, np.ndarray) for p in equation.params.values()
    ):
        return None
    narrow = [sources.get(x, x) if type(x) is Variable else x for x in inputs]
    results = rw.bind(primitive, *narrow, **equation.params)
    return results if primitive.multiple else (results,)


simplify_broadcasts = Pass(general=_narrow)


# -- matrix products ------------------------------------------------------------------------------


@simplify_broadcasts.rewrites(matmul)
def _matmul(rw: Rewriting, c: Variable, a: Atom, b: Atom) -> Atom | None:
    """Of equal rows on the left, or equal columns on the right, one; times ones, a sum."""
    first, second = _one_row(rw, a, -2), _one_row(rw, b, -1)
    if first is not a or second is not b:
        narrow = rw.bind(matmul, first, second)
        return rw.bind(broadcast_to, narrow, shape=c.shape)
    if c.dtype.kind not in "fc":
        return None
    if rw.filled_with(a, 1) and a.dtype == c.dtype == b.dtype and a.ndim <= 2:
        return rw.bind(reductions.sum, b, axis=_place(b, -2), keepdims=a.ndim == 2 <= b.ndim)
    if rw.filled_with(b, 1) and b.dtype == c.dtype == a.dtype and b.ndim <= 2:
        return rw.bind(reductions.sum, a, axis=a.ndim - 1, keepdims=b.ndim == 2)
    return None


def _place(b: Variable, axis: int) -> int:
    """The axis of the right factor that is summed over."""
    return b.ndim + axis if b.ndim > 1 else 0


def _one_row(rw: Rewriting, a: Atom, axis: int) -> Atom:
    """A factor with extent 1 along an axis that is not summed over, if it is repeated there."""
    source = rw.source(a)
    if source is None or a.ndim < 2 or a.shape[axis] == 1:
        return a
    shape = list(a.shape)
    if padded(shape_of(source), a.ndim)[axis] != 1:
        return a
    shape[axis] = 1
    return rw.bind(broadcast_to, source, shape=tuple(shape))
