"""Kernels of many kinds, as they are written for NumPy."""

from tests.lifting.kernels import (
    factorisations,
    flows,
    masks,
    nets,
    products,
    programming,
    recurrences,
    statistics,
    stencils,
)
from tests.lifting.kernels.kernel import KERNELS, Kernel

__all__ = [
    "KERNELS",
    "Kernel",
    "factorisations",
    "flows",
    "masks",
    "nets",
    "products",
    "programming",
    "recurrences",
    "statistics",
    "stencils",
]
