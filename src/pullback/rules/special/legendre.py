"""Legendre functions and spherical harmonics as `scipy.special` has them since its release 1.15.

Degrees and orders are whole numbers, and constant. Derivatives in angles are by neighbours in the
order (DLMF 14.10 and 14.30.1), which holds at the poles too.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.special as sc

from pullback.errors import NoRuleError
from pullback.rules.registration import elementwise

__all__ = ["assoc_legendre_p", "legendre_p", "sph_harm_y", "sph_legendre_p"]


def _whole(n):
    """As integers, which rules get as floating numbers."""
    return np.asarray(n).astype(np.int64)[()]


def _legendre_p(n, z, *, order=0):
    n = _whole(n)
    if order <= 2:
        return np.asarray(sc.legendre_p(n, z, diff_n=order)[order], order="C")[()]
    factor = math.prod(range(1, 2 * order, 2))
    lower = np.maximum(n - order, 0)
    value = factor * sc.eval_gegenbauer(lower, order + 0.5, z)
    return np.where(np.greater_equal(n, order), value, 0 * value)[()]


@elementwise(_legendre_p)
def legendre_p(_y, n, z, *, order=0):
    """y = Pₙ(z) or a derivative of it, by SciPy and, from the third on, Gegenbauer polynomials."""
    return None, lambda: legendre_p(n, z, order=order + 1)


def _assoc_legendre_p(n, m, z, *, branch_cut=2, norm=False, order=0):
    n, m = _whole(n), _whole(m)
    values = sc.assoc_legendre_p(n, m, z, branch_cut=branch_cut, norm=norm, diff_n=order)
    return np.asarray(values[order], order="C")[()]


@elementwise(_assoc_legendre_p, singular=True)
def assoc_legendre_p(_y, n, m, z, *, branch_cut=2, norm=False, order=0):
    """y = Pₙᵐ(z) or a derivative of it, by SciPy, which has two of them."""

    def slope():
        if order == 2:
            raise NoRuleError(
                "scipy.special.assoc_legendre_p: its third derivative has no rule in pullback; "
                "use scipy.special.lpmv for real arguments"
            )
        return assoc_legendre_p(n, m, z, branch_cut=branch_cut, norm=norm, order=order + 1)

    return None, None, slope


def _between(function, n, m, theta, turned=None):
    """±½(√((n − m)(n + m + 1))·y^{m+1}·t⁻¹ − √((n + m)(n − m + 1))·y^{m−1}·t), with a turn t.

    It is − where sin θ < 0, as SciPy's functions are of |sin θ|.
    """
    up = np.sqrt(np.maximum((n - m) * (n + m + 1), 0) * 1.0)
    down = np.sqrt(np.maximum((n + m) * (n - m + 1), 0) * 1.0)
    above, below = function(n, m + 1), function(n, m - 1)
    if turned is not None:
        above, below = above * np.conj(turned), below * turned
    side = np.where(np.less(np.sin(theta), 0), -0.5, 0.5)
    return side * (up * above - down * below)


def _sph_legendre_p(n, m, theta):
    return sc.sph_legendre_p(_whole(n), _whole(m), theta)[0]


@elementwise(_sph_legendre_p)
def sph_legendre_p(_y, n, m, theta):
    """y = the spherical harmonic at φ = 0: ∂y/∂θ is half the difference of y^{m+1} and y^{m−1},
    each times the root of its ladder.
    """
    return None, None, lambda: _between(lambda n, m: sph_legendre_p(n, m, theta), n, m, theta)


def _sph_harm_y(n, m, theta, phi):
    return sc.sph_harm_y(_whole(n), _whole(m), theta, phi)


@elementwise(_sph_harm_y)
def sph_harm_y(y, n, m, theta, phi):
    """y = Yₙᵐ(θ, φ): ∂y/∂θ by the ladder in m, ∂y/∂φ = i·m·y."""
    return (
        None,
        None,
        lambda: _between(lambda n, m: sph_harm_y(n, m, theta, phi), n, m, theta, np.exp(1j * phi)),
        lambda: 1j * m * y,
    )
