"""Formulas in place of methods of continuous distributions that cannot run on traced values.

Most of SciPy's do. Here are those that pick elements by masks, that call functions written in C, or
that change to another formula at one value of a shape, where the derivative by that shape would be
lost. Values are SciPy's to rounding.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sc
import scipy.stats

from pullback.rules.custom import stop_gradient
from pullback.scipy.private import needed
from pullback.scipy.stats.borrowed import formula
from pullback.scipy.stats.expectations import integrated_cdf
from pullback.scipy.stats.ratios import log1p_excess, log1p_ratio, valued, with_slope_of

__all__ = ["log_gauss_mass"]

LOG_SQRT_2PI = math.log(math.sqrt(2 * math.pi))


def _log_normal(x: Any) -> Any:
    return -(x**2) / 2.0 - LOG_SQRT_2PI


# -- extreme values --------------------------------------------------------------------------------


@formula("genpareto", "_get_support")
def _genpareto_support(self: Any, c: Any) -> Any:
    below = c < 0
    return self.a + 0.0 * c, np.where(below, -1.0 / np.where(below, c, 1.0), np.inf)


@formula("genpareto", "_logsf")
def _genpareto_logsf(self: Any, x: Any, c: Any) -> Any:
    """−log(1 + c·x)/c, and −x at c = 0."""
    return -x * log1p_ratio(c * x)


@formula("genpareto", "_logpdf")
def _genpareto_logpdf(self: Any, x: Any, c: Any) -> Any:
    """−(1 + 1/c)·log(1 + c·x)."""
    return -x * log1p_ratio(c * x) - sc.log1p(c * x)


@formula("genpareto", "_sf")
def _genpareto_sf(self: Any, x: Any, c: Any) -> Any:
    return np.exp(self._logsf(x, c))


@formula("genpareto", "_cdf")
def _genpareto_cdf(self: Any, x: Any, c: Any) -> Any:
    return -sc.expm1(self._logsf(x, c))


@formula("genextreme", "_loglogcdf")
def _genextreme_loglogcdf(self: Any, x: Any, c: Any) -> Any:
    """log(1 − c·x)/c, and −x at c = 0."""
    return -x * log1p_ratio(-c * x)


@formula("genextreme", "_logpdf")
def _genextreme_logpdf(self: Any, x: Any, c: Any) -> Any:
    log_y = self._loglogcdf(x, c)
    return -np.exp(log_y) + log_y - sc.log1p(-c * x)


@formula("kappa4", "_get_support")
def _kappa4_support(self: Any, h: Any, k: Any) -> Any:
    """From (1 − h⁻ᵏ)/k, log h at k = 0, or −∞ for h ≤ 0, or 1/k then if k < 0, to 1/k if k > 0."""
    positive = h > 0
    safe_h = np.where(positive, h, 1.0)
    safe_k = np.where(k == 0, 1.0, k)
    log_h = np.log(safe_h)
    t = k * log_h
    small = np.abs(t) < 1e-5
    ratio = np.where(small, 1 - t / 2 + t * t / 6, -sc.expm1(-t) / np.where(t == 0, 1.0, t))
    low = np.where(positive, log_h * ratio, np.where(k < 0, 1.0 / safe_k, -np.inf))
    return low, np.where(k > 0, 1.0 / safe_k, np.inf)


def _kappa4_y(x: Any, k: Any) -> Any:
    """(1 − k·x)^(1/k), and e⁻ˣ at k = 0."""
    return np.exp(-x * log1p_ratio(-k * x))


@formula("kappa4", "_logcdf")
def _kappa4_logcdf(self: Any, x: Any, h: Any, k: Any) -> Any:
    """log(1 − h·y)/h, and −y at h = 0."""
    y = _kappa4_y(x, k)
    return -y * log1p_ratio(-h * y)


@formula("kappa4", "_logpdf")
def _kappa4_logpdf(self: Any, x: Any, h: Any, k: Any) -> Any:
    """(1/k − 1)·log(1 − k·x) + (1/h − 1)·log(1 − h·y)."""
    y = _kappa4_y(x, k)
    first = -x * log1p_ratio(-k * x) - sc.log1p(-k * x)
    return first - y * log1p_ratio(-h * y) - sc.log1p(-h * y)


# -- relatives of the normal distribution ----------------------------------------------------------


@formula("skewnorm", "_pdf")
def _skewnorm_pdf(self: Any, x: Any, a: Any) -> Any:
    return 2.0 * (np.exp(-(x**2) / 2.0) / math.sqrt(2 * math.pi)) * sc.ndtr(a * x)


@formula("skewnorm", "_logpdf")
def _skewnorm_logpdf(self: Any, x: Any, a: Any) -> Any:
    return math.log(2) + _log_normal(x) + sc.log_ndtr(a * x)


@formula("skewnorm", "_cdf")
def _skewnorm_cdf(self: Any, x: Any, a: Any) -> Any:
    """SciPy's, which integrates the density where it is small; derivatives by Owen's T."""
    smooth = needed("scipy.special._ufuncs:_skewnorm_cdf")(x, 0.0, 1.0, a)
    return valued(self, "_cdf", smooth, x, a)


def log_gauss_mass(a: Any, b: Any) -> Any:
    """log(Φ(b) − Φ(a)), from the nearer tail where both are on one side."""
    right = a > 0
    low, high = np.where(right, -b, a), np.where(right, -a, b)
    central = high > 0
    upper = sc.log_ndtr(np.where(central, -1.0, high))
    lower = sc.log_ndtr(np.where(central, -2.0, low))
    inner_low, inner_high = np.where(central, low, -1.0), np.where(central, high, 1.0)
    both = sc.log1p(-sc.ndtr(inner_low) - sc.ndtr(-inner_high))
    return np.where(central, both, upper + np.log(-sc.expm1(lower - upper)))


@formula("truncnorm", "_logpdf")
def _truncnorm_logpdf(self: Any, x: Any, a: Any, b: Any) -> Any:
    return _log_normal(x) - log_gauss_mass(a, b)


def _refined(near_one: Any, log_p: Any, log_rest: Any) -> Any:
    """log p, by 1 − p where p is near one."""
    rest = np.where(near_one, log_rest, -1.0)
    return np.where(near_one, np.log1p(-np.exp(rest)), log_p)


@formula("truncnorm", "_logcdf")
def _truncnorm_logcdf(self: Any, x: Any, a: Any, b: Any) -> Any:
    total = log_gauss_mass(a, b)
    below = log_gauss_mass(a, x) - total
    return _refined(below > -0.1, below, log_gauss_mass(x, b) - total)


@formula("truncnorm", "_logsf")
def _truncnorm_logsf(self: Any, x: Any, a: Any, b: Any) -> Any:
    total = log_gauss_mass(a, b)
    above = log_gauss_mass(x, b) - total
    return _refined(above > -0.1, above, log_gauss_mass(a, x) - total)


@formula("truncnorm", "_munp")
def _truncnorm_munp(self: Any, n: Any, a: Any, b: Any) -> Any:
    """mₖ = (k − 1)·mₖ₋₂ + aᵏ⁻¹f(a) − bᵏ⁻¹f(b)."""
    at_a, at_b = self._pdf(a, a, b), self._pdf(b, a, b)
    before: Any = 0.0
    moment: Any = 1.0
    for k in range(1, int(n) + 1):
        ends = _end(a, k - 1, at_a) - _end(b, k - 1, at_b)
        before, moment = moment, ends + (k - 1) * before
    return moment


def _end(x: Any, k: int, density: Any) -> Any:
    """xᵏ·f(x), and 0 at an infinite end."""
    finite = np.isfinite(x)
    return np.where(finite, np.where(finite, x, 0.0) ** k * density, 0.0)


@formula("truncnorm", "_stats")
def _truncnorm_stats(self: Any, a: Any, b: Any, moments: str = "mv") -> Any:
    m1, m2, m3, m4 = (self._munp(k, a, b) for k in (1, 2, 3, 4))
    mu2 = m2 - m1 * m1
    g1 = (m3 + m1 * (-3 * m2 + 2 * m1**2)) / np.power(mu2, 1.5)
    return m1, mu2, g1, (m4 + m1 * (-4 * m3 + 3 * m1 * (2 * m2 - m1**2))) / mu2**2 - 3


# -- Pearson's third kind --------------------------------------------------------------------------


@formula("pearson3", "_logpdf")
def _pearson3_logpdf(self: Any, x: Any, skew: Any) -> Any:
    """log f = −log √(2π) − R(4/s²) − x²·(u − log(1 + u))/u² − log(1 + u), u = s·x/2.

    R(α) is what Stirling's formula leaves of log Γ(α): all of it is smooth at s = 0.
    """
    u = 0.5 * skew * x
    inside = u > -1
    u = np.where(inside, u, 0.0)
    square = skew * skew
    small = square < 0.04
    q = np.where(small, square, 0.0) / 4  # 1/α
    near = q / 12 - q**3 / 360 + q**5 / 1260 - q**7 / 1680 + q**9 / 1188
    alpha = 4 / np.where(small, 1.0, square)
    far = sc.gammaln(alpha) - (alpha - 0.5) * np.log(alpha) + alpha - LOG_SQRT_2PI
    out = -LOG_SQRT_2PI - np.where(small, near, far) - x * x * log1p_excess(u) - sc.log1p(u)
    return valued(self, "_logpdf", np.where(inside, out, -np.inf), x, skew)


@formula("pearson3", "_pdf")
def _pearson3_pdf(self: Any, x: Any, skew: Any) -> Any:
    return np.exp(self._logpdf(x, skew))


# -- whose distribution functions SciPy integrates, in C -------------------------------------------


@formula("pearson3 norminvgauss genhyperbolic geninvgauss", "_cdf")
def _integrated_cdf(self: Any, x: Any, *shapes: Any) -> Any:
    return integrated_cdf(self, x, *shapes)


@formula("pearson3 norminvgauss genhyperbolic geninvgauss", "_sf")
def _integrated_sf(self: Any, x: Any, *shapes: Any) -> Any:
    return valued(self, "_sf", -integrated_cdf(self, x, *shapes), x, *shapes)


@formula("geninvgauss", "_logpdf")
def _geninvgauss_logpdf(self: Any, x: Any, p: Any, b: Any) -> Any:
    """−log 2Kₚ(b) + (p − 1)·log x − b·(x + 1/x)/2."""
    constant = -math.log(2) - np.log(sc.kve(p, b)) + b
    return constant + (p - 1) * np.log(x) - b * (x + 1 / x) / 2


@formula("genhyperbolic", "_logpdf")
def _genhyperbolic_logpdf(self: Any, x: Any, p: Any, a: Any, b: Any) -> Any:
    """log K₍ₚ₋½₎(a·√(1 + x²)) and powers, see SciPy's documentation."""
    q = (a - b) * (a + b)
    root, width = np.sqrt(q), np.sqrt(1 + x**2)
    norm = 0.5 * p * np.log(q) - LOG_SQRT_2PI - (p - 0.5) * np.log(a) - np.log(sc.kve(p, root))
    z = a * width
    tail = np.log(sc.kve(p - 0.5, z)) - z + (p - 0.5) * np.log(width)
    return norm + root + tail + b * x


