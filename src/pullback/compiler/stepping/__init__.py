"""Explicit Runge–Kutta methods whose steps are machine code: what SciPy's own would have found."""

from pullback.compiler.stepping.exact import exactly, is_exact
from pullback.compiler.stepping.runge_kutta import Stepper

__all__ = ["Stepper", "exactly", "is_exact"]
