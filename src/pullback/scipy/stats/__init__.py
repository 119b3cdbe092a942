"""The functions and distributions of `scipy.stats`."""

from pullback.scipy.stats import (
    continuous,
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
