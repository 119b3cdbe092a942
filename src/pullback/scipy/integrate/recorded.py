"""Integrals and solutions in a graph, which are found, and differentiated, when the graph runs.

The functions are recorded, with what they close over as further arguments, since that may be a
value of the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from pullback.core import trees
from pullback.core.shapes import Abstract
from pullback.core.tracing import Tracer
from pullback.rules.implicit import Probe, RecordedFunction, at_run_time

__all__ = ["Recording", "in_graph"]


def in_graph(
    call: Callable[[list[Any], Any], Any],
    functions: Sequence[tuple[Callable[..., Any], tuple[Any, ...]]],
    given: Any,
    outputs: Sequence[Abstract],
    directly: Callable[[Recording], Any] = lambda _: None,
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
    directly : callable, optional
        Makes of the recording what evaluates it without tracing; see `at_run_time`.
    """
    free: list[Any] = []
    recorded: list[RecordedFunction] = []
    for f, args in functions:
        probe = Probe(f)
        probe.args = args
        again = probe.again(free, always=True)
        assert again is not None
        recorded.append(again)
    leaves, form = trees.flatten(given)
    traced = [i for i, x in enumerate(leaves) if type(x) is Tracer]
    inputs = [*free, *(leaves[i] for i in traced)]
    known = [None if type(x) is Tracer else x for x in leaves]  # the graph outlives tracers

    def run(values: Sequence[Any]) -> Any:
        row = list(known)
        for i, x in zip(traced, values[-len(traced) :] if traced else (), strict=True):
            row[i] = x
        return call([f.at(values) for f in recorded], trees.unflatten(form, row))

    recording = Recording(recorded, len(free), form, known, traced)
    return at_run_time(run, inputs, outputs, directly(recording))


class Recording(NamedTuple):
    """What is evaluated when a graph runs.

    Attributes
    ----------
    functions : sequence of RecordedFunction
    free : int
        How many values they close over, the first of those that come.
    form : TreeSpec
        The structure of what else is given.
    known : sequence
        Its leaves; those at the places `traced` come.
    """

    functions: Sequence[RecordedFunction]
    free: int
    form: trees.TreeSpec
    known: Sequence[Any]
    traced: Sequence[int]
