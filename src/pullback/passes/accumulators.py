"""Accumulators: what a loop carries only to add to it.

Of two accumulators that are only added to each other in the end, one takes what both would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pullback.graph.building import flat_graph
from pullback.graph.dependence import read
from pullback.graph.graph import Graph
from pullback.graph.program import Atom, Equation
from pullback.graph.variable import Variable
from pullback.passes.calls import Call
from pullback.passes.rewriting import Pass, Rewriting
from pullback.rules.arithmetic import add, subtract
from pullback.rules.control_flow.loop import Loop, scan
from pullback.rules.indexing import index_add

__all__ = ["Chain", "accumulation", "join_accumulators", "readers_of"]

join_accumulators = Pass()


class Chain(NamedTuple):
    """The equations by which an accumulator becomes the next one, each of which adds to it."""

    start: Variable
    equations: list[Equation]


def readers_of(body: Graph) -> dict[Variable, list[Equation | None]]:
    """What reads each value: equations, and `None` for outputs."""
    found: dict[Variable, list[Equation | None]] = {}
    for equation in body.equations:
        for x in read(equation):
            found.setdefault(x, []).append(equation)
    for x in body.outputs:
        if type(x) is Variable:
            found.setdefault(x, []).append(None)
    return found


def accumulation(
    body: Graph, readers: Mapping[Variable, Sequence[Equation | None]], call: Call, place: int
) -> Chain | None:
    """The way of a carry to its next value, if it is only added to, and otherwise not read."""
    x = start = body.inputs[call.first_carry + place]
    equations: list[Equation] = []
    while len(readers.get(x, ())) == 1:
        (equation,) = readers[x]
        if equation is None:
            return Chain(start, equations) if equations and x is body.outputs[place] else None
        terms = equation.inputs if equation.primitive is add else equation.inputs[:1]
        adds = equation.primitive in (add, subtract, index_add)
        if not adds or not any(x is term for term in terms):
            return None
        (out,) = equation.outputs
        if (out.shape, out.dtype) != (start.shape, start.dtype):
            return None
        equations.append(equation)
        x = out
    return None


@join_accumulators.rewrites(scan)
def _summed(rw: Rewriting, outputs: Sequence[Variable], *inputs: Atom, loop: Loop) -> Any:
    """Two accumulators of which only the sum is read."""
    call = Call(loop, inputs)
    pair = _only_added(rw, outputs[: loop.carry])
    if pair is None:
        return None
    one, other = pair
    body = loop.body
    readers = readers_of(body)
    first, later = (accumulation(body, readers, call, place) for place in pair)
    if first is None or later is None:
        return None
    total = rw.bind(add, call.carry[one], call.carry[other])
    moved = set(map(id, later.equations))
    # What the second one adds is added to what the first one has become.
    between = body.outputs[one]
    equations = [each for each in body.equations if id(each) not in moved]
    equations += [_reading(each, later.start, between) for each in later.equations]
    results = [*body.outputs]
    results[one] = body.outputs[other]
    del results[other]
    left = [*body.inputs]
    names = [*body.signature.names]
    del left[call.first_carry + other], names[call.first_carry + other]
    new = flat_graph(body.name, left, body.constants, equations, results, names)
    carry = [*call.carry]
    carry[one] = rw.fit(total, first.start)
    del carry[other]
    found = [*call.again(rw, new, call.consts, carry, call.xs)]
    found.insert(other, outputs[other].dtype.type(0))
    return tuple(found)


def _only_added(rw: Rewriting, carried: Sequence[Variable]) -> tuple[int, int] | None:
    """The places of two results that are read by one sum alone."""
    first: dict[int, int] = {}
    for place, x in enumerate(carried):
        readers = rw.readers(x)
        if len(readers) != 1 or readers[0] is None or readers[0].primitive is not add:
            continue
        if x.dtype.kind not in "fc" or readers[0].outputs[0].shape != x.shape:
            continue
        found = first.setdefault(id(readers[0]), place)
        other = carried[found]
        if found != place and (other.shape, other.dtype) == (x.shape, x.dtype):
            return found, place
    return None


def _reading(equation: Equation, old: Variable, new: Atom) -> Equation:
    """An equation that reads something else in place of a variable."""
    inputs = tuple([new if x is old else x for x in equation.inputs])
    return Equation(equation.primitive, inputs, equation.params, equation.outputs, equation.place)
