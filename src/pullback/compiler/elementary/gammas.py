"""gammaln and digamma: polynomials in 1/x² from afar, and recurrences towards 0.

Of a negative number both are reflected, which takes the sine and the cosine of π times it. That
is outlined. Next to zeros between negative whole numbers the error is small against the terms
that cancel, not against the result.
"""

from __future__ import annotations

from collections.abc import Sequence

from pullback.compiler.elementary.coefficients import DIGAMMA, DIGAMMA_TAIL, GAMMALN, STIRLING
from pullback.compiler.elementary.constants import (
    DIGAMMA_ROOT,
    DIGAMMA_SLOPE,
    GAMMALN_SLOPE,
    LOG_PI,
    PI,
    STIRLING_CONSTANT,
)
from pullback.compiler.elementary.doubled import (
    Pair,
    divided,
    fast_two_sum,
    product,
    two_product,
    two_sum,
)
from pullback.compiler.elementary.logarithms import log_of_pair
from pullback.compiler.elementary.polynomials import polynomial
from pullback.compiler.elementary.registry import elementary, outlined
from pullback.compiler.elementary.trigonometric import exchanged, sine_and_cosine
from pullback.compiler.elementary.values import Body, Value

__all__: list[str] = []

INF, NAN = float("inf"), float("nan")


def _constant(f: Body, parts: tuple[float, float]) -> Pair:
    return Pair(f.constant(parts[0]), f.constant(parts[1]))


# -- reflection -----------------------------------------------------------------------------------


def _half_turn(f: Body, y: Value) -> tuple[Value, Pair, Pair]:
    """r = y less the nearest whole number; sin and cos of π|r|."""
    r = y - f.rint(y)
    size = f.absolute(r)
    steep = size > 0.25
    part = f.select(steep, 0.5 - size, size)
    angle, error = two_product(f, part, PI["float64"][0])
    error = f.fma(part, PI["float64"][1], error)
    return r, *exchanged(f, steep, *sine_and_cosine(f, angle, error))


@outlined("gammaln_reflection")
def gammaln_reflection(f: Body, y: Value) -> Sequence[Value]:
    """log(π/|sin πy|), which is gammaln(−y) + gammaln(1 + y)."""
    _, (high, low), _ = _half_turn(f, y)
    # Of next to nothing the product with π may be denormal, and have too few digits.
    tiny = y < 2.0**-500
    high = f.select(tiny, y * (PI["float64"][0] * 2.0**200), high)
    log = log_of_pair(f, Pair(high, low), f.select(tiny, f.constant(-200.0), 0.0))
    total, error = two_sum(LOG_PI[0], -log.hi)
    return total, (LOG_PI[1] - log.lo) + error


@outlined("digamma_reflection")
def digamma_reflection(f: Body, y: Value) -> Sequence[Value]:
    """π/tan(πy), which is digamma(−y) − digamma(1 + y)."""
    r, sine, cosine = _half_turn(f, y)
    high, low = product(f, divided(f, cosine, sine), _constant(f, PI["float64"][:2]))
    low = f.select(f.absolute(high) < INF, low, 0.0)
    negative = r < 0.0
    return f.select(negative, -high, high), f.select(negative, -low, low)


def _reflected(f: Body, name: str, x: Value, sign: float, direct: Pair) -> Pair:
    """Where x is negative the reflection and `sign` times what is at 1 − x, elsewhere that."""

    def reflection() -> Sequence[Value]:
        high, low = f.call_outlined(name, 2, f.select(negative, f.absolute(x), 0.5))
        total, error = two_sum(high, direct.hi * sign)
        return total, error + f.fma(direct.lo, sign, low)

    negative = x < 0.0
    return Pair(*f.unless_rare(negative, direct, reflection))


def _line(f: Body, d: Value, slope: tuple[float, float], curve: Sequence[float]) -> Pair:
    """d(slope + d·P(d)), not normalised."""
    more, rest = two_product(f, d, f.fma(d, polynomial(f, d, curve[1:]), curve[0]))
    steep, low = fast_two_sum(slope[0], more)
    high, error = two_product(f, d, steep)
    return Pair(high, f.fma(d, low + (rest + slope[1]), error))


# -- gammaln --------------------------------------------------------------------------------------

AFAR = 4.5
"""From here on Stirling's series is used."""


