"""Relatives of the error function: scaled, imaginary, of complex arguments, and in two of them.

They are derivatives of two functions of any order, erfcx z = exp(z²)·erfc z, of which those of wofz
are, and Dawson's integral. With derivatives y⁽ⁿ⁾, y⁽ⁿ⁺¹⁾ = ±2(x·y⁽ⁿ⁾ + n·y⁽ⁿ⁻¹⁾) (DLMF 7.10, from
y′ = 2x·y − 2/√π and D′ = 1 − 2x·D), which cancels for large arguments: there, asymptotic expansions
(DLMF 7.12.1) are differentiated term by term.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.special as sc

from pullback.core.shapes import dtype_of
from pullback.rules.registration import array_ufuncs, elementwise, ufunc_behind
from pullback.rules.special import elementary
from pullback.rules.special.expansions import descending_powers, in_double

__all__ = ["dawsn", "erfcx", "voigt"]

SQRT_PI = math.sqrt(math.pi)
FAR = 6.2
STEPS = 200
TERMS = [1.0]
for _k in range(60):
    TERMS.append(TERMS[-1] * (_k + 0.5))
"""The products ½·(3/2)·…·(k − ½)."""


def _climbed(zeroth, first, x, order, sign):
    """y⁽ⁿ⁾ by y⁽ⁿ⁺¹⁾ = ±2(x·y⁽ⁿ⁾ + n·y⁽ⁿ⁻¹⁾)."""
    below, value = zeroth, first
    for n in range(1, order):
        below, value = value, sign * 2 * (x * value + n * below)
    return value


def _alternating():
    return [term * (-1) ** k for k, term in enumerate(TERMS)]


def _by_ratios(z, y, order):
    """(−2)ⁿ·n!·y·ρ₁⋯ρₙ with the ratios of exp(z²)·iⁿerfc z, by the continued fraction of them.

    ρₙ = ½/(z + (n + 1)·ρₙ₊₁), from DLMF 7.18.7, for Re z ≥ 1.
    """
    z = np.where(np.real(z) >= 1, z, 1.0)
    ratio, product = 0.5 / z, 1.0
    for n in range(order + STEPS, 0, -1):
        ratio = 0.5 / (z + (n + 1) * ratio)
        if n <= order:
            product = product * ratio
    return (-2.0) ** order * math.factorial(order) * y * product


@in_double
def _erfcx_derivative(z, *, order):
    """Of order 1 and more. Beside the imaginary axis exp(z²) is added to what is expanded."""
    y = sc.erfcx(z)
    near = _climbed(y, 2 * z * y - 2 / SQRT_PI, z, order, 1)
    if order > 1:
        near = np.where((np.real(z) >= 1) & (np.abs(z) <= FAR), _by_ratios(z, y, order), near)
    far = (np.abs(z) > FAR) if z.dtype.kind == "c" else z > FAR
    if not np.any(far):
        return near
    left = np.real(z) < 0
    right = np.where(far, np.where(left, -z, z), FAR)
    series = descending_powers(right, _alternating(), -1.0, 2.0, order)[0] / SQRT_PI
    series = np.where(left, (-1) ** (order + 1), 1) * series
    if z.dtype.kind == "c":
        beside = np.where(left, 2.0, np.where(np.real(z) < 1, 1.0, 0.0))
        e = np.exp(z * z)
        e = _climbed(e, 2 * z * e, z, order, 1)
        added = np.where((beside != 0) & (np.abs(e) != 0), beside * e, 0)
        # On the axis the expansion has one part alone, of which the other is the rounding.
        part = 1j * np.imag(series) if order % 2 == 0 else np.real(series)
        series = np.where(np.real(z) == 0, part, series) + added
    return np.where(far, series, near)


def _erfcx(z, *, order=0):
    return _erfcx_derivative(z, order=order) if order else sc.erfcx(z)


@elementwise(_erfcx, name="scaled_erfc")
def erfcx(_y, z, *, order=0):
    """y = exp(z²)·erfc z, and its derivatives: ∂y⁽ⁿ⁾/∂z = y⁽ⁿ⁺¹⁾.

    Those of order n are right to 1e-12 of their modulus for real z and n ≤ 4; elsewhere for n = 1
    and to |z|⁴·1e-14 for n = 2 where Re z < 1 and |z| < 6.2.
    """
    return erfcx(z, order=order + 1)


array_ufuncs[ufunc_behind(sc.erfcx)] = erfcx  # type: ignore[index]


@in_double
def _dawsn_derivative(x, *, order):
    y = sc.dawsn(x)
    near = _climbed(y, 1 - 2 * x * y, x, order, -1)
    far = np.abs(x) > FAR
    if x.dtype.kind == "c":
        below = np.imag(x) < 0
        z = np.where(below, -x, x)
        e = np.exp(-z * z)
        e = _climbed(e, -2 * z * e, z, order, -1)
        apart = (0.5j * SQRT_PI) * (e - (-1j) ** order * _erfcx_derivative(-1j * z, order=order))
        return np.where(far, apart * np.where(below, (-1.0) ** (order + 1), 1.0), near)
    u = np.where(far, np.abs(x), FAR)
    series = descending_powers(u, TERMS, -1.0, 2.0, order)[0] / 2
    return np.where(far, series * np.where(x < 0, (-1.0) ** (order + 1), 1.0), near)


def _dawsn(x, *, order=0):
    return _dawsn_derivative(x, order=order) if order else sc.dawsn(x)


@elementwise(_dawsn, name="dawson")
def dawsn(_y, x, *, order=0):
    """y = exp(−x²)∫₀ˣ exp(t²) dt, and its derivatives: ∂y⁽ⁿ⁾/∂x = y⁽ⁿ⁺¹⁾.

    For complex x with |x| > 6 they are those of i√π/2·(exp(−x²) − w(x)).
    """
    return dawsn(x, order=order + 1)


array_ufuncs[ufunc_behind(sc.dawsn)] = dawsn  # type: ignore[index]


@elementwise(sc.erfi)
def erfi(_y, x):
    """y = 2/√π ∫₀ˣ exp(t²) dt: ∂y/∂x = 2/√π exp(x²)."""
    return (2 / SQRT_PI) * elementary.gaussian(x, scale=-1.0)


@elementwise(sc.wofz)
def wofz(_y, z):
    """y = exp(−z²)·erfc(−iz) = erfcx(−iz): ∂y/∂z = −i·erfcx′(−iz)."""
    return -1j * erfcx(-1j * z, order=1)


@elementwise(sc.ndtri_exp, poles={0: np.inf})
def ndtri_exp(x, _y):
    """log Φ(x) = y: ∂x/∂y = Φ(x)/φ(x). Infinite at y = 0, where zeros stay zero."""
    return 1 / elementary.hazard(-x)


@elementwise(sc.owens_t)
def owens_t(_t, h, a):
    """T = 1/2π ∫₀ᵃ exp(−h²(1 + t²)/2)/(1 + t²) dt: the integrand at a, and
    ∂T/∂h = −exp(−h²/2)·erf(ah/√2)/√(8π).
    """
    return (
        lambda: (
            (-1 / math.sqrt(8 * math.pi))
            * elementary.gaussian(h, scale=0.5)
            * sc.erf((a / math.sqrt(2)) * h)
        ),
        lambda: (
            elementary.gaussian(h, scale=0.5)
            * elementary.gaussian(h * a, scale=0.5)
            * ((0.5 / math.pi) / (1 + a * a))
        ),
    )


# -- Voigt's profile ------------------------------------------------------------------------------


def _voigt(x, sigma, gamma, *, order=0, turns=0):
    """Re[iᵗ·G⁽ⁿ⁾(x + iγ)], with G(ζ) = w(ζ/(σ√2))/(σ√(2π))."""
    return _voigt_derivative(x, sigma, gamma, order=order, turns=turns)


@in_double
def _voigt_derivative(x, sigma, gamma, *, order, turns):
    zeta = x + 1j * gamma
    far = np.abs(zeta) > FAR * math.sqrt(2) * sigma
    width = np.where(far, 1.0, sigma)
    z = np.where(far, 0.0, zeta) / (math.sqrt(2) * width)
    near = _erfcx(-1j * z, order=order) * (-1j / (math.sqrt(2) * width)) ** order
    near = near / (width * math.sqrt(2 * math.pi))
    # i/(πζ)·Σ ½·(3/2)·…·(2σ²/ζ²)ᵏ, and beside the real axis the normal density.
    apart = np.where(far, zeta, 1.0)
    coefficients = [term * (2 * sigma * sigma) ** k for k, term in enumerate(TERMS)]
    series = 1j * descending_powers(apart, coefficients, -1.0, 2.0, order)[0] / math.pi
    series = np.where((gamma == 0) & far, 1j * np.imag(series), series)
    width = np.where(sigma > 0, sigma, 1.0)
    u = apart / (math.sqrt(2) * width)
    e = np.exp(-u * u)
    e = e if not order else _climbed(e, -2 * u * e, u, order, -1)
    e = e / ((math.sqrt(2) * width) ** order * width * math.sqrt(2 * math.pi))
    beside = (sigma > 0) & (gamma < math.sqrt(2) * sigma) & (np.abs(e) != 0)
    series = series + np.where(beside, e, 0)
    return np.real(1j**turns * np.where(far, series, near))


@elementwise(_voigt, name="voigt", singular=True)
def voigt(_y, x, sigma, gamma, *, order=0, turns=0):
    """y = Re[iᵗ·G⁽ⁿ⁾(x + iγ)]: ∂y/∂x is of the order n + 1, ∂y/∂γ too, with one turn more.

    G solves the heat equation, so that ∂y/∂σ = σ·∂²y/∂x². For |x + iγ| > 10σ it is expanded in
    powers of σ/(x + iγ). Singular where σ = γ = 0: a delta function.
    """
    return (
        lambda: voigt(x, sigma, gamma, order=order + 1, turns=turns),
        lambda: sigma * voigt(x, sigma, gamma, order=order + 2, turns=turns),
        lambda: voigt(x, sigma, gamma, order=order + 1, turns=turns + 1),
    )


@elementwise(sc.voigt_profile, singular=True)
def voigt_profile(_y, x, sigma, gamma):
    """The convolution of a normal density of deviation σ and a Cauchy density of half width γ.

    At σ = 0 it is the latter, and ∂y/∂σ = 0; at γ = 0 the former, and ∂y/∂γ is that of γ → 0.
    Singular where σ = γ = 0.
    """
    return (
        lambda: voigt(x, sigma, gamma, order=1),
        lambda: sigma * voigt(x, sigma, gamma, order=2),
        lambda: voigt(x, sigma, gamma, order=1, turns=1),
    )


# -- Fresnel integrals ----------------------------------------------------------------------------


def _quarter_turns(x, *, phase=0):
    """sin(π/2·(x² + phase)); of real x², with the digits that its square loses."""
    if dtype_of(x).kind == "c":
        return np.sin((math.pi / 2) * (x * x + phase))
    return _real_quarter_turns(x, phase=phase)


@in_double
def _real_quarter_turns(x, *, phase):
    whole = x * x
    high = x * 134217729.0
    high = high - (high - x)
    low = x - high
    lost = ((high * high - whole) + 2 * high * low) + low * low
    whole, lost = np.fmod(whole, 4.0), np.fmod(np.where(np.isfinite(lost), lost, 0), 4.0)
    nearest = np.rint(whole)
    rest = (math.pi / 2) * ((whole - nearest) + lost)
    quarter = np.mod(nearest + phase, 4)
    value = np.where(np.mod(quarter, 2) == 0, np.sin(rest), np.cos(rest))
    return np.where(quarter >= 2, -value, value)


@elementwise(_quarter_turns)
def quarter_turns(_y, x, *, phase=0):
    """y = sin(π/2·(x² + phase)), a phase of whole quarters: ∂y/∂x = π·x·y at a quarter more."""
    return math.pi * x * quarter_turns(x, phase=(phase + 1) % 4)


@elementwise(lambda x: sc.fresnel(x)[0], name="fresnel_s")
def fresnel_s(_y, x):
    """y = ∫₀ˣ sin(πt²/2) dt: ∂y/∂x = sin(πx²/2), with the square of x to twice its digits."""
    return quarter_turns(x, phase=0)


@elementwise(lambda x: sc.fresnel(x)[1], name="fresnel_c")
def fresnel_c(_y, x):
    """y = ∫₀ˣ cos(πt²/2) dt: ∂y/∂x = cos(πx²/2), with the square of x to twice its digits."""
    return quarter_turns(x, phase=1)


array_ufuncs[sc.fresnel] = lambda x: (fresnel_s(x), fresnel_c(x))


def _enter_modified(ufunc, sign):
    """F = ∫ₓ^∞ exp(±it²) dt and K = exp(∓i(x² + π/4))·F/√π = ½·erfcx(x·exp(∓iπ/4))."""
    root = np.exp(-0.25j * sign * math.pi)

    def integral(_y, x):
        """∂F/∂x = −exp(±ix²)."""
        return -np.exp((1j * sign) * (x * x))

    def auxiliary(_y, x):
        """∂K/∂x = ½·exp(∓iπ/4)·erfcx′(x·exp(∓iπ/4))."""
        return (0.5 * root) * erfcx(root * x, order=1)

    f = elementwise(lambda x: ufunc(x)[0], name=f"{ufunc.__name__}_f")(integral)
    k = elementwise(lambda x: ufunc(x)[1], name=f"{ufunc.__name__}_k")(auxiliary)
    array_ufuncs[ufunc] = lambda x: (f(x), k(x))


_enter_modified(sc.modfresnelp, 1)
_enter_modified(sc.modfresnelm, -1)
