"""Lowering of views, of what is read through indices, and of what is written through them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.compiler.loops import Const, Expr, For, Kernel, Name, Place, Store, Write
from pullback.compiler.lowering.arrays import Array, Computed, Elements, Stored, c_strides
from pullback.compiler.lowering.context import Context, literal
from pullback.compiler.lowering.elementwise import converted
from pullback.compiler.lowering.memory import broadcast, nest
from pullback.compiler.lowering.places import ZERO, Affine
from pullback.compiler.lowering.progressions import axes_in_order, axes_of
from pullback.compiler.lowering.scalars import dtype_name
from pullback.compiler.lowering.scope import Scope
from pullback.core.structure import Access, Index, Loops
from pullback.graph.program import Equation

__all__ = ["read", "scattered", "view"]

Indices = Sequence[Affine]


def view(
    context: Context,
    scope: Scope,
    equation: Equation,
    args: Sequence[Any],
    loops: Sequence[Loops],
) -> list[Array]:
    """The elements of arguments in another arrangement."""
    shape = equation.outputs[0].shape
    args = [converted(arg, dtype_name(equation.outputs[0].dtype)) for arg in args]
    if len(loops) == 1 and _is_everything(loops[0].write, shape, loops[0].extents):
        return [_moved(context, scope, args, loops[0], shape)]
    start = literal(scope, loops[0].start or 0, args[0].dtype)
    if all(_is_box(each) for each in loops):
        return [_pieces(context, scope, args, loops, shape, start)]
    out = context.memory.buffer(shape, args[0].dtype)
    context.memory.fill(scope, out, start)
    for each in loops:
        _write(context, scope, out, each, args)
    return [out]


def read(
    context: Context,
    scope: Scope,
    equation: Equation,
    args: Sequence[Any],
    loops: Sequence[Loops],
) -> list[Array]:
    """The elements that an index selects; an index array that is a mask is an array of NumPy's."""
    x = args[0]
    dynamic = any(index.load is not None for index in loops[0].reads[0].indices)
    if dynamic and x.cost:
        x = context.memory.stored(scope, x)
    return [_moved(context, scope, (x, *args[1:]), loops[0], equation.outputs[0].shape)]


def _is_everything(write: Access, shape: Sequence[int], extents: Sequence[int]) -> bool:
    """Whether the points of the iteration space are the elements of the result."""
    return tuple(extents) == tuple(shape) and all(
        index == Index(0, ((axis, 1),)) for axis, index in enumerate(write.indices)
    )


def _moved(
    context: Context, scope: Scope, args: Sequence[Any], loops: Loops, shape: tuple[int, ...]
) -> Array:
    """The elements with the indices of the one access."""
    access = loops.reads[0]
    x: Array = args[access.argument]
    if access.flat:
        return _flat(context, scope, x, access, shape)
    if isinstance(x, Stored) and all(index.load is None for index in access.indices):
        base, steps = x.base, [0] * len(shape)
        for index, stride in zip(access.indices, x.strides, strict=True):
            base = base.shifted(stride * index.start)
            for axis, step in index.steps:
                steps[axis] += stride * step
        return x.view(shape, tuple(steps), base)
    loads = [index.load for index in access.indices if index.load is not None]
    sources = (x, *(args[load.argument] for load in loads if load.part is None))

    def at(inner: Scope, indices: Indices, where: Expr | None) -> Expr:
        found = [
            _place(context, inner, index, indices, args, (axis, extent), where)
            for axis, (index, extent) in enumerate(zip(access.indices, x.shape, strict=True))
        ]
        return x.element(inner, found, where)

    found = Computed(
        shape=shape, dtype=x.dtype, cost=x.cost + 3 * len(loads), depth=x.depth + 1, at=at,
        sources=sources, searches=bool(loads),
    )  # fmt: skip
    if isinstance(x, Elements) and not loads and context.is_small(found.shape):
        values = tuple(at(scope, tuple(map(Affine, point)), None) for point in np.ndindex(*shape))
        return Elements(shape=shape, dtype=x.dtype, values=values)
    return found


def _flat(
    context: Context, scope: Scope, x: Array, access: Access, shape: tuple[int, ...]
) -> Array:
    """The elements of an array in the order of C or Fortran, in another shape."""
    if access.flat == "F":
        x = _transposed(x)
    (index,) = access.indices
    strides = [0] * len(shape)
    for axis, step in index.steps:
        strides[axis] += step
    if index.start == 0 and _agree(strides, c_strides(shape), shape):
        found = x.reshaped(shape)
        if found is None:
            found = context.memory.stored(scope, x, whole=True).reshaped(shape)
        assert found is not None
        return found
    row = x.reshaped((x.size,))
    if row is None:
        row = context.memory.stored(scope, x, whole=True).reshaped((x.size,))
    assert row is not None
    whole = Loops(shape, (Access((index,)),), access)
    return _moved(context, scope, (row,), whole, shape)


