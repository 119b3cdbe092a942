"""The distribution functions that are incomplete beta functions: beta, binomial, and F.

With I = Iₓ(a, b), the density p(a, b, x) = xᵃ⁻¹(1 − x)ᵇ⁻¹/B(a, b), A = (∂I/∂a)/p ≤ 0 and
B = (∂I/∂b)/p ≥ 0, which do not underflow where p does. Inverse functions have the derivatives that
their definition implies. The derivatives have the accuracy that those of I have, but for those of
F in its degrees of freedom, as is said there.
"""

from __future__ import annotations

import numpy as np
import scipy.special as sc

from pullback.rules.registration import array_ufuncs, elementwise, strong_multiply
from pullback.rules.special.incomplete_beta import (
    beta_density,
    beta_ratio,
    betainc,
    betainc_in_parameters,
    betaincinv,
)
from pullback.rules.special.missing import count

__all__: list[str] = []


def _first(a, b, x):
    return beta_ratio(a, b, x, orders=(1, 0))


def _second(a, b, x):
    return beta_ratio(a, b, x, orders=(0, 1))


def _in_first(a, b, x):
    return betainc_in_parameters(a, b, x, orders=(1, 0))


def _in_second(a, b, x):
    return betainc_in_parameters(a, b, x, orders=(0, 1))


# -- beta -----------------------------------------------------------------------------------------


@elementwise(sc.btdtria, singular=True)
def btdtria(a, _y, b, x):
    """Iₓ(a, b) = y: ∂a/∂y = 1/(p·A), ∂a/∂b = −B/A, ∂a/∂x = −1/A. Infinite where A = 0."""
    return (
        lambda: 1 / _in_first(a, b, x),
        lambda: -_second(a, b, x) / _first(a, b, x),
        lambda: -1 / _first(a, b, x),
    )


@elementwise(sc.btdtrib, singular=True)
def btdtrib(b, a, _y, x):
    """Iₓ(a, b) = y: ∂b/∂a = −A/B, ∂b/∂y = 1/(p·B), ∂b/∂x = −1/B. Infinite where B = 0."""
    return (
        lambda: -_first(a, b, x) / _second(a, b, x),
        lambda: 1 / _in_second(a, b, x),
        lambda: -1 / _second(a, b, x),
    )


for _name, _new in (("btdtr", betainc), ("btdtri", betaincinv)):
    # What older releases of SciPy call them.
    if isinstance(getattr(sc, _name, None), np.ufunc):
        array_ufuncs[getattr(sc, _name)] = _new


# -- binomial -------------------------------------------------------------------------------------


@elementwise(sc.bdtr)
def bdtr(_y, k, n, p):
    """y = 1 − Iₚ(⌊k⌋ + 1, n − ⌊k⌋): ∂y/∂p is the density with the other sign.

    In k it is constant between the integers, where it jumps; n is a count.
    """
    return None, count("bdtr", "n"), lambda: -beta_density(np.floor(k) + 1, n - np.floor(k), p)


@elementwise(sc.bdtrc)
def bdtrc(_y, k, n, p):
    """y = Iₚ(⌊k⌋ + 1, n − ⌊k⌋): ∂y/∂p is the density.

    In k it is constant between the integers, where it jumps; n is a count.
    """
    return None, count("bdtrc", "n"), lambda: beta_density(np.floor(k) + 1, n - np.floor(k), p)


@elementwise(sc.bdtri, singular=True)
def bdtri(p, k, n, _y):
    """1 − Iₚ(⌊k⌋ + 1, n − ⌊k⌋) = y: ∂p/∂y is −1 over the density, infinite where that is 0.

    In k it is constant between the integers, where it jumps; n is a count.
    """
    return (
        None, count("bdtri", "n"), lambda: -1 / beta_density(np.floor(k) + 1, n - np.floor(k), p),
    )  # fmt: skip


