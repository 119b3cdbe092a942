"""The condition of a loop, for a loop that carries more than it reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.core.structure.axes import Marks
from pullback.core.tracing import Tracer
from pullback.graph.building import build, flat_graph, like
from pullback.graph.graph import Graph
from pullback.rules.control_flow.derived import batched, derived, interleave, mask_like

__all__ = ["ignoring", "of_any"]


def ignoring(condition: Graph, marks: Sequence[Marks], consts: int) -> Graph:
    """The condition, with tangents and masks among its inputs that it doesn't read."""

    def make() -> Graph:
        names, inputs = condition.signature.names, condition.inputs
        dots = [like(x) for x in inputs]
        more_names = [f"{name}_dot" for name in names], [f"{name}_dot_kept" for name in names]
        return flat_graph(
            condition.name,
            interleave((inputs, dots, list(map(mask_like, dots))), marks, (consts,)),
            condition.constants,
            condition.equations,
            condition.outputs,
            interleave((names, *more_names), marks, (consts,)),
        )

    return derived(condition, ("ignoring", *map(tuple, marks), consts), make)


def of_any(condition: Graph, size: int, mapped: Marks) -> Graph:
    """Whether the condition holds for any example."""

    def make() -> Graph:
        each = batched(condition, size, mapped, [False])

        def function(*args: Tracer) -> list[Any]:
            return [np.any(going) for going in each.run(args)]

        inputs = [like(x) for x in each.inputs]
        return build(function, inputs, f"{condition.name}_any", condition.signature.names)

    return derived(condition, ("any", size, tuple(mapped)), make)
