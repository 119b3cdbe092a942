"""Initial value problems whose right-hand side is recorded, solved and differentiated natively.

A right-hand side that reads nothing but numbers and arrays is a graph, the same at each step and in
each call. Once its problems have been solved a few times it is compiled: the method of SciPy's that
solves them (:mod:`pullback.compiler.stepping`), and the derivatives on its steps
(:mod:`~.adjoint`). The values stay SciPy's to the bit: where machine code has other ones, SciPy
solves, with the right-hand side in Python, and the derivatives alone are native.
"""

from __future__ import annotations

import functools
import importlib
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from pullback.core.running import untraced
from pullback.core.structure.axes import Marks
from pullback.graph.graph import Graph
from pullback.rules.control_flow.derived import derived, marked
from pullback.scipy.integrate.adjoint import Programs, deviations
from pullback.scipy.integrate.paths import MOST, WITHIN, too_many_steps
from pullback.scipy.integrate.steps import Explicit
from pullback.transforms.batch import vmap

__all__ = ["Course", "Equations", "Problem", "Settings", "Steps", "equations"]

FROM = 8
"""From which problem on an equation is compiled: before that it is not worth while."""

_ROUNDS = 20
"""How often steps are made shorter for what free values add, at most."""

_NONE, _INFINITE = np.empty(0), np.float64(np.inf)


class Settings:
    """What is asked of a solution: where, how exactly, and at which times.

    Attributes
    ----------
    span, steps : tuple of float
        Begin and end; the first step or None, and the longest one.
    tolerances : array of shape (3, d)
        rtol and atol of each component, and the relative one of derivatives.
    asked : array of shape (m,), or None
        The times that are asked for, or those at which steps end.
    first : array
        Deviations of the first state, as programs take them.
    """

    def __init__(
        self, span: tuple[float, float], tolerances: tuple[float, Any],
        steps: tuple[float | None, float], asked: Any, size: int,
    ) -> None:  # fmt: skip
        self.span = span
        self.steps = steps
        self.asked = asked
        self.tolerances = np.empty((3, size))
        self.tolerances[0], self.tolerances[1] = tolerances
        self.tolerances[2] = tolerances[0]
        self.first = deviations(size)


