"""Powers and roots."""

from __future__ import annotations

from pullback.compiler.elementary.coefficients import CBRT, POWER
from pullback.compiler.elementary.constants import CBRT_2, CBRT_HALF, LN2_SPLIT, TWO_THIRDS
from pullback.compiler.elementary.doubled import (
    Pair,
    divided,
    fast_two_sum,
    product,
    two_product,
)
from pullback.compiler.elementary.exponentials import (
    clamped,
    exponential,
    power_of_two,
    times_power_of_two,
)
from pullback.compiler.elementary.formats import format_of
from pullback.compiler.elementary.logarithms import scaled
from pullback.compiler.elementary.polynomials import polynomial
from pullback.compiler.elementary.registry import elementary, single
from pullback.compiler.elementary.values import Body, Value

__all__: list[str] = []


def _long_log(f: Body, x: Value) -> Pair:
    """log(x) of a positive x with a relative error of about 2⁻⁶⁵.

    log m = 2s + s³P(s²) with s = (m − 1)/(m + 1), where s and the first term of P are pairs.
    """
    two_thirds, two_thirds_rest = TWO_THIRDS[f.dtype]
    ln2_high, ln2_low = LN2_SPLIT[f.dtype]
    k, m, *_ = scaled(f, x)
    F = m - 1.0
    zero = f.constant(0.0)
    s = divided(f, Pair(F, zero), fast_two_sum(2.0, F))
    z = product(f, s, s)
    high, low = fast_two_sum(two_thirds, z.hi * polynomial(f, z.hi, POWER[f.dtype]))
    cubic = product(f, s, product(f, z, Pair(high, low + two_thirds_rest)))
    total, error = fast_two_sum(k * ln2_high, s.hi + s.hi)
    total, more = fast_two_sum(total, cubic.hi)
    rest = f.fma(s.lo, 2.0, cubic.lo) + f.fma(k, ln2_low, error + more)
    return fast_two_sum(total, rest)


@single("power")
@elementary("power", 2)
def power(f: Body, x: Value, y: Value) -> Value:
    """exp(y·log|x|), with the logarithm as a pair, and a sign where y is odd."""
    size = f.absolute(x)
    inf = float("inf")
    log = _long_log(f, size)
    high = f.select(size < inf, log.hi, size)
    high = f.select(size.equals(0.0), -inf, high)
    exponent, low = two_product(f, y, high)
    low = f.fma(y, log.lo, low)
    # Beyond these limits the result overflows or underflows, and the rest may be no number.
    low_limit, high_limit = format_of(f).logarithms
    inside = (exponent > low_limit) & (exponent < high_limit)
    low = f.select(inside, low, 0.0)
    result = exponential(f, clamped(f, exponent, (low_limit, high_limit)), low)
    mantissa = result.mantissa()
    value = times_power_of_two(f, mantissa.hi + mantissa.lo, result.shifted)
    value = f.select(size.equals(1.0) & ~f.is_nan(y), 1.0, value)

    half = y * 0.5
    whole = f.rint(y).equals(y)
    odd = whole & f.rint(half).differs(half)
    value = f.select(odd, f.copysign(value, x), value)
    undefined = (x < 0.0) & (x > -inf) & ~whole
    value = f.select(undefined, float("nan"), value)
    return f.select(y.equals(0.0) | x.equals(1.0), 1.0, value)


@single("sqrt")
@elementary("sqrt")
def sqrt(f: Body, x: Value) -> Value:
    return f.sqrt(x)


@single("cbrt")
@elementary("cbrt")
def cbrt(f: Body, x: Value) -> Value:
    """2^q·∛(2ʲm) with k = 3q + j: a polynomial in m, and a step that is right to third order."""
    size = f.absolute(x)
    k, m, *_ = scaled(f, size)
    shifted = f.fma(k, 1.0 / 3.0, format_of(f).rounding)
    j = f.fma(shifted - format_of(f).rounding, -3.0, k)
    up, down = j > 0.5, j < -0.5
    m = m * f.select(up, 2.0, f.select(down, 0.5, 1.0))
    root = polynomial(f, m * f.select(up, 0.5, f.select(down, 2.0, 1.0)), CBRT[f.dtype])
    root = root * f.select(up, CBRT_2, f.select(down, CBRT_HALF, 1.0))
    square = two_product(f, root, root)
    excess = (f.fma(-square.hi, root, m) - square.lo * root) / (square.hi * root)
    # ∛(1 + e) = 1 + e/3 − e²/9 + …
    step = excess * f.fma(excess, -1.0 / 9.0, 1.0 / 3.0)
    result = f.fma(root, step, root) * power_of_two(f, shifted)
    ordinary = (size > 0.0) & (size < float("inf"))
    return f.select(ordinary, f.copysign(result, x), x)


@single("hypot")
@elementary("hypot", 2)
def hypot(f: Body, x: Value, y: Value) -> Value:
    """√(x² + y²), scaled so that no square that matters overflows or underflows."""
    a, b = f.absolute(x), f.absolute(y)
    large, small = f.larger(a, b), f.smaller(a, b)
    far = format_of(f).far
    high, low = large > far, large < 1.0 / far
    down, up = far**-1.5, far**1.5
    scale = f.select(high, down, f.select(low, up, 1.0))
    back = f.select(high, up, f.select(low, down, 1.0))
    large, small = large * scale, small * scale
    square = two_product(f, large, large)
    result = f.sqrt(square.hi + f.fma(small, small, square.lo)) * back
    result = f.select(f.unordered(x, y), float("nan"), result)
    infinite = a.equals(float("inf")) | b.equals(float("inf"))
    return f.select(infinite, float("inf"), result)
