"""Lowering of linear algebra: small matrices as scalars, others by LAPACK."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.compiler.loops import Const, Expr, Write
from pullback.compiler.lowering import large_matrices as large
from pullback.compiler.lowering import small_matrices as small
from pullback.compiler.lowering.arrays import Array, Elements, Stored, number, points
from pullback.compiler.lowering.context import Context, literal
from pullback.compiler.lowering.elementwise import converted, unrolled
from pullback.compiler.lowering.external import each
from pullback.compiler.lowering.factors import lower_triangle, mark_lower
from pullback.compiler.lowering.memory import broadcast, nest
from pullback.compiler.lowering.places import Affine
from pullback.compiler.lowering.scope import Scope
from pullback.compiler.lowering.small_matrices import Matrix
from pullback.core.shapes import shape_of
from pullback.graph.program import Equation

__all__ = ["LINEAR_ALGEBRA", "is_factorised", "linear_algebra"]

_STRAIGHT = 8
"""Up to which order a matrix is scalars where nothing is exchanged."""

_PIVOTED = 4
"""The same where rows are exchanged, which takes more code than it saves time beyond."""

_COFACTORS = 4
"""Up to which order cofactors are sums of products; beyond, they take singular values."""

_COLUMNS = 8
"""Up to how many right sides are solved for one after the other, without a loop."""

Indices = Sequence[Affine]
Targets = Sequence[Stored | None]
_Kernel = Callable[..., list[list[Expr]]]
"""``kernel(scope, *matrices)``: for each result its elements."""


def is_factorised(equation: Equation) -> bool:
    """Whether it is worth while that the arguments are in memory."""
    known = equation.primitive.name in LINEAR_ALGEBRA
    return known and shape_of(equation.inputs[0])[-1] > _PIVOTED


def linear_algebra(
    context: Context, scope: Scope, equation: Equation, args: Sequence[Any], targets: Targets
) -> list[Array] | None:
    """The results for matrices; `None` if they stay NumPy's."""
    outs = equation.outputs
    dtype = outs[0].dtype.name
    if dtype not in ("float64", "float32"):
        return None
    arrays = [converted(x if isinstance(x, Array) else literal(scope, x), dtype) for x in args]
    if not arrays[0].shape[-1] or 0 in np.broadcast_shapes(*(x.shape[:-2] for x in arrays)):
        return [_of_nothing(context, scope, out, i) for i, out in enumerate(outs)]
    return LINEAR_ALGEBRA[equation.primitive.name](context, scope, arrays, outs, targets)


def _of_nothing(context: Context, scope: Scope, out: Any, position: int) -> Array:
    """Results for matrices without elements, or none: a determinant is 1, its logarithm 0."""
    dtype = out.dtype.name
    room = context.memory.buffer(out.shape, dtype)
    context.memory.fill(scope, room, literal(scope, 1.0 - position, dtype))
    return room


# -- as scalars -----------------------------------------------------------------------------------


def _straight(
    context: Context,
    scope: Scope,
    args: Sequence[Array],
    outs: Sequence[Any],
    targets: Targets,
    kernel: _Kernel,
) -> list[Array]:
    """One matrix as scalars; those of a batch in a loop, or several side by side."""
    lead = np.broadcast_shapes(*(x.shape[:-2] for x in args))
    if math.prod(lead) == 1:
        flat = [unrolled(context, scope, x) if x.size <= context.small else x for x in args]
        for x in flat:
            context.memory.prepare(scope, x)
        at = (Affine(),) * len(lead)
        found = kernel(scope, *(_entries(scope, x, at) for x in flat))
        return [
            Elements(shape=out.shape, dtype=out.dtype.name, values=tuple(values))
            for out, values in zip(outs, found, strict=True)
        ]
    rooms = [
        target or context.memory.buffer(out.shape, out.dtype.name)
        for out, target in zip(outs, targets, strict=True)
    ]
    for x in args:
        context.memory.prepare(scope, x)

    def writes(inner: Scope, at: tuple[Affine, ...]) -> list[Write]:
        found = kernel(inner, *(_entries(inner, x, at) for x in args))
        return [
            Write(room.place([*at, *place]), value)
            for room, values in zip(rooms, found, strict=True)
            for place, value in zip(points(room.shape[len(at) :]), values, strict=True)
        ]

    scope.add(nest(scope, lead, writes))
    for room in rooms:
        scope.forget(room.buffer)
    return [*rooms]


def _entries(scope: Scope, array: Array, at: Indices) -> Matrix:
    """The elements of a matrix of a batch."""
    m, n = array.shape[-2:]
    lower = lower_triangle(scope, array)
    zero = number(scope, 0, array.dtype)

    def entry(i: int, j: int) -> Expr:
        if lower is not None and (j > i if lower else j < i):
            return zero
        return array.element(scope, broadcast((*at, Affine(i), Affine(j)), array.shape))

    return [[entry(i, j) for j in range(n)] for i in range(m)]


def _is_triangular(scope: Scope, a: Array) -> bool:
    """Whether it is known before that there is nothing above or below the diagonal."""
    if lower_triangle(scope, a) is not None:
        return True
    if a.shape[-1] > _STRAIGHT or any(isinstance(x, Stored) for x in a.sources_within):
        return False
    at = (Affine(),) * (len(a.shape) - 2)
    return a.size == a.shape[-1] ** 2 and _triangle(_entries(scope.inside(), a, at)) is not None


