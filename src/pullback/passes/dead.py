"""Dead code: equations, results of loops, and constants that no output depends on."""

from __future__ import annotations

import operator

from pullback.graph.graph import Graph
from pullback.graph.variable import Variable
from pullback.passes.trimming import trimmed

__all__ = ["remove_dead"]


def remove_dead(graph: Graph) -> Graph:
    """The graph without what its outputs do not depend on; the graph itself if there is nothing.

    Inputs stay: they belong to the signature.
    """
    needed = {x for x in graph.outputs if type(x) is Variable}
    kept = []
    for equation in reversed(graph.equations):
        if needed.isdisjoint(equation.outputs):
            continue
        equation = trimmed(equation, needed)
        kept.append(equation)
        needed.update([x for x in equation.inputs if type(x) is Variable])
    kept.reverse()
    constants = {x: value for x, value in graph.constants.items() if x in needed}
    same = len(kept) == len(graph.equations) and len(constants) == len(graph.constants)
    if same and all(map(operator.is_, kept, graph.equations)):
        return graph
    return Graph(graph.name, graph.inputs, constants, kept, graph.outputs, graph.signature)
