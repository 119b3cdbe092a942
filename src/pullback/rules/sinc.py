"""The normalised sinc function and its derivatives, without cancellation at 0."""

from __future__ import annotations

import numpy as np

from pullback.rules.registration import elementwise

__all__ = ["sinc"]


def _sinc(x, *, order=0):
    """The derivative of sin(u)/u of this order, at u = πx.

    Away from 0, by u·Sₙ = sin⁽ⁿ⁾(u) − n·Sₙ₋₁, which amplifies rounding by n/|u| in each step;
    nearer to 0 than that is good for, by Gauss–Legendre quadrature of Sₙ = ∫₀¹ tⁿ cos⁽ⁿ⁾(ut) dt.
    """
    if order == 0:
        return np.sinc(x)
    x = np.asarray(x)
    dtype = np.result_type(x, np.float16)
    u = np.pi * x.astype(np.result_type(dtype, np.float64))
    near = np.abs(u) < order
    far = np.where(near, 1.0, u)
    value = np.array(np.sin(far) / far)
    for n in range(1, order + 1):
        value = np.array((_turned(np.sin, far, n) - n * value) / far)
    if near.any():
        nodes, weights = np.polynomial.legendre.leggauss(16 + order)
        t = (nodes + 1) / 2
        waves = _turned(np.cos, np.multiply.outer(u[near], t), order)
        moments = t**order * weights
        # Scaled to the sum ∫₀¹ tⁿ dt = 1/(n + 1), as the weights are right to some 30 ulp only.
        value[near] = waves @ (moments / (np.sum(moments) * (order + 1)))
    return value.astype(dtype)[()]


def _turned(wave, u, n):
    """The n-th derivative of sin or cos, exactly odd or even."""
    quarter = (n + (wave is np.cos)) % 4
    value = np.cos(u) if quarter % 2 else np.sin(u)
    return -value if quarter >= 2 else value


@elementwise(_sinc)
def sinc(_y, x, *, order=0):
    """y = sin(πx)/(πx), and its derivatives with respect to πx: ∂y⁽ⁿ⁾/∂x = π·y⁽ⁿ⁺¹⁾."""
    return np.pi * sinc(x, order=order + 1)
