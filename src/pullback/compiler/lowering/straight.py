"""Small matrices in a program: their elements as scalars, one matrix alone or those of a batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pullback.compiler.loops import Const, Expr, Write
from pullback.compiler.lowering import small_matrices as small
from pullback.compiler.lowering.arrays import Array, Elements, Stored, number, points
from pullback.compiler.lowering.context import Context
from pullback.compiler.lowering.elementwise import unrolled
from pullback.compiler.lowering.external import each
from pullback.compiler.lowering.factors import lower_triangle
from pullback.compiler.lowering.large_matrices import SINGULAR
from pullback.compiler.lowering.memory import broadcast, nest
from pullback.compiler.lowering.pairs import COMPLEX
from pullback.compiler.lowering.places import Affine
from pullback.compiler.lowering.scope import Scope
from pullback.compiler.lowering.small_matrices import Matrix

__all__ = ["Solver", "Work", "by_columns", "entries", "solver", "straight", "triangle_of"]

Kernel = Callable[..., list[list[Expr]]]
"""``kernel(scope, *matrices)``: for each result its elements."""

Solver = Callable[[Scope, Sequence[Expr]], list[Expr]]
"""``solve(scope, b)`` is x of Ax = b."""


@dataclass(frozen=True)
class Work:
    """A primitive's results that are wanted.

    Attributes
    ----------
    context : Context
    scope : Scope
    args : tuple of Array
        Of the dtype of the results.
    outs : tuple of Variable
    targets : tuple of Stored or None
        Where the results are wanted.
    params : dict
    """

    context: Context
    scope: Scope
    args: tuple[Array, ...]
    outs: tuple[Any, ...]
    targets: tuple[Stored | None, ...]
    params: dict[str, Any]

    @property
    def order(self) -> int:
        """That of the matrices."""
        return self.args[0].shape[-1]

    def room(self, position: int = 0) -> Stored:
        """Memory for a result."""
        out = self.outs[position]
        return self.targets[position] or self.context.memory.buffer(out.shape, out.dtype.name)

    def is_small(self, extent: int, most: int) -> bool:
        """Whether an extent is at most this, for any size of the arguments, of real matrices."""
        real = self.args[0].dtype not in COMPLEX
        return real and self.context.memory.is_small((extent,), most)


def straight(work: Work, kernel: Kernel, *args: Array) -> list[Array]:
    """One matrix as scalars; those of a batch side by side in a loop."""
    context, scope = work.context, work.scope
    lead = np.broadcast_shapes(*(x.shape[:-2] for x in args))
    if math.prod(lead) == 1:
        flat = [unrolled(context, scope, x) if context.is_small(x.shape) else x for x in args]
        for x in flat:
            context.memory.prepare(scope, x)
        found = kernel(scope, *(entries(scope, x, (Affine(),) * len(lead)) for x in flat))
        return [
            Elements(shape=out.shape, dtype=out.dtype.name, values=tuple(values))
            for out, values in zip(work.outs, found, strict=True)
        ]
    rooms = [work.room(position) for position in range(len(work.outs))]
    for x in args:
        context.memory.prepare(scope, x)

    def writes(inner: Scope, at: tuple[Affine, ...]) -> list[Write]:
        found = kernel(inner, *(entries(inner, x, at) for x in args))
        return [
            Write(room.place([*at, *place]), value)
            for room, values in zip(rooms, found, strict=True)
            for place, value in zip(points(room.shape[len(at) :]), values, strict=True)
        ]

    scope.add(nest(scope, lead, writes))
    for room in rooms:
        scope.forget(room.buffer)
    return [*rooms]


def by_columns(
    work: Work, a: Array, b: Array, factorise: Callable[[Scope, Matrix], Solver]
) -> list[Array]:
    """X of AX = B for many right sides, which are columns: what solves is found once."""
    context, scope = work.context, work.scope
    *lead, n, count = work.outs[0].shape
    room = work.room()
    context.memory.prepare(scope, a)
    context.memory.prepare(scope, b)

    def body(scope: Scope, at: tuple[Affine, ...]) -> None:
        solve = factorise(scope, entries(scope, a, at))

        def writes(inner: Scope, index: tuple[Affine, ...]) -> list[Write]:
            places = [(*at, Affine(i), *index) for i in range(n)]
            column = [b.element(inner, broadcast(place, b.shape)) for place in places]
            x = solve(inner, column)
            return [Write(room.place(place), one) for place, one in zip(places, x, strict=True)]

        scope.add(nest(scope, (count,), writes))

    each(scope, lead, body)
    scope.forget(room.buffer)
    return [room]


def entries(scope: Scope, array: Array, at: Sequence[Affine]) -> Matrix:
    """The elements of a matrix of a batch."""
    m, n = array.shape[-2:]
    lower = lower_triangle(scope, array)
    zero = number(scope, 0, array.dtype)

    def entry(i: int, j: int) -> Expr:
        if lower is not None and (j > i if lower else j < i):
            return zero
        return array.element(scope, broadcast((*at, Affine(i), Affine(j)), array.shape))

    return [[entry(i, j) for j in range(n)] for i in range(m)]


def triangle_of(a: Matrix) -> bool | None:
    """Whether there are constants 0 above the diagonal; `False` for those below it."""
    for lower in (True, False):
        others = [x for i, row in enumerate(a) for x in (row[i + 1 :] if lower else row[:i])]
        if others and all(isinstance(x, Const) and x.value == 0 for x in others):
            return lower
    return None


def solver(context: Context, scope: Scope, a: Matrix, *, adjoint: bool = False) -> Solver:
    """What solves with A, or with Aᵀ, here or in a scope inside; a singular A is an error."""
    lower = triangle_of(a)
    if lower is None:
        done = small.eliminated(scope, a)
        scope.check(small.regular(scope, done.pivots), context.error(*SINGULAR))
        return lambda scope, b: small.solved(scope, done, b, adjoint=adjoint)
    pivots = [row[k] for k, row in enumerate(a)]
    scope.check(small.regular(scope, pivots), context.error(*SINGULAR))
    t = small.transposed(a) if adjoint else a
    return lambda scope, b: small.substituted(scope, t, b, lower=lower != adjoint)
