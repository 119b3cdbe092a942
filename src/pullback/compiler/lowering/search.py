"""Lowering of the search in a sorted array: halvings without branches, for each element apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.compiler.loops import Const, Expr
from pullback.compiler.lowering.arrays import Array, Computed, Elements
from pullback.compiler.lowering.context import Context, literal
from pullback.compiler.lowering.elementwise import converted
from pullback.compiler.lowering.kernels import DTYPES
from pullback.compiler.lowering.memory import broadcast
from pullback.compiler.lowering.pairs import COMPLEX
from pullback.compiler.lowering.places import Affine
from pullback.compiler.lowering.scope import Scope
from pullback.core.shapes import dtype_of
from pullback.graph.program import Equation

__all__ = ["searched"]


def searched(
    context: Context, scope: Scope, equation: Equation, args: Sequence[Any]
) -> list[Array] | None:
    """Where elements belong in a sorted array: how many of its elements come before each."""
    side = equation.params.get("side", "left")
    dtype = np.result_type(*map(dtype_of, args)).name
    if dtype not in DTYPES or dtype in COMPLEX or side not in ("left", "right"):
        return None
    a, x = (
        converted(arg if isinstance(arg, Array) else literal(scope, arg), dtype) for arg in args
    )
    out = equation.outputs[0]
    if not isinstance(a, Elements):
        a = context.memory.stored(scope, a)
    count = _counted if isinstance(a, Elements) else _halved

    def at(scope: Scope, indices: Sequence[Affine], where: Expr | None) -> Expr:
        value = x.element(scope, broadcast(indices, x.shape), where)

        def comes_before(element: Expr) -> Expr:
            return _before(scope, element, value, or_equal=side == "right")

        return scope.convert(count(scope, a, where, comes_before), out.dtype.name)

    size = a.shape[0]
    return [
        Computed(
            shape=out.shape,
            dtype=out.dtype.name,
            cost=4 * min(size, 4 * size.bit_length()) + x.cost,
            depth=x.depth + 1,
            at=at,
            sources=(a, x),
            searches=True,
        )
    ]


def _before(scope: Scope, a: Expr, x: Expr, *, or_equal: bool) -> Expr:
    """Whether a comes before x, where NaN comes last."""
    if not a.dtype.startswith("float"):
        return scope.op("less_equal" if or_equal else "less", a, x)
    # Of two NaN neither is less than the other.
    first, second = (x, a) if or_equal else (a, x)
    last = scope.op("isnan", second)
    less = scope.op("logical_or", scope.op("less", first, second), last)
    both = scope.op("logical_and", last, scope.op("isnan", first))
    found = scope.op("logical_and", less, scope.op("logical_not", both))
    return scope.op("logical_not", found) if or_equal else found


Question = Callable[[Expr], Expr]


def _counted(scope: Scope, a: Array, _where: Expr | None, comes_before: Question) -> Expr:
    """Of a few elements each is compared."""
    total: Expr = Const(0, "int64")
    for i in range(a.shape[0]):
        holds = scope.convert(comes_before(a.element(scope, (Affine(i),))), "int64")
        total = scope.op("add", total, holds) if i else holds
    return total


def _halved(scope: Scope, a: Array, where: Expr | None, comes_before: Question) -> Expr:
    """The number found bit by bit, from the highest one."""
    size = a.shape[0]
    found: Expr = Const(0, "int64")
    for bit in reversed(range(size.bit_length())):
        step = Const(1 << bit, "int64")
        further: Expr = step if isinstance(found, Const) else scope.op("add", found, step)
        inside: Expr | None = None
        if not isinstance(further, Const):
            inside = scope.op("less_equal", further, Const(size, "int64"))
        place = scope.place_of(further)
        assert place is not None
        element = a.element(scope, (place.shifted(-1),), scope.both(where, inside))
        goes_on = scope.both(inside, comes_before(element))
        assert goes_on is not None
        found = scope.op("select", goes_on, further, found)
    return found
