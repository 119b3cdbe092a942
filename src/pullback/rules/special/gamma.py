"""The gamma function and what is made of it: its logarithm's derivatives, quotients, zeta."""

from __future__ import annotations

import math

import numpy as np
import scipy.special as sc

from pullback.rules.registration import constant, elementwise
from pullback.rules.special.cancellation import polygamma_difference
from pullback.rules.special.missing import no_closed_form
from pullback.rules.special.tail_integrals import in_blocks

__all__ = ["at_pole", "digamma", "gammaln", "hurwitz", "polygamma", "polygamma_rise", "riemann"]


def at_pole(x):
    """Whether x is 0, −1, −2, …"""
    return np.less_equal(x, 0) & np.equal(x, np.floor(x))


# -- the logarithm's derivatives ------------------------------------------------------------------


def _polygamma(x, *, n):
    x = np.asarray(x)
    if x.dtype.kind == "c":
        return _complex_polygamma(x.astype(np.complex128), n).astype(x.dtype)[()]
    return sc.polygamma(n, x)


_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)


def _complex_polygamma(z, n):
    """By reflection to Re z ≥ 1/2, recurrence to Re z ≥ 20 + n, and the series at infinity there.

    ψ⁽ⁿ⁾(z) = (−1)ⁿ⁺¹·((n−1)!/zⁿ + n!/(2zⁿ⁺¹) + Σ B₂ₖ·(2k+n−1)!/((2k)!·z²ᵏ⁺ⁿ)): DLMF 5.15.8.
    """
    sign = (-1) ** (n + 1)
    reflected = z.real < 0.5
    w = np.where(reflected, 1 - z, z)
    total = np.zeros_like(w)
    for _ in range(20 + n):
        near = w.real < 20 + n
        total = total + np.where(near, math.factorial(n) / np.where(near, w, 1) ** (n + 1), 0)
        w = np.where(near, w + 1, w)
    total = total + math.factorial(n - 1) / w**n + math.factorial(n) / (2 * w ** (n + 1))
    for k, number in enumerate(_BERNOULLI, 1):
        factor = math.factorial(2 * k + n - 1) / math.factorial(2 * k)
        total = total + number * factor / w ** (2 * k + n)
    total = sign * total
    if reflected.any():  # ψ⁽ⁿ⁾(z) = (−1)ⁿ·ψ⁽ⁿ⁾(1 − z) − π·dⁿcot(πz)/dzⁿ: DLMF 5.15.6
        turn = np.pi * (z - np.round(z.real))
        with np.errstate(all="ignore"):
            cotangent, square = 1 / np.tan(turn), np.sin(turn) ** -2.0
        square = np.where(np.abs(turn.imag) < 350, square, 0)
        x = np.polynomial.Polynomial([0, 1])
        slope = 0 * x - 1  # the derivative over 1/sin², for which the sums do not cancel
        for _ in range(n - 1):
            slope = -2 * x * slope - (1 + x * x) * slope.deriv()
        derivative = np.pi ** (n + 1) * square * slope(cotangent)
        total = np.where(reflected, (-1) ** n * total - derivative, total)
    return np.where(np.equal(z.imag, 0) & at_pole(z.real), np.nan, total)


@elementwise(_polygamma, singular=True)
def polygamma(_y, x, *, n):
    """y = ψ⁽ⁿ⁾(x), the derivative of order n + 1 of log Γ: ∂y/∂x = ψ⁽ⁿ⁺¹⁾(x), complex ones too.

    Has poles at 0, −1, −2, …, where zeros stay zero.
    """
    return polygamma(x, n=n + 1)


@elementwise(sc.digamma, name="digamma", singular=True)
def digamma(_y, x):
    """y = ψ(x) = Γ′(x)/Γ(x): ∂y/∂x = ψ⁽¹⁾(x), complex numbers included.

    Has poles at 0, −1, −2, …, where zeros stay zero.
    """
    return polygamma(x, n=1)


@elementwise(sc.gammaln, singular=True)
def gammaln(_y, x):
    """y = log|Γ(x)|: ∂y/∂x = ψ(x). Has poles at 0, −1, −2, …, where zeros stay zero."""
    return sc.digamma(x)


