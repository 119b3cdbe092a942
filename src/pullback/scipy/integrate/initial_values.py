"""Initial value problems under SciPy's name `solve_ivp`.

SciPy solves on plain numbers. What is returned has the values that it found, and the derivatives of
the solution: by initial state, all that the right-hand side depends on, both ends and the times
asked for. How, :mod:`~.paths` tells.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.integrate
import scipy.optimize

from pullback.core.shapes import Abstract, dtype_of, is_inexact, shape_of
from pullback.errors import ArgumentValueError, DataDependenceError
from pullback.scipy.first_step import plain, serves_always
from pullback.scipy.integrate.dense import Solution, SolversStates
from pullback.scipy.integrate.events import Watched, event_states
from pullback.scipy.integrate.fields import Field
from pullback.scipy.integrate.paths import Path
from pullback.scipy.integrate.problems import Problem
from pullback.scipy.integrate.quick import directly, known_field, plainly, quickly_solved
from pullback.scipy.integrate.recorded import in_graph
from pullback.scipy.integrate.steps import Explicit, Implicit
from pullback.scipy.integrate.values import (
    Ground,
    UnknownValueError,
    Values,
    array_of,
    differentiated,
    solves_plainly,
)

__all__ = ["solve_ivp"]

METHODS = {
    name: getattr(scipy.integrate, name)
    for name in ("RK23", "RK45", "DOP853", "Radau", "BDF", "LSODA")
}


@serves_always(scipy.integrate.solve_ivp)
def solve_ivp(
    fun: Any,
    t_span: Any,
    y0: Any,
    method: Any = "RK45",
    t_eval: Any = None,
    dense_output: bool = False,
    events: Any = None,
    vectorized: bool = False,
    args: Any = None,
    **options: Any,
) -> Any:
    solver = METHODS.get(method, method) if isinstance(method, str) else method
    own = plain(scipy.integrate.solve_ivp)
    extra = () if args is None else tuple(args)
    watched = None
    if events is not None:
        watched = [Watched(each) for each in ((events,) if callable(events) else events)]

    def by_scipy(values: Values, dense: bool) -> Any:
        def seen(x: Any) -> Any:
            return values.function(x) if callable(x) else values.of(x)

        span, times = [values.of(t) for t in t_span], values.of(t_eval)
        more = {key: seen(each) for key, each in options.items()}

        def solve(f: Any) -> Any:
            return own(
                f,
                span,
                values.of(y0),
                method,
                t_eval=times,
                dense_output=dense,
                events=None if watched is None else [each.plain(values) for each in watched],
                vectorized=vectorized,
                args=values.of(args),
                **more,
            )

        native = None if vectorized else plainly(fun, y0, extra, solver, values)
        if native is None:
            return solve(values.function(fun))
        f, remembered = native
        if watched or "jac" in options:
            return solve(f)
        asked = None if times is None else np.asarray(times, float).tobytes()
        return remembered((*map(float, span), asked, dense, repr(more)), lambda: solve(f))

    outer = solves_plainly()
    if outer is not None:
        return by_scipy(outer, dense_output)
    if not (dense_output or vectorized or watched):
        found = quickly_solved(fun, (t_span, y0, t_eval), extra, solver, options, by_scipy)
        if found is not None:
            return found
    try:
        return _solve_ivp(
            by_scipy, (fun, t_span, y0, t_eval, extra), (solver, vectorized, options),
            dense_output, watched,
        )  # fmt: skip
    except UnknownValueError as error:
        if t_eval is None or dense_output or watched or "jac" in options:
            raise DataDependenceError(
                f"{error}. In a graph it takes t_eval, and neither events nor dense_output nor jac"
            ) from None
    size, count = shape_of(array_of(y0))[0], shape_of(array_of(t_eval))[0]
    state = array_of(y0)
    dtype = np.dtype(np.result_type(dtype_of(state), float))

    def call(functions: list[Any], given: Any) -> Any:
        t_span, y0, t_eval, args = given
        result = solve_ivp(
            functions[0], t_span, y0, method, t_eval, vectorized=vectorized, args=args, **options
        )
        return (result.y,)

    start = np.ones((size, 1) if vectorized else size, dtype)

    def field(t: Any, y: Any, *extra: Any) -> Any:
        if vectorized or dtype.kind == "c":
            return fun(t, y, *extra)
        return Field(lambda t, y: fun(t, y, *extra), "scipy.integrate.solve_ivp", size)(t, y)

    (y,) = in_graph(
        call,
        [(field, (0.5, start, *extra))],
        (list(t_span), y0, t_eval, extra),
        [Abstract((size, count), dtype)],
        lambda recording: None if vectorized else directly(recording, solver, options),
    )
    return _partial(
        scipy.optimize.OptimizeResult,
        {"t": t_eval, "y": y},
        "scipy.integrate.solve_ivp: a result in a graph has t and y; call it outside of what "
        "pullback.trace and pullback.compile record for what else it has",
    )


def _solve_ivp(by_scipy: Any, given: Any, how: Any, dense_output: bool, watched: Any) -> Any:
    """What `solve_ivp` returns where values are known."""
    (fun, t_span, y0, t_eval, extra), (solver, vectorized, options) = given, how
    is_explicit = isinstance(solver, type) and hasattr(solver, "n_stages")
    values = Values("scipy.integrate.solve_ivp")
    dense = dense_output or t_eval is not None or not is_explicit
    batches, found = values.for_each_example(lambda: by_scipy(values, dense))
    for each in found:
        if isinstance(each.y, list):  # an event has ended it before the first time asked for
            each.t, each.y = np.empty(0), np.empty((np.size(values.of(y0)), 0))
    if not values.traced and not dense_output:
        if dense and isinstance(solver, type) and issubclass(solver, scipy.integrate.DOP853):
            return by_scipy(values, False)  # which counts its evaluations for dense output
        found[0].sol = None
        return found[0]
    for each in found:
        if not each.success and values.traced:
            raise ArgumentValueError(
                f"{values.name}: the solution is differentiated, and SciPy did not reach the end: "
                f"{each.message} Ask for another method or larger tolerances, or end sooner"
            )
    _require_alike(values.name, found, len(watched or ()))

    def f(t: Any, y: Any) -> Any:
        if vectorized:
            return np.reshape(array_of(fun(t, y[:, None], *extra)), (-1,))
        return fun(t, y, *extra)

    y0 = array_of(y0)
    y0 = y0 if is_inexact(y0) else y0 + 0.0
    is_complex = found[0].y.dtype.kind == "c"
    field = Field(f, values.name, shape_of(y0)[0], is_complex=is_complex)
    if not (vectorized or batches or is_complex):
        field.known = known_field(fun, y0, extra, values)
    problem = Problem(
        field,
        Explicit(solver) if is_explicit else Implicit(values.order),
        Ground(values, batches),
        SolversStates([each.sol for each in found], is_complex=is_complex) if dense else None,
        (options.get("rtol", 1e-3), options.get("atol", 1e-6)),
    )
    return _result(problem, found, (t_span, y0, t_eval), dense_output, watched, extra)


def _require_alike(name: str, found: list[Any], events: int) -> None:
    """Raise where events occur more often in some examples than in others."""
    for number in range(events):
        if len({len(each.t_events[number]) for each in found}) > 1:
            raise DataDependenceError(
                f"{name}: event {number} occurs more often in some examples of pullback.vmap than "
                "in others, and their results have no shape in common; loop over the examples"
            )


def _result(
    problem: Problem, found: list[Any], given: Any, dense: bool, watched: Any, extra: Any
) -> Any:
    """SciPy's result with traced values in it."""
    real, levels = problem.real, problem.ground.values.levels
    (t0, _), y0, t_eval = given
    paths: list[Path] = []
    states = None
    events: list[Any] = []
    if levels:
        paths = [_path(each, real, sampled=t_eval is not None, to_end=dense) for each in found]
        states, paths = problem.followed(paths, problem.begun(t0, y0))
    for number, each in enumerate(watched or ()):
        rows = [one.t_events[number] for one in found]
        if levels:
            at = problem.mapped(rows), problem.picked(states, paths, rows)
            events.append(event_states(problem, each, extra, *at))
        else:
            after = [real(one.y_events[number]) for one in found]
            events.append((problem.mapped(rows), problem.mapped(after)))
    out = {**found[0], "sol": Solution(problem, paths, states) if dense else None}
    if watched is not None:
        out["t_events"] = [each for each, _ in events]
        out["y_events"] = [problem.users(each) if len(each) else each for _, each in events]
    counts = {len(each.t) for each in found}
    if len(counts) > 1:
        return _partial(
            type(found[0]),
            {key: each for key, each in out.items() if key not in ("t", "y")},
            f"{problem.field.name}: the examples of pullback.vmap are returned at {min(counts)} to "
            f"{max(counts)} times, and their results have one shape only if those are as many; "
            "give t_eval, or ask for dense_output and call sol",
        )
    out["t"], y = _sampled(problem, found, given, (states, paths), watched, events)
    return type(found[0])(**out | {"y": np.transpose(problem.users(y))})


