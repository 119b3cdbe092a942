"""Sums that stand for integrals under SciPy's names: of samples, by its own code, and Gauss'."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.integrate
import scipy.special

from pullback.core.shapes import shape_of
from pullback.core.tracing import Tracer, known, strip
from pullback.numpy.operands import operand
from pullback.scipy.first_step import serves
from pullback.scipy.retelling import retold

__all__ = ["FUNCTIONS", "fixed_quad", "simpson"]

FUNCTIONS = ["trapezoid", "romb", "cumulative_trapezoid", "cumulative_simpson"]
"""Those whose own code does."""

for _name in FUNCTIONS:
    _function = getattr(scipy.integrate, _name)
    serves(_function)(retold(_function))


_simpson = retold(scipy.integrate.simpson)


@serves(scipy.integrate.simpson)
def simpson(y: Any, x: Any = None, *, dx: Any = 1.0, axis: int = -1) -> Any:
    """SciPy's code too, but for the last of an odd number of intervals (Cartwright 2017)."""
    y = operand(y)
    count = shape_of(y)[axis]
    if type(x) is not Tracer or count % 2 or count == 2:
        return _simpson(y, x=x, dx=dx, axis=axis)
    y = np.moveaxis(y, axis, -1)
    x = _last(x, axis)
    before, last = x[..., -2] - x[..., -3], x[..., -1] - x[..., -2]
    both = before + last
    by_last = _quotient(2 * last**2 + 3 * before * last, 6 * both)
    by_next = _quotient(last**2 + 3 * before * last, 6 * before)
    by_third = _quotient(last**3, 6 * before * both)
    correction = by_last * y[..., -1] + by_next * y[..., -2] - by_third * y[..., -3]
    return _simpson(y[..., :-1], x=x[..., :-1]) + correction


def _last(x: Any, axis: int) -> Any:
    return x if len(shape_of(x)) == 1 else np.moveaxis(x, axis, -1)


def _quotient(x: Any, y: Any) -> Any:
    """x / y, and 0 where y is."""
    return np.where(y == 0, 0.0, x / np.where(y == 0, 1.0, y))


@serves(scipy.integrate.fixed_quad)
def fixed_quad(func: Any, a: Any, b: Any, args: Any = (), n: int = 5) -> Any:
    """Gauss' rule: its derivatives are those of the sum, whatever that is of the integral."""
    if any(known(end) and np.any(np.isinf(strip(end))) for end in (a, b)):
        raise ValueError("Gaussian quadrature is only available for finite limits.")
    x, weights = scipy.special.roots_legendre(n)
    nodes = (b - a) * (np.real(x) + 1) / 2.0 + a
    return (b - a) / 2.0 * np.sum(weights * func(nodes, *args), axis=-1), None
