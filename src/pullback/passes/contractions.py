"""Contractions: sums of products that are one matrix product, and sums of matrix products.

No product is moved out of a sum unless the factor is known to be finite: a·x + b·x may be NaN where
(a + b)·x is infinite, if x is and a is 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from pullback.core.primitive import Primitive
from pullback.core.shapes import shape_of
from pullback.core.tracing import is_plain
from pullback.graph.program import Atom
from pullback.graph.variable import Variable
from pullback.passes.bounds import bound
from pullback.passes.layout import padded, reshaped
from pullback.passes.rewriting import Pass, Rewriting
from pullback.rules import reductions
from pullback.rules.arithmetic import add, multiply, subtract
from pullback.rules.contractions import matmul
from pullback.rules.shaping import reshape, transpose

__all__ = ["simplify_contractions"]

simplify_contractions = Pass()


# -- sums of products -----------------------------------------------------------------------------


class Roles(NamedTuple):
    """What the axes of a product are for a sum of it: which of the factors has them.

    Attributes
    ----------
    batch, left, right : list of int
        Axes of both, or of one alone, that are kept.
    inner : list of int
        Axes of both that are summed over.
    """

    batch: list[int]
    left: list[int]
    right: list[int]
    inner: list[int]


@simplify_contractions.rewrites(reductions.sum)
def _sum_of_product(
    rw: Rewriting, y: Variable, x: Atom, *, axis: Any = None, keepdims: bool = False
) -> Atom | None:
    """Σₖ aᵢₖbⱼₖ is a matrix product, which needs no array of all products.

    A sum whose terms are no more than the elements of a factor is left as it is: what the factors
    are made of may be computed along with it.
    """
    equation = rw.made_by(x, multiply) if type(x) is Variable and rw.used_once(x) else None
    if equation is None or type(x) is not Variable or y.dtype.char not in "fdFD" or not x.size:
        return None
    a, b = equation.inputs
    if not all(type(each) is Variable and each.dtype == y.dtype for each in (a, b)):
        return None
    roles = _roles(padded(shape_of(a), x.ndim), padded(shape_of(b), x.ndim), x.shape, axis)
    if roles is None or not (roles.left and roles.right and roles.inner):
        return None
    batch, left, right, inner = roles
    first = _matrices(rw, a, x.ndim, (batch, left, inner))
    second = _matrices(rw, b, x.ndim, (batch, inner, right))
    order = [*batch, *left, *right]
    product = reshaped(rw, rw.bind(matmul, first, second), tuple(x.shape[i] for i in order))
    axes = tuple(order.index(i) for i in sorted(order))
    return reshaped(rw, rw.bind(transpose, product, axes=axes), y.shape)


def _roles(a: Sequence[int], b: Sequence[int], shape: Sequence[int], axis: Any) -> Roles | None:
    """The roles of the axes of more than one place; `None` if one is summed that a factor lacks."""
    rank = len(shape)
    given = range(rank) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    summed = {each % rank for each in given}
    roles = Roles([], [], [], [])
    for i, (m, n) in enumerate(zip(a, b, strict=True)):
        if shape[i] == 1:
            continue
        if i in summed:
            if m != n:
                return None
            roles.inner.append(i)
        else:
            (roles.batch if m == n else roles.right if m == 1 else roles.left).append(i)
    return roles


def _matrices(rw: Rewriting, a: Atom, rank: int, groups: Sequence[Sequence[int]]) -> Atom:
    """A factor with the axes of each group together, those of the second and third as one each."""
    shape = padded(shape_of(a), rank)
    batch, rows, columns = groups
    order = [*batch, *rows, *columns]
    kept = sorted(order)
    a = reshaped(rw, a, tuple(shape[i] for i in kept))
    a = rw.bind(transpose, a, axes=tuple(kept.index(i) for i in order))
    sizes = (math.prod([shape[i] for i in rows]), math.prod([shape[i] for i in columns]))
    return reshaped(rw, a, (*(shape[i] for i in batch), *sizes))


# -- sums of matrix products ----------------------------------------------------------------------


@simplify_contractions.rewrites_each(add, subtract)
def _merged(primitive: Primitive, rw: Rewriting, z: Variable, x: Atom, y: Atom) -> Atom | None:
    """AX ± BX = (A ± B)X and XA ± XB = X(A ± B), of a finite X that is no smaller than the rest."""
    one, other = rw.made_by(x, matmul), rw.made_by(y, matmul)
    if one is None or other is None or z.dtype.kind not in "fc" or x is y:
        return None
    if not (rw.used_once(x) and rw.used_once(y)) or not shape_of(x) == shape_of(y) == z.shape:
        return None
    for place in (0, 1):
        shared, a, b = one.inputs[1 - place], one.inputs[place], other.inputs[place]
        if shared is not other.inputs[1 - place] or not _alike(a, b, shared, z):
            continue
        if a.size > max(shared.size, z.size) or bound(rw, shared) == math.inf:
            continue
        both = rw.bind(primitive, a, b)
        return rw.bind(matmul, *((both, shared) if place == 0 else (shared, both)))
    return None


def _alike(a: Atom, b: Atom, shared: Atom, z: Variable) -> bool:
    """Whether two factors have one shape, and all have the dtype of the result."""
    return shape_of(a) == shape_of(b) and all(
        type(x) is Variable and x.dtype == z.dtype for x in (a, b, shared)
    )


# -- vectors and outer products --------------------------------------------------------------------


@simplify_contractions.rewrites(reshape)
def _of_a_vector(rw: Rewriting, y: Variable, x: Atom, **_: Any) -> Atom | None:
    """A product with a matrix of one column, or of one row, is one with a vector."""
    equation = rw.made_by(x, matmul) if len(y.shape) == 1 and rw.used_once(x) else None
    if equation is None:
        return None
    a, b = equation.inputs
    if not len(shape_of(a)) == len(shape_of(b)) == 2:
        return None
    if shape_of(b)[1] == 1:
        return rw.bind(matmul, a, rw.bind(reshape, b, shape=shape_of(b)[:1]))
    if shape_of(a)[0] == 1:
        return rw.bind(matmul, rw.bind(reshape, a, shape=shape_of(a)[1:]), b)
    return None


@simplify_contractions.rewrites(matmul)
def _outer(rw: Rewriting, c: Variable, a: Atom, b: Atom) -> Atom | None:
    """A column times a row is a product of numbers, which other such products can be joined to."""
    matrices = len(shape_of(a)) >= 2 <= len(shape_of(b))
    return rw.bind_like(c, multiply, a, b) if matrices and shape_of(a)[-1] == 1 else None


@simplify_contractions.rewrites(matmul)
def _symmetric(rw: Rewriting, _y: Variable, a: Atom, b: Atom) -> Atom | None:
    """xS = Sx for a constant matrix that is symmetric."""
    if len(shape_of(a)) != 1 or b not in rw.constants or not _is_symmetric(rw, b):
        return None
    return rw.bind(matmul, b, a)


def _is_symmetric(rw: Rewriting, x: Variable) -> bool:
    key = (_is_symmetric, x)
    found: bool | None = rw.notes.get(key)
    if found is None:
        value = rw.constants[x]
        found = x.ndim == 2 and is_plain(value, np.ndarray) and np.array_equal(value, value.T)
        rw.notes[key] = found
    return found
