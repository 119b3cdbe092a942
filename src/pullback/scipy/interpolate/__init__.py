"""The functions and classes of `scipy.interpolate`."""

from pullback.scipy.interpolate import (
    bivariate,
    cubic,
    fitpack,
    fitting,
    grids,
    linear,
    piecewise,
    polynomials,
    radial,
    scattered,
    splines,
    tensor,
)

__all__ = [
    "bivariate",
    "cubic",
    "fitpack",
    "fitting",
    "grids",
    "linear",
    "piecewise",
    "polynomials",
    "radial",
    "scattered",
    "splines",
    "tensor",
]
