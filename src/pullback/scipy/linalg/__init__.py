"""The functions of `scipy.linalg`, a module for each of its subjects."""

from pullback.scipy.linalg import (
    cholesky,
    elimination,
    equations,
    factorisations,
    functions,
    refusals,
    solving,
    spectra,
    structured,
)

__all__ = [
    "cholesky",
    "elimination",
    "equations",
    "factorisations",
    "functions",
    "refusals",
    "solving",
    "spectra",
    "structured",
]
