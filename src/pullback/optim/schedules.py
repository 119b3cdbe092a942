"""Schedules: the learning rate as a function of the number of steps taken so far, 0, 1, 2, …"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from pullback.errors import ArgumentTypeError, ArgumentValueError

__all__ = ["Schedule", "as_schedule", "constant", "cosine", "exponential", "step", "warm_up"]

Schedule = Callable[[int], float]


def constant(rate: float) -> Schedule:
    """The same rate at every step.

    Parameters
    ----------
    rate : float

    Examples
    --------
    >>> import pullback as pb
    >>> pb.optim.constant(0.1)(1000)
    0.1
    """
    _require_rate(rate, "constant: rate")
    return lambda _step: rate


def step(rate: float, every: int, factor: float = 0.1) -> Schedule:
    """The rate multiplied by `factor` after each `every` steps.

    Parameters
    ----------
    rate : float
    every : int
    factor : float

    Examples
    --------
    >>> import pullback as pb
    >>> schedule = pb.optim.step(1.0, every=10, factor=0.5)
    >>> schedule(9), schedule(10), schedule(20)
    (1.0, 0.5, 0.25)
    """
    _require_rate(rate, "step: rate")
    _require_rate(factor, "step: factor")
    _require_count(every, "step: every")
    return lambda step: rate * factor ** (step // every)


def exponential(rate: float, factor: float, every: int = 1) -> Schedule:
    """The rate multiplied by `factor` smoothly over each `every` steps: rate · factor^(t/every).

    Parameters
    ----------
    rate : float
    factor : float
    every : int

    Examples
    --------
    >>> import pullback as pb
    >>> schedule = pb.optim.exponential(1.0, factor=0.25, every=10)
    >>> schedule(0), schedule(5), schedule(10)
    (1.0, 0.5, 0.25)
    """
    _require_rate(rate, "exponential: rate")
    _require_rate(factor, "exponential: factor")
    _require_count(every, "exponential: every")
    return lambda step: rate * factor ** (step / every)


def cosine(rate: float, steps: int, final: float = 0.0) -> Schedule:
    """From `rate` down to `final` within `steps` steps along half a cosine, and `final` after.

    Parameters
    ----------
    rate : float
    steps : int
    final : float

    Notes
    -----
    I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017,
    equation 5, without the restarts.

    Examples
    --------
    >>> import pullback as pb
    >>> schedule = pb.optim.cosine(1.0, steps=10)
    >>> schedule(0), round(schedule(5), 12), schedule(10), schedule(11)
    (1.0, 0.5, 0.0, 0.0)
    """
    _require_rate(rate, "cosine: rate")
    _require_count(steps, "cosine: steps")
    if not 0 <= final < math.inf:
        raise ArgumentValueError(f"cosine: final is {final!r}, wanted a rate of at least 0")

    def schedule(step: int) -> float:
        if step >= steps:
            return final
        return final + (rate - final) * (1 + math.cos(math.pi * step / steps)) / 2

    return schedule


def warm_up(steps: int, schedule: float | Schedule) -> Schedule:
    """A linear rise to the start of `schedule` within `steps` steps, then `schedule`.

    Parameters
    ----------
    steps : int
    schedule : float or callable
        A rate, or a schedule, which starts counting when the rise has ended.

    Examples
    --------
    >>> import pullback as pb
    >>> schedule = pb.optim.warm_up(4, pb.optim.cosine(1.0, steps=10))
    >>> schedule(0), schedule(3), schedule(4), schedule(14)
    (0.25, 1.0, 1.0, 0.0)
    """
    _require_count(steps, "warm_up: steps")
    following = as_schedule(schedule, "warm_up: schedule")

    def warmed(step: int) -> float:
        if step < steps:
            return following(0) * (step + 1) / steps
        return following(step - steps)

    return warmed


def as_schedule(rate: float | Schedule, where: str) -> Schedule:
    """A rate as the schedule that keeps it; a schedule as it is."""
    if callable(rate):
        return rate
    _require_rate(rate, where)
    return lambda _step: rate


def _require_rate(rate: float, where: str) -> None:
    try:
        positive = bool(0 < rate < math.inf)
    except (TypeError, ValueError):
        raise ArgumentTypeError(
            f"{where} is a {type(rate).__name__}, wanted a positive number or a schedule, a "
            "function of the number of steps"
        ) from None
    if not positive:
        raise ArgumentValueError(f"{where} is {rate!r}, wanted a positive finite number")


def _require_count(count: Any, where: str) -> None:
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ArgumentValueError(f"{where} is {count!r}, wanted a number of steps, at least 1")
