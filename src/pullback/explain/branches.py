"""A program as it runs at one point: the branches that are taken, in place of the choices."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.explain.recording import Recording
from pullback.graph.program import Equation, Program
from pullback.graph.variable import Variable

__all__ = ["at_point"]


def at_point(recording: Recording, inputs: list[Any]) -> tuple[Program, list[str]]:
    """The recorded program with the choices made, and what was chosen.

    The body of a checkpoint stands in its place too: its values are computed twice, and no others.

    Parameters
    ----------
    recording : Recording
        The words of values in a branch are carried over.
    inputs : list of array
    """
    program = recording.graph
    maker = _Maker(recording)
    maker.values.update(zip(program.inputs, inputs, strict=True))
    maker.constants.update(program.constants)
    if not any(_parts(e) for e in program.equations):
        return program, []
    for equation in program.equations:
        maker.add(equation, {})
    outputs = [maker.same.get(x, x) if type(x) is Variable else x for x in program.outputs]
    needed = {x for x in outputs if type(x) is Variable}
    kept: list[Equation] = []
    for equation in reversed(maker.equations):
        if needed.intersection(equation.outputs):
            kept.append(equation)
            needed.update(x for x in equation.inputs if type(x) is Variable)
    constants = {x: a for x, a in maker.constants.items() if x in needed}
    flat = Program(program.name, program.inputs, constants, kept[::-1], outputs, program.signature)
    return flat, maker.notes


def _parts(equation: Equation) -> bool:
    return equation.primitive.name in ("switch", "checkpoint")


class _Maker:
    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.values: dict[Variable, Any] = {}
        self.constants: dict[Variable, Any] = {}
        self.equations: list[Equation] = []
        self.same: dict[Variable, Any] = {}
        self.notes: list[str] = []

    def value(self, x: Any) -> Any:
        if type(x) is not Variable:
            return x
        return self.values[x] if x in self.values else self.constants[x]

    def add(self, equation: Equation, within: dict[Variable, Any]) -> None:
        """An equation, of which `within` renames the variables."""

        def now(x: Any) -> Any:
            if type(x) is not Variable:
                return x
            x = within.get(x, x)
            return self.same.get(x, x) if type(x) is Variable else x

        inputs = tuple(map(now, equation.inputs))
        if _parts(equation):
            self.into(equation, inputs, within)
            return
        outputs = tuple(within.get(x, x) for x in equation.outputs)
        moved = Equation(equation.primitive, inputs, equation.params, outputs, equation.place)
        self.equations.append(moved)
        with np.errstate(all="ignore"):
            out = equation.primitive(*map(self.value, inputs), **equation.params)
        outs = out if equation.primitive.multiple else (out,)
        self.values.update(zip(outputs, outs, strict=True))

    def into(
        self, equation: Equation, inputs: tuple[Any, ...], within: dict[Variable, Any]
    ) -> None:
        """The equations of the branch that is taken, or of the body."""
        if equation.primitive.name == "switch":
            branches = equation.params["branches"]
            place = int(np.clip(self.value(inputs[0]), 0, len(branches) - 1))
            body, given = branches[place], inputs[1:]
            where = "" if equation.place is None else f" in {equation.place.short}"
            which = (
                ("the condition does not hold", "the condition holds")[place]
                if (len(branches) == 2)
                else f"branch {place} is taken"
            )
            self.notes.append(f"At this point {which}{where}: what follows is that branch alone.")
        else:
            (body,) = equation.graphs.values()
            given = inputs
        inner: dict[Variable, Any] = dict(zip(body.inputs, given, strict=True))
        for x, array in body.constants.items():
            inner[x] = self.renewed(x)
            self.constants[inner[x]] = array
        for each in body.equations:
            inner.update((x, self.renewed(x)) for x in each.outputs)
        for each in body.equations:
            self.add(each, inner)
        for out, x in zip(equation.outputs, body.outputs, strict=True):
            found = inner.get(x, x) if type(x) is Variable else x
            self.same[within.get(out, out)] = (
                self.same.get(found, found) if type(found) is Variable else found
            )
            if out in self.recording.words and type(found) is Variable:
                self.recording.words.setdefault(found, self.recording.words[out])

    def renewed(self, x: Variable) -> Variable:
        new = Variable(x.shape, x.dtype)
        if x in self.recording.words:
            self.recording.words[new] = self.recording.words[x]
        return new
