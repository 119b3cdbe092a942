"""The functions and distributions of `scipy.stats`."""

from pullback.scipy.stats import (
    common,
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
    tails,
)

__all__ = [
    "common",
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
    "tails",
]
