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

from pullback.core import trees
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.singular import watch
from pullback.core.structure.axes import Marks
from pullback.core.tracing import Tracer, known, strip
from pullback.errors import ArgumentTypeError, DataDependenceError, NoRuleError, PullbackError
from pullback.graph.graph import Graph
from pullback.rules.control_flow.at_values import Pulled, Step
from pullback.rules.control_flow.derived import marked
from pullback.rules.control_flow.leaves import Leaves
from pullback.rules.control_flow.reading import Reading, UnreadableError
from pullback.rules.control_flow.recording import Recorded, record, recorded
from pullback.rules.strictness import is_strict
from pullback.scipy.first_step import any_traced, plain
from pullback.scipy.integrate import equations as native
from pullback.scipy.integrate.equations import Equations, Problem, Settings, equations
from pullback.scipy.integrate.fields import Field
from pullback.scipy.integrate.recorded import Recording
from pullback.scipy.integrate.replay import Replay
from pullback.scipy.integrate.values import Values, array_of

__all__ = ["directly", "known_field", "plainly", "quickly_solved"]

_OPTIONS = {"rtol", "atol", "max_step", "first_step"}
_METHODS = (scipy.integrate.RK23, scipy.integrate.RK45)
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
    if solver not in _METHODS or not options.keys() <= _OPTIONS:
        return None
    if any_traced((*span, t_eval, *options.values())):
        return None
    found = _field_of(fun, y0, extra)
    if found is None:
        return None
    field, start, free = found
    values = Values(_NAME)
    values.of(start)
    for x in free:
        values.of(x)
    if values.batches or values.order > 1:
        return None
    settings = settings_of(span, shape_of(start)[0], t_eval, options)
    if settings is None:
        return None
    problem = problem_of(settings, strip(start), [strip(x) for x in free], field)
    equation = equations(field, solver)
    written = hasattr(fun, "recording")
    if equation.asked_for + 1 < native.FROM and not written:
        return None  # and is counted where SciPy is called
    equation.asked_for += 1
    return _solved(equation, problem, (start, free), values, by_scipy, rounded=written)


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
        return found
    start, free = traced
    y = Replay(equation, problem, course).followed(start, free)
    return type(found)(**{**found, "y": np.transpose(y)})


def _field_of(fun: Any, y0: Any, extra: tuple[Any, ...]) -> tuple[Graph, Any, list[Any]] | None:
    """The right-hand side as a graph, the first state, and the free values that it takes."""
    if (watch.looks is not None and is_strict()) or "raise" in np.geterr().values():
        return None  # machine code doesn't look
    start = array_of(y0)
    if not known(start) or len(shape_of(start)) != 1 or dtype_of(start) != np.float64:
        return None
    recording = getattr(fun, "recording", None)
    found = _recorded(fun, extra, strip(start)) if recording is None else _written(recording, extra)
    return None if found is None else (found[0], start, found[1])


def plainly(
    fun: Any, y0: Any, extra: tuple[Any, ...], solver: Any, values: Values
) -> tuple[Callable[..., Any], Callable[..., Any]] | None:
    """The right-hand side on the numbers that are seen, for SciPy, in machine code.

    With it comes ``remembered(key, solve)``. `None` where its values would be others, and where it
    does not come back often enough.
    """
    found = _field_of(fun, y0, extra)
    if found is None:
        return None
    field, start, free = found
    equation = equations(field, solver)
    equation.asked_for += 1
    if equation.asked_for < native.FROM and not hasattr(fun, "recording"):
        return None
    compiled = equation.exactly()
    if compiled is None:
        return None
    problem = problem_of(None, values.of(start), [values.of(x) for x in free], field)

    def f(t: Any, y: Any, *_: Any) -> Any:
        return compiled(np.float64(t), y, *problem.free)

    def remembered(key: Any, solve: Callable[[], Any]) -> Any:
        return equation.remembered((*problem.key, key), solve)

    return f, remembered


def known_field(fun: Any, y0: Any, extra: tuple[Any, ...], values: Values) -> Field | None:
    """The right-hand side on the numbers underneath of all, if it can be recorded."""
    found = _field_of(fun, y0, extra)
    if found is None:
        return None
    field, start, free = found
    problem = problem_of(None, values.of(start), [values.of(x) for x in free], field)

    def f(t: Any, y: Any) -> Any:
        return field.run([t, y, *problem.free])[0]

    return Field(f, _NAME, len(problem.start))