def _near(f: Body, z: Value, whole: Value, log: Pair) -> Pair:
    """gammaln(2 + d) and the logarithm of the factors between 2 + d and z."""
    d = z - whole
    high, low = _line(f, d, GAMMALN_SLOPE, GAMMALN["float64"])
    below = whole < 2.0
    factors = Pair(*(f.select(below, -part, part) for part in log))
    total, error = two_sum(factors.hi, high)
    return Pair(total, error + (low + factors.lo))


def _afar(f: Body, z: Value, log: Pair) -> Pair:
    """(z − ½)(log z − 1) + (log 2π − 1)/2 + …"""
    inverse = 1.0 / z
    high, low = fast_two_sum(*log)
    high, error = two_sum(high, f.constant(-1.0))
    steps = z - 0.5
    high, rest = two_product(f, steps, high)
    rest = f.fma(steps, low + error, rest)
    total, error = fast_two_sum(high, f.constant(STIRLING_CONSTANT[0]))
    tail = f.fma(
        inverse, polynomial(f, inverse * inverse, STIRLING["float64"]), STIRLING_CONSTANT[1]
    )
    return Pair(total, rest + (error + tail))


@elementary("gammaln")
def gammaln(f: Body, x: Value) -> Value:
    z = f.select(x < 0.0, 1.0 - x, x)
    afar = z > AFAR
    near = f.smaller(AFAR, z)
    whole = f.rint(near)
    # Of what the logarithm is taken: z(z + 1), z, 1, z − 1, (z − 1)(z − 2), or z from afar.
    first = f.select(whole > 2.5, near - 1.0, f.select(whole.equals(2.0), 1.0, near))
    first = f.select(afar, z, first)
    lowest, highest = whole < 0.5, (whole > 3.5) & ~afar
    above, rest = fast_two_sum(1.0, near)
    second = f.select(lowest, above, f.select(highest, near - 2.0, 1.0))
    high, low = two_product(f, first, second)
    low = f.fma(first, f.select(lowest, rest, 0.0), low)
    log = log_of_pair(f, Pair(high, low))
    one, other = _near(f, near, whole, log), _afar(f, z, log)
    direct = Pair(*(f.select(afar, b, a) for a, b in zip(one, other, strict=True)))
    high, low = _reflected(f, "gammaln_reflection", x, -1.0, direct)
    result = f.select(f.absolute(high) < INF, high + low, high)
    pole = (x <= 0.0) & f.rint(x).equals(x)
    return f.select(f.absolute(x).equals(INF), x, f.select(pole, INF, result))


# -- digamma --------------------------------------------------------------------------------------


def _digamma_elsewhere(f: Body, z: Value) -> Pair:
    """log z − 1/(2z) − …, with z + 2 for a z below 2, less 1/z + 1/(z + 1)."""
    small = z < 2.0
    far, error = fast_two_sum(f.select(small, 2.0, z), f.select(small, z, 0.0))
    inverse = 1.0 / far
    square = inverse * inverse
    log = log_of_pair(f, Pair(far, error))
    near = f.smaller(2.0, z)
    twice = near + near
    power = two_product(f, near, near)
    below = two_sum(near, power.hi)
    steps = divided(f, two_sum(1.0, twice), fast_two_sum(below.hi, below.lo + power.lo))
    finite = small & (near > 1e-290)
    steps = Pair(f.select(small, steps.hi, 0.0), f.select(finite, steps.lo, 0.0))
    total, first = two_sum(log.hi, -steps.hi)
    total, second = two_sum(total, inverse * -0.5)
    rest = f.fma(square, -polynomial(f, square, DIGAMMA_TAIL["float64"]), log.lo)
    return Pair(total, (first + second) + (rest - steps.lo))


@elementary("digamma")
def digamma(f: Body, x: Value) -> Value:
    z = f.select(x < 0.0, 1.0 - x, x)
    d = (z - DIGAMMA_ROOT[0]) - DIGAMMA_ROOT[1]
    close = f.absolute(d) < 0.25
    near, elsewhere = _line(f, d, DIGAMMA_SLOPE, DIGAMMA["float64"]), _digamma_elsewhere(f, z)
    direct = Pair(*(f.select(close, a, b) for a, b in zip(near, elsewhere, strict=True)))
    high, low = _reflected(f, "digamma_reflection", x, 1.0, direct)
    result = f.select(f.absolute(high) < INF, high + low, high)
    result = f.select((x < 0.0) & f.rint(x).equals(x), NAN, result)
    result = f.select(x.equals(INF), INF, result)
    return f.select(x.equals(0.0), f.copysign(INF, -x), result)
