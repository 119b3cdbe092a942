"""Solutions in a graph, which are found, and differentiated, when the graph runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.primitive import bind
from pullback.core.running import untraced
from pullback.core.shapes import Abstract
from pullback.core.tracing import Tracer
from pullback.errors import DataDependenceError, NoRuleError
from pullback.rules.control_flow.at_values import Step, at_values
from pullback.rules.own.inference import Inference

__all__ = ["at_run_time", "solved_later"]


Directly = Callable[[Sequence[Step], Sequence[Any]], list[Any] | None] | None


class _Solved:
    """What `at_values` runs in place of a graph.

    Attributes
    ----------
    outputs : tuple of Abstract
        The shapes and dtypes of the results.
    directly : callable or None
        ``directly(steps, args)`` gives what they become by steps, or `None` if that takes tracing.
    """

    def __init__(
        self, function: Callable[..., Any], outputs: tuple[Abstract, ...], directly: Directly
    ) -> None:
        self.function = function
        self.outputs = outputs
        self.directly = directly

    def run(self, values: Sequence[Any]) -> list[Any]:
        return trees.flatten(self.function(values))[0]


def solved_later(
    solved: Callable[..., Any], solver: Callable[..., Any], leaves: Sequence[Any], where: str
) -> Any:
    """The solution as results of an equation in the graph that is being recorded.

    Parameters
    ----------
    solved : callable
        From the leaves of all arguments to the solution, with its derivatives; it is called when
        the graph runs.
    solver : callable
        The same without derivatives, on plain arrays; it is called on ones.
    leaves : sequence
        Some of which are values of the graph.
    where : str
    """
    traced = [i for i, x in enumerate(leaves) if type(x) is Tracer]
    inputs = [leaves[i] for i in traced]
    constants = [None if type(x) is Tracer else x for x in leaves]
    structure: list[trees.TreeSpec] = []

    def whole(values: Sequence[Any]) -> list[Any]:
        row = list(constants)
        for i, x in zip(traced, values, strict=True):
            row[i] = x
        return row

    def on_ones(*values: Any) -> list[Any]:
        found, spec = trees.flatten(untraced(solver, (whole(values),), {}))
        structure[:] = [spec]
        return [np.asarray(x)[()] if np.ndim(x) == 0 else x for x in found]

    inference = Inference(where, on_ones, multiple=True, of=solver)
    try:
        outputs = inference(*inputs)
    except NoRuleError as error:
        raise DataDependenceError(
            f"{where}: a graph is being recorded, and the shapes of what the solver returns could "
            f"not be found out, as evaluated on ones it fails. Call it outside of what is recorded "
            f"(by trace, compile, checkpoint, or the body of a loop): {error.__cause__}"
        ) from error
    assert isinstance(outputs, tuple)
    return trees.unflatten(
        structure[0], at_run_time(lambda values: solved(whole(values)), inputs, outputs)
    )


def at_run_time(
    function: Callable[[Sequence[Any]], Any],
    inputs: Sequence[Any],
    outputs: Sequence[Abstract],
    directly: Directly = None,
) -> tuple[Any, ...]:
    """The leaves of what a function of arrays returns, evaluated when the graph runs.

    So are its derivatives of every order, by what the function does with traced values then; or
    `directly`: ``directly(steps, args)`` gives what it becomes by steps of `at_values`, or `None`.
    """
    params = {"body": _Solved(function, tuple(outputs), directly), "steps": ()}
    found: tuple[Any, ...] = bind(at_values, (np.True_, *inputs), params)
    return found
