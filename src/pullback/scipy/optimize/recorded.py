"""Solvers in a graph, which solve, and are differentiated, when the graph runs.

What a function closes over may be a value of the graph, so that the function can't be called once
the graph runs. It is recorded itself, then, for arguments of the shapes that it is first evaluated
at, with what it closes over as further arguments.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.shapes import Abstract
from pullback.core.tracing import Tracer
from pullback.graph.building import build, close, like
from pullback.graph.graph import Graph
from pullback.rules.implicit import at_run_time
from pullback.scipy.optimize.calls import Call, Recorded, Unknown
from pullback.scipy.optimize.results import partial

__all__ = ["NUMBER", "like_start", "returns"]

Implementation = Callable[[Call], Any]
Structure = Callable[[Call], Any]

NUMBER = Abstract((), np.dtype(float))


def like_start(name: str, *, at_least: int = 0) -> Structure:
    """The structure of what is as the start under this name, with so many dimensions at least."""

    def structure(call: Call) -> Abstract:
        start = call.first(name)
        return Abstract.of(start if start.ndim >= at_least else np.atleast_1d(start))

    return structure


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

    def again(self, free: list[Any]) -> _Again | None:
        """The function, recorded, if it closes over values of the graph, which `free` gets."""
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
        if not found:
            return None
        free += found
        place = slice(len(free) - len(found), len(free))
        return _Again(graph, result[0], place, _signature(self.function))


_ARRAYS = (Tracer, np.ndarray, np.generic, float, complex)


class _Again:
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
        return function


def _signature(function: Callable[..., Any]) -> Any:
    with contextlib.suppress(TypeError, ValueError):  # it is not written in Python
        return inspect.signature(function)
    return None


class _Slot:
    """What stands for a value, or for a function, in a call that is made when the graph runs."""

    def __init__(self, fill: Callable[[Sequence[Any]], Any]) -> None:
        self.fill = fill

    def __call__(self) -> None:
        """It is where functions are, and replaced as they are."""


def returns(structure: Structure) -> Recorded:
    """How a solver is recorded whose results have such a structure.

    Parameters
    ----------
    structure : callable
        Takes the call, whose functions remember the last arguments and results. It returns shapes
        and dtypes: an `Abstract`, a tuple of them, or a dict for some parts of a result by names.
    """

    def recorded(call: Call, implementation: Implementation) -> Any:
        probes: dict[int, Probe] = {}

        def probe(function: Callable[..., Any]) -> Probe:
            return probes.setdefault(id(function), Probe(function))

        noted = call.with_other(lambda x: x, probe)
        with contextlib.suppress(Unknown):
            implementation(noted)
        wanted = structure(noted)
        inputs: list[Any] = []
        slots = {}
        first = next((each.args for each in probes.values() if each.args is not None), ())
        for key, each in probes.items():
            again = each.again(inputs) if each.args is not None else None
            if each.args is None:
                # It may be a derivative, of the same arguments, or be called otherwise.
                with contextlib.suppress(Exception):
                    each.args = first
                    again = each.again(inputs)
            slots[key] = each.function if again is None else _Slot(again.at)

        def placed(x: Tracer) -> _Slot:
            inputs.append(x)
            return _Slot(operator.itemgetter(len(inputs) - 1))

        later = call.with_other(placed, lambda function: slots[id(function)])
        later.forget()

        def solved(values: Sequence[Any]) -> Any:
            return _part(
                wanted,
                implementation(
                    later.with_other(
                        lambda x: x, lambda x: x.fill(values) if type(x) is _Slot else x
                    )
                ),
            )

        leaves, spec = trees.flatten(wanted)
        found = trees.unflatten(spec, at_run_time(solved, inputs, leaves))
        return partial(call.where, found) if isinstance(found, dict) else found

    return recorded


def _part(wanted: Any, result: Any) -> Any:
    """What is wanted of a result."""
    if isinstance(wanted, dict):
        return {name: _part(each, result[name]) for name, each in wanted.items()}
    if isinstance(wanted, tuple):
        return tuple(_part(*pair) for pair in zip(wanted, result, strict=False))
    return result
