"""Trigonometric and hyperbolic functions and their inverses, element by element."""

from __future__ import annotations

import math

import numpy as np

from pullback.core.shapes import dtype_of
from pullback.rules.registration import elementwise

__all__ = [
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "cos",
    "cosh",
    "deg2rad",
    "degrees",
    "one_minus_square",
    "rad2deg",
    "radians",
    "sin",
    "sinh",
    "tan",
    "tanh",
]


@elementwise(np.sin)
def sin(_y, x):
    """y = sin x: ∂y/∂x = cos x."""
    return np.cos(x)


@elementwise(np.cos)
def cos(_y, x):
    """y = cos x: ∂y/∂x = −sin x."""
    return -np.sin(x)


@elementwise(np.tan)
def tan(y, _x):
    """y = tan x: ∂y/∂x = 1 + y². No floating number is a pole, an odd multiple of π/2."""
    return 1 + y * y


def _one_minus_square(x):
    """(1 − x)(1 + x), which is +0 at real x = ±1.

    For complex x each difference is taken so that x keeps its sign of zero.
    """
    if dtype_of(x).kind != "c":
        return np.subtract(1, x) * np.add(1, x)
    return np.negative(np.subtract(x, 1)) * np.subtract(x, -1)


@elementwise(_one_minus_square)
def one_minus_square(_y, x):
    """y = 1 − x², without cancellation at x = ±1 in the value and at x = 0 in ∂y/∂x = −2x.

    For complex x it stays on the side of the branch cuts of arcsin and arctanh that x is on.
    """
    return -2 * x


@elementwise(np.arcsin, poles={1: np.inf, -1: np.inf})
def arcsin(_y, x):
    """y = arcsin x: ∂y/∂x = 1/√(1 − x²). Infinite at x = ±1, where zeros stay zero."""
    return 1 / np.sqrt(one_minus_square(x))


@elementwise(np.arccos, poles={1: -np.inf, -1: -np.inf})
def arccos(_y, x):
    """y = arccos x: ∂y/∂x = −1/√(1 − x²). Infinite at x = ±1, where zeros stay zero."""
    return -1 / np.sqrt(one_minus_square(x))


@elementwise(np.arctan)
def arctan(_y, x):
    """y = arctan x: ∂y/∂x = 1/(1 + x²), with halves, whose slope x doesn't overflow."""
    return 0.5 / (0.5 + 0.5 * x * x)


@elementwise(np.arctan2, singular=True)
def arctan2(_a, y, x):
    """a = the angle of the point (x, y), of length r: ∂a/∂y = x/r², ∂a/∂x = −y/r².

    Undefined (NaN) at the origin, where zeros stay zero. Divided by r twice, so that r² can
    neither overflow nor underflow.
    """

    def coefficient(numerator):
        r = np.hypot(x, y)
        return numerator / r / r

    return lambda: coefficient(x), lambda: coefficient(-y)


arctan2.singular_at(
    "x = y = 0",
    lambda y, x: np.equal(x, 0) & np.equal(y, 0),
    (0.0, 0.0), (np.nan, np.nan), (np.nan, np.nan), "pole",
)  # fmt: skip


@elementwise(np.sinh)
def sinh(_y, x):
    """y = sinh x: ∂y/∂x = cosh x."""
    return np.cosh(x)


@elementwise(np.cosh)
def cosh(_y, x):
    """y = cosh x: ∂y/∂x = sinh x."""
    return np.sinh(x)


@elementwise(np.tanh)
def tanh(y, _x):
    """y = tanh x: ∂y/∂x = 1 − y²."""
    return 1 - y * y


@elementwise(np.arcsinh)
def arcsinh(_y, x):
    """y = arcsinh x: ∂y/∂x = 1/√(1 + x²).

    For complex x, 1 + x² is (x − i)(x + i), as differences that keep the sides of the branch cuts.
    """
    if dtype_of(x).kind == "c":
        return 1 / np.sqrt((x - complex(0, 1)) * (x - complex(0, -1)))
    return 1 / np.hypot(1, x)


@elementwise(np.arccosh, poles={1: np.inf})
def arccosh(_y, x):
    """y = arccosh x: ∂y/∂x = 1/√((x − 1)(x + 1)). Infinite at x = 1, where zeros stay zero.

    The roots are taken one by one, so that large x don't overflow, and x + 1 is written as a
    difference, so that a complex x stays on its side of the branch cut.
    """
    return 1 / (np.sqrt(x - 1) * np.sqrt(x - (-1)))


@elementwise(np.arctanh, poles={1: np.inf, -1: np.inf})
def arctanh(_y, x):
    """y = arctanh x: ∂y/∂x = 1/(1 − x²). Infinite at x = ±1, where zeros stay zero."""
    return 1 / one_minus_square(x)


def _degrees_to_radians(_y, _x):
    """y = x·π/180: ∂y/∂x = π/180."""
    return math.pi / 180


def _radians_to_degrees(_y, _x):
    """y = x·180/π: ∂y/∂x = 180/π."""
    return 180 / math.pi


deg2rad = elementwise(np.deg2rad)(_degrees_to_radians)
radians = elementwise(np.radians)(_degrees_to_radians)
rad2deg = elementwise(np.rad2deg)(_radians_to_degrees)
degrees = elementwise(np.degrees)(_radians_to_degrees)
