"""Bodies that give some of their results only, and what these need.

A value that a loop carries is needed if its last value is asked for, or if something that is needed
is computed from it; what only keeps itself going is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from pullback.core.structure.axes import Marks
from pullback.graph.dependence import read
from pullback.graph.graph import Graph
from pullback.graph.program import Atom, Equation
from pullback.graph.variable import Variable
from pullback.rules.control_flow.derived import derived, part_of, with_constants

__all__ = ["asked_of", "asked_of_branches", "asked_of_loop"]


def _used(graph: Graph, outputs: Sequence[int]) -> list[bool]:
    """Which inputs of a graph some of its outputs need."""
    results = [graph.outputs[i] for i in outputs]
    used = {x for equation in _live(graph.equations, results) for x in read(equation)}
    used.update(x for x in results if type(x) is Variable)
    return [x in used for x in graph.inputs]


def _live(equations: Sequence[Equation], outputs: Sequence[Atom]) -> list[Equation]:
    """The equations that the outputs need, of loops inside as much as they need."""
    needed = {x for x in outputs if type(x) is Variable}
    kept = []
    for equation in reversed(equations):
        if needed.isdisjoint(equation.outputs):
            continue
        if equation.primitive.name in _LOOPS:
            equation = _with_asked(equation, [x in needed for x in equation.outputs])
        kept.append(equation)
        needed.update(read(equation))
    return kept[::-1]


_LOOPS = frozenset({"scan", "while_loop"})


def _with_asked(equation: Equation, asked: Sequence[bool]) -> Equation:
    """A loop with the results that are asked for."""
    if all(asked):
        return equation
    loop, inputs, outputs = equation.params["loop"].asked(asked)
    return Equation(
        equation.primitive,
        tuple(equation.inputs[i] for i in inputs),
        equation.params | {"loop": loop},
        tuple(equation.outputs[i] for i in outputs),
        equation.place,
    )


def _part_of(graph: Graph, inputs: Sequence[int], outputs: Sequence[int]) -> Graph:
    """A graph with some of its inputs, and some of its outputs, and what these need."""
    kept = [graph.outputs[i] for i in outputs]
    names = [graph.signature.names[i] for i in inputs]
    given = [graph.inputs[i] for i in inputs]
    equations = _live(graph.equations, kept)
    return with_constants(graph.name, given, graph.constants, equations, kept, names)


def _where(marks: Sequence[bool], start: int = 0) -> list[int]:
    """The positions of what is marked."""
    return [start + i for i, marked in enumerate(marks) if marked]


def asked_of(body: Graph, asked: Marks) -> tuple[Graph, list[int], list[int]]:
    """A body with the results that are asked for, and which arguments and results it has."""

    def make() -> tuple[Graph, list[int], list[int]]:
        outputs = _where(asked)
        inputs = _where(_used(body, outputs))
        return _part_of(body, inputs, outputs), inputs, outputs

    return derived(body, ("asked", tuple(asked)), make)


def asked_of_branches(
    branches: Sequence[Graph], asked: Marks
) -> tuple[tuple[Graph, ...], list[int], list[int]]:
    """The same for branches with the same arguments and results."""

    def make() -> tuple[tuple[Graph, ...], list[int], list[int]]:
        outputs = _where(asked)
        rows = [_used(branch, outputs) for branch in branches]
        inputs = _where([any(column) for column in zip(*rows, strict=True)])
        return tuple(_part_of(branch, inputs, outputs) for branch in branches), inputs, outputs

    return derived(branches[0], ("asked", tuple(branches[1:]), tuple(asked)), make)


def asked_of_loop(
    body: Graph, condition: Graph | None, sizes: tuple[int, int], asked: tuple[bool, ...]
) -> tuple[Graph, Graph | None, tuple[int, int], list[int], list[int]]:
    """The same for a loop of so many consts and carries, which carries on what is needed besides.

    Body, condition and sizes of the loop come before its arguments and results.
    """

    def make() -> tuple[Graph, Graph | None, tuple[int, int], list[int], list[int]]:
        consts, carry = sizes
        first_x = consts + carry
        reads = [False] * first_x if condition is None else _used(condition, [0])
        needed = [a or b for a, b in zip_longest(asked, reads[consts:], fillvalue=False)]
        outputs, used = _carried(body, sizes, needed)
        kept = _where([a or b for a, b in zip(used[:consts], reads, strict=False)])
        carries = [i for i in outputs if i < carry]
        inputs = [*kept, *(consts + i for i in carries), *_where(used[first_x:], first_x)]
        part = _part_of(body, [0, *(1 + i for i in inputs)], outputs)
        going = condition and part_of(condition, inputs, [0])
        return part, going, (len(kept), len(carries)), inputs, outputs

    return derived(body, ("asked", condition, sizes, asked), make)


def _carried(
    body: Graph, sizes: tuple[int, int], needed: Sequence[bool]
) -> tuple[list[int], list[bool]]:
    """The results of a loop that are needed, and which arguments these need.

    Parameters
    ----------
    body : Graph
    sizes : tuple of int
    needed : sequence of bool
        Which results are read.
    """
    marks, (consts, carry) = list(needed), sizes
    while True:
        used = _used(body, _where(marks))[1:]
        grown = [*marks]
        for i in range(carry):
            grown[i] = marks[i] or used[consts + i]
        if grown == marks:
            return _where(marks), used
        marks = grown