class Problem(NamedTuple):
    """What is solved, on plain numbers: from a first state, with such free values."""

    settings: Settings
    start: Any
    free: tuple[Any, ...]

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for equal problems."""
        return (self.settings, self.start.tobytes(), *(x.tobytes() for x in self.free))


class Course(NamedTuple):
    """Where the steps of a solution end, and what was asked of it.

    Attributes
    ----------
    steps : int
        How many there are.
    times, states : array of shape (n,) and (n, d)
        From the begin on, with room behind.
    asked_times, asked_states : array of shape (m,) and (m, d)
    asked : int
        How many these are; there may be room behind too.
    """

    steps: int
    times: Any
    states: Any
    asked_times: Any
    asked_states: Any
    asked: int


class Steps(NamedTuple):
    """Steps that are short enough for derivatives.

    Attributes
    ----------
    steps : int
        How many there are.
    times, states : array of shape (n,) and (n, d)
        With room behind.
    rows : array of shape (m,)
        Where those asked for are.
    """

    steps: Any
    times: Any
    states: Any
    rows: Any


def equations(field: Graph, solver: Any) -> Equations:
    """The equations of a recorded right-hand side, by an explicit method; there is one object."""
    return derived(field, ("equations", solver), lambda: Equations(field, solver))


class Equations:
    """A recorded right-hand side and a method.

    Attributes
    ----------
    field : Graph
        From a time, a state and free values to the state's derivative.
    programs : Programs
    asked_for : int
        How many problems there were.
    """

    def __init__(self, field: Graph, solver: Any) -> None:
        self.field = field
        self.solver = solver
        self.asked_for = 0
        self._result: Any = None
        self._agrees: bool | None = None
        self._made: dict[Any, Any] = {}
        self._last: tuple[Any, Any, Course] | None = None
        self._remembered: tuple[Any, Any] | None = None
        self._lock = threading.RLock()

    @functools.cached_property
    def programs(self) -> Programs:
        """The derivatives on the steps of an explicit method."""
        return Programs(self.field, Explicit(self.solver))

    # -- solutions -----------------------------------------------------------------------------

    def solved(
        self, problem: Problem, by_scipy: Callable[[], Any], *, rounded: bool
    ) -> tuple[Any, Course] | None:
        """SciPy's result, and the way there.

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
        last = self._last
        if last is not None and last[0] == key:
            return _own(last[1]), last[2]
        found = self._natively(problem, rounded=rounded)
        if found is None or self._agrees is None:
            result = by_scipy()
            if not result.success or isinstance(result.y, list):
                return None
            self._result = result
            if found is not None:
                self._agrees = self._is_right(found, result, problem)
            course = found[1] if found and self._agrees else _course_of(result, problem)
            found = result, course
            result.sol = None
        self._last = key, *found
        return _own(found[0]), found[1]

    def exactly(self) -> Callable[..., Any] | None:
        """The right-hand side in machine code, if its values there are NumPy's to the bit."""

        def make() -> Any:
            return importlib.import_module("pullback.compiler.stepping").exactly(self.field)

        found: Callable[..., Any] | None = self._once("field", make)
        return found

    def remembered(self, key: Any, solve: Callable[[], Any]) -> Any:
        """What SciPy returns; if the problem is that of the call before, what it has returned."""
        last = self._remembered
        if last is None or last[0] != key:
            last = self._remembered = key, solve()
        return _own(last[1])

    def _natively(self, problem: Problem, *, rounded: bool) -> tuple[Any, Course] | None:
        if self._agrees is False:
            return None
        stepper = self._once("stepper", self._new_stepper)
        if stepper is None or not (stepper.exact or rounded):
            return None
        settings = problem.settings
        asked = _NONE if settings.asked is None else settings.asked
        found = stepper.course(
            settings.span, problem.start, problem.free, settings.tolerances, settings.steps, asked
        )
        if found is None:
            return None
        count, times, states, asked_states, evaluations = found
        if settings.asked is None:
            asked, asked_states = times, states
            t, y = times[: count + 1].copy(), np.transpose(states[: count + 1].copy())
        else:  # SciPy puts these side by side
            t, y = asked.copy(), np.ascontiguousarray(np.transpose(asked_states))
        row = {"t": t, "y": y, "nfev": evaluations, "sol": None}
        result = {} if self._result is None else self._result
        return type(result)(**{**result, **row}), Course(
            count, times, states, asked, asked_states, len(t)
        )

    def _new_stepper(self) -> Any:
        stepping = importlib.import_module("pullback.compiler.stepping")
        try:
            return stepping.Stepper(self.field, self.solver)
        except ValueError:
            return None

    def _is_right(self, found: tuple[Any, Course], result: Any, problem: Problem) -> bool:
        """Whether SciPy has found the same."""
        own, course = found
        if self._made["stepper"].exact:
            times = course.times[: course.steps + 1]
            return bool(
                own["nfev"] == result.nfev
                and np.array_equal(own["y"], result.y)
                and np.array_equal(times, result.sol.ts)
            )
        rtol, atol, _ = problem.settings.tolerances
        near = np.max(atol) + np.max(rtol) * np.max(np.abs(result.y))
        return own["y"].shape == result.y.shape and bool(
            np.max(np.abs(own["y"] - result.y)) <= near
        )

    # -- derivatives ---------------------------------------------------------------------------

    def steps(self, course: Course, problem: Problem, dots: Sequence[Any]) -> Steps:
        """Steps that are short enough for derivatives, along these tangents of free values."""
        marks = tuple(dot is not None for dot in dots)
        refine = self.compiled("refine", marks)
        settings = problem.settings
        tight, length = _INFINITE, 2 * len(course.times)
        for _ in range(_ROUNDS):
            reached, count, times, states, rows, far, large = untraced(
                refine,
                (
                    course.times, course.states, np.int64(course.asked), course.asked_times,
                    course.asked_states, _room(length), settings.tolerances, tight, settings.first,
                    *problem.free, *marked(dots, marks),
                ),
                {},
            )  # fmt: skip
            if reached < course.asked:
                if length > MOST or count + 1 < length:
                    raise too_many_steps("scipy.integrate.solve_ivp")
                length *= 4
            elif far > (limit := WITHIN * settings.tolerances[2, 0] * large):
                tight = np.float64(limit)
            else:
                break
        return Steps(count, times, states, rows[: course.asked])

    def compiled(self, kind: str, marks: Marks, mapped: tuple[int | None, ...] = ()) -> Any:
        """One of the programs as machine code; for examples along these axes of its arguments."""

        def make() -> Any:
            program = getattr(self.programs, kind)(marks)
            program = vmap(program, in_axes=mapped) if mapped else program
            compiler = importlib.import_module("pullback.compiler.compiled")
            return compiler.compile(program, lift=False, split=None)

        return self._once((kind, marks, mapped), make)

    def _once(self, key: Any, make: Callable[[], Any]) -> Any:
        found = self._made.get(key, self)
        if found is self:
            with self._lock:
                if key not in self._made:
                    self._made[key] = untraced(make, (), {})
                found = self._made[key]
        return found


def _own(result: Any) -> Any:
    """A result with arrays of its own, so that whoever writes into it does not write into ours."""
    own = {key: x.copy(order="K") if isinstance(x, np.ndarray) else x for key, x in result.items()}
    return type(result)(**own)


@functools.lru_cache(maxsize=8)
def _room(length: int) -> Any:
    return np.zeros(length)


def _course_of(result: Any, problem: Problem) -> Course:
    """The way of SciPy's."""
    times = result.sol.ts
    states = np.array(result.sol(times).T if problem.settings.asked is not None else result.y.T)
    room = 64
    while room < len(times):
        room *= 4
    padded = np.full(room, times[-1]), np.zeros((room, states.shape[1]))
    padded[0][: len(times)], padded[1][: len(times)] = times, states
    count = len(times) - 1
    if problem.settings.asked is None:
        return Course(count, *padded, *padded, len(times))
    asked = np.array(result.t), np.array(result.y.T)
    return Course(count, *padded, *asked, len(asked[0]))
