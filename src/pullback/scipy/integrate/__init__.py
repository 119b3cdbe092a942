"""Integrals and initial value problems under SciPy's names, as they are called with tracers."""

from pullback.scipy.integrate import (
    boundary_values,
    decided,
    initial_values,
    odepack,
    quadrature,
    samples,
    several_variables,
)

__all__ = [
    "boundary_values", "decided", "initial_values", "odepack", "quadrature", "samples",
    "several_variables",
]  # fmt: skip
