"""Lowering of what joins elements: reductions, sums of products, running sums."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.compiler.loops import Const, Expr, For, Scalar, Write
from pullback.compiler.lowering.arrays import Array, Elements, Stored
from pullback.compiler.lowering.context import Context
from pullback.compiler.lowering.elementwise import converted, elementwise_of, unrolled
from pullback.compiler.lowering.external import each as for_each
from pullback.compiler.lowering.memory import nest
from pullback.compiler.lowering.pairs import COMPLEX, constant, names, part_of, parts, width
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
    found: Array
    if (
        context.memory.is_small(loops.extents, _UNROLLED)
        and context.is_small(out.shape)
        and all(context.is_small(value.shape) or isinstance(value, Elements) for value in values)
    ):
        found = _straight(context, scope, loops, values, out, combine)
    elif combine == "multiply" and dtype in COMPLEX:
        found = target or context.memory.buffer(out.shape, dtype)
        if not _in_turn(context, scope, loops, values, found):
            return None
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
    if name not in known or (dtype in COMPLEX and name not in known[:2]):
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
    return Elements(shape=(), dtype=dtype, values=(constant(value, dtype),))


def _start(combine: str, dtype: str) -> Expr:
    if combine in ("maximum", "minimum"):
        low = combine == "maximum"
        if dtype.startswith("float"):
            return Const(-math.inf if low else math.inf, dtype)
        limits = np.iinfo(dtype)
        return Const(int(limits.min if low else limits.max), dtype)
    value: Any = {"add": 0, "multiply": 1, "logical_and": True, "logical_or": False}[combine]
    return constant(np.dtype(dtype).type(value).item(), dtype)


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
    results = [Scalar(scope.fresh("r"), part_of(dtype)) for _ in range(width(dtype))]
    for value in values:
        context.memory.prepare(scope, value)

    def writes(inner: Scope, point: tuple[Affine, ...]) -> list[Write]:
        term = parts(_term(inner, loops, values, point))
        each = zip(results, term, parts(_start(combine, dtype)), strict=True)
        return [Write(result, value, combine, start) for result, value, start in each]

    scope.add(nest(scope, loops.extents, writes))
    return Elements(shape=out.shape, dtype=dtype, values=names(results, dtype))


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
        term = _term(inner, loops, values, point)
        return room.writes(_indices(loops.write, point), term, combine, _start(combine, dtype))

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
    start = Elements(shape=(), dtype=room.dtype, values=(_start(combine, room.dtype),))
    context.memory.fill(scope, room, start)
    body = scope.inside()
    name = body.fresh("n")
    body.extents[name] = loops.extents[axis]
    free = [each for each in range(len(loops.extents)) if each != axis]

    def writes(inner: Scope, indices: tuple[Affine, ...]) -> list[Write]:
        point = [ZERO] * len(loops.extents)
        point[axis] = Affine(0, ((name, 1),))
        for each, index in zip(free, indices, strict=True):
            point[each] = index
        term = _term(inner, loops, values, point)
        return room.writes(_indices(loops.write, point), term, combine)

    body.add(nest(body, [loops.extents[each] for each in free], writes))
    extent = Const(loops.extents[axis], "int64")
    scope.add(For(name, extent, (), tuple(body.statements), (), ()))
    scope.forget(room.buffer)
    return room


def _in_turn(
    context: Context, scope: Scope, loops: Loops, values: Sequence[Array], room: Stored
) -> bool:
    """Products of complex numbers: both parts depend on both, so that they can't be joined apart.

    `False` where a factor belongs to several products.
    """
    written = [axis for axes in _sums(loops) for axis in axes]
    if len(set(written)) < len(written) or any(len(axes) > 1 for axes in _sums(loops)):
        return False
    for value in values:
        context.memory.prepare(scope, value)
    context.memory.fill(scope, room, number_of(1, room.dtype))
    factors = [axis for axis in range(len(loops.extents)) if axis not in written]

    def body(scope: Scope, outer: tuple[Affine, ...]) -> None:
        def step(inner: Scope, indices: tuple[Affine, ...]) -> tuple[list[Affine], Expr]:
            here = dict(zip((*factors, *written), (*outer, *indices), strict=True))
            point = [here[axis] for axis in range(len(loops.extents))]
            place = _indices(loops.write, point)
            term = _term(inner, loops, values, point)
            return place, inner.op("multiply", room.element(inner, place), term)

        scope.forget(room.buffer)
        if written:
            extents = [loops.extents[axis] for axis in written]
            scope.add(nest(scope, extents, lambda inner, at: room.writes(*step(inner, at))))
        else:
            scope.statements += room.stores(*step(scope, ()))

    for_each(scope, [loops.extents[axis] for axis in factors], body)
    scope.forget(room.buffer)
    return True


def _divided(scope: Scope, x: Array, divisor: int) -> Array:
    by = number_of(divisor / 1, x.dtype)
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
        starts = parts(_start(combine, dtype))
        totals = [Scalar(body.fresh("a"), each.dtype) for each in starts]
        after = body.op(combine, *names(totals, dtype), x.element(body, here))
        body.statements += room.stores(here, after)
        results = tuple(Scalar(scope.fresh("r"), each.dtype) for each in starts)
        scope.add(
            For(
                index, Const(count, "int64"), tuple(zip(totals, starts, strict=True)),
                tuple(body.statements), parts(after), results, reverse=step < 0,
            )
        )  # fmt: skip
        scope.forget(room.buffer)
        return [room]

    def begin(inner: Scope, indices: tuple[Affine, ...]) -> list[Write]:
        here = at(Affine(first), indices)
        return room.writes(here, x.element(inner, here))

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
        return room.writes(here, value)

    body.add(nest(body, others, go_on))
    scope.add(
        For(
            index, Const(count - 1, "int64"), (), tuple(body.statements), (), (),
            reverse=step < 0,
        )
    )  # fmt: skip
    scope.forget(room.buffer)
    return [room]
