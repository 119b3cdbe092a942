"""The functions and distributions of `scipy.stats`."""

from pullback.scipy.stats import (
    continuous,
    decided,
    densities,
    discrete,
    formulas,
    frozen,
    kernels,
    matrices,
    moments,
    normal,
    quantiles,
    simplex,
    statistics,
)

__all__ = [
    "continuous",
    "decided",
    "densities",
    "discrete",
    "formulas",
    "frozen",
    "kernels",
    "matrices",
    "moments",
    "normal",
    "quantiles",
    "simplex",
    "statistics",
]
