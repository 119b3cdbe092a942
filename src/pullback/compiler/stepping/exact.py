"""Whether machine code of a program has NumPy's values to the bit."""

from __future__ import annotations

import numpy as np

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.structure import Gather, View
from pullback.graph.graph import Graph

__all__ = ["is_exact"]

_ROUNDED = frozenset({
    "add", "subtract", "multiply", "divide", "negative", "absolute", "sqrt", "maximum", "minimum",
    "where",
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
        and all(dtype_of(x) == np.float64 for x in each.outputs)
        for each in graph.equations
    )
