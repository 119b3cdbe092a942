"""Formulas in place of methods of the most common distributions.

Each has SciPy's value, to rounding, with derivatives that hold at the ends of the support, in the
tails, and where those of SciPy's formula lose digits.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sc

from pullback.rules.special.student import t_constant, t_kernel
from pullback.scipy.stats.borrowed import formula, known_true
from pullback.scipy.stats.ratios import valued

__all__: list[str] = []


# -- densities that are powers of x at an end ------------------------------------------------------


def _density(self: Any, x: Any, power: Any, log_rest: Any, *shapes: Any) -> Any:
    """The exponential of `_logpdf`, and at x = 0 x to a power times exp of what `log_rest` gives.

    There the logarithm has an infinite slope, in which that of its exponential is lost.
    """
    if known_true(x != 0):
        return np.exp(self._logpdf(x, *shapes))
    zero = x == 0
    inner = np.where(zero, x, 1.0)
    edge = np.power(inner, power) * np.exp(log_rest(inner))
    return np.where(zero, edge, np.exp(self._logpdf(np.where(zero, 1.0, x), *shapes)))


@formula("gamma", "_pdf")
def _gamma_pdf(self: Any, x: Any, a: Any) -> Any:
    """xᵃ⁻¹e⁻ˣ/Γ(a)."""
    return _density(self, x, a - 1.0, lambda x: -x - sc.gammaln(a), a)


@formula("chi2", "_pdf")
def _chi2_pdf(self: Any, x: Any, df: Any) -> Any:
    """xᵏᐟ²⁻¹e⁻ˣᐟ²/(2ᵏᐟ²Γ(k/2))."""
    half = df / 2.0
    return _density(
        self, x, half - 1.0, lambda x: -x / 2.0 - sc.gammaln(half) - math.log(2) * half, df
    )


# -- the inverse gamma distribution ----------------------------------------------------------------

_VANISHED = 1e-150
"""Below this the density of 1/x and its derivatives are zero, and the square of 1/x overflows."""


def _apart_from_zero(x: Any) -> Any:
    return x if known_true(x >= _VANISHED) else np.where(x < _VANISHED, _VANISHED, x)


@formula("invgamma", "_pdf")
def _invgamma_pdf(self: Any, x: Any, a: Any) -> Any:
    return np.exp(self._logpdf(_apart_from_zero(x), a))


@formula("invgamma", "_cdf")
def _invgamma_cdf(self: Any, x: Any, a: Any) -> Any:
    return sc.gammaincc(a, 1.0 / _apart_from_zero(x))


@formula("invgamma", "_sf")
def _invgamma_sf(self: Any, x: Any, a: Any) -> Any:
    return sc.gammainc(a, 1.0 / _apart_from_zero(x))


# -- Student's t distribution ----------------------------------------------------------------------


@formula("t", "_logpdf")
def _t_logpdf(self: Any, x: Any, df: Any) -> Any:
    """In two parts, whose derivatives in ν don't cancel where that is large."""
    finite = df < np.inf
    some = df if known_true(finite) else np.where(finite, df, 1.0)
    out = t_constant(some, n=0) + t_kernel(some, x, n=0)
    if known_true(finite):
        return out
    return np.where(finite, out, -(x**2) / 2.0 - math.log(math.sqrt(2 * math.pi)))


@formula("t", "_pdf")
def _t_pdf(self: Any, x: Any, df: Any) -> Any:
    return np.exp(self._logpdf(x, df))


# -- the logistic distribution ---------------------------------------------------------------------


@formula("logistic", "_logpdf")
def _logistic_logpdf(self: Any, x: Any) -> Any:
    """−|x| − 2 log(1 + e⁻|ˣ|), and −2 log(2 cosh(x/2)) near zero, where the slope is small."""
    near = np.abs(x) < 1
    inner, outer = np.where(near, x, 0.0), -np.abs(np.where(near, 1.0, x))
    return np.where(
        near, -2.0 * np.log(2.0 * np.cosh(0.5 * inner)), outer - 2.0 * sc.log1p(np.exp(outer))
    )


# -- the negative binomial distribution ------------------------------------------------------------


@formula("nbinom", "_logcdf")
def _nbinom_logcdf(self: Any, x: Any, n: Any, p: Any) -> Any:
    """log F, by 1 − F where that is smaller: SciPy has that of 1 − p, which loses digits of p,
    and the derivative is made without.
    """
    k = np.floor(x)
    cdf = self._cdf(k, n, p)
    upper = cdf > 0.5
    rest = np.where(upper, self._sf(k, n, p), 0.0)
    smooth = np.where(upper, np.log1p(-rest), np.log(np.where(upper, 1.0, cdf)))
    return valued(self, "_logcdf", smooth, x, n, p)
