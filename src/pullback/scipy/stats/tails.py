"""Logarithms of tails, where a tail is so small that the reciprocal of it is infinite.

SciPy's log F is the logarithm of F for most distributions. Below 10⁻³⁰⁸ F is known, to fewer and
fewer digits, and so is its slope, but the cotangent 1/F between the two overflows. There the
quotient of the slope and F is formed by itself, with the digits that they have.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import rv_continuous, rv_discrete

from pullback.rules.custom import stop_gradient
from pullback.rules.registration import elementwise
from pullback.scipy.first_step import plain
from pullback.scipy.stats.borrowed import canonical, formula, known_true, traceable
from pullback.scipy.stats.copies import copied
from pullback.scipy.stats.slopes import slope

__all__ = ["log_tail", "tail_ratio"]

_LEAST = -200.0
"""The logarithm below which a power of 1/F, as higher derivatives have, may overflow."""


def _ratio(*args: Any, distribution: Any, method: str, along: tuple[int, ...]) -> Any:
    value, *rest = np.broadcast_arrays(*args)
    small = np.isfinite(value) & (value < _LEAST)
    found = np.zeros(value.shape)
    if small.any():
        chosen = [np.asarray(each[small], np.float64) for each in rest]
        derivative: Any = getattr(traceable(distribution), method)
        for place in along:
            derivative = _slope_along(derivative, place)
        with np.errstate(all="ignore"):
            found[small] = derivative(*chosen) / getattr(distribution, method)(*chosen)
    return found[()]


def _slope_along(f: Any, place: int) -> Any:
    def derivative(*args: Any) -> Any:
        return slope(lambda x: f(*args[:place], x, *args[place + 1 :]), args[place])

    return derivative


@elementwise(_ratio, name="tail_ratio")
def tail_ratio(
    r: Any, value: Any, *args: Any, distribution: Any, method: str, along: tuple[int, ...]
) -> Any:
    """r = ∂ⁿF/F, of the partial derivative in the arguments that `along` lists, and 0 where
    log F is not small: ∂r/∂x = (∂ⁿ⁺¹F)/F − r·(∂F/∂x)/F.
    """

    def of(along: tuple[int, ...]) -> Any:
        return tail_ratio(value, *args, distribution=distribution, method=method, along=along)

    def by(place: int) -> Any:
        return lambda: of((*along, place)) - r * of((place,))

    return None, *(by(i) for i in range(len(args)))


def _second(value: Any, *args: Any, **_params: Any) -> Any:
    shape = np.broadcast_shapes(np.shape(value), *map(np.shape, args))
    return np.array(np.broadcast_to(value, shape))[()]


@elementwise(_second, name="log_tail")
def log_tail(_y: Any, value: Any, *args: Any, distribution: Any, method: str) -> Any:
    """y = log F, a value that is given: ∂y/∂x = (∂F/∂x)/F, where log F is small."""

    def by(place: int) -> Any:
        return lambda: tail_ratio(
            value, *args, distribution=distribution, method=method, along=(place,)
        )

    return None, *(by(i) for i in range(len(args)))


def _enter(name: str, method: str) -> None:
    def logarithm(self: Any, x: Any, *shapes: Any) -> Any:
        generic = rv_discrete if isinstance(self, rv_discrete) else rv_continuous
        out = copied(plain(getattr(generic, name)))(self, x, *shapes)
        if known_true(out >= _LEAST):
            return out
        value = stop_gradient(out)
        tail = log_tail(value, x, *shapes, distribution=canonical(self), method=method)
        return np.where(np.isfinite(value) & (value < _LEAST), tail, out)

    formula("rv_continuous rv_discrete rv_generic", name)(logarithm)


_enter("_logsf", "_sf")
_enter("_logcdf", "_cdf")
