"""Linear algebra by LAPACK, in place on copies that lie as it wants them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pullback.compiler.libraries import LARGEST
from pullback.compiler.loops import Const, Expr, Name, Scalar, Write
from pullback.compiler.lowering.arrays import Array, Elements, Stored, number
from pullback.compiler.lowering.context import Context
from pullback.compiler.lowering.elementwise import elementwise_of
from pullback.compiler.lowering.external import (
    Argument,
    each,
    factor,
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
from pullback.compiler.lowering.pairs import COMPLEX
from pullback.compiler.lowering.places import ZERO, Affine
from pullback.compiler.lowering.scope import Scope

__all__ = [
    "INDEFINITE", "SINGULAR", "Triangle", "cholesky", "det", "inv", "slogdet", "solve",
    "solve_factored", "triangular_solve",
]  # fmt: skip

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
        return room.writes(indices, value)

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
    lower = lower_triangle(scope, a)
    if lower is not None:
        assert isinstance(a, Stored)
        return _substituted(context, scope, Triangle(a, lower), b, (shape, target))
    factors = factors_of(context, scope, a)
    if factors is None:
        return None
    return solve_factored(context, scope, factors, b, (shape, target), checks=True)


def solve_factored(
    context: Context,
    scope: Scope,
    factors: Factors,
    b: Array,
    wanted: tuple[tuple[int, ...], Stored | None],
    *,
    checks: bool = False,
) -> list[Array] | None:
    """X of AX = B, which has the shape that is wanted; a singular A is an error, if it `checks`."""
    shape, target = wanted
    *lead, n, count = shape
    symbol = routine("getrs", b.dtype, n, count)
    if symbol is None:
        return None
    x = _right_sides(context, scope, b, shape, target, columns=True)

    def body(scope: Scope, at: Indices) -> None:
        own = broadcast(at, factors.lu.shape[:-2])
        if checks:
            scope.check(is_regular(scope, factors, own), context.error(*SINGULAR))
        size, pivots = integer(n), factors.pivots.place([*own, ZERO])
        turn = letter(factors.turn)
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


# -- triangular matrices --------------------------------------------------------------------------


@dataclass(frozen=True)
class Triangle:
    """The lower or the upper triangle of matrices, or what is transposed from it."""

    array: Stored
    lower: bool
    adjoint: bool = False


def triangular_solve(
    context: Context,
    scope: Scope,
    triangle: Triangle,
    b: Array,
    wanted: tuple[tuple[int, ...], Stored | None],
) -> list[Array] | None:
    """X of TX = B, which has the shape that is wanted."""
    t = triangle.array
    if lower_triangle(scope, t) is None:
        _check_diagonal(context, scope, t)
    if triangle.adjoint and t.dtype in COMPLEX:
        # Then what is left to do is to transpose it.
        conjugate = elementwise_of("conjugate", t.dtype, t)
        triangle = replace(
            triangle, array=packed(context, scope, conjugate, t.shape, columns=False)
        )
    elif not any(_lies(t)):
        triangle = replace(triangle, array=packed(context, scope, t, t.shape, columns=False))
    return _substituted(context, scope, triangle, b, wanted)


def _lies(t: Stored) -> tuple[bool, bool]:
    """Whether matrices lie row by row, or column by column."""
    n, row, column = t.shape[-1], t.strides[-2], t.strides[-1]
    return column == 1 and n <= row <= LARGEST, row == 1 and n <= column <= LARGEST


def _check_diagonal(context: Context, scope: Scope, t: Stored) -> None:
    """Leave with an error if anything on the diagonal is 0."""
    *lead, n, _ = t.shape
    steps = (*t.strides[:-2], t.strides[-2] + t.strides[-1])
    diagonal = t.view((*lead, n), steps, t.base)
    all_ = Scalar(scope.fresh("r"), "bool")

    def writes(inner: Scope, indices: Indices) -> list[Write]:
        pivot = diagonal.element(inner, indices)
        holds = inner.op("not_equal", pivot, number(inner, 0, t.dtype))
        return [Write(all_, holds, "logical_and", Const(True, "bool"))]

    scope.add(nest(scope, (*lead, n), writes))
    scope.check(Name(all_.name, "bool"), context.error(*SINGULAR))


def _substituted(
    context: Context,
    scope: Scope,
    triangle: Triangle,
    b: Array,
    wanted: tuple[tuple[int, ...], Stored | None],
) -> list[Array] | None:
    """X of TX = B. A T that lies row by row is Tᵀ to BLAS, and Xᵀ is what it finds of Tᵀ and Bᵀ."""
    shape, target = wanted
    *lead, n, count = shape
    t, (by_rows, _) = triangle.array, _lies(triangle.array)
    symbol = routine("trsv" if count == 1 else "trsm", t.dtype, n, count)
    if symbol is None:
        return None
    columns = isinstance(b, Stored) and b.strides[-2] == 1 != b.strides[-1]
    x = _right_sides(context, scope, b, shape, target, columns=columns)
    columns = columns or count == 1
    turned = (by_rows != triangle.adjoint) == columns
    how = [letter("UL"[triangle.lower != by_rows]), letter("NT"[turned]), letter("N")]
    size, step = integer(n), integer(t.strides[-2] if by_rows else t.strides[-1])
    one = factor(context, 1.0, t.dtype)

    def body(scope: Scope, at: Indices) -> None:
        place, own = matrix(x, at), matrix(t, broadcast(at, t.shape[:-2]))
        if count == 1:
            run(scope, symbol, [*how, size, own, step, place, integer(1)], [6])
            return
        extents = [size, integer(count)] if columns else [integer(count), size]
        given: list[Argument] = [letter("RL"[columns]), *how, *extents, one]
        run(scope, symbol, [*given, own, step, place, extents[0]], [9])

    each(scope, lead, body)
    scope.forget(x.buffer)
    return [x]


# -- inverses and determinants --------------------------------------------------------------------


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
