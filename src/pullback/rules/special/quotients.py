"""Quotients g(u)/u with g(0) = 0 and all their derivatives, without cancellation at 0.

With f(u) = g(u)/u = ∫₀¹ g′(ut) dt, derivatives are f⁽ⁿ⁾(u) = ∫₀¹ tⁿ g⁽ⁿ⁺¹⁾(ut) dt, taken near 0 by
Gauss–Legendre quadrature; farther out u·f⁽ⁿ⁾ = g⁽ⁿ⁾ − n·f⁽ⁿ⁻¹⁾ loses nothing.
"""

from __future__ import annotations

from math import factorial

import numpy as np
import scipy.special as sc

from pullback.rules.registration import elementwise
from pullback.rules.special.expansions import in_double, nodes_and_weights

__all__ = ["exprel", "log_quotient", "sin_quotient", "sinh_quotient"]

NODES = 24


def _quotient(first, derivative, near, u, order):
    """The derivative of this order of first(u)/u, with those of `first` by derivative(u, n)."""
    inside = near(u, order)
    far = np.where(inside, 1.0, u)
    value = first(far) / far
    for n in range(1, order + 1):
        value = (derivative(far, n) - n * value) / far
    value = np.asarray(value)
    if inside.any():
        t, weights = nodes_and_weights(NODES + order)
        # Scaled to the sum ∫₀¹ tⁿ dt = 1/(n + 1), as the weights are right to some 30 ulp only.
        moments = t**order * weights
        moments = moments / (np.sum(moments) * (order + 1))
        value[inside] = derivative(np.multiply.outer(u[inside], t), order + 1) @ moments
    return value


def _turned(wave, u, n):
    quarter = n % 4
    value = np.sin(u) if (quarter % 2 == 0) == (wave == "sin") else np.cos(u)
    negative = quarter in ((2, 3) if wave == "sin" else (1, 2))
    return -value if negative else value


@in_double
def _sin_quotient(u, *, order=0):
    return _quotient(
        np.sin, lambda u, n: _turned("sin", u, n), lambda u, n: np.abs(u) < n + 1e-300, u, order
    )


@elementwise(_sin_quotient)
def sin_quotient(_y, u, *, order=0):
    """y = the derivative of sin(u)/u of this order; 1 at u = 0: ∂y⁽ⁿ⁾/∂u = y⁽ⁿ⁺¹⁾."""
    return sin_quotient(u, order=order + 1)


@in_double
def _sinh_quotient(u, *, order=0):
    return _quotient(
        np.sinh,
        lambda u, n: np.cosh(u) if n % 2 else np.sinh(u),
        lambda u, n: np.abs(u) < n + 1e-300,
        u,
        order,
    )


@elementwise(_sinh_quotient)
def sinh_quotient(_y, u, *, order=0):
    """y = the derivative of sinh(u)/u of this order; 1 at u = 0: ∂y⁽ⁿ⁾/∂u = y⁽ⁿ⁺¹⁾."""
    return sinh_quotient(u, order=order + 1)


def _exprel(x, *, order=0):
    return _exprel_derivative(x, order=order) if order else sc.exprel(x)


@in_double
def _exprel_derivative(x, *, order):
    return _quotient(np.expm1, lambda u, _n: np.exp(u), lambda u, n: np.abs(u) < 1.0 + n, x, order)


@elementwise(_exprel, name="relative_exponential")
def exprel(_y, x, *, order=0):
    """y = the derivative of (eˣ − 1)/x of this order; 1 at x = 0: ∂y⁽ⁿ⁾/∂x = y⁽ⁿ⁺¹⁾."""
    return exprel(x, order=order + 1)


@in_double
def _log_quotient(d, *, order=0):
    value = _quotient(
        np.log1p,
        lambda u, n: (-1) ** (n - 1) * factorial(n - 1) * (1 + u) ** -n,
        lambda u, n: (np.abs(u) < 0.5) & ((n > 0) | (u == 0)),
        d,
        order,
    )
    return np.where(d == -1, (-1.0) ** order * np.inf, value)


@elementwise(_log_quotient, poles={-1: -np.inf})
def log_quotient(_y, d, *, order=0):
    """y = the derivative of log(1 + d)/d of this order; 1 at d = 0: ∂y⁽ⁿ⁾/∂d = y⁽ⁿ⁺¹⁾.

    Infinite at d = −1, where zeros stay zero.
    """
    return log_quotient(d, order=order + 1)