def _partial(kind: Any, out: Any, otherwise: str) -> Any:
    """A result of SciPy's that has no more than this, and says why."""

    class Partial(kind):  # type: ignore[misc]
        def __getattr__(self, key: str) -> Any:
            return self[key] if key in _PARTS else super().__getattr__(key)

        def __missing__(self, key: str) -> Any:
            if key not in _PARTS:
                raise KeyError(key)
            raise DataDependenceError(otherwise)

    return Partial(**out)


_PARTS = frozenset(
    {"t", "y", "sol", "t_events", "y_events", "nfev", "njev", "nlu", "status", "message", "success"}
)
"""What a result of `solve_ivp` has."""


def _sampled(
    problem: Problem, found: list[Any], given: Any, solved: Any, watched: Any, events: list[Any]
) -> tuple[Any, Any]:
    """Times and states that are returned."""
    (t0, tf), y0, t_eval = given
    times = [each.t for each in found]
    t = problem.mapped(times)
    if not problem.ground.values.levels:
        return t, problem.mapped([problem.real(each.y.T) for each in found])
    states, paths = solved
    y = problem.picked(states, paths, times)
    if t_eval is None:
        return _with_ends(problem, found, (t0, tf, y0), (t, y), watched, events)
    moving = array_of(t_eval)[: len(times[0])]
    return (moving if differentiated(moving) else t), problem.moved(t, y, moving)


