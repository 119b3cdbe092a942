"""Numbers twice as long: the unevaluated sum of a number and of what rounding took from it."""

from __future__ import annotations

from typing import NamedTuple

from pullback.compiler.elementary.values import Body, Operand, Value

__all__ = ["Pair", "divided", "fast_two_sum", "product", "quotient", "two_product", "two_sum"]


class Pair(NamedTuple):
    """hi + lo, where lo is small against hi."""

    hi: Value
    lo: Value


def fast_two_sum(x: Operand, y: Value) -> Pair:
    """x + y exactly, if |x| ≥ |y| or x = 0 or x is a multiple of y's last place."""
    total = x + y
    return Pair(total, (x - total) + y)


def two_sum(x: Operand, y: Value) -> Pair:
    """x + y exactly, whichever is larger."""
    total = x + y
    part = total - x
    return Pair(total, (x - (total - part)) + (y - part))


def two_product(f: Body, x: Value, y: Operand) -> Pair:
    """x·y exactly, unless it underflows."""
    high = x * y
    return Pair(high, f.fma(x, y, -high))


def product(f: Body, x: Pair, y: Pair) -> Pair:
    """x·y, not normalised, with a relative error of about 2⁻¹⁰⁴."""
    high, low = two_product(f, x.hi, y.hi)
    return Pair(high, low + f.fma(x.hi, y.lo, x.lo * y.hi))


def divided(f: Body, x: Pair, y: Pair) -> Pair:
    """x/y, not normalised, with one division."""
    first, remainder, inverse = _division(f, x, y)
    return Pair(first, remainder * inverse)


def quotient(f: Body, x: Pair, y: Pair) -> Value:
    """x/y, rounded."""
    first, remainder, inverse = _division(f, x, y)
    return f.fma(remainder, inverse, first)


def _division(f: Body, x: Pair, y: Pair) -> tuple[Value, Value, Value]:
    """A first quotient, what it leaves of x, and 1/y."""
    inverse = 1.0 / y.hi
    first = x.hi * inverse
    return first, f.fma(-first, y.hi, x.hi) + f.fma(-first, y.lo, x.lo), inverse
