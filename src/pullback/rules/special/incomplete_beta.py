"""The incomplete beta function and its inverses, differentiated in all three arguments.

The derivatives in the parameters are primitives, of any order. With x = 1/(1 + e⁻ᵘ) and v the
distance from u down, I = xᵃ(1 − x)ᵇ/B(a, b) · ∫₀^∞ (t/x)ᵃ((1 − t)/(1 − x))ᵇ dv. Derivatives of the
integral have factors log(t/x) ≤ 0 and log((1 − t)/(1 − x)) ≥ 0 in the integrand. Those of what
stands before it, log x − ψ(a) + ψ(a + b) and log(1 − x) − ψ(b) + ψ(a + b), have the same signs if x
is below the geometric means of the distribution; above, the integral is that of
1 − I = I₁₋ₓ(b, a). So first derivatives are sums of one sign. To hold down to a = 0 the integral is
taken at a + 1, by I(a, b) = xᵃ(1 − x)ᵇ/(a·B(a, b)) + I(a + 1, b).

First derivatives have a relative error below 10⁻¹² for a, b ≤ 10⁶, in the tails too, as long as
they are normal numbers; those of higher order an error relative to the largest of a few sums of
one sign. The idea to differentiate in both parameters and the notation are those of Boik and
Robison-Cox, Derivatives of the incomplete beta function, 1998.
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
    polygamma_difference,
    product_difference,
    stirling_error,
    vanishing_times,
)
from pullback.rules.special.gamma import polygamma, polygamma_rise
from pullback.rules.special.tail_integrals import beta_moments, in_blocks

__all__ = ["beta_density", "beta_ratio", "beta_score", "betainc_in_parameters"]

_LARGE = 16.0


# -- on plain numbers -----------------------------------------------------------------------------


def _deviance(a, slope, log):
    """a·(log(1 − slope/a) + slope/a), where the logarithm is known."""
    z = slope / a
    near = np.abs(z) < 0.5
    return np.where(near, a * log1p_less_linear(np.where(near, -z, 0.0)), a * log + slope)


def _weight(a, b, x):
    """xᵃ(1 − x)ᵇ·Γ(a + b + 1)/(Γ(a + 1)·Γ(b + 1)), by deviances if a and b are large."""
    both = np.minimum(a, b) >= _LARGE
    log_x, log_y = np.log(x), np.log1p(-x)
    if not both.any():
        return _lopsided_weight(a, b, x, log_x, log_y)
    p, q = np.where(both, a, _LARGE), np.where(both, b, _LARGE)
    n, slope = p + q, product_difference(p, q, x)
    exponent = _deviance(p, slope, log_x + np.log(n / p))
    exponent = exponent + _deviance(q, -slope, log_y + np.log(n / q))
    exponent = exponent + stirling_error(n) - stirling_error(p) - stirling_error(q)
    found = np.exp(exponent) * np.sqrt(n / (2 * np.pi * p * q))
    return found if both.all() else np.where(both, found, _lopsided_weight(a, b, x, log_x, log_y))


def _lopsided_weight(a, b, x, log_x, log_y):
    """The same where one parameter is small: Γ(L + s + 1)/Γ(L + 1) is close to Lˢ."""
    swapped = a > b
    small, large = np.where(swapped, b, a), np.where(swapped, a, b)
    base, log_rest = np.where(swapped, 1 - x, x), np.where(swapped, log_x, log_y)
    near = sc.gamma(np.minimum(a + b + 1, 100.0)) * sc.rgamma(large + 1) * np.power(base, small)
    if not (large >= _LARGE).any():
        return near * np.exp(large * log_rest) * sc.rgamma(small + 1)
    far = np.maximum(large, _LARGE)
    z = small / far
    growth = (far + small + 0.5) * log1p_less_linear(z) + z * (small + 0.5)
    growth = growth + stirling_error(far + small) - stirling_error(far)
    power = np.where(large >= _LARGE, np.power(base * far, small), near)
    exponent = large * log_rest + np.where(large >= _LARGE, growth, 0.0)
    return power * np.exp(exponent) * sc.rgamma(small + 1)


def _density(a, b, x):
    """xᵃ⁻¹(1 − x)ᵇ⁻¹/B(a, b), and 0 at a = 0 and at b = 0."""
    inside = (a > 0) & (b > 0) & (x > 0) & (x < 1)
    p, q, t = (np.where(inside, each, 0.5) for each in (a, b, x))
    found = _weight(p, q, t) * (p / (t * (1 - t))) * (q / (p + q))
    edge = np.power(x, a - 1) * np.power(1 - x, b - 1) * (sc.rgamma(a) * sc.rgamma(b))
    edge = np.where((a == 0) | (b == 0), 0.0, edge * sc.gamma(a + b))
    return np.where(inside, found, np.where((x >= 0) & (x <= 1), edge, np.nan))


def _score(a, b, x, y, *, plus=0.0):
    """log x − ψ(a + plus) + ψ(a + b + plus), with y = 1 − x; a mean of log x is taken from it."""
    log_x = np.where(x <= 0.5, np.log(x), np.log1p(-y))
    found = log_x - sc.digamma(a + plus) + sc.digamma(a + b + plus)
    if (a >= _LARGE).any():
        found = np.where(a >= _LARGE, _far_score(a, b, x, y, log_x, plus), found)
    little = b < 1
    if little.any():
        rise = polygamma_difference((a + plus)[little], b[little], 0)
        found[little] = log_x[little] + rise
    return found


def _far_score(a, b, x, y, log_x, plus):
    """The same for large a, where the logarithms nearly cancel."""
    large = np.maximum(a, _LARGE)
    slope = np.where(x <= 0.5, product_difference(large, b, x), -product_difference(b, large, y))
    z = slope / large
    near = np.abs(z) < 0.5
    log = np.where(near, np.log1p(np.where(near, -z, 0.0)), log_x + np.log1p(b / large))
    far = log - digamma_less_log(large) + digamma_less_log(large + b)
    return far - plus / large + plus / (large + b)


def _ratio(a, b, x, orders):
    """∂ⁱ⁺ʲI/∂aⁱ∂bʲ over `_weight`, for one pair of orders (i, j)."""
    i, j = orders
    y = 1 - x
    found = np.full_like(x, np.nan)
    valid = (a >= 0) & (b >= 0) & (a + b > 0) & (a + b < 1e300) & (x > 0) & (x < 1)
    log_x, log_y, total = np.log(x), np.log1p(-x), sc.digamma(a + b + 1)
    if not j:
        below = log_x <= sc.digamma(a + 1) - total
    elif not i:
        below = log_y > sc.digamma(b + 1) - total
    else:
        below = x <= (a + 0.5) / (a + b + 1)
    side = valid & below
    if side.any():
        found[side] = _below(a[side], b[side], x[side], y[side], (i, j))
    side = valid & ~below
    if side.any():
        found[side] = -_below(b[side], a[side], y[side], x[side], (j, i))
    return found


def _below(a, b, x, y, orders):
    """The same for x below the mean, by the integral from 0 to x at a + 1."""
    a, b = np.maximum(a, 1e-100), np.maximum(b, 1e-100)
    n = a + b
    first, second = _score(a, b, x, y, plus=1.0), _score(b, a, y, x)

    def cumulants(k, m, more):
        """The derivatives of log(xᵃ(1 − x)ᵇ·Γ(a + b + more)/(Γ(a + 1)·Γ(b)))."""
        if k + m == 1:
            return first - (1 - more) / n if k else second + more / n
        found = sc.polygamma(k + m - 1, n + more)
        if not m:
            found = found - sc.polygamma(k - 1, a + 1)
        return found if k else found - sc.polygamma(m - 1, b)

    slope = np.where(x <= 0.5, product_difference(a, b, x), -product_difference(b, a, y)) + y
    taken = [(k, m) for k in range(orders[0] + 1) for m in range(orders[1] + 1)]
    moments = beta_moments((a + 1, b), (x, y), slope, taken)
    inside = jets(bell(lambda k, m: cumulants(k, m, 1), *orders), moments)[orders]
    return b * (bell(lambda k, m: cumulants(k, m, 0), *orders)[orders] / n + x * inside)


# -- primitives -----------------------------------------------------------------------------------


def _beta_density(a, b, x):
    return in_blocks(_density, a, b, x)


def _beta_score(a, b, x, *, complement):
    def score(a, b, x):
        return _score(b, a, 1 - x, x) if complement else _score(a, b, x, 1 - x)

    return in_blocks(score, a, b, x)


def _at_ends(values, x):
    """Zero at x = 0 and 1, where the function is constant in its parameters."""
    return np.where((x == 0) | (x == 1), 0.0, values)


def _betainc_in_parameters(a, b, x, *, orders):
    def derivative(a, b, x):
        return _at_ends(_weight(a, b, x) * _ratio(a, b, x, orders), x)

    return in_blocks(derivative, a, b, x)


def _beta_ratio(a, b, x, *, orders):
    def ratio(a, b, x):
        scale = (x / a) * ((1 - x) / b) * (a + b)
        return _at_ends(scale * _ratio(a, b, x, orders), x)

    return in_blocks(ratio, a, b, x)


@elementwise(_beta_score, singular=True)
def beta_score(_s, a, b, x, *, complement):
    """s = log x − ψ(a) + ψ(a + b), or log(1 − x) − ψ(b) + ψ(a + b) as the complement.

    They are the derivatives of the logarithm of the density in a and in b. Their own are
    ψ′(a + b) − ψ′(a) and ψ′(a + b), and 1/x or −1/(1 − x). Infinite where x = 0 or 1.
    """
    apart = polygamma_rise
    if complement:
        return (
            lambda: polygamma(a + b, n=1), lambda: apart(b, a, n=1), lambda: -1 / (1 - x),
        )  # fmt: skip
    return lambda: apart(a, b, n=1), lambda: polygamma(a + b, n=1), lambda: 1 / x


@elementwise(_beta_density, singular=True)
def beta_density(p, a, b, x):
    """p = xᵃ⁻¹(1 − x)ᵇ⁻¹/B(a, b), with the derivatives p times those of its logarithm.

    In x it is p·((a − 1)·(1 − x) − (b − 1)·x)/(x·(1 − x)), and at x = 0 and 1
    (a + b − 1)·(p(a − 1, b) − p(a, b − 1)). Infinite at x = 0 for a < 2 other than 1, and at x = 1
    for b < 2 other than 1, where zeros stay zero.
    """

    def third():
        end = np.equal(x, 0) | np.equal(x, 1)
        inside = np.where(end, 0.5, x)
        slope = p * (((a - 1) / inside) - (b - 1) / (1 - inside))
        outer = (a + b - 1) * (beta_density(a - 1, b, x) - beta_density(a, b - 1, x))
        return np.where(end, outer, slope)

    return (
        lambda: vanishing_times(p, beta_score(a, b, x, complement=False)),
        lambda: vanishing_times(p, beta_score(a, b, x, complement=True)),
        third,
    )


@elementwise(_betainc_in_parameters, singular=True)
def betainc_in_parameters(_g, a, b, x, *, orders):
    """g = ∂ⁱ⁺ʲI/∂aⁱ∂bʲ of I = Iₓ(a, b): in a and b those of higher order, in x that of the density.

    The latter is p·B(…), with p = xᵃ⁻¹(1 − x)ᵇ⁻¹/B(a, b) and Bell's polynomial of the derivatives
    of log p. Infinite at x = 0 for a ≤ 1, and at x = 1 for b ≤ 1, where zeros stay zero.
    """
    i, j = orders
    return (
        lambda: betainc_in_parameters(a, b, x, orders=(i + 1, j)),
        lambda: betainc_in_parameters(a, b, x, orders=(i, j + 1)),
        lambda: vanishing_times(beta_density(a, b, x), _bell(a, b, x, orders)),
    )


@elementwise(_beta_ratio, singular=True)
def beta_ratio(r, a, b, x, *, orders):
    """r = (∂ⁱ⁺ʲI/∂aⁱ∂bʲ)/p of I = Iₓ(a, b), p = xᵃ⁻¹(1 − x)ᵇ⁻¹/B(a, b), which may underflow.

    Its derivatives are those of the quotient. Infinite at x = 0 and 1, where zeros stay zero.
    """
    i, j = orders
    return (
        lambda: beta_ratio(a, b, x, orders=(i + 1, j)) - r * beta_score(a, b, x, complement=False),
        lambda: beta_ratio(a, b, x, orders=(i, j + 1)) - r * beta_score(a, b, x, complement=True),
        lambda: _bell(a, b, x, orders) - r * ((a - 1) / x - (b - 1) / (1 - x)),
    )


def _bell(a, b, x, orders):
    def cumulants(k, m):
        if k + m == 1:
            return beta_score(a, b, x, complement=not k)
        if k and m:
            return polygamma(a + b, n=k + m - 1)
        return polygamma_rise(a, b, n=k - 1) if k else polygamma_rise(b, a, n=m - 1)

    return bell(cumulants, *orders)[orders]


@elementwise(sc.betainc, singular=True)
def betainc(_z, a, b, x):
    """z = Iₓ(a, b): ∂z/∂a and ∂z/∂b are integrals, ∂z/∂x = xᵃ⁻¹(1 − x)ᵇ⁻¹/B(a, b).

    The latter is infinite at x = 0 for a < 1 and at x = 1 for b < 1, where zeros stay zero.
    """
    return (
        lambda: betainc_in_parameters(a, b, x, orders=(1, 0)),
        lambda: betainc_in_parameters(a, b, x, orders=(0, 1)),
        lambda: beta_density(a, b, x),
    )


@elementwise(sc.betaincc, singular=True)
def betaincc(_z, a, b, x):
    """z = 1 − Iₓ(a, b): the derivatives are those of `betainc` with the other sign.

    ∂z/∂x is infinite at x = 0 for a < 1 and at x = 1 for b < 1, where zeros stay zero.
    """
    return (
        lambda: -betainc_in_parameters(a, b, x, orders=(1, 0)),
        lambda: -betainc_in_parameters(a, b, x, orders=(0, 1)),
        lambda: -beta_density(a, b, x),
    )


def _inverse_derivatives(x, a, b, sign):
    return (
        lambda: -beta_ratio(a, b, x, orders=(1, 0)),
        lambda: -beta_ratio(a, b, x, orders=(0, 1)),
        lambda: sign / beta_density(a, b, x),
    )


@elementwise(sc.betaincinv, singular=True)
def betaincinv(x, a, b, _y):
    """Iₓ(a, b) = y: ∂x/∂a = −(∂I/∂a)/p, ∂x/∂b likewise, ∂x/∂y = 1/p.

    Here p = xᵃ⁻¹(1 − x)ᵇ⁻¹/B(a, b). Infinite where p is 0, at x = 0 and 1; there zeros stay zero.
    """
    return _inverse_derivatives(x, a, b, 1.0)


@elementwise(sc.betainccinv, singular=True)
def betainccinv(x, a, b, _y):
    """1 − Iₓ(a, b) = y: the derivatives of `betaincinv`, but ∂x/∂y = −1/p.

    Infinite where the density p is 0, at x = 0 and 1; there zeros stay zero.
    """
    return _inverse_derivatives(x, a, b, -1.0)


for _each, _slope in ((betainc, np.inf), (betaincc, -np.inf)):
    _each.singular_at(
        "x = 0 with a < 1, or x = 1 with b < 1",
        lambda a, b, x: (np.equal(x, 0) & np.less(a, 1)) | (np.equal(x, 1) & np.less(b, 1)),
        (0.5, 1.0, 0.0), (0, 0, _slope), (0, 0, np.nan), "pole",
    )  # fmt: skip