def _agree(a: Sequence[int], b: Sequence[int], shape: Sequence[int]) -> bool:
    return all(one == other or extent == 1 for one, other, extent in zip(a, b, shape, strict=True))


def _transposed(x: Array) -> Array:
    """An array with its axes in reverse."""
    if isinstance(x, Stored):
        return x.view(x.shape[::-1], x.strides[::-1], x.base)

    def at(scope: Scope, indices: Indices, where: Expr | None) -> Expr:
        return x.element(scope, indices[::-1], where)

    return Computed(
        shape=x.shape[::-1], dtype=x.dtype, cost=x.cost, depth=x.depth + 1, at=at, sources=(x,)
    )


def _place(
    context: Context,
    scope: Scope,
    index: Index,
    point: Indices,
    args: Sequence[Any],
    along: tuple[int, int],
    where: Expr | None = None,
) -> Affine:
    """Where an index is, at a point of the iteration space; checked, if it is loaded.

    `along` is the axis of the array that it goes along, and the extent of that.
    """
    axis, extent = along
    if index.load is None:
        place = Affine(index.start)
        for other, step in index.steps:
            place = place.plus(point[other].scaled(step))
        return place
    load = index.load
    positions = args[load.argument]
    if load.part is not None:
        positions = context.constant(np.nonzero(positions)[load.part])
    inner = [_place(context, scope, each, point, args, (0, 0)) for each in load.indices]
    value = scope.convert(positions.element(scope, inner, where), "int64")
    value = scope.named(value)
    known = scope.place_of(value)
    bounds = None if known is None else scope.bounds(known)
    if known is not None and bounds is not None:
        if bounds[0] >= 0 and bounds[1] < extent:
            return known
        if -extent <= bounds[0] and bounds[1] < 0:
            return known.shifted(extent)
    least, most = Const(-extent, "int64"), Const(extent, "int64")
    inside = scope.op(
        "logical_and",
        scope.op("greater_equal", value, least),
        scope.op("less", value, most),
    )
    if where is not None:
        inside = scope.op("logical_or", scope.op("logical_not", where), inside)
    words = f"an index is out of bounds for axis {axis} with size {extent}"
    scope.check(inside, context.error(IndexError, words))
    below = scope.op("less", value, Const(0, "int64"))
    value = scope.op("select", below, scope.op("add", value, most), value)
    assert isinstance(value, Name)
    return Affine(0, ((value.name, 1),))


# -- pieces side by side --------------------------------------------------------------------------


def _is_box(loops: Loops) -> bool:
    """Whether what is written lies side by side, forwards or backwards, each axis on its own."""
    axes = [axis for index in loops.write.indices for axis, _ in index.steps]
    return len(set(axes)) == len(axes) and all(
        index.load is None and len(index.steps) <= 1 and all(abs(s) == 1 for _, s in index.steps)
        for index in loops.write.indices
    )


def _within(scope: Scope, loops: Loops, indices: Indices) -> tuple[Expr | bool, list[Affine]]:
    """Whether an element is among those that loops write, and at which point."""
    point = [ZERO] * len(loops.extents)
    condition: Expr | bool = True
    for index, at in zip(loops.write.indices, indices, strict=True):
        if index.steps:
            ((axis, step),) = index.steps
            local = at.shifted(-index.start).scaled(step)
            point[axis] = local
            extent = loops.extents[axis]
        else:
            local, extent = at.shifted(-index.start), 1
        inside = scope.among(local, extent) if extent != 0 else False
        if inside is False:
            return False, point
        if not isinstance(inside, bool):
            if isinstance(condition, bool):
                condition = inside
            else:
                condition = scope.op("logical_and", condition, inside)
    return condition, point


def _pieces(
    context: Context,
    scope: Scope,
    args: Sequence[Any],
    loops: Sequence[Loops],
    shape: tuple[int, ...],
    rest: Array,
    *,
    combine: bool = False,
) -> Array:
    """What consists of pieces, and is elsewhere as `rest` is; or to which the pieces are added."""
    sources = [_piece(context, scope, args, each) for each in loops]

    def at(inner: Scope, indices: Indices, where: Expr | None) -> Expr:
        found: Expr | None = None
        complete = False
        parts: list[tuple[Expr | bool, Expr]] = []
        for each, piece in zip(loops, sources, strict=True):
            inside, point = _within(inner, each, indices)
            if inside is False:
                continue
            condition = where if inside is True else inner.both(where, inside)
            parts.append((inside, piece.element(inner, point, condition)))
            complete = complete or inside is True
        if not complete or combine:
            found = rest.element(inner, broadcast(indices, rest.shape), where)
        for position, (inside, value) in enumerate(parts[::-1]):
            last = position == 0 and found is None
            if combine:
                assert found is not None
                value = inner.op(_adding(value.dtype), found, value)
            if isinstance(inside, bool) or last:
                found = value
            else:
                assert found is not None
                found = inner.op("select", inside, value, found)
        assert found is not None
        return found

    cost = max(source.cost for source in sources) + rest.cost + 2 * len(loops)
    array = Computed(
        shape=shape, dtype=sources[0].dtype, cost=cost,
        depth=1 + max(source.depth for source in (*sources, rest)), at=at,
        sources=(*sources, rest),
    )  # fmt: skip
    if context.is_small(shape):
        context.memory.prepare(scope, array)
        values = tuple(at(scope, tuple(map(Affine, point)), None) for point in np.ndindex(*shape))
        return Elements(shape=shape, dtype=array.dtype, values=values)
    if len(loops) > 4 or sum(source.cost for source in sources) > 8:
        out = context.memory.buffer(shape, array.dtype)
        covered = sum(math.prod(each.extents) for each in loops)
        if covered != out.size or combine:
            context.memory.fill(scope, out, rest)
        for each in loops:
            _write(context, scope, out, each, args)
        return out
    return array


