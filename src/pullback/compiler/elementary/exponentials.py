"""exp and its relatives: 2ᵏ·exp(r) with |r| ≤ log(2)/2."""

from __future__ import annotations

from typing import NamedTuple

from pullback.compiler.elementary.coefficients import EXP
from pullback.compiler.elementary.constants import LN2, LN2_SPLIT, LOG2E
from pullback.compiler.elementary.doubled import Pair, fast_two_sum, two_product
from pullback.compiler.elementary.formats import format_of
from pullback.compiler.elementary.polynomials import polynomial, polynomial_added
from pullback.compiler.elementary.registry import elementary, single
from pullback.compiler.elementary.values import Body, Value

__all__ = [
    "Exponential",
    "clamped",
    "exponential",
    "half_expm1",
    "power_of_two",
    "short_exponential",
    "times_power_of_two",
]


def clamped(f: Body, x: Value, limits: tuple[float, float]) -> Value:
    """`x` between two limits; NaN stays."""
    return f.larger(limits[0], f.smaller(limits[1], x))


def power_of_two(f: Body, shifted: Value, more: int = 0) -> Value:
    """2ᵏ⁺ᵐᵒʳᵉ, a normal number, given `shifted` = k + `Format.rounding`."""
    format_ = format_of(f)
    return f.from_bits((f.bits(shifted) + (format_.bias + more)) << format_.places)


def times_power_of_two(f: Body, x: Value, shifted: Value) -> Value:
    """x·2ᵏ, rounded once, given `shifted` = k + `Format.rounding`; |k| up to twice the bias."""
    first, second = _factors(f, shifted)
    return x * first * second


def _factors(f: Body, shifted: Value) -> tuple[Value, Value]:
    """2ᵏ in two factors with half of k each, as 2ᵏ itself may be no normal number."""
    format_ = format_of(f)
    exponents = f.bits(shifted) + 2 * format_.bias
    half = exponents >> 1
    first, second = (f.from_bits(part << format_.places) for part in (half, exponents - half))
    return first, second


class Exponential(NamedTuple):
    """2ᵏ(1 + r + rest): |r| ≤ log(2)/2, `rest` about r²/2, and `shifted` = k + rounding."""

    shifted: Value
    r: Value
    rest: Value

    def mantissa(self) -> Pair:
        """exp(x)/2ᵏ, the second part some of the first."""
        high, low = fast_two_sum(1.0, self.r)
        return Pair(high, low + self.rest)


def _tail(f: Body, r: Value) -> Value:
    """exp(r) − 1 − r."""
    return r * r * polynomial(f, r, EXP[f.dtype])


def _short_reduced(f: Body, x: Value) -> tuple[Value, Value]:
    """k + rounding, and r with the error of its last rounding."""
    format_, (ln2_high, ln2_low) = format_of(f), LN2_SPLIT[f.dtype]
    shifted = f.fma(x, LOG2E[f.dtype][0], format_.rounding)
    k = shifted - format_.rounding
    return shifted, f.fma(k, -ln2_low, f.fma(k, -ln2_high, x))


def exponential(f: Body, x: Value, low: Value | None = None) -> Exponential:
    """exp(x + low) for an x that is not too large for its power of two."""
    format_, (ln2_high, ln2_low) = format_of(f), LN2_SPLIT[f.dtype]
    shifted = f.fma(x, LOG2E[f.dtype][0], format_.rounding)
    k = shifted - format_.rounding
    rest = k * -ln2_low if low is None else f.fma(k, -ln2_low, low)
    r, low = fast_two_sum(f.fma(k, -ln2_high, x), rest)  # the fma is exact
    rest = polynomial_added(f, f.fma(low, r, low), r * r, r, EXP[f.dtype])
    return Exponential(shifted, r, rest)


def short_exponential(f: Body, x: Value) -> Exponential:
    """The same without what rounding takes from r: up to a quarter of a unit, where k is not 0."""
    shifted, r = _short_reduced(f, x)
    return Exponential(shifted, r, _tail(f, r))


def half_expm1(f: Body, power: Exponential, halvings: int = 1) -> Pair:
    """(exp(x) − 1)/2ⁿ for −40 ≤ x < (bias + n) log 2, the second part some of the first.

    Where exp(x) is near 1, the difference of the power of two and 1 is exact, and r comes in
    before anything is rounded. Halved, the largest results have no factor that overflows.
    """
    scale = power_of_two(f, power.shifted, -halvings)
    high, low = fast_two_sum(scale - 2.0**-halvings, scale * power.r)
    return Pair(high, f.fma(scale, power.rest, low))


@single("exp")
@elementary("exp")
def exp(f: Body, x: Value) -> Value:
    shifted, r = _short_reduced(f, x)
    more = f.fma(r * r, polynomial(f, r, EXP[f.dtype]), r)
    first, second = _factors(f, shifted)
    result = f.fma(more, first, first) * second  # the first factor is a normal number
    # What is out of range gives no number that means anything, and is replaced at the end: an
    # argument that is clamped before would keep all else waiting.
    least = -format_of(f).logarithms[0]
    limit = f.select(x < 0.0, 0.0, f.constant(float("inf")))
    return f.select(f.absolute(x) > least, limit, result)


@single("exp2")
@elementary("exp2")
def exp2(f: Body, x: Value) -> Value:
    format_, (ln2, ln2_rest) = format_of(f), LN2[f.dtype]
    low, high = format_.exponents
    x = clamped(f, x, (low - 1.0, high + 1.0))
    shifted = x + format_.rounding
    fraction = x - (shifted - format_.rounding)
    r, error = two_product(f, fraction, ln2)
    error = f.fma(fraction, ln2_rest, error)
    return times_power_of_two(f, 1.0 + (r + (error + _tail(f, r))), shifted)


@single("expm1")
@elementary("expm1")
def expm1(f: Body, x: Value) -> Value:
    limits = -40.0, format_of(f).logarithms[1]
    half = half_expm1(f, exponential(f, clamped(f, x, limits)))
    result = half.hi + half.lo
    # The sum with itself overflows where it should. Halved, a denormal number loses a bit.
    return f.select(f.absolute(x) < 2.0**-54, x, result + result)


@single("expit")
@elementary("expit")
def expit(f: Body, x: Value) -> Value:
    """exp(x)/(1 + exp(x)) for x < 0, and 1/(1 + exp(−x)) elsewhere."""
    format_ = format_of(f)
    power = short_exponential(f, f.larger(format_.logarithms[0], -f.absolute(x)))
    mantissa = 1.0 + (power.r + power.rest)
    # A power that may not be normal counts for nothing in the denominator.
    scale = power_of_two(f, f.larger(format_.rounding - 100.0, power.shifted))
    total, error = fast_two_sum(1.0, mantissa * scale)
    negative = x < 0.0
    numerator = f.select(negative, mantissa, 1.0)
    inverse = 1.0 / total
    ratio = numerator * inverse
    remainder = f.fma(-ratio, error, f.fma(-ratio, total, numerator))
    shifted = f.select(negative, power.shifted, format_.rounding)
    return times_power_of_two(f, f.fma(remainder, inverse, ratio), shifted)
