"""Whether machine code of a program has NumPy's values to the bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from pullback.compiler.call import Entry
from pullback.compiler.stages import Stages
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.structure import Gather, View
from pullback.graph.graph import Graph

__all__ = ["exactly", "is_exact"]

_ROUNDED = frozenset({
    "add", "subtract", "multiply", "divide", "negative", "absolute", "sqrt", "maximum", "minimum",
    "where", "greater", "greater_equal", "less", "less_equal", "equal", "not_equal", "logical_and",
    "logical_or", "logical_not",
})  # fmt: skip
"""Operations that IEEE 754 determines."""


def is_exact(graph: Graph) -> bool:
    """Whether it consists of operations that have one correctly rounded result each."""
    return all(
        (
            each.primitive.name in _ROUNDED
            or isinstance(each.primitive.structure, View | Gather)
            # Of a scalar NumPy has the square by the C library's power, which may be rounded else.
            or (each.primitive.name == "square" and shape_of(each.outputs[0]))
        )
        and all(dtype_of(x) in (np.float64, np.bool_) for x in each.outputs)
        for each in graph.equations
    )


def exactly(graph: Graph) -> Callable[..., Any] | None:
    """A function of the inputs, NumPy's scalars and arrays, that gives the one output to the bit.

    `None` where machine code would have other values than NumPy, or would call Python.
    """
    if not is_exact(graph):
        return None
    stages = Stages(graph, exact=True)
    if stages.lowered.calls:
        return None
    function = stages.function(stages.machine_code())

    def otherwise(*values: Any) -> Any:
        return graph.evaluate(list(values))[0]

    return Entry(replace(function, single=True), stages.instance(), otherwise).call