def _path(found: Any, real: Any, *, sampled: bool, to_end: bool) -> Path:
    """The times and states that a solver went by, and those that are asked for."""
    times, states = [found.t], [real(found.y.T)]
    if sampled:
        times.append(found.sol.ts)
        states.append(real(found.sol(found.sol.ts).T))
    for at, y in zip(found.t_events or (), found.y_events or (), strict=True):
        if len(at):
            times.append(at)
            states.append(real(y))
    begin, end = (found.sol.ts[[0, -1]] if sampled else found.t[[0, -1]]).tolist()
    all_times, first = np.unique(np.concatenate(times), return_index=True)
    all_states = np.concatenate(states)[first]
    if end < begin:
        all_times, all_states = all_times[::-1], all_states[::-1]
    if sampled and not to_end and found.t_events is None and len(found.t):
        count = int(np.argmin(np.abs(all_times - found.t[-1]))) + 1
        all_times, all_states = all_times[:count], all_states[:count]
    return Path(all_times, all_states)


def _with_ends(
    problem: Problem, found: list[Any], given: Any, at: Any, watched: Any, events: list[Any]
) -> tuple[Any, Any]:
    """All times and states, where the first and the last one move."""
    (t0, tf, y0), (t, y) = given, at
    first_t, last_t, last_y = t[:1], t[-1:], y[-1:]
    ended = {_ending(each, watched) for each in found}
    if len(ended) > 1:
        raise DataDependenceError(
            f"{problem.field.name}: an event ends some of the examples of pullback.vmap and not "
            "others; give t_eval, or loop over the examples"
        )
    (event,) = ended
    if event is not None:
        last_t, last_y = (each[-1:] for each in events[event])
    elif differentiated(tf):
        last_y = problem.moved(last_t, last_y, tf[None])
        last_t = tf[None]
    if differentiated(t0):
        first_t = t0[None]
    if event is not None or differentiated(t0) or differentiated(tf):
        t = np.concatenate([first_t, t[1:-1], last_t])
    return t, np.concatenate([problem.real(y0)[None], y[1:-1], last_y])


def _ending(found: Any, watched: Any) -> int | None:
    """Which event has ended the integration, if one has."""
    if found.status != 1:
        return None
    for number, (event, at) in enumerate(zip(watched, found.t_events, strict=True)):
        if event.terminal and len(at) and at[-1] == found.t[-1]:
            return number
    return None
