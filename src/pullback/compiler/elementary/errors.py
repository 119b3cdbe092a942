"""erf and erfc: x·9/8 + x·P(x²) up to ½, and beyond it erfc(x) = exp(−x²)·h(t)/(x + ½).

t = (x − c)/(x + c) maps what is beyond ½ into a short interval, on which h varies little, and c is
such that h(0) is almost a number.
"""

from __future__ import annotations

from typing import NamedTuple

from pullback.compiler.elementary.coefficients import ERF, ERFC
from pullback.compiler.elementary.constants import ERFC_CENTRE
from pullback.compiler.elementary.doubled import fast_two_sum, product, two_product
from pullback.compiler.elementary.exponentials import exponential, times_power_of_two
from pullback.compiler.elementary.polynomials import polynomial
from pullback.compiler.elementary.registry import elementary, single
from pullback.compiler.elementary.values import Body, Value

__all__: list[str] = []

LARGEST = {"float64": 27.4, "float32": 10.3}
"""erfc of more is 0."""


class Tail(NamedTuple):
    """erfc of a number of at least ½ as 2ᵏ·mantissa."""

    mantissa: Value
    shifted: Value


def _near(f: Body, x: Value) -> Value:
    """erf(x) − 9/8·x."""
    return x * polynomial(f, x * x, ERF[f.dtype])


def _tail(f: Body, size: Value) -> Tail:
    centre, middle = ERFC_CENTRE[f.dtype]
    x = f.larger(0.5, f.smaller(LARGEST[f.dtype], size))
    below, rest = fast_two_sum(x, f.constant(0.5))
    around = x + centre
    both = 1.0 / (below * around)
    inverse = both * around
    t = (x - centre) * (both * below)
    h = fast_two_sum(middle, t * polynomial(f, t, ERFC[f.dtype]))
    square, low = two_product(f, x, x)
    power = exponential(f, -square, -low)
    above = product(f, fast_two_sum(*power.mantissa()), h)
    first = above.hi * inverse
    remainder = f.fma(-first, below, above.hi) + f.fma(-first, rest, above.lo)
    return Tail(f.fma(remainder, inverse, first), power.shifted)


@single("erf")
@elementary("erf")
def erf(f: Body, x: Value) -> Value:
    size = f.absolute(x)
    tail = 1.0 - times_power_of_two(f, *_tail(f, size))
    result = f.select(size < 0.5, f.fma(size, 1.125, _near(f, size)), tail)
    return f.copysign(f.select(f.is_nan(x), x, result), x)


@single("erfc")
@elementary("erfc")
def erfc(f: Body, x: Value) -> Value:
    size = f.absolute(x)
    tail = times_power_of_two(f, *_tail(f, size))
    high, low = fast_two_sum(1.0, -x)
    near = high + (low - f.fma(x, 0.125, _near(f, x)))
    result = f.select(size < 0.5, near, f.select(x < 0.0, 2.0 - tail, tail))
    return f.select(f.is_nan(x), x, result)
