"""Functions of the user's that a solver calls when a graph runs.

What such a function closes over may be a value of the graph, so that it can't be called once the
graph runs. It is recorded itself, then, with what it closes over as further arguments.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.shapes import Abstract
from pullback.core.tracing import Tracer
from pullback.graph.building import build, close, like
from pullback.graph.graph import Graph

__all__ = ["Probe", "RecordedFunction"]


class Probe:
    """A function of the user's that remembers what it was evaluated at, and what it returned."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.args: tuple[Any, ...] | None = None
        self.out: Any = None
        functools.update_wrapper(self, function, updated=())

    def __call__(self, *args: Any) -> Any:
        self.out = self.function(*args)
        self.args = args
        return self.out

    def again(self, free: list[Any], *, always: bool = False) -> RecordedFunction | None:
        """The function, recorded, if it closes over values of the graph, which `free` gets.

        Or `always`.
        """
        leaves, form = trees.flatten(self.args)
        variable = [i for i, x in enumerate(leaves) if isinstance(x, _ARRAYS)]
        inputs = [like(Abstract.of(leaves[i])) for i in variable]
        result: list[trees.TreeSpec] = []

        def flat(*values: Any) -> Sequence[Any]:
            row = list(leaves)
            for i, x in zip(variable, values, strict=True):
                row[i] = x
            out, spec = trees.flatten(self.function(*trees.unflatten(form, row)))
            result[:] = [spec]
            return out

        names = [f"x{i}" for i in range(len(inputs))]
        graph, found = close(build(flat, inputs, "f", names, advise=False), len(inputs))
        if not (found or always):
            return None
        free += found
        place = slice(len(free) - len(found), len(free))
        return RecordedFunction(graph, result[0], place, _signature(self.function))


_ARRAYS = (Tracer, np.ndarray, np.generic, float, complex)


class RecordedFunction:
    """A recorded function, which is evaluated at values of what it has closed over."""

    def __init__(self, graph: Graph, result: trees.TreeSpec, free: slice, signature: Any) -> None:
        self.signature = signature  # by which curve_fit counts parameters
        self.graph = graph
        self.result = result
        self.free = free

    def at(self, values: Sequence[Any]) -> Callable[..., Any]:
        free = values[self.free]

        def function(*args: Any) -> Any:
            row = [x for x in trees.flatten(args)[0] if isinstance(x, _ARRAYS)]
            return trees.unflatten(self.result, self.graph.run([*row, *free]))

        function.__signature__ = self.signature  # type: ignore[attr-defined]
        function.recording = self.graph, free  # type: ignore[attr-defined]
        return function


def _signature(function: Callable[..., Any]) -> Any:
    with contextlib.suppress(TypeError, ValueError):  # it is not written in Python
        return inspect.signature(function)
    return None
