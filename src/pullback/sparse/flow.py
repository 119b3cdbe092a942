"""The patterns of all values of a program, one equation after the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.core.shapes import Abstract, is_inexact, shape_of
from pullback.errors import ArgumentValueError
from pullback.graph.dependence import live
from pullback.graph.places import Place, user_line
from pullback.graph.program import Equation, Program, releases
from pullback.graph.variable import Variable
from pullback.rules.control_flow.checkpointing import checkpointed
from pullback.rules.control_flow.choice import switch
from pullback.rules.control_flow.loop import scan, while_loop
from pullback.sparse.loops import follow_loop
from pullback.sparse.mechanisms import State, follow
from pullback.sparse.pattern import MOST_ENTRIES, OverfullError, Pattern, index_dtype

__all__ = ["Flow", "labelled"]


class Flow:
    """What carries patterns through programs.

    Parameters
    ----------
    where : str
        What to call it in messages.
    inputs : int
        How many inputs there are.

    Attributes
    ----------
    met : dict of str to int
        How often a primitive's results were followed, by the name of its structure.
    """

    def __init__(self, where: str, inputs: int) -> None:
        self.where = where
        self.inputs = inputs
        self.met: dict[str, int] = {}

    def of(self, inputs: int) -> Flow:
        """One for other inputs."""
        return Flow(self.where, inputs)

    def run(self, program: Program, args: Sequence[State]) -> list[State]:
        """The states of the outputs of a program."""
        states = {x: State(shape_of(v), None, v) for x, v in program.constants.items()}
        states.update(zip(program.inputs, args, strict=True))
        equations = live(program.equations, program.outputs)
        for equation, released in zip(equations, releases(equations, program.outputs), strict=True):
            row = [_state(x, states) for x in equation.inputs]
            outs = self.apply(equation, row)
            states.update(zip(equation.outputs, outs, strict=True))
            for x in released:
                states.pop(x, None)
        return [_state(x, states) for x in program.outputs]

    def apply(self, equation: Equation, args: Sequence[State]) -> list[State]:
        """The states of the results of one equation."""
        primitive, params, outs = equation.primitive, equation.params, equation.outputs
        values: Any = (None,) * len(outs)
        if primitive.trusted and all(arg.value is not None for arg in args):
            value = primitive.value(*[arg.value for arg in args], **params)
            values = value if primitive.multiple else (value,)
        patterns: list[Any] = [None] * len(outs)
        if not primitive.is_constant and any(arg.pattern is not None for arg in args):
            patterns = self.patterns(primitive, args, params, outs, equation.place)
        return [
            State(out.shape, pattern if is_inexact(out) else None, value)
            for out, pattern, value in zip(outs, patterns, values, strict=True)
        ]

    def patterns(
        self,
        primitive: Any,
        args: Sequence[State],
        params: dict[str, Any],
        outs: Sequence[Abstract],
        place: Place | None,
    ) -> list[Pattern | None]:
        """The patterns of the results of a primitive, one argument of which has one at least."""
        kind = type(primitive.structure).__name__
        self.met[kind] = self.met.get(kind, 0) + 1
        try:
            if primitive is scan or primitive is while_loop:
                return [x.pattern for x in follow_loop(self, params["loop"], args)]
            if primitive is switch:
                return self._choice(params["branches"], args)
            if primitive is checkpointed:
                return [x.pattern for x in self.run(params["body"], args)]
            return follow(primitive, args, params, outs)
        except OverfullError as error:
            line = user_line() if place is None else f", recorded at {place.words()},"
            shape = outs[0].shape if len(outs) == 1 else tuple(out.shape for out in outs)
            raise ArgumentValueError(
                f"{self.where}: the pattern of {primitive.name}{line} of shape {shape} would have "
                f"some {error.entries:.1g} entries, wanted at most {MOST_ENTRIES:.0g}, the most "
                "that fit in memory: nearly every element depends on every input there; use "
                "products with the Jacobian instead, pullback.linearize and pullback.vjp"
            ) from None

    def _choice(self, branches: Sequence[Program], args: Sequence[State]) -> list[Pattern | None]:
        number, *operands = args
        if number.value is not None:
            taken = min(max(int(number.value), 0), len(branches) - 1)
            return [x.pattern for x in self.run(branches[taken], operands)]
        found = []
        for column in zip(*[self.run(branch, operands) for branch in branches], strict=True):
            patterns = [x.pattern for x in column if x.pattern is not None]
            found.append(Pattern.union(patterns) if patterns else None)
        return found


def _state(x: Any, states: dict[Variable, State]) -> State:
    return states[x] if type(x) is Variable else State((), None, x)


def labelled(variables: Sequence[Abstract], order: Sequence[int]) -> tuple[list[State], int]:
    """The inputs of a program, with labels where `order` has their places, and how many there are.

    The labels go from input to input in this order.
    """
    total = sum(math.prod(variables[i].shape) for i in order)
    states = [State(x.shape) for x in variables]
    start = 1
    for i in order:
        shape = variables[i].shape
        stop = start + math.prod(shape)
        labels = np.arange(start, stop, dtype=index_dtype(total)).reshape(shape)
        states[i] = State(shape, Pattern(shape, total, [labels]))
        start = stop
    return states, total
