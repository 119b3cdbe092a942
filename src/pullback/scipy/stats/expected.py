"""`expect`: of continuous distributions by `scipy.integrate.quad`, of discrete ones by a sum.

The function whose expectation is wanted may close over traced values, so that nothing of it is
among the arguments.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import scipy.integrate
from scipy.stats import rv_continuous, rv_discrete

from pullback.core.tracing import strip
from pullback.numpy.passed_checks import decidable
from pullback.rules.custom import stop_gradient
from pullback.scipy.first_step import plain, serves_always
from pullback.scipy.stats.borrowed import traceable

__all__ = ["expect", "expect_discrete"]

_TAIL = 0.05
"""The part of the probability on either side of the body of a distribution."""


@serves_always(rv_continuous.expect)
def expect(
    self: Any,
    func: Any = None,
    args: Any = (),
    loc: Any = 0,
    scale: Any = 1,
    lb: Any = None,
    ub: Any = None,
    conditional: Any = False,
    **kwds: Any,
) -> Any:
    """∫ g(x)f(x) dx, in three parts, as SciPy integrates it; where they meet is constant."""
    where = {"loc": loc, "scale": scale}
    low, high = traceable(self)._get_support(*args)
    lb = _end(low, loc, scale) if lb is None else lb
    ub = _end(high, loc, scale) if ub is None else ub

    def integrand(x: Any, *args: Any) -> Any:
        return (x if func is None else func(x)) * self.pdf(x, *args, **where)

    below, above = self.cdf(lb, *args, **where), self.cdf(ub, *args, **where)
    inside = above - below
    cuts = below + inside * np.array([_TAIL, 1 - _TAIL])
    first, second = stop_gradient(loc + traceable(self)._ppf(cuts, *args) * scale)
    total: Any = 0.0
    for a, b in ((lb, first), (first, second), (second, ub)):
        total = total + scipy.integrate.quad(integrand, a, b, args=tuple(args), **kwds)[0]
    return total / inside if conditional else np.float64(1.0) * total


def _end(end: Any, loc: Any, scale: Any) -> Any:
    """An end of the support; one at infinity stays there."""
    if decidable(end) and not np.isfinite(strip(end)):
        return float(strip(end))
    return loc + end * scale


@serves_always(rv_discrete.expect)
def expect_discrete(
    self: Any,
    func: Any = None,
    args: Any = (),
    loc: Any = 0,
    lb: Any = None,
    ub: Any = None,
    conditional: Any = False,
    maxcount: int = 1000,
    tolerance: float = 1e-10,
    chunksize: int = 32,
) -> Any:
    """Σ g(k)p(k), from the median on until what comes is small, as SciPy sums it."""
    args, _, _ = self._parse_args(*args)
    stand_in = traceable(self)

    def terms(k: Any) -> Any:
        return ((k + loc) if func is None else func(k + loc)) * stand_in._pmf(k, *args)

    low, high = stand_in._get_support(*args)
    low = stop_gradient(low if lb is None else lb - loc)
    high = stop_gradient(high if ub is None else ub - loc)
    inside: Any = 1.0
    if conditional:
        inside = self.sf(low - 1, *args) - self.sf(high, *args)
    if hasattr(self, "xk"):  # a distribution of given values
        values = self.xk[(strip(low) <= self.xk) & (self.xk <= strip(high))]
        return np.sum(terms(values)) / inside
    low, high = strip(low), strip(high)
    if high - low <= chunksize:
        return np.sum(terms(np.arange(low, high + 1, self.inc))) / inside
    median = plain(type(self).ppf)(self, 0.5, *map(strip, args))
    start = min(max(median, low), high)
    return _summed(terms, (low, start, high), self.inc, (maxcount, tolerance, chunksize)) / inside


def _summed(
    terms: Callable[[Any], Any], places: tuple[Any, Any, Any], inc: Any, limits: tuple[Any, ...]
) -> Any:
    low, start, high = places
    maxcount, tolerance, size = limits
    count, total = 0, 0.0
    for first, end, step in ((start, high + 1, inc), (start - 1, low - 1, -inc)):
        for k in _chunks(first, end, size, step):
            count += k.size
            part = np.sum(terms(k))
            total = total + part
            if abs(strip(part)) < tolerance * k.size:
                break
            if count > maxcount:
                warnings.warn("expect(): sum did not converge", RuntimeWarning, stacklevel=4)
                return total
    return total


def _chunks(first: Any, end: Any, size: int, step: Any) -> Iterator[Any]:
    """The numbers from one to another, so many at a time."""
    while (end - first) * step > 0:
        width = min(size * abs(step), abs(end - first))
        yield np.arange(first, first + np.sign(step) * width, step)
        first = first + np.sign(step) * width
