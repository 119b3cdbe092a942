"""Differences of special functions that would cancel, each without it; and Bell polynomials.

They act on plain arrays of double precision, and are what the derivatives of the incomplete gamma
and beta functions are made of.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sc

__all__ = [
    "bell",
    "digamma_less_log",
    "expm1_less_linear",
    "jets",
    "log1p_less_linear",
    "polygamma_difference",
    "product_difference",
    "stirling_error",
    "vanishing_times",
]


def log1p_less_linear(z):
    """log(1 + z) − z, right to rounding.

    With r = z/(2 + z), log(1 + z) = 2·artanh r, and 2r − z = −z·r.
    """
    z = np.asarray(z, np.float64)
    near = np.abs(z) < 0.4
    if not near.any():
        return np.log1p(z) - z
    t = np.where(near, z, 0.0)
    r = t / (2 + t)
    square = r * r
    total = np.full_like(t, 1 / 25)
    for k in range(23, 1, -2):
        total *= square
        total += 1 / k
    inner = r * (2 * square * total - t)
    return inner if near.all() else np.where(near, inner, np.log1p(np.where(near, 0.0, z)) - z)


def expm1_less_linear(v):
    """eᵛ − 1 − v, right to rounding; by the series where |v| ≤ 1/2."""
    near = np.abs(v) < 0.5
    if not near.any():
        return np.expm1(v) - v
    t = np.where(near, v, 0.0)
    total = np.full_like(t, 1 / math.factorial(15))
    for k in range(14, 1, -1):
        total *= t
        total += 1 / math.factorial(k)
    total *= t * t
    return total if near.all() else np.where(near, total, np.expm1(v) - v)


_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)


def digamma_less_log(a):
    """ψ(a) − log a for a > 0, by the series −1/(2a) − Σ B₂ₖ/(2k·a²ᵏ) for large a."""
    far = a >= 16
    inverse = 1 / np.where(far, a, 16.0)
    square, total = inverse * inverse, np.zeros_like(inverse)
    for k in range(8, 0, -1):
        total = square * (_BERNOULLI[k - 1] / (2 * k) + total)
    near = np.where(far, 1.0, a)
    return np.where(far, -inverse / 2 - total, sc.digamma(near) - np.log(near))


def stirling_error(a):
    """log Γ(a + 1) − (a·log a − a + log(2πa)/2) for a > 0, by Σ B₂ₖ/(2k(2k−1)·a²ᵏ⁻¹) if large."""
    far = a >= 16
    inverse = 1 / np.where(far, a, 16.0)
    square, total = inverse * inverse, np.zeros_like(inverse)
    for k in range(8, 1, -1):
        total = square * (_BERNOULLI[k - 1] / (2 * k * (2 * k - 1)) + total)
    near = np.where(far, 1.0, a)
    direct = sc.gammaln(near + 1) - (near * np.log(near) - near + np.log(2 * np.pi * near) / 2)
    return np.where(far, inverse * (1 / 12 + total), direct)


_SHIFT = 16


def polygamma_difference(x, d, n):
    """ψ⁽ⁿ⁾(x + d) − ψ⁽ⁿ⁾(x), without cancellation for x > 0 and x + d > 0.

    By recurrence to x + 16, and there by the series at infinity, in both of which each power's
    difference is x⁻ᵐ·((1 + d/x)⁻ᵐ − 1).
    """
    positive = (x > 0) & (x + d > 0)
    base, step = np.where(positive, x, 1.0), np.where(positive, d, 1.0)

    def fall(base, power):
        return base**-power * np.expm1(-power * np.log1p(step / base))

    total = -sum(fall(base + k, n + 1) for k in range(_SHIFT)) * math.factorial(n)
    far = base + _SHIFT
    last = np.log1p(step / far) if n == 0 else -math.factorial(n - 1) * fall(far, n)
    series = math.factorial(n) / 2 * fall(far, n + 1)
    for k, number in enumerate(_BERNOULLI, 1):
        factor = math.factorial(2 * k + n - 1) / math.factorial(2 * k)
        series = series + number * factor * fall(far, 2 * k + n)
    near = (-1) ** n * (total + last - series)
    return np.where(positive, near, sc.polygamma(n, x + d) - sc.polygamma(n, x))


def _split(x):
    high = 134217729.0 * x
    high = high - (high - x)
    return high, x - high


def _exact_product(x, y):
    """x·y, and what rounding took from it: Dekker 1971."""
    product = x * y
    (a, b), (c, d) = _split(x), _split(y)
    return product, b * d - (((product - a * c) - b * c) - a * d)


def product_difference(a, b, x):
    """a·(1 − x) − b·x, right to rounding of the result and of 2⁻¹⁰⁰·a."""
    (p, p_low), (q, q_low) = _exact_product(a, x), _exact_product(b, x)
    first = a - p
    first_low = np.where(a >= p, (a - first) - p, a - (first + p))
    second = first - q
    bigger = np.abs(first) >= np.abs(q)
    second_low = np.where(bigger, (first - second) - q, first - (second + q))
    low = first_low + second_low - p_low - q_low
    return np.where(np.isfinite(low), second + low, second)


# -- derivatives of an exponential ----------------------------------------------------------------


def bell(cumulants, *orders):
    """The derivatives of exp L over exp L up to some order in each of one or two variables.

    Parameters
    ----------
    cumulants : callable
        The derivatives of L by their orders, which are not all zero.
    *orders : int

    Returns
    -------
    dict of tuple of int to array
        They are complete Bell polynomials, by B₀ = 1 and Bₙ₊₁ = Σₖ (n over k)·L⁽ᵏ⁺¹⁾·Bₙ₋ₖ.
    """
    found = {(0,) * len(orders): 1.0}
    for index in np.ndindex(*(order + 1 for order in orders)):
        if not any(index):
            continue
        place = next(i for i, order in enumerate(index) if order)
        rest = [order - (i == place) for i, order in enumerate(index)]
        total = 0.0
        for taken in np.ndindex(*(order + 1 for order in rest)):
            step = tuple(order + (i == place) for i, order in enumerate(taken))
            left = tuple(n - k for n, k in zip(rest, taken, strict=True))
            weight = math.prod(math.comb(n, k) for n, k in zip(rest, taken, strict=True))
            total = total + weight * cumulants(*step) * found[left]
        found[index] = total
    return found


def jets(first, second):
    """The derivatives of a product from those of its factors, by Leibniz' rule.

    Each is a dict as of `bell`; what a dict lacks is zero.
    """
    found: dict[tuple[int, ...], Any] = {}
    for i, x in first.items():
        for j, y in second.items():
            index = tuple(n + m for n, m in zip(i, j, strict=True))
            weight = math.prod(math.comb(n + m, n) for n, m in zip(i, j, strict=True))
            found[index] = found.get(index, 0.0) + weight * x * y
    return found


def vanishing_times(p, factor):
    """p·factor, and 0 where p is 0 and the factor infinite, as a power is stronger than a log."""
    return p * np.where(np.equal(p, 0), 1, factor)
