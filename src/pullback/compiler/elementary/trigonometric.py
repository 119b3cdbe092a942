"""sin, cos and tan: on a quarter turn sin(r) = r + r³S(r²) and cos(r) = 1 − r²/2 + r⁴C(r²)."""

from __future__ import annotations

from pullback.compiler.elementary.angles import Angle, quarter_turns
from pullback.compiler.elementary.coefficients import COSINE, SINE
from pullback.compiler.elementary.doubled import Pair, fast_two_sum, quotient
from pullback.compiler.elementary.polynomials import polynomial
from pullback.compiler.elementary.registry import elementary, single
from pullback.compiler.elementary.values import Body, Operand, Value

__all__ = ["exchanged", "sine_and_cosine"]


def _odd(f: Body, angle: Angle) -> Value:
    """Whether the number of quarter turns is odd."""
    return (f.bits(angle.shifted) & 1).differs(0)


def _signed(f: Body, result: Value, turns: Value, place: int, more: Operand = 0) -> Value:
    """`result`, its sign changed where a bit of `turns` is set and where `more` is negative."""
    places = (63 if f.dtype == "float64" else 31) - place
    negative = (turns << places) ^ more
    return f.from_bits(f.bits(result) ^ (negative & f.sign_bit))


def _sine_or_cosine(f: Body, angle: Angle, cosine: bool) -> Value:
    """Of r, without a sign: the one that is wanted, or in odd quarters the other one."""
    r = angle.r
    square = r * r
    sine = f.fma(square * r, polynomial(f, square, SINE[f.dtype]), r)
    quartic = polynomial(f, square, COSINE[f.dtype])
    even = f.fma(square * square, quartic, f.fma(square, -0.5, 1.0))
    odd = _odd(f, angle)
    return f.select(odd, sine, even) if cosine else f.select(odd, even, sine)


@single("sin")
@elementary("sin")
def sin(f: Body, x: Value) -> Value:
    angle = quarter_turns(f, f.absolute(x))
    result = _sine_or_cosine(f, angle, cosine=False)
    return _signed(f, result, f.bits(angle.shifted), 1, f.bits(x))


@single("cos")
@elementary("cos")
def cos(f: Body, x: Value) -> Value:
    angle = quarter_turns(f, f.absolute(x))
    result = _sine_or_cosine(f, angle, cosine=True)
    return _signed(f, result, f.bits(angle.shifted) + 1, 1)


def sine_and_cosine(f: Body, r: Value, low: Value) -> tuple[Pair, Pair]:
    """Of r + low, in two parts, on a quarter turn."""
    square = r * r
    # What low adds to the sine is low·cos r.
    half = square * 0.5
    cubic = f.fma(square * r, polynomial(f, square, SINE[f.dtype]), f.fma(-low, half, low))
    high, error = fast_two_sum(1.0, -half)
    quartic = f.fma(square * square, polynomial(f, square, COSINE[f.dtype]), error)
    return fast_two_sum(r, cubic), fast_two_sum(high, f.fma(-low, r, quartic))


def exchanged(f: Body, condition: Value, x: Pair, y: Pair) -> tuple[Pair, Pair]:
    """The two, in the other order where the condition holds."""
    return (
        Pair(*(f.select(condition, b, a) for a, b in zip(x, y, strict=True))),
        Pair(*(f.select(condition, a, b) for a, b in zip(x, y, strict=True))),
    )


@single("tan")
@elementary("tan")
def tan(f: Body, x: Value) -> Value:
    """sin/cos of r, or in odd quarters −cos/sin."""
    angle = quarter_turns(f, f.absolute(x), precise=True)
    sine, cosine = sine_and_cosine(f, angle.r, angle.low)
    above, below = exchanged(f, _odd(f, angle), sine, cosine)
    return _signed(f, quotient(f, above, below), f.bits(angle.shifted), 0, f.bits(x))
