"""Schedules: the learning rate as a function of the number of steps taken so far, 0, 1, 2, …"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from pullback.core.tracing import Tracer
from pullback.core.validation import require_integer, require_number, shown
from pullback.errors import ArgumentValueError

__all__ = [
    "Schedule",
    "as_schedule",
    "constant",
    "cosine",
    "exponential",
    "require_rate",
    "require_rate_of",
    "require_steps",
    "step",
    "warm_up",
]

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
    rate = require_rate(rate, "constant", "rate")

    def schedule(step: int) -> float:
        _taken(step, "constant")
        return rate

    return schedule


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
    rate, factor = require_rate(rate, "step", "rate"), require_rate(factor, "step", "factor")
    every = require_steps(every, "step", "every")
    return lambda step: _scaled(rate, factor, _taken(step, "step") // every, "step")


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
    rate = require_rate(rate, "exponential", "rate")
    factor = require_rate(factor, "exponential", "factor")
    every = require_steps(every, "exponential", "every")
    return lambda step: _scaled(rate, factor, _taken(step, "exponential") / every, "exponential")


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
    rate = require_rate(rate, "cosine", "rate")
    steps = require_steps(steps, "cosine", "steps")
    final = require_number(final, "cosine", "final", least=0, traced=True)

    def schedule(step: int) -> float:
        if _taken(step, "cosine") >= steps:
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
    steps = require_steps(steps, "warm_up", "steps")
    following = as_schedule(schedule, "warm_up", "schedule")

    def started(step: int) -> float:
        return require_rate_of(following, step, "warm_up")

    def warmed(step: int) -> float:
        if _taken(step, "warm_up") < steps:
            return started(0) * (step + 1) / steps
        return started(step - steps)

    return warmed


def as_schedule(rate: float | Schedule, where: str, argument: str) -> Schedule:
    """A rate as the schedule that keeps it; a schedule as it is."""
    if callable(rate) and not isinstance(rate, type):
        return rate
    fixed: float = require_rate(rate, where, argument)
    return lambda _step: fixed


def require_rate(rate: Any, where: str, argument: str) -> Any:
    """`rate` as a float, or as it is if it is traced: a rate can be differentiated by."""
    remedy = "" if argument == "factor" else "a rate that changes is a function of the step"
    return require_number(rate, where, argument, above=0, traced=True, remedy=remedy)


def require_rate_of(schedule: Schedule, step: Any, where: str) -> float:
    """The rate that a schedule gives after so many steps, which may be 0."""
    rate = schedule(step)
    if type(rate) is float and 0 <= rate < math.inf:
        return rate
    after = f" after {step} steps" if type(step) is int else ""  # a traced one has no text
    what = f"the learning rate{after}"
    return require_number(rate, where, what, least=0, traced=True)  # type: ignore[no-any-return]


def _scaled(rate: Any, factor: Any, power: Any, where: str) -> Any:
    """The rate times a power of the factor, which may be beyond the largest float."""
    try:
        return rate * factor**power
    except OverflowError:
        raise ArgumentValueError(
            f"{where}: factor is {factor}, and its power {power:g} is beyond the largest float; "
            "choose a factor closer to 1"
        ) from None


MOST_STEPS = 2**53
"""More steps than these cannot be counted in floats, nor taken."""


def require_steps(count: Any, where: str, argument: str) -> int:
    """`count` as an int, if so many steps can be taken."""
    number: int = require_integer(count, where, argument, least=1)
    if number > MOST_STEPS:
        raise ArgumentValueError(f"{where}: {argument} is {shown(number)}, wanted at most 2**53")
    return number


def _taken(step: Any, where: str) -> Any:
    """The number of steps taken, which a recorded loop doesn't know."""
    if type(step) is Tracer or (type(step) is int and 0 <= step <= MOST_STEPS):
        return step
    return require_integer(step, where, "step", least=0, most=MOST_STEPS)
