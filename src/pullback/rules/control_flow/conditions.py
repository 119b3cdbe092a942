"""The condition of a loop, for a loop that carries more than it reads."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.structure.axes import Marks
from pullback.core.tracing import Tracer
from pullback.graph.building import build, flat_graph, like
from pullback.graph.graph import Graph
from pullback.rules.control_flow.derived import batched, derived, interleave

__all__ = ["ignoring", "of_any"]


def ignoring(condition: Graph, dotted: Marks, consts: int) -> Graph:
    """The condition, with tangents among its inputs that it doesn't read."""

    def make() -> Graph:
        names = condition.signature.names
        return flat_graph(
            condition.name,
            interleave(condition.inputs, [like(x) for x in condition.inputs], dotted, (consts,)),
            condition.constants,
            condition.equations,
            condition.outputs,
            interleave(names, [f"{name}_dot" for name in names], dotted, (consts,)),
        )

    return derived(condition, ("ignoring", tuple(dotted), consts), make)


def of_any(condition: Graph, size: int, mapped: Marks) -> Graph:
    """Whether the condition holds for any example."""

    def make() -> Graph:
        each = batched(condition, size, mapped, [False])

        def function(*args: Tracer) -> list[Any]:
            return [np.any(going) for going in each.run(args)]

        inputs = [like(x) for x in each.inputs]
        return build(function, inputs, f"{condition.name}_any", condition.signature.names)

    return derived(condition, ("any", size, tuple(mapped)), make)
