"""Student's t distribution: its function and inverses, differentiated in the degrees of freedom.

∂F/∂ν is the integral of the density's derivative f·s over either side of t, where
s(ν, t) = ∂log f/∂ν has one sign for t² < 2.4 and, but for few degrees of freedom, one beyond. It is
taken over [0, t] in the first case and [t, ∞) in the second, so that nothing cancels. Derivatives
of any order have a relative error below 10⁻¹² for ν ≥ 0.1, in the tails and for any number of
degrees of freedom, those of higher order relative to the integral of their terms' sizes.
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
)
from pullback.rules.special.tail_integrals import gauss_legendre, in_blocks

__all__ = ["stdtr_in_df", "t_constant", "t_cumulant", "t_density", "t_kernel", "t_ratio"]

_MIDDLE = 1.55
_MANY = 1e290
_LARGE = 32.0
_TERMS = tuple(
    -(1 - 4.0**-k) * number * 2.0 ** (2 * k - 1) / (k * (2 * k - 1))
    for k, number in enumerate(sc.bernoulli(20)[2::2], 1)
)
"""Those of the series in 1/ν, 1/ν³, … of `_constant`, from Stirling's of Γ(z + ½) and Γ(z)."""


# -- on plain numbers: log f = constant(ν) + kernel(ν, t) -----------------------------------------


def _constant(v, n):
    """∂ⁿ of log(Γ((ν + 1)/2)/(√(πν)·Γ(ν/2))), by its series for ν ≥ 32, as differences cancel."""
    far = np.maximum(v, _LARGE)
    total = np.zeros_like(far)
    for k in range(len(_TERMS), 0, -1):
        rising = (-1) ** n * math.factorial(2 * k - 2 + n) / math.factorial(2 * k - 2)
        total = total / far**2 + _TERMS[k - 1] * rising
    total = total * far ** -(n + 1.0)
    near = np.minimum(v, _LARGE)
    if n == 0:
        total = total - np.log(2 * np.pi) / 2
        direct = sc.gammaln((near + 1) / 2) - sc.gammaln(near / 2) - np.log(np.pi * near) / 2
    else:
        rise = polygamma_difference(near / 2, np.full_like(near, 0.5), n - 1)
        direct = 2.0**-n * rise + (-1) ** n * math.factorial(n - 1) / 2 * near ** -float(n)
    return np.where(v >= _LARGE, total, direct)


def _kernel(v, t, n):
    """∂ⁿ/∂νⁿ of −(ν + 1)/2·log(1 + w), w = t²/ν; with the share u = w/(1 + w) for n > 0:

    (u/ν − log(1 + w) + u)/2 for n = 1, and for others (n − 2)!·(−1/ν)ⁿ⁻¹·((n − 1)·P₁/ν − P₂)/2
    with Pⱼ the probability of j or more among n events with the probability u each.
    """
    large = np.abs(t) > 1e100
    w = np.where(large, 1.0, t * t / v)
    rest = np.where(large, 0.0, 1 / (1 + w))
    share = np.where(large, 1.0, w / (1 + w))
    if n < 2:
        log = np.where(large, 2 * np.log(np.abs(t)) - np.log(v), np.log1p(w))
        if n == 0:
            return -(v + 1) / 2 * log
        return (np.where(w < 1, -log1p_less_linear(w) - w * share, share - log) + share / v) / 2
    terms = [math.comb(n, j) * share**j * rest ** (n - j) for j in range(1, n + 1)]
    two = sum(terms[1:])
    either = ((n - 1) * (terms[0] + two) / v - two) / 2
    return (-1) ** (n - 1) * math.factorial(n - 2) * v ** -(n - 1.0) * either


def _cumulant(v, t, n):
    """∂ⁿlog f/∂νⁿ."""
    return _constant(v, n) + _kernel(v, t, n)


def _density(v, t):
    return np.exp(_cumulant(v, t, 0))


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


def _t_constant(v, *, n):
    if n == 0:  # as SciPy has it
        return np.log(sc.poch(0.5 * v, 0.5)) - 0.5 * (np.log(v) + np.log(np.pi))
    return in_blocks(lambda v: _constant(v, n), v)


def _t_kernel(v, t, *, n):
    if n == 0:
        return -((v + 1) / 2 * np.log1p(t * t / v))
    return in_blocks(lambda v, t: _kernel(v, t, n), v, t)


def _stdtr_in_df(v, t, *, order):
    return in_blocks(lambda v, t: _in_v(v, t, order) * _density(v, t), v, t)


def _t_ratio(v, t, *, order):
    return in_blocks(lambda v, t: _in_v(v, t, order), v, t)


@elementwise(_t_constant)
def t_constant(_c, v, *, n):
    """c = ∂ⁿ/∂νⁿ of log(Γ((ν + 1)/2)/(√(πν)·Γ(ν/2))): ∂c/∂ν is that of order n + 1."""
    return lambda: t_constant(v, n=n + 1)


@elementwise(_t_kernel)
def t_kernel(_k, v, t, *, n):
    """k = ∂ⁿ/∂νⁿ of −(ν + 1)/2·log(1 + t²/ν): ∂k/∂ν is that of order n + 1, and
    ∂k/∂t = (−1)ⁿ⁻¹·n!·t·(1 − t²)/(ν + t²)ⁿ⁺¹ for n > 0, −(ν + 1)·t/(ν + t²) for n = 0.
    """

    def in_t():
        if n == 0:
            return -(v + 1) * (t / (v + t * t))
        factor = (-1) ** (n - 1) * math.factorial(n)
        return factor * (t * (1 - t * t) / (v + t * t) ** (n + 1))

    return lambda: t_kernel(v, t, n=n + 1), in_t


def t_cumulant(v, t, *, n):
    """∂ⁿ/∂νⁿ of the logarithm of the density."""
    return t_constant(v, n=n) + t_kernel(v, t, n=n)


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