def directly(recording: Recording, solver: Any, options: dict[str, Any]) -> Any:
    """What evaluates a solution in a graph, and its pullback, without tracing; or None.

    Parameters
    ----------
    recording : Recording
        Of the right-hand side; given are ``t_span``, ``y0``, ``t_eval`` and ``args``.
    solver : type
    options : dict
    """
    field, known = recording.functions[0].graph, recording.known
    span, first, times, extra = trees.unflatten(recording.form, range(len(known)))
    ordinary = solver in _METHODS and options.keys() <= _OPTIONS and type(first) is int
    if not ordinary or len(field.outputs) != 1 or dtype_of(field.outputs[0]) != np.float64:
        return None
    equation, count = equations(field, solver), recording.free + len(recording.traced)
    # Which of the values that come the first state and the free values are.
    came = {place: recording.free + i for i, place in enumerate(recording.traced)}
    others = trees.flatten(extra)[0]
    free = [*map(came.get, others), *range(recording.free)]
    start = came.get(first)
    if len(free) != len(field.inputs) - 2:
        return None
    size, (asked_times, _) = field.inputs[1].shape[0], trees.flatten(times)
    is_settled = came.keys().isdisjoint([*span, *asked_times])

    def settings(values: Sequence[Any]) -> Settings | None:
        row = [values[came[i]] if i in came else x for i, x in enumerate(known)]
        span, _, t_eval, _ = trees.unflatten(recording.form, row)
        return settings_of(span, size, t_eval, options)

    settled = settings([None] * count) if is_settled else None

    def problem(values: Sequence[Any]) -> Problem | None:
        found = settled if is_settled else settings(values)
        if found is None:
            return None
        row = [known[i] if i not in came else values[came[i]] for i in others]
        row += values[: recording.free]
        return problem_of(found, known[first] if start is None else values[start], row, field)

    @functools.lru_cache(maxsize=8)
    def pulls(step: Pulled) -> tuple[Marks, list[tuple[int, bool]]] | None:
        """Which free values it is for, and where each result comes from."""
        if not (all(step.seeded) and all(i in (start, *free) for i in _places(step.wanted))):
            return None
        marks = tuple(i is not None and step.wanted[i] for i in free)
        order = [start, *(i for i, mark in zip(free, marks, strict=True) if mark)]
        pairs = zip(_places(step.wanted), marked(step.onto, step.wanted), strict=True)
        return marks, [(order.index(i), onto) for i, onto in pairs]

    def evaluated(steps: Sequence[Step], args: Sequence[Any]) -> list[Any] | None:
        if len(steps) > 1 or any(type(x) is Tracer for x in args):
            return None
        step = steps[0] if steps else None
        pull = pulls(step) if type(step) is Pulled else None
        if step is not None and pull is None:
            return None
        asked = problem(args[:count])
        solved = None if asked is None else equation.solved(asked, by_scipy(asked), rounded=True)
        if asked is None or solved is None:
            return None
        course = solved[1]
        if pull is None:
            return [np.transpose(course.asked_states[: course.asked])]
        marks, results = pull
        bars = Replay(equation, asked, course).pull(marks, np.transpose(args[count]))
        totals = iter(args[count + 1 :])
        return [bars[i] + next(totals) if onto else bars[i] for i, onto in results]

    def by_scipy(asked: Problem) -> Callable[[], Any]:
        settings, solve = asked.settings, plain(scipy.integrate.solve_ivp)

        def f(t: Any, y: Any) -> Any:
            return field.evaluate([t, y, *asked.free])[0]

        return lambda: solve(
            f, settings.span, asked.start, solver, settings.asked, dense_output=True, **options
        )

    return evaluated


def _places(marks: Marks) -> list[int]:
    return [i for i, mark in enumerate(marks) if mark]


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
    good = (
        rtol >= _LEAST and t0 != t1 and np.isfinite(t1 - t0) and bool(np.all(np.asarray(atol) >= 0))
    )
    good = good and longest > 0 and (first is None or 0 < first <= abs(t1 - t0)) and size > 0
    if times is not None:
        shape, content = times
        asked = np.frombuffer(content).reshape(shape).copy()
        good = (
            good and asked.ndim == 1 and asked.size > 0 and bool(np.all(way * np.diff(asked) > 0))
        )
        good = good and way * (asked[0] - t0) >= 0 and way * (t1 - asked[-1]) >= 0
    return Settings(span, (rtol, atol), steps, asked, size) if good else None


def problem_of(settings: Any, start: Any, free: Sequence[Any], field: Graph) -> Problem:
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
