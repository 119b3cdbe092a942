"""Values of a function on either side of a point, at steps that shrink by four."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pullback.testing.directions import Array

__all__ = ["Ladder"]

Function = Callable[[Sequence[Array]], Array]

_FEW = 12
"""How many of the smallest steps show the rounding errors of the function."""


class Ladder:
    """Values of a function at x ± 4⁻ᵏ d, each evaluated once.

    It takes a list of arrays, such as `x` and `d`, and returns a vector, `at_x` at x; away from x
    it may raise, or return NaN.
    """

    def __init__(
        self, function: Function, x: Sequence[Array], d: Sequence[Array], at_x: Array
    ) -> None:
        self.function = function
        self.x = x
        self.d = d
        self.at_x = at_x
        self.rungs: dict[int, tuple[Array, Array]] = {}

    def values(self, level: int) -> tuple[Array, Array]:
        """f(x + hd) and f(x − hd) at h = 4⁻ᵏ; NaN outside the domain of f."""
        if level not in self.rungs:
            self.rungs[level] = self._at(4.0**-level), self._at(-(4.0**-level))
        return self.rungs[level]

    def _at(self, h: float) -> Array:
        moved = [
            np.asarray(x + np.asarray(h, dtype=x.real.dtype) * d)
            for x, d in zip(self.x, self.d, strict=True)
        ]
        try:
            y = self.function(moved)
        except (ArithmeticError, ValueError):
            return np.full_like(self.at_x, np.nan)
        return y if y.shape == self.at_x.shape else np.full_like(self.at_x, np.nan)

    def scatter(self) -> Array:
        """How much the values at the smallest steps differ on one side of x."""
        sides = np.array([self.rungs[level] for level in sorted(self.rungs)[-_FEW:]])
        return np.asarray(np.max(np.abs(sides - sides[-1]), axis=(0, 1)))

    def window(self, level: int, rounding: Array, epsilon: Array) -> tuple[Array, Array]:
        """The slope extrapolated from three steps, and its error; infinite where unusable.

        Each value of the function has an error of at least `rounding`, and of a few `epsilon`
        relative to itself.
        """
        slopes = []
        size = np.abs(self.at_x)
        for k in range(level, level + 3):
            ahead, behind = self.values(k)
            slopes.append((ahead - behind) * (0.5 * 4.0**k))
            size = np.maximum(size, np.maximum(np.abs(ahead), np.abs(behind)))
        first = slopes[1] + (slopes[1] - slopes[0]) / 15
        second = slopes[2] + (slopes[2] - slopes[1]) / 15
        value = second + (second - first) / 255
        error = np.maximum(np.abs(value - slopes[2]), np.abs(second - first))
        error = error + np.maximum(4 * epsilon * size, rounding) * 4.0 ** (level + 2)
        unusable = ~np.isfinite(error)
        return np.where(unusable, 0.0, value), np.where(unusable, np.inf, error)

    def remainders(self, level: Array, predicted: Array) -> list[Array]:
        """‖f(x ± hd) − f(x) ∓ hp‖ on the three steps of each element's window."""
        out = [np.zeros(self.at_x.shape) for _ in range(3)]
        for start in np.unique(level):
            chosen = level == start
            for k in range(3):
                h = 4.0 ** -(int(start) + k)
                ahead, behind = self.values(int(start) + k)
                rest = np.maximum(
                    np.abs(ahead - self.at_x - h * predicted),
                    np.abs(behind - self.at_x + h * predicted),
                )
                out[k][chosen] = rest[chosen]
        return out
