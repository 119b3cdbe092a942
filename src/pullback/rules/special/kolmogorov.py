"""Kolmogorov's and Smirnov's distributions, and the parameters of a normal one by a quantile."""

from __future__ import annotations

import math

import numpy as np
import scipy.special as sc

from pullback.rules.registration import elementwise
from pullback.rules.special.missing import count

__all__ = ["smirnov_density"]

_CHANGE = 1.1


def _slope(y):
    """The derivative of 1 − √(2π)/y·Σ exp(−(2k−1)²π²/(8y²)), and of 2·Σ (−1)ᵏ⁻¹exp(−2k²y²).

    They are the same function, the first one fast for small y and the second for large y.
    """
    small = np.less(y, _CHANGE)
    t, u = np.where(small, y, 1), np.where(small, 2, y)
    low, high = 0 * t, 0 * u
    for k in range(1, 5):
        c = ((2 * k - 1) * math.pi) ** 2 / 8
        low = low + np.exp(-c / (t * t)) * (1 / (t * t) - 2 * c / (t * t) ** 2)
        high = high + (-1) ** k * (8 * k * k) * (u * np.exp(-2 * k * k * (u * u)))
    return np.where(small, math.sqrt(2 * math.pi) * low, high)


@elementwise(sc.kolmogorov)
def kolmogorov(_p, y):
    """p = 2·Σ (−1)ᵏ⁻¹exp(−2k²y²): ∂p/∂y by the series in y, or that in 1/y, see `_slope`."""
    return _slope(y)


@elementwise(sc.kolmogi, singular=True)
def kolmogi(y, _p):
    """The y of which p is `kolmogorov`: ∂y/∂p is one over its derivative, infinite at 0 and 1."""
    return 1 / _slope(y)


# -- Smirnov --------------------------------------------------------------------------------------


def _smirnov_density(n, d, *, order):
    """The derivative of order 1 and more of d·Σ (n over j)·(d + j/n)ʲ⁻¹·(1 − d − j/n)ⁿ⁻ʲ.

    Each term is a polynomial, differentiated by Leibniz' rule.
    """
    n, d = np.broadcast_arrays(np.asarray(n, np.float64), np.asarray(d, np.float64))
    found = np.full(n.shape, np.nan)
    valid = (n >= 1) & (d >= 0) & (d <= 1)
    found[valid] = 0.0
    most = int(n[valid].max(initial=0))
    for j in range(most + 1):
        used = valid & (j <= np.floor(n * (1 - d)))
        m, x = n[used], d[used]
        left, right = x + j / m, 1 - x - j / m
        log = sc.gammaln(m + 1) - sc.gammaln(j + 1) - sc.gammaln(m - j + 1)
        total = np.zeros_like(x)
        for a in range(order + 1):
            for b in range(order + 1 - a):
                c = order - a - b  # of the factor d
                if c > 1:
                    continue
                weight = math.factorial(order) / (
                    math.factorial(a) * math.factorial(b) * math.factorial(c)
                )
                falling = np.prod([j - 1.0 - i for i in range(a)], axis=0) if a else 1.0
                down = np.ones_like(m)
                for i in range(b):
                    down = down * -(m - j - i)
                power = np.power(left, j - 1.0 - a) * np.where(
                    down == 0, 0.0, np.power(right, np.maximum(m - j - b, 0.0))
                )
                total = total + weight * falling * down * power * (1.0 if c else x)
        found[used] += np.exp(log) * total
    return found[()]


@elementwise(_smirnov_density)
def smirnov_density(_f, n, d, *, order):
    """The derivative of `smirnov` of that order in d, a sum of at most n + 1 terms; n is a count.

    It has a relative error of some n·10⁻¹⁶. At the multiples of 1/n, where a term sets in, it is
    the one from below, as n-fold derivatives differ there.
    """
    return count("smirnov", "n"), lambda: smirnov_density(n, d, order=order + 1)


@elementwise(sc.smirnov)
def smirnov(_p, n, d):
    """p = d·Σ (n over j)·(d + j/n)ʲ⁻¹·(1 − d − j/n)ⁿ⁻ʲ: ∂p/∂d as `smirnov_density` has it."""
    return count("smirnov", "n"), lambda: smirnov_density(n, d, order=1)


@elementwise(sc.smirnovi, singular=True)
def smirnovi(d, n, _p):
    """The d of which p is `smirnov`: ∂d/∂p is one over its derivative, infinite where that is 0."""
    return count("smirnovi", "n"), lambda: 1 / smirnov_density(n, d, order=1)


# -- the normal distribution's parameters ---------------------------------------------------------

_SQRT_2PI = math.sqrt(2 * math.pi)


@elementwise(sc.nrdtrimn)
def nrdtrimn(m, _p, s, x):
    """m with Φ(z) = p, z = (x − m)/s: ∂m/∂p = −s/φ(z), ∂m/∂s = −z, ∂m/∂x = 1.

    SciPy calls s the standard deviation. Infinite at p = 0 and 1.
    """

    def first():
        z = (x - m) / s
        return -s * _SQRT_2PI * np.exp(z * (z / 2))

    return first, lambda: (m - x) / s, 1


@elementwise(sc.nrdtrisd, singular=True)
def nrdtrisd(s, m, _p, x):
    """s with Φ(z) = p, z = (x − m)/s: ∂s/∂m = −1/z, ∂s/∂p = −s/(z·φ(z)), ∂s/∂x = 1/z.

    Infinite at x = m, where p = 1/2.
    """

    def second():
        z = (x - m) / s
        return -s / z * (_SQRT_2PI * np.exp(z * (z / 2)))

    return lambda: -s / (x - m), second, lambda: s / (x - m)
