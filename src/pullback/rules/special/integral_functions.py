"""Functions that are integrals of elementary ones, and inverses of such, of one argument.

Exponential, sine and cosine integrals (DLMF 6.2), the dilogarithm (DLMF 25.12), Lambert's W (DLMF
4.13) and Wright's ω.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.special as sc

from pullback.rules.registration import array_ufuncs, elementwise
from pullback.rules.special.expansions import in_double
from pullback.rules.special.missing import no_closed_form
from pullback.rules.special.quotients import log_quotient, sin_quotient, sinh_quotient

__all__ = ["lambertw"]


@in_double
def _negative_expn(n, x):
    """Eₙ with n ≤ 0 too: E₀ = e⁻ˣ/x, and Eₙ₋₁ = (e⁻ˣ + (1 − n)·Eₙ)/x, of positive terms."""
    e = np.exp(-x)
    value = e / x
    result = np.where(n > 0, sc.expn(np.maximum(n, 0), x), value)
    lowest = int(np.min(n, initial=0))
    for m in range(1, -lowest + 1):
        value = (e + m * value) / x
        result = np.where(n == -m, value, result)
    return result


@elementwise(_negative_expn, name="any_expn", singular=True)
def any_expn(_y, n, x):
    """y = Eₙ(x), for integers n of any sign: ∂y/∂x = −Eₙ₋₁(x)."""
    return no_closed_form("expn", "n"), lambda: -any_expn(n - 1, x)


@elementwise(sc.expn, singular=True)
def expn(_y, n, x):
    """y = ∫₁^∞ e⁻ˣᵗ/tⁿ dt: ∂y/∂x = −Eₙ₋₁(x); no rule for n.

    Infinite at x = 0 for n ≤ 2, where zeros stay zero.
    """
    return no_closed_form("expn", "n"), lambda: -any_expn(n - 1, x)


expn.singular_at(
    "x = 0 with n ≤ 2", lambda n, x: np.equal(x, 0) & np.less_equal(n, 2),
    (2.0, 0.0), (None, -np.inf), (None, np.nan), "pole",
)  # fmt: skip


@elementwise(lambda x: sc.sici(x)[0], name="si")
def si(_y, x):
    """y = ∫₀ˣ sin(t)/t dt: ∂y/∂x = sin(x)/x."""
    return sin_quotient(x, order=0)


@elementwise(lambda x: sc.sici(x)[1], name="ci", poles={0: np.inf})
def ci(_y, x):
    """y = γ + log x + ∫₀ˣ (cos(t) − 1)/t dt: ∂y/∂x = cos(x)/x. Zeros stay zero at x = 0."""
    return np.cos(x) / x


@elementwise(lambda x: sc.shichi(x)[0], name="shi")
def shi(_y, x):
    """y = ∫₀ˣ sinh(t)/t dt: ∂y/∂x = sinh(x)/x."""
    return sinh_quotient(x, order=0)


@elementwise(lambda x: sc.shichi(x)[1], name="chi", poles={0: np.inf})
def chi(_y, x):
    """y = γ + log x + ∫₀ˣ (cosh(t) − 1)/t dt: ∂y/∂x = cosh(x)/x. Zeros stay zero at x = 0."""
    return np.cosh(x) / x


array_ufuncs[sc.sici] = lambda x: (si(x), ci(x))
array_ufuncs[sc.shichi] = lambda x: (shi(x), chi(x))


@elementwise(sc.spence, poles={0: -np.inf})
def spence(_y, z):
    """y = ∫₁ᶻ log(t)/(1 − t) dt: ∂y/∂z = −log(1 + d)/d with d = z − 1, which is −1 at z = 1.

    Infinite at z = 0, where zeros stay zero.
    """
    return -_log_over(z)


def _log_over_value(z, *, order=0):
    """The derivative of log(z)/(z − 1) of this order."""
    z = np.asarray(z)
    near = np.abs(z - 1) < 0.5
    inside = log_quotient.value(np.where(near, z - 1, 0), order=order)
    z = np.where(near, 2, z)
    value = np.log(z) / (z - 1)
    for n in range(1, order + 1):
        value = ((-1) ** (n - 1) * math.factorial(n - 1) * z ** (-float(n)) - n * value) / (z - 1)
    return np.where(near, inside, value)[()]


@elementwise(in_double(_log_over_value), name="log_over", singular=True)
def _log_over(_y, z, *, order=0):
    """y = the derivative of log(z)/(z − 1) of this order; far from 1 without 1 + (z − 1)."""
    return _log_over(z, order=order + 1)


def _lambertw(z, k, *, tol=1e-8):
    return sc.lambertw(z, k, tol)


@elementwise(_lambertw, singular=True)
def lambertw(w, _z, k, *, tol=1e-8):
    """w·eʷ = z on the branch k: ∂w/∂z = e⁻ʷ/(1 + w), which is 1 at z = 0 for k = 0.

    Infinite at the branch point z = −1/e for k = 0 and −1, where zeros stay zero. Beside it, it is
    as right as 1 + w is.
    """
    return np.exp(-w) / (1 + w), None


@elementwise(sc.wrightomega, singular=True)
def wrightomega(w, _z):
    """w + log w = z: ∂w/∂z = w/(1 + w). Infinite at z = −1 ± iπ, where zeros stay zero."""
    return w / (1 + w)


# -- in degrees and other units -------------------------------------------------------------------

DEGREE = math.pi / 180


@elementwise(sc.sindg)
def sindg(_y, x):
    """y = sin of x degrees: ∂y/∂x = π/180·cos."""
    return DEGREE * sc.cosdg(x)


@elementwise(sc.cosdg)
def cosdg(_y, x):
    """y = cos of x degrees: ∂y/∂x = −π/180·sin."""
    return -DEGREE * sc.sindg(x)


@elementwise(sc.tandg, poles={90: np.inf})
def tandg(y, _x):
    """y = tan of x degrees: ∂y/∂x = π/180·(1 + y²). Infinite at odd multiples of 90."""
    return DEGREE * (1 + y * y)


@elementwise(sc.cotdg, poles={0: -np.inf})
def cotdg(y, _x):
    """y = cot of x degrees: ∂y/∂x = −π/180·(1 + y²). Infinite at multiples of 180."""
    return -DEGREE * (1 + y * y)


@elementwise(sc.radian, multilinear=False)
def radian(_y, _degrees, _minutes, _seconds):
    """y = (d + m/60 + s/3600)·π/180: a constant slope in each."""
    return DEGREE, DEGREE / 60, DEGREE / 3600


@elementwise(sc.cosm1)
def cosm1(_y, x):
    """y = cos x − 1: ∂y/∂x = −sin x."""
    return -np.sin(x)


@elementwise(sc.exp10)
def exp10(y, _x):
    """y = 10ˣ: ∂y/∂x = y·log 10."""
    return math.log(10) * y


@elementwise(lambda x, y: x / np.hypot(x, y), name="direction", singular=True)
def direction(u, x, y):
    """u = x/r with r = √(x² + y²), and v = y/r: ∂u/∂x = v²/r, ∂u/∂y = −u·v/r; NaN at 0."""

    def across():
        return direction(y, x)

    return (
        lambda: across() * (across() / np.hypot(x, y)),
        lambda: -u * (across() / np.hypot(x, y)),
    )


@elementwise(sc.pseudo_huber, singular=True)
def pseudo_huber(_z, delta, r):
    """z = δ²·(√(1 + (r/δ)²) − 1), with h = √(δ² + r²): ∂z/∂r = δ·r/h, ∂z/∂δ = (r²/(δ + h))²/h.

    At δ = 0, where z is 0, they are 0 and |r|, the slopes to the right; at r = δ = 0 they don't
    exist (NaN), and zeros stay zero. For δ < 0, where z = ∞, they are not meaningful.
    """

    def in_delta():
        h = np.hypot(delta, r)
        part = r * (r / (delta + h))
        return part * (part / h)

    return in_delta, lambda: delta * direction(r, delta)


pseudo_huber.singular_at(
    "δ = r = 0", lambda delta, r: np.equal(delta, 0) & np.equal(r, 0),
    (0.0, 0.0), (np.nan, np.nan), (np.nan, np.nan), "pole",
)  # fmt: skip


@elementwise(sc.agm, singular=True)
def agm(m, a, b):
    """m = the arithmetic-geometric mean, π/(2·R_F(0, a², b²)): DLMF 19.22.8, with 19.18.1
    ∂m/∂a = 2/(3π)·(m/a)²·R_D(0, (b/a)², 1), and for b likewise. Zeros stay zero at 0.
    """

    def slope(x, y):
        ratio, mean = y / x, m / x
        return (2 / (3 * math.pi)) * mean * mean * sc.elliprd(0.0, ratio * ratio, 1.0)

    return lambda: slope(a, b), lambda: slope(b, a)


agm.singular_at(
    "a = 0 or b = 0", lambda a, b: np.equal(a, 0) | np.equal(b, 0),
    (0.0, 1.0), (np.nan, np.nan), (np.nan, np.nan), "pole",
)  # fmt: skip
