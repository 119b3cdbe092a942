"""Masks: arrays of truth values that a loop carries, and that are true wherever they are read.

A reverse loop carries what tells the strong zeros of a cotangent: true at first, and false where an
element was overwritten. What reads such an element meets one of those only if that was overwritten
twice; if it is known not to be, what is read is true, and nothing needs to be carried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pullback.core.primitive import registry
from pullback.graph.building import flat_graph, like
from pullback.graph.dependence import read
from pullback.graph.graph import Graph
from pullback.graph.program import Atom, Equation
from pullback.graph.variable import Variable
from pullback.passes.calls import Call
from pullback.passes.rewriting import Pass, Rewriting
from pullback.rules.control_flow.accesses import (
    Access,
    Forms,
    entered,
    meet_never,
    place_of,
    reads_of,
    shifted,
)
from pullback.rules.control_flow.loop import Loop, scan, while_loop
from pullback.rules.indexing import index, index_add, index_update

__all__ = ["simplify_masks"]

simplify_masks = Pass()

_OR = registry["logical_or"]


@simplify_masks.rewrites(scan, while_loop)
def _true(rw: Rewriting, _outputs: Sequence[Variable], *inputs: Atom, loop: Loop) -> Any:
    """Masks that are true at first, and wherever they are read."""
    call = Call(loop, inputs)
    body, found = loop.body, False
    for number, first in enumerate(call.carry):
        x = body.inputs[call.first_carry + number]
        source = rw.source(first)
        if x.dtype != np.bool_ or not x.shape or source is None or type(source) is Variable:
            continue
        if not source:
            continue
        looked = _looked(loop, number, inputs, Forms(outside=True))
        if looked is not None and looked.reads:
            body, found = looked.body(body), True
    if not found:
        return None
    return call.again(rw, body, call.consts, call.carry, call.xs)


@dataclass
class _Look:
    """What a body does with a mask that it carries.

    Attributes
    ----------
    reads, writes : list of Access
        Where it is read, and where it is made false.
    equations : dict of int to Equation
        Those that read it, by their identity, as they are if they read what is true.
    truth : Variable
        What is true.
    true : set of Variable
        What is read of it.
    places : list of (key, indices, Access)
        What `writes` name, of the equations of the body itself.
    """

    truth: Variable
    reads: list[Access] = field(default_factory=list)
    writes: list[Access] = field(default_factory=list)
    equations: dict[int, Equation] = field(default_factory=dict)
    true: set[Variable] = field(default_factory=set)
    places: list[tuple[Any, tuple[Atom, ...], Access]] = field(default_factory=list)

    def restore(self, equation: Equation) -> None:
        """Forget a write to places that an equation makes true again."""
        value, indices = equation.inputs[1], equation.inputs[2:]
        if type(value) is Variable and value not in self.true:
            return
        if type(value) is not Variable and not value:
            return
        for key, others, access in self.places:
            alike = len(indices) == len(others) and all(map(_is_same, indices, others))
            if key == equation.params["key"] and alike:
                self.writes = [each for each in self.writes if each is not access]

    def body(self, graph: Graph) -> Graph:
        """The body with these."""
        constants = graph.constants | {self.truth: np.broadcast_to(np.True_, self.truth.shape)}
        equations = [self.equations.get(id(each), each) for each in graph.equations]
        names = graph.signature.names
        return flat_graph(graph.name, graph.inputs, constants, equations, graph.outputs, names)


def _is_same(x: Atom, y: Atom) -> bool:
    if type(x) is Variable or type(y) is Variable:
        return x is y
    return bool(x == y)


def _looked(loop: Loop, number: int, inputs: Sequence[Atom], forms: Forms) -> _Look | None:
    """What a loop does with the mask of this number; `None` if it may read what is false."""
    body, around = entered(loop, inputs, forms)
    first = loop.body.inputs[1 + loop.consts + number]
    look = _Look(like(first))
    states = {first}
    befores: list[tuple[list[Access], list[Access]]] = []
    for equation in body.equations:
        if states.isdisjoint(read(equation)):
            continue
        before = [*look.writes]
        reads = _step(equation, states, look, around)
        if reads is None:
            return None
        befores.append((reads, before))
        look.reads += reads
    if not any(x is loop.body.outputs[number] for x in states):
        return None
    if any(each in states for i, each in enumerate(loop.body.outputs)
           if i != number and type(each) is Variable):  # fmt: skip
        return None
    if body.inputs[0] not in around.known:
        return None
    ((key, _),) = around.known[body.inputs[0]].items()
    back = 1 if loop.reverse else -1
    ahead = object()
    by = {None: back, ahead: back}
    earlier = [
        shifted(Access(each.place, ((ahead, ({}, None)), *each.ranges)), key, by)
        for each in look.writes
    ]
    for reads, before in befores:
        if not all(meet_never(a, b) for a in reads for b in (*before, *earlier)):
            return None
    return look


def _step(
    equation: Equation, states: set[Variable], look: _Look, forms: Forms
) -> list[Access] | None:
    """Where an equation reads a state; a state that it makes, and its writes, are noted."""
    primitive, inputs = equation.primitive, equation.inputs
    among = [i for i, x in enumerate(inputs) if type(x) is Variable and x in states]
    if primitive is index and among == [0]:
        look.equations[id(equation)] = _with(equation, among, look.truth)
        look.true.add(equation.outputs[0])
        return reads_of(inputs[0], equation, forms)
    if primitive is index_update and equation.params["key"] in ((), (Ellipsis,)) and 1 in among:
        states.add(equation.outputs[0])
        return []
    if primitive is index_update and among == [0]:
        states.add(equation.outputs[0])
        look.writes.append(place_of(equation, forms, 2))
        look.places.append((equation.params["key"], equation.inputs[2:], look.writes[-1]))
        return []
    if (primitive is index_add and among == [0]) or primitive is _OR:
        states.add(equation.outputs[0])
        if primitive is index_add:
            look.restore(equation)
        return []
    if primitive in (scan, while_loop):
        return _in_loop(equation, among, states, look, forms)
    return None


def _in_loop(
    equation: Equation, among: list[int], states: set[Variable], look: _Look, forms: Forms
) -> list[Access] | None:
    loop: Loop = equation.params["loop"]
    carried = [i for i in among if loop.consts <= i < loop.first_x]
    if len(carried) > 1 or any(i >= loop.first_x for i in among):
        return None
    reads: list[Access] = []
    changed = equation
    for i in carried:
        number = i - loop.consts
        inner = _looked(loop, number, equation.inputs, forms)
        if inner is None:
            return None
        reads += inner.reads
        look.writes += inner.writes
        states.add(equation.outputs[number])
        if inner.reads:
            params = equation.params | {"loop": replace(loop, body=inner.body(loop.body))}
            changed = Equation(
                equation.primitive, equation.inputs, params, equation.outputs, equation.place
            )
    consts = [i for i in among if i < loop.consts]
    if consts:
        state = equation.inputs[consts[0]]
        if carried or any(equation.inputs[i] is not state for i in consts):
            return None
        reads += reads_of(state, equation, forms)
        changed = _with(changed, consts, look.truth)
    if changed is not equation:
        look.equations[id(equation)] = changed
    return reads


def _with(equation: Equation, places: Sequence[int], x: Variable) -> Equation:
    inputs = tuple(x if i in places else each for i, each in enumerate(equation.inputs))
    return Equation(equation.primitive, inputs, equation.params, equation.outputs, equation.place)
