"""Bessel functions of real arguments in their order: Jᵥ, Yᵥ and Iᵥ for x > 0.

They are integrals (DLMF 10.9.6, 10.9.7, 10.32.4) whose derivatives in v and x are integrals too:

    A(v, x) = ∫₀^π exp(i·(x·sin θ − v·θ)) dθ,    B(v, x) = ∫₀^∞ exp(v·t − x·sinh t) dt,
    π·Jᵥ = Re A(v, x) − sin(vπ)·B(−v, x),
    π·Yᵥ = Im A(v, x) − B(v, x) − cos(vπ)·B(−v, x),
    π·Iᵥ = eˣ·∫₀^π exp(x·(cos θ − 1))·cos(vθ) dθ − sin(vπ)·∫₀^∞ exp(−v·t − x·cosh t) dt;

and where the result is small beside them power series (DLMF 10.2.2, 10.25.2), differentiated term
by term. Between, Jᵥ for v > x with x² > 8(v + 1) and Iᵥ for x > 60 with v² ≫ x, the derivative is
right to some 1e-14 of the integrals, not of itself.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.special as sc

from pullback.rules.registration import elementwise
from pullback.rules.special.expansions import in_double, nodes_and_weights
from pullback.rules.special.scaled_k import scaled_k

__all__ = ["iv_in_order", "ive_in_order", "jv_in_order", "kv_in_order", "yv_in_order"]

NODES = 32
DIGITS = 45.0
SERIES = 60.0
TERMS = 120


def _by_panels(integrand, low, high, panels):
    """The integral of each element, over as many panels of each as it wants."""
    t, weights = nodes_and_weights(NODES)
    width = (high - low) / panels
    total = np.zeros(np.shape(low))
    for k in range(int(np.max(panels, initial=0))):
        start = low + width * k
        values = integrand(start[..., None] + width[..., None] * t) @ weights
        total = total + np.where(k < panels, values * width, 0)
    return total


@in_double
def _around(v, x, *, order=0, degree=0):
    panels = np.ceil((np.abs(x) + np.abs(v)) / 8) + 2
    usual = np.isfinite(panels) & (panels < 1e4)
    panels = np.where(usual, panels, 1)
    v, x = np.where(usual, v, 0.0)[..., None], np.where(usual, x, 0.0)[..., None]

    def integrand(theta):
        sine = np.sin(theta)
        return (1j * sine) ** order * (-1j * theta) ** degree * np.exp(1j * (x * sine - v * theta))

    value = _by_panels(integrand, np.zeros(usual.shape), np.full(usual.shape, math.pi), panels)
    return np.where(usual, value, np.nan)


@elementwise(_around, name="bessel_around")
def around(_y, v, x, *, order=0, degree=0):
    """y = ∂ⁿ⁺ᵐA/∂xⁿ∂vᵐ: one order more for x, one degree more for v."""
    return (
        lambda: around(v, x, order=order, degree=degree + 1),
        lambda: around(v, x, order=order + 1, degree=degree),
    )


def _end(v, x, wave):
    """Where exp(v·t − x·sinh t), or cosh t, has fallen by e⁻⁴⁵ from its largest value."""

    def exponent(t):
        return v * t - x * wave(t)

    ratio = v / x
    peak = np.arcsinh(np.maximum(ratio, 0)) if wave is np.cosh else np.arccosh(np.maximum(ratio, 1))
    floor = exponent(peak) - DIGITS
    low, high = peak, peak + 1000.0
    for _ in range(60):
        middle = (low + high) / 2
        above = exponent(middle) > floor
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return high


@in_double
def _decay(v, x, *, order=0, degree=0, even=False):
    wave = np.cosh if even else np.sinh
    usual = (x > 0) & np.isfinite(v) & np.isfinite(x)
    v, x = np.where(usual, v, 0.0), np.where(usual, x, 1.0)
    end = _end(v, x, wave)
    panels = np.ceil(np.minimum(end, 100.0) * (1 + np.sqrt(np.abs(v)) / 4)) + 3
    u, z = v[..., None], x[..., None]

    def integrand(t):
        height = wave(t)
        return (-height) ** order * t**degree * np.exp(u * t - z * height)

    return np.where(usual, _by_panels(integrand, np.zeros(x.shape), end, panels), np.nan)


@elementwise(_decay, name="bessel_decay", singular=True)
def decay(_y, v, x, *, order=0, degree=0, even=False):
    """y = ∂ⁿ⁺ᵐB/∂xⁿ∂vᵐ, or if even, with cosh in place of sinh: one more for x and for v."""
    return (
        lambda: decay(v, x, order=order, degree=degree + 1, even=even),
        lambda: decay(v, x, order=order + 1, degree=degree, even=even),
    )


@in_double
def _forward(v, x, *, order=0, degree=0):
    usual = (x >= 0) & np.isfinite(v) & np.isfinite(x)
    v, x = np.where(usual, v, 0.0), np.where(usual, x, 1.0)
    high = np.minimum(math.pi, 13 / np.sqrt(np.maximum(x, 1.0)))
    u, z = v[..., None], x[..., None]

    def integrand(theta):
        fall = -2 * np.square(np.sin(theta / 2))
        wave = (np.cos, np.sin, np.cos, np.sin)[degree % 4](u * theta)
        wave = -wave if degree % 4 in (1, 2) else wave
        return fall**order * theta**degree * wave * np.exp(z * fall)

    panels = np.ceil(np.abs(v) * high / 8) + 4
    return np.where(usual, _by_panels(integrand, np.zeros(x.shape), high, panels), np.nan)


@elementwise(_forward, name="bessel_forward")
def forward(_y, v, x, *, order=0, degree=0):
    """y = ∂ⁿ⁺ᵐ/∂xⁿ∂vᵐ ∫₀^π exp(x·(cos θ − 1))·cos(vθ) dθ: one more for x and for v."""
    return (
        lambda: forward(v, x, order=order, degree=degree + 1),
        lambda: forward(v, x, order=order + 1, degree=degree),
    )


def _series(v, x, sign):
    """∂/∂v Σ (±1)ᵏ·(x/2)^(v+2k)/(k!·Γ(v + k + 1)), for v ≥ 0 and x > 0."""
    k = np.arange(TERMS)
    signs = np.where(k % 2, sign, 1.0)
    half = np.log(0.5 * x)[..., None]
    order = (v + 0 * x)[..., None] + k
    exponent = (order + k) * half - sc.gammaln(k + 1.0) - sc.gammaln(order + 1)
    return np.sum(signs * np.exp(exponent) * (half - sc.digamma(order + 1)), axis=-1)


def kv_in_order(v, x):
    """∂Kᵥ/∂v."""
    return np.exp(-x) * scaled_k(v, x, order=0, degree=1)


def jv_in_order(v, x):
    """∂Jᵥ/∂v."""
    small = np.greater_equal(v, 0) & np.less_equal(x * x, 8 * (v + 1)) & np.greater(x, 0)
    inside = _series(np.where(small, v, 1), np.where(small, x, 1), -1)
    angle = np.pi * v
    integral = (
        np.real(around(v, x, degree=1)) / math.pi
        - np.cos(angle) * decay(-v, x)
        + np.sin(angle) / math.pi * decay(-v, x, degree=1)
    )
    return np.where(small, inside, integral)


def yv_in_order(v, x):
    """∂Yᵥ/∂v."""
    angle = np.pi * v
    below = np.sin(angle) * decay(-v, x) + np.cos(angle) / math.pi * decay(-v, x, degree=1)
    return (np.imag(around(v, x, degree=1)) - decay(v, x, degree=1)) / math.pi + below


def iv_in_order(v, x, *, scaled=False):
    """∂Iᵥ/∂v, or times e⁻ˣ; for v < 0 by I₋ᵤ = Iᵤ + 2/π·sin(uπ)·Kᵤ (DLMF 10.27.2)."""
    u = np.where(np.less(v, 0), -v, v)
    near = np.greater(u * u, x) & np.less_equal(x, SERIES) & np.greater(x, 0)
    inside = _series(np.where(near, u, 1), np.where(near, x, 1), 1)
    inside = np.exp(-np.where(near, x, 1)) * inside if scaled else inside
    far = np.where(near, SERIES, x)
    angle = np.pi * u
    below = np.sin(angle) / math.pi * decay(-u, far, degree=1, even=True) - np.cos(angle) * decay(
        -u, far, even=True
    )
    above = forward(u, far, degree=1) / math.pi
    outside = above + np.exp(-far) * below if scaled else np.exp(far) * above + below
    right = np.where(near, inside, outside)
    z = np.where(np.greater(x, 0), x, np.nan)
    turned = np.cos(angle) * sc.kve(u, z) + np.sin(angle) / math.pi * scaled_k(
        u, z, order=0, degree=1
    )
    left = -right - 2 * np.exp(-2 * z if scaled else -z) * turned
    return np.where(np.less(v, 0), left, right)


def ive_in_order(v, x, *, order=0):
    """The derivative of e⁻ˣ·∂Iᵥ/∂v of this order in x, by those of orders beside v."""
    weights = np.ones(1)
    for _ in range(order):
        weights = np.convolve(weights, [0.5, -1.0, 0.5])
    return sum(
        weight * iv_in_order(v + place, x, scaled=True)
        for place, weight in enumerate(weights, -order)
    )
