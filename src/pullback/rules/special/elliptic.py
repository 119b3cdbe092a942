"""Elliptic integrals and functions: Legendre's, Carlson's symmetric ones, and Jacobi's functions.

Each derivative is an integral of the form of DLMF 19.16 and 19.23 with a positive integrand,
∫₀^∞ tʲ·Π(t + zᵢ)^(−bᵢ) dt, whose derivatives are integrals of that form again: nothing cancels,
in whichever order. It is evaluated by the trapezoidal rule in s = log t, where the integrand is
analytic within |Im s| < π − |arg zᵢ|, so that the error is some exp(−2π·π/h).
"""

from __future__ import annotations

import math

import numpy as np
import scipy.special as sc

from pullback.rules.registration import array_ufuncs, elementwise
from pullback.rules.special.expansions import in_double

__all__ = ["carlson"]

STEP = 0.4
DIGITS = 40.0
BLOCK = 128


@in_double
def _carlson(*z, exponents, lift=0.0):
    shape = z[0].shape
    flat = np.stack([x.ravel() for x in z])
    out = np.empty(flat.shape[1], flat.dtype)
    for start in range(0, out.size, 256):
        part = slice(start, start + 256)
        out[part] = _quadrature(flat[:, part], exponents, lift)
    return out.reshape(shape)


def _power(x, exponent):
    """x to a multiple of ½, by products and a root."""
    value = np.sqrt(x) if exponent % 1 else 1.0
    for _ in range(int(exponent)):
        value = value * x
    return value


def _quadrature(z, exponents, lift):
    """∫₀^∞ t^lift·Π(t + zᵢ)^(−bᵢ) dt for each column of z."""
    b = np.asarray(exponents)[:, None]
    size = np.abs(z)
    zero = (size == 0) & (b != 0)
    at_zero = lift + 1 - np.sum(np.where(zero, b, 0), axis=0)
    at_infinity = float(np.sum(b)) - lift - 1
    valid = (at_zero > 0) & (at_infinity > 0) & np.isfinite(size).all(axis=0)
    used = (size > 0) & (b != 0)
    logs = np.log(np.where(used, size, 1.0))
    low = np.min(np.where(used, logs, np.inf), axis=0)
    high = np.max(np.where(used, logs, -np.inf), axis=0)
    low, high = np.where(valid, low, 0.0), np.where(valid, high, 0.0)
    low = low - DIGITS / np.where(valid, at_zero, 1)
    high = high + DIGITS / at_infinity
    turned = np.max(np.where(used, np.abs(np.angle(z)), 0.0), axis=0)
    step = np.minimum(STEP, 2 * math.pi / DIGITS * np.maximum(math.pi - turned, 0.05))
    count = np.ceil((high - low) / step)[:, None]
    total = np.zeros(z.shape[1], z.dtype)
    # In blocks of nodes, so that a result does not depend on what else is computed with it.
    for start in range(0, int(np.max(count)) + 1, BLOCK):
        k = np.arange(start, start + BLOCK)
        t = np.exp(low[:, None] + step[:, None] * k)
        terms = _power(t, lift + 1)
        for row, exponent in zip(z, exponents, strict=True):
            if exponent:
                terms = terms / _power(t + row[:, None], exponent)
        total = total + np.sum(np.where(k <= count, terms, 0), axis=1)
    diverges = (at_zero <= 0) & np.isfinite(size).all(axis=0)
    total = np.where(valid, total * step, np.where(diverges, np.inf, np.nan))
    negative = ((np.imag(z) == 0) & (np.real(z) < 0) & (b != 0)).any(axis=0)
    return np.where(negative, np.nan, total)


def _same(*arguments, exponents, lift=0.0):
    return _carlson(*arguments, exponents=exponents, lift=lift)


@elementwise(_same, name="carlson", singular=True)
def carlson(_y, *z, exponents, lift=0.0):
    """y = ∫₀^∞ t^lift·Π(t + zᵢ)^(−bᵢ) dt: ∂y/∂zᵢ is −bᵢ times that with bᵢ + 1.

    For zᵢ without the negative numbers; NaN where it diverges, as where two of them are 0.
    """

    def slope(i):
        more = tuple(b + (k == i) for k, b in enumerate(exponents))
        return lambda: -exponents[i] * carlson(*z, exponents=more, lift=lift)

    return tuple(slope(i) if exponents[i] else None for i in range(len(exponents)))


# -- Carlson's integrals --------------------------------------------------------------------------


def _sloped(factor, lift, exponents):
    """The rule with ∂/∂zᵢ = −bᵢ·factor·∫ tʲ·Π(t + z)^(−b), one more for zᵢ."""

    def entries(*z):
        def slope(i):
            more = tuple(b + (k == i) for k, b in enumerate(exponents))
            return lambda: (-factor * exponents[i]) * carlson(*z, exponents=more, lift=lift)

        return tuple(slope(i) for i in range(len(z)))

    return entries


