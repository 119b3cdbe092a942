"""The methods of discrete distributions on traced shapes and arguments."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import rv_discrete

from pullback.numpy.operands import operand
from pullback.rules.custom import stop_gradient
from pullback.scipy.first_step import serves
from pullback.scipy.stats.borrowed import chosen, known_true, public_name, traceable
from pullback.scipy.stats.continuous import arrays, as_type, examples
from pullback.scipy.stats.whole import whole

__all__ = ["counts_of"]

_REAL = frozenset({("nbinom_gen", "n")})
"""Shapes that SciPy describes as integers and takes as real numbers."""


def counts_of(distribution: Any) -> tuple[str, ...]:
    """The names of the shapes that are integers by nature."""
    try:
        infos = distribution._shape_info()
    except (AttributeError, NotImplementedError):
        return ()
    name = type(distribution).__name__
    return tuple(info.name for info in infos if info.integrality and (name, info.name) not in _REAL)


class Counted:
    """A point of a discrete distribution, with valid values in place of those that are not."""

    __slots__ = ("distribution", "given", "high", "k", "low", "shapes", "valid")

    def __init__(self, distribution: Any, method: str, k: Any, args: Any, kwds: Any) -> None:
        self.distribution = traceable(distribution)
        name = f"{public_name(distribution)}.{method}"
        shapes, loc, _ = distribution._parse_args(*args, **kwds)
        k, loc = arrays(k, loc)
        shapes = arrays(*map(operand, shapes))
        counts = counts_of(distribution)
        if counts:
            names = distribution.shapes.replace(",", " ").split()
            shapes = [
                whole(shape, name, each) if each in counts else shape
                for shape, each in zip(shapes, names, strict=True)
            ]
        with np.errstate(invalid="ignore"):
            self.valid = np.logical_and(self.distribution._argcheck(*shapes), True)
        if not known_true(self.valid):
            shapes = [
                chosen(self.valid, shape, example)
                for shape, example in zip(shapes, examples(distribution, len(shapes)), strict=True)
            ]
        self.shapes = shapes
        self.given = whole(k - loc, name, "k")
        self.low, self.high = self.distribution._get_support(*shapes)

    def restrict(self, inside: Any) -> Any:
        """Let k be in the support everywhere, and say where it was, with valid parameters."""
        inside = np.logical_and(inside, self.valid)
        self.k = self.given
        if not known_true(inside):
            low, high = stop_gradient(self.low), stop_gradient(self.high)
            low = np.where(np.isfinite(low), low, np.where(np.isfinite(high), high, 0))
            self.k = np.where(inside, self.k, low)
        return inside

    def points(self) -> Any:
        """Where k is one of the points."""
        k = self.given
        with np.errstate(invalid="ignore"):
            inside = (k >= self.low) & (k <= self.high)
            if not hasattr(self.distribution, "xk"):
                inside = inside & self.distribution._nonzero(k, *self.shapes)
        return self.restrict(inside)

    def between(self) -> Any:
        """Where k is at the lowest point or above, and below the highest."""
        k = self.given
        with np.errstate(invalid="ignore"):
            return self.restrict((k >= self.low) & (k < self.high) & np.isfinite(k))

    def filled(self, inside: Any, out: Any, outside: Any, special: Any = None) -> Any:
        """`out` inside, NaN where something is not valid; elsewhere `outside`, or a special value
        under a condition.
        """
        out = as_type(out, np.dtype(np.float64))

        def fill() -> Any:
            bad = np.logical_or(np.logical_not(self.valid), np.isnan(self.given))
            rest = outside if special is None else np.where(special[0], special[1], outside)
            return np.where(bad, self.distribution.badvalue, rest)

        return chosen(inside, out, fill)


def _clipped(p: Any) -> Any:
    """A probability without what rounding has put out of [0, 1], and with its derivative."""
    return p + stop_gradient(np.clip(p, 0, 1) - p)


@serves(rv_discrete.pmf)
def pmf(self: Any, k: Any, *args: Any, **kwds: Any) -> Any:
    """The probability of k, 0 where k is no point."""
    at = Counted(self, "pmf", k, args, kwds)
    inside = at.points()
    return at.filled(inside, _clipped(at.distribution._pmf(at.k, *at.shapes)), 0.0)


@serves(rv_discrete.logpmf)
def logpmf(self: Any, k: Any, *args: Any, **kwds: Any) -> Any:
    """The logarithm of the probability of k, −∞ where k is no point."""
    at = Counted(self, "logpmf", k, args, kwds)
    inside = at.points()
    return at.filled(inside, at.distribution._logpmf(at.k, *at.shapes), -np.inf)


@serves(rv_discrete.cdf)
def cdf(self: Any, k: Any, *args: Any, **kwds: Any) -> Any:
    """The probability of at most k."""
    at = Counted(self, "cdf", k, args, kwds)
    inside = at.between()
    out = _clipped(at.distribution._cdf(at.k, *at.shapes))
    return at.filled(inside, out, 0.0, (at.given >= at.high, 1.0))


@serves(rv_discrete.logcdf)
def logcdf(self: Any, k: Any, *args: Any, **kwds: Any) -> Any:
    """The logarithm of the probability of at most k."""
    at = Counted(self, "logcdf", k, args, kwds)
    inside = at.between()
    out = at.distribution._logcdf(at.k, *at.shapes)
    return at.filled(inside, out, -np.inf, (at.given >= at.high, 0.0))


@serves(rv_discrete.sf)
def sf(self: Any, k: Any, *args: Any, **kwds: Any) -> Any:
    """The probability of more than k."""
    at = Counted(self, "sf", k, args, kwds)
    inside = at.between()
    out = _clipped(at.distribution._sf(at.k, *at.shapes))
    return at.filled(inside, out, 0.0, (at.given < at.low, 1.0))


@serves(rv_discrete.logsf)
def logsf(self: Any, k: Any, *args: Any, **kwds: Any) -> Any:
    """The logarithm of the probability of more than k."""
    at = Counted(self, "logsf", k, args, kwds)
    inside = at.between()
    out = at.distribution._logsf(at.k, *at.shapes)
    return at.filled(inside, out, -np.inf, (at.given < at.low, 0.0))
