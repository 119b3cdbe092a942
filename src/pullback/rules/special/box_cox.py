"""Box and Cox's transformations, powers less one, and Tukey's λ, in both of their arguments.

With g(u) = (eᵘ − 1)/u and q(d) = log(1 + d)/d they are log(x)·g(λ·log x) and exp(y·q(λy)), which
holds at λ = 0 and loses nothing beside it.
"""

from __future__ import annotations

import numpy as np
import scipy.special as sc

from pullback.core.choice import Choice
from pullback.rules.arithmetic import power
from pullback.rules.registration import array_ufuncs, elementwise, strong_multiply, ufunc_behind
from pullback.rules.special.quotients import exprel, log_quotient

__all__ = ["exprel"]

array_ufuncs[ufunc_behind(sc.exprel)] = exprel  # type: ignore[index]


def _in_power(z, log, lmbda):
    """∂/∂λ of log(x)·g(λ·log x): log²·g′(λ·log), and −z/λ where the logarithm is −∞."""
    at_zero = np.equal(log, -np.inf) & np.greater(lmbda, 0)
    safe = np.where(at_zero, 0, log)
    inside = safe * safe * exprel(lmbda * safe, order=1)
    return np.where(at_zero, -z / np.where(at_zero, lmbda, 1), inside)


@elementwise(sc.boxcox, singular=True)
def boxcox(z, x, lmbda):
    """z = (x^λ − 1)/λ, and log x at λ = 0: ∂z/∂x = x^(λ−1), ∂z/∂λ = log²x·g′(λ·log x).

    ∂z/∂x is infinite at x = 0 for λ < 1, where zeros stay zero; ∂z/∂λ is there −z/λ for λ > 0.
    """
    return lambda: np.power(x, lmbda - 1), lambda: _in_power(z, np.log(x), lmbda)


boxcox.singular_at(
    "x = 0 with λ < 1", lambda x, lmbda: np.equal(x, 0) & np.less(lmbda, 1),
    (0.0, 0.5), (np.inf, 4), (np.nan, -16), "pole", arguments=(0,),
)  # fmt: skip


@elementwise(sc.boxcox1p, singular=True)
def boxcox1p(z, x, lmbda):
    """z = ((1 + x)^λ − 1)/λ, and log(1 + x) at λ = 0: ∂z/∂x = (1 + x)^(λ−1), ∂z/∂λ as of boxcox.

    ∂z/∂x is infinite at x = −1 for λ < 1, where zeros stay zero.
    """
    return (
        lambda: np.exp((lmbda - 1) * np.log1p(x)),
        lambda: _in_power(z, np.log1p(x), lmbda),
    )


boxcox1p.singular_at(
    "x = −1 with λ < 1", lambda x, lmbda: np.equal(x, -1) & np.less(lmbda, 1),
    (-1.0, 0.5), (np.inf, 4), (np.nan, -16), "pole", arguments=(0,),
)  # fmt: skip


@elementwise(sc.inv_boxcox, singular=True)
def inv_boxcox(z, y, lmbda):
    """z = (1 + λy)^(1/λ) = exp(y·q(λy)): ∂z/∂y = z/(1 + λy), ∂z/∂λ = z·y²·q′(λy).

    Infinite at λy = −1 for λ > 1, where zeros stay zero.
    """
    return (
        lambda: z / (1 + lmbda * y),
        lambda: z * y * y * log_quotient(lmbda * y, order=1),
    )


@elementwise(sc.inv_boxcox1p, singular=True)
def inv_boxcox1p(_z, y, lmbda):
    """z = (1 + λy)^(1/λ) − 1: the slopes of (1 + λy)^(1/λ), without the sum z + 1."""
    return (
        lambda: sc.inv_boxcox(y, lmbda) / (1 + lmbda * y),
        lambda: sc.inv_boxcox(y, lmbda) * y * y * log_quotient(lmbda * y, order=1),
    )


@elementwise(sc.powm1, singular=True)
def powm1(_z, x, y):
    """z = xʸ − 1: ∂z/∂x = y·xʸ⁻¹, ∂z/∂y = xʸ·log x, as of a power, with its singular points.

    ∂z/∂x is infinite at x = 0 for 0 < y < 1 and for y < 0.
    """
    return (
        lambda: strong_multiply(y, power(x, y - 1)),
        lambda: Choice(
            strong_multiply(power(x, y), np.log(x)), taken=np.not_equal(x, 0) | np.less_equal(y, 0)
        ),
    )


powm1.singular_at(
    "x = 0 with y < 1, y ≠ 0",
    lambda x, y: np.equal(x, 0) & np.less(y, 1) & np.not_equal(y, 0),
    (0.0, 0.5), (np.inf, 0), (np.nan, 0), "pole", arguments=(0,),
)  # fmt: skip


@elementwise(sc.tklmbda, singular=True)
def tklmbda(p, x, lmbda):
    """p with x = (p^λ − (1 − p)^λ)/λ: ∂p/∂x = 1/(p^(λ−1) + (1 − p)^(λ−1)), ∂p/∂λ = −∂x/∂λ·∂p/∂x.

    Both are 0 beyond ±1/λ for λ > 0, where p is 0 or 1; at the ends they are of the inside.
    """

    def density():
        return 1 / (np.power(p, lmbda - 1) + np.power(1 - p, lmbda - 1))

    def in_shape():
        upper, lower = np.log(p), np.log1p(-p)
        slope = _in_power(sc.boxcox(p, lmbda), upper, lmbda) - _in_power(
            sc.boxcox(1 - p, lmbda), lower, lmbda
        )
        return -slope * density()

    def within(values):
        outside = np.greater(np.abs(x) * lmbda, 1)
        return np.where(outside, 0, values)

    return lambda: within(density()), lambda: within(in_shape())