@elementwise(sc.bdtrik, singular=True)
def bdtrik(k, _y, n, p):
    """1 − Iₚ(k + 1, n − k) = y with real k and n, with A and B there, infinite where p = 0.

    ∂k/∂y = 1/(p·(B − A)), ∂k/∂n = B/(B − A), ∂k/∂p = 1/(B − A).
    """

    def both():
        return _second(k + 1, n - k, p) - _first(k + 1, n - k, p)

    return (
        lambda: 1 / (_in_second(k + 1, n - k, p) - _in_first(k + 1, n - k, p)),
        lambda: _second(k + 1, n - k, p) / both(),
        lambda: 1 / both(),
    )


@elementwise(sc.bdtrin, singular=True)
def bdtrin(n, k, _y, p):
    """1 − Iₚ(k + 1, n − k) = y with real k and n, with A and B there, infinite where p = 0.

    ∂n/∂k = (B − A)/B, ∂n/∂y = −1/(p·B), ∂n/∂p = −1/B.
    """
    return (
        lambda: 1 - _first(k + 1, n - k, p) / _second(k + 1, n - k, p),
        lambda: -1 / _in_second(k + 1, n - k, p),
        lambda: -1 / _second(k + 1, n - k, p),
    )


@elementwise(sc.nbdtr)
def nbdtr(_y, k, n, p):
    """y = Iₚ(n, k + 1) with integers n and k: ∂y/∂p is the density."""
    return (
        count("nbdtr", "k"), count("nbdtr", "n"),
        lambda: beta_density(np.trunc(n), np.trunc(k) + 1, p),
    )  # fmt: skip


@elementwise(sc.nbdtrc)
def nbdtrc(_y, k, n, p):
    """y = 1 − Iₚ(n, k + 1) with integers n and k: ∂y/∂p is the density with the other sign."""
    return (
        count("nbdtrc", "k"), count("nbdtrc", "n"),
        lambda: -beta_density(np.trunc(n), np.trunc(k) + 1, p),
    )  # fmt: skip


@elementwise(sc.nbdtri, singular=True)
def nbdtri(p, k, n, _y):
    """Iₚ(n, k + 1) = y with integers n and k: ∂p/∂y is 1 over the density, infinite at 0 and 1."""
    return (
        count("nbdtri", "k"), count("nbdtri", "n"),
        lambda: 1 / beta_density(np.trunc(n), np.trunc(k) + 1, p),
    )  # fmt: skip


@elementwise(sc.nbdtrik, singular=True)
def nbdtrik(k, _y, n, p):
    """Iₚ(n, k + 1) = y with real k and n: ∂k/∂y = 1/(p·B), ∂k/∂n = −A/B, ∂k/∂p = −1/B.

    A and B are those at n and k + 1. Infinite where p = 0.
    """
    return (
        lambda: 1 / _in_second(n, k + 1, p),
        lambda: -_first(n, k + 1, p) / _second(n, k + 1, p),
        lambda: -1 / _second(n, k + 1, p),
    )


@elementwise(sc.nbdtrin, singular=True)
def nbdtrin(n, k, _y, p):
    """Iₚ(n, k + 1) = y with real k and n: ∂n/∂k = −B/A, ∂n/∂y = 1/(p·A), ∂n/∂p = −1/A.

    A and B are those at n and k + 1. Infinite where p = 0.
    """
    return (
        lambda: -_second(n, k + 1, p) / _first(n, k + 1, p),
        lambda: 1 / _in_first(n, k + 1, p),
        lambda: -1 / _first(n, k + 1, p),
    )


# -- F --------------------------------------------------------------------------------------------