def _triangle(a: Matrix) -> bool | None:
    """Whether there are constants 0 above the diagonal; `False` for those below it."""
    for lower in (True, False):
        others = [x for i, row in enumerate(a) for x in (row[i + 1 :] if lower else row[:i])]
        if others and all(isinstance(x, Const) and x.value == 0 for x in others):
            return lower
    return None


def _solver(
    context: Context, scope: Scope, a: Matrix
) -> Callable[[Scope, Sequence[Expr]], list[Expr]]:
    """What solves Ax = b for b, in this scope or one inside; a singular A is an error."""
    lower = _triangle(a)
    if lower is not None:
        scope.check(small.regular(scope, a), context.error(*large.SINGULAR))
        return lambda scope, b: small.substituted(scope, a, b, lower=lower)
    done = small.eliminated(scope, a)
    scope.check(small.regular(scope, done.upper), context.error(*large.SINGULAR))
    return lambda scope, b: small.solved(scope, done, b)


# -- by primitive ---------------------------------------------------------------------------------


def _cholesky(context: Context, scope: Scope, args: Sequence[Array], outs: Any, to: Targets) -> Any:
    def kernel(scope: Scope, a: Matrix) -> list[list[Expr]]:
        lower, holds = small.factorised(scope, a)
        scope.check(holds, context.error(*large.INDEFINITE))
        return [[*itertools.chain(*lower)]]

    if args[0].shape[-1] > _STRAIGHT:
        return large.cholesky(context, scope, args[0], to[0])
    found = _straight(context, scope, args, outs, to, kernel)
    for x in found:
        if isinstance(x, Stored):
            mark_lower(scope, x)
    return found


def _inv(context: Context, scope: Scope, args: Sequence[Array], outs: Any, to: Targets) -> Any:
    def kernel(scope: Scope, a: Matrix) -> list[list[Expr]]:
        solve = _solver(context, scope, a)
        columns = [solve(scope, column) for column in small.identity(len(a), a[0][0].dtype)]
        return [[x for row in zip(*columns, strict=True) for x in row]]

    if args[0].shape[-1] <= _PIVOTED:
        return _straight(context, scope, args, outs, to, kernel)
    return large.inv(context, scope, args[0])


def _det(context: Context, scope: Scope, args: Sequence[Array], outs: Any, to: Targets) -> Any:
    def kernel(scope: Scope, a: Matrix) -> list[list[Expr]]:
        return [[small.determinant(scope, small.eliminated(scope, a))]]

    if args[0].shape[-1] <= _PIVOTED:
        return _straight(context, scope, args, outs, to, kernel)
    return large.det(context, scope, args[0], to)


def _slogdet(context: Context, scope: Scope, args: Sequence[Array], outs: Any, to: Targets) -> Any:
    def kernel(scope: Scope, a: Matrix) -> list[list[Expr]]:
        both = small.sign_and_logarithm(scope, small.eliminated(scope, a))
        return [[one] for one in both]

    if args[0].shape[-1] <= _PIVOTED:
        return _straight(context, scope, args, outs, to, kernel)
    return large.slogdet(context, scope, args[0], to)


def _cofactors(
    context: Context, scope: Scope, args: Sequence[Array], outs: Any, to: Targets
) -> Any:
    def kernel(scope: Scope, a: Matrix) -> list[list[Expr]]:
        return [[*itertools.chain(*small.cofactors(scope, a))]]

    if args[0].shape[-1] <= _COFACTORS:
        return _straight(context, scope, args, outs, to, kernel)
    return None


def _solve(context: Context, scope: Scope, args: Sequence[Array], outs: Any, to: Targets) -> Any:
    def kernel(scope: Scope, a: Matrix, b: Matrix) -> list[list[Expr]]:
        solve = _solver(context, scope, a)
        columns = [solve(scope, column) for column in zip(*b, strict=True)]
        return [[x for row in zip(*columns, strict=True) for x in row]]

    a, b = args
    shape = outs[0].shape
    if shape[-2] > (_STRAIGHT if _is_triangular(scope, a) else _PIVOTED):
        return large.solve(context, scope, a, b, shape, to[0])
    if shape[-1] and shape[-1] <= _COLUMNS:
        return _straight(context, scope, args, outs, to, kernel)
    room = to[0] or context.memory.buffer(shape, a.dtype)
    context.memory.prepare(scope, a)
    context.memory.prepare(scope, b)

    def body(scope: Scope, at: tuple[Affine, ...]) -> None:
        solve = _solver(context, scope, _entries(scope, a, at))

        def writes(inner: Scope, index: tuple[Affine, ...]) -> list[Write]:
            places = [(*at, Affine(i), *index) for i in range(shape[-2])]
            column = [b.element(inner, broadcast(place, b.shape)) for place in places]
            x = solve(inner, column)
            return [Write(room.place(place), one) for place, one in zip(places, x, strict=True)]

        scope.add(nest(scope, shape[-1:], writes))

    each(scope, shape[:-2], body)
    scope.forget(room.buffer)
    return [room]


LINEAR_ALGEBRA: dict[str, Callable[..., list[Array] | None]] = {
    "cholesky": _cholesky,
    "cofactors": _cofactors,
    "det": _det,
    "inv": _inv,
    "slogdet": _slogdet,
    "solve": _solve,
}
