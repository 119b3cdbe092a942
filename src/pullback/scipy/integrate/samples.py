"""Sums that stand for integrals under SciPy's names: of samples, by its own code, and Gauss'."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.integrate
import scipy.special

from pullback.core.tracing import known, strip
from pullback.scipy.first_step import serves
from pullback.scipy.retelling import retold

__all__ = ["FUNCTIONS", "fixed_quad"]

FUNCTIONS = ["trapezoid", "simpson", "romb", "cumulative_trapezoid", "cumulative_simpson"]

for _name in FUNCTIONS:
    _function = getattr(scipy.integrate, _name)
    serves(_function)(retold(_function))


@serves(scipy.integrate.fixed_quad)
def fixed_quad(func: Any, a: Any, b: Any, args: Any = (), n: int = 5) -> Any:
    """Gauss' rule: its derivatives are those of the sum, whatever that is of the integral."""
    if any(known(end) and np.any(np.isinf(strip(end))) for end in (a, b)):
        raise ValueError("Gaussian quadrature is only available for finite limits.")
    x, weights = scipy.special.roots_legendre(n)
    nodes = (b - a) * (np.real(x) + 1) / 2.0 + a
    return (b - a) / 2.0 * np.sum(weights * func(nodes, *args), axis=-1), None