@formula("genhyperbolic", "_pdf")
def _genhyperbolic_pdf(self: Any, x: Any, p: Any, a: Any, b: Any) -> Any:
    return np.exp(self._logpdf(x, p, a, b))


# -- noncentral χ² ---------------------------------------------------------------------------------


def _central(x: Any, df: Any, nc: Any) -> Any:
    """log f(x; k, λ)/f(x; k, 0) for small λ, to second order, which is what is left at λ = 0."""
    r1 = x / df
    r2 = r1 * x / (df + 2)
    return 0.5 * nc * (r1 - 1) + 0.125 * nc * nc * (r2 - r1 * r1)


def _chi2_logpdf(x: Any, df: Any) -> Any:
    return sc.xlogy(df / 2.0 - 1, x) - x / 2.0 - sc.gammaln(df / 2.0) - math.log(2) * df / 2.0


@formula("ncx2", "_logpdf")
def _ncx2_logpdf(self: Any, x: Any, df: Any, nc: Any) -> Any:
    """By Iᵥ(√(λx)); at λ = 0 that of χ²."""
    central = nc == 0
    positive = np.where(central, 1.0, nc)
    half = df / 2.0 - 1.0
    xs, ns = np.sqrt(x), np.sqrt(positive)
    out = sc.xlogy(half / 2.0, x / positive) - 0.5 * (xs - ns) ** 2
    out = out + np.log(sc.ive(half, xs * ns) / 2.0)
    none = np.where(central, nc, 0.0)
    return np.where(central, _chi2_logpdf(x, df) + _central(x, df, none), out)


