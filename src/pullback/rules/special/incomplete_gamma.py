"""The incomplete gamma functions and their inverses, differentiated in both arguments.

The derivatives in the parameter a are primitives, of any order. With t = x·eᵛ,

    Γ(a, x) = xᵃe⁻ˣ ∫₀^∞ exp(a·v − x·(eᵛ − 1)) dv,

and γ(a, x) is the same with −v for v. A derivative in a of the integral has a further factor v in
the integrand, of one sign; that of the factor before it is log x − ψ(a), which is positive for
x > a and negative for x < a − 1. So a sum of them does not cancel if Γ is taken above a + 1/2 and
γ below, and −∂P/∂a = ∂Q/∂a is either. Below, γ is taken at a + 1, by
P(a, x) = xᵃe⁻ˣ/Γ(a + 1) + P(a + 1, x), which holds down to a = 0.

First derivatives in a have a relative error below 10⁻¹² for a ≤ 10⁸, in the tails too, as long as
they are normal numbers. Those of order n change their sign: the error is relative to the largest
of n sums of one sign, which are of about the size of the derivative.
"""

from __future__ import annotations

import numpy as np
import scipy.special as sc

from pullback.rules.registration import elementwise
from pullback.rules.special.cancellation import (
    bell,
    digamma_less_log,
    jets,
    log1p_less_linear,
    stirling_error,
    vanishing_times,
)
from pullback.rules.special.gamma import polygamma
from pullback.rules.special.tail_integrals import gamma_moments, in_blocks

__all__ = [
    "gamma_density",
    "gamma_ratio",
    "gamma_score",
    "gamma_weight",
    "gammaincc_in_a",
    "log_gamma_weight",
]

_LARGE = 16.0


# -- on plain numbers -----------------------------------------------------------------------------


def log_gamma_weight(a, x):
    """log(xᵃe⁻ˣ/Γ(a + 1)) + log(2πa)/2 for large a, as a deviance and Stirling's error."""
    z = (x - a) / a
    far = np.abs(z) > 0.5
    deviance = np.where(far, np.log(x / a) - z, log1p_less_linear(np.where(far, 0.0, z)))
    return a * deviance - stirling_error(a)


def _power(x, a):
    """xᵃe⁻ˣ for moderate a, where the factors do not overflow before the product vanishes."""
    x = np.minimum(x, 1500.0)
    return np.power(x, a) * np.exp(-x)


def gamma_weight(a, x):
    """xᵃe⁻ˣ/Γ(a + 1)."""
    x = np.minimum(x, 1e300)
    large = np.maximum(a, _LARGE)
    far = np.exp(log_gamma_weight(large, x)) / np.sqrt(2 * np.pi * large)
    return np.where(a >= _LARGE, far, _power(x, a) * sc.rgamma(a + 1))


def _density(a, x):
    """xᵃ⁻¹e⁻ˣ/Γ(a), and 0 at a = 0."""
    x = np.minimum(x, 1e300)
    large = np.maximum(a, _LARGE)
    far = np.exp(log_gamma_weight(large, x)) / np.sqrt(2 * np.pi * large) * (large / x)
    near = _power(x, a - 1) * sc.rgamma(a)
    found = np.where(a >= _LARGE, np.where(x == 0, 0.0, far), near)
    return np.where(a == 0, 0.0, np.where((x >= 0) & (a > -1e300), found, np.nan))


def _score(a, x):
    """log x − ψ(a)."""
    large = np.maximum(a, _LARGE)
    z = (x - large) / large
    near = np.abs(z) < 0.5
    log = np.where(near, np.log1p(np.where(near, z, 0.0)), np.log(x / large))
    return np.where(a >= _LARGE, log - digamma_less_log(large), np.log(x) - sc.digamma(a))


def _ratio(a, x, order):
    """∂ⁿQ/∂aⁿ over xᵃe⁻ˣ/Γ(a + 1), which is finite from a = 0 and x = 0 on."""
    x = np.clip(x, 5e-324, 1e300)
    found = np.full_like(x, np.nan)
    valid = (a >= 0) & (a <= 1e300)
    above = x > a + 0.5
    for side, one_side in ((valid & above, _above), (valid & ~above, _below)):
        if side.any():
            found[side] = one_side(a[side], x[side], order)
    return found


def _cumulants(a, x):
    def cumulants(k):
        return _score_plus(a, x) if k == 1 else -sc.polygamma(k - 1, a + 1)

    return cumulants


def _score_plus(a, x):
    return np.where(
        a >= _LARGE, _score(a, x) - 1 / np.maximum(a, 1.0), np.log(x) - sc.digamma(a + 1)
    )


def _above(a, x, order):
    factor = jets(bell(_cumulants(a, x), order), {(0,): a, (1,): 1.0})
    return jets(factor, gamma_moments(x - a, x, order, upper=True))[order,]


def _below(a, x, order):
    moments = gamma_moments(a + 1 - x, x, order, upper=False)
    sums = {k: x * value + (k == (0,)) for k, value in moments.items()}
    return -jets(bell(_cumulants(a, x), order), sums)[order,]


# -- primitives -----------------------------------------------------------------------------------


def _gamma_density(a, x):
    return in_blocks(_density, a, x)


def _gamma_score(a, x):
    return in_blocks(_score, a, x)


