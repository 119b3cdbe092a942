"""Linear algebra by LAPACK, in place on copies that lie as it wants them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from pullback.compiler.loops import Const, Expr, Write
from pullback.compiler.lowering.arrays import Array, Elements, Stored, number
from pullback.compiler.lowering.context import Context
from pullback.compiler.lowering.external import (
    Argument,
    each,
    integer,
    letter,
    matrix,
    packed,
    routine,
    run,
    turned,
)
from pullback.compiler.lowering.factors import (
    Factors,
    factors_of,
    is_regular,
    lower_triangle,
    mark_lower,
)
from pullback.compiler.lowering.memory import broadcast, nest
from pullback.compiler.lowering.places import ZERO, Affine
from pullback.compiler.lowering.scope import Scope

__all__ = ["INDEFINITE", "SINGULAR", "cholesky", "det", "inv", "slogdet", "solve"]

SINGULAR = (np.linalg.LinAlgError, "Singular matrix")
INDEFINITE = (np.linalg.LinAlgError, "Matrix is not positive definite")
"""What NumPy raises."""

_BLOCK = 64
"""How many columns of working memory an inversion gets."""

Indices = tuple[Affine, ...]
_Value = Callable[[Scope, Expr, Expr], list[Expr]]
"""Of a sign and a logarithm."""


def cholesky(context: Context, scope: Scope, a: Array, target: Stored | None) -> list[Array] | None:
    """L of A = LLᵀ: to LAPACK L is an upper triangle, as it lies row by row."""
    *lead, n, _ = a.shape
    symbol = routine("potrf", a.dtype, n)
    if symbol is None:
        return None
    room = target or context.memory.buffer(a.shape, a.dtype)
    context.memory.prepare(scope, a)

    def triangle(inner: Scope, indices: Indices) -> list[Write]:
        i, j = (inner.index(index) for index in indices[-2:])
        kept, value = inner.op("less_equal", j, i), a.element(inner, indices)
        value = inner.op("select", kept, value, number(inner, 0, a.dtype))
        return [Write(room.place(indices), value)]

    scope.add(nest(scope, a.shape, triangle))
    scope.forget(room.buffer)

    def body(scope: Scope, at: Indices) -> None:
        size = integer(n)
        given: list[Argument] = [letter("U"), size, matrix(room, at), size]
        info = run(scope, symbol, given, [2], fails=True)
        assert info is not None
        holds = scope.op("equal", info, integer(0))
        scope.check(holds, context.error(*INDEFINITE))

    each(scope, lead, body)
    scope.forget(room.buffer)
    mark_lower(scope, room)
    return [room]


def solve(
    context: Context,
    scope: Scope,
    a: Array,
    b: Array,
    shape: tuple[int, ...],
    target: Stored | None,
) -> list[Array] | None:
    """X of AX = B, which has this shape; a triangular A needs no factors."""
    *lead, n, count = shape
    lower = lower_triangle(scope, a)
    if lower is not None:
        assert isinstance(a, Stored)
        return _substituted(context, scope, a, b, lower, (shape, target))
    symbol = routine("getrs", a.dtype, n, count)
    factors = None if symbol is None else factors_of(context, scope, a)
    if symbol is None or factors is None:
        return None
    x = _right_sides(context, scope, b, shape, target, columns=True)

    def body(scope: Scope, at: Indices) -> None:
        own = broadcast(at, a.shape[:-2])
        scope.check(is_regular(scope, factors, own), context.error(*SINGULAR))
        size, pivots = integer(n), factors.pivots.place([*own, ZERO])
        turn = letter("T" if factors.transposed else "N")
        given: list[Argument] = [turn, size, integer(count), matrix(factors.lu, own), size, pivots]
        run(scope, symbol, [*given, matrix(x, at), size], [6], fails=True)

    each(scope, lead, body)
    scope.forget(x.buffer)
    return [x]


def _right_sides(
    context: Context,
    scope: Scope,
    b: Array,
    shape: tuple[int, ...],
    target: Stored | None,
    *,
    columns: bool,
) -> Stored:
    """B in the place of X, column by column or row by row; with one column both are one."""
    if columns and shape[-1] > 1:
        return packed(context, scope, b, shape, columns=True)
    if target is None:
        return packed(context, scope, b, shape, columns=False)
    context.memory.fill(scope, target, b)
    return target


def _substituted(
    context: Context,
    scope: Scope,
    a: Stored,
    b: Array,
    lower: bool,
    wanted: tuple[tuple[int, ...], Stored | None],
) -> list[Array] | None:
    """X of AX = B for A = L or A = Lᵀ, where L lies row by row, and to BLAS is upper triangular."""
    shape, target = wanted
    *lead, n, count = shape
    symbol = routine("trsv" if count == 1 else "trsm", a.dtype, n, count)
    if symbol is None:
        return None
    columns = isinstance(b, Stored) and b.strides[-2] == 1 != b.strides[-1]
    x = _right_sides(context, scope, b, shape, target, columns=columns)
    size, one, turned = integer(n), number(scope, 1, a.dtype), {True: "T", False: "N"}

    def body(scope: Scope, at: Indices) -> None:
        place, own = matrix(x, at), matrix(a, broadcast(at, a.shape[:-2]))
        how = [letter("U"), letter(turned[lower == (columns or count == 1)]), letter("N")]
        if count == 1:
            run(scope, symbol, [*how, size, own, size, place, integer(1)], [6])
            return
        side = [letter("L" if columns else "R"), *how]
        extents = [size, integer(count)] if columns else [integer(count), size]
        run(scope, symbol, [*side, *extents, one, own, size, place, extents[0]], [9])

    each(scope, lead, body)
    scope.forget(x.buffer)
    return [x]


def inv(context: Context, scope: Scope, a: Array) -> list[Array] | None:
    """A⁻¹, from the factors of A."""
    *lead, n, _ = a.shape
    symbol = routine("getri", a.dtype, n * _BLOCK)
    factors = None if symbol is None else factors_of(context, scope, a)
    if symbol is None or factors is None:
        return None
    x = packed(context, scope, factors.lu, factors.lu.shape, columns=True)
    work = context.memory.buffer((n * _BLOCK,), a.dtype)

    def body(scope: Scope, at: Indices) -> None:
        scope.check(is_regular(scope, factors, at), context.error(*SINGULAR))
        size, pivots = integer(n), factors.pivots.place([*at, ZERO])
        given: list[Argument] = [size, matrix(x, at), size, pivots]
        given += [work.place([ZERO]), integer(n * _BLOCK)]
        run(scope, symbol, given, [1, 4], fails=True)

    each(scope, lead, body)
    scope.forget(x.buffer)
    scope.forget(work.buffer)
    return [turned(x) if factors.transposed else x]


# -- determinants ---------------------------------------------------------------------------------


def slogdet(
    context: Context, scope: Scope, a: Array, targets: Sequence[Stored | None]
) -> list[Array] | None:
    """(s, ℓ) with det A = s eˡ; a singular matrix has 0 and −∞."""
    return _from_factors(context, scope, a, targets, lambda _, sign, logarithm: [sign, logarithm])


def det(
    context: Context, scope: Scope, a: Array, targets: Sequence[Stored | None]
) -> list[Array] | None:
    """det A by its logarithm, of which no part is too large."""

    def value(scope: Scope, sign: Expr, logarithm: Expr) -> list[Expr]:
        return [scope.op("multiply", sign, scope.op("exp", logarithm))]

    return _from_factors(context, scope, a, targets, value)


def _from_factors(
    context: Context, scope: Scope, a: Array, targets: Sequence[Stored | None], value: _Value
) -> list[Array] | None:
    """What is computed from the sign and the logarithm of each determinant of a batch."""
    factors = factors_of(context, scope, a)
    if factors is None:
        return None
    lead = a.shape[:-2]
    signs, logarithms = _pivots_joined(context, scope, factors)

    def values(inner: Scope, at: Indices) -> list[Expr]:
        holds = is_regular(inner, factors, at)
        sign, logarithm = (row.element(inner, at) for row in (signs, logarithms))
        sign = inner.op("select", holds, sign, number(inner, 0, a.dtype))
        least = number(inner, -math.inf, a.dtype)
        return value(inner, sign, inner.op("select", holds, logarithm, least))

    if math.prod(lead) == 1:
        found = values(scope, (ZERO,) * len(lead))
        return [Elements(shape=lead, dtype=a.dtype, values=(one,)) for one in found]
    rooms = [target or context.memory.buffer(lead, a.dtype) for target in targets]

    def writes(inner: Scope, at: Indices) -> list[Write]:
        found = values(inner, at)
        return [Write(room.place(at), one) for room, one in zip(rooms, found, strict=True)]

    scope.add(nest(scope, lead, writes))
    for room in rooms:
        scope.forget(room.buffer)
    return [*rooms]


def _pivots_joined(context: Context, scope: Scope, factors: Factors) -> tuple[Stored, Stored]:
    """The product of the signs of the pivots and exchanges, and the sum of the logarithms."""
    *lead, n, _ = factors.lu.shape
    dtype = factors.lu.dtype
    signs, logarithms = (context.memory.buffer(lead, dtype) for _ in range(2))
    lu = factors.lu
    diagonal = lu.view((*lead, n), (*lu.strides[:-2], n + 1), lu.base)

    def writes(inner: Scope, indices: Indices) -> list[Write]:
        *at, i = indices
        pivot, row = diagonal.element(inner, indices), factors.pivots.element(inner, indices)
        exchanged = inner.op("not_equal", inner.convert(row, "int64"), inner.index(i.shifted(1)))
        negative = inner.op("less", pivot, number(inner, 0, dtype))
        odd = inner.op("logical_xor", exchanged, negative)
        one = number(inner, 1, dtype)
        sign = inner.op("select", odd, number(inner, -1, dtype), one)
        logarithm = inner.op("log", inner.op("absolute", pivot))
        return [
            Write(signs.place(at), sign, "multiply", Const(1.0, dtype)),
            Write(logarithms.place(at), logarithm, "add", Const(0.0, dtype)),
        ]

    scope.add(nest(scope, (*lead, n), writes))
    scope.forget(signs.buffer)
    scope.forget(logarithms.buffer)
    return signs, logarithms
