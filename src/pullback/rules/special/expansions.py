"""What the rules of special functions are computed with, in double precision.

A derivative that is a difference of nearly equal numbers, as 1 − 2x·D(x) of Dawson's integral at
large x, is taken from an expansion of its own. So that it can be differentiated again, such a
function has its order as a parameter.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["descending_powers", "in_double", "nodes_and_weights"]


def in_double(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function compute in double precision, and return the precision of its arguments."""

    @functools.wraps(function)
    def computed(*args: Any, **params: Any) -> Any:
        arrays = [np.asarray(x) for x in args]
        dtype = np.result_type(*args)
        dtype = dtype if dtype.kind in "fc" else np.dtype(np.float64)
        kind = np.complex128 if dtype.kind == "c" else np.float64
        wide = np.broadcast_arrays(
            *(x.astype(kind if x.dtype.kind == "c" else np.float64) for x in arrays)
        )
        with np.errstate(all="ignore"):
            value = np.asarray(function(*wide, **params))
        if value.dtype.kind == "c" and dtype.kind != "c":
            dtype = np.result_type(dtype, np.complex64)
        return value.astype(dtype, order="C")[()]

    return computed


def descending_powers(
    x: Any, coefficients: Any, start: float, step: float, order: int
) -> tuple[Any, Any]:
    """The derivative of this order of Σ cₖ·x^(start − step·k), and a bound of what is left out.

    The series is an asymptotic one: each element's is summed up to its smallest term.
    """
    shape = np.broadcast_shapes(np.shape(x), np.shape(coefficients[0]))
    total = np.zeros(shape, np.result_type(x, np.float64))
    best, smallest, largest = total, np.full(shape, np.inf), np.zeros(shape)
    for k, coefficient in enumerate(coefficients):
        exponent = start - step * k
        falling = math.prod(exponent - i for i in range(order))
        if falling == 0:
            continue
        term = coefficient * falling * x ** (exponent - order)
        size = np.abs(term)
        total = total + term
        closer = size <= smallest
        best, smallest = np.where(closer, total, best), np.where(closer, size, smallest)
        largest = np.where(closer, np.maximum(largest, size), largest)
        if not np.any(size > 1e-18 * np.abs(total)):
            break
    return best, np.maximum(smallest, 1e-18 * largest) / np.abs(best)


@functools.lru_cache
def nodes_and_weights(n: int) -> tuple[Any, Any]:
    """Of the Gauss–Legendre quadrature with n nodes on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    return (nodes + 1) / 2, weights / 2
