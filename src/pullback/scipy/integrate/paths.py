"""The solution of an initial value problem as a function of all that it depends on.

A solver of SciPy's has found states Yₖ at times tₖ, on plain numbers. They are the solution of the
equations y₀ = Y₀ and yₖ₊₁ = Φₖ(yₖ) + cₖ, where Φₖ takes a step of a method and the constant cₖ is
what that is wrong by. Newton's method on all of them at once, in traced arithmetic and with
constant slopes ∂Φₖ/∂y, leaves the values as they are, and each round makes derivatives of one more
order those of the solution. So the right-hand side is evaluated at all times at once, a few times
in all, and nothing is integrated backwards.

The steps are SciPy's own where they are good for the derivative too. A solver that starts at rest
takes ever longer steps, of which those of neighbouring solutions would be wrong; so steps are
halved over which a deviation of the first state is wrong by more than the tolerance.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.shapes import shape_of
from pullback.errors import ArgumentValueError
from pullback.rules.custom import stop_gradient
from pullback.scipy.integrate.fields import Field
from pullback.scipy.integrate.steps import Prepared
from pullback.scipy.integrate.values import Ground

__all__ = ["Path", "followed"]

_WITHIN = 1.0
"""By how many times the relative tolerance a step may be wrong for a deviation of its start."""
_STABLE = 0.3
"""How wrong a step of a method that doesn't damp may be for what has died out."""
_MOST = 200_000
"""The largest number of steps."""
_DENSE = 20_000_000
"""Up to so many numbers in all the slopes of many steps are multiplied at once."""


class Path:
    """Times and states of one example; states have real components."""

    def __init__(self, times: Any, states: Any) -> None:
        self.times = times
        self.states = states

    def halved(self, which: Any, halfway: Any) -> Path:
        """With the states in the midst of some of the steps in addition."""
        (at,) = np.nonzero(which)
        middle = self.times[at] + (self.times[at + 1] - self.times[at]) / 2
        return Path(
            np.insert(self.times, at + 1, middle),
            np.insert(self.states, at + 1, halfway[at], axis=0),
        )

    def places(self, times: Any) -> Any:
        """The numbers of the states at times that are among the path's."""
        if self.times[-1] < self.times[0]:
            return len(self.times) - 1 - np.searchsorted(self.times[::-1], times)
        return np.searchsorted(self.times, times)

    def before(self, times: Any) -> Any:
        """The numbers of the states from which steps lead to times, or beyond."""
        way = -1 if self.times[-1] < self.times[0] else 1
        found = np.searchsorted(way * self.times, way * times, side="right") - 1
        return np.clip(found, 0, len(self.times) - 2)

    def padded(self, count: int) -> tuple[Any, Any]:
        """So many times and states, with steps of no length at the end."""
        more = count - len(self.times)
        return (
            np.append(self.times, np.repeat(self.times[-1:], more)),
            np.append(self.states, np.repeat(self.states[-1:], more, axis=0), axis=0),
        )


def followed(
    field: Field,
    method: Any,
    ground: Ground,
    paths: list[Path],
    start: Any,
    tolerances: tuple[Any, Any],
    guess: Any,
) -> tuple[Any, list[Path]]:
    """The states of paths, one for each example, with derivatives; and the paths, as refined.

    Parameters
    ----------
    start : array of shape (d,)
        The state at the first time, traced.
    tolerances : tuple
        SciPy's rtol and atol.
    guess : callable or None
        The states of all examples at times of shape (..., n, m).
    """
    if max(len(path.times) for path in paths) == 1:
        return start[None], paths
    paths, states, prepared = _prepared(field, method, ground, paths, tolerances, guess)
    known = ground.lift(states)
    count = shape_of(known)[0]
    stages = _products(prepared.slopes)
    y = known
    settled: Any = None
    for _ in range(max(ground.values.order, 1)):
        new = prepared.first if settled is None else prepared.take(y[:-1])
        settled = stop_gradient(new) if settled is None else settled
        wrong = (new - settled) - (y[1:] - known[1:])
        first = (start - stop_gradient(start)) - (y[0] - known[0])
        right = np.concatenate([first[None], wrong])
        y = y + _solved(prepared.slopes, stages, right, ground, count)
    return known + (y - stop_gradient(y)), paths


