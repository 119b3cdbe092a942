"""The non-central χ² and F distributions: χ² in every argument, F in that and the non-centrality.

Both are Poisson mixtures, F(δ) = Σ Pois(j; δ/2)·Fⱼ, so that ∂F/∂δ = Σ Pois(j; δ/2)·(Fⱼ₊₁ − Fⱼ)/2,
in which the difference is a density. They are sums of terms of one sign, as hypergeometric
functions; the derivatives are as accurate as SciPy's `hyp0f1`, `ive` and `hyp1f1`, which is to some
10⁻¹³ where these are finite: for F, where δ·u < 1400, beyond which the derivatives are NaN. In the
degrees of freedom of χ², each term is differentiated, of which all have one sign for F; those of F
have no rule.
"""

from __future__ import annotations

import numpy as np
import scipy.special as sc

from pullback.rules.registration import elementwise
from pullback.rules.special.cancellation import bell
from pullback.rules.special.incomplete_beta import beta_density
from pullback.rules.special.incomplete_gamma import (
    gamma_density,
    gamma_score,
    gamma_weight,
    gammaincc_in_a,
)
from pullback.rules.special.missing import no_closed_form
from pullback.rules.special.tail_integrals import in_blocks

__all__ = ["chi_density", "chi_in_df", "mixture_density", "mixture_weight"]


# -- χ² -------------------------------------------------------------------------------------------


def _chi(x, v, nc):
    near = x * nc < 2.5e5
    product = np.where(near, x * nc, 0.0)
    central = gamma_density(v / 2, x / 2) / 2
    first = central * np.exp(-nc / 2) * sc.hyp0f1(v / 2, product / 4)
    root = np.sqrt(np.where(near, 1.0, x * nc))
    apart = np.sqrt(x) - np.sqrt(nc)
    power = np.power(np.where(near, 1.0, x / np.where(near, 1.0, nc)), (v - 2) / 4)
    second = np.exp(-apart * apart / 2) / 2 * power * sc.ive(v / 2 - 1, root)
    return np.where(near, first, second)


_MOST = 1e5


def _mixed(x, v, nc, term):
    """Σ Pois(j; nc/2)·term(v/2 + j, x/2), around its largest term; NaN where that is the 10⁵th."""
    peak = (np.sqrt(v * v / 4 + x * nc) - v / 2) / 2
    total = np.full_like(x, np.nan)
    for i in np.flatnonzero((v > 0) & (x >= 0) & (nc >= 0) & (peak < _MOST)):
        reach = 8 * np.sqrt(peak[i]) + 25
        j = np.arange(max(0.0, np.floor(peak[i] - reach)), peak[i] + reach)
        weights = gamma_weight(j, np.full_like(j, nc[i] / 2))
        total[i] = weights @ term(v[i] / 2 + j, np.full_like(j, x[i] / 2))
    return total


def _density_in_a(order):
    """The derivative of the density of χ² in half the degrees of freedom, over 2 to the order."""

    def term(a, x):
        def cumulant(k):
            return gamma_score(a, x) if k == 1 else -sc.polygamma(k - 1, a)

        found = gamma_density(a, x) * bell(cumulant, order)[order,]
        return np.where(x > 0, found, 0.0) / 2 ** (order + 1)

    return term


def _chi_density(x, v, nc, *, order=0):
    if order:
        return in_blocks(lambda x, v, nc: _mixed(x, v, nc, _density_in_a(order)), x, v, nc)
    return in_blocks(_chi, x, v, nc)


def _chi_in_df(x, v, nc, *, order):
    def term(a, x):
        return np.where(x > 0, -gammaincc_in_a(a, x, order=order) / 2**order, 0.0)

    return in_blocks(lambda x, v, nc: _mixed(x, v, nc, term), x, v, nc)


@elementwise(_chi_density, singular=True)
def chi_density(f, x, v, nc, *, order=0):
    """f = Σ Pois(j; nc/2)·f(x; v + 2j, 0), the density of non-central χ², or fₙ = ∂ⁿf/∂vⁿ.

    ∂fₙ/∂x = fₙ·((v − 2)/(2x) − ½) + n·fₙ₋₁/(2x) + nc/(2x)·fₙ(v + 2), ∂fₙ/∂v = fₙ₊₁ and
    ∂fₙ/∂nc = (fₙ(v + 2) − fₙ)/2. Infinite at x = 0 for v < 4 other than 2, where zeros stay zero.
    """

    def further():
        return chi_density(x, v + 2, nc, order=order)

    def in_x():
        below = order * chi_density(x, v, nc, order=order - 1) if order else 0.0
        return f * ((v - 2) / (2 * x) - 0.5) + (below + nc * further()) / (2 * x)

    return in_x, lambda: chi_density(x, v, nc, order=order + 1), lambda: (further() - f) / 2


@elementwise(_chi_in_df, singular=True)
def chi_in_df(_g, x, v, nc, *, order):
    """g = ∂ⁿF/∂vⁿ: ∂g/∂x = fₙ, ∂g/∂v is that of order n + 1, and ∂g/∂nc = −fₙ(v + 2)."""
    return (
        lambda: chi_density(x, v, nc, order=order),
        lambda: chi_in_df(x, v, nc, order=order + 1),
        lambda: -chi_density(x, v + 2, nc, order=order),
    )


@elementwise(sc.chndtr, singular=True)
def chndtr(_y, x, v, nc):
    """y = F(x): ∂y/∂x is the density f, ∂y/∂v a sum, ∂y/∂nc = −f with v + 2 for v.

    Infinite at x = 0 for v < 2, where zeros stay zero.
    """
    return (
        lambda: chi_density(x, v, nc),
        lambda: chi_in_df(x, v, nc, order=1),
        lambda: -chi_density(x, v + 2, nc),
    )


