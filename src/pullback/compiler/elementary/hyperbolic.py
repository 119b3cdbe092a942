"""Hyperbolic functions from exp(x) − 1, and their inverses from log(1 + y).

All but cosh and arccosh are odd: they are computed for |x|, and take the sign of x.
"""

from __future__ import annotations

import math

from pullback.compiler.elementary.coefficients import EXP
from pullback.compiler.elementary.constants import LN2_SPLIT, LOG2E
from pullback.compiler.elementary.doubled import (
    Pair,
    divided,
    fast_two_sum,
    two_product,
    two_sum,
)
from pullback.compiler.elementary.exponentials import (
    exponential,
    half_expm1,
    power_of_two,
)
from pullback.compiler.elementary.formats import format_of
from pullback.compiler.elementary.logarithms import log1p_parts
from pullback.compiler.elementary.polynomials import polynomial
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
    """N/(1 − N) with N = (1 − exp(−2|x|))/2 = (1 − s)/2 + s·q for s = 2⁻ᵏ and q of what is left.

    N and 1 − N are rounded once each; the last step gives back what that takes from them.
    """
    size = f.smaller(20.0, f.absolute(x))
    s, q = _half_fallen(f, size)
    half = f.fma(s, -0.5, 0.5)
    n = f.fma(s, q, half)
    n_low = f.fma(s, q, half - n)
    rest = 1.0 - n
    inverse = 1.0 / rest
    first = n * inverse
    low = f.fma(-first, ((1.0 - rest) - n) - n_low, n_low)
    return f.copysign(f.fma(f.fma(-first, rest, n) + low, inverse, first), x)


def _half_fallen(f: Body, size: Value) -> tuple[Value, Value]:
    """s = 2⁻ᵏ and q = (1 − exp(−2u))/2 for size = k·log(2)/2 + u, where 0 ≤ size and k is small."""
    format_, (ln2_high, ln2_low) = format_of(f), LN2_SPLIT[f.dtype]
    shifted = f.fma(size, 2.0 * LOG2E[f.dtype][0], format_.rounding)
    k = shifted - format_.rounding
    u = f.fma(k, -0.5 * ln2_low, f.fma(k, -0.5 * ln2_high, size))
    # exp(r) − 1 = r + r²·Σ cᵢrⁱ at r = −2u: powers of two change no coefficient's digits.
    series = [-2.0 * c * (-2.0) ** i for i, c in enumerate(EXP[f.dtype])]
    s = f.from_bits((format_.bias - f.bits(shifted)) << format_.places)
    return s, f.fma(u * u, polynomial(f, u, series), u)


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
