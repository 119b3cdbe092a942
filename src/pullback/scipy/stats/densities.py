"""Rules of the ufuncs that are not public and that SciPy's distributions are made of.

Their values are SciPy's, and their derivatives formulas. The derivatives of a binomial tail are
those of an incomplete beta function; of a noncentral χ² density with k degrees of freedom they are
differences of densities with other ones, see Johnson, Kotz and Balakrishnan, Continuous Univariate
Distributions, vol. 2, ch. 29; of a skew normal distribution function they follow from that of
Owen's T.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special as sc

from pullback.errors import NoRuleError
from pullback.rules.registration import array_ufuncs, elementwise, strong_multiply
from pullback.rules.special import elementary as rules
from pullback.rules.special.incomplete_beta import beta_density
from pullback.rules.special.noncentral import chi_density, chi_in_df
from pullback.scipy.private import PRIVATE, private
from pullback.scipy.stats.slopes import slope

__all__: list[str] = []

digamma: Any = sc.digamma
gaussian: Any = rules.gaussian

_MODULE = "scipy.special._ufuncs"


def _enter(name: str, serves: str, **differing: Any) -> Callable[[Any], Any]:
    """Enter the rule of a private ufunc, where the running SciPy has it."""
    path = f"{_MODULE}:{name}"
    PRIVATE[path] = serves
    ufunc = private(path)

    def enter(rule: Any) -> Any:
        if isinstance(ufunc, np.ufunc) and ufunc not in array_ufuncs:
            return elementwise(ufunc, name=f"stats{name}", **differing)(rule)
        return rule

    return enter


def _no_rule(distribution: str, argument: str) -> Callable[[], Any]:
    """The entry of a rule for an argument in which the derivative has no rule."""

    def refuse() -> Any:
        raise NoRuleError(
            f"scipy.stats.{distribution}: the derivative with respect to {argument} has no rule "
            "in pullback; detach it with pullback.stop_gradient if its derivative is not wanted, "
            "or wrap the function with @pullback.primitive and give it a rule"
        )

    return refuse


# -- beta and binomial -----------------------------------------------------------------------------


@_enter("_beta_pdf", "scipy.stats.beta.pdf", singular=True)
def beta_pdf(y: Any, x: Any, a: Any, b: Any) -> Any:
    """y = xᵃ⁻¹(1 − x)ᵇ⁻¹/B(a, b): ∂y/∂x = y·((a − 1)/x − (b − 1)/(1 − x)),
    ∂y/∂a = y·(log x − ψ(a) + ψ(a + b)), ∂y/∂b = y·(log(1 − x) − ψ(b) + ψ(a + b)).

    At x = 0 and 1 where y is zero, the slopes are those of the power of x or 1 − x.
    """

    def by_x() -> Any:
        edge = np.equal(x, 0) | np.equal(x, 1)
        inner = np.where(edge, 0.5, x)
        at = np.where(edge, x, 0.5)
        rest = 1 - at
        # Of the two terms one may be infinite at an end where the other is so of higher order.
        rise = strong_multiply(a - 1, at ** (a - 2)) * rest ** np.where(at == 1, b - 1, 1)
        fall = strong_multiply(b - 1, rest ** (b - 2)) * at ** np.where(at == 0, a - 1, 1)
        rise = np.where((at == 1) & np.less(b, 1), 0, rise)
        fall = np.where((at == 0) & np.less(a, 1), 0, fall)
        ends = np.exp(-sc.betaln(a, b)) * (rise - fall)
        return np.where(edge, ends, y * ((a - 1) / inner - (b - 1) / (1 - inner)))

    return (
        by_x,
        lambda: strong_multiply(y, np.log(x) - digamma(a) + digamma(a + b)),
        lambda: strong_multiply(y, np.log1p(-x) - digamma(b) + digamma(a + b)),
    )


def _of_p(k: Any, n: Any, p: Any) -> Any:
    """∂ of P(X ≤ k) by p: −(n − k)·binom(n, k)·pᵏ(1 − p)ⁿ⁻ᵏ⁻¹, 0 for k ≥ n."""
    inside = np.less(k, n)
    return np.where(inside, -beta_density(k + 1, np.where(inside, n - k, 1), p), 0)


@_enter("_binom_pmf", "scipy.stats.binom.pmf", singular=True)
def binom_pmf(_y: Any, k: Any, n: Any, p: Any) -> Any:
    """y = binom(n, k)·pᵏ(1 − p)ⁿ⁻ᵏ: ∂y/∂p = n·(y(k − 1; n − 1) − y(k; n − 1)); k, n are counts."""
    pmf: Any = array_ufuncs[private(f"{_MODULE}:_binom_pmf")]

    def by_p() -> Any:
        fewer = np.maximum(n - 1, 0)
        lower = np.where(np.greater(k, 0), pmf(np.maximum(k - 1, 0), fewer, p), 0)
        upper = np.where(np.less(k, n), pmf(np.minimum(k, fewer), fewer, p), 0)
        return n * (lower - upper)

    return _no_rule("binom.pmf", "k"), _no_rule("binom.pmf", "n"), by_p


@_enter("_binom_cdf", "scipy.stats.binom.cdf", singular=True)
def binom_cdf(_y: Any, k: Any, n: Any, p: Any) -> Any:
    """y = I₁₋ₚ(n − k, k + 1): ∂y/∂p = −(n − k)·binom(n, k)·pᵏ(1 − p)ⁿ⁻ᵏ⁻¹."""
    return _no_rule("binom.cdf", "k"), _no_rule("binom.cdf", "n"), lambda: _of_p(k, n, p)


@_enter("_binom_sf", "scipy.stats.binom.sf", singular=True)
def binom_sf(_y: Any, k: Any, n: Any, p: Any) -> Any:
    """y = Iₚ(k + 1, n − k): ∂y/∂p = (n − k)·binom(n, k)·pᵏ(1 − p)ⁿ⁻ᵏ⁻¹."""
    return _no_rule("binom.sf", "k"), _no_rule("binom.sf", "n"), lambda: -_of_p(k, n, p)


# -- negative binomial: n may be any positive number -----------------------------------------------


@_enter("_nbinom_pmf", "scipy.stats.nbinom.pmf", singular=True)
def nbinom_pmf(y: Any, k: Any, n: Any, p: Any) -> Any:
    """y = Γ(n + k)/(Γ(n)·k!)·pⁿ(1 − p)ᵏ: ∂y/∂n = y·(ψ(n + k) − ψ(n) + log p),
    ∂y/∂p = y·(n/p − k/(1 − p)).
    """
    return (
        _no_rule("nbinom.pmf", "k"),
        lambda: y * (digamma(n + k) - digamma(n) + np.log(p)),
        lambda: y * (n / p - k / (1 - p)),
    )


def _tail_by_p(k: Any, n: Any, p: Any) -> Any:
    """∂Iₚ(n, k + 1)/∂p = pⁿ⁻¹(1 − p)ᵏ/B(n, k + 1)."""
    return beta_density(n, k + 1, p)


def _tail_by_n(k: Any, n: Any, p: Any) -> Any:
    """∂Iₚ(n, k + 1)/∂n, by the rule of the incomplete beta function."""
    return slope(lambda a: sc.betainc(a, k + 1, p), n)


@_enter("_nbinom_cdf", "scipy.stats.nbinom.cdf", singular=True)
def nbinom_cdf(_y: Any, k: Any, n: Any, p: Any) -> Any:
    """y = Iₚ(n, k + 1): the derivatives of the incomplete beta function."""
    return (
        _no_rule("nbinom.cdf", "k"),
        lambda: _tail_by_n(k, n, p),
        lambda: _tail_by_p(k, n, p),
    )


@_enter("_nbinom_sf", "scipy.stats.nbinom.sf", singular=True)
def nbinom_sf(_y: Any, k: Any, n: Any, p: Any) -> Any:
    """y = 1 − Iₚ(n, k + 1): the derivatives of the incomplete beta function."""
    return (
        _no_rule("nbinom.sf", "k"),
        lambda: -_tail_by_n(k, n, p),
        lambda: -_tail_by_p(k, n, p),
    )


@_enter("_nbinom_mean", "scipy.stats.nbinom.mean")
def nbinom_mean(_y: Any, n: Any, p: Any) -> Any:
    """y = n·(1 − p)/p."""
    return lambda: (1 - p) / p, lambda: -n / (p * p)


@_enter("_nbinom_variance", "scipy.stats.nbinom.var")
def nbinom_variance(_y: Any, n: Any, p: Any) -> Any:
    """y = n·(1 − p)/p²."""
    return lambda: (1 - p) / (p * p), lambda: n * (p - 2) / p**3


@_enter("_nbinom_skewness", "scipy.stats.nbinom.stats")
def nbinom_skewness(y: Any, n: Any, p: Any) -> Any:
    """y = (2 − p)/√(n·(1 − p))."""
    return lambda: -y / (2 * n), lambda: p / (2 * np.sqrt(n) * (1 - p) ** 1.5)


@_enter("_nbinom_kurtosis_excess", "scipy.stats.nbinom.stats")
def nbinom_kurtosis(y: Any, n: Any, p: Any) -> Any:
    """y = (p² + 6·(1 − p))/(n·(1 − p))."""
    return lambda: -y / n, lambda: (2 * p - p * p) / (n * (1 - p) ** 2)


# -- others ----------------------------------------------------------------------------------------


@_enter("_skewnorm_cdf", "scipy.stats.skewnorm.cdf")
def skewnorm_cdf(_y: Any, x: Any, loc: Any, scale: Any, a: Any) -> Any:
    """y = Φ(z) − 2T(z, a), z = (x − loc)/scale: ∂y/∂z = 2φ(z)Φ(az),
    ∂y/∂a = −exp(−z²(1 + a²)/2)/(π(1 + a²)).
    """
    z = (x - loc) / scale

    def density() -> Any:
        return math.sqrt(2 / math.pi) * gaussian(z, scale=0.5) * sc.ndtr(a * z) / scale

    def by_shape() -> Any:
        both = gaussian(z, scale=0.5) * gaussian(a * z, scale=0.5)
        return -both / (math.pi * (1 + a * a))

    return density, lambda: -density(), lambda: -z * density(), by_shape


@_enter("_ncx2_pdf", "scipy.stats.ncx2.pdf", singular=True)
def ncx2_pdf(y: Any, x: Any, k: Any, nc: Any) -> Any:
    """y = f(x; k, λ): ∂y/∂x = (λ/x·f(x; k + 2) + ((k − 2)/x − 1)·f(x; k))/2,
    ∂y/∂λ = (f(x; k + 2) − f(x; k))/2, ∂y/∂k a sum.
    """
    density: Any = array_ufuncs[private(f"{_MODULE}:_ncx2_pdf")]
    return (
        lambda: 0.5 * (nc / x * density(x, k + 2, nc) + ((k - 2) / x - 1) * y),
        lambda: chi_density(x, k, nc, order=1),
        lambda: 0.5 * (density(x, k + 2, nc) - y),
    )


@_enter("_ncx2_sf", "scipy.stats.ncx2.sf", singular=True)
def ncx2_sf(_y: Any, x: Any, k: Any, nc: Any) -> Any:
    """y = 1 − F(x; k, λ): ∂y/∂x = −f(x; k, λ), ∂y/∂λ = f(x; k + 2, λ), ∂y/∂k a sum."""
    density: Any = array_ufuncs[private(f"{_MODULE}:_ncx2_pdf")]
    return (
        lambda: -density(x, k, nc),
        lambda: -chi_in_df(x, k, nc, order=1),
        lambda: density(x, k + 2, nc),
    )


@_enter("_scaled_exp1", "scipy.stats.gompertz.entropy")
def scaled_exp1(y: Any, x: Any) -> Any:
    """y = x·eˣ·E₁(x): ∂y/∂x = y·(1 + 1/x) − 1, for large x Σ (−1)ⁿ⁺¹·n·n!/xⁿ⁺¹."""
    far = np.greater(x, 50)
    inner = np.where(far, 1.0, x)
    inverse = 1 / np.where(far, x, 50.0)
    series: Any = 0.0
    for n in range(25, 0, -1):
        series = n * math.factorial(n) * (-1.0) ** (n + 1) + inverse * series
    return np.where(far, series * inverse * inverse, y * (1 + 1 / inner) - 1)


@_enter("_cosine_cdf", "scipy.stats.cosine.cdf")
def cosine_cdf(_y: Any, x: Any) -> Any:
    """y = (π + x + sin x)/(2π) for |x| < π: ∂y/∂x = (1 + cos x)/(2π)."""
    return np.where(np.abs(x) < math.pi, (1 + np.cos(x)) / (2 * math.pi), 0)


@_enter("_log1mexp", "scipy.stats.dpareto_lognorm.logsf", poles={0: -np.inf})
def log1mexp(_y: Any, x: Any) -> Any:
    """y = log(1 − eˣ), x ≤ 0: ∂y/∂x = −1/(e⁻ˣ − 1). Infinite at x = 0, where zeros stay zero."""
    return -1 / np.expm1(np.abs(x))
