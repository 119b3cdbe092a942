"""Functions akin to Bessel's: Struve, Kelvin, Airy, parabolic cylinders, integrals of Bessel's.

Parameters have no rule, unless said. Airy and parabolic cylinder functions follow from their
differential equations.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.special as sc

from pullback.rules.registration import array_ufuncs, elementwise
from pullback.rules.special.missing import no_closed_form

__all__: list[str] = []

SQRT_PI = math.sqrt(math.pi)


def _part(ufunc, position, name, **differing):
    """Enter one of the results of a ufunc as a primitive of its own."""

    def value(*args):
        return ufunc(*args)[position]

    return elementwise(value, name=name, **differing)


# -- Struve ---------------------------------------------------------------------------------------


def _inhomogeneous(v, x):
    return (0.5 * x) ** v * sc.rgamma(v + 1.5) / SQRT_PI


@elementwise(sc.struve, singular=True)
def struve(y, v, x):
    """y = Hᵥ(x): ∂y/∂x = Hᵥ₋₁ − (v/x)·Hᵥ, and for |x| < v + 1 the mean of that and the formula with
    Hᵥ₊₁ (DLMF 11.4.27, 28), which holds at x = 0; no rule for v.
    """

    def slope():
        near = np.less(np.abs(x), v + 1)
        u = np.where(near, v + 2, x)
        far = sc.struve(v - 1, u) - (v / u) * np.where(near, 0, y)
        s = np.where(near, x, 0)
        both = (sc.struve(v - 1, s) - sc.struve(v + 1, s) + _inhomogeneous(v, s)) / 2
        near_slope = np.where(np.equal(v, 0), 2 / math.pi - sc.struve(1.0, s), both)
        return np.where(near, near_slope, far)

    return no_closed_form("struve", "v"), slope


@elementwise(sc.modstruve, singular=True)
def modstruve(_y, v, x):
    """y = Lᵥ(x): ∂y/∂x = (Lᵥ₋₁ + Lᵥ₊₁ + (x/2)ᵛ/(√π·Γ(v + 3/2)))/2 (DLMF 11.4.30); none for v."""

    def slope():
        both = (sc.modstruve(v - 1, x) + sc.modstruve(v + 1, x) + _inhomogeneous(v, x)) / 2
        return np.where(np.equal(v, 0), 2 / math.pi + sc.modstruve(1.0, x), both)

    return no_closed_form("modstruve", "v"), slope


# -- Kelvin ---------------------------------------------------------------------------------------

OUTWARD, INWARD = complex(-1, 1) / math.sqrt(2), complex(1, 1) / math.sqrt(2)


def _first(x):
    """(ber + i·bei)″ = i·(J₀ − J₂)(x·e^(3πi/4))/2, as ber + i·bei = J₀ there (DLMF 10.61.1)."""
    z = OUTWARD * x
    return (0.5j) * (sc.jv(0, z) - sc.jv(2, z))


def _second(x):
    """(ker + i·kei)″ = i·(K₀ + K₂)(x·e^(πi/4))/2, as ker + i·kei = K₀ there (DLMF 10.61.2)."""
    z = INWARD * x
    return (0.5j) * (sc.kv(0, z) + sc.kv(2, z))


@elementwise(sc.ber)
def ber(_y, x):
    """The slope of ber is SciPy's berp."""
    return sc.berp(x)


@elementwise(sc.bei)
def bei(_y, x):
    """The slope of bei is SciPy's beip."""
    return sc.beip(x)


@elementwise(sc.ker, poles={0: -np.inf})
def ker(_y, x):
    """The slope of ker is SciPy's kerp; −∞ at x = 0, where zeros stay zero."""
    return sc.kerp(x)


@elementwise(sc.kei, singular=True)
def kei(_y, x):
    """The slope of kei is SciPy's keip."""
    return sc.keip(x)


@elementwise(sc.berp)
def berp(_y, x):
    """y = ber′: ∂y/∂x = Re(i·(J₀ − J₂))/2 at x·e^(3πi/4)."""
    return np.real(_first(x))


@elementwise(sc.beip)
def beip(_y, x):
    """y = bei′: ∂y/∂x = Im(i·(J₀ − J₂))/2 at x·e^(3πi/4)."""
    return np.imag(_first(x))


@elementwise(sc.kerp, singular=True)
def kerp(_y, x):
    """y = ker′: ∂y/∂x = Re(i·(K₀ + K₂))/2 at x·e^(πi/4)."""
    return np.real(_second(x))


@elementwise(sc.keip, singular=True)
def keip(_y, x):
    """y = kei′: ∂y/∂x = Im(i·(K₀ + K₂))/2 at x·e^(πi/4)."""
    return np.imag(_second(x))


def _kelvin(x):
    """Be = ber + i·bei, Ke = ker + i·kei, and their derivatives."""
    return (
        ber(x) + 1j * bei(x),
        ker(x) + 1j * kei(x),
        berp(x) + 1j * beip(x),
        kerp(x) + 1j * keip(x),
    )


array_ufuncs[sc.kelvin] = _kelvin


# -- Airy -----------------------------------------------------------------------------------------


@_part(sc.airy, 0, "ai")
def ai(_y, x):
    """y = Ai(x): ∂y/∂x = Ai′."""
    return aip(x)


@_part(sc.airy, 1, "aip")
def aip(_y, x):
    """y = Ai′(x): ∂y/∂x = x·Ai (DLMF 9.2.1)."""
    return x * ai(x)


