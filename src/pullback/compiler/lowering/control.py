"""Lowering of loops, choices and recomputation: they stay loops and choices."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from pullback.compiler.loops import Branch, Const, Expr, For, Name, Scalar, Statement, While
from pullback.compiler.lowering.arrays import Array, Computed, Elements, Stored
from pullback.compiler.lowering.context import Context, Frame
from pullback.compiler.lowering.elementwise import converted, unrolled
from pullback.compiler.lowering.kernels import DTYPES
from pullback.compiler.lowering.pairs import all_parts, names, part_of, width
from pullback.compiler.lowering.places import Affine
from pullback.compiler.lowering.scope import Scope
from pullback.core.shapes import dtype_of, shape_of
from pullback.graph.program import Equation
from pullback.graph.variable import Variable
from pullback.rules.control_flow.counting import Counted, counted
from pullback.rules.control_flow.loop import Loop

__all__ = ["CONTROL"]


# -- what is carried ------------------------------------------------------------------------------


class _Carry:
    """What goes from one iteration to the next: scalars, or an array in a place of its own."""

    def __init__(
        self, context: Context, scope: Scope, first: Array, variable: Any, *, own: bool
    ) -> None:
        self.shape, self.dtype = variable.shape, variable.dtype.name
        self.scalars: list[Scalar] = []
        self.room: Stored | None = None
        self.first: tuple[Expr, ...] = ()
        first = converted(first, self.dtype)
        if context.is_small(first.shape) and self.dtype in DTYPES:
            self.first = tuple(all_parts(unrolled(context, scope, first).values))
            self.scalars = [Scalar(scope.fresh("a"), each.dtype) for each in self.first]
        elif own and isinstance(first, Stored):
            self.room = first
        else:
            self.room = context.memory.copied(scope, first)

    def array(self, scalars: Sequence[Scalar] | None = None) -> Array:
        """It, inside the loop; or after it, from the names that it has there."""
        if self.room is not None:
            return self.room
        values = names(self.scalars if scalars is None else scalars, self.dtype)
        return Elements(shape=self.shape, dtype=self.dtype, values=values)

    def pairs(self) -> list[tuple[Scalar, Expr]]:
        """The scalars, and what they are at first."""
        return list(zip(self.scalars, self.first, strict=True))


def _handed_on(
    context: Context, scope: Scope, carries: Sequence[_Carry], after: Sequence[Array]
) -> list[Expr]:
    """The scalars of the next iteration; arrays are put in their places.

    None is before all that read another's place have been stored.
    """
    nexts: list[Expr] = []
    moved: list[tuple[Stored, Array]] = []
    for carry, array in zip(carries, after, strict=True):
        array = converted(array, carry.dtype)
        if carry.room is None:
            nexts += all_parts(unrolled(context, scope, array).values)
        elif not (isinstance(array, Stored) and array.buffer == carry.room.buffer and array.whole):
            moved.append((carry.room, array))
    rooms = {room.buffer for room, _ in moved}
    rooms |= {carry.room.buffer for carry in carries if carry.room is not None}
    ready = []
    for room, array in moved:
        others = {
            source.buffer for source in array.sources_within if isinstance(source, Stored)
        } & rooms
        alone = len(moved) == 1 and not isinstance(array, Stored) and _pointwise(array, room)
        if others and not alone:
            apart = context.memory.buffer(array.shape, array.dtype)
            context.memory.fill(scope, apart, array)
            array = apart
        ready.append((room, array))
    for room, array in ready:
        context.memory.fill(scope, room, array)
    return nexts


def _pointwise(array: Array, room: Stored) -> bool:
    """Whether an element of `array` reads no other element of `room`."""
    if isinstance(array, Stored):
        return array.buffer != room.buffer or (
            array.strides == room.strides and array.base == room.base
        )
    again = getattr(array, "again", None)
    sources: tuple[Array, ...] = getattr(array, "sources", ())
    if again is None and any(
        isinstance(source, Stored) and source.buffer == room.buffer
        for source in array.sources_within
    ):
        return False
    return all(
        _pointwise(source, room) and (source.shape == room.shape or _apart(source, room))
        for source in sources
    )


def _apart(array: Array, room: Stored) -> bool:
    return not any(
        isinstance(source, Stored) and source.buffer == room.buffer
        for source in array.sources_within
    )


# -- loops ----------------------------------------------------------------------------------------


def _ready(context: Context, scope: Scope, array: Array) -> Array:
    """What a body reads again and again: scalars, or in memory."""
    if context.is_small(array.shape) and array.dtype in DTYPES:
        found = unrolled(context, scope, array)
    elif array.cost:
        return context.memory.stored(scope, array)
    else:
        found = array  # type: ignore[assignment]
    context.memory.prepare(scope, found)
    return found


def _carried(
    context: Context, scope: Scope, frame: Frame, equation: Equation, args: Sequence[Array]
) -> list[_Carry]:
    """What a loop carries; an array that nothing else needs is carried in its own place."""
    loop: Loop = equation.params["loop"]
    found = []
    for position in range(loop.consts, loop.first_x):
        atom, variable = equation.inputs[position], loop.body.outputs[position - loop.consts]
        alone = sum(x is atom for x in equation.inputs) == 1
        own = alone and type(atom) is Variable and frame.owns(context.memory, atom, equation)
        found.append(_Carry(context, scope, args[position], variable, own=own))
    return found


def _scan(
    context: Context, scope: Scope, frame: Frame, equation: Equation, args: Sequence[Array]
) -> list[Array] | None:
    """A loop whose number of iterations is known."""
    loop: Loop = equation.params["loop"]
    consts = [_ready(context, scope, x) for x in args[: loop.consts]]
    carries = _carried(context, scope, frame, equation, args)
    xs = [_scanned(context, scope, x) for x in args[loop.first_x :]]
    stacks = []
    for variable in equation.outputs[loop.carry :]:
        target = frame.targets.get(variable)
        stacks.append(target or context.memory.buffer(variable.shape, variable.dtype.name))
    _forget(scope, carries, stacks)
    body = scope.inside()
    index = body.fresh("n")
    body.extents[index] = loop.length
    here = Affine(0, ((index, 1),))
    number = body.index(here.shifted(loop.start))
    i = Elements(shape=(), dtype="int64", values=(number,))
    slices = [_slice(x, here) for x in xs]
    inputs = [i, *consts, *(carry.array() for carry in carries), *slices]
    ys = [_at(stack, here) for stack in stacks]
    own = range(1 + loop.consts, 1 + loop.first_x)
    found = context.graph(body, loop.body, inputs, [*[None] * loop.carry, *ys], own)
    for target, y in zip(ys, found[loop.carry :], strict=True):
        if not (isinstance(y, Stored) and (y.buffer, y.base) == (target.buffer, target.base)):
            context.memory.fill(body, target, converted(y, target.dtype))
    nexts = _handed_on(context, body, carries, found[: loop.carry])
    pairs, results = _named(scope, carries)
    scope.add(
        For(
            index, Const(loop.length, "int64"), pairs, tuple(body.statements), tuple(nexts),
            tuple(results), loop.reverse,
        )
    )  # fmt: skip
    _forget(scope, carries, stacks)
    return [*_results(carries, results), *stacks]


def _forget(scope: Scope, carries: Sequence[_Carry], others: Sequence[Stored] = ()) -> None:
    for room in (*(carry.room for carry in carries), *others):
        if room is not None:
            scope.forget(room.buffer)


def _named(
    scope: Scope, carries: Sequence[_Carry]
) -> tuple[tuple[tuple[Scalar, Expr], ...], list[Scalar]]:
    pairs = tuple(pair for carry in carries for pair in carry.pairs())
    return pairs, [Scalar(scope.fresh("r"), scalar.dtype) for scalar, _ in pairs]


def _results(carries: Sequence[_Carry], results: Sequence[Scalar]) -> list[Array]:
    found: list[Array] = []
    rest = [*results]
    for carry in carries:
        count = len(carry.scalars)
        found.append(carry.array(rest[:count]))
        rest = rest[count:]
    return found


def _scanned(context: Context, scope: Scope, x: Array) -> Array:
    """What a slice of is read in each iteration: in memory, or cheap to compute."""
    if isinstance(x, Stored):
        return x
    if isinstance(x, Elements) or x.cost > _CHEAP or x.dtype not in DTYPES:
        return context.memory.stored(scope, x)
    context.memory.prepare(scope, x)
    return x


_CHEAP = 4


def _slice(x: Array, index: Affine) -> Array:
    """``x[index]``."""
    if isinstance(x, Stored):
        return _at(x, index)

    def at(scope: Scope, indices: Sequence[Affine], where: Expr | None) -> Expr:
        return x.element(scope, (index, *indices), where)

    return Computed(
        shape=x.shape[1:], dtype=x.dtype, cost=x.cost, depth=x.depth + 1, at=at, sources=(x,)
    )


def _at(x: Stored, index: Affine) -> Stored:
    base = x.base.plus(index.scaled(x.strides[0]))
    return x.view(x.shape[1:], x.strides[1:], base)


def _while(
    context: Context, scope: Scope, frame: Frame, equation: Equation, args: Sequence[Array]
) -> list[Array] | None:
    """A loop that goes on as long as a condition holds."""
    loop: Loop = equation.params["loop"]
    assert loop.condition is not None
    counts = counted(loop)
    if counts is not None:
        return _counting(context, scope, frame, equation, args, counts)
    consts = [_ready(context, scope, x) for x in args[: loop.consts]]
    carries = _carried(context, scope, frame, equation, args)
    _forget(scope, carries)
    outer = scope.inside()
    count = Scalar(outer.fresh("a"), "int64")
    state = [carry.array() for carry in carries]
    test = outer.inside()
    (going,) = context.graph(test, loop.condition, [*consts, *state])
    condition = unrolled(context, test, converted(going, "bool")).values[0]
    body = test.inside()
    i = Elements(shape=(), dtype="int64", values=(Name(count.name, "int64"),))
    own = range(1 + loop.consts, 1 + loop.first_x)
    found = context.graph(body, loop.body, [i, *consts, *state], own=own)
    nexts = _handed_on(context, body, carries, found)
    pairs, results = _named(scope, carries)
    following = body.op("add", Name(count.name, "int64"), Const(1, "int64"))
    end = Scalar(scope.fresh("r"), "int64")
    statements: tuple[Statement, ...] = tuple(body.statements)
    scope.add(
        While(
            (*pairs, (count, Const(0, "int64"))), tuple(test.statements), condition, statements,
            (*nexts, following), (*results, end),
        )
    )  # fmt: skip
    _forget(scope, carries)
    return _results(carries, results)


def _counting(
    context: Context,
    scope: Scope,
    frame: Frame,
    equation: Equation,
    args: Sequence[Array],
    count: Counted,
) -> list[Array]:
    """A loop that counts up to a number that is known when it begins."""
    loop: Loop = equation.params["loop"]
    consts = [_ready(context, scope, x) for x in args[: loop.consts]]
    carries = _carried(context, scope, frame, equation, args)
    counter = carries.pop(count.place)
    (first,) = counter.first
    limit: Expr = Const(count.limit, "int64")
    if not count.limit_is_number:
        limit = unrolled(context, scope, converted(consts[count.limit], "int64")).values[0]
    zero = isinstance(first, Const) and first.value == 0
    extent = scope.named(limit if zero else scope.op("subtract", limit, first))
    _forget(scope, carries)
    body = scope.inside()
    index = body.fresh("n")
    number = scope.place_of(extent)
    body.extents[index] = _ENDLESS if loop.most is None else max(loop.most, 1)
    if number is not None:
        body.counts[index] = number
    i = Elements(shape=(), dtype="int64", values=(Name(index, "int64"),))
    begun = Elements(shape=(), dtype="int64", values=(first,))
    state = [carry.array() for carry in carries]
    own = range(1 + count.plain.consts, 1 + count.plain.first_x)
    found = context.graph(body, count.plain.body, [i, begun, *consts, *state], own=own)
    nexts = _handed_on(context, body, carries, found)
    pairs, results = _named(scope, carries)
    scope.add(For(index, extent, pairs, tuple(body.statements), tuple(nexts), tuple(results)))
    _forget(scope, carries)
    done = scope.op("maximum", limit, first)
    given = _results(carries, results)
    given.insert(count.place, Elements(shape=(), dtype="int64", values=(done,)))
    return given


_ENDLESS = 1 << 62


# -- choices --------------------------------------------------------------------------------------


def _switch(
    context: Context, scope: Scope, frame: Frame, equation: Equation, args: Sequence[Array]
) -> list[Array] | None:
    """The results of one of several graphs."""
    branches = equation.params["branches"]
    index = unrolled(context, scope, converted(args[0], "int64")).values[0]
    operands = [_ready(context, scope, x) for x in args[1:]]
    outs = branches[0].outputs
    rooms: list[Stored | None] = []
    for variable, out in zip(equation.outputs, outs, strict=True):
        shape, dtype = shape_of(out), str(dtype_of(out))
        if context.is_small(shape) and dtype in DTYPES:
            rooms.append(None)
        else:
            rooms.append(frame.targets.get(variable) or context.memory.buffer(shape, dtype))
    lowered = []
    for branch in branches:
        inner = scope.inside()
        found = context.graph(inner, branch, operands)
        values: list[Expr] = []
        for room, array, variable in zip(rooms, found, equation.outputs, strict=True):
            array = converted(array, variable.dtype.name)
            if room is None:
                values += all_parts(unrolled(context, inner, array).values)
            else:
                context.memory.fill(inner, room, array)
        lowered.append((tuple(inner.statements), tuple(values)))
    results: list[Scalar] = []
    arrays: list[Array] = []
    for room, variable in zip(rooms, equation.outputs, strict=True):
        if room is not None:
            scope.forget(room.buffer)
            arrays.append(room)
            continue
        dtype, shape = variable.dtype.name, variable.shape
        count = width(dtype) * math.prod(shape)
        own = [Scalar(scope.fresh("r"), part_of(dtype)) for _ in range(count)]
        results += own
        arrays.append(Elements(shape=shape, dtype=dtype, values=names(own, dtype)))
    scope.add(Branch(index, tuple(lowered), tuple(results)))
    return arrays


def _checkpoint(
    context: Context, scope: Scope, frame: Frame, equation: Equation, args: Sequence[Array]
) -> list[Array] | None:
    """A graph that is evaluated again by derivatives: here, as if it stood there."""
    return context.graph(scope, equation.params["body"], list(args))


CONTROL: dict[str, Callable[..., list[Array] | None]] = {
    "scan": _scan,
    "while_loop": _while,
    "switch": _switch,
    "checkpoint": _checkpoint,
}
"""By the name of the primitive."""
