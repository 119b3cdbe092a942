"""Bessel functions that are scaled exponentially, and those of the second kind in their order.

The slope of eˣ·Kᵥ(x), a difference of nearly equal numbers for large x, is an integral with a
positive integrand (DLMF 10.32.9), as are all its derivatives in x and v:

    ∂ⁿ⁺ᵐ/∂xⁿ∂vᵐ eˣ·Kᵥ(x) = ∫₀^∞ (1 − cosh t)ⁿ·tᵐ·cosh⁽ᵐ⁾(vt)·exp(−x·(cosh t − 1)) dt.

Where Hankel's expansions (DLMF 10.40.1 and 2) are good to the last digit, they are differentiated
instead, and for e⁻ˣ·Iᵥ always if they are. Nearer to 0, derivatives in x are differences in the
order: with (y_{v−1} ± y_{v+1})/2 for the slope (DLMF 10.29.1), that of order n is
±2⁻ⁿ·Σ (−1)ʲ·C(2n, j)·y_{v+n−j}.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.special as sc

from pullback.core.shapes import dtype_of, shape_of
from pullback.errors import NoRuleError
from pullback.rules.registration import elementwise
from pullback.rules.special.expansions import descending_powers, in_double
from pullback.rules.special.missing import no_closed_form

__all__ = ["scaled_i", "scaled_k"]

TERMS = 60
NEAR = 25.0
EXPONENT = 50.0
NODES = 128
STEP = 0.15
BLOCK = 2**15


def _hankel(v, x, order, sign):
    """Of Σ (±1)ᵏ·aₖ(v)·x^(−k−1/2): the derivative, and whether it is right to the last digit."""
    coefficients, term = [], np.ones_like(v)
    for k in range(TERMS):
        coefficients.append(term * sign**k)
        term = term * ((4 * v * v - (2 * k + 1) ** 2) / (8 * (k + 1)))
    value, left_out = descending_powers(x, coefficients, -0.5, 1.0, order)
    return value, left_out < 1e-16


def _differences(function, v, x, order, sign):
    """±2⁻ⁿ·Σ (−1)ʲ·C(2n, j)·y_{v+n−j}."""
    terms = (
        (-1) ** j * math.comb(2 * order, j) * function(v + order - j, x)
        for j in range(2 * order + 1)
    )
    return sum(terms) * (sign * 0.5) ** order


# -- the first kind -------------------------------------------------------------------------------


@in_double
def _scaled_i(v, x, *, order):
    u = np.abs(x)
    value = _differences(sc.ive, v, u, order, 1)
    series, good = _hankel(v, np.where(u > NEAR, u, NEAR), order, -1)
    value = np.where(good & (u > NEAR), series / math.sqrt(2 * math.pi), value)
    odd = np.mod(v + order, 2) == 1
    value = np.where((x < 0) & odd, -value, value)
    value = np.where((x == 0) & odd, 0.0, value)
    return np.where((x < 0) & (v != np.rint(v)), np.nan, value)


@elementwise(_scaled_i)
def scaled_i(_y, v, x, *, order):
    """y = the derivative of e^(−|x|)·Iᵥ(x) of this order in x.

    At 0, for integers v, it is the mean of both sides. For x > 25 where v² is larger than x and
    there is no expansion, it is right to (2x)ⁿ·2e-16.
    """
    return no_closed_form("ive", "v"), lambda: scaled_i(v, x, order=order + 1)


def _require_real(x, name):
    if dtype_of(x).kind == "c":
        raise NoRuleError(
            f"scipy.special.{name}: got an argument of dtype {dtype_of(x)} and shape "
            f"{shape_of(x)}, wanted a real one: its factor, of |Re z| or |Im z|, has no complex "
            "derivative; use the function that is not scaled, or detach the argument with "
            "pullback.stop_gradient"
        )


@elementwise(sc.ive, singular=True)
def ive(_y, v, x):
    """y = e^(−|x|)·Iᵥ(x) for real x: ∂y/∂x, at x = 0 the mean of both sides; no rule for v."""

    def slope():
        _require_real(x, "ive")
        return scaled_i(v, x, order=1)

    return no_closed_form("ive", "v"), slope


@elementwise(sc.i0e)
def i0e(_y, x):
    """y = e^(−|x|)·I₀(x): ∂y/∂x without cancellation for large x, and 0 at the kink x = 0."""
    return scaled_i(0.0, x, order=1)


@elementwise(sc.i1e)
def i1e(_y, x):
    """y = e^(−|x|)·I₁(x): ∂y/∂x without cancellation for large x."""
    return scaled_i(1.0, x, order=1)


i0e.singular_at("x = 0", lambda x: np.equal(x, 0), 0.0, 0, 1.5)
i1e.singular_at("x = 0: the slope has a kink", lambda x: np.equal(x, np.nan), 0.0, 0.5, 0)


# -- the second kind ------------------------------------------------------------------------------


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
        return _differences(sc.kve, v, x, order, -1)
    if degree:
        return _chosen(lambda v, x: _integral(v, x, order, degree), x > 0, v, x)
    value, good = _hankel(v, np.where(x > NEAR, x, NEAR), order, 1)
    value, good = value * math.sqrt(math.pi / 2), good & (x > NEAR)
    near = (x <= NEAR) if order < 2 else (x <= 1)
    value = np.where(good, value, _differences(sc.kve, v, x, order, -1))
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


# -- the other kinds ------------------------------------------------------------------------------


def _enter_scaled(ufunc):
    def rule(_y, v, x):
        """For real x it is the function that is not scaled: ∂y/∂x = (yᵥ₋₁ − yᵥ₊₁)/2."""

        def slope():
            _require_real(x, ufunc.__name__)
            return (ufunc(v - 1, x) - ufunc(v + 1, x)) / 2

        return no_closed_form(ufunc.__name__, "v"), slope

    elementwise(ufunc, singular=True)(rule)


_enter_scaled(sc.jve)
_enter_scaled(sc.yve)


def _enter_hankel(ufunc, turn):
    def rule(y, v, z):
        """∂y/∂z = (yᵥ₋₁ − yᵥ₊₁)/2, less ±i·y where it is scaled (DLMF 10.6.1).

        That difference is right to some |z|·4e-16.
        """

        def slope():
            difference = (ufunc(v - 1, z) - ufunc(v + 1, z)) / 2
            return difference - turn * y if turn else difference

        return no_closed_form(ufunc.__name__, "v"), slope

    elementwise(ufunc, singular=True)(rule)


for _ufunc, _turn in ((sc.hankel1, 0), (sc.hankel2, 0), (sc.hankel1e, 1j), (sc.hankel2e, -1j)):
    _enter_hankel(_ufunc, _turn)
