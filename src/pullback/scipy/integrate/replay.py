"""A solution as a primitive: a function of the first state and of what the equations depend on."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.core.maps import Joint
from pullback.core.primitive import FullRule, Primitive, bind
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.structure import Opaque
from pullback.core.structure.axes import Marks, Params, Row
from pullback.core.tracing import Tracer
from pullback.scipy.integrate.equations import Equations, Problem
from pullback.scipy.integrate.paths import Path

__all__ = ["Replay"]


class Replay:
    """A solution that was found, and the steps by which its derivatives go."""

    def __init__(self, equations: Equations, problem: Problem, path: Path, states: Any) -> None:
        self.equations = equations
        self.problem = problem
        self.states = states
        self._path = path
        self._times = path.times if problem.asked is None else problem.asked

    def followed(self, start: Any, free: Sequence[Any]) -> Any:
        """The states that were found, of shape (m, d), as a function of what they depend on."""
        return bind(_solution, (start, *free), {"replay": self})

    def push(self, start_dot: Any, dots: Sequence[Any]) -> Any:
        """Their tangents."""
        self._refine([dot if dot is None or type(dot) is not Tracer else _signs(dot) for dot in dots])
        if start_dot is None:
            start_dot = np.zeros(self.states.shape[1])
        found = self.equations.pushed(self._path, self.problem, start_dot, dots)
        return found[self._path.places(self._times)]

    def pull(self, wanted: Marks, bars: Any) -> Any:
        """The cotangents of the first state and of the wanted free values."""
        free = self.problem.free
        self._refine([_signs(x) if mark else None for x, mark in zip(free, wanted, strict=True)])
        path = self._path
        rows = np.full(len(path.times), len(self._times))
        rows[path.places(self._times)] = np.arange(len(self._times))
        bars = np.concatenate([bars, np.zeros((1, self.states.shape[1]))])[rows]
        return self.equations.pulled(path, self.problem, wanted, bars)

    def _refine(self, dots: Sequence[Any]) -> None:
        self._path = self.equations.refined(self._path, self.problem, dots)


def _signs(x: Any) -> Any:
    """A deviation of everything in an array."""
    return _signs_of(shape_of(x))


@functools.lru_cache(maxsize=256)
def _signs_of(shape: tuple[int, ...]) -> Any:
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
