"""Graphs made by the library itself: of loop bodies, and of their derivatives.

Such a graph is flat: it takes and returns arrays, not pytrees of them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Sequence
from typing import Any

from pullback.core import trees
from pullback.core.shapes import Abstract
from pullback.core.tracing import Tracer
from pullback.graph.graph import Graph
from pullback.graph.program import Atom, Equation, Signature
from pullback.graph.staging import Staging
from pullback.graph.trace import call_traced, output_atoms
from pullback.graph.variable import Variable

__all__ = ["build", "close", "flat_graph", "like", "row"]


def like(x: Abstract) -> Variable:
    """A new variable of the same shape and dtype; it lies in memory likewise, or else in order."""
    if type(x) is not Variable:
        return Variable(x.shape, x.dtype, array=bool(x.shape), layout=True)
    variable = x.twin()
    if variable.layout is None and variable.laid_by is None:
        variable.layout = True
    return variable


def flat_graph(
    name: str,
    inputs: Sequence[Variable],
    constants: dict[Variable, Any],
    equations: Sequence[Equation],
    outputs: Sequence[Atom],
    names: Sequence[str],
) -> Graph:
    """A graph of arrays, without pytrees."""
    signature = Signature(tuple(names), row(len(inputs)), {}, row(len(outputs)))
    return Graph(name, inputs, constants, equations, outputs, signature)


@functools.lru_cache(maxsize=256)
def row(length: int) -> trees.TreeSpec:
    """The structure of a tuple of so many leaves."""
    return trees.flatten((0,) * length)[1]


def build(
    function: Callable[..., Sequence[Any]],
    inputs: Sequence[Variable],
    name: str,
    names: Sequence[str],
    *,
    advise: bool = True,
) -> Graph:
    """Record a function of arrays, one for each input, that returns a sequence of arrays.

    With `advise`, Python loops that are unrolled are warned of.
    """
    with Staging(name, advise=advise) as staging:
        outputs = _outputs(function, inputs, names, staging)
        staging.require_no_leaks()
    return flat_graph(name, inputs, staging.constants, staging.equations, outputs, names)


def _outputs(
    function: Callable[..., Sequence[Any]],
    inputs: Sequence[Variable],
    names: Sequence[str],
    staging: Staging,
) -> list[Atom]:
    """Run the function on tracers, none of which is held any longer when this returns."""
    results = call_traced(function, staging.tracers(inputs, names), staging)
    return output_atoms(results, trees.Paths(row(len(results))), staging)


def close(
    graph: Graph, position: int, others: Collection[Variable] = ()
) -> tuple[Graph, list[Any]]:
    """Make inputs of the traced values that a flat graph has among its constants.

    They come at `position`, together with `others`, constants that are plain arrays. What to call
    these inputs with is the second result.
    """
    free: dict[Variable, Any] = {}
    constants: dict[Variable, Any] = {}
    for x, value in graph.constants.items():
        kind = free if type(value) is Tracer or x in others else constants
        kind[x] = value
    names = list(graph.signature.names)
    names[position:position] = [f"free{i}" for i in range(len(free))]
    inputs = (*graph.inputs[:position], *free, *graph.inputs[position:])
    closed = flat_graph(graph.name, inputs, constants, graph.equations, graph.outputs, names)
    return closed, list(free.values())
