"""Loops: what need not be carried, scanned, stacked, or done in each iteration.

* A loop that does not run, or runs once, is no loop.
* Arguments that are known are known to the body; see `pullback.passes.bodies`.
* What is carried and never changes is the same in each iteration; so is an array that is scanned
  and repeats its slices.
* What is stacked and is the same in each iteration, or is what was scanned, need not be stacked.
* What depends only on what is the same in each iteration is computed once, before the loop, unless
  it costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pullback.core.shapes import shape_of
from pullback.graph.dependence import read
from pullback.graph.graph import Graph
from pullback.graph.program import Atom, Equation
from pullback.graph.variable import Variable
from pullback.passes.bodies import facts, informed, remaining
from pullback.passes.calls import Call
from pullback.passes.layout import padded
from pullback.passes.rewriting import Pass, Rewriting
from pullback.rules.control_flow.derived import part_of, with_inputs
from pullback.rules.control_flow.loop import Loop, scan, while_loop
from pullback.rules.indexing import index
from pullback.rules.shaping import reshape

__all__ = ["simplify_loops"]

simplify_loops = Pass()


# -- loops that are none --------------------------------------------------------------------------


@simplify_loops.rewrites(scan)
def _few(rw: Rewriting, outputs: Sequence[Variable], *inputs: Atom, loop: Loop) -> Any:
    """No iteration, or one."""
    call = Call(loop, inputs)
    if loop.length > 1:
        return None
    if loop.length == 0:
        stacks = outputs[len(call.carry) :]
        return (*call.carry, *(y.dtype.type(0) for y in stacks))
    slices = [rw.bind(index, x, key=(0,)) for x in call.xs]
    outs = rw.inline(loop.body, [loop.start, *call.consts, *call.carry, *slices])
    return tuple(
        rw.bind(reshape, x, shape=out.shape) if shape_of(x) != out.shape else x
        for x, out in zip(outs, outputs, strict=True)
    )


# -- arguments ------------------------------------------------------------------------------------


@simplify_loops.rewrites(scan, while_loop)
def _known(rw: Rewriting, _outputs: Sequence[Variable], *inputs: Atom, loop: Loop) -> Any:
    """Consts that are numbers, repetitions, or given twice."""
    call = Call(loop, inputs)
    known = facts(rw, loop.body.inputs[1 : call.first_carry], call.consts)
    if not any(known):
        return None
    condition = None if loop.condition is None else informed(loop.condition, 0, known)
    consts = remaining(call.consts, known)
    return call.again(rw, informed(loop.body, 1, known), consts, call.carry, call.xs, condition)


@simplify_loops.rewrites(scan, while_loop)
def _unchanged(rw: Rewriting, _outputs: Sequence[Variable], *inputs: Atom, loop: Loop) -> Any:
    """What is carried and never changes becomes a const, and is its own last value."""
    call = Call(loop, inputs)
    body, condition, first = loop.body, loop.condition, call.first_carry
    carries = range(len(call.carry))
    same = [i for i in carries if body.outputs[i] is body.inputs[first + i]]
    if not same:
        return None
    rest = [i for i in carries if i not in same]
    order = [
        *range(first),
        *(first + i for i in (*same, *rest)),
        *range(call.first_x, len(body.inputs)),
    ]
    kept = [*rest, *range(len(call.carry), len(body.outputs))]
    if condition is not None:
        condition = part_of(condition, [i - 1 for i in order[1:]], [0])
    results = iter(
        call.again(
            rw,
            part_of(body, order, kept),
            [*call.consts, *(call.carry[i] for i in same)],
            [call.carry[i] for i in rest],
            call.xs,
            condition,
        )
    )
    return tuple(call.carry[i] if i in same else next(results) for i in range(len(body.outputs)))


@simplify_loops.rewrites(scan)
def _repeated_slices(rw: Rewriting, _outputs: Sequence[Variable], *inputs: Atom, loop: Loop) -> Any:
    """A scanned array that repeats its slices is a const."""
    call = Call(loop, inputs)
    slices = [_slice(rw, x) for x in call.xs]
    some = [i for i, x in enumerate(slices) if x is not None]
    if not some:
        return None
    rest = [i for i, x in enumerate(slices) if x is None]
    body, first, first_x = loop.body, call.first_carry, call.first_x
    order = [
        *range(first),
        *(first_x + i for i in some),
        *range(first, first_x),
        *(first_x + i for i in rest),
    ]
    return call.again(
        rw,
        part_of(body, order, range(len(body.outputs))),
        [*call.consts, *(slices[i] for i in some)],
        call.carry,
        [call.xs[i] for i in rest],
    )


def _slice(rw: Rewriting, x: Atom) -> Atom | None:
    """The slice that an array repeats along its first axis, if it does."""
    source = rw.source(x)
    if source is None or not x.shape[0] or padded(shape_of(source), x.ndim)[0] != 1:
        return None
    if len(shape_of(source)) == x.ndim:
        source = rw.bind(reshape, source, shape=source.shape[1:])
    return rw.fit(source, Variable(x.shape[1:], x.dtype))


# -- results --------------------------------------------------------------------------------------


@simplify_loops.rewrites(scan)
def _stacked(rw: Rewriting, outputs: Sequence[Variable], *inputs: Atom, loop: Loop) -> Any:
    """What is stacked although it is known, or is stacked twice."""
    call = Call(loop, inputs)
    body, carry = loop.body, len(call.carry)
    found: dict[int, Atom] = {}
    first: dict[Variable, int] = {}
    for i, y in enumerate(body.outputs[carry:], carry):
        known = _stack(rw, call, y)
        if known is not None:
            found[i] = known
        elif y in first:
            found[i] = outputs[first[y]]
        else:
            first[y] = i
    if not found:
        return None
    rest = [i for i in range(len(body.outputs)) if i not in found]
    everything = range(len(body.inputs))
    results = call.again(rw, part_of(body, everything, rest), call.consts, call.carry, call.xs)
    atoms = dict(zip(rest, results, strict=True))
    for i, y in enumerate(body.outputs):
        if i in found:
            atoms[i] = atoms[first[y]] if type(y) is Variable and y in first else found[i]
    return tuple(atoms[i] for i in range(len(body.outputs)))


def _stack(rw: Rewriting, call: Call, y: Atom) -> Atom | None:
    """The stack of what is a number, a const, a constant, or a slice."""
    if type(y) is not Variable:
        return y
    body = call.loop.body
    if y in body.constants:
        value = body.constants[y]
        return rw.constant(value.copy()) if hasattr(value, "copy") else None
    if y not in body.inputs:
        return None
    place = body.inputs.index(y)
    if 1 <= place < call.first_carry:
        return call.consts[place - 1]
    return call.xs[place - call.first_x] if place >= call.first_x else None


# -- what is the same in each iteration -----------------------------------------------------------


@simplify_loops.rewrites(scan, while_loop)
def _invariant(rw: Rewriting, _outputs: Sequence[Variable], *inputs: Atom, loop: Loop) -> Any:
    """What is computed of consts alone is computed once."""
    call = Call(loop, inputs)
    body = loop.body
    same = {*body.inputs[1 : call.first_carry], *body.constants}
    runs = loop.condition is None and loop.length > 0
    moved: list[Equation] = []
    left: list[Equation] = []
    costly: set[Variable] = set()
    for equation in body.equations:
        moves = same.issuperset(read(equation)) and _may_move(equation, runs=runs)
        if moves:
            same.update(equation.outputs)
            moved.append(equation)
        if moves and not equation.primitive.structure.is_free():
            costly.update(equation.outputs)
        else:
            left.append(equation)
    needed = (*(x for equation in left for x in read(equation)), *body.outputs)
    wanted = [x for x in dict.fromkeys(needed) if x in costly]
    if not wanted:
        return None
    consts = list(body.inputs[1 : call.first_carry])
    before = Graph("", consts, body.constants, moved, wanted, body.signature)
    values = rw.inline(before, call.consts)
    new = [f"fixed{i}" for i in range(len(wanted))]
    rest = Graph(body.name, body.inputs, body.constants, left, body.outputs, body.signature)
    rest = with_inputs(rest, call.first_carry, wanted, new)
    condition = loop.condition
    if condition is not None:
        extra = [Variable(x.shape, x.dtype, array=x.array) for x in wanted]
        condition = with_inputs(condition, len(call.consts), extra, new)
    return call.again(rw, rest, [*call.consts, *values], call.carry, call.xs, condition)


def _may_move(equation: Equation, *, runs: bool) -> bool:
    """Whether an equation can be evaluated before the loop, which surely `runs` or may not."""
    structure = equation.primitive.structure
    return structure.is_safe(equation.inputs) or (runs and structure.is_free())
