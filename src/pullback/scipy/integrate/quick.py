"""The ordinary initial value problem, natively: real states, an explicit method, one derivative.

Whatever asks for more (several derivatives, examples of `vmap`, moving times, events, dense output)
is solved in traced arithmetic, by :mod:`~.paths`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.integrate

from pullback.core.running import untraced
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer, known, strip
from pullback.errors import ArgumentTypeError, DataDependenceError, NoRuleError, PullbackError
from pullback.graph.graph import Graph
from pullback.rules.control_flow.leaves import Leaves
from pullback.rules.control_flow.reading import Reading, UnreadableError
from pullback.rules.control_flow.recording import Recorded, record, recorded
from pullback.scipy.first_step import any_traced
from pullback.scipy.integrate import equations as native
from pullback.scipy.integrate.equations import Equations, Problem, Settings, equations
from pullback.scipy.integrate.fields import Field
from pullback.scipy.integrate.replay import Replay
from pullback.scipy.integrate.values import Values, array_of

__all__ = ["quickly_solved"]

_OPTIONS = {"rtol", "atol", "max_step", "first_step"}
_LEAST = 100 * np.finfo(float).eps
"""The smallest rtol that SciPy takes as it is."""

_NAME = "scipy.integrate.solve_ivp"


def quickly_solved(
    fun: Any,
    given: tuple[Any, Any, Any],
    extra: tuple[Any, ...],
    solver: Any,
    options: dict[str, Any],
    by_scipy: Callable[[Values, bool], Any],
) -> Any:
    """SciPy's result, or None where this is no ordinary problem, or none that comes back.

    Parameters
    ----------
    fun : callable
    given : tuple
        ``t_span``, ``y0`` and ``t_eval``.
    extra : tuple
        ``args``.
    solver : type
    options : dict
    by_scipy : callable
        Solves by SciPy, on the numbers that a `Values` sees, with a function of time or without.
    """
    span, y0, t_eval = given
    if solver not in (scipy.integrate.RK23, scipy.integrate.RK45) or not _OPTIONS >= options.keys():
        return None
    if any_traced((*span, t_eval, *options.values())):
        return None
    start = array_of(y0)
    values = Values(_NAME)
    if not known(start) or len(shape_of(start)) != 1 or dtype_of(start) != np.float64:
        return None
    values.of(start)
    written = getattr(fun, "recording", None)
    found = (
        _recorded(fun, extra, strip(start)) if written is None else _written(written, extra)
    )
    if found is None:
        return None
    field, free = found
    for x in free:
        values.of(x)
    if values.batches or values.order > 1:
        return None
    settings = settings_of(span, shape_of(start)[0], t_eval, options)
    if settings is None:
        return None
    problem = problem_of(settings, strip(start), [strip(x) for x in free], field)
    equation = equations(field, solver)
    equation.asked_for += 1
    if equation.asked_for < native.FROM and written is None:
        return None
    return _solved(equation, problem, (start, free), values, by_scipy, rounded=written is not None)


def _solved(
    equation: Equations,
    problem: Problem,
    traced: tuple[Any, Sequence[Any]],
    values: Values,
    by_scipy: Callable[[Values, bool], Any],
    *,
    rounded: bool,
) -> Any:
    solved = equation.solved(
        problem, lambda: values.solve(lambda: by_scipy(values, True)), rounded=rounded
    )
    if solved is None:
        return None
    found, course = solved
    if not values.levels:
        return type(found)(**found)
    start, free = traced
    y = Replay(equation, problem, course).followed(start, free)
    return type(found)(**{**found, "y": np.transpose(y)})


def settings_of(span: Any, size: int, t_eval: Any, options: dict[str, Any]) -> Settings | None:
    """What is asked of a solution, if all of it is as SciPy takes it without a word.

    There is one object for equal ones.
    """
    t0, t1 = map(float, span)
    asked = None if t_eval is None else np.asarray(t_eval, float)
    rtol, atol = options.get("rtol", 1e-3), options.get("atol", 1e-6)
    if np.ndim(rtol) or np.shape(atol) not in ((), (size,)):
        return None
    first, longest = options.get("first_step"), options.get("max_step", np.inf)
    return _settings(
        (t0, t1), size, None if asked is None else (asked.shape, asked.tobytes()), float(rtol),
        float(atol) if np.ndim(atol) == 0 else tuple(map(float, atol)),
        (None if first is None else float(first), float(longest)),
    )  # fmt: skip


@functools.lru_cache(maxsize=64)
def _settings(
    span: tuple[float, float], size: int, times: tuple[tuple[int, ...], bytes] | None, rtol: float,
    atol: Any, steps: tuple[float | None, float],
) -> Settings | None:  # fmt: skip
    (t0, t1), (first, longest) = span, steps
    way, asked = (1.0 if t1 > t0 else -1.0), None
    good = rtol >= _LEAST and t0 != t1 and np.isfinite(t1 - t0) and bool(np.all(np.asarray(atol) >= 0))
    good = good and longest > 0 and (first is None or 0 < first <= abs(t1 - t0)) and size > 0
    if times is not None:
        shape, content = times
        asked = np.frombuffer(content).reshape(shape).copy()
        good = good and asked.ndim == 1 and asked.size > 0 and bool(np.all(way * np.diff(asked) > 0))
        good = good and way * (asked[0] - t0) >= 0 and way * (t1 - asked[-1]) >= 0
    return Settings(span, (rtol, atol), steps, asked, size) if good else None


def problem_of(settings: Settings, start: Any, free: Sequence[Any], field: Graph) -> Problem:
    """A problem, with plain values of the dtypes that the right-hand side was recorded for."""
    inputs = field.inputs[2:]
    plain = [
        x if type(x) is np.float64 and kind.dtype == x.dtype else np.array(x, kind.dtype, order="C")
        for x, kind in zip(free, inputs, strict=True)
    ]
    return Problem(settings, np.array(start, float), tuple(plain))


def _written(recording: Any, extra: tuple[Any, ...]) -> tuple[Graph, list[Any]] | None:
    """A right-hand side that was recorded with a graph around it."""
    graph, free = recording
    row = [*extra, *free]
    if len(row) + 2 != len(graph.inputs) or len(graph.outputs) != 1:
        return None
    return graph, row


def _recorded(fun: Any, extra: tuple[Any, ...], start: Any) -> tuple[Graph, list[Any]] | None:
    """The right-hand side as a graph, and the free values that it takes; None if it is not one."""
    size = len(start)
    given = Leaves((np.float64(0.5), start), _NAME, "args")

    def make(reading: Reading | None) -> Recorded:
        if reading is None:
            raise UnreadableError

        def field(*leaves: Any) -> list[Any]:
            t, y = given.tree(leaves)
            return [Field(lambda t, y: fun(t, y, *extra), _NAME, size)(t, y)]

        graph, free = record(field, given.arguments, "f", 2, reading=reading)
        (out,) = graph.outputs
        if dtype_of(out) != np.float64 or any(x.dtype.kind not in "biuf" for x in graph.inputs):
            raise UnreadableError
        return graph, (graph,), free

    try:
        return recorded(make, _NAME, (fun, extra), (given,))
    except (
        UnreadableError, ArgumentTypeError, DataDependenceError, NoRuleError, PullbackError,
    ):  # fmt: skip
        return None
