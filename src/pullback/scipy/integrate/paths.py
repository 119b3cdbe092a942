"""The solution of an initial value problem as a function of all that it depends on.

A solver of SciPy's has found states Yₖ at times tₖ, on plain numbers. They are the solution of the
equations y₀ = Y₀ and yₖ₊₁ = Φₖ(yₖ) + cₖ, where Φₖ takes a step of a method and the constant cₖ is
what that is wrong by. Newton's method on all of them at once, in traced arithmetic and with
constant slopes ∂Φₖ/∂y, leaves the values as they are, and each round makes derivatives of one more
order those of the solution. So the right-hand side is evaluated at all times at once, a few times
in all, and nothing is integrated backwards.

The steps are SciPy's own where they are good for the derivative too. A solver that starts at rest
takes ever longer steps, of which those of neighbouring solutions would be wrong; so steps are
halved over which a deviation of the first state, or what the right-hand side adds to a derivative
by what it depends on, is wrong by more than the tolerance.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.shapes import shape_of
from pullback.errors import ArgumentValueError
from pullback.rules.custom import stop_gradient
from pullback.scipy.integrate.fields import Field
from pullback.scipy.integrate.sources import recorded_so_far, tangents
from pullback.scipy.integrate.steps import Prepared
from pullback.scipy.integrate.values import Ground

__all__ = ["MOST", "ROUNDING", "STABLE", "WITHIN", "Path", "followed", "too_many_steps"]

WITHIN = 1.0
"""By how many times the relative tolerance a step may be wrong for a deviation of its start."""
STABLE = 0.3
"""How wrong a step of a method that doesn't damp may be for what has died out."""
ROUNDING = 1e-14
"""Errors of tangents up to this are what is left of tangents that cancel."""
MOST = 200_000
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
        if count > MOST:
            raise too_many_steps(field.name)
        times, states = (
            np.stack(rows).reshape(*ground.sizes, *rows[0].shape)
            for rows in zip(*(path.padded(count) for path in paths), strict=True)
        )
        lengths = np.diff(times)
        t, y, h = map(ground.lift, (times[..., :-1], states[..., :-1, :], lengths))
        before = recorded_so_far(ground.values.levels)
        prepared = method.prepared(field, t, y, h, ground, guess)
        long = _too_long(prepared, states, lengths, tolerances, method.is_damped)
        long = long.reshape(len(paths), -1) | _too_rough(prepared, states, tolerances, before)
        long &= lengths.reshape(long.shape) != 0
        if not long.any():
            return paths, states, prepared
        halfway = prepared.halfway().reshape(len(paths), count - 1, -1)
        paths = [
            path.halved(which[: len(path.times) - 1], half)
            for path, which, half in zip(paths, long, halfway, strict=True)
        ]


def too_many_steps(name: str) -> ArgumentValueError:
    """Of equations whose steps would have to be shorter and shorter."""
    return ArgumentValueError(
        f"{name}: more than {MOST} steps are wanted for derivatives that are as accurate as the "
        "solution; the equations may be stiff: give method='Radau', or ask for larger rtol"
    )


def _too_long(
    prepared: Prepared, states: Any, lengths: Any, tolerances: Any, is_damped: bool
) -> Any:
    """Which steps carry deviations from the first state on with errors above the tolerance.

    A deviation that dies out, as fast ones do, need not be right after that; but what isn't damped
    by the method itself must not grow either.
    """
    rtol, atol = tolerances
    scale = atol + rtol * np.abs(states)
    within = WITHIN * np.max(rtol)
    first = np.eye(states.shape[-1]) * scale[..., 0, None, :]
    before, after = _carried(prepared.slopes, first, 0.0)
    ends = scale[..., 1:, :, None]
    carried = [_size(error @ before / ends) for error in prepared.errors]
    long = np.max(carried, axis=0) > within * np.maximum(_size(after / ends), 1)
    if not is_damped:
        weights = scale[..., :-1, None, :] / ends
        errors = np.max([_size(error * weights) for error in prepared.errors], axis=0)
        long |= errors > STABLE * np.maximum(_size(prepared.slopes * weights), 1)
    return long


def _too_rough(prepared: Prepared, states: Any, tolerances: Any, before: Any) -> Any:
    """Which steps are wrong in what they add to a derivative by something else than the state."""
    rtol, atol = tolerances
    count, size = states.shape[-2:]
    scale, slopes, errors = (
        each.reshape(-1, *each.shape[-rank:])
        for each, rank in (
            (atol + rtol * np.abs(states[..., 1:, :]), 2),
            (prepared.slopes, 3),
            (prepared.errors[0], 3),
        )
    )
    rough = np.zeros((len(scale), count - 1), bool)
    for added, wrong in tangents([prepared.first, prepared.wrong()], before):
        if len(scale) not in (1, len(added)):
            continue  # examples of tangents as well, as of a Jacobian
        deviation, after = _carried(slopes, np.zeros((len(added), size, 1)), added[..., None])
        off = (errors @ deviation)[..., 0] + wrong
        off = np.where(np.abs(off) > ROUNDING, off, 0.0)
        far = np.max(np.abs(off / scale), axis=-1)
        large = np.max(np.abs(after[..., 0] / scale), axis=-1)
        found = far > WITHIN * np.max(rtol) * np.max(large, axis=-1, keepdims=True)
        rough |= found if len(scale) > 1 else np.any(found, axis=0)
    return rough


def _carried(slopes: Any, first: Any, added: Any) -> tuple[Any, Any]:
    """Deviations before and after each step, from the first one and what each step adds."""
    rows = [first]
    added = np.broadcast_to(added, (*first.shape[:-2], slopes.shape[-3], *first.shape[-2:]))
    for k in range(slopes.shape[-3]):
        rows.append(slopes[..., k, :, :] @ rows[-1] + added[..., k, :, :])
    deviations = np.stack(rows, axis=-3)
    return deviations[..., :-1, :, :], deviations[..., 1:, :, :]


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
