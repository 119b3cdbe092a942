"""Explicit Runge–Kutta methods whose steps are machine code: what SciPy's own would have found."""

from pullback.compiler.stepping.exact import is_exact
from pullback.compiler.stepping.runge_kutta import Stepper

__all__ = ["Stepper", "is_exact"]
