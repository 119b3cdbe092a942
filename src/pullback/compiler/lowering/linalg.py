"""Lowering of linear algebra: small matrices as scalars, others by LAPACK."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.compiler.loops import Const, Expr
from pullback.compiler.lowering import large_matrices as large
from pullback.compiler.lowering import small_matrices as small
from pullback.compiler.lowering.arrays import Array, Stored
from pullback.compiler.lowering.context import Context, literal
from pullback.compiler.lowering.elementwise import converted, elementwise_of
from pullback.compiler.lowering.external import LETTERS
from pullback.compiler.lowering.factors import (
    factors_from,
    factors_of,
    is_regular,
    lower_triangle,
    mark_lower,
)
from pullback.compiler.lowering.pairs import COMPLEX
from pullback.compiler.lowering.places import Affine
from pullback.compiler.lowering.scope import Scope
from pullback.compiler.lowering.small_matrices import Matrix
from pullback.compiler.lowering.straight import (
    Solver,
    Work,
    by_columns,
    entries,
    solver,
    straight,
    triangle_of,
)
from pullback.core.shapes import shape_of
from pullback.graph.program import Equation

__all__ = ["LINEAR_ALGEBRA", "is_factorised", "linear_algebra"]

_STRAIGHT = 8
"""Up to which order a matrix is scalars where nothing is exchanged."""

_PIVOTED = 4
"""The same where rows are exchanged, which takes more code than it saves time beyond."""

_PIVOTED_BATCH, _BATCH = 6, 64
"""The same for so many matrices, which vectors take in several at once."""

_COLUMNS = 8
"""Up to how many right sides are solved for one after the other, without a loop."""

_PRODUCTS = 256
"""Up to how many products that takes for one matrix."""

_INTEGERS = {("solve_factored", 2)}
"""Arguments that are no floating-point numbers."""

Results = list[Array] | None


def is_factorised(equation: Equation) -> bool:
    """Whether it is worth while that the arguments are in memory."""
    known = equation.primitive.name in LINEAR_ALGEBRA
    return known and shape_of(equation.inputs[0])[-1] > _PIVOTED


def linear_algebra(
    context: Context,
    scope: Scope,
    equation: Equation,
    args: Sequence[Any],
    targets: Sequence[Stored | None],
) -> Results:
    """The results for matrices; `None` if they stay NumPy's."""
    outs = equation.outputs
    dtype = outs[0].dtype.name
    if dtype not in LETTERS:
        return None
    arrays = tuple(
        converted(x, x.dtype if (equation.primitive.name, i) in _INTEGERS else dtype)
        for i, x in enumerate(x if isinstance(x, Array) else literal(scope, x) for x in args)
    )
    work = Work(context, scope, arrays, tuple(outs), tuple(targets), equation.params)
    if not work.order or 0 in np.broadcast_shapes(*(x.shape[:-2] for x in (arrays[0], arrays[-1]))):
        return [_of_nothing(work, position) for position in range(len(outs))]
    return LINEAR_ALGEBRA[equation.primitive.name](work)


def _of_nothing(work: Work, position: int) -> Array:
    """Results for matrices without elements, or none: a determinant is 1, its logarithm 0."""
    room = work.room(position)
    work.context.memory.fill(work.scope, room, literal(work.scope, 1 - position, room.dtype))
    return room


def _is_straight(work: Work) -> bool:
    """Whether elimination with an exchange of rows is for scalars."""
    count = math.prod(work.args[0].shape[:-2])
    return work.is_small(work.order, _PIVOTED_BATCH if count >= _BATCH else _PIVOTED)


# -- by primitive ---------------------------------------------------------------------------------


def _cholesky(work: Work) -> Results:
    def kernel(scope: Scope, a: Matrix) -> list[list[Expr]]:
        lower, holds = small.factorised(scope, a)
        scope.check(holds, work.context.error(*large.INDEFINITE))
        return [[*itertools.chain(*lower)]]

    (a,) = work.args
    if not work.is_small(work.order, _STRAIGHT):
        return large.cholesky(work.context, work.scope, a, work.targets[0])
    found = straight(work, kernel, a)
    for x in found:
        if isinstance(x, Stored):
            mark_lower(work.scope, x)
    return found


def _inv(work: Work) -> Results:
    def kernel(scope: Scope, a: Matrix) -> list[list[Expr]]:
        solve = solver(work.context, scope, a)
        columns = [solve(scope, column) for column in small.identity(len(a), a[0][0].dtype)]
        return [_by_rows(columns)]

    (a,) = work.args
    if _is_straight(work):
        return straight(work, kernel, a)
    return large.inv(work.context, work.scope, a)


def _by_rows(columns: Sequence[Sequence[Expr]]) -> list[Expr]:
    return [x for row in zip(*columns, strict=True) for x in row]


def _det(work: Work) -> Results:
    def kernel(scope: Scope, a: Matrix) -> list[list[Expr]]:
        return [[small.determinant(scope, small.eliminated(scope, a))]]

    (a,) = work.args
    if _is_straight(work):
        return straight(work, kernel, a)
    if a.dtype in COMPLEX:
        return None
    return large.det(work.context, work.scope, a, work.targets)


