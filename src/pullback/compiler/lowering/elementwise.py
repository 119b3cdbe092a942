"""Lowering of what acts element by element."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.compiler.loops import Const, Expr
from pullback.compiler.lowering.arrays import Array, Computed, Elements, points
from pullback.compiler.lowering.context import Context, literal
from pullback.compiler.lowering.kernels import computing_dtype, cost_of, is_native, kernel_of
from pullback.compiler.lowering.memory import broadcast
from pullback.compiler.lowering.pairs import constant
from pullback.compiler.lowering.places import Affine
from pullback.compiler.lowering.scope import Scope
from pullback.graph.program import Equation

__all__ = ["converted", "elementwise", "elementwise_of", "unrolled"]


def elementwise(
    context: Context, scope: Scope, equation: Equation, args: Sequence[Any]
) -> list[Array] | None:
    """The result, whose elements are computed where they are read; `None` if they can't be."""
    name = equation.primitive.name
    out = equation.outputs[0]
    dtype = out.dtype.name
    if len(equation.outputs) > 1:
        return None
    wanted = computing_dtype(name, tuple(args), dtype)
    if wanted is None:
        return None
    second = args[1] if name == "power" and not isinstance(args[1], Array) else None
    if not is_native(name, tuple(wanted), dtype, second):
        return None
    sources = [
        arg if isinstance(arg, Array) else literal(scope, arg, each)
        for arg, each in zip(args, wanted, strict=True)
    ]
    given = [converted(x, each) for x, each in zip(sources, wanted, strict=True)]
    return [elementwise_of(name, dtype, *given, shape=out.shape)]


def elementwise_of(
    name: str, dtype: str, *args: Array, shape: tuple[int, ...] | None = None
) -> Computed:
    """A kernel of one element of each array, which are broadcast to `shape`, that of the first."""
    kernel = kernel_of(name, dtype, *(x.dtype for x in args))
    assert kernel is not None

    def made(sources: tuple[Array, ...], shape: tuple[int, ...]) -> Computed:
        def at(scope: Scope, indices: Sequence[Affine], where: Expr | None) -> Expr:
            values = [x.element(scope, broadcast(indices, x.shape), where) for x in sources]
            return scope.convert(kernel(scope, dtype, *values), dtype)

        return Computed(
            shape=shape,
            dtype=dtype,
            cost=cost_of(name, dtype) + sum(x.cost for x in sources),
            depth=1 + max((x.depth for x in sources), default=0),
            at=at,
            sources=sources,
            again=made,
        )

    return made(args, args[0].shape if shape is None else shape)


def unrolled(context: Context, scope: Scope, array: Array) -> Elements:
    """The array as one scalar for each element."""
    if isinstance(array, Elements):
        return array
    if isinstance(array, Computed) and array.searches:
        context.memory.prepare(scope, array)
    values = tuple(array.element(scope, point) for point in points(array.shape))
    return Elements(shape=array.shape, dtype=array.dtype, values=values)


def converted(array: Array, dtype: str) -> Array:
    """The array in another dtype."""
    if array.dtype == dtype:
        return array
    if isinstance(array, Elements) and all(isinstance(x, Const) for x in array.values):
        values = tuple(
            constant(np.dtype(dtype).type(x.value).item(), dtype)  # type: ignore[union-attr]
            for x in array.values
        )
        return Elements(shape=array.shape, dtype=dtype, values=values)

    def made(sources: tuple[Array, ...], shape: tuple[int, ...]) -> Computed:
        (x,) = sources

        def at(scope: Scope, indices: Sequence[Affine], where: Expr | None) -> Expr:
            return scope.convert(x.element(scope, indices, where), dtype)

        return Computed(
            shape=shape, dtype=dtype, cost=x.cost + 1, depth=x.depth + 1, at=at, sources=sources,
            again=made,
        )  # fmt: skip

    return made((array,), array.shape)
