"""Where a piecewise polynomial has a value: SciPy finds it, and Newton's method differentiates it.

A step from a root changes it by rounding, and has its derivative: for a tangent ẏ of the value and
ṗ of the polynomial, ṙ = (ẏ − ṗ(r))/p′(r). Each step more doubles the order of derivatives that are
right.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.interpolate as si

from pullback.core.shapes import shape_of
from pullback.errors import ArgumentValueError, NoRuleError
from pullback.numpy.operands import operand, plain_values
from pullback.rules.custom import stop_gradient
from pullback.scipy.constants import serves_followed
from pullback.scipy.first_step import plain
from pullback.scipy.interpolate.objects import part
from pullback.scipy.interpolate.piecewise import values

__all__: list[str] = []

_STEPS = 3
"""With three steps derivatives up to the seventh are right."""


@serves_followed(si.PPoly.solve)
def solve(self: Any, y: Any = 0.0, discontinuity: bool = True, extrapolate: Any = None) -> Any:
    """All points where the polynomial has a value, in order, as many as there are."""
    name = "scipy.interpolate.PPoly.solve"
    c, x, y = part(self, "c"), part(self, "x"), operand(y)
    if len(shape_of(c)) > 2:
        raise NoRuleError(
            f"{name} met traced coefficients of shape {shape_of(c)}, and has a derivative rule in "
            "pullback for one polynomial only. Solve for each, PPoly(c[:, :, i], x)"
        )
    fixed = si.PPoly(plain_values(name, "c", c), plain_values(name, "x", x), self.extrapolate)
    level = float(plain_values(name, "y", y))
    found = plain(si.PPoly.solve)(fixed, level, discontinuity, extrapolate)
    slope, size = fixed(found, 1), np.abs(fixed.c).max(initial=1.0)
    regular = np.isfinite(found) & (slope != 0)
    if not np.all(regular & (np.abs(fixed(found) - level) <= 1e-8 * size)):
        raise ArgumentValueError(
            f"{name}: the derivative of the points where the polynomial has the value {level} is "
            f"asked for, and among them, {found}, is one where it jumps, is level, or turns; leave "
            "out discontinuity, or shift y"
        )
    r: Any = found
    for _ in range(_STEPS):
        r = r - (values(c, x, r, 0, True) - y) / values(c, x, r, 1, True)
    return found + (r - stop_gradient(r))


@serves_followed(si.PPoly.roots)
def roots(self: Any, discontinuity: bool = True, extrapolate: Any = None) -> Any:
    return solve(self, 0.0, discontinuity, extrapolate)