def _slogdet(work: Work) -> Results:
    def kernel(scope: Scope, a: Matrix) -> list[list[Expr]]:
        both = small.sign_and_logarithm(scope, small.eliminated(scope, a))
        return [[one] for one in both]

    (a,) = work.args
    if _is_straight(work):
        return straight(work, kernel, a)
    if a.dtype in COMPLEX:
        return None
    return large.slogdet(work.context, work.scope, a, work.targets)


def _cofactors(work: Work) -> Results:
    """Of larger matrices they come from singular values, which NumPy finds."""

    def kernel(scope: Scope, a: Matrix) -> list[list[Expr]]:
        return [[*itertools.chain(*small.cofactors(scope, a))]]

    return straight(work, kernel, *work.args) if work.is_small(work.order, _PIVOTED) else None


def _solve(work: Work) -> Results:
    a, b = work.args
    triangular = _is_triangular(work.scope, a) and work.is_small(work.order, _STRAIGHT)
    if not (triangular or _is_straight(work)):
        return large.solve(work.context, work.scope, a, b, work.outs[0].shape, work.targets[0])
    return _solved(work, a, b, lambda scope, a: solver(work.context, scope, a))


def _solved(
    work: Work, a: Array, b: Array, factorise: Callable[[Scope, Matrix], Solver]
) -> list[Array]:
    """X of AX = B for a small A: a few right sides one after the other, many in a loop."""

    def kernel(scope: Scope, a: Matrix, b: Matrix) -> list[list[Expr]]:
        solve = factorise(scope, a)
        return [_by_rows([solve(scope, column) for column in zip(*b, strict=True)])]

    count = work.outs[0].shape[-1]
    alone = len(work.outs[0].shape) == 2
    few = not alone or count * work.order**2 <= _PRODUCTS
    if count and few and work.is_small(count, _COLUMNS):
        return straight(work, kernel, a, b)
    return by_columns(work, a, b, factorise)


def _is_triangular(scope: Scope, a: Array) -> bool:
    """Whether it is known before that there is nothing above or below the diagonal."""
    if lower_triangle(scope, a) is not None:
        return True
    if a.shape[-1] > _STRAIGHT or any(isinstance(x, Stored) for x in a.sources_within):
        return False
    at = (Affine(),) * (len(a.shape) - 2)
    return a.size == a.shape[-1] ** 2 and triangle_of(entries(scope.inside(), a, at)) is not None


def _triangular_solve(work: Work) -> Results:
    """The other triangle is not read."""
    t, b = work.args
    lower, adjoint = work.params.get("lower", True), work.params.get("adjoint", False)

    def factorise(scope: Scope, t: Matrix) -> Solver:
        zero = Const(0.0, t[0][0].dtype)
        kept = [
            [x if (j <= i if lower else j >= i) else zero for j, x in enumerate(row)]
            for i, row in enumerate(t)
        ]
        return solver(work.context, scope, kept, adjoint=adjoint)

    if work.is_small(work.order, _STRAIGHT):
        return _solved(work, t, b, factorise)
    triangle = large.Triangle(work.context.memory.stored(work.scope, t), lower, adjoint)
    wanted = work.outs[0].shape, work.targets[0]
    return large.triangular_solve(work.context, work.scope, triangle, b, wanted)


def _factorise(work: Work) -> Results:
    """P, L and U of a single matrix."""
    context, scope, (a,) = work.context, work.scope, work.args

    def kernel(scope: Scope, a: Matrix) -> list[list[Expr]]:
        done = small.eliminated(scope, a)
        scope.check(small.regular(scope, done.pivots), context.error(*large.SINGULAR))
        return [[*itertools.chain(*done.rows)], small.places(scope, done)]

    if len(a.shape) > 2:
        return None
    if _is_straight(work):
        return straight(work, kernel, a)
    factors = factors_of(context, scope, a, either=False)
    if factors is None:
        return None
    scope.check(is_regular(scope, factors, ()), context.error(*large.SINGULAR))
    dtype = work.outs[1].dtype.name
    places = converted(factors.pivots, dtype)
    return [factors.lu, elementwise_of("subtract", dtype, places, literal(scope, 1, dtype))]


def _solve_factored(work: Work) -> Results:
    """Of a small matrix the factors are found again, which is the same computation."""
    a, lu, places, b = work.args
    context, scope, adjoint = work.context, work.scope, work.params.get("adjoint", False)
    shape = work.outs[0].shape
    if len(shape) > 2:
        return None
    if work.is_small(work.order, _PIVOTED):
        return _solved(work, a, b, lambda scope, a: solver(context, scope, a, adjoint=adjoint))
    factors = factors_from(context, scope, lu, places, adjoint=adjoint)
    return large.solve_factored(context, scope, factors, b, (shape, work.targets[0]))


LINEAR_ALGEBRA: dict[str, Callable[[Work], Results]] = {
    "cholesky": _cholesky,
    "cofactors": _cofactors,
    "det": _det,
    "factorise": _factorise,
    "inv": _inv,
    "slogdet": _slogdet,
    "solve": _solve,
    "solve_factored": _solve_factored,
    "triangular_solve": _triangular_solve,
}
"""By the name of the primitive."""
