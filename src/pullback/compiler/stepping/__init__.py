"""Explicit Runge–Kutta methods whose steps are machine code: what SciPy's own would have found."""

from pullback.compiler.stepping.exact import is_exact
from pullback.compiler.stepping.runge_kutta import Course, Stepper

__all__ = ["Course", "Stepper", "is_exact"]
