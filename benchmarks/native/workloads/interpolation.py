"""Bilinear interpolation in a table: sums over gathers, and over scatters on the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.native.problem import Problem

__all__ = ["interpolation"]


def written(np: Any, integers: Callable[[Any], Any]) -> Callable[..., Any]:
    def loss(table: Any, x: Any, y: Any, target: Any) -> Any:
        i, j = integers(np.floor(x)), integers(np.floor(y))
        s, t = x - i, y - j
        lower = (1 - t) * table[i, j] + t * table[i, j + 1]
        upper = (1 - t) * table[i + 1, j] + t * table[i + 1, j + 1]
        return np.mean(((1 - s) * lower + s * upper - target) ** 2)

    return loss


def as_numpy_does(x: Any) -> Any:
    """Integers to index with, in NumPy and JAX."""
    return x.astype("int64")


def interpolation(n: int = 64, points: int = 10_000) -> Problem:
    """Some points in an n × n table, the gradient by the table and both coordinates."""
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0.0, n - 1.001, size=(2, points))
    return Problem(
        f"bilinear interpolation of {points:,} points in {n} × {n}",
        written(np, as_numpy_does),
        (rng.normal(size=(n, n)), x, y, rng.normal(size=points)),
        jax=lambda jax: written(jax.numpy, as_numpy_does),
        torch=lambda torch: written(torch, lambda x: x.long()),
        argnums=(0, 1, 2),
    )