@elementwise(sc.loggamma, singular=True)
def loggamma(_y, z):
    """y = log Γ(z), its principal branch: ∂y/∂z = ψ(z). Has poles at 0, −1, −2, …

    There zeros stay zero. Of negative real numbers it is NaN.
    """
    return sc.digamma(z)


@elementwise(sc.gamma, singular=True)
def gamma(y, x):
    """y = Γ(x): ∂y/∂x = y·ψ(x). Has poles at 0, −1, −2, …, where zeros stay zero."""
    return y * sc.digamma(x)


@elementwise(sc.rgamma)
def rgamma(y, x):
    """y = 1/Γ(x), an entire function: ∂y/∂x = −y·ψ(x).

    Left of 1/2 it is Γ(1 − x)·(cos πx − sin(πx)·ψ(1 − x)/π), which holds at 0, −1, −2, … too.
    """
    left = np.less(np.real(x), 0.5) & np.less(np.abs(np.imag(x)), 1)
    reflected = 1 - np.where(left, x, 0)
    turn = np.pi * np.where(left, x, 0)
    slope = np.cos(turn) - np.sin(turn) * (sc.digamma(reflected) / np.pi)
    right = np.where(left, 1, x)
    return np.where(left, sc.gamma(reflected) * slope, -y * sc.digamma(right))


for _each, _slope, _params in (
    (polygamma, -np.inf, {"n": 1}), (digamma, np.inf, {}), (gammaln, -np.inf, {}),
    (loggamma, -np.inf, {}), (gamma, -np.inf, {}),
):  # fmt: skip
    _each.singular_at(
        "x = 0, −1, −2, …", lambda x, **_: at_pole(x), 0.0, _slope, np.nan, "pole", params=_params
    )


constant(sc.gammasgn, name="special_gammasgn")


# -- quotients ------------------------------------------------------------------------------------


def _polygamma_rise(x, d, *, n):
    def rise(x, d):
        return polygamma_difference(x, d, n)

    return in_blocks(rise, x, d)


@elementwise(_polygamma_rise, singular=True)
def polygamma_rise(r, x, d, *, n):
    """r = ψ⁽ⁿ⁾(x + d) − ψ⁽ⁿ⁾(x), right to rounding for x > 0 and x + d > 0.

    ∂r/∂x is that of order n + 1, ∂r/∂d = ψ⁽ⁿ⁺¹⁾(x + d). Has poles where either argument has one.
    """
    return lambda: polygamma_rise(x, d, n=n + 1), lambda: polygamma(x + d, n=n + 1)


@elementwise(sc.betaln, singular=True)
def betaln(_z, x, y):
    """z = log|B(x, y)|: ∂z/∂x = ψ(x) − ψ(x + y), ∂z/∂y = ψ(y) − ψ(x + y), which do not cancel.

    Has poles where x or y is 0, −1, −2, …; there zeros stay zero.
    """
    return lambda: -polygamma_rise(x, y, n=0), lambda: -polygamma_rise(y, x, n=0)


@elementwise(sc.beta, singular=True)
def beta(z, x, y):
    """z = B(x, y): ∂z/∂x = z·(ψ(x) − ψ(x + y)), ∂z/∂y = z·(ψ(y) − ψ(x + y)).

    Has poles where x or y is 0, −1, −2, …; there zeros stay zero.
    """
    return lambda: -z * polygamma_rise(x, y, n=0), lambda: -z * polygamma_rise(y, x, n=0)


for _each, _slopes in ((betaln, (-np.inf, 0)), (beta, (-np.inf, np.nan))):
    _each.singular_at(
        "x or y = 0, −1, −2, …",
        lambda x, y: at_pole(x) | at_pole(y),
        (0.0, 1.0), _slopes, (np.nan, 0 if _each is betaln else np.nan), "pole",
    )  # fmt: skip