@_part(sc.airy, 2, "bi")
def bi(_y, x):
    """y = Bi(x): ∂y/∂x = Bi′."""
    return bip(x)


@_part(sc.airy, 3, "bip")
def bip(_y, x):
    """y = Bi′(x): ∂y/∂x = x·Bi."""
    return x * bi(x)


array_ufuncs[sc.airy] = lambda x: (ai(x), aip(x), bi(x), bip(x))


# -- parabolic cylinders --------------------------------------------------------------------------


def _enter_cylinder(ufunc, parameter, curvature):
    """y and y′ with y″ = curvature(a, x)·y (DLMF 12.2.1)."""

    @_part(ufunc, 0, f"{ufunc.__name__}_value")
    def value(_y, a, x):
        """∂y/∂x = y′; no rule for the parameter."""
        return no_closed_form(ufunc.__name__, parameter), lambda: slope(a, x)

    @_part(ufunc, 1, f"{ufunc.__name__}_slope")
    def slope(_y, a, x):
        """∂y′/∂x = y″ by the differential equation; no rule for the parameter."""
        return no_closed_form(ufunc.__name__, parameter), lambda: curvature(a, x) * value(a, x)

    array_ufuncs[ufunc] = lambda a, x: (value(a, x), slope(a, x))


_enter_cylinder(sc.pbdv, "v", lambda v, x: 0.25 * x * x - v - 0.5)
_enter_cylinder(sc.pbvv, "v", lambda v, x: 0.25 * x * x - v - 0.5)
_enter_cylinder(sc.pbwa, "a", lambda a, x: a - 0.25 * x * x)


# -- integrals ------------------------------------------------------------------------------------


def _less_one(x, sign):
    """(1 − J₀(x))/x or (I₀(x) − 1)/x, by the power series (DLMF 10.2.2, 10.25.2) for |x| < 1."""
    near = np.less(np.abs(x), 1)
    s = np.where(near, x, 0)
    square, total = 0.25 * s * s, 0.0 * s
    for k in range(10, 0, -1):
        total = 1 / math.factorial(k) ** 2 - sign * square * total
    u = np.where(near, 1, x)
    far = (1 - sc.j0(u)) / u if sign > 0 else (sc.i0(u) - 1) / u
    return np.where(near, 0.25 * s * total, far)


def _enter_integrals(ufunc, *slopes, **differing):
    def entered(position, slope):
        def rule(_y, x):
            """The derivative is the integrand at the end, right also where the value is not."""
            return slope(x)

        name = f"{ufunc.__name__}_{position}"
        return _part(ufunc, position, name, **differing)(rule)

    parts = [entered(i, slope) for i, slope in enumerate(slopes)]
    array_ufuncs[ufunc] = lambda x: tuple(part(x) for part in parts)


_enter_integrals(sc.itairy, ai, bi, lambda x: ai(-x), lambda x: bi(-x))
_enter_integrals(sc.itj0y0, sc.j0, sc.y0, singular=True)
_enter_integrals(sc.iti0k0, sc.i0, sc.k0, singular=True)
_enter_integrals(sc.it2j0y0, lambda x: _less_one(x, 1), lambda x: -sc.y0(x) / x, singular=True)
_enter_integrals(sc.it2i0k0, lambda x: _less_one(x, -1), lambda x: -sc.k0(x) / x, singular=True)


@elementwise(sc.itstruve0)
def itstruve0(_y, x):
    """y = ∫₀ˣ H₀(t) dt: ∂y/∂x = H₀(x)."""
    return sc.struve(0.0, x)


@elementwise(sc.it2struve0, singular=True)
def it2struve0(_y, x):
    """y = ∫ₓ^∞ H₀(t)/t dt: ∂y/∂x = −H₀(x)/x."""
    return -sc.struve(0.0, x) / x


@elementwise(sc.itmodstruve0)
def itmodstruve0(_y, x):
    """y = ∫₀ˣ L₀(t) dt: ∂y/∂x = L₀(x)."""
    return sc.modstruve(0.0, x)


@elementwise(sc.besselpoly)
def besselpoly(_y, a, lmb, nu):
    """y = ∫₀¹ x^λ·J_ν(2ax) dx: ∂y/∂a is that with λ + 1 and J_{ν−1} − J_{ν+1}; none for λ, ν."""
    return (
        lambda: sc.besselpoly(a, lmb + 1, nu - 1) - sc.besselpoly(a, lmb + 1, nu + 1),
        no_closed_form("besselpoly", "lmb"),
        no_closed_form("besselpoly", "nu"),
    )


@elementwise(sc.wright_bessel)
def wright_bessel(_y, a, b, x):
    """y = Σ xᵏ/(k!·Γ(ak + b)): ∂y/∂x is that of b + a (DLMF 10.46); no rule for a and b."""
    return (
        no_closed_form("wright_bessel", "a"),
        no_closed_form("wright_bessel", "b"),
        lambda: sc.wright_bessel(a, b + a, x),
    )


if hasattr(sc, "log_wright_bessel"):

    @elementwise(sc.log_wright_bessel)
    def log_wright_bessel(y, a, b, x):
        """y = the logarithm of wright_bessel: ∂y/∂x = exp of the difference to that of b + a."""
        return (
            no_closed_form("log_wright_bessel", "a"),
            no_closed_form("log_wright_bessel", "b"),
            lambda: np.exp(sc.log_wright_bessel(a, b + a, x) - y),
        )
