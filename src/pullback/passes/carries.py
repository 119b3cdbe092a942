"""Carries: what a loop carries, or scans, although something else is the same.

* An array that is scanned twice is scanned once.
* Carries that begin alike, and go on alike as long as they are alike, are one.
* Of two accumulators that are only added to each other in the end, one takes what both would.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

from pullback.graph.building import flat_graph
from pullback.graph.dependence import read
from pullback.graph.graph import Graph
from pullback.graph.numbering import frozen, numbered
from pullback.graph.program import Atom, Equation
from pullback.graph.variable import Variable
from pullback.passes.calls import Call
from pullback.passes.rewriting import Pass, Rewriting
from pullback.rules.arithmetic import add, subtract
from pullback.rules.control_flow.derived import derived, part_of
from pullback.rules.control_flow.loop import Loop, scan, while_loop
from pullback.rules.indexing import index_add

__all__ = ["simplify_carries"]

simplify_carries = Pass()


def _replaced(graph: Graph, same: Mapping[Variable, Variable]) -> Graph:
    """A graph without some of its inputs: each is the same as another one."""
    kept = [x not in same for x in graph.inputs]
    names = [name for name, keep in zip(graph.signature.names, kept, strict=True) if keep]
    equations, now = numbered(graph.equations, same)
    return flat_graph(
        graph.name,
        [x for x, keep in zip(graph.inputs, kept, strict=True) if keep],
        graph.constants,
        equations,
        [now.get(x, x) if type(x) is Variable else x for x in graph.outputs],
        names,
    )


# -- what is scanned twice ------------------------------------------------------------------------


@simplify_carries.rewrites(scan)
def _scanned_twice(rw: Rewriting, _outputs: Sequence[Variable], *inputs: Atom, loop: Loop) -> Any:
    call = Call(loop, inputs)
    if len(set(call.xs)) == len(call.xs):
        return None
    slices = loop.body.inputs[call.first_x :]
    first: dict[Atom, Variable] = {}
    same = {
        x: first[atom]
        for x, atom in zip(slices, call.xs, strict=True)
        if first.setdefault(atom, x) is not x
    }
    return call.again(rw, _replaced(loop.body, same), call.consts, call.carry, [*first])


# -- carries that are equal -----------------------------------------------------------------------


@simplify_carries.rewrites(scan, while_loop)
def _carried_twice(rw: Rewriting, _outputs: Sequence[Variable], *inputs: Atom, loop: Loop) -> Any:
    call = Call(loop, inputs)
    body, condition = loop.body, loop.condition
    carried = body.inputs[call.first_carry : call.first_x]
    keys = [
        (x.shape, x.dtype, x.weak, _frozen_atom(first))
        for x, first in zip(carried, call.carry, strict=True)
    ]
    places = _first_places(keys)
    left = [i for i, first in enumerate(places) if i == first]
    if len(left) < len(places):
        places = derived(body, ("alike", tuple(places)), lambda: _alike(body, carried, places))
        left = [i for i, first in enumerate(places) if i == first]
    if len(left) == len(places):
        return None
    body = _replaced(body, _renamed(carried, places))
    body = part_of(body, range(len(body.inputs)), [*left, *range(len(places), len(body.outputs))])
    if condition is not None:
        condition = _replaced(condition, _renamed(condition.inputs[loop.consts :], places))
    carry = [call.carry[i] for i in left]
    results = call.again(rw, body, call.consts, carry, call.xs, condition)
    return (*(results[left.index(first)] for first in places), *results[len(left) :])


def _renamed(variables: Sequence[Variable], places: Sequence[int]) -> dict[Variable, Variable]:
    """For each variable that is one at an earlier place, that one."""
    pairs = zip(variables, (variables[first] for first in places), strict=True)
    return {x: first for x, first in pairs if first is not x}


def _frozen_atom(x: Atom) -> Hashable:
    """An atom as something hashable: a variable itself, a number by its type and bits."""
    return x if type(x) is Variable else frozen(x)


def _first_places(keys: Sequence[Hashable]) -> list[int]:
    """For each key the place of the first that is equal."""
    first: dict[Hashable, int] = {}
    return [first.setdefault(key, place) for place, key in enumerate(keys)]


def _alike(body: Graph, carried: Sequence[Variable], places: list[int]) -> list[int]:
    """Which carries stay equal to which, of those that are equal at first.

    What is equal if all of them are is found, those that then part are told apart, and so on.
    """
    while True:
        _, now = numbered(body.equations, _renamed(carried, places))
        after = [
            _frozen_atom(now.get(x, x) if type(x) is Variable else x)
            for x in body.outputs[: len(carried)]
        ]
        finer = _first_places([*zip(places, after, strict=True)])
        if finer == places:
            return places
        places = finer


# -- accumulators ---------------------------------------------------------------------------------


class Chain(NamedTuple):
    """The equations by which an accumulator becomes the next one."""

    start: Variable
    equations: list[Equation]


@simplify_carries.rewrites(scan)
def _summed(rw: Rewriting, outputs: Sequence[Variable], *inputs: Atom, loop: Loop) -> Any:
    """Two accumulators of which only the sum is read."""
    call = Call(loop, inputs)
    pair = _only_added(rw, outputs[: loop.carry])
    if pair is None:
        return None
    one, other = pair
    body = loop.body
    readers = _readers(body)
    chains = [_chain(body, readers, call, place) for place in pair]
    if chains[0] is None or chains[1] is None:
        return None
    start, later = chains[0].start, chains[1]
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
    carry[one] = rw.fit(total, start)
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


def _readers(body: Graph) -> dict[Variable, list[Equation | None]]:
    """What reads each value: equations, and `None` for outputs."""
    found: dict[Variable, list[Equation | None]] = {}
    for equation in body.equations:
        for x in read(equation):
            found.setdefault(x, []).append(equation)
    for x in body.outputs:
        if type(x) is Variable:
            found.setdefault(x, []).append(None)
    return found


def _chain(
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
        if equation.primitive not in (add, subtract, index_add) or x not in terms:
            return None
        (out,) = equation.outputs
        if (out.shape, out.dtype) != (start.shape, start.dtype):
            return None
        equations.append(equation)
        x = out
    return None


def _reading(equation: Equation, old: Variable, new: Atom) -> Equation:
    """An equation that reads something else in place of a variable."""
    inputs = tuple([new if x is old else x for x in equation.inputs])
    return Equation(equation.primitive, inputs, equation.params, equation.outputs, equation.place)
