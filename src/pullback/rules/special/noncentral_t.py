"""The non-central t distribution, differentiated in all that it depends on.

With s the root of χ² over its degrees of freedom ν, of density g, the distribution function is an
integral over s, and all its derivatives are

    J(p, k, n) = ∫₀^∞ sᵖ·φ⁽ᵏ⁾(t·s − δ)·∂ⁿg/∂νⁿ ds,    F = J(0, −1, 0),    f = J(1, 0, 0),

where φ⁽⁻¹⁾ = Φ. They are taken by the trapezoid rule in log s, which converges exponentially. Where
g is not differentiated their relative error is some 10⁻¹³, in the tails too; by ν it is 10⁻¹⁵·ν
of the integral of the terms' sizes, as these cancel where ν is large.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.special as sc

from pullback.rules.registration import elementwise
from pullback.rules.special.cancellation import (
    bell,
    digamma_less_log,
    expm1_less_linear,
    stirling_error,
)
from pullback.rules.special.tail_integrals import in_blocks

__all__ = ["t_mixture"]

_DEPTH = 45.0
_STEP = 0.1
_FAR = 800.0
_LEAST = 0.02
"""The degrees of freedom below which the integrand falls too slowly near s = 0."""


def _exponent(w, v, t, nc, p, tail):
    x = t * np.exp(w) - nc
    bell_shaped = sc.log_ndtr(x) if tail else -x * x / 2
    return p * w - v / 2 * expm1_less_linear(2 * w) + bell_shaped


def _bisected(function, low, high):
    """Between these, where a function changes from positive to negative."""
    for _ in range(80):
        middle = (low + high) / 2
        above = function(middle) > 0
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return low


def _window(v, t, nc, p, tail):
    """The largest value of the exponent, from where to where it counts, and its width there."""

    def rise(w):
        s = np.exp(w)
        x = t * s - nc
        slope = np.exp(-x * x / 2 - sc.log_ndtr(x)) / math.sqrt(2 * np.pi) if tail else -x
        return p - v * np.expm1(2 * w) + t * s * slope

    def height(w):
        return _exponent(w, v, t, nc, p, tail)

    peak = _bisected(rise, np.full_like(t, -_FAR), np.full_like(t, 50.0))
    floor = height(peak) - _DEPTH
    left = -_bisected(lambda w: height(-w) - floor, -peak, np.full_like(t, 4 * _FAR))
    right = _bisected(lambda w: height(w) - floor, peak, peak + 60.0)
    return peak, left, right


def _moment(v, t, nc, p, k, n):
    tail = k < 0
    if tail and n:  # what is left of 1 − F where that is smaller: ∂F(t; δ) = −∂F(−t; −δ)
        sign = np.where(t > nc, -1.0, 1.0)
        t, nc = sign * t, sign * nc
    peak, left, right = _window(v, t, nc, p, tail)
    step = np.minimum(_STEP, np.minimum(right - peak, peak - left) / 14)
    total = np.empty_like(t)
    for i in range(len(t)):
        w = left[i] + step[i] * np.arange(math.ceil((right[i] - left[i]) / step[i]) + 1)
        terms = np.exp(_exponent(w, v[i], t[i], nc[i], p, tail))
        if k > 0:
            terms = terms * (-1) ** k * sc.eval_hermitenorm(k, t[i] * np.exp(w) - nc[i])
        if n:
            terms = terms * bell(lambda m, v=v[i], w=w: _cumulant(w, v, m), n)[n,]
        total[i] = terms.sum() * step[i]
    weight = np.exp(-stirling_error(v / 2)) * np.sqrt(v / np.pi)
    weight = weight if tail else weight / math.sqrt(2 * np.pi)
    return total * weight * sign if tail and n else total * weight


def _cumulant(w, v, n):
    """∂ⁿlog g/∂νⁿ at s = exp w."""
    if n == 1:
        return -(digamma_less_log(v / 2) + expm1_less_linear(2 * w)) / 2
    first = (-1) ** n * math.factorial(n - 2) / (2 * v ** (n - 1))
    return first - 2.0**-n * sc.polygamma(n - 1, v / 2)


def _t_mixture(v, nc, t, *, p, k, n):
    def moment(v, nc, t):
        found = np.full_like(t, np.nan)
        valid = (v >= _LEAST) & np.isfinite(v) & (np.abs(t) < 1e100) & (np.abs(nc) < 1e100)
        if valid.any():
            found[valid] = _moment(v[valid], t[valid], nc[valid], p, k, n)
        return found

    return in_blocks(moment, v, nc, t)


@elementwise(_t_mixture)
def t_mixture(_j, v, nc, t, *, p, k, n):
    """j = J(p, k, n): ∂j/∂ν = J(p, k, n + 1), ∂j/∂δ = −J(p, k + 1, n), ∂j/∂t = J(p + 1, k + 1, n).

    NaN for less than 0.02 degrees of freedom.
    """
    return (
        lambda: t_mixture(v, nc, t, p=p, k=k, n=n + 1),
        lambda: -t_mixture(v, nc, t, p=p, k=k + 1, n=n),
        lambda: t_mixture(v, nc, t, p=p + 1, k=k + 1, n=n),
    )


@elementwise(sc.nctdtr)
def nctdtr(_y, v, nc, t):
    """y = F(t; ν, δ): its derivatives are integrals, see above."""
    return (
        lambda: t_mixture(v, nc, t, p=0, k=-1, n=1),
        lambda: -t_mixture(v, nc, t, p=0, k=0, n=0),
        lambda: t_mixture(v, nc, t, p=1, k=0, n=0),
    )


def nctdtrit(t, v, nc, _p):
    """F(t; ν, δ) = p: ∂t/∂ν = −(∂F/∂ν)/f, ∂t/∂δ = −(∂F/∂δ)/f, ∂t/∂p = 1/f; infinite where f = 0."""

    def density():
        return t_mixture(v, nc, t, p=1, k=0, n=0)

    return (
        lambda: -t_mixture(v, nc, t, p=0, k=-1, n=1) / density(),
        lambda: t_mixture(v, nc, t, p=0, k=0, n=0) / density(),
        lambda: 1 / density(),
    )


_Q = np.linspace(0.1, 0.9, 9)
if np.max(np.abs(sc.nctdtr(3.0, 0.5, sc.nctdtrit(3.0, 0.5, _Q)) - _Q)) < 1e-13:
    elementwise(sc.nctdtrit, singular=True)(nctdtrit)  # older releases have some ten digits
