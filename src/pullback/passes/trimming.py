"""Trimming: results of loops, choices and checkpoints that nobody reads, and what only they need.

A value that a loop carries is needed if its last value is read, or if something that is needed is
computed from it; what only keeps itself going is not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any

from pullback.core.primitive import Primitive
from pullback.graph.dependence import live, read
from pullback.graph.graph import Graph
from pullback.graph.program import Equation
from pullback.graph.variable import Variable
from pullback.rules.control_flow.checkpointing import checkpointed
from pullback.rules.control_flow.choice import switch
from pullback.rules.control_flow.derived import part_of
from pullback.rules.control_flow.loop import Loop, scan, while_loop

__all__ = ["trimmed"]


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


def _trim_loop(equation: Equation, needed: Sequence[bool]) -> Equation:
    loop: Loop = equation.params["loop"]
    body, condition, first_x = loop.body, loop.condition, loop.first_x
    asked = [False] * first_x if condition is None else _used(condition, [0])
    carried = asked[loop.consts :]
    needed = [a or b for a, b in zip_longest(needed, carried, fillvalue=False)]
    outputs, used = _carried(loop, needed)
    consts = _where([a or b for a, b in zip(used[: loop.consts], asked, strict=False)])
    carries = [i for i in outputs if i < loop.carry]
    inputs = [*consts, *(loop.consts + i for i in carries), *_where(used[first_x:], first_x)]
    trimmed_loop = replace(
        loop,
        body=part_of(body, [0, *(1 + i for i in inputs)], outputs),
        condition=condition and part_of(condition, inputs, [0]),
        consts=len(consts),
        carry=len(carries),
    )
    return _kept(equation, inputs, outputs, loop=trimmed_loop)


def _carried(loop: Loop, needed: Sequence[bool]) -> tuple[list[int], list[bool]]:
    """The results of a loop that are needed, and which arguments these need.

    Parameters
    ----------
    loop : Loop
    needed : sequence of bool
        Which results are read.
    """
    marks = list(needed)
    while True:
        used = _used(loop.body, _where(marks))[1:]
        grown = [*marks]
        for i in range(loop.carry):
            grown[i] = marks[i] or used[loop.consts + i]
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
    scan: _trim_loop,
    while_loop: _trim_loop,
    switch: _trim_switch,
    checkpointed: _trim_checkpoint,
}
