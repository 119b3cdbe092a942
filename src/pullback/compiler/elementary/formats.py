"""What the two floating-point formats differ in, so that one text of a function serves both."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pullback.compiler.elementary.values import Body

__all__ = ["FORMATS", "Format", "format_of"]


@dataclass(frozen=True)
class Format:
    """A binary floating-point format."""

    places: int
    """How many bits stand behind the first one of a number: where its exponent begins."""
    bias: int
    """What is added to an exponent."""
    sqrt_half: int
    """The bits of √½."""
    far: float
    """Squares of what is less, and more than its inverse, are normal numbers."""

    @property
    def rounding(self) -> float:
        """What rounds a moderate number to a whole one when it is added, and taken off again.

        The last bits of the sum are the whole number, in two's complement.
        """
        return 1.5 * 2.0**self.places

    @property
    def smallest(self) -> float:
        """The smallest normal number."""
        return 2.0 ** (1 - self.bias)

    @property
    def one(self) -> int:
        """The bits of 1."""
        return self.bias << self.places

    @property
    def exponents(self) -> tuple[int, int]:
        """Below and above these 2ᵏ is 0 and infinity."""
        return -self.bias - self.places - 1, self.bias + 1

    @property
    def logarithms(self) -> tuple[float, float]:
        """Just below and above these exp is 0 and infinity."""
        low, high = self.exponents
        return (low - 0.1) * math.log(2), (high + 0.1) * math.log(2)


FORMATS = {
    "float64": Format(52, 1023, 0x3FE6A09E667F3BCD, 2.0**500),
    "float32": Format(23, 127, 0x3F3504F3, 2.0**60),
}


def format_of(f: Body) -> Format:
    """The format that a body computes in."""
    return FORMATS[f.dtype]
