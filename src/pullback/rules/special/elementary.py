"""Special functions of SciPy, element by element.

Importing this module imports `scipy.special`; :mod:`pullback.scipy.loading` sees to it that it is
imported when SciPy's module is, and not before.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.special as sc

from pullback.rules import arithmetic, exponential
from pullback.rules.registration import (
    array_ufuncs,
    constant,
    elementwise,
    strong_multiply,
    ufunc_behind,
)

__all__ = ["expit", "gaussian", "log_expit", "xlogy"]

for _name, _primitive in {
    "cbrt": arithmetic.cbrt,
    "exp2": exponential.exp2,
    "expm1": exponential.expm1,
    "log1p": exponential.log1p,
}.items():
    array_ufuncs[ufunc_behind(getattr(sc, _name))] = _primitive  # type: ignore[index]

SQRT_PI = math.sqrt(math.pi)
SQRT_2PI = math.sqrt(2 * math.pi)


# -- the logistic function ------------------------------------------------------------------------


@elementwise(sc.expit)
def expit(_y, x):
    """y = 1/(1 + e⁻ˣ): ∂y/∂x = y(x)·y(−x), in which 1 − y would lose its digits for x ≫ 0."""
    return exponential.logistic_slope(x)


@elementwise(sc.log_expit)
def log_expit(_y, x):
    """y = −log(1 + e⁻ˣ): ∂y/∂x = 1/(1 + eˣ)."""
    return sc.expit(-x)


@elementwise(sc.logit, poles={0: np.inf, 1: np.inf})
def logit(_y, x):
    """y = log(x/(1 − x)): ∂y/∂x = 1/(x·(1 − x)). Infinite at 0 and 1, where zeros stay zero."""
    return 1 / (x * (1 - x))


# -- the error function and the normal distribution -----------------------------------------------


def _gaussian(x, *, scale):
    return np.exp(np.multiply(-scale * x, x))


@elementwise(_gaussian)
def gaussian(y, x, *, scale):
    """y = exp(−s·x²): ∂y/∂x = −2s·(x·y), in which x·y is small where x² would overflow."""
    return -2 * scale * (x * y)


@elementwise(sc.erf)
def erf(_y, x):
    """y = 2/√π ∫₀ˣ exp(−t²) dt: ∂y/∂x = 2/√π exp(−x²)."""
    return (2 / SQRT_PI) * gaussian(x, scale=1.0)


@elementwise(sc.erfc)
def erfc(_y, x):
    """y = 1 − erf x: ∂y/∂x = −2/√π exp(−x²)."""
    return (-2 / SQRT_PI) * gaussian(x, scale=1.0)


@elementwise(sc.erfinv, poles={1: np.inf, -1: np.inf})
def erfinv(y, _x):
    """erf y = x: ∂y/∂x = √π/2 exp(y²). Infinite at x = ±1, where zeros stay zero."""
    return (SQRT_PI / 2) * np.exp(y * y)


@elementwise(sc.erfcinv, poles={0: -np.inf, 2: -np.inf})
def erfcinv(y, _x):
    """erfc y = x: ∂y/∂x = −√π/2 exp(y²). Infinite at x = 0 and 2, where zeros stay zero."""
    return (-SQRT_PI / 2) * np.exp(y * y)


@elementwise(sc.ndtr)
def ndtr(_y, x):
    """y = Φ(x): ∂y/∂x = φ(x) = exp(−x²/2)/√(2π)."""
    return (1 / SQRT_2PI) * gaussian(x, scale=0.5)


@elementwise(sc.ndtri, poles={0: np.inf, 1: np.inf})
def ndtri(y, _x):
    """Φ(y) = x: ∂y/∂x = 1/φ(y). Infinite at x = 0 and 1, where zeros stay zero."""
    return SQRT_2PI * np.exp(y * (y / 2))


def _hazard(x):
    return math.sqrt(2 / math.pi) / sc.erfcx(x / math.sqrt(2))


@elementwise(_hazard)
def hazard(h, x):
    """h = φ(x)/Φ(−x), the hazard rate of the normal distribution: ∂h/∂x = h·(h − x).

    With h = x + e₁ that is 1 + ∂e₁/∂x, of which the next derivatives don't cancel for large x.
    """
    excess = hazard_excess(x, order=1)
    rise = 1 + excess * (excess - hazard_excess(x, order=2))
    return np.where(np.greater(x, 1), rise, h * excess)


def _hazard_excess(x, *, order):
    """eₙ(x), in double precision, of which the precision of x is kept.

    For large x by Laplace's continued fraction, where the differences cancel.
    """
    dtype = np.asarray(x).dtype
    x = np.asarray(x, np.promote_types(dtype, np.float64))
    large = x > 4
    fraction = t = np.where(large, x, 4.0)
    for k in range(80 + order, order, -1):
        fraction = t + k / fraction
    excess = _hazard(x) - x
    for k in range(1, order):
        excess = k / excess - x
    return np.where(large, order / fraction, excess).astype(dtype)[()]


@elementwise(_hazard_excess)
def hazard_excess(e, x, *, order):
    """e₁ = h − x, with the hazard rate h of the normal distribution, and eₙ₊₁ = n/eₙ − x.

    ∂eₙ/∂x = eₙ·(eₙ − eₙ₊₁), in which nothing cancels for large x, where eₙ is about n/x; for small
    x it is the same as eₙ·(x + eₙ) − n.
    """
    return np.where(
        np.greater(x, 1), e * (e - hazard_excess(x, order=order + 1)), e * (x + e) - order
    )


@elementwise(sc.log_ndtr)
def log_ndtr(_y, x):
    """y = log Φ(x): ∂y/∂x = φ(x)/Φ(x), the hazard rate at −x."""
    return hazard(-x)


# -- exponential integrals ------------------------------------------------------------------------


@elementwise(sc.exp1, poles={0: -np.inf})
def exp1(_y, x):
    """y = ∫ₓ^∞ e⁻ᵗ/t dt: ∂y/∂x = −e⁻ˣ/x. Infinite at x = 0, where zeros stay zero."""
    return -np.exp(-x) / x


@elementwise(sc.expi, poles={0: np.inf})
def expi(_y, x):
    """y = −∫₋ₓ^∞ e⁻ᵗ/t dt: ∂y/∂x = eˣ/x. Infinite at x = 0, where zeros stay zero."""
    return np.exp(x) / x


# -- entropies and losses -------------------------------------------------------------------------


@elementwise(sc.xlogy, singular=True)
def xlogy(_z, x, y):
    """z = x·log y, and 0 at x = 0: ∂z/∂x = log y, ∂z/∂y = x/y, which is 0 at x = 0.

    ∂z/∂x is −∞ at y = 0, where zeros stay zero.
    """
    return lambda: np.log(y), lambda: strong_multiply(x, 1 / y)


xlogy.singular_at(
    "y = 0", lambda _x, y: np.equal(y, 0), (1.0, 0.0), (-np.inf, np.inf), (0, np.nan), "pole"
)
xlogy.singular_at(
    "x = y = 0",
    lambda x, y: np.equal(x, 0) & np.equal(y, 0),
    (0.0, 0.0), (-np.inf, 0), (0, 0), "pole",
)  # fmt: skip


@elementwise(sc.xlog1py, singular=True)
def xlog1py(_z, x, y):
    """z = x·log(1 + y), and 0 at x = 0: ∂z/∂x = log(1 + y), ∂z/∂y = x/(1 + y), 0 at x = 0.

    ∂z/∂x is −∞ at y = −1, where zeros stay zero.
    """
    return lambda: np.log1p(y), lambda: strong_multiply(x, 1 / (1 + y))


xlog1py.singular_at(
    "y = −1", lambda _x, y: np.equal(y, -1), (1.0, -1.0), (-np.inf, np.inf), (0, np.nan), "pole"
)


@elementwise(sc.entr, poles={0: np.inf})
def entr(_y, x):
    """y = −x·log x: ∂y/∂x = −log x − 1. Infinite at x = 0, where zeros stay zero."""
    return -np.log(x) - 1


@elementwise(sc.rel_entr, singular=True)
def rel_entr(_z, x, y):
    """z = x·log(x/y), and 0 at x = 0: ∂z/∂x = log(x/y) + 1, ∂z/∂y = −x/y.

    Infinite at x = 0 and at y = 0, where zeros stay zero.
    """
    return lambda: np.log(x / y) + 1, lambda: strong_multiply(-x, 1 / y)


@elementwise(sc.kl_div, singular=True)
def kl_div(_z, x, y):
    """z = x·log(x/y) − x + y, and y at x = 0: ∂z/∂x = log(x/y), ∂z/∂y = (y − x)/y.

    Infinite at x = 0 and at y = 0, where zeros stay zero.
    """
    return lambda: np.log(x / y), lambda: (y - x) / y


for _each, _first in ((rel_entr, (-np.inf, 0)), (kl_div, (-np.inf, 1))):
    _each.singular_at(
        "x = 0 or y = 0",
        lambda x, y: np.equal(x, 0) | np.equal(y, 0),
        (0.0, 1.0), _first, (np.nan, 0), "pole",
    )  # fmt: skip


@elementwise(sc.huber)
def huber(_z, delta, r):
    """z = r²/2 for |r| ≤ δ, else δ·(|r| − δ/2): ∂z/∂δ = max(|r| − δ, 0), ∂z/∂r = r within ±δ.

    Both are continuous at |r| = δ. For δ < 0, where z = ∞, they are not meaningful.
    """
    return lambda: np.maximum(np.abs(r) - delta, 0), lambda: np.clip(r, -delta, delta)


huber.singular_at(
    "|r| = δ: the slope has a kink",
    lambda delta, r: np.equal(np.abs(r), np.nan),
    (1.0, 1.0), (0, 1), (-0.5, 0.5),
)  # fmt: skip


constant(sc.round, name="special_round")
