"""Bessel functions of the second kind that are scaled exponentially, in argument and order.

The slope of eˣ·Kᵥ(x), a difference of nearly equal numbers for large x, is an integral with a
positive integrand (DLMF 10.32.9), as are all its derivatives in x and v:

    ∂ⁿ⁺ᵐ/∂xⁿ∂vᵐ eˣ·Kᵥ(x) = ∫₀^∞ (1 − cosh t)ⁿ·tᵐ·cosh⁽ᵐ⁾(vt)·exp(−x·(cosh t − 1)) dt.

Where Hankel's expansions (DLMF 10.40.1 and 2) are good to the last digit, they are differentiated
instead. Nearer to 0, derivatives in x are differences in the order: with (y_{v−1} ± y_{v+1})/2 for
the slope (DLMF 10.29.1), that of order n is ±2⁻ⁿ·Σ (−1)ʲ·C(2n, j)·y_{v+n−j}.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.special as sc

from pullback.core.shapes import dtype_of
from pullback.rules.registration import elementwise
from pullback.rules.special.expansions import descending_powers, in_double
from pullback.rules.special.missing import no_closed_form

__all__ = ["NEAR", "differences", "hankel", "scaled_k"]

TERMS = 60
NEAR = 25.0
EXPONENT = 50.0
NODES = 128
STEP = 0.15
BLOCK = 2**15


def hankel(v, x, order, sign):
    """Of Σ (±1)ᵏ·aₖ(v)·x^(−k−1/2): the derivative, and whether it is right to the last digit."""
    coefficients, term = [], np.ones_like(v)
    for k in range(TERMS):
        coefficients.append(term * sign**k)
        term = term * ((4 * v * v - (2 * k + 1) ** 2) / (8 * (k + 1)))
    value, left_out = descending_powers(x, coefficients, -0.5, 1.0, order)
    return value, left_out < 1e-16


def differences(function, v, x, order, sign):
    """±2⁻ⁿ·Σ (−1)ʲ·C(2n, j)·y_{v+n−j}."""
    terms = (
        (-1) ** j * math.comb(2 * order, j) * function(v + order - j, x)
        for j in range(2 * order + 1)
    )
    return sum(terms) * (sign * 0.5) ** order


def _cut(excess, peak, end):
    """Where this function of t, above 0 at the peak and below at `end`, is 0: by bisection.

    To a thousandth of the distance from the peak, which is what has to be integrated over.
    """
    inside, outside = peak, end
    for _ in range(60):
        middle = (inside + outside) / 2
        above = excess(middle) > 0
        inside, outside = np.where(above, middle, inside), np.where(above, outside, middle)
        if not np.any(np.abs(outside - inside) > 1e-3 * np.abs(inside - peak)):
            break
    return outside


def _integral(v, x, order, degree):
    """∫₀^∞ (1 − cosh t)ⁿ·tᵐ·cosh⁽ᵐ⁾(vt)·exp(−x·(cosh t − 1)) dt, for x > 0."""
    valid = (x > 0) & np.isfinite(x) & np.isfinite(v)
    u, x = np.where(valid, np.abs(v), 0.0), np.where(valid, x, 1.0)

    def exponent(t, half):
        return u * t - 2 * x * half

    def height(t):
        return exponent(t, np.square(np.sinh(t / 2)))

    peak = np.arcsinh(u / x)
    floor = height(peak) - EXPONENT
    high = _cut(lambda t: height(t) - floor, peak, peak + 1500.0)
    low = np.zeros_like(peak)
    if np.any(floor > 0):
        low = np.where(floor > 0, _cut(lambda t: height(t) - floor, peak, low), low)
    count = np.maximum(NODES, np.ceil((high - low) / STEP))
    width = (high - low) / count
    total = np.zeros_like(x)
    last = int(np.max(count, initial=0))
    at_once = max(1, BLOCK // max(x.size, 1))  # many numbers fill a cache by themselves
    for first in range(0, last + 1, at_once):
        k = np.arange(first, min(first + at_once, last + 1)).reshape(-1, *(1,) * x.ndim)
        t = low + width * k
        half = np.square(np.sinh(t / 2))
        waves = 1 - np.exp(-2 * u * t) if degree % 2 else 1 + np.exp(-2 * u * t)
        terms = np.exp(exponent(t, half)) * waves / 2 * t**degree * (-2 * half) ** order
        weight = np.where((k == 0) | (k == count), 0.5, np.where(k < count, 1.0, 0.0))
        total = total + np.sum(np.where(weight > 0, weight * terms, 0), axis=0)
    value = total * width * np.where(v < 0, (-1.0) ** degree, 1.0)
    return np.where(valid, value, np.nan)


def _chosen(function, selected, *arguments):
    """The function of the elements that are selected, and NaN elsewhere."""
    out = np.full(np.shape(selected), np.nan)
    if np.any(selected):
        out[selected] = function(*(x[selected] for x in arguments))
    return out


@in_double
def _scaled_k(v, x, *, order, degree=0):
    if x.dtype.kind == "c":
        return differences(sc.kve, v, x, order, -1)
    if degree:
        return _chosen(lambda v, x: _integral(v, x, order, degree), x > 0, v, x)
    value, good = hankel(v, np.where(x > NEAR, x, NEAR), order, 1)
    value, good = value * math.sqrt(math.pi / 2), good & (x > NEAR)
    near = (x <= NEAR) if order < 2 else (x <= 1)
    value = np.where(good, value, differences(sc.kve, v, x, order, -1))
    rest = ~good & ~near & (x > 0)
    return np.where(rest, _chosen(lambda v, x: _integral(v, x, order, 0), rest, v, x), value)


@elementwise(_scaled_k, singular=True)
def scaled_k(_y, v, x, *, order, degree=0):
    """y = the derivative of eˣ·Kᵥ(x) of these orders in x and v, each of which is one more.

    For complex x, y is right to (2|x|)ⁿ·2e-16, and there is no rule for v.
    """

    def in_order():
        if dtype_of(x).kind == "c":
            no_closed_form("kve", "v")()
        return scaled_k(v, x, order=order, degree=degree + 1)

    return in_order, lambda: scaled_k(v, x, order=order + 1, degree=degree)


@elementwise(sc.kve, singular=True)
def kve(_y, v, x):
    """y = eˣ·Kᵥ(x): ∂y/∂x and ∂y/∂v without cancellation; −∞ at x = 0, where zeros stay zero."""

    def in_order():
        if dtype_of(x).kind == "c":
            no_closed_form("kve", "v")()
        return scaled_k(v, x, order=0, degree=1)

    return in_order, lambda: scaled_k(v, x, order=1)


@elementwise(sc.k0e, poles={0: np.nan})
def k0e(_y, x):
    """y = eˣ·K₀(x): ∂y/∂x without cancellation for large x. Has a pole at 0: zeros stay zero."""
    return scaled_k(0.0, x, order=1)


@elementwise(sc.k1e, poles={0: np.nan})
def k1e(_y, x):
    """y = eˣ·K₁(x): ∂y/∂x without cancellation for large x. Has a pole at 0: zeros stay zero."""
    return scaled_k(1.0, x, order=1)


kve.singular_at(
    "x = 0", lambda _v, x: np.equal(x, 0), (0.5, 0.0), (None, np.nan), (None, np.nan), "pole"
)