class _Ratio:
    """Where F is Iᵤ(m/2, n/2), u = m·x/(m·x + n), and 1 − Iᵥ(n/2, m/2) with v = 1 − u if u > 1/2.

    What is asked for is made of the smaller of u and v, which is known to rounding.
    """

    def __init__(self, m, n, x):
        self.u, self.v = m * x / (m * x + n), n / (m * x + n)
        self.upper = np.greater(self.u, 0.5)
        self.at = (
            np.where(self.upper, n, m) / 2,
            np.where(self.upper, m, n) / 2,
            np.where(self.upper, self.v, self.u),
        )

    def in_m(self):
        """∂F/∂m at fixed u."""
        return np.where(self.upper, -_in_second(*self.at), _in_first(*self.at)) / 2

    def in_n(self):
        """∂F/∂n at fixed u."""
        return np.where(self.upper, -_in_first(*self.at), _in_second(*self.at)) / 2

    def weight(self):
        """u·v times the density at u, which is x·∂F/∂x."""
        return strong_multiply(self.u * self.v, beta_density(*self.at))

    def ratio_in_m(self):
        """∂F/∂m over x·∂F/∂x."""
        found = np.where(self.upper, -_second(*self.at), _first(*self.at))
        return found / (2 * self.u * self.v)

    def ratio_in_n(self):
        """∂F/∂n over x·∂F/∂x."""
        found = np.where(self.upper, -_first(*self.at), _second(*self.at))
        return found / (2 * self.u * self.v)


@elementwise(sc.fdtr, singular=True)
def fdtr(_y, m, n, x):
    """y = Iᵤ(m/2, n/2) with u = m·x/(m·x + n): with w = u·(1 − u)·p, p the density there,

    ∂y/∂m = (∂I/∂a)/2 + w/m, ∂y/∂n = (∂I/∂b)/2 − w/n, ∂y/∂x = w/x. In each of the first two, terms
    cancel to their part √(1/m + 1/n) at least; the relative error is rounding over that part.
    Infinite at x = 0 for m < 2.
    """
    return _derivatives(m, n, x)


@elementwise(sc.fdtrc, singular=True)
def fdtrc(_y, m, n, x):
    """y = 1 − Iᵤ(m/2, n/2): the derivatives of `fdtr` with the other sign, as accurate as those.

    Infinite at x = 0 for m < 2.
    """

    def negative(position):
        return lambda: -_derivatives(m, n, x)[position]()

    return negative(0), negative(1), negative(2)


def _derivatives(m, n, x):
    parts = _Ratio(m, n, x)

    def in_x():
        zero = np.equal(x, 0)
        edge = beta_density(m / 2, n / 2, m * x / (m * x + n)) * (m / n)
        return np.where(zero, edge, parts.weight() / np.where(zero, 1, x))

    return (
        lambda: parts.in_m() + parts.weight() / m,
        lambda: parts.in_n() - parts.weight() / n,
        in_x,
    )


@elementwise(sc.fdtri, singular=True)
def fdtri(x, m, n, _y):
    """Iᵤ(m/2, n/2) = y: ∂x/∂y = x/w and ∂x/∂m = −x·(∂y/∂m)/w, ∂x/∂n likewise, as in `fdtr`.

    Infinite at y = 0 and 1.
    """
    return (
        lambda: -x * (_Ratio(m, n, x).ratio_in_m() + 1 / m),
        lambda: -x * (_Ratio(m, n, x).ratio_in_n() - 1 / n),
        lambda: 1 / _derivatives(m, n, x)[2](),
    )


@elementwise(sc.fdtridfd, singular=True)
def fdtridfd(n, m, _y, x):
    """Iᵤ(m/2, n/2) = y: ∂n/∂y = 1/(∂y/∂n), ∂n/∂m = −(∂y/∂m)/(∂y/∂n), ∂n/∂x likewise, as in `fdtr`.

    Infinite at x = 0, and where y does not depend on n, near its median.
    """

    def in_n():
        return _Ratio(m, n, x).ratio_in_n() - 1 / n

    return (
        lambda: -(_Ratio(m, n, x).ratio_in_m() + 1 / m) / in_n(),
        lambda: 1 / _derivatives(m, n, x)[1](),
        lambda: -1 / (x * in_n()),
    )


for _each, _sign in ((fdtr, 1), (fdtrc, -1)):
    _each.singular_at(
        "x = 0 with m < 2",
        lambda m, _n, x: np.equal(x, 0) & np.less(m, 2),
        (1.0, 2.0, 0.0), (None, None, _sign * np.inf), (None, None, np.nan), "pole",
    )  # fmt: skip