@elementwise(sc.elliprf, singular=True)
def elliprf(_r, x, y, z):
    """R_F = ½∫₀^∞ ((t + x)(t + y)(t + z))^(−1/2) dt (DLMF 19.16.1): ∂/∂x under the integral.

    Infinite at 0. Not known on the cut, for negative arguments: NaN.
    """
    return _sloped(0.5, 0.0, (0.5, 0.5, 0.5))(x, y, z)


@elementwise(sc.elliprd, singular=True)
def elliprd(_r, x, y, z):
    """R_D = 3/2·∫₀^∞ ((t + x)(t + y))^(−1/2)·(t + z)^(−3/2) dt (DLMF 19.16.5)."""
    return _sloped(1.5, 0.0, (0.5, 0.5, 1.5))(x, y, z)


@elementwise(sc.elliprj, singular=True)
def elliprj(_r, x, y, z, p):
    """R_J = 3/2·∫₀^∞ ((t + x)(t + y)(t + z))^(−1/2)/(t + p) dt (DLMF 19.16.2).

    For p < 0, where it is a principal value, the derivative has no rule: NaN.
    """
    return _sloped(1.5, 0.0, (0.5, 0.5, 0.5, 1.0))(x, y, z, p)


@elementwise(sc.elliprc, singular=True)
def elliprc(_r, x, y):
    """R_C = ½∫₀^∞ (t + x)^(−1/2)/(t + y) dt (DLMF 19.16.6).

    For y < 0, where it is a principal value, √(x/(x − y))·R_C(x − y, −y) (DLMF 19.2.20).
    """

    def principal():
        return np.less(np.real(y), 0) & np.equal(np.imag(y), 0)

    def shifted():
        below = principal()
        u, v = np.where(below, x - y, x), np.where(below, -y, y)
        first, second = _sloped(0.5, 0.0, (0.5, 1.0))(u, v)
        return below, u, v, first(), second()

    def in_x():
        below, u, v, first, _ = shifted()
        safe = np.where(below, x, 1)
        root = np.sqrt(safe / np.where(below, u, 1))
        turned = root * (first + sc.elliprc(u, v) * (v / (2 * u * safe)))
        return np.where(below, turned, first)

    def in_y():
        below, u, v, first, second = shifted()
        root = np.sqrt(np.where(below, x, 1) / np.where(below, u, 1))
        turned = root * (sc.elliprc(u, v) / (2 * u) - first - second)
        return np.where(below, turned, second)

    return in_x, in_y


@elementwise(sc.elliprg, singular=True)
def elliprg(_r, x, y, z):
    """R_G = R_{1/2}(½, ½, ½; x, y, z) (DLMF 19.16.3): ∂/∂x = ⅛∫₀^∞ t·(t + x)^(−3/2)·… dt."""
    return _sloped(-0.25, 1.0, (0.5, 0.5, 0.5))(x, y, z)


for _each, _example in (
    (elliprf, (0.0, 1.0, 1.0)), (elliprd, (0.0, 1.0, 1.0)), (elliprj, (0.0, 1.0, 1.0, 1.0)),
    (elliprc, (0.0, 1.0)),
):  # fmt: skip
    _rest = (None,) * (len(_example) - 1)
    _each.singular_at(
        "x = 0", lambda x, *_: np.equal(x, 0), _example, (-np.inf, *_rest), (np.nan, *_rest),
        "pole", arguments=(0,),
    )  # fmt: skip


# -- Legendre's complete integrals ----------------------------------------------------------------


def _rising(start, n):
    return math.prod(start + k for k in range(n))


def complete_first(p, n):
    """The n-th derivative of K in m, with p = 1 − m, for n > 0."""
    factor = 0.5 * _rising(0.5, n)
    return factor * carlson(0.0, p, 1.0, exponents=(0.5, 0.5 + n, 0.5))


def complete_second(p, n):
    """The n-th derivative of E in m, with p = 1 − m, for n > 0."""
    factor = -0.25 * _rising(0.5, n - 1)
    return factor * carlson(0.0, p, 1.0, exponents=(0.5, n - 0.5, 1.5))


@elementwise(sc.ellipk, poles={1: np.inf})
def ellipk(_y, m):
    """y = K(m) = ∫₀^{π/2} (1 − m·sin²θ)^(−1/2) dθ: ∂y/∂m = ⅙·R_D(0, 1, 1 − m).

    Infinite at m = 1, where zeros stay zero. (DLMF 19.25.1 with 19.18.1.)
    """
    return complete_first(1 - m, 1)


@elementwise(sc.ellipkm1, poles={0: -np.inf})
def ellipkm1(_y, p):
    """y = K(1 − p): ∂y/∂p = −⅙·R_D(0, 1, p). Infinite at p = 0, where zeros stay zero."""
    return -complete_first(p, 1)


@elementwise(sc.ellipe, poles={1: -np.inf})
def ellipe(_y, m):
    """y = E(m) = ∫₀^{π/2} (1 − m·sin²θ)^(1/2) dθ: ∂y/∂m = −⅙·R_D(0, 1 − m, 1).

    Infinite at m = 1, where zeros stay zero.
    """
    return complete_second(1 - m, 1)


# -- Legendre's incomplete integrals --------------------------------------------------------------


