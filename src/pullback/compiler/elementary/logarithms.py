"""log and its relatives: log(2ᵏm) = k·log 2 + log m with √½ ≤ m < √2.

With F = m − 1, which is exact, and s = F/(2 + F),
log m = 2 artanh s = F − F²/2 + s(F²/2 + R(s²)): only R is a polynomial, and F comes in unrounded.
"""

from __future__ import annotations

from typing import NamedTuple

from pullback.compiler.elementary.coefficients import LOG
from pullback.compiler.elementary.constants import (
    LN2_SPLIT,
    LOG2E_PAIR,
    LOG10_2_SPLIT,
    LOG10E_PAIR,
)
from pullback.compiler.elementary.doubled import Pair, fast_two_sum, two_product, two_sum
from pullback.compiler.elementary.exponentials import exponential, times_power_of_two
from pullback.compiler.elementary.polynomials import polynomial
from pullback.compiler.elementary.registry import elementary
from pullback.compiler.elementary.values import Body, Operand, Value

__all__ = ["Scaled", "log1p_parts", "log_parts", "scaled"]

ONE = 0x3FF0000000000000  # 1.0
TWO_52 = 0x4330000000000000  # 2^52, whose last bits count units
CENTRE = 0x3FF0000000000000 - 0x3FE6A09E667F3BCD  # from √½ to 1


class Scaled(NamedTuple):
    """A positive number as 2ᵏm; `exponent` is k + 1023 as an integer."""

    k: Value
    m: Value
    exponent: Value


def scaled(f: Body, x: Value) -> Scaled:
    """2ᵏm with √½ ≤ m < √2 for a positive x, denormal ones included."""
    denormal = x < 2.0**-1022
    bits = f.bits(f.select(denormal, x * 2.0**54, x))
    exponent = (bits + CENTRE) >> 52
    m = f.from_bits(bits - (exponent << 52) + ONE)
    k = f.from_bits(exponent | TWO_52) - f.select(
        denormal, 2.0**52 + 1023 + 54, 2.0**52 + 1023
    )
    return Scaled(k, m, exponent)


def _rest(f: Body, F: Value) -> Value:
    """log(1 + F) − F."""
    s = F / (F + 2.0)
    z = s * s
    half = F * F * 0.5
    return f.fma(s, f.fma(z, polynomial(f, z, LOG), half), -half)


def log_parts(f: Body, k: Value, F: Value, low: Value | None = None) -> Pair:
    """k·log 2 + log(1 + F + low); the second part is some of the first, not only its rounding."""
    high, error = fast_two_sum(k * LN2_SPLIT[0], F)  # the product is exact
    rest = f.fma(k, LN2_SPLIT[1], error if low is None else error + low)
    return Pair(high, rest + _rest(f, F))


def log1p_parts(f: Body, y: Pair, more: Operand = 0.0) -> Pair:
    """log(1 + y) + more·log 2 for y > −1."""
    total, error = two_sum(1.0, y.hi)
    k, m, exponent = scaled(f, total)
    inverse = f.from_bits((2046 - exponent) << 52)  # 2⁻ᵏ
    # From afar neither the 1 nor the inverse, which may be no number, matters.
    low = f.select(total < 2.0**100, (error + y.lo) * inverse, 0.0)
    F, low = fast_two_sum(m - 1.0, low)
    return log_parts(f, k + more, F, low)


def _at_limits(f: Body, x: Value, result: Value, pole: float = 0.0) -> Value:
    """A logarithm with its values at the pole, beyond it, and at infinity."""
    result = f.select(x < float("inf"), result, x)
    beyond = f.select(x.equals(pole), float("-inf"), float("nan"))
    return f.select(x <= pole, beyond, result)


@elementary("log")
def log(f: Body, x: Value) -> Value:
    k, m, _ = scaled(f, x)
    high, low = log_parts(f, k, m - 1.0)
    return _at_limits(f, x, high + low)


@elementary("log1p")
def log1p(f: Body, x: Value) -> Value:
    high, low = log1p_parts(f, Pair(x, f.constant(0.0)))
    result = f.select(f.absolute(x) < 2.0**-60, x, high + low)
    return _at_limits(f, x, result, pole=-1.0)


def _to_base(
    f: Body, x: Value, unit: tuple[float, float], factor: tuple[float, float]
) -> Value:
    """k·unit + log(m)·factor, both constants in two parts."""
    k, m, _ = scaled(f, x)
    F = m - 1.0
    log_m = fast_two_sum(F, _rest(f, F))
    part, rest = two_product(f, log_m.hi, factor[0])
    rest = f.fma(log_m.lo, factor[0], f.fma(log_m.hi, factor[1], rest))
    high, error = fast_two_sum(k * unit[0], part)
    return _at_limits(f, x, high + f.fma(k, unit[1], error + rest))


@elementary("log2")
def log2(f: Body, x: Value) -> Value:
    return _to_base(f, x, (1.0, 0.0), LOG2E_PAIR)


@elementary("log10")
def log10(f: Body, x: Value) -> Value:
    return _to_base(f, x, LOG10_2_SPLIT, LOG10E_PAIR)


@elementary("logaddexp", 2)
def logaddexp(f: Body, x: Value, y: Value) -> Value:
    """M + log(1 + exp(−|x − y|)) with the larger M."""
    largest = f.larger(x, y)
    distance = f.select(x.equals(y), 0.0, f.absolute(x - y))
    power = exponential(f, f.larger(-746.0, -distance))
    small = Pair(*(times_power_of_two(f, part, power.shifted) for part in power.mantissa()))
    correction, rest = log1p_parts(f, fast_two_sum(*small))
    total, error = two_sum(largest, correction)
    result = f.select(f.absolute(largest) < float("inf"), total + (error + rest), largest)
    return f.select(f.unordered(x, y), float("nan"), result)


@elementary("xlogy", 2)
def xlogy(f: Body, x: Value, y: Value) -> Value:
    """x·log(y), and 0 where x is unless y is NaN."""
    k, m, _ = scaled(f, y)
    high, low = fast_two_sum(*log_parts(f, k, m - 1.0))
    finite = f.absolute(y) < float("inf")
    high = _at_limits(f, y, high)
    low = f.select(finite & (y > 0.0), low, 0.0)
    result = f.fma(x, high, f.select(f.absolute(x) < float("inf"), x * low, 0.0))
    return f.select(x.equals(0.0) & ~f.is_nan(y), 0.0, result)
