"""Leaves that machine code has nothing to do with, where there are thousands of them.

A state of a hundred thousand numbers, of which a function looks at a few and returns the rest as
they came: Python hands these on, and machine code is made for what is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pullback.compiler.call.spec import Array
from pullback.compiler.stages import results
from pullback.graph.building import row
from pullback.graph.dependence import read
from pullback.graph.graph import Graph
from pullback.graph.program import Signature
from pullback.graph.variable import Variable

__all__ = ["Bystanders", "apart"]

FEWEST = 1000
"""How many there are at least: fewer are no burden to machine code, which hands them on faster."""


@dataclass(frozen=True)
class Bystanders:
    """What the results of a function are made of that machine code does not compute.

    Parameters
    ----------
    inputs : tuple of int
        Which leaves of the arguments machine code is given.
    sources : tuple of (int, object)
        For each result, which leaf it is; −1 for what machine code returns next, −2 for a
        constant, which stands beside it.
    kinds : tuple of Array
        What the results are to Python.
    """

    inputs: tuple[int, ...]
    sources: tuple[tuple[int, Any], ...]
    kinds: tuple[Array, ...]

    def results(self, leaves: Sequence[Any], computed: Sequence[Any]) -> list[Any]:
        """The leaves of the result, in arrays of the caller's own."""
        remaining = iter(computed)
        found = []
        for (place, constant), kind in zip(self.sources, self.kinds, strict=True):
            if place == _COMPUTED:
                found.append(next(remaining))
            else:
                found.append(_handed_on(constant if place == _CONSTANT else leaves[place], kind))
        return found


_COMPUTED, _CONSTANT = -1, -2


def _handed_on(value: Any, kind: Array) -> Any:
    """A value as machine code would return it."""
    if kind.kind == "array":
        return np.array(value, kind.dtype, order="C")
    scalar = kind.dtype.type(value)
    return scalar.item() if kind.kind == "number" else scalar


def apart(graph: Graph) -> tuple[Graph, Bystanders | None]:
    """What of a graph machine code is made for, and the rest; the graph itself if that is little.

    A graph that depends on how its arguments lie in memory stays as it is.
    """
    used = {x for equation in graph.equations for x in read(equation)}
    made = {x for equation in graph.equations for x in equation.outputs}
    kept = [i for i, x in enumerate(graph.inputs) if x in used]
    computed = [i for i, x in enumerate(graph.outputs) if type(x) is Variable and x in made]
    spared = len(graph.inputs) - len(kept) + len(graph.outputs) - len(computed)
    signature = graph.signature
    if spared < FEWEST or signature.layouts:
        return graph, None
    static = signature.static
    leaves = [i for i in range(signature.arguments.num_leaves) if i not in static]
    place = dict(zip(graph.inputs, leaves, strict=True))
    sources: list[tuple[int, Any]] = []
    for x in graph.outputs:
        if type(x) is not Variable:
            sources.append((_CONSTANT, x))
        elif x in made:
            sources.append((_COMPUTED, None))
        elif x in place:
            sources.append((place[x], None))
        else:
            sources.append((_CONSTANT, graph.constants[x]))
    arrays, numbers = signature.arrays, frozenset(signature.numbers)
    rest = Graph(
        graph.name,
        [graph.inputs[i] for i in kept],
        {x: value for x, value in graph.constants.items() if x in used},
        graph.equations,
        [graph.outputs[i] for i in computed],
        Signature(
            tuple(signature.names[i] for i in kept),
            row(len(kept)),
            {},
            row(len(computed)),
            [place for place, i in enumerate(computed) if i in numbers],
            {},
            {place: arrays[i] for place, i in enumerate(computed) if i in arrays},
        ),
    )
    inputs = tuple(leaves[i] for i in kept)
    return rest, Bystanders(inputs, tuple(sources), results(graph))
