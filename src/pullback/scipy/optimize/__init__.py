"""scipy.optimize: roots, minima and fits, with the derivatives of what determines them."""

from pullback.scipy.optimize import (
    decided,
    least_squares,
    linear,
    minimisation,
    older,
    parts,
    programs,
    roots,
)

__all__ = [
    "decided", "least_squares", "linear", "minimisation", "older", "parts", "programs", "roots",
]  # fmt: skip