def _adding(dtype: str) -> str:
    return "logical_or" if dtype == "bool" else "add"


def _piece(context: Context, scope: Scope, args: Sequence[Any], loops: Loops) -> Array:
    """What loops write, as an array of their iteration space."""
    return _moved(context, scope, args, loops, loops.extents)


def _write(context: Context, scope: Scope, out: Stored, loops: Loops, args: Sequence[Any]) -> None:
    """Write pieces to memory, one after the other where the places aren't known beforehand."""
    if 0 in loops.extents:
        return
    values = _piece(context, scope, args, loops)
    context.memory.prepare(scope, values)
    for index in loops.write.indices:
        if index.load is not None and index.load.part is None:
            context.memory.prepare(scope, args[index.load.argument])
    combine = "" if loops.combine is None else _adding(out.dtype)
    shared = [
        {axis for axis, _ in index.steps} for index in loops.write.indices if len(index.steps) > 1
    ]
    serial = sorted(axes_in_order(loops, args, out.shape) | {min(axes) for axes in shared})
    point: list[Affine] = [ZERO] * len(loops.extents)
    scopes = [scope]
    for axis in serial:
        inner = scopes[-1].inside()
        name = inner.fresh("n")
        inner.extents[name] = loops.extents[axis]
        point[axis] = Affine(0, ((name, 1),))
        scopes.append(inner)
    body = scopes[-1]
    free = [axis for axis in range(len(loops.extents)) if axis not in serial]
    places = [
        _place(context, body, index, point, args, along)
        if index.load is not None and axes_of(index.load).isdisjoint(free)
        else None
        for index, along in zip(loops.write.indices, enumerate(out.shape), strict=True)
    ]

    def writes(inner: Scope, indices: tuple[Affine, ...]) -> list[Write]:
        full = [*point]
        for axis, index in zip(free, indices, strict=True):
            full[axis] = index
        target = [
            _place(context, inner, index, full, args, along) if known is None else known
            for index, known, along in zip(
                loops.write.indices, places, enumerate(out.shape), strict=True
            )
        ]
        return out.writes(target, values.element(inner, full), combine)

    kernel = nest(body, [loops.extents[axis] for axis in free], writes)
    if kernel.axes:
        body.add(kernel)
    else:
        _straight(body, kernel)
    for axis, outer, inner in zip(serial[::-1], scopes[-2::-1], scopes[:0:-1], strict=True):
        ((name, _),) = point[axis].terms
        extent = Const(loops.extents[axis], "int64")
        outer.add(For(name, extent, (), tuple(inner.statements), (), ()))
    scope.forget(out.buffer)


def _straight(scope: Scope, kernel: Kernel) -> None:
    """The statements of a kernel without axes."""
    for statement in kernel.body:
        scope.add(statement)
    for write in kernel.writes:
        value = write.value
        place = write.target
        assert isinstance(place, Place)
        if write.combine:
            value = scope.op(write.combine, scope.load(place, value.dtype), value)
        scope.add(Store(place, value))
        scope.forget(place.buffer)


# -- writing through an index ---------------------------------------------------------------------


def scattered(
    context: Context,
    scope: Scope,
    equation: Equation,
    args: Sequence[Any],
    loops: Loops,
    own: Callable[[], bool],
) -> list[Array]:
    """An array with other elements where an index says; ``own()`` says that it may be changed."""
    out = equation.outputs[0]
    dtype = dtype_name(out.dtype)
    fresh = equation.primitive.structure.in_place is None
    first = loops.reads[0].argument
    values = (*args[:first], converted(args[first], dtype), *args[first + 1 :])
    rest = literal(scope, 0, dtype) if fresh else args[0]
    combine = loops.combine is not None and not fresh
    few = context.memory.is_small_part(loops.extents, out.shape)
    if _is_box(loops) and (context.is_small(out.shape) or not few):
        return [_pieces(context, scope, values, (loops,), out.shape, rest, combine=combine)]
    if not fresh and isinstance(rest, Stored) and rest.whole and own():
        room = rest
    else:
        room = context.memory.buffer(out.shape, dtype)
        context.memory.fill(scope, room, rest)
    _write(context, scope, room, loops, values)
    return [room]
