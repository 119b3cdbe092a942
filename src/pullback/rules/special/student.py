"""Student's t distribution: its function and inverses, differentiated in the degrees of freedom.

∂F/∂ν is the integral of the density's derivative f·s over either side of t, where
s(ν, t) = ∂log f/∂ν has one sign for t² < 2.4 and, but for few degrees of freedom, one beyond. It is
taken over [0, t] in the first case and [t, ∞) in the second, so that nothing cancels. First
derivatives have a relative error below 10⁻¹² for ν ≥ 0.1, in the tails too. Second ones in ν have
one of some 10⁻¹⁵·ν and those of higher order n one of 10⁻¹⁵·νⁿ, relative to the integral of their
terms' sizes.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.special as sc

from pullback.rules.registration import elementwise
from pullback.rules.special.cancellation import (
    bell,
    log1p_less_linear,
    polygamma_difference,
    stirling_error,
)
from pullback.rules.special.tail_integrals import gauss_legendre, in_blocks

__all__ = ["stdtr_in_df", "t_cumulant", "t_density", "t_ratio"]

_MIDDLE = 1.55
_MANY = 1e290
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730)


# -- on plain numbers -----------------------------------------------------------------------------


def _log_constant(v):
    """log(Γ((ν + 1)/2)/(√(πν)·Γ(ν/2)))."""
    z = np.maximum(v / 2, 16.0)  # Γ(z + ½)/Γ(z) is √z·exp of what follows
    far = z * log1p_less_linear(0.5 / z) + stirling_error(z + 0.5) - stirling_error(z)
    far = far - np.log(2 * np.pi) / 2
    near = sc.gammaln((v + 1) / 2) - sc.gammaln(v / 2) - np.log(np.pi * v) / 2
    return np.where(v >= 32, far, near)


def _density(v, t):
    w = t * t / v
    return np.exp(_log_constant(v) - (v + 1) / 2 * np.log1p(w))


def _constant_score(v):
    """ψ((ν + 1)/2) − ψ(ν/2) − 1/ν, by the series at infinity for ν ≥ 32."""
    z = np.maximum(v / 2, 16.0)
    far = log1p_less_linear(0.5 / z) + 0.25 / (z * (z + 0.5))
    for k, number in enumerate(_BERNOULLI, 1):
        far = far - number / (2 * k) * z ** (-2 * k) * np.expm1(-2 * k * np.log1p(0.5 / z))
    near = np.minimum(v, 32.0) / 2
    direct = polygamma_difference(near, np.full_like(near, 0.5), 0) - 0.5 / near
    return np.where(v >= 32, far, direct)


def _score(v, t):
    """∂log f/∂ν = (ψ((ν + 1)/2) − ψ(ν/2) − 1/ν − log(1 + w) + (1 + 1/ν)·w/(1 + w))/2, w = t²/ν."""
    large = np.abs(t) > 1e100
    w = np.where(large, 1.0, t * t / v)
    log = np.where(large, 2 * np.log(np.abs(t)) - np.log(v), np.log1p(w))
    part = np.where(large, 1.0, w / (1 + w))
    bent = np.where(w < 1, -log1p_less_linear(w) - w * part, part - log)
    return (_constant_score(v) + bent + part / v) / 2


def _cumulant(v, t, n):
    """∂ⁿlog f/∂νⁿ; for n > 2 with (ν + 1)·(log(ν + t²) − log ν) by Leibniz' rule."""
    if n == 1:
        return _score(v, t)
    if n == 2:
        rise = polygamma_difference(v / 2, np.full_like(v, 0.5), 1)
        share = t * t
        u = np.where(np.isinf(share), 1.0, share / (v + share))
        return (rise / 2 + 1 / v**2 + u * u / v - u * (1 + v / (v + t * t)) / v**2) / 2

    def power(k):
        return (-1) ** (k - 1) * math.factorial(k - 1) * ((v + t * t) ** -k - v**-k)

    rise = polygamma_difference(v / 2, np.full_like(v, 0.5), n - 1)
    constant = 2.0 ** (1 - n) * rise - (-1) ** (n - 1) * math.factorial(n - 1) * v**-n
    return (constant - (v + 1) * power(n) - n * power(n - 1)) / 2


_NODES, _WEIGHTS = gauss_legendre(40)
_PANEL = gauss_legendre(16)


def _integrand(v, t, order):
    return bell(lambda n: _cumulant(v, t, n), order)[order,]


def _over_density(v, t, order):
    """∂ⁿF(−|t|)/∂νⁿ over f, for t ≥ 0: of the lower tail."""
    head = t <= _MIDDLE
    found = np.empty_like(t)
    if head.any():
        n, end = v[head, None], t[head, None]
        s = end * _NODES
        fall = np.exp((n + 1) / 2 * (np.log1p(end * end / n) - np.log1p(s * s / n)))
        found[head] = -(fall * _integrand(n, s, order) * (_WEIGHTS * end)).sum(axis=1)
    if not head.all():
        found[~head] = _tail(v[~head], t[~head], order)
    return found


