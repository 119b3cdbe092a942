"""Solutions of initial value problems as functions of time."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.shapes import shape_of
from pullback.rules.custom import stop_gradient
from pullback.rules.implicit import anchored
from pullback.scipy.integrate.fields import as_real
from pullback.scipy.integrate.steps import along
from pullback.scipy.integrate.values import (
    Ground,
    Values,
    array_of,
    differentiated,
    solves_plainly,
)

__all__ = ["Solution", "SolversStates"]


class SolversStates:
    """The states of all examples as SciPy interpolates them, on plain numbers.

    Parameters
    ----------
    solutions : list
        For each example SciPy's function of time.
    """

    def __init__(self, solutions: list[Any], *, is_complex: bool) -> None:
        self.solutions = solutions
        self.is_complex = is_complex

    def __call__(self, times: Any) -> Any:
        """States of shape (..., d) at times, which have examples along axes in front."""
        rows = np.reshape(times, (len(self.solutions), -1))
        states = np.stack([each(row).T for each, row in zip(self.solutions, rows, strict=True)])
        states = as_real(states) if self.is_complex else states
        return states.reshape(*np.shape(times), states.shape[-1])


class Solution:
    """What `solve_ivp` returns as ``sol``: the state at any time, which may be traced.

    What SciPy's object has besides it has too.
    """

    def __init__(self, problem: Any, paths: list[Any], states: Any) -> None:
        self._problem = problem
        self._paths = paths
        self._states = states

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._problem.states.solutions[0], name)

    def __call__(self, t: Any) -> Any:
        problem = self._problem
        own = problem.ground.values
        outer = solves_plainly()
        if outer is not None:
            outer.levels |= own.levels
            outer.batches |= own.batches
            return problem.states.solutions[self._example(outer.place)](outer.of(t))
        t = array_of(t)
        seen = Values(problem.field.name)
        seen.of(t)
        batches = sorted(own.batches | seen.batches, key=lambda each: each.level)
        ground = Ground(seen, batches)
        times = ground.plain(t)
        single = not shape_of(t)
        rows = times.reshape(-1, 1 if single else times.shape[-1])
        places = list(seen.places(batches))
        examples = [self._example(place) for place in places]
        solutions = [problem.states.solutions[each] for each in examples]
        there = SolversStates(solutions, is_complex=problem.states.is_complex)
        value = there(rows)
        front, count = ground.sizes, rows.shape[-1]
        known = ground.lift(value.reshape(*front, count, -1))
        y = known
        if own.levels:
            y = self._followed(ground, rows, examples, there, known)
            seen.levels |= own.levels
        if differentiated(t):
            moving = t[None] if single else t
            base = ground.lift(rows.reshape(*front, count))
            y = along(problem.field, base, y, moving - stop_gradient(moving), seen.order)
        y = problem.users(y)
        return y[0] if single else np.transpose(y)

    def _example(self, place: dict[Any, int]) -> int:
        """The number of an example, by its place at each of the levels that map the problem."""
        ground = self._problem.ground
        index = [place.get(each, 0) for each in ground.batches]
        return int(np.ravel_multi_index(index, ground.sizes)) if index else 0

    def _followed(
        self, ground: Ground, rows: Any, examples: list[int], there: Any, known: Any
    ) -> Any:
        """The states at plain times, from those where the steps begin that these are in."""
        problem, front = self._problem, ground.sizes
        starts = [
            self._paths[example].before(row) for example, row in zip(examples, rows, strict=True)
        ]
        begun = [
            self._paths[example].times[start]
            for example, start in zip(examples, starts, strict=True)
        ]
        start = ground.lift(np.stack(starts).reshape(*front, -1))
        t = np.stack(begun).reshape(*front, -1)
        h = rows.reshape(t.shape) - t
        y = problem.method.taken(
            problem.field, ground.lift(t), self._states[start], ground.lift(h), ground, there
        )
        return anchored(known, y)
