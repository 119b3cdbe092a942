"""Arithmetic: the four operations, powers, roots and remainders, element by element."""

from __future__ import annotations

import numpy as np

from pullback.core.choice import Choice
from pullback.core.linear import Linear
from pullback.core.shapes import dtype_of
from pullback.rules.registration import elementwise, strong_multiply

__all__ = [
    "add",
    "cbrt",
    "divide",
    "float_power",
    "fmod",
    "frexp",
    "hypot",
    "ldexp",
    "modf",
    "multiply",
    "negative",
    "nextafter",
    "positive",
    "power",
    "ratio",
    "reciprocal",
    "remainder",
    "sqrt",
    "square",
    "subtract",
]


@elementwise(np.add, symmetric=True, cheap=True)
def add(_z, _x, _y):
    """z = x + y: ∂z/∂x = 1, ∂z/∂y = 1."""
    return 1, 1


@elementwise(np.subtract, cheap=True)
def subtract(_z, _x, _y):
    """z = x − y: ∂z/∂x = 1, ∂z/∂y = −1."""
    return 1, -1


@elementwise(np.multiply, symmetric=True, cheap=True, multilinear=True)
def multiply(_z, x, y):
    """z = x·y: ∂z/∂x = y, ∂z/∂y = x."""
    return y, x


@elementwise(np.divide, cheap=True, singular=True)
def divide(z, _x, y):
    """z = x/y: ∂z/∂x = 1/y, ∂z/∂y = −z/y. Infinite at y = 0, where zeros stay zero."""
    return lambda: 1 / y, lambda: -z / y


divide.singular_at(
    "y = 0", lambda _x, y: np.equal(y, 0), (1.0, 0.0), (np.inf, -np.inf), (0, np.nan), "pole"
)
divide.singular_at(
    "x = y = 0",
    lambda x, y: np.equal(x, 0) & np.equal(y, 0),
    (0.0, 0.0), (np.inf, np.nan), (0, np.nan), "pole",
)  # fmt: skip


@elementwise(np.negative, cheap=True)
def negative(_y, _x):
    """y = −x: ∂y/∂x = −1."""
    return -1


@elementwise(np.positive, cheap=True)
def positive(_y, _x):
    """y = x: ∂y/∂x = 1."""
    return 1


@elementwise(np.square, cheap=True)
def square(_y, x):
    """y = x²: ∂y/∂x = 2x."""
    return 2 * x


@elementwise(np.reciprocal, poles={0: -np.inf})
def reciprocal(y, x):
    """y = 1/x: ∂y/∂x = −y/x. Infinite at x = 0, where zeros stay zero."""
    return -y / x


@elementwise(np.sqrt, poles={0: np.inf})
def sqrt(y, _x):
    """y = √x: ∂y/∂x = 1/(2y). Infinite at x = 0, where zeros stay zero."""
    return 0.5 / y


@elementwise(np.cbrt, poles={0: np.inf})
def cbrt(y, _x):
    """y = ∛x: ∂y/∂x = 1/(3y²). Infinite at x = 0, where zeros stay zero."""
    return 1 / (3 * y * y)


def _power(function):
    """The rule of ``function(x, y) = x ** y``."""

    def power(_z, x, y):
        """z = xʸ: ∂z/∂x = y·xʸ⁻¹, ∂z/∂y = xʸ·log x, both as products in which 0 wins.

        So ∂z/∂x = 0 for y = 0, even at x = 0, and each derivative of a polynomial is right at 0.
        ∂z/∂x is infinite at x = 0 for 0 < y < 1 and for y < 0.
        ∂z/∂y is 0 at x = 0 for y > 0, where z stays 0; it is −∞ at 0⁰ = 1, the limit of x⁰·log x
        and the slope of 0ʸ to the right; and it does not exist for x < 0, where it is NaN and only
        zeros stay zero. Integer exponents are not differentiated, so that x ** 3 is of no concern.
        The logarithm is complex where z is.
        """
        return (
            lambda: strong_multiply(y, function(x, y - 1)),
            lambda: Choice(
                strong_multiply(function(x, y), np.log(x + 0j if _z.dtype.kind == "c" else x)),
                taken=np.not_equal(x, 0) | np.less_equal(np.real(y), 0),
            ),
        )

    return power


power = elementwise(np.power, singular=True)(_power(np.power))
float_power = elementwise(np.float_power, singular=True)(_power(np.float_power))


for _each in (power, float_power):
    _each.singular_at(
        "x = 0 with y < 1, y ≠ 0",
        lambda x, y: np.equal(x, 0) & np.less(y, 1) & np.not_equal(y, 0),
        (0.0, 0.5), (np.inf, 0), (np.nan, 0), "pole", arguments=(0,),
    )  # fmt: skip
    _each.singular_at(
        "x = 0 with 1 < y < 2: the slope has a pole",
        lambda x, y: np.zeros(np.broadcast_shapes(np.shape(x), np.shape(y)), bool),
        (0.0, 1.5), (0, 0), (np.nan, 0), "pole", arguments=(0,),
    )  # fmt: skip
    _each.singular_at(
        "x = y = 0",
        lambda x, y: np.equal(x, 0) & np.equal(y, 0),
        (0.0, 0.0), (0, -np.inf), (0, np.nan), "pole", arguments=(1,),
    )  # fmt: skip
    _each.singular_at(
        "x < 0",
        lambda x, _y: np.less(x, 0) if dtype_of(x).kind != "c" else np.equal(x, np.nan),
        (-2.0, 2.0), (-4, np.nan), (2, np.nan), "pole", arguments=(1,),
    )  # fmt: skip


