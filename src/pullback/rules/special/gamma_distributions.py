"""The distribution functions that are incomplete gamma functions: of χ², gamma and Poisson.

With P = `gammainc`, Q = `gammaincc`, the density p(a, z) = zᵃ⁻¹e⁻ᶻ/Γ(a), G = ∂Q/∂a and r = G/p.
Inverse functions have the derivatives that their definition implies, in which r does not underflow
where G and p do. The derivatives have the accuracy that those of P and Q have.
"""

from __future__ import annotations

import numpy as np
import scipy.special as sc

from pullback.rules.registration import elementwise
from pullback.rules.special.incomplete_gamma import gamma_density, gamma_ratio, gammaincc_in_a

__all__: list[str] = []


def _in_a(a, z):
    return gammaincc_in_a(a, z, order=1)


def _ratio(a, z):
    return gamma_ratio(a, z, order=1)


# -- χ² -------------------------------------------------------------------------------------------


@elementwise(sc.chdtr, singular=True)
def chdtr(_y, v, x):
    """y = P(v/2, x/2): ∂y/∂v = −G/2, ∂y/∂x = p/2. Infinite at x = 0 for v < 2."""
    return lambda: -_in_a(v / 2, x / 2) / 2, lambda: gamma_density(v / 2, x / 2) / 2


@elementwise(sc.chdtrc, singular=True)
def chdtrc(_y, v, x):
    """y = Q(v/2, x/2): ∂y/∂v = G/2, ∂y/∂x = −p/2. Infinite at x = 0 for v < 2."""
    return lambda: _in_a(v / 2, x / 2) / 2, lambda: -gamma_density(v / 2, x / 2) / 2


@elementwise(sc.chdtri, singular=True)
def chdtri(x, v, _y):
    """Q(v/2, x/2) = y: ∂x/∂v = r, ∂x/∂y = −2/p. Infinite where p = 0, at y = 0 and 1."""
    return lambda: _ratio(v / 2, x / 2), lambda: -2 / gamma_density(v / 2, x / 2)


@elementwise(sc.chdtriv, singular=True)
def chdtriv(v, _y, x):
    """P(v/2, x/2) = y: ∂v/∂y = −2/G, ∂v/∂x = 1/r. Infinite where G = 0, at y = 0 and 1."""
    return lambda: -2 / _in_a(v / 2, x / 2), lambda: 1 / _ratio(v / 2, x / 2)


for _each, _sign in ((chdtr, 1), (chdtrc, -1)):
    _each.singular_at(
        "x = 0 with v < 2",
        lambda v, x: np.equal(x, 0) & np.less(v, 2),
        (1.0, 0.0), (0, _sign * np.inf), (0, np.nan), "pole",
    )  # fmt: skip


# -- gamma ----------------------------------------------------------------------------------------


@elementwise(sc.gdtr, singular=True)
def gdtr(_y, a, b, x):
    """y = P(b, a·x): ∂y/∂a = x·p, ∂y/∂b = −G, ∂y/∂x = a·p. Infinite at x = 0 for b < 1."""
    return (
        lambda: x * gamma_density(b, a * x),
        lambda: -_in_a(b, a * x),
        lambda: a * gamma_density(b, a * x),
    )


@elementwise(sc.gdtrc, singular=True)
def gdtrc(_y, a, b, x):
    """y = Q(b, a·x): ∂y/∂a = −x·p, ∂y/∂b = G, ∂y/∂x = −a·p. Infinite at x = 0 for b < 1."""
    return (
        lambda: -x * gamma_density(b, a * x),
        lambda: _in_a(b, a * x),
        lambda: -a * gamma_density(b, a * x),
    )


@elementwise(sc.gdtrix, singular=True)
def gdtrix(x, a, b, _y):
    """P(b, a·x) = y: ∂x/∂a = −x/a, ∂x/∂b = r/a, ∂x/∂y = 1/(a·p). Infinite where p = 0."""
    return (
        lambda: -x / a,
        lambda: _ratio(b, a * x) / a,
        lambda: 1 / (a * gamma_density(b, a * x)),
    )


@elementwise(sc.gdtria, singular=True)
def gdtria(a, _y, b, x):
    """P(b, a·x) = y: ∂a/∂y = 1/(x·p), ∂a/∂b = r/x, ∂a/∂x = −a/x. Infinite where p = 0."""
    return (
        lambda: 1 / (x * gamma_density(b, a * x)),
        lambda: _ratio(b, a * x) / x,
        lambda: -a / x,
    )


@elementwise(sc.gdtrib, singular=True)
def gdtrib(b, a, _y, x):
    """P(b, a·x) = y: ∂b/∂a = x/r, ∂b/∂y = −1/G, ∂b/∂x = a/r. Infinite where G = 0."""
    return (
        lambda: x / _ratio(b, a * x),
        lambda: -1 / _in_a(b, a * x),
        lambda: a / _ratio(b, a * x),
    )


for _each, _sign in ((gdtr, 1), (gdtrc, -1)):
    _each.singular_at(
        "x = 0 with b < 1",
        lambda _a, b, x: np.equal(x, 0) & np.less(b, 1),
        (1.0, 0.5, 0.0), (None, 0, _sign * np.inf), (None, 0, np.nan), "pole",
    )  # fmt: skip


# -- Poisson --------------------------------------------------------------------------------------


@elementwise(sc.pdtr)
def pdtr(_y, k, m):
    """y = Q(⌊k⌋ + 1, m): ∂y/∂m = −p. In k it is constant between the integers, where it jumps."""
    return None, lambda: -gamma_density(np.floor(k) + 1, m)


@elementwise(sc.pdtrc)
def pdtrc(_y, k, m):
    """y = P(⌊k⌋ + 1, m): ∂y/∂m = p. In k it is constant between the integers, where it jumps."""
    return None, lambda: gamma_density(np.floor(k) + 1, m)


@elementwise(sc.pdtri, singular=True)
def pdtri(m, k, _y):
    """Q(⌊k⌋ + 1, m) = y: ∂m/∂y = −1/p, infinite where p = 0. In k it is constant as ⌊k⌋ is."""
    return None, lambda: -1 / gamma_density(np.floor(k) + 1, m)


@elementwise(sc.pdtrik, singular=True)
def pdtrik(k, _y, m):
    """Q(k + 1, m) = y with real k: ∂k/∂y = 1/G, ∂k/∂m = 1/r. Infinite where G = 0.

    Where SciPy has k = 0 for all smaller y, it is the derivative at y = e⁻ᵐ.
    """
    return lambda: 1 / _in_a(k + 1, m), lambda: 1 / _ratio(k + 1, m)
