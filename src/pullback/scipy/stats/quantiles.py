"""Quantiles, whose derivatives follow from F(x, θ) = q: ∂x = (∂q − ∂F/∂θ ∂θ)/f(x, θ)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import rv_continuous, rv_discrete

from pullback.core.shapes import dtype_of
from pullback.core.structure import Elementwise
from pullback.rules.custom import stop_gradient
from pullback.rules.registration import constant, elementwise
from pullback.scipy.first_step import serves
from pullback.scipy.stats.borrowed import canonical, chosen, formula, known_true, traceable
from pullback.scipy.stats.continuous import arrays, examples
from pullback.scipy.stats.slopes import slope

__all__ = ["quantile"]


def _evaluate(q: Any, *shapes: Any, distribution: Any, upper: bool) -> Any:
    """SciPy's quantiles of the standard form; NaN where q is not inside of (0, 1)."""
    q, *each = np.broadcast_arrays(q, *shapes)
    out = np.full(q.shape, np.nan)
    inside = (q > 0) & (q < 1)
    if inside.any():
        with np.errstate(all="ignore"):
            method = distribution._isf if upper else distribution._ppf
            out[inside] = method(q[inside], *(shape[inside] for shape in each))
    return out[()]


@elementwise(_evaluate, name="quantile")
def quantile(x: Any, _q: Any, *shapes: Any, distribution: Any, upper: bool) -> Any:
    """F(x, θ) = q: ∂x/∂q = 1/f(x, θ) and ∂x/∂θ = −(∂F/∂θ)/f(x, θ).

    From above, where 1 − F(x, θ) = q, with the other sign in q, and 1 − F in place of F. Where the
    density is zero the derivative is infinite.
    """
    stand_in = traceable(distribution)
    sign = -1 if upper else 1
    probability = stand_in._sf if upper else stand_in._cdf

    def by_shape(place: int) -> Any:
        def derivative() -> Any:
            change = slope(
                lambda s: probability(x, *shapes[:place], s, *shapes[place + 1 :]), shapes[place]
            )
            return -sign * change / stand_in._pdf(x, *shapes)

        return derivative

    return (
        lambda: sign / stand_in._pdf(x, *shapes),
        *(by_shape(i) for i in range(len(shapes))),
    )


whole_quantile = constant(
    lambda q, *shapes, distribution, upper: _evaluate(
        q, *shapes, distribution=distribution, upper=upper
    ),
    Elementwise(),
    name="whole_quantile",
)
"""The quantile of a discrete distribution, a step function."""


@formula("rv_generic", "_ppf")
def _ppf(self: Any, q: Any, *shapes: Any) -> Any:
    return quantile(q, *shapes, distribution=canonical(self), upper=False)


@formula("rv_generic", "_isf")
def _isf(self: Any, q: Any, *shapes: Any) -> Any:
    return quantile(q, *shapes, distribution=canonical(self), upper=True)


def _quantile(distribution: Any, upper: bool, q: Any, args: Any, kwds: Any) -> Any:
    discrete = isinstance(distribution, rv_discrete)
    stand_in = traceable(distribution)
    shapes, loc, scale = distribution._parse_args(*args, **kwds)
    q, loc, scale = arrays(q, loc, scale)
    shapes = arrays(*shapes)
    with np.errstate(invalid="ignore"):
        valid = np.logical_and(stand_in._argcheck(*shapes), (scale > 0) & (loc == loc))
    if not known_true(valid):
        shapes = [
            chosen(valid, shape, example)
            for shape, example in zip(shapes, examples(distribution, len(shapes)), strict=True)
        ]
    low, high = stand_in._get_support(*shapes)
    if discrete:
        low = low - 1
    inside = valid & (q > 0) & (q < 1)
    inner = q if known_true(inside) else np.where(inside, q, 0.5)
    if discrete:
        shapes = [stop_gradient(shape) for shape in shapes]
        out = whole_quantile(
            stop_gradient(inner), *shapes, distribution=canonical(distribution), upper=upper
        )
        out = out + loc
    else:
        method = stand_in._isf if upper else stand_in._ppf
        out = method(inner, *shapes) * scale + loc
    if dtype_of(out) != np.float64:
        out = out.astype(np.float64)
    lowest, highest = (1, 0) if upper else (0, 1)

    def edge() -> Any:
        at_high = np.where(valid & (q == highest), high * scale + loc, stand_in.badvalue)
        return np.where(valid & (q == lowest), low * scale + loc, at_high)

    return chosen(inside, out, edge)


@serves(rv_continuous.ppf, rv_discrete.ppf)
def ppf(self: Any, q: Any, *args: Any, **kwds: Any) -> Any:
    """The quantile of a probability from below."""
    return _quantile(self, False, q, args, kwds)


@serves(rv_continuous.isf, rv_discrete.isf)
def isf(self: Any, q: Any, *args: Any, **kwds: Any) -> Any:
    """The quantile of a probability from above."""
    return _quantile(self, True, q, args, kwds)


@serves(rv_continuous.interval, rv_discrete.interval)
def interval(self: Any, confidence: Any, *args: Any, **kwds: Any) -> Any:
    """The ends between which a probability lies, with equal ones beyond them."""
    (alpha,) = arrays(confidence)
    if known_true(np.logical_or(alpha > 1, alpha < 0)):
        raise ValueError("alpha must be between 0 and 1 inclusive")
    lower = self.ppf((1.0 - alpha) / 2, *args, **kwds)
    return lower, self.ppf((1.0 + alpha) / 2, *args, **kwds)