def _tail(v, t, order):
    """∫ f·s over [t, ∞) by s = t·eʷ, on panels short beside the distance of the poles, π/2."""
    share = t * t / (v + t * t)

    def height(w):
        return (v + 1) / 2 * np.log1p(share * np.expm1(2 * w)) - w

    def slope(w):
        grown = share * np.exp(2 * w)
        return (v + 1) * grown / (1 - share + grown) - 1

    end = np.full_like(t, np.inf)
    for guess in (0.0, 0.1, 0.5, 1.0, 2.0, 4.0, 10.0, 40.0, 160.0):
        at = np.full_like(t, guess)
        rise = slope(at)
        bound = guess + np.maximum(44.0 - height(at), 0) / np.maximum(rise, 1e-300)
        end = np.where(rise > 0, np.minimum(end, bound), end)
    found = np.empty_like(t)
    panels = np.where(end <= 4, 1, np.where(end <= 20, 10, 20))
    for number in np.unique(panels):
        chosen = panels == number
        edges = np.linspace(0, 1, number + 1)
        if number == 20:  # beyond 15 an exponential times a line
            edges = np.minimum(end[chosen, None], 15.0) * np.linspace(0, 1, 11)
            rest = (end[chosen, None] - edges[:, -1:]) * np.linspace(0, 1, 11)[1:]
            edges = np.concatenate([edges, edges[:, -1:] + rest], axis=1)
        else:
            edges = end[chosen, None] * edges
        lengths = np.diff(edges, axis=1)
        nodes, weights = (_NODES, _WEIGHTS) if number == 1 else _PANEL
        w = (edges[:, :-1, None] + lengths[:, :, None] * nodes).reshape(len(edges), -1)
        weights = (lengths[:, :, None] * weights).reshape(len(edges), -1)
        n, start, part = v[chosen, None], t[chosen, None], share[chosen, None]
        rise = np.where(w > 300, 2 * w + np.log(part), np.log1p(part * np.expm1(2 * w)))
        fall = np.exp(w - (n + 1) / 2 * rise)
        total = (fall * _integrand(n, start * np.exp(w), order) * weights).sum(axis=1)
        found[chosen] = t[chosen] * total
    return found


def _in_v(v, t, order):
    valid = (v > 0) & (v < _MANY) & np.isfinite(t)
    found = np.where(v > 0, 0.0, np.nan) * np.where(np.isnan(t), np.nan, 1.0)
    if valid.any():
        n, s = v[valid], t[valid]
        found[valid] = _over_density(n, np.abs(s), order) * np.where(s > 0, -1.0, 1.0)
    return found


# -- primitives -----------------------------------------------------------------------------------


def _t_density(v, t):
    return in_blocks(_density, v, t)


def _t_cumulant(v, t, *, n):
    return in_blocks(lambda v, t: _cumulant(v, t, n), v, t)


def _stdtr_in_df(v, t, *, order):
    return in_blocks(lambda v, t: _in_v(v, t, order) * _density(v, t), v, t)


def _t_ratio(v, t, *, order):
    return in_blocks(lambda v, t: _in_v(v, t, order), v, t)


@elementwise(_t_cumulant)
def t_cumulant(_c, v, t, *, n):
    """c = ∂ⁿlog f/∂νⁿ of the density f, any n: ∂c/∂t = (−1)ⁿ⁻¹·n!·t·(1 − t²)/(ν + t²)ⁿ⁺¹."""

    def in_t():
        factor = (-1) ** (n - 1) * math.factorial(n)
        return factor * (t * (1 - t * t) / (v + t * t) ** (n + 1))

    return lambda: t_cumulant(v, t, n=n + 1), in_t


@elementwise(_t_density)
def t_density(f, v, t):
    """f, the density: ∂f/∂ν = f·s with s the first `t_cumulant`, ∂f/∂t = −f·(ν + 1)·t/(ν + t²)."""
    return lambda: f * t_cumulant(v, t, n=1), lambda: -f * ((v + 1) * (t / (v + t * t)))


def _bell(v, t, order):
    return bell(lambda n: t_cumulant(v, t, n=n), order)[order,]


@elementwise(_stdtr_in_df)
def stdtr_in_df(_g, v, t, *, order):
    """g = ∂ⁿF/∂νⁿ, an integral: ∂g/∂ν is that of order n + 1, ∂g/∂t = f·Bₙ(s, ∂s/∂ν, …)."""
    return (
        lambda: stdtr_in_df(v, t, order=order + 1),
        lambda: t_density(v, t) * _bell(v, t, order),
    )


@elementwise(_t_ratio)
def t_ratio(r, v, t, *, order):
    """rₙ = (∂ⁿF/∂νⁿ)/f, which does not underflow where f does.

    ∂rₙ/∂ν = rₙ₊₁ − rₙ·s and ∂rₙ/∂t = Bₙ(s, ∂s/∂ν, …) + rₙ·(ν + 1)·t/(ν + t²).
    """
    return (
        lambda: t_ratio(v, t, order=order + 1) - r * t_cumulant(v, t, n=1),
        lambda: _bell(v, t, order) + r * ((v + 1) * (t / (v + t * t))),
    )


@elementwise(sc.stdtr)
def stdtr(_y, v, t):
    """y = F(t; ν): ∂y/∂ν is an integral, see above, ∂y/∂t = f."""
    return lambda: stdtr_in_df(v, t, order=1), lambda: t_density(v, t)


@elementwise(sc.stdtrit, singular=True)
def stdtrit(t, v, _p):
    """F(t; ν) = p: ∂t/∂ν = −(∂F/∂ν)/f, ∂t/∂p = 1/f. Infinite at p = 0 and 1, where f = 0."""
    return lambda: -t_ratio(v, t, order=1), lambda: 1 / t_density(v, t)


@elementwise(sc.stdtridf, singular=True)
def stdtridf(v, _p, t):
    """F(t; ν) = p: ∂ν/∂p = 1/(∂F/∂ν), ∂ν/∂t = −f/(∂F/∂ν). Infinite at t = 0, where F = 1/2."""
    return lambda: 1 / stdtr_in_df(v, t, order=1), lambda: -1 / t_ratio(v, t, order=1)