@elementwise(np.remainder, singular=True)
def remainder(_z, x, y):
    """z = x − y·⌊x/y⌋: ∂z/∂x = 1, ∂z/∂y = −⌊x/y⌋.

    z jumps where x/y is an integer; there this is the derivative from the side of z.
    """
    return 1, lambda: -np.floor_divide(x, y)


remainder.singular_at(
    "x/y an integer",
    lambda x, y: np.equal(np.remainder(x, y), 0),
    (6.0, 2.0), (1, -3), (0, 0), "jump",
)  # fmt: skip


@elementwise(np.fmod, singular=True)
def fmod(z, x, y):
    """z = x − y·n with n = x/y rounded towards 0: ∂z/∂x = 1, ∂z/∂y = −n.

    z jumps where x/y is an integer other than 0; there this is the derivative from the side of z.
    """
    return 1, lambda: -np.rint((x - z) / y)


fmod.singular_at(
    "x/y an integer",
    lambda x, y: np.equal(np.fmod(x, y), 0) & np.not_equal(x, 0),
    (6.0, 2.0), (1, -3), (0, 0), "jump",
)  # fmt: skip


@elementwise(np.modf, multiple=True)
def modf(_out, _x):
    """(f, n) = modf(x): x = f + n, n an integer: ∂f/∂x = 1, ∂n/∂x = 0, also where f and n jump."""
    return Linear(lambda x_dot: (x_dot, None), lambda bars: bars[0])


modf.singular_at(
    "x an integer other than 0",
    lambda x: np.equal(x, np.trunc(x)) & np.not_equal(x, 0),
    2.0, 1, 0, "jump",
)  # fmt: skip


@elementwise(np.frexp, multiple=True)
def frexp(out, _x):
    """(m, e) = frexp(x): x = m·2ᵉ with ½ ≤ |m| < 1: ∂m/∂x = 2⁻ᵉ, also where m jumps.

    The exponent is an integer. At x = 0, where e = 0, ∂m/∂x = 1.
    """
    _m, e = out

    def pullback(bars):
        m_bar = bars[0]
        return None if m_bar is None else ldexp(m_bar, -e)

    return Linear(lambda x_dot: (ldexp(x_dot, -e), None), pullback)


frexp.singular_at(
    "|x| a power of 2", lambda x: np.equal(np.abs(np.frexp(x)[0]), 0.5), 4.0, 0.125, 0, "jump"
)


@elementwise(np.ldexp, numbers=False, generic=True)
def ldexp(_y, _x, e):
    """y = x·2ᵉ with an integer e: ẏ = ẋ·2ᵉ, x̄ = ȳ·2ᵉ."""
    return Linear(lambda x_dot: ldexp(x_dot, e), lambda y_bar: ldexp(y_bar, e)), None


@elementwise(np.nextafter)
def nextafter(_z, _x, _y):
    """z = the number next to x in the direction of y: ∂z/∂x = 1, ∂z/∂y = 0."""
    return 1, None


def _ratio(x, r):
    vanishes = np.equal(r, 0)
    zero = dtype_of(r).type(0)
    return np.where(vanishes, zero, x / np.where(vanishes, zero + 1, r))[()]


@elementwise(_ratio, singular=True)
def ratio(z, _x, r):
    """z = x/r, and 0 at r = 0: the slope of something like a length r, where it has a kink.

    ∂z/∂x = 1/r, ∂z/∂r = −z/r. Beside r = 0 these grow without bound, and there they are NaN.
    """

    def over(numerator):
        undefined = np.where(np.equal(r, 0), np.nan, 1).astype(dtype_of(z))
        return numerator / (r * undefined)  # so that all its derivatives are, too

    return lambda: over(1), lambda: over(-z)


ratio.singular_at(
    "r = 0", lambda _x, r: np.equal(r, 0), (0.0, 0.0), (np.nan, np.nan), (0, np.nan), "pole"
)


@elementwise(np.hypot, singular=True)
def hypot(r, x, y):
    """r = √(x² + y²): ∂r/∂x = x/r, ∂r/∂y = y/r, both 0 at the kink x = y = 0.

    Second derivatives grow like 1/r, and are NaN there.
    """
    return lambda: ratio(x, r), lambda: ratio(y, r)


hypot.singular_at(
    "x = y = 0", lambda x, y: np.equal(x, 0) & np.equal(y, 0), (0.0, 0.0), (0, 0), (np.nan, np.nan)
)
