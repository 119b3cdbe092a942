"""Hyperbolic functions from exp(x) − 1, and their inverses from log(1 + y).

All but cosh and arccosh are odd: they are computed for |x|, and take the sign of x.
"""

from __future__ import annotations

import math

from pullback.compiler.elementary.doubled import (
    Pair,
    divided,
    fast_two_sum,
    quotient,
    two_product,
    two_sum,
)
from pullback.compiler.elementary.exponentials import (
    exponential,
    half_expm1,
    power_of_two,
    short_exponential,
)
from pullback.compiler.elementary.formats import format_of
from pullback.compiler.elementary.logarithms import log1p_parts
from pullback.compiler.elementary.registry import elementary, single
from pullback.compiler.elementary.values import Body, Value

__all__: list[str] = []

FAR = 2.0**60
"""From here on the inverses are log(2x)."""


def _bounded(f: Body, size: Value) -> Value:
    """`size`, but not beyond where sinh and cosh overflow, and a quarter of exp does not."""
    return f.smaller(math.log(2) * (format_of(f).bias + 2.2), size)


@single("tanh")
@elementary("tanh")
def tanh(f: Body, x: Value) -> Value:
    """−E/(E + 2) with E = exp(−2|x|) − 1."""
    size = f.absolute(x)
    half = fast_two_sum(*half_expm1(f, short_exponential(f, f.larger(-40.0, size * -2.0))))
    total, error = fast_two_sum(1.0, half.hi)
    return f.copysign(quotient(f, half, Pair(total, error + half.lo)), x)


@single("sinh")
@elementary("sinh")
def sinh(f: Body, x: Value) -> Value:
    """(E + E/(E + 1))/2 with E = exp|x| − 1, of which a quarter is at hand."""
    size = f.absolute(x)
    quarter = fast_two_sum(*half_expm1(f, exponential(f, _bounded(f, size)), halvings=2))
    # From afar the second term does not depend on E.
    moderate = quarter.hi < 2.0**60
    part = Pair(f.select(moderate, quarter.hi, 2.0**60), f.select(moderate, quarter.lo, 0.0))
    high, low = two_sum(1.0, part.hi * 4.0)
    second = divided(f, part, Pair(high, f.fma(part.lo, 4.0, low)))
    total, rest = fast_two_sum(quarter.hi, second.hi)
    half = total + (rest + (quarter.lo + second.lo))
    return f.copysign(f.select(size < 2.0**-28, size, half + half), x)


@single("cosh")
@elementary("cosh")
def cosh(f: Body, x: Value) -> Value:
    """(P + 1/P)/2 with P = exp|x|, of which a quarter is at hand."""
    power = exponential(f, _bounded(f, f.absolute(x)))
    scale = power_of_two(f, power.shifted, -2)
    mantissa = fast_two_sum(*power.mantissa())
    quarter = mantissa.hi * scale
    half = quarter + f.fma(mantissa.lo, scale, 0.0625 / quarter)
    return half + half


@single("arcsinh")
@elementary("arcsinh")
def arcsinh(f: Body, x: Value) -> Value:
    """log(1 + y) with y = |x| + x²/(1 + √(1 + x²)), and log(2|x|) for large x."""
    size = f.absolute(x)
    near = size < FAR
    square = f.select(near, size * size, 0.0)
    total, rest = two_sum(size, square / (1.0 + f.sqrt(1.0 + square)))
    high, low = log1p_parts(f, Pair(total, rest), f.select(near, 0.0, 1.0))
    return f.copysign(f.select(size < float("inf"), high + low, size), x)


@single("arccosh")
@elementary("arccosh")
def arccosh(f: Body, x: Value) -> Value:
    """log(1 + y) with y = t + √(t(t + 2)) and t = x − 1, and log(2x) for large x."""
    near = x < FAR
    t = f.select(near, x, 1.0) - 1.0
    plus = two_sum(2.0, t)
    square = two_product(f, t, plus.hi)
    root = f.sqrt(square.hi)
    error = f.fma(-root, root, square.hi) + f.fma(t, plus.lo, square.lo)
    correction = f.select(root > 0.0, error * 0.5 / root, 0.0)
    total, rest = two_sum(t, root)
    high, low = log1p_parts(
        f,
        Pair(f.select(near, total, x), f.select(near, rest + correction, 0.0)),
        f.select(near, 0.0, 1.0),
    )
    result = f.select(x < float("inf"), high + low, x)
    return f.select(x < 1.0, float("nan"), result)


@single("arctanh")
@elementary("arctanh")
def arctanh(f: Body, x: Value) -> Value:
    """log(1 + 2|x|/(1 − |x|))/2."""
    size = f.absolute(x)
    inside = size < 1.0
    part = f.select(inside, size, 0.0)
    denominator = fast_two_sum(1.0, -part)
    ratio = divided(f, Pair(part + part, part * 0.0), denominator)
    high, low = log1p_parts(f, ratio)
    outside = f.select(size.equals(1.0), float("inf"), float("nan"))
    return f.copysign(f.select(inside, (high + low) * 0.5, outside), x)
