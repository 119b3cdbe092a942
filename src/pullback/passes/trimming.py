"""Trimming: results of loops, choices and checkpoints that nobody reads, and what only they need.

See `pullback.rules.control_flow.asked`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from pullback.core.primitive import Primitive
from pullback.graph.program import Equation
from pullback.graph.variable import Variable
from pullback.rules.control_flow.asked import asked_of, asked_of_branches
from pullback.rules.control_flow.checkpointing import checkpointed
from pullback.rules.control_flow.choice import switch
from pullback.rules.control_flow.loop import scan, while_loop

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


def _trim_loop(equation: Equation, needed: Sequence[bool]) -> Equation:
    loop, inputs, outputs = equation.params["loop"].asked(needed)
    return _kept(equation, inputs, outputs, loop=loop)


def _trim_switch(equation: Equation, needed: Sequence[bool]) -> Equation:
    branches, inputs, outputs = asked_of_branches(equation.params["branches"], needed)
    return _kept(equation, [0, *(1 + i for i in inputs)], outputs, branches=branches)


def _trim_checkpoint(equation: Equation, needed: Sequence[bool]) -> Equation:
    body, inputs, outputs = asked_of(equation.params["body"], needed)
    return _kept(equation, inputs, outputs, body=body)


_TRIMS: dict[Primitive, Callable[[Equation, Sequence[bool]], Equation]] = {
    scan: _trim_loop,
    while_loop: _trim_loop,
    switch: _trim_switch,
    checkpointed: _trim_checkpoint,
}
