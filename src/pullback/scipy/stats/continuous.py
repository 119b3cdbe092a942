"""The methods of continuous distributions on traced arguments, shapes, locations and scales."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import rv_continuous

from pullback.core.shapes import dtype_of
from pullback.numpy.operands import operand
from pullback.rules.custom import stop_gradient
from pullback.scipy.stats.borrowed import chosen, known_true, traceable
from pullback.scipy.stats.naming import serves_method

__all__ = ["Standard", "arrays", "standard"]


def arrays(*values: Any) -> list[Any]:
    """These as arrays, as ``np.asarray`` makes them: of the dtypes that plain numbers have."""
    return [x if hasattr(x, "dtype") else np.asarray(x) for x in map(operand, values)]


class Standard:
    """A point of a distribution in standard form, and what is known of it.

    Attributes
    ----------
    distribution
        With methods that take traced values.
    x, shapes, scale
        With values at which the distribution is regular in place of those that are not valid.
    valid
        Whether the parameters are.
    low, high
        The ends of the support.
    """

    __slots__ = ("distribution", "given", "high", "low", "scale", "shapes", "valid", "x")

    def __init__(self, distribution: Any, x: Any, args: Any, kwds: Any) -> None:
        self.distribution = traceable(distribution)
        shapes, loc, scale = distribution._parse_args(*args, **kwds)
        x, loc, scale = arrays(x, loc, scale)
        shapes = arrays(*shapes)
        self.valid = valid = self._checked(shapes, scale)
        if not known_true(valid):
            scale = np.where(scale > 0, scale, 1)
            shapes = [
                chosen(valid, shape, example)
                for shape, example in zip(shapes, examples(distribution, len(shapes)), strict=True)
            ]
        self.shapes, self.scale = shapes, scale
        self.given = as_type((x - loc) / scale, np.promote_types(dtype_of(x), np.float64))
        self.low, self.high = self.distribution._get_support(*shapes)

    @np.errstate(invalid="ignore")
    def _checked(self, shapes: Any, scale: Any) -> Any:
        """Where the parameters are valid."""
        return np.logical_and(self.distribution._argcheck(*shapes), scale > 0)

    def restrict(self, inside: Any) -> Any:
        """Let x be regular outside of the support, and say where it is inside, with valid
        parameters.
        """
        inside = np.logical_and(inside, self.valid)
        self.x = self.given
        if not known_true(inside):
            self.x = np.where(inside, self.x, interior(self.low, self.high))
        return inside

    @np.errstate(invalid="ignore")
    def closed(self) -> Any:
        """Where x is in the support with its ends."""
        return self.restrict(self.distribution._support_mask(self.given, *self.shapes))

    @np.errstate(invalid="ignore")
    def open(self) -> Any:
        """Where x is in the support without its ends."""
        return self.restrict(self.distribution._open_support_mask(self.given, *self.shapes))

    def filled(self, inside: Any, out: Any, outside: Any) -> Any:
        """`out` inside, NaN where x or a parameter is not valid, and `outside` elsewhere."""
        out = as_type(out, dtype_of(self.given))

        def fill() -> Any:
            bad = np.logical_or(np.logical_not(self.valid), np.isnan(self.given))
            return np.where(bad, self.distribution.badvalue, outside)

        return chosen(inside, out, fill)


def as_type(x: Any, dtype: Any) -> Any:
    """`x` in another dtype."""
    return x if dtype_of(x) == dtype else x.astype(dtype)


def interior(low: Any, high: Any) -> Any:
    """A point inside of a support."""
    low, high = stop_gradient(low), stop_gradient(high)
    with np.errstate(all="ignore"):
        below, above = np.isfinite(low), np.isfinite(high)
        one_end = np.where(below, low + 1, np.where(above, high - 1, 0.0))
        return np.where(below & above, 0.5 * low + 0.5 * high, one_end)


def examples(distribution: Any, count: int) -> list[float]:
    """Shapes that are valid, by the domains that the distribution says they have."""
    try:
        domains = [each.domain for each in distribution._shape_info()]
    except (AttributeError, NotImplementedError):
        domains = []
    if len(domains) != count:
        return [1.0] * count
    out = []
    for place, (low, high) in enumerate(domains):
        if np.isfinite(low) and np.isfinite(high):
            out.append(float(low + (high - low) * (place + 1) / (count + 1)))
        else:
            out.append(float(low + 1 + place if np.isfinite(low) else place))
    return out


def standard(distribution: Any, x: Any, args: Any, kwds: Any) -> Standard:
    """A point in standard form."""
    return Standard(distribution, x, args, kwds)


@serves_method(rv_continuous.pdf)
def pdf(self: Any, x: Any, *args: Any, **kwds: Any) -> Any:
    """The density f((x − loc)/scale)/scale, 0 outside of the support."""
    at = standard(self, x, args, kwds)
    inside = at.closed()
    return at.filled(inside, at.distribution._pdf(at.x, *at.shapes) / at.scale, 0.0)


@serves_method(rv_continuous.logpdf)
def logpdf(self: Any, x: Any, *args: Any, **kwds: Any) -> Any:
    """The logarithm of the density, −∞ outside of the support."""
    at = standard(self, x, args, kwds)
    inside = at.closed()
    out = at.distribution._logpdf(at.x, *at.shapes) - np.log(at.scale)
    return at.filled(inside, out, -np.inf)


@serves_method(rv_continuous.cdf)
def cdf(self: Any, x: Any, *args: Any, **kwds: Any) -> Any:
    """The probability of at most x: 0 below the support, 1 above."""
    at = standard(self, x, args, kwds)
    inside = at.open()
    out = at.distribution._cdf(at.x, *at.shapes)
    return at.filled(inside, out, _beyond(inside, at.given >= at.high, 1.0, 0.0))


@serves_method(rv_continuous.logcdf)
def logcdf(self: Any, x: Any, *args: Any, **kwds: Any) -> Any:
    """The logarithm of the probability of at most x: −∞ below the support, 0 above."""
    at = standard(self, x, args, kwds)
    inside = at.open()
    out = at.distribution._logcdf(at.x, *at.shapes)
    return at.filled(inside, out, _beyond(inside, at.given >= at.high, 0.0, -np.inf))


@serves_method(rv_continuous.sf)
def sf(self: Any, x: Any, *args: Any, **kwds: Any) -> Any:
    """The probability of more than x: 1 below the support, 0 above."""
    at = standard(self, x, args, kwds)
    inside = at.open()
    out = at.distribution._sf(at.x, *at.shapes)
    return at.filled(inside, out, _beyond(inside, at.given <= at.low, 1.0, 0.0))


@serves_method(rv_continuous.logsf)
def logsf(self: Any, x: Any, *args: Any, **kwds: Any) -> Any:
    """The logarithm of the probability of more than x: 0 below the support, −∞ above."""
    at = standard(self, x, args, kwds)
    inside = at.open()
    out = at.distribution._logsf(at.x, *at.shapes)
    return at.filled(inside, out, _beyond(inside, at.given <= at.low, 0.0, -np.inf))


def _beyond(inside: Any, end: Any, x: float, otherwise: float) -> Any:
    return otherwise if known_true(inside) else np.where(end, x, otherwise)