def _delta(phi, m):
    """1 − m·sin²φ, as cos²φ + (1 − m)·sin²φ, which loses nothing near 0."""
    sine, cosine = np.sin(phi), np.cos(phi)
    return cosine * cosine + (1 - m) * (sine * sine)


def _turns(phi):
    return np.rint(phi / math.pi)


@in_double
def _in_parameter(phi, m, *, order, first):
    """The derivative in m of this order, at least 1, of F or E."""
    turns = _turns(phi)
    rest = phi - turns * math.pi
    sine = np.abs(np.sin(rest))
    inverse = np.where(sine > 0, sine, 1.0)
    c = 1 / (inverse * inverse)
    cosine = np.cos(rest)
    x = cosine * cosine * c
    y = x + (1 - m)
    if first:
        factor, exponents = 0.5 * _rising(0.5, order), (0.5, 0.5 + order, 0.5)
    else:
        factor, exponents = -0.25 * _rising(0.5, order - 1), (0.5, order - 0.5, 1.5)
    part = factor * _carlson(x, y, c, exponents=exponents) * np.sign(rest)
    part = np.where(sine > 0, part, 0.0)
    if np.any(turns):
        whole = factor * _carlson(0.0 * m, 1 - m, 1.0 + 0 * m, exponents=exponents)
        part = part + np.where(turns != 0, 2 * turns * whole, 0)
    return part


@elementwise(_in_parameter, name="legendre", singular=True)
def legendre(_y, phi, m, *, order, first):
    """y = ∂ⁿF/∂mⁿ or ∂ⁿE/∂mⁿ: ∂y/∂φ is the derivative of the integrand, ∂y/∂m the next."""

    def in_phi():
        sine = np.sin(phi)
        if first:
            factor, power = _rising(0.5, order), -0.5 - order
        else:
            factor, power = -0.5 * _rising(0.5, order - 1), 0.5 - order
        return factor * sine ** (2 * order) * _delta(phi, m) ** power

    return in_phi, lambda: legendre(phi, m, order=order + 1, first=first)


@elementwise(sc.ellipkinc, singular=True)
def ellipkinc(_y, phi, m):
    """y = F(φ, m) = ∫₀^φ (1 − m·sin²θ)^(−1/2) dθ: ∂y/∂φ = (1 − m·sin²φ)^(−1/2).

    ∂y/∂m is an integral, with K′(m) for each half turn. Both are infinite at m·sin²φ = 1.
    """
    return (
        lambda: 1 / np.sqrt(_delta(phi, m)),
        lambda: legendre(phi, m, order=1, first=True),
    )


@elementwise(sc.ellipeinc, singular=True)
def ellipeinc(_y, phi, m):
    """y = E(φ, m) = ∫₀^φ (1 − m·sin²θ)^(1/2) dθ: ∂y/∂φ = (1 − m·sin²φ)^(1/2), ∂y/∂m an integral.

    ∂y/∂m is infinite beyond φ = π/2 at m = 1.
    """
    return (
        lambda: np.sqrt(_delta(phi, m)),
        lambda: legendre(phi, m, order=1, first=False),
    )


# -- Jacobi's functions ---------------------------------------------------------------------------


def _amplitude_slope(u, m):
    """∂φ/∂m of the amplitude, where u = F(φ, m): −dn·∂F/∂m."""
    return -dn(u, m) * legendre(ph(u, m), m, order=1, first=True)


def _jacobi(position, name):
    return elementwise(lambda u, m: sc.ellipj(u, m)[position], name=name)


@_jacobi(0, "sn")
def sn(_y, u, m):
    """y = sn(u|m): ∂y/∂u = cn·dn, ∂y/∂m = cn·∂φ/∂m (DLMF 22.13.1, 22.16.1)."""
    return lambda: cn(u, m) * dn(u, m), lambda: cn(u, m) * _amplitude_slope(u, m)


@_jacobi(1, "cn")
def cn(_y, u, m):
    """y = cn(u|m): ∂y/∂u = −sn·dn, ∂y/∂m = −sn·∂φ/∂m."""
    return lambda: -sn(u, m) * dn(u, m), lambda: -sn(u, m) * _amplitude_slope(u, m)


@_jacobi(2, "dn")
def dn(y, u, m):
    """y = dn(u|m): ∂y/∂u = −m·sn·cn, ∂y/∂m = −sn·(sn + 2m·cn·∂φ/∂m)/(2·dn)."""

    def in_parameter():
        s = sn(u, m)
        return -s * (s + 2 * m * cn(u, m) * _amplitude_slope(u, m)) / (2 * y)

    return lambda: -m * sn(u, m) * cn(u, m), in_parameter


@_jacobi(3, "ph")
def ph(_y, u, m):
    """y = the amplitude φ, where u = F(φ, m): ∂y/∂u = dn, ∂y/∂m = −dn·∂F/∂m."""
    return lambda: dn(u, m), lambda: _amplitude_slope(u, m)


array_ufuncs[sc.ellipj] = lambda u, m: (sn(u, m), cn(u, m), dn(u, m), ph(u, m))