chndtr.singular_at(
    "x = 0 with df < 2",
    lambda x, v, _nc: np.equal(x, 0) & np.less(v, 2),
    (0.0, 1.0, 1.0), (np.inf, 0, None), (np.nan, 0, None), "pole",
)  # fmt: skip


@elementwise(sc.chndtrix, singular=True)
def chndtrix(x, _y, v, nc):
    """F(x) = y: ∂x/∂y = 1/f, ∂x/∂v = −(∂F/∂v)/f, ∂x/∂nc = f₂/f with f₂ that of v + 2.

    Infinite where f = 0.
    """
    return (
        lambda: 1 / chi_density(x, v, nc),
        lambda: -chi_in_df(x, v, nc, order=1) / chi_density(x, v, nc),
        lambda: chi_density(x, v + 2, nc) / chi_density(x, v, nc),
    )


@elementwise(sc.chndtrinc, singular=True)
def chndtrinc(nc, x, v, _y):
    """F(x) = y: ∂nc/∂x = f/f₂ with f₂ that of v + 2, ∂nc/∂v = (∂F/∂v)/f₂, ∂nc/∂y = −1/f₂.

    Infinite where f₂ = 0.
    """
    return (
        lambda: chi_density(x, v, nc) / chi_density(x, v + 2, nc),
        lambda: chi_in_df(x, v, nc, order=1) / chi_density(x, v + 2, nc),
        lambda: -1 / chi_density(x, v + 2, nc),
    )


@elementwise(sc.chndtridf, singular=True)
def chndtridf(v, x, _y, nc):
    """F(x) = y: ∂v/∂x = −f/(∂F/∂v), ∂v/∂y = 1/(∂F/∂v), ∂v/∂nc = f₂/(∂F/∂v), f₂ that of v + 2.

    Infinite where F does not depend on v, at x = 0.
    """

    def slope():
        return chi_in_df(x, v, nc, order=1)

    return (
        lambda: -chi_density(x, v, nc) / slope(),
        lambda: 1 / slope(),
        lambda: chi_density(x, v + 2, nc) / slope(),
    )


# -- F --------------------------------------------------------------------------------------------


def _density(a, b, u, nc):
    return beta_density(a, b, u) * (np.exp(-nc / 2) * sc.hyp1f1(a + b, a, nc * u / 2))


def _weight(a, b, u, nc):
    factor = u * (1 - u) / a * np.exp(-nc / 2) * sc.hyp1f1(a + b, a + 1, nc * u / 2)
    return beta_density(a, b, u) * factor


def _mixture_density(a, b, u, nc):
    return in_blocks(_density, a, b, u, nc)


def _mixture_weight(a, b, u, nc):
    return in_blocks(_weight, a, b, u, nc)


def _refused():
    return no_closed_form("ncfdtr", "dfn"), no_closed_form("ncfdtr", "dfd")


@elementwise(_mixture_density, singular=True)
def mixture_density(h, a, b, u, nc):
    """h = Σ Pois(j; nc/2)·p(a + j, b, u), with the density p of beta; no rule for a and b.

    ∂h/∂u = h·((a − 1)/u − (b − 1)/(1 − u)) + nc/(2u)·h(a + 1), ∂h/∂nc = (h(a + 1) − h)/2.
    """
    return (
        *_refused(),
        lambda: h * ((a - 1) / u - (b - 1) / (1 - u)) + nc / (2 * u) * mixture_density(
            a + 1, b, u, nc),
        lambda: (mixture_density(a + 1, b, u, nc) - h) / 2,
    )  # fmt: skip


@elementwise(_mixture_weight, singular=True)
def mixture_weight(w, a, b, u, nc):
    """w = F(a) − F(a + 1) with F = Σ Pois(j; nc/2)·Iᵤ(a + j, b), a sum of positive terms.

    ∂w/∂u = h(a) − h(a + 1) with `mixture_density`, ∂w/∂nc = (w(a + 1) − w)/2; no rule for a and b.
    """
    return (
        *_refused(),
        lambda: mixture_density(a, b, u, nc) - mixture_density(a + 1, b, u, nc),
        lambda: (mixture_weight(a + 1, b, u, nc) - w) / 2,
    )


def _in_f(m, n, nc, f):
    """The density in f: that in u = m·f/(m·f + n) times ∂u/∂f."""
    total = m * f + n
    return mixture_density(m / 2, n / 2, m * f / total, nc) * (m / total * (n / total))


def _in_nc(m, n, nc, f):
    return -mixture_weight(m / 2, n / 2, m * f / (m * f + n), nc) / 2


@elementwise(sc.ncfdtr, singular=True)
def ncfdtr(_y, m, n, nc, f):
    """y = Σ Pois(j; nc/2)·Iᵤ(m/2 + j, n/2), u = m·f/(m·f + n); no rule for m and n.

    ∂y/∂nc = −w/2 with `mixture_weight`, ∂y/∂f = h·∂u/∂f with `mixture_density`.
    """
    return (
        no_closed_form("ncfdtr", "dfn"),
        no_closed_form("ncfdtr", "dfd"),
        lambda: _in_nc(m, n, nc, f),
        lambda: _in_f(m, n, nc, f),
    )


@elementwise(sc.ncfdtri, singular=True)
def ncfdtri(f, m, n, nc, _p):
    """The f with `ncfdtr` = p: ∂f/∂nc and ∂f/∂p as that implies; no rule for dfn and dfd."""
    return (
        no_closed_form("ncfdtri", "dfn"),
        no_closed_form("ncfdtri", "dfd"),
        lambda: -_in_nc(m, n, nc, f) / _in_f(m, n, nc, f),
        lambda: 1 / _in_f(m, n, nc, f),
    )
