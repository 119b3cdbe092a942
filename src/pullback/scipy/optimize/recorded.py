"""Solvers in a graph, which solve, and are differentiated, when the graph runs.

Functions that close over values of the graph are recorded themselves, for arguments of the shapes
that they are first evaluated at.
"""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.shapes import Abstract
from pullback.core.tracing import Tracer
from pullback.rules.implicit import Probe, at_run_time
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