def _gammaincc_in_a(a, x, *, order):
    def derivative(a, x):
        return np.where(x >= 0, gamma_weight(a, x) * _ratio(a, x, order), np.nan)

    return in_blocks(derivative, a, x)


def _gamma_ratio(a, x, *, order):
    def ratio(a, x):
        return np.where(x >= 0, x / a * _ratio(a, x, order), np.nan)

    return in_blocks(ratio, a, x)


@elementwise(_gamma_score, singular=True)
def gamma_score(_s, a, x):
    """s = log x − ψ(a), the derivative of the logarithm of the density in a.

    ∂s/∂a = −ψ′(a), ∂s/∂x = 1/x. Infinite at x = 0 and at a = 0, where zeros stay zero.
    """
    return lambda: -polygamma(a, n=1), lambda: 1 / x


@elementwise(_gamma_density, singular=True)
def gamma_density(p, a, x):
    """p = xᵃ⁻¹e⁻ˣ/Γ(a): ∂p/∂a = p·(log x − ψ(a)), ∂p/∂x = p·(a − 1 − x)/x.

    The latter is p(a − 1, x) − p(a, x) at x = 0, where it is infinite for a < 2 other than 1, and
    where zeros stay zero.
    """

    def second():
        zero = np.equal(x, 0)
        slope = p * ((a - 1 - x) / np.where(zero, 1, x))
        return np.where(zero, gamma_density(a - 1, x) - p, slope)

    return lambda: vanishing_times(p, gamma_score(a, x)), second


@elementwise(_gammaincc_in_a, singular=True)
def gammaincc_in_a(_g, a, x, *, order):
    """g = ∂ⁿQ/∂aⁿ of Q = Γ(a, x)/Γ(a): ∂g/∂a is that of order n + 1, ∂g/∂x = −∂ⁿp/∂aⁿ.

    Here p = xᵃ⁻¹e⁻ˣ/Γ(a), whose derivative is p·Bₙ(log x − ψ(a), −ψ′(a), …), with Bell's
    polynomial. At x = 0 that is infinite for a ≤ 1; there zeros stay zero.
    """
    return (
        lambda: gammaincc_in_a(a, x, order=order + 1),
        lambda: -vanishing_times(gamma_density(a, x), _bell(a, x, order)),
    )


@elementwise(_gamma_ratio, singular=True)
def gamma_ratio(r, a, x, *, order):
    """r = (∂ⁿQ/∂aⁿ)/p of Q = Γ(a, x)/Γ(a), p = xᵃ⁻¹e⁻ˣ/Γ(a), which does not underflow where p does.

    ∂rₙ/∂a = rₙ₊₁ − rₙ·(log x − ψ(a)), ∂rₙ/∂x = −Bₙ − rₙ·(a − 1 − x)/x, with Bₙ as for
    `gammaincc_in_a`. Infinite at x = 0, where zeros stay zero.
    """
    return (
        lambda: gamma_ratio(a, x, order=order + 1) - r * gamma_score(a, x),
        lambda: -_bell(a, x, order) - r * ((a - 1 - x) / x),
    )


def _bell(a, x, order):
    def cumulants(k):
        return gamma_score(a, x) if k == 1 else -polygamma(a, n=k - 1)

    return bell(cumulants, order)[order,]


@elementwise(sc.gammainc, singular=True)
def gammainc(_z, a, x):
    """z = γ(a, x)/Γ(a): ∂z/∂a = −∂Q/∂a, see `gammaincc_in_a`, ∂z/∂x = xᵃ⁻¹e⁻ˣ/Γ(a).

    The latter is infinite at x = 0 for a < 1, where zeros stay zero.
    """
    return lambda: -gammaincc_in_a(a, x, order=1), lambda: gamma_density(a, x)


@elementwise(sc.gammaincc, singular=True)
def gammaincc(_z, a, x):
    """z = Γ(a, x)/Γ(a): ∂z/∂a as `gammaincc_in_a` has it, ∂z/∂x = −xᵃ⁻¹e⁻ˣ/Γ(a).

    The latter is infinite at x = 0 for a < 1, where zeros stay zero.
    """
    return lambda: gammaincc_in_a(a, x, order=1), lambda: -gamma_density(a, x)


@elementwise(sc.gammaincinv, singular=True)
def gammaincinv(x, a, _y):
    """P(a, x) = y: ∂x/∂a = −(∂P/∂a)/p and ∂x/∂y = 1/p with p = xᵃ⁻¹e⁻ˣ/Γ(a).

    Infinite at y = 0 for a > 1, and at y = 1, where zeros stay zero.
    """
    return lambda: gamma_ratio(a, x, order=1), lambda: 1 / gamma_density(a, x)


@elementwise(sc.gammainccinv, singular=True)
def gammainccinv(x, a, _y):
    """Q(a, x) = y: ∂x/∂a = (∂Q/∂a)/p and ∂x/∂y = −1/p with p = xᵃ⁻¹e⁻ˣ/Γ(a).

    Infinite at y = 1 for a > 1, and at y = 0, where zeros stay zero.
    """
    return lambda: gamma_ratio(a, x, order=1), lambda: -1 / gamma_density(a, x)


for _each, _slope in ((gammainc, np.inf), (gammaincc, -np.inf)):
    _each.singular_at(
        "x = 0 with a < 1",
        lambda a, x: np.equal(x, 0) & np.less(a, 1),
        (0.5, 0.0), (0, _slope), (0, np.nan), "pole",
    )  # fmt: skip
