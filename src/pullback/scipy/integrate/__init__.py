"""Integrals and initial value problems under SciPy's names, as they are called with tracers."""

from pullback.scipy.integrate import (
    decided,
    initial_values,
    odepack,
    quadrature,
    samples,
    several_variables,
)

__all__ = ["decided", "initial_values", "odepack", "quadrature", "samples", "several_variables"]
