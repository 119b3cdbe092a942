"""The non-central χ² and F distributions, differentiated in the argument and the non-centrality.

Both are Poisson mixtures, F(δ) = Σ Pois(j; δ/2)·Fⱼ, so that ∂F/∂δ = Σ Pois(j; δ/2)·(Fⱼ₊₁ − Fⱼ)/2,
in which the difference is a density. They are sums of terms of one sign, as hypergeometric
functions; the derivatives are as accurate as SciPy's `hyp0f1`, `ive` and `hyp1f1`, which is to some
10⁻¹³ where these are finite: for F, where δ·u < 1400, beyond which the derivatives are NaN.
The degrees of freedom have no rule.
"""

from __future__ import annotations

import numpy as np
import scipy.special as sc

from pullback.rules.registration import elementwise
from pullback.rules.special.incomplete_beta import beta_density
from pullback.rules.special.incomplete_gamma import gamma_density
from pullback.rules.special.missing import no_closed_form
from pullback.rules.special.tail_integrals import in_blocks

__all__ = ["chi_density", "mixture_density", "mixture_weight"]


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


def _chi_density(x, v, nc):
    return in_blocks(_chi, x, v, nc)


@elementwise(_chi_density, singular=True)
def chi_density(f, x, v, nc):
    """f = Σ Pois(j; nc/2)·f(x; v + 2j, 0), the density of non-central χ²; no rule for v.

    ∂f/∂x = f·((v − 2)/(2x) − ½) + nc/(2x)·f(v + 2), ∂f/∂nc = (f(v + 2) − f)/2. Infinite at x = 0
    for v < 4 other than 2, where zeros stay zero.
    """
    return (
        lambda: f * ((v - 2) / (2 * x) - 0.5) + nc / (2 * x) * chi_density(x, v + 2, nc),
        no_closed_form("chndtr", "df"),
        lambda: (chi_density(x, v + 2, nc) - f) / 2,
    )


@elementwise(sc.chndtr, singular=True)
def chndtr(_y, x, v, nc):
    """y = F(x): ∂y/∂x is the density f, ∂y/∂nc = −f with v + 2 for v; no rule for v.

    Infinite at x = 0 for v < 2, where zeros stay zero.
    """
    return (
        lambda: chi_density(x, v, nc),
        no_closed_form("chndtr", "df"),
        lambda: -chi_density(x, v + 2, nc),
    )


chndtr.singular_at(
    "x = 0 with df < 2",
    lambda x, v, _nc: np.equal(x, 0) & np.less(v, 2),
    (0.0, 1.0, 1.0), (np.inf, None, None), (np.nan, None, None), "pole",
)  # fmt: skip


@elementwise(sc.chndtrix, singular=True)
def chndtrix(x, _y, v, nc):
    """F(x) = y: ∂x/∂y = 1/f, ∂x/∂nc = f₂/f with f₂ that of v + 2. Infinite where f = 0."""
    return (
        lambda: 1 / chi_density(x, v, nc),
        no_closed_form("chndtrix", "df"),
        lambda: chi_density(x, v + 2, nc) / chi_density(x, v, nc),
    )


@elementwise(sc.chndtrinc, singular=True)
def chndtrinc(nc, x, v, _y):
    """F(x) = y: ∂nc/∂x = f/f₂ with f₂ that of v + 2, ∂nc/∂y = −1/f₂. Infinite where f₂ = 0."""
    return (
        lambda: chi_density(x, v, nc) / chi_density(x, v + 2, nc),
        no_closed_form("chndtrinc", "df"),
        lambda: -1 / chi_density(x, v + 2, nc),
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