def _prepared(
    field: Field, method: Any, ground: Ground, paths: list[Path], tolerances: Any, guess: Any
) -> tuple[list[Path], Any, Prepared]:
    """Paths whose steps are short enough, with their states and slopes."""
    while True:
        count = max(len(path.times) for path in paths)
        if count > _MOST:
            raise ArgumentValueError(
                f"{field.name}: more than {_MOST} steps are wanted for derivatives that are as "
                "accurate as the solution; the equations may be stiff: give method='Radau', or "
                "ask for larger rtol"
            )
        times, states = (
            np.stack(rows).reshape(*ground.sizes, *rows[0].shape)
            for rows in zip(*(path.padded(count) for path in paths), strict=True)
        )
        lengths = np.diff(times)
        t, y, h = map(ground.lift, (times[..., :-1], states[..., :-1, :], lengths))
        prepared = method.prepared(field, t, y, h, ground, guess)
        long = _too_long(prepared, states, lengths, tolerances, method.is_damped).reshape(
            len(paths), -1
        )
        if not long.any():
            return paths, states, prepared
        halfway = prepared.halfway().reshape(len(paths), count - 1, -1)
        paths = [
            path.halved(which[: len(path.times) - 1], half)
            for path, which, half in zip(paths, long, halfway, strict=True)
        ]


def _too_long(
    prepared: Prepared, states: Any, lengths: Any, tolerances: Any, is_damped: bool
) -> Any:
    """Which steps carry deviations from the first state on with errors above the tolerance.

    A deviation that dies out, as fast ones do, need not be right after that; but what isn't damped
    by the method itself must not grow either.
    """
    rtol, atol = tolerances
    scale = atol + rtol * np.abs(states)
    within = _WITHIN * np.max(rtol)
    deviation = np.eye(states.shape[-1]) * scale[..., 0, None, :]
    long = np.zeros(lengths.shape, bool)
    for k in range(lengths.shape[-1]):
        slope, after = prepared.slopes[..., k, :, :], scale[..., k + 1, :, None]
        errors = [each[..., k, :, :] for each in prepared.errors]
        carried = [_size(error @ deviation / after) for error in errors]
        deviation = slope @ deviation
        bound = within * np.maximum(_size(deviation / after), 1)
        long[..., k] = np.any([each > bound for each in carried], axis=0)
        if not is_damped:
            weights = scale[..., k, None, :] / after
            bound = _STABLE * np.maximum(_size(slope * weights), 1)
            long[..., k] |= np.any([_size(each * weights) > bound for each in errors], axis=0)
    return long & (lengths != 0)


def _size(matrices: Any) -> Any:
    """The largest sum of moduli of a row."""
    return np.max(np.sum(np.abs(matrices), axis=-1), axis=-1, initial=0.0)


def _products(slopes: Any) -> list[Any] | None:
    """For 1, 2, 4, … steps the slopes over so many, up to each step; `None` if those are too many.

    With the first equation, whose slope is that of a constant.
    """
    count = slopes.shape[-3] + 1
    if slopes.size * max(count.bit_length(), 1) > _DENSE:
        return None
    slopes = np.concatenate([np.zeros_like(slopes[..., :1, :, :]), slopes], axis=-3)
    stages, span = [], 1
    while span < count:
        stages.append(slopes[..., span:, :, :])
        after = slopes[..., span:, :, :] @ slopes[..., :-span, :, :]
        slopes = np.concatenate([slopes[..., :span, :, :], after], axis=-3)
        span *= 2
    return stages


def _solved(slopes: Any, stages: list[Any] | None, x: Any, ground: Ground, count: int) -> Any:
    """The solution of yₖ₊₁ = Aₖyₖ + xₖ₊₁, y₀ = x₀."""
    if stages is None:
        rows = [x[0]]
        for k in range(count - 1):
            rows.append(ground.lift(slopes[..., k, :, :]) @ rows[-1] + x[k + 1])
        return np.stack(rows)
    for power, stage in enumerate(stages):
        span = 1 << power
        more = (ground.lift(stage) @ x[:-span, :, None])[:, :, 0]
        x = np.concatenate([x[:span], x[span:] + more])
    return x
