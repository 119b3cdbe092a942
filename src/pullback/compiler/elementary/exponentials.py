"""exp and its relatives: 2ᵏ·exp(r) with |r| ≤ log(2)/2."""

from __future__ import annotations

from typing import NamedTuple

from pullback.compiler.elementary.coefficients import EXP
from pullback.compiler.elementary.constants import LN2, LN2_SPLIT, LOG2E
from pullback.compiler.elementary.doubled import Pair, divided, fast_two_sum, two_product
from pullback.compiler.elementary.polynomials import polynomial
from pullback.compiler.elementary.registry import elementary
from pullback.compiler.elementary.values import Body, Value

__all__ = [
    "Exponential",
    "clamped",
    "exponential",
    "half_expm1",
    "power_of_two",
    "reduced",
    "rounding",
    "tail",
    "times_power_of_two",
]


def rounding(f: Body) -> float:
    """What rounds a number of moderate size to an integer when it is added, and taken off again.

    The last bits of the sum are the integer, in two's complement.
    """
    return 1.5 * 2.0**52 if f.real == "double" else 1.5 * 2.0**23


def layout(f: Body) -> tuple[int, int]:
    """The bias of an exponent, and the place where it begins."""
    return (1023, 52) if f.real == "double" else (127, 23)


def clamped(f: Body, x: Value, low: float, high: float) -> Value:
    """`x` between two limits; NaN stays."""
    return f.larger(low, f.smaller(high, x))


def power_of_two(f: Body, shifted: Value, more: int = 0) -> Value:
    """2ᵏ⁺ᵐᵒʳᵉ, a normal number, given `shifted` = k + `rounding`."""
    bias, places = layout(f)
    return f.from_bits((f.bits(shifted) + (bias + more)) << places)


def times_power_of_two(f: Body, x: Value, shifted: Value) -> Value:
    """x·2ᵏ for k from −2044 to 2046, given `shifted` = k + `rounding`; rounded once.

    Half of k goes into each of two factors, as 2ᵏ itself may be no normal number.
    """
    bias, places = layout(f)
    exponents = f.bits(shifted) + 2 * bias
    first = exponents >> 1
    second = exponents - first
    return x * f.from_bits(first << places) * f.from_bits(second << places)


class Exponential(NamedTuple):
    """2ᵏ(1 + r + rest): |r| ≤ log(2)/2, and `rest` about r²/2; `shifted` is k + `rounding`."""

    shifted: Value
    r: Value
    rest: Value

    def mantissa(self) -> Pair:
        """exp(x)/2ᵏ, the second part some of the first."""
        high, low = fast_two_sum(1.0, self.r)
        return Pair(high, low + self.rest)


def tail(f: Body, r: Value) -> Value:
    """exp(r) − 1 − r."""
    return r * r * polynomial(f, r, EXP)


def reduced(f: Body, x: Value, low: Value | None = None) -> tuple[Value, Pair]:
    """k + `rounding`, and r with x + low = k·log 2 + r as a pair."""
    shifted = f.fma(x, LOG2E, rounding(f))
    k = shifted - rounding(f)
    high = f.fma(k, -LN2_SPLIT[0], x)  # exact
    rest = k * -LN2_SPLIT[1] if low is None else f.fma(k, -LN2_SPLIT[1], low)
    return shifted, fast_two_sum(high, rest)


def exponential(f: Body, x: Value, low: Value | None = None) -> Exponential:
    """exp(x + low) for an x that is not too large for its power of two."""
    shifted, (r, low) = reduced(f, x, low)
    return Exponential(shifted, r, f.fma(low, r, low) + tail(f, r))


def half_expm1(f: Body, x: Value, halvings: int = 1) -> Pair:
    """(exp(x) − 1)/2ⁿ for −700 < x < (1023 + n) log 2, the second part some of the first.

    Where exp(x) is near 1, the difference of the power of two and 1 is exact, and r comes in
    before anything is rounded. Halved, the largest results have no factor that overflows.
    """
    shifted, r, rest = exponential(f, x)
    scale = power_of_two(f, shifted, -halvings)
    high, low = fast_two_sum(scale - 2.0**-halvings, scale * r)
    return Pair(high, f.fma(scale, rest, low))


@elementary("exp")
def exp(f: Body, x: Value) -> Value:
    x = clamped(f, x, -746.0, 710.0)
    shifted = f.fma(x, LOG2E, rounding(f))
    k = shifted - rounding(f)
    r = f.fma(k, -LN2_SPLIT[1], f.fma(k, -LN2_SPLIT[0], x))
    return times_power_of_two(f, f.fma(r * r, polynomial(f, r, EXP), r) + 1.0, shifted)


@elementary("exp2")
def exp2(f: Body, x: Value) -> Value:
    x = clamped(f, x, -1076.0, 1025.0)
    shifted = x + rounding(f)
    fraction = x - (shifted - rounding(f))
    r, low = two_product(f, fraction, LN2[0])
    low = f.fma(fraction, LN2[1], low)
    return times_power_of_two(f, 1.0 + (r + (low + tail(f, r))), shifted)


@elementary("expm1")
def expm1(f: Body, x: Value) -> Value:
    half = half_expm1(f, clamped(f, x, -40.0, 709.9))
    result = half.hi + half.lo
    # The sum with itself overflows where it should. Halved, a denormal number loses a bit.
    return f.select(f.absolute(x) < 2.0**-54, x, result + result)


@elementary("expit")
def expit(f: Body, x: Value) -> Value:
    """exp(x)/(1 + exp(x)) for x < 0, and 1/(1 + exp(−x)) elsewhere."""
    power = exponential(f, f.larger(-746.0, -f.absolute(x)))
    high, low = fast_two_sum(*power.mantissa())
    # So small a power that it is not normal counts for nothing in the denominator.
    scale = power_of_two(f, f.larger(rounding(f) - 1000.0, power.shifted))
    denominator = fast_two_sum(1.0, high * scale)
    denominator = Pair(denominator.hi, f.fma(low, scale, denominator.lo))
    negative = x < 0.0
    numerator = Pair(f.select(negative, high, 1.0), f.select(negative, low, 0.0))
    quotient, rest = divided(f, numerator, denominator)
    return times_power_of_two(
        f, quotient + rest, f.select(negative, power.shifted, rounding(f))
    )
