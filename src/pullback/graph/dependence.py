"""What depends on what in a graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pullback.core.shapes import is_inexact
from pullback.graph.program import Atom, Equation, Program
from pullback.graph.variable import Variable

__all__ = ["affected", "affected_outputs", "live", "read", "varying_outputs"]


def read(equation: Equation) -> list[Variable]:
    """The variables that an equation reads."""
    return [x for x in equation.inputs if type(x) is Variable]


def affected(equations: Iterable[Equation], sources: Iterable[Variable]) -> set[Variable]:
    """The sources, and all values that are computed from one of them."""
    found = set(sources)
    for equation in equations:
        if not found.isdisjoint(read(equation)):
            found.update(equation.outputs)
    return found


def affected_outputs(graph: Program, sources: Sequence[bool]) -> list[bool]:
    """Which outputs are computed from one of the inputs that are marked."""
    found = affected(graph.equations, _marked(graph.inputs, sources))
    return [type(x) is Variable and x in found for x in graph.outputs]


def varying_outputs(graph: Program, varying: Sequence[bool]) -> list[bool]:
    """Which outputs have a derivative in one of the inputs that are marked."""
    found = set(_marked(graph.inputs, varying))
    for equation in graph.equations:
        if not equation.primitive.is_constant and not found.isdisjoint(read(equation)):
            found.update(filter(is_inexact, equation.outputs))
    return [type(x) is Variable and x in found for x in graph.outputs]


def live(equations: Sequence[Equation], outputs: Iterable[Atom]) -> list[Equation]:
    """The equations that the outputs need."""
    needed = {x for x in outputs if type(x) is Variable}
    kept = []
    for equation in reversed(equations):
        if not needed.isdisjoint(equation.outputs):
            kept.append(equation)
            needed.update(read(equation))
    return kept[::-1]


def _marked(variables: Sequence[Variable], marks: Sequence[bool]) -> list[Variable]:
    return [x for x, marked in zip(variables, marks, strict=True) if marked]
