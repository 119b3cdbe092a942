"""Trimming: results of loops, choices and checkpoints that nobody reads, and what only they need.

A value that a loop carries is needed if its last value is read, or if something that is needed is
computed from it; what only keeps itself going is not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from pullback.core.primitive import Primitive
from pullback.graph.building import flat_graph
from pullback.graph.dependence import live, read
from pullback.graph.graph import Graph
from pullback.graph.program import Equation
from pullback.graph.variable import Variable
from pullback.rules.control_flow.checkpointing import checkpointed
from pullback.rules.control_flow.choice import switch
from pullback.rules.control_flow.repetition import while_loop
from pullback.rules.control_flow.scanning import scan

__all__ = ["part_of", "trimmed"]


def trimmed(equation: Equation, needed: Collection[Variable]) -> Equation:
    """An equation without the results that are not needed, and without what only they need.

    Parameters
    ----------
    equation : Equation
    needed : collection of Variable
        What is read of the equation's outputs; among others.

    Returns
    -------
    Equation
        The same one if everything is needed.
    """
    trim = _TRIMS.get(equation.primitive)
    if trim is None:
        return equation
    return trim(equation, [x in needed for x in equation.outputs])


def part_of(graph: Graph, inputs: Sequence[int], outputs: Sequence[int]) -> Graph:
    """A graph with some of its inputs, and some of its outputs, and what these need."""
    results = [graph.outputs[i] for i in outputs]
    equations = live(graph.equations, results)
    used = {x for equation in equations for x in read(equation)}
    used.update(x for x in results if type(x) is Variable)
    names = graph.signature.names
    return flat_graph(
        graph.name,
        [graph.inputs[i] for i in inputs],
        {x: value for x, value in graph.constants.items() if x in used},
        equations,
        results,
        [names[i] for i in inputs],
    )


def _used(graph: Graph, outputs: Sequence[int]) -> list[bool]:
    """Which inputs of a graph some of its outputs need."""
    results = [graph.outputs[i] for i in outputs]
    used = {x for equation in live(graph.equations, results) for x in read(equation)}
    used.update(x for x in results if type(x) is Variable)
    return [x in used for x in graph.inputs]


def _where(marks: Sequence[bool], start: int = 0) -> list[int]:
    """The positions of what is marked."""
    return [start + i for i, marked in enumerate(marks) if marked]


def _kept(
    equation: Equation, inputs: Sequence[int], outputs: Sequence[int], **params: Any
) -> Equation:
    """An equation with some of its inputs and outputs; the same one if that is all of them."""
    if len(inputs) == len(equation.inputs) and len(outputs) == len(equation.outputs):
        return equation
    return Equation(
        equation.primitive,
        tuple(equation.inputs[i] for i in inputs),
        {**equation.params, **params},
        tuple(equation.outputs[i] for i in outputs),
        equation.place,
    )


# -- loops ----------------------------------------------------------------------------------------


def _trim_scan(equation: Equation, needed: Sequence[bool]) -> Equation:
    body, consts, carry = (equation.params[name] for name in ("body", "consts", "carry"))
    outputs, used = _carried(body, 1 + consts, carry, needed)
    carries = [i for i in outputs if i < carry]
    inputs = [
        *_where(used[1 : 1 + consts]),
        *(consts + i for i in carries),
        *_where(used[1 + consts + carry :], consts + carry),
    ]
    return _kept(
        equation,
        inputs,
        outputs,
        body=part_of(body, [0, *(1 + i for i in inputs)], outputs),
        consts=sum(used[1 : 1 + consts]),
        carry=len(carries),
    )


def _trim_while(equation: Equation, needed: Sequence[bool]) -> Equation:
    body, consts, carry = (equation.params[name] for name in ("body", "consts", "carry"))
    condition = equation.params["condition"]
    asked = _used(condition, [0])
    needed = [a or b for a, b in zip(needed, asked[consts:], strict=True)]
    carries, used = _carried(body, 1 + consts, carry, needed)
    kept = _where([a or b for a, b in zip(asked[:consts], used[1 : 1 + consts], strict=True)])
    inputs = [*kept, *(consts + i for i in carries)]
    return _kept(
        equation,
        inputs,
        carries,
        condition=part_of(condition, inputs, [0]),
        body=part_of(body, [0, *(1 + i for i in inputs)], carries),
        consts=len(kept),
        carry=len(carries),
    )


def _carried(
    body: Graph, first: int, carry: int, needed: Sequence[bool]
) -> tuple[list[int], list[bool]]:
    """The outputs of a body that are needed, and which inputs these need.

    Parameters
    ----------
    body : Graph
    first : int
        The place of the first value that is carried, among the inputs.
    carry : int
        How many are carried.
    needed : sequence of bool
        Which results of the loop are read.
    """
    marks = list(needed)
    while True:
        used = _used(body, _where(marks))
        grown = [marked or (i < carry and used[first + i]) for i, marked in enumerate(marks)]
        if grown == marks:
            return _where(marks), used
        marks = grown


# -- choices and checkpoints ----------------------------------------------------------------------


def _trim_switch(equation: Equation, needed: Sequence[bool]) -> Equation:
    branches = equation.params["branches"]
    outputs = _where(needed)
    rows = [_used(branch, outputs) for branch in branches]
    inputs = _where([any(column) for column in zip(*rows, strict=True)])
    return _kept(
        equation,
        [0, *(1 + i for i in inputs)],
        outputs,
        branches=tuple(part_of(branch, inputs, outputs) for branch in branches),
    )


def _trim_checkpoint(equation: Equation, needed: Sequence[bool]) -> Equation:
    body = equation.params["body"]
    outputs = _where(needed)
    inputs = _where(_used(body, outputs))
    return _kept(equation, inputs, outputs, body=part_of(body, inputs, outputs))


_TRIMS: dict[Primitive, Callable[[Equation, Sequence[bool]], Equation]] = {
    scan: _trim_scan,
    while_loop: _trim_while,
    switch: _trim_switch,
    checkpointed: _trim_checkpoint,
}
