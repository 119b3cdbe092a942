"""Angles without their multiples of π/2, for any number.

The multiple is subtracted in fused multiply-adds, with π/2 in three parts. The first one is exact:
x and the multiple are multiples of the last place that their difference has. An x for which three
parts are too few is multiplied by 2/π in an outlined function, with those of its bits that neither
give multiples of 4 nor are too far behind to matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pullback.compiler.elementary.constants import PI, TWO_OVER_PI
from pullback.compiler.elementary.doubled import (
    Pair,
    fast_two_sum,
    product,
    two_product,
    two_sum,
)
from pullback.compiler.elementary.formats import FORMATS, format_of
from pullback.compiler.elementary.registry import outlined
from pullback.compiler.elementary.values import Body, Value

__all__ = ["Angle", "quarter_turns"]


class Angle(NamedTuple):
    """q·π/2 + r + low with |r| ≤ π/4.

    `shifted` is q + `Format.rounding`; only the last bits of q count.
    """

    shifted: Value
    r: Value
    low: Value


LIMITS = {"float64": 2.0**30, "float32": 2.0**15}
"""Larger numbers are far."""

PIECE, PIECES = 53, 23
SCALE = 256
"""Pieces of 2/π are so many bits; 2²⁵⁶ keeps the last of them normal numbers."""

# What an x < 2⁵⁴ is multiplied by first is 0: for it the table begins one piece earlier.
TABLE = (
    0.0,
    *(
        (TWO_OVER_PI >> PIECE * (PIECES - 1 - i)) % 2**PIECE * 2.0 ** (SCALE - PIECE * (i + 1))
        for i in range(PIECES)
    ),
)
USED = 5
"""How many pieces matter for one number."""


def _without_fours(f: Body, x: Value) -> Value:
    """x modulo 4, exact, between −2 and 2."""
    return f.fma(f.rint(x * 0.25), -4.0, x)


@outlined("far_angle")
def far_angle(f: Body, x: Value) -> Sequence[Value]:
    """q and r in two parts with x = q·π/2 + r modulo 2π and |r| ≤ π/4, for |x| ≥ `LIMITS`."""
    exponent = ((f.bits(x) >> 52) & 0x7FF) - FORMATS["float64"].bias
    # (e − 1)/53, rounded down, for all exponents e: the first piece that is no multiple of 4.
    first = ((exponent - 1) * 1237) >> 16
    scaled = x * 2.0**-SCALE
    pieces = [f.looked_up("two_over_pi", TABLE, first + i) for i in range(USED)]
    high, low = zip(*(two_product(f, scaled, piece) for piece in pieces), strict=True)

    # The first sum is exact, as both are multiples of 2⁻⁵¹.
    total = _without_fours(f, high[0]) + _without_fours(f, low[0])
    errors: list[Value] = []
    for term in (_without_fours(f, high[1]), low[1], high[2]):
        total, error = two_sum(total, term)
        errors.append(error)
    quarters = f.rint(total)
    total = total - quarters
    small, rest = errors[0], low[3] + high[4]
    for term in (*errors[1:], low[2], high[3]):
        small, error = two_sum(small, term)
        rest = rest + error
    total, small = two_sum(total, small)
    half_pi = Pair(f.constant(PI["float64"][0] / 2), f.constant(PI["float64"][1] / 2))
    angle = product(f, fast_two_sum(total, small + rest), half_pi)
    return quarters, *fast_two_sum(*angle)


def quarter_turns(f: Body, size: Value, precise: bool = False) -> Angle:
    """An angle that is not negative without its multiple of π/2.

    Unless it is to be `precise`, r is rounded, and what that takes from it is left out.
    """
    rounding = format_of(f).rounding
    first, second, third = (part / 2 for part in PI[f.dtype])
    shifted = f.fma(size, 1 / first, rounding)
    count = shifted - rounding
    rest = f.fma(-count, first, size)
    if precise:
        high, low = two_product(f, count, second)
        # The product has bits behind those of the difference, not the other way round.
        rest, error = fast_two_sum(rest, -high)
        near = [shifted, rest, f.fma(-count, third, error - low)]
    else:
        near = [shifted, f.fma(-count, third, f.fma(-count, second, rest))]
    far = size > LIMITS[f.dtype]

    def from_afar() -> list[Value]:
        wide = size if f.dtype == "float64" else f.widened(size)
        angle = f.call_outlined("far_angle", 3, f.select(far, wide, LIMITS["float64"]))
        return _rounded(f, *angle)[: len(near)]

    parts = f.unless_rare(far, near, from_afar)
    shifted, r = parts[:2]
    return Angle(shifted, r, parts[2] if precise else f.constant(0.0))


def _rounded(f: Body, quarters: Value, high: Value, low: Value) -> list[Value]:
    """The parts of an `Angle` of the body's dtype, given doubles."""
    if f.dtype == "float32":
        r = f.narrowed(high)
        quarters, high, low = f.narrowed(quarters), r, f.narrowed((high - f.widened(r)) + low)
    return [quarters + format_of(f).rounding, high, low]