@formula("ncx2", "_pdf")
def _ncx2_pdf(self: Any, x: Any, df: Any, nc: Any) -> Any:
    central = nc == 0
    positive = np.where(central, 1.0, nc)
    none = np.where(central, nc, 0.0)
    at_zero = np.exp(_chi2_logpdf(x, df) + _central(x, df, none))
    out = needed("scipy.special._ufuncs:_ncx2_pdf")(x, df, positive)
    return np.where(central, at_zero, out)


# -- the noncentral t distribution -----------------------------------------------------------------


@formula("nct", "_stats")
def _nct_stats(self: Any, df: Any, nc: Any, moments: str = "mv") -> Any:
    """Of Z/√(χ²/ν): E Tᵏ = (ν/2)^(k/2)·Γ((ν − k)/2)/Γ(ν/2)·E Zᵏ, where ν > k."""

    def of(k: int, of_normal: Any) -> Any:
        enough = df > k
        v = np.where(enough, df, k + 1.0)
        log = k / 2.0 * np.log(v / 2) + sc.gammaln((v - k) / 2) - sc.gammaln(v / 2)
        return np.where(enough, np.exp(log) * of_normal, np.nan)

    square = nc * nc
    m1, m2 = of(1, nc), of(2, square + 1)
    m3, m4 = of(3, nc * (square + 3)), of(4, square * square + 6 * square + 3)
    mu2 = m2 - m1 * m1
    g1 = (m3 - 3 * m1 * mu2 - m1**3) / np.power(mu2, 1.5)
    g2 = (m4 - 4 * m1 * m3 + 6 * m1 * m1 * m2 - 3 * m1**4) / (mu2 * mu2) - 3
    exact = (
        needed(f"scipy.special._ufuncs:_nct_{name}")(stop_gradient(df), stop_gradient(nc))
        for name in ("mean", "variance", "skewness", "kurtosis_excess")
    )
    return tuple(
        with_slope_of(each, value) for each, value in zip((m1, mu2, g1, g2), exact, strict=True)
    )


# -- circles ---------------------------------------------------------------------------------------


@formula("vonmises", "_cdf")
def _vonmises_cdf(self: Any, x: Any, kappa: Any) -> Any:
    """SciPy's; by κ the integral of the derivative of the density over the last turn."""
    turn = x - 2 * math.pi * np.round(x / (2 * math.pi))
    smooth = integrated_cdf(scipy.stats.vonmises_line, turn, kappa)
    return valued(self, "_cdf", smooth, x, kappa)
