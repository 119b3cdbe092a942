"""exp and its relatives: 2ᵏ·exp(r) with |r| ≤ log(2)/2."""

from __future__ import annotations

from pullback.compiler.elementary.coefficients import EXP
from pullback.compiler.elementary.polynomials import polynomial
from pullback.compiler.elementary.registry import elementary
from pullback.compiler.elementary.values import Body, Value

__all__ = ["rounding", "times_power_of_two"]

LOG2E = 1.4426950408889634
LN2 = (0.693147180369123816490, 1.90821492927058770002e-10)


def rounding(f: Body) -> float:
    """What rounds a number of moderate size to an integer when it is added, and taken off again.

    The last bits of the sum are the integer, in two's complement.
    """
    return 1.5 * 2.0**52 if f.real == "double" else 1.5 * 2.0**23


def times_power_of_two(f: Body, x: Value, shifted: Value) -> Value:
    """x·2ᵏ for k from −2044 to 2046, given `shifted` = k + `rounding`; rounded once.

    Half of k goes into each of two factors, as 2ᵏ itself may be no normal number.
    """
    bias, places = (1023, 52) if f.real == "double" else (127, 23)
    exponents = f.bits(shifted) + 2 * bias
    first = exponents >> 1
    second = exponents - first
    return x * f.from_bits(first << places) * f.from_bits(second << places)


@elementary("exp")
def exp(f: Body, x: Value) -> Value:
    x = f.smaller(710.0, x)
    x = f.larger(-746.0, x)
    shifted = f.fma(x, LOG2E, rounding(f))
    k = shifted - rounding(f)
    r = f.fma(k, -LN2[1], f.fma(k, -LN2[0], x))
    tail = polynomial(f, r, EXP)
    return times_power_of_two(f, f.fma(r * r, tail, r) + 1.0, shifted)
