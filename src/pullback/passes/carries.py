"""Carries: what a loop carries, or scans, although something else is the same.

* An array that is scanned twice is scanned once.
* Carries that begin alike, and go on alike as long as they are alike, are one.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from pullback.graph.building import flat_graph
from pullback.graph.graph import Graph
from pullback.graph.numbering import frozen, numbered
from pullback.graph.program import Atom
from pullback.graph.variable import Variable
from pullback.passes.calls import Call
from pullback.passes.rewriting import Pass, Rewriting
from pullback.rules.control_flow.derived import derived, part_of
from pullback.rules.control_flow.loop import Loop, scan, while_loop

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
