"""Lowering of what joins elements: reductions, sums of products, running sums."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.compiler.loops import Const, Expr, For, Name, Scalar, Store, Write
from pullback.compiler.lowering.arrays import Array, Elements, Stored
from pullback.compiler.lowering.context import Context
from pullback.compiler.lowering.elementwise import converted, elementwise_of, unrolled
from pullback.compiler.lowering.memory import nest
from pullback.compiler.lowering.places import ZERO, Affine
from pullback.compiler.lowering.products import by_blas
from pullback.compiler.lowering.scope import Scope
from pullback.core.structure import Access, Loops
from pullback.graph.program import Equation

__all__ = ["joined", "running"]

_UNROLLED = 64
"""Up to how many terms are joined without a loop."""


def joined(
    context: Context,
    scope: Scope,
    equation: Equation,
    args: Sequence[Array],
    loops: Loops,
    target: Stored | None,
) -> list[Array] | None:
    """The elements of each result joined, or their products summed."""
    out = equation.outputs[0]
    dtype = out.dtype.name
    combine = _combining(loops, dtype)
    if combine is None:
        return None
    logical = combine.startswith("logical") and dtype == "bool"
    values = []
    for arg in args:
        values.append(_truth(arg) if _counts(equation, logical) else converted(arg, dtype))
    if _counts(equation, logical):
        values = [converted(value, dtype) for value in values]
    scale = None if loops.divisor == 1 else loops.divisor
    if (
        context.memory.is_small(loops.extents, _UNROLLED)
        and context.is_small(out.shape)
        and all(context.is_small(value.shape) or isinstance(value, Elements) for value in values)
    ):
        found: Array = _straight(context, scope, loops, values, out, combine)
    elif out.size == 1:
        found = _scalar(context, scope, loops, values, out, combine)
    else:
        room = target if scale is None else None
        product = combine == "add" and by_blas(context, scope, loops, values, (out.shape, room))
        found = product or _in_memory(context, scope, loops, values, out, combine, room)
    return [found if scale is None else _divided(scope, found, scale)]


def _combining(loops: Loops, dtype: str) -> str | None:
    assert loops.combine is not None
    name = loops.combine.__name__
    known = ("add", "multiply", "maximum", "minimum", "logical_and", "logical_or")
    if name not in known:
        return None
    if dtype == "bool":
        return {"add": "logical_or", "multiply": "logical_and"}.get(
            name, {"maximum": "logical_or", "minimum": "logical_and"}.get(name, name)
        )
    return name


def _counts(equation: Equation, logical: bool) -> bool:
    """Whether it is asked of each element whether it is not zero."""
    return logical or equation.primitive.name == "count_nonzero"


def _truth(x: Array) -> Array:
    if x.dtype == "bool":
        return x
    return elementwise_of("not_equal", "bool", x, number_of(0, x.dtype))


def number_of(value: float, dtype: str) -> Elements:
    """A number as an array of shape ()."""
    return Elements(shape=(), dtype=dtype, values=(Const(value, dtype),))


def _start(combine: str, dtype: str) -> Const:
    if combine in ("maximum", "minimum"):
        low = combine == "maximum"
        if dtype.startswith("float"):
            return Const(-math.inf if low else math.inf, dtype)
        limits = np.iinfo(dtype)
        return Const(int(limits.min if low else limits.max), dtype)
    value: Any = {"add": 0, "multiply": 1, "logical_and": True, "logical_or": False}[combine]
    return Const(np.dtype(dtype).type(value).item(), dtype)


def _term(scope: Scope, loops: Loops, values: Sequence[Array], point: Sequence[Affine]) -> Expr:
    """What is computed at a point, before it is joined."""
    found = [
        values[access.argument].element(scope, _indices(access, point)) for access in loops.reads
    ]
    return functools.reduce(lambda a, b: scope.op("multiply", a, b), found)


def _indices(access: Access, point: Sequence[Affine]) -> list[Affine]:
    found = []
    for index in access.indices:
        place = Affine(index.start)
        for axis, step in index.steps:
            place = place.plus(point[axis].scaled(step))
        found.append(place)
    return found


def _straight(
    context: Context,
    scope: Scope,
    loops: Loops,
    values: Sequence[Array],
    out: Any,
    combine: str,
) -> Elements:
    values = [unrolled(context, scope, value) for value in values]
    found: dict[tuple[int, ...], Expr] = {}
    for point in np.ndindex(*loops.extents):
        at = tuple(map(Affine, point))
        term = _term(scope, loops, values, at)
        place = tuple(index.offset for index in _indices(loops.write, at))
        before = found.get(place)
        found[place] = term if before is None else scope.op(combine, before, term)
    start = _start(combine, out.dtype.name)
    return Elements(
        shape=out.shape,
        dtype=out.dtype.name,
        values=tuple(found.get(point, start) for point in np.ndindex(*out.shape)),
    )


def _scalar(
    context: Context,
    scope: Scope,
    loops: Loops,
    values: Sequence[Array],
    out: Any,
    combine: str,
) -> Elements:
    dtype = out.dtype.name
    result = Scalar(scope.fresh("r"), dtype)
    for value in values:
        context.memory.prepare(scope, value)

    def writes(inner: Scope, point: tuple[Affine, ...]) -> list[Write]:
        return [Write(result, _term(inner, loops, values, point), combine, _start(combine, dtype))]

    scope.add(nest(scope, loops.extents, writes))
    return Elements(shape=out.shape, dtype=dtype, values=(_name(result),))


def _name(scalar: Scalar) -> Expr:
    return Name(scalar.name, scalar.dtype)


def _in_memory(
    context: Context,
    scope: Scope,
    loops: Loops,
    values: Sequence[Array],
    out: Any,
    combine: str,
    target: Stored | None,
) -> Stored:
    dtype = out.dtype.name
    room = target or context.memory.buffer(out.shape, dtype)
    shared = [axes for axes in _sums(loops) if len(axes) > 1]
    for value in values:
        context.memory.prepare(scope, value)
    if shared:
        # Several points have one target, whatever the other axes are: one axis after the other.
        return _overlapping(context, scope, loops, values, room, (combine, min(shared[0])))

    def writes(inner: Scope, point: tuple[Affine, ...]) -> list[Write]:
        place = room.place(_indices(loops.write, point))
        return [Write(place, _term(inner, loops, values, point), combine, _start(combine, dtype))]

    scope.add(nest(scope, loops.extents, writes))
    scope.forget(room.buffer)
    return room


def _sums(loops: Loops) -> list[list[int]]:
    return [[axis for axis, _ in index.steps] for index in loops.write.indices]


def _overlapping(
    context: Context,
    scope: Scope,
    loops: Loops,
    values: Sequence[Array],
    room: Stored,
    how: tuple[str, int],
) -> Stored:
    combine, axis = how
    context.memory.fill(scope, room, number_of(_start(combine, room.dtype).value, room.dtype))
    body = scope.inside()
    name = body.fresh("n")
    body.extents[name] = loops.extents[axis]
    free = [each for each in range(len(loops.extents)) if each != axis]

    def writes(inner: Scope, indices: tuple[Affine, ...]) -> list[Write]:
        point = [ZERO] * len(loops.extents)
        point[axis] = Affine(0, ((name, 1),))
        for each, index in zip(free, indices, strict=True):
            point[each] = index
        place = room.place(_indices(loops.write, point))
        return [Write(place, _term(inner, loops, values, point), combine)]

    body.add(nest(body, [loops.extents[each] for each in free], writes))
    extent = Const(loops.extents[axis], "int64")
    scope.add(For(name, extent, (), tuple(body.statements), (), ()))
    scope.forget(room.buffer)
    return room


def _divided(scope: Scope, x: Array, divisor: int) -> Array:
    by = number_of(float(divisor), x.dtype)
    found = elementwise_of("divide", x.dtype, x, by)
    if isinstance(x, Elements):
        values = tuple(scope.op("divide", value, by.values[0]) for value in x.values)
        return Elements(shape=x.shape, dtype=x.dtype, values=values)
    return found


# -- running results ------------------------------------------------------------------------------


def running(
    context: Context,
    scope: Scope,
    equation: Equation,
    args: Sequence[Array],
    loops: Loops,
    target: Stored | None,
) -> list[Array] | None:
    """All partial results along an axis, one after the other."""
    out = equation.outputs[0]
    dtype = out.dtype.name
    combine = _combining(loops, dtype)
    assert loops.along is not None
    axis, step = loops.along
    if combine is None:
        return None
    x = converted(args[0], dtype)
    context.memory.prepare(scope, x)
    room = target or context.memory.buffer(out.shape, dtype)
    if not out.size:
        return [room]
    others = [extent for i, extent in enumerate(out.shape) if i != axis]
    count = out.shape[axis]
    first = 0 if step > 0 else count - 1

    def at(place: Affine, indices: Sequence[Affine]) -> list[Affine]:
        return [*indices[:axis], place, *indices[axis:]]

    if all(extent == 1 for extent in others):
        zeros = [ZERO] * len(others)
        body = scope.inside()
        index = body.fresh("n")
        body.extents[index] = count
        here = at(Affine(0, ((index, 1),)), zeros)
        total = Scalar(body.fresh("a"), dtype)
        after = body.op(combine, _name(total), x.element(body, here))
        body.add(Store(room.place(here), after))
        result = Scalar(scope.fresh("r"), dtype)
        scope.add(
            For(
                index, Const(count, "int64"), ((total, _start(combine, dtype)),),
                tuple(body.statements), (after,), (result,), reverse=step < 0,
            )
        )  # fmt: skip
        scope.forget(room.buffer)
        return [room]

    def begin(inner: Scope, indices: tuple[Affine, ...]) -> list[Write]:
        here = at(Affine(first), indices)
        return [Write(room.place(here), x.element(inner, here))]

    scope.add(nest(scope, others, begin))
    scope.forget(room.buffer)
    body = scope.inside()
    index = body.fresh("n")
    body.extents[index] = count - 1
    shift = 1 if step > 0 else 0
    place = Affine(shift, ((index, 1),))

    def go_on(inner: Scope, indices: tuple[Affine, ...]) -> list[Write]:
        here, before = at(place, indices), at(place.shifted(-step), indices)
        value = inner.op(combine, room.element(inner, before), x.element(inner, here))
        return [Write(room.place(here), value)]

    body.add(nest(body, others, go_on))
    scope.add(
        For(
            index, Const(count - 1, "int64"), (), tuple(body.statements), (), (),
            reverse=step < 0,
        )
    )  # fmt: skip
    scope.forget(room.buffer)
    return [room]
