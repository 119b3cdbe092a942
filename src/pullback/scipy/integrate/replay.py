"""A solution as a primitive: a function of the first state and of what the equations depend on."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.core.maps import Joint
from pullback.core.primitive import FullRule, Primitive, bind
from pullback.core.running import untraced
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.structure import Opaque
from pullback.core.structure.axes import Marks, Params, Row
from pullback.core.tracing import Tracer
from pullback.rules.control_flow.derived import marked
from pullback.rules.implicit import lifted
from pullback.scipy.integrate.equations import Course, Equations, Problem, Steps
from pullback.transforms.batch import MAPPED, Batch

__all__ = ["Replay"]


class Replay:
    """A solution that was found, and the steps by which its derivatives go."""

    def __init__(self, equations: Equations, problem: Problem, course: Course) -> None:
        self.equations = equations
        self.problem = problem
        self.course = course
        self.states = course.asked_states[: course.asked]

    def followed(self, start: Any, free: Sequence[Any]) -> Any:
        """The states that were found, of shape (m, d), as a function of what they depend on."""
        return bind(_solution, (start, *free), {"replay": self})

    def push(self, start_dot: Any, dots: Sequence[Any]) -> Any:
        """Their tangents."""
        along = [_signs(shape_of(dot)) if type(dot) is Tracer else dot for dot in dots]
        steps = self._steps(along)
        if start_dot is None:
            start_dot = np.zeros(self.states.shape[1])
        marks = tuple(dot is not None for dot in dots)
        return self._run("push", marks, steps, start_dot, marked(dots, marks))

    def pull(self, wanted: Marks, bars: Any) -> Any:
        """The cotangents of the first state and of the wanted free values."""
        free = self.problem.free
        along = [
            _signs(shape_of(x)) if mark else None for x, mark in zip(free, wanted, strict=True)
        ]
        bars = bars if type(bars) is Tracer else np.ascontiguousarray(bars)
        return self._run("pull", wanted, self._steps(along), bars, ())

    def _steps(self, dots: Sequence[Any]) -> Steps:
        return self.equations.steps(self.course, self.problem, dots)

    def _run(self, kind: str, marks: Marks, steps: Steps, given: Any, more: Sequence[Any]) -> Any:
        args = (*steps, given, *self.problem.free, *more)
        if not any(type(x) is Tracer for x in args):
            return untraced(self.equations.compiled(kind, marks), args, {})
        batch = _only_batch(args)
        if batch is None:
            return getattr(self.equations.programs, kind)(marks)(*args)
        axes = tuple(0 if type(x) is Tracer else None for x in args)
        plain = [x._value if type(x) is Tracer else x for x in args]
        found = untraced(self.equations.compiled(kind, marks, axes), plain, {})
        if type(found) is tuple:
            return tuple(lifted(x, [batch]) for x in found)
        return lifted(found, [batch])


def _only_batch(args: Sequence[Any]) -> Batch | None:
    """The level that maps plain values among arguments, if that is all that follows them."""
    levels = set()
    for x in args:
        if type(x) is Tracer:
            if x._alias is not None:
                x._refresh()
            if x._payload is not MAPPED or type(x._value) is Tracer:
                return None
            levels.add(x._interpreter)
    (level,) = levels if len(levels) == 1 else (None,)
    return level if type(level) is Batch else None


@functools.lru_cache(maxsize=256)
def _signs(shape: tuple[int, ...]) -> Any:
    """A deviation of everything in an array."""
    return np.random.default_rng(0).choice([-1.0, 1.0], shape)[()]


def _value(_start: Any, *_free: Any, replay: Replay) -> Any:
    return replay.states


def _shape(_primitive: Primitive, _start: Any, *_free: Any, replay: Replay) -> Abstract:
    return Abstract(shape_of(replay.states), dtype_of(replay.states))


def _pushforward(_values: Row, dots: Row, params: Params) -> tuple[Any, Any]:
    replay: Replay = params["replay"]
    return replay.states, replay.push(dots[0], dots[1:])


def _linearize(_values: Row, wanted: Marks, params: Params) -> tuple[Any, Joint]:
    replay: Replay = params["replay"]

    def push(*dots: Any) -> Any:
        return replay.push(dots[0], dots[1:])

    def pull(bars: Any) -> list[Any]:
        start, *others = replay.pull(tuple(wanted[1:]), bars)
        remaining = iter(others)
        return [
            start if wanted[0] else None,
            *(next(remaining) if mark else None for mark in wanted[1:]),
        ]

    return replay.states, Joint(push, pull)


_solution = Primitive("solution", _value, Opaque(_shape), FullRule(_pushforward, _linearize))
"""``solution(start, *free, replay=...)``: where at most one level differentiates."""
