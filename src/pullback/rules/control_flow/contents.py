"""What the equations of a body are, as far as its derivatives go another way for some."""

from __future__ import annotations

from typing import Any

from pullback.core.structure.axes import Row
from pullback.core.tracing import known
from pullback.graph.graph import Graph
from pullback.rules.control_flow.derived import derived

__all__ = ["leaves_out", "wants_values"]


def wants_values(body: Graph, *rows: Row) -> bool:
    """Whether the derivative depends on values, and all those in the rows are known."""
    return _decomposes(body) and all(x is None or known(x) for row in rows for x in row)


def _decomposes(body: Graph) -> bool:
    def search() -> bool:
        for equation in body.equations:
            if equation.primitive.separate is not None:
                return True
            for value in equation.params.values():
                graphs = value if type(value) is tuple else (value,)
                if any(isinstance(graph, Graph) and _decomposes(graph) for graph in graphs):
                    return True
        return False

    return derived(body, ("decomposes",), search)


def leaves_out(body: Any) -> bool:
    """Whether a body has strong zeros of its own; see `pullback.transforms.support`."""

    def search() -> bool:
        return any(
            equation.primitive.leaves_out or any(map(leaves_out, equation.graphs.values()))
            for equation in body.equations
        )

    return derived(body, ("leaves out",), search)
