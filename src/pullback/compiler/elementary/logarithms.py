"""log and its relatives: log(2ᵏm) = k·log 2 + log m with √½ ≤ m < √2.

With F = m − 1, which is exact, log m = F − F²/2 + F³·P(F): only P is a polynomial, and F comes in
unrounded. (Half as many coefficients were enough for an odd function of F/(2 + F), whose division
takes longer than the others do.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pullback.compiler.elementary.coefficients import LOG
from pullback.compiler.elementary.constants import (
    LN2_SPLIT,
    LOG2E,
    LOG10_2_SPLIT,
    LOG10E,
)
from pullback.compiler.elementary.doubled import Pair, fast_two_sum, two_product, two_sum
from pullback.compiler.elementary.formats import format_of
from pullback.compiler.elementary.polynomials import polynomial_added
from pullback.compiler.elementary.registry import elementary, single
from pullback.compiler.elementary.values import Body, Operand, Value

__all__ = ["Scaled", "log1p_parts", "log_of_pair", "log_parts", "scaled"]


class Scaled(NamedTuple):
    """A positive number as 2ᵏm; `exponent` is k + bias as an integer.

    `rare` says where it is no positive normal number.
    """

    k: Value
    m: Value
    exponent: Value
    rare: Value


def scaled(f: Body, x: Value) -> Scaled:
    """2ᵏm with √½ ≤ m < √2 for a positive x, denormal ones included."""
    format_ = format_of(f)
    more = format_.places + 2
    offset = f.constant(2.0**format_.places + format_.bias)

    def magnified() -> Sequence[Value]:
        denormal = x < format_.smallest
        return (
            f.select(denormal, x * 2.0**more, x),
            f.select(denormal, offset + float(more), offset),
        )

    rare = _no_normal_number(f, x)
    normal, offset = f.unless_rare(rare, (x, offset), magnified)
    bits = f.bits(normal)
    exponent = (bits + (format_.one - format_.sqrt_half)) >> format_.places
    m = f.from_bits(bits + format_.one - (exponent << format_.places))
    # The last bits of this number count units.
    unit = format_.bias + format_.places << format_.places
    return Scaled(f.from_bits(exponent | unit) - offset, m, exponent, rare)


def _no_normal_number(f: Body, x: Value) -> Value:
    """Whether `x` is not a positive normal number.

    Those are a range of integers, which begins with the least of all if so much is added.
    """
    format_ = format_of(f)
    first, beyond = 1 << format_.places, 2 * format_.bias + 1 << format_.places
    return f.bits(x) - (f.sign_bit + first) >= f.sign_bit + (beyond - first)


def _rest(f: Body, F: Value) -> Value:
    """log(1 + F) − F."""
    square = F * F
    return polynomial_added(f, square * -0.5, square * F, F, LOG[f.dtype])


def log_parts(f: Body, k: Value, F: Value, low: Value | None = None) -> Pair:
    """k·log 2 + log(1 + F + low); the second part is some of the first, not only its rounding."""
    ln2_high, ln2_low = LN2_SPLIT[f.dtype]
    high, error = _multiple_and(f, k, ln2_high, F)
    rest = f.fma(k, ln2_low, error if low is None else error + low)
    return Pair(high, rest + _rest(f, F))


def _multiple_and(f: Body, k: Value, unit: float, x: Value) -> Pair:
    """k·unit + x exactly, where k·unit is exact, and 0 or not smaller than x."""
    total = f.fma(k, unit, x)
    return Pair(total, f.fma(k, unit, -total) + x)


def log_of_pair(f: Body, x: Pair, more: Operand = 0.0) -> Pair:
    """log(x) + more·log 2 for a positive x whose second part is small against the first."""
    format_ = format_of(f)
    k, m, exponent, _ = scaled(f, x.hi)
    inverse = f.from_bits((2 * format_.bias - exponent) << format_.places)  # 2⁻ᵏ
    # From afar neither the rest nor the inverse, which may be no number, matters.
    ordinary = (x.hi < 2.0**100) & (x.hi > 2.0**-100)
    F, low = fast_two_sum(m - 1.0, f.select(ordinary, x.lo * inverse, 0.0))
    return log_parts(f, k + more, F, low)


def log1p_parts(f: Body, y: Pair, more: Operand = 0.0) -> Pair:
    """log(1 + y) + more·log 2 for y > −1."""
    total, error = two_sum(1.0, y.hi)
    return log_of_pair(f, Pair(total, error + y.lo), more)


def _at_limits(f: Body, x: Value, result: Value, pole: float = 0.0) -> Value:
    """A logarithm with its values at the pole, beyond it, and at infinity."""
    result = f.select(x < float("inf"), result, x)
    beyond = f.select(x.equals(pole), float("-inf"), float("nan"))
    return f.select(x <= pole, beyond, result)


@single("log")
@elementary("log")
def log(f: Body, x: Value) -> Value:
    k, m, _, rare = scaled(f, x)
    high, low = log_parts(f, k, m - 1.0)
    result = high + low
    (result,) = f.unless_rare(rare, [result], lambda: [_at_limits(f, x, result)])
    return result


@single("log1p")
@elementary("log1p")
def log1p(f: Body, x: Value) -> Value:
    high, low = log1p_parts(f, Pair(x, f.constant(0.0)))
    result = f.select(f.absolute(x) < 2.0**-60, x, high + low)
    return _at_limits(f, x, result, pole=-1.0)


def _to_base(f: Body, x: Value, unit: tuple[float, float], factor: tuple[float, float]) -> Value:
    """k·unit + log(m)·factor, both constants in two parts."""
    k, m, *_ = scaled(f, x)
    F = m - 1.0
    log_m = fast_two_sum(F, _rest(f, F))
    part, rest = two_product(f, log_m.hi, factor[0])
    rest = f.fma(log_m.lo, factor[0], f.fma(log_m.hi, factor[1], rest))
    high, error = _multiple_and(f, k, unit[0], part)
    return _at_limits(f, x, high + f.fma(k, unit[1], error + rest))


@single("log2")
@elementary("log2")
def log2(f: Body, x: Value) -> Value:
    return _to_base(f, x, (1.0, 0.0), LOG2E[f.dtype])


@single("log10")
@elementary("log10")
def log10(f: Body, x: Value) -> Value:
    return _to_base(f, x, LOG10_2_SPLIT[f.dtype], LOG10E[f.dtype])


def _times_log(f: Body, x: Value, y: Value, log: Pair, pole: float = 0.0) -> Value:
    """x·log, where that is of y less its pole, and 0 where x is unless y is NaN."""
    high, low = fast_two_sum(*log)
    high = _at_limits(f, y, high, pole)
    low = f.select(f.absolute(high) < float("inf"), low, 0.0)
    result = f.fma(x, high, f.select(f.absolute(x) < float("inf"), x * low, 0.0))
    return f.select(x.equals(0.0) & ~f.is_nan(y), 0.0, result)


@single("xlogy")
@elementary("xlogy", 2)
def xlogy(f: Body, x: Value, y: Value) -> Value:
    k, m, *_ = scaled(f, y)
    return _times_log(f, x, y, log_parts(f, k, m - 1.0))


@single("xlog1py")
@elementary("xlog1py", 2)
def xlog1py(f: Body, x: Value, y: Value) -> Value:
    result = _times_log(f, x, y, log1p_parts(f, Pair(y, f.constant(0.0))), pole=-1.0)
    return f.select((f.absolute(y) < 2.0**-60) & x.differs(0.0), x * y, result)
