"""The functions and classes of `scipy.interpolate`."""

from pullback.scipy.interpolate import (
    bivariate,
    cubic,
    decided,
    fitpack,
    fitting,
    grids,
    linear,
    piecewise,
    polynomials,
    radial,
    roots,
    scattered,
    splines,
    tensor,
)

__all__ = [
    "bivariate",
    "cubic",
    "decided",
    "fitpack",
    "fitting",
    "grids",
    "linear",
    "piecewise",
    "polynomials",
    "radial",
    "roots",
    "scattered",
    "splines",
    "tensor",
]
