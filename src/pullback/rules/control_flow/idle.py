"""Inputs and outputs of a branch that are there for other branches, and which it does not use.

All branches of a choice have the same ones. A zero that a branch returns for what another branch
keeps is none of its results, nor does the cotangent of that say anything of strong zeros.
"""

from __future__ import annotations

from collections.abc import Iterable

from pullback.core.structure.axes import Marks
from pullback.graph.graph import Graph

__all__ = ["idle_inputs", "idle_outputs", "with_idle"]

_KEY = ("idle",)


def with_idle(graph: Graph, inputs: Iterable[bool], outputs: Iterable[bool]) -> Graph:
    """The graph, of which these inputs and outputs are noted as idle."""
    graph.derived[_KEY] = tuple(inputs), tuple(outputs)
    return graph


def idle_inputs(graph: Graph) -> Marks:
    """Which inputs have been noted."""
    return _marks(graph)[0]


def idle_outputs(graph: Graph) -> Marks:
    """Which outputs have been noted."""
    return _marks(graph)[1]


def _marks(graph: Graph) -> tuple[Marks, Marks]:
    none = (False,) * len(graph.inputs), (False,) * len(graph.outputs)
    found: tuple[Marks, Marks] = graph.derived.get(_KEY, none)
    return found
