"""Integrals and solutions in a graph, which are found, and differentiated, when the graph runs.

The functions are recorded, with what they close over as further arguments, since that may be a
value of the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pullback.core import trees
from pullback.core.shapes import Abstract
from pullback.core.tracing import Tracer
from pullback.rules.implicit import Probe, at_run_time

__all__ = ["in_graph"]


def in_graph(
    call: Callable[[list[Any], Any], Any],
    functions: Sequence[tuple[Callable[..., Any], tuple[Any, ...]]],
    given: Any,
    outputs: Sequence[Abstract],
) -> tuple[Any, ...]:
    """What a function of SciPy's returns, as results of an equation in a graph.

    Parameters
    ----------
    call : callable
        ``call(functions, given)`` calls it when the graph runs, and returns arrays.
    functions : sequence
        Functions that it takes, each with arguments of the shapes that it is called with.
    given : pytree
        What else it takes, some of which are values of the graph.
    outputs : sequence of Abstract
        The shapes and dtypes of the results.
    """
    free: list[Any] = []
    recorded: list[Callable[[Sequence[Any]], Any]] = []
    for f, args in functions:
        probe = Probe(f)
        probe.args = args
        again = probe.again(free, always=True)
        assert again is not None
        recorded.append(again.at)
    leaves, form = trees.flatten(given)
    traced = [i for i, x in enumerate(leaves) if type(x) is Tracer]
    inputs = [*free, *(leaves[i] for i in traced)]
    known = [None if type(x) is Tracer else x for x in leaves]  # the graph outlives tracers

    def run(values: Sequence[Any]) -> Any:
        row = list(known)
        for i, x in zip(traced, values[-len(traced) :] if traced else (), strict=True):
            row[i] = x
        return call([at(values) for at in recorded], trees.unflatten(form, row))

    return at_run_time(run, inputs, outputs)