@elementwise(sc.poch, singular=True)
def poch(y, z, m):
    """y = Γ(z + m)/Γ(z): ∂y/∂z = y·(ψ(z + m) − ψ(z)), ∂y/∂m = y·ψ(z + m).

    Where z is 0, −1, −2, … and z + m is not, ∂y/∂z is that of Γ(z + m) times 1/Γ(z). Where
    z + m is, there is a pole, at which zeros stay zero.
    """

    def first():
        pole = at_pole(z) & np.logical_not(at_pole(z + m))
        risen = np.where(pole, z + m, 1)
        product = sc.gamma(risen) * (sc.digamma(risen) * sc.rgamma(z) + _rgamma_slope(z, pole))
        base, step = np.where(pole, 1, z), np.where(pole, 1, m)
        return np.where(pole, product, y * polygamma_rise(base, step, n=0))

    return first, lambda: y * sc.digamma(z + m)


poch.singular_at(
    "z + m = 0, −1, −2, …",
    lambda z, m: at_pole(z + m),
    (0.5, -0.5), (-np.inf, -np.inf), (np.nan, np.nan), "pole",
)  # fmt: skip


@elementwise(sc.binom, singular=True)
def binom(y, n, k):
    """y = Γ(n + 1)/(Γ(k + 1)·Γ(n − k + 1)): the derivatives are y times those of its logarithm.

    ∂y/∂n = y·(ψ(n + 1) − ψ(n − k + 1)), ∂y/∂k = y·(ψ(n − k + 1) − ψ(k + 1)). Where y = 0, for
    integers k > n or k < 0, they are those of the product. n = −1, −2, … are poles, where zeros
    stay zero.
    """
    m = n - k + 1
    zero = at_pole(m) | at_pole(k + 1)

    def reciprocals():
        """Γ(n + 1) and the factors 1/Γ(k + 1) and 1/Γ(m) with their derivatives."""
        down, low = np.where(zero, k + 1, 1), np.where(zero, m, 1)
        return (
            sc.gamma(n + 1),
            (sc.rgamma(down), _rgamma_slope(down, zero)),
            (sc.rgamma(low), _rgamma_slope(low, zero)),
        )

    def first():
        top, (down, _), (low, low_slope) = reciprocals()
        product = top * down * (low * sc.digamma(n + 1) + low_slope)
        return np.where(zero, product, y * polygamma_rise(np.where(zero, 1, m), k, n=0))

    def second():
        top, (down, down_slope), (low, low_slope) = reciprocals()
        product = top * (down_slope * low - down * low_slope)
        base, step = np.where(zero, 1, k + 1), np.where(zero, 1, n - k - k)
        return np.where(zero, product, y * polygamma_rise(base, step, n=0))

    return first, second


binom.singular_at(
    "n = −1, −2, …",
    lambda n, _k: at_pole(n + 1),
    (-1.0, 0.5), (np.nan, np.nan), (np.nan, np.nan), "pole",
)  # fmt: skip


def _rgamma_slope(x, wanted):
    """The derivative of 1/Γ(x) where it is wanted: as in `rgamma`."""
    x = np.where(wanted, x, 0.5)
    left = np.less(x, 0.5)
    low, high = np.where(left, x, 0), np.where(left, 1, x)
    turn = np.pi * low
    slope = sc.gamma(1 - low) * (np.cos(turn) - np.sin(turn) * (sc.digamma(1 - low) / np.pi))
    return np.where(left, slope, -sc.rgamma(high) * sc.digamma(high))


# -- zeta -----------------------------------------------------------------------------------------


def _hurwitz(x, q):
    return sc.zeta(x, q)


@elementwise(_hurwitz, singular=True)
def hurwitz(_z, x, q):
    """z = ζ(x, q) = Σ (k + q)⁻ˣ: ∂z/∂q = −x·ζ(x + 1, q); no rule for x.

    Has poles at q = 0, −1, −2, …, where zeros stay zero.
    """
    return no_closed_form("zeta", "x"), lambda: -x * hurwitz(x + 1, q)


hurwitz.singular_at(
    "q = 0, −1, −2, …",
    lambda _x, q: at_pole(q), (2.0, 0.0), (None, -np.inf), (None, np.nan), "pole",
)  # fmt: skip


def _riemann(x):
    return sc.zeta(x)


@elementwise(_riemann)
def riemann(_z, _x):
    """z = ζ(x) = Σ k⁻ˣ; no rule."""
    return no_closed_form("zeta", "x")


@elementwise(sc.zetac)
def zetac(_z, _x):
    """z = ζ(x) − 1; no rule."""
    return no_closed_form("zetac", "x")
