"""Moments, entropy and support of distributions with traced parameters."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.stats import rv_continuous

from pullback.core.shapes import dtype_of
from pullback.scipy.first_step import serves
from pullback.scipy.stats import expectations
from pullback.scipy.stats.borrowed import chosen, defines, formula, known_true, traceable
from pullback.scipy.stats.continuous import arrays, as_type, examples
from pullback.scipy.stats.slopes import slope

__all__ = ["Parameters"]

rv_generic = rv_continuous.__mro__[1]


class Parameters:
    """The parameters of a distribution, with valid ones in place of those that are not."""

    __slots__ = ("distribution", "loc", "scale", "shapes", "valid")

    def __init__(self, distribution: Any, shapes: Any, loc: Any, scale: Any) -> None:
        self.distribution = traceable(distribution)
        loc, scale = arrays(loc, scale)
        shapes = arrays(*shapes)
        with np.errstate(invalid="ignore"):
            valid = self.distribution._argcheck(*shapes)
            self.valid = np.logical_and(valid, (scale > 0) & (loc == loc))
        if not known_true(self.valid):
            scale = np.where(scale > 0, scale, 1)
            shapes = [
                chosen(self.valid, shape, example)
                for shape, example in zip(shapes, examples(distribution, len(shapes)), strict=True)
            ]
        self.shapes, self.loc, self.scale = shapes, loc, scale

    def filled(self, out: Any) -> Any:
        """`out`, and NaN where a parameter is not valid."""
        out = chosen(self.valid, out if hasattr(out, "dtype") else np.asarray(out), np.nan)
        return as_type(out, np.dtype(np.float64)) if dtype_of(out).kind != "f" else out

    def standard(self, moments: str) -> tuple[Any, Any, Any, Any]:
        """Mean, variance, skewness and excess kurtosis as far as SciPy's formulas say."""
        d = self.distribution
        if d._stats_has_moments:
            return d._stats(*self.shapes, moments=moments)  # type: ignore[no-any-return]
        return d._stats(*self.shapes)  # type: ignore[no-any-return]

    def about_zero(self, order: int) -> Any:
        """The moment of an order, for location 0 and scale 1."""
        return self.distribution._munp(order, *self.shapes)


@formula("rv_generic", "_munp")
def _munp(self: Any, n: Any, *shapes: Any) -> Any:
    return expectations.moment(self, int(n), *shapes)


@formula("rv_continuous rv_discrete", "_entropy")
def _entropy(self: Any, *shapes: Any) -> Any:
    return expectations.entropy(self, *shapes)


@serves(rv_generic.stats)
def stats(self: Any, *args: Any, **kwds: Any) -> Any:
    """Mean, variance, skewness and excess kurtosis, those that are asked for."""
    shapes, loc, scale, moments = self._parse_args_stats(*args, **kwds)
    at = Parameters(self, shapes, loc, scale)
    with np.errstate(all="ignore"):
        mu, mu2, g1, g2 = at.standard(moments)
        if mu is None and (set(moments) - {"v"} or mu2 is None):
            mu = at.about_zero(1)
        if mu2 is None and set(moments) & set("vsk"):
            mu2 = at.about_zero(2) - mu * mu
            mu2 = np.where(np.isinf(mu), np.inf, mu2) if "v" in moments else mu2
        if g1 is None and "s" in moments:
            g1 = ((-mu * mu - 3 * mu2) * mu + at.about_zero(3)) / np.power(mu2, 1.5)
        if g2 is None and "k" in moments:
            if g1 is None:
                mu3 = (-mu * mu - 3 * mu2) * mu + at.about_zero(3)
            else:
                mu3 = g1 * np.power(mu2, 1.5)
            mu4 = ((-(mu**2) - 6 * mu2) * mu - 4 * mu3) * mu + at.about_zero(4)
            g2 = mu4 / mu2**2.0 - 3.0
        out = []
        if "m" in moments:
            out.append(at.filled(mu * at.scale + at.loc))
        if "v" in moments:
            out.append(at.filled(mu2 * at.scale * at.scale))
        if "s" in moments:
            out.append(at.filled(g1))
        if "k" in moments:
            out.append(at.filled(g2))
    return out[0] if len(out) == 1 else tuple(out)


@serves(rv_generic.moment)
def moment(self: Any, order: Any, *args: Any, **kwds: Any) -> Any:
    """E[(loc + scale·Y)ⁿ] = Σ binom(n, k) scaleᵏ locⁿ⁻ᵏ E[Yᵏ]."""
    shapes, loc, scale = self._parse_args(*args, **kwds)
    if math.floor(order) != order:
        raise ValueError("Moment must be an integer.")
    if order < 0:
        raise ValueError("Moment must be positive.")
    n = int(order)
    at = Parameters(self, shapes, loc, scale)
    known: tuple[Any, ...] = (None,) * 4
    if 0 < n < 5:
        known = at.standard({1: "m", 2: "v", 3: "vs", 4: "mvsk"}[n])
    with np.errstate(all="ignore"):
        total: Any = 0.0
        for k in range(n + 1):
            rest = at.loc ** (n - k) if n > k else 1.0
            total = total + math.comb(n, k) * at.scale**k * rest * _raw(at, k, *known)
    return at.filled(total)


def _raw(at: Parameters, k: int, mu: Any, mu2: Any, g1: Any, g2: Any) -> Any:
    """E[Yᵏ], from mean, variance, skewness and kurtosis where those are known."""
    if k == 0:
        return 1.0
    if k > 4 or any(each is None for each in (mu, mu2, g1, g2)[:k]):
        return at.about_zero(k)
    if k == 1:
        return mu
    if k == 2:
        return mu2 + mu * mu
    mu3 = g1 * np.power(mu2, 1.5)
    if k == 3:
        return mu3 + 3 * mu * mu2 + mu * mu * mu
    mu4 = (g2 + 3.0) * (mu2**2.0)
    return mu4 + 4 * mu * mu3 + 6 * mu * mu * mu2 + mu * mu * mu * mu


@serves(rv_generic.entropy)
def entropy(self: Any, *args: Any, **kwds: Any) -> Any:
    """The entropy, that of the standard form and log scale."""
    shapes, loc, scale = self._parse_args(*args, **kwds)
    at = Parameters(self, shapes, loc, scale)
    with np.errstate(all="ignore"):
        out = at.distribution._entropy(*at.shapes) + np.log(at.scale)
    return at.filled(out)


@serves(rv_generic.support)
def support(self: Any, *args: Any, **kwds: Any) -> Any:
    """The ends of the support."""
    shapes, loc, scale = self._parse_args(*args, **kwds)
    at = Parameters(self, shapes, loc, scale)
    low, high = at.distribution._get_support(*at.shapes)
    with np.errstate(invalid="ignore"):
        return at.filled(low * at.scale + at.loc), at.filled(high * at.scale + at.loc)


@formula("rv_continuous", "_pdf")
def _pdf(self: Any, x: Any, *shapes: Any) -> Any:
    if defines(self, "_logpdf"):
        return np.exp(self._logpdf(x, *shapes))
    return slope(lambda at: self._cdf(at, *shapes), x)


@formula("rv_continuous rv_discrete", "_cdf")
def _cdf(self: Any, x: Any, *shapes: Any) -> Any:
    return expectations.integrated_cdf(self, x, *shapes)
