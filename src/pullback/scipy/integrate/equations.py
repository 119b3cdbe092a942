"""Initial value problems whose right-hand side is recorded, solved and differentiated natively.

A right-hand side that reads nothing but numbers and arrays is a graph, the same at each step and in
each call. Once its problems have been solved a few times it is compiled: the method of SciPy's that
solves them (:mod:`pullback.compiler.stepping`), and the derivatives on its steps
(:mod:`~.adjoint`). The values stay SciPy's to the bit: where machine code has other ones, SciPy
solves, with the right-hand side in Python, and the derivatives alone are native.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from pullback.core.running import untraced
from pullback.core.structure.axes import Marks
from pullback.core.tracing import Tracer, strip
from pullback.graph.graph import Graph
from pullback.rules.control_flow.derived import derived, marked
from pullback.scipy.integrate.adjoint import Programs
from pullback.scipy.integrate.paths import MOST, Path, too_many_steps
from pullback.scipy.integrate.steps import Explicit

__all__ = ["Equations", "Problem", "equations"]

FROM = 8
"""From which problem on an equation is compiled: before that it is not worth while."""


class Problem(NamedTuple):
    """What is solved, on plain numbers.

    Attributes
    ----------
    span : tuple of float
    start : array of shape (d,)
    free : tuple of arrays
        Of what the right-hand side depends on besides.
    tolerances, steps : tuple
        rtol and atol; the first step or None, and the longest one.
    asked : array of shape (m,), or None
        The times that are asked for, or those at which steps end.
    """

    span: tuple[float, float]
    start: Any
    free: tuple[Any, ...]
    tolerances: tuple[Any, Any]
    steps: tuple[float | None, float]
    asked: Any

    @property
    def key(self) -> bytes:
        """Equal for equal problems."""
        rtol, atol = self.tolerances
        numbers = repr((self.span, rtol, self.steps, self.asked is None)).encode()
        asked = () if self.asked is None else (self.asked,)
        arrays = (self.start, atol, *asked, *self.free)
        return b"|".join([numbers, *(x.tobytes() for x in arrays)])


def equations(field: Graph, solver: Any) -> Equations:
    """The equations of a recorded right-hand side, by an explicit method; there is one object."""
    return derived(field, ("equations", solver), lambda: Equations(field, solver))


class Equations:
    """A recorded right-hand side and a method.

    Attributes
    ----------
    field : Graph
        From a time, a state and free values to the state's derivative.
    result : object or None
        What SciPy has returned for one of the problems.
    """

    def __init__(self, field: Graph, solver: Any) -> None:
        self.field = field
        self.solver = solver
        self.programs = Programs(field, Explicit(solver))
        self.asked_for = 0
        self.result: Any = None
        self._stepper: Any = None
        self._agrees: bool | None = None
        self._compiled: dict[Any, Any] = {}
        self._last: tuple[bytes, Path, Any] | None = None
        self._lock = threading.RLock()

    # -- solutions -----------------------------------------------------------------------------

    def solved(
        self, problem: Problem, by_scipy: Callable[[], Any], *, rounded: bool
    ) -> tuple[Any, Path, Any] | None:
        """SciPy's result, the path there and the states that it returns, of shape (m, d).

        Parameters
        ----------
        problem : Problem
        by_scipy : callable
            Gives SciPy's own result, with its function of time.
        rounded : bool
            Whether values may be others than SciPy's by what rounding makes of them.

        Returns
        -------
        tuple or None
            Where SciPy does not come through, or is to come through in another way.
        """
        key = problem.key
        if self._last is not None and self._last[0] == key:
            _, path, found = self._last
            return found, path, found.y.T
        course = self._course(problem, rounded=rounded)
        if course is None or self._agrees is None:
            found = by_scipy()
            if not found.success or isinstance(found.y, list):
                return None
            self.result = found
            if course is not None:
                self._agrees = self._is_right(course, found, problem)
                course = course if self._agrees else None
        if course is None:
            path = _path(found.t, found.y.T, problem, found.sol.ts, found.sol(found.sol.ts).T)
            found.sol = None
        else:
            t = course.times if problem.asked is None else np.array(problem.asked, float)
            y = course.states if problem.asked is None else course.asked
            path = _path(t, y, problem, course.times, course.states)
            row = {"t": t, "y": y.T, "nfev": course.evaluations, "sol": None}
            found = type(self.result)(**{**self.result, **row})
        self._last = key, path, found
        return found, path, found.y.T

    def _course(self, problem: Problem, *, rounded: bool) -> Any:
        if self._agrees is False:
            return None
        stepper = self._made(("stepper",), self._new_stepper)
        if stepper is None or not (stepper.exact or rounded):
            return None
        asked = np.empty(0) if problem.asked is None else problem.asked
        return stepper.course(
            problem.span, problem.start, problem.free, problem.tolerances, problem.steps, asked
        )

    def _new_stepper(self) -> Any:
        stepping = importlib.import_module("pullback.compiler.stepping")
        try:
            return stepping.Stepper(self.field, self.solver)
        except ValueError:
            return None

    def _is_right(self, course: Any, found: Any, problem: Problem) -> bool:
        """Whether SciPy has found the same."""
        states = course.states if problem.asked is None else course.asked
        stepper = self._compiled["stepper",]
        if stepper.exact:
            return (
                course.evaluations == found.nfev
                and np.array_equal(states.T, found.y)
                and np.array_equal(course.times, found.sol.ts)
            )
        rtol, atol = problem.tolerances
        near = np.max(atol) + np.max(rtol) * np.max(np.abs(found.y))
        return states.T.shape == found.y.shape and bool(np.max(np.abs(states.T - found.y)) <= near)

    # -- derivatives ---------------------------------------------------------------------------

    def compiled(self, kind: str, marks: Marks) -> Any:
        """One of the programs as machine code."""
        return self._made((kind, marks), lambda: self._new(getattr(self.programs, kind)(marks)))

    @staticmethod
    def _new(program: Callable[..., Any]) -> Any:
        compiler = importlib.import_module("pullback.compiler.compiled")
        return compiler.compile(program, lift=False, split=None)

    def _made(self, key: Any, make: Callable[[], Any]) -> Any:
        with self._lock:
            if key not in self._compiled:
                self._compiled[key] = untraced(make, (), {})
            return self._compiled[key]

    def refined(self, path: Path, problem: Problem, dots: Sequence[Any]) -> Path:
        """The path with steps that are short enough for derivatives along these tangents."""
        rtol, atol = problem.tolerances
        within = np.float64(np.max(rtol))
        marks = tuple(dot is not None for dot in dots)
        first = self.programs.deviations(len(problem.start))
        judged = self.compiled("long", marks)
        name = "scipy.integrate.solve_ivp"
        while True:
            count = len(path.times) - 1
            if count + 1 > MOST:
                raise too_many_steps(name)
            t, h, y, last = _padded(path)
            scale = atol + rtol * np.concatenate([np.abs(y), np.abs(last[None])])
            is_any, flags, middle = untraced(
                judged, (t, h, y, scale, within, first, *problem.free, *marked(dots, marks)), {}
            )
            if not is_any:
                return path
            path = path.halved(flags[:count], middle)

    def pulled(self, path: Path, problem: Problem, wanted: Marks, bars: Any) -> Any:
        """Cotangents of the first state and of wanted free values."""
        return self._run("pull", wanted, path, bars, (), problem)

    def pushed(self, path: Path, problem: Problem, start: Any, dots: Sequence[Any]) -> Any:
        """Tangents of all states."""
        marks = tuple(dot is not None for dot in dots)
        return self._run("push", marks, path, start, marked(dots, marks), problem)

    def _run(
        self, kind: str, marks: Marks, path: Path, given: Any, more: Sequence[Any], problem: Problem
    ) -> Any:
        t, h, y, _ = _padded(path)
        if kind == "pull" and np.shape(given)[0] <= len(t):
            room = np.zeros((len(t) + 1 - np.shape(given)[0], y.shape[1]))
            given = np.concatenate([given, room])
        args = (t, h, y, given, *problem.free, *more)
        if any(type(x) is Tracer for x in args):
            return getattr(self.programs, kind)(marks)(*args)
        return untraced(self.compiled(kind, marks), args, {})


def _path(t: Any, y: Any, problem: Problem, times: Any, states: Any) -> Path:
    """The times and states that a solver went by, and those that are asked for."""
    if problem.asked is None:
        return Path(times, states)
    all_times, first = np.unique(np.concatenate([t, times]), return_index=True)
    all_states = np.concatenate([y, states])[first]
    if times[-1] < times[0]:
        all_times, all_states = all_times[::-1], all_states[::-1]
    path = Path(all_times, all_states)
    count = int(path.places(t[-1:])[0]) + 1
    return Path(all_times[:count], all_states[:count])


def _padded(path: Path) -> tuple[Any, Any, Any, Any]:
    """Begins and lengths of steps, states there, and the last state; for one of a few sizes.

    Programs are recorded for each size. Steps of no length follow the last one.
    """
    count = len(path.times) - 1
    size = _size(count)
    t, h = np.full(size, path.times[-1]), np.zeros(size)
    y = np.empty((size, path.states.shape[1]))
    t[:count], y[:count] = path.times[:-1], path.states[:-1]
    h[:count] = np.diff(path.times)
    y[count:] = path.states[-1]
    return t, h, y, path.states[-1]


def _size(count: int) -> int:
    """The next number that is 2 or 3 times a power of 2."""
    power = 1 << max(3, (count - 1).bit_length() - 1)
    return next(size for size in (power, power * 3 // 2, power * 2) if size >= count)


def plain(x: Any) -> Any:
    """The number or array underneath."""
    return strip(x) if type(x) is Tracer else x
