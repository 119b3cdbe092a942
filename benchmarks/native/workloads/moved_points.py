"""A robust loss of points moved by a matrix: Σᵢ ρ(‖A xᵢ − yᵢ‖²), ρ(z) = 2(√(1 + z) − 1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.native.problem import Problem, in_jax

__all__ = ["moved_points"]


def written(np: Any) -> Callable[..., Any]:
    def loss(A: Any, x: Any, y: Any) -> Any:
        squares = np.sum((x @ A.T - y) ** 2, axis=1)
        return np.sum(2 * (np.sqrt(1 + squares) - 1))

    return loss


def by_coordinates(np: Any) -> Callable[..., Any]:
    """With the points in columns, so that a coordinate lies together."""

    def loss(A: Any, x: Any, y: Any) -> Any:
        squares = np.sum((A @ x.T - y.T) ** 2, axis=0)
        return np.sum(2 * (np.sqrt(1 + squares) - 1))

    return loss


def with_torch(torch: Any) -> Callable[..., Any]:
    def loss(A: Any, x: Any, y: Any) -> Any:
        squares = ((x @ A.T - y) ** 2).sum(1)
        return (2 * (torch.sqrt(1 + squares) - 1)).sum()

    return loss


def moved_points(
    n: int = 100_000, dtype: Any = np.float64, two_threads: float | None = None
) -> Problem:
    """n points of three coordinates, the gradient by the 3 × 3 matrix; some are far off."""
    rng = np.random.default_rng(0)
    A, x = rng.normal(size=(3, 3)), rng.normal(size=(n, 3))
    y = x @ (A + 0.1 * rng.normal(size=(3, 3))).T + rng.standard_t(2, size=(n, 3))
    return Problem(
        f"robust loss of {n:,} points moved by a 3 × 3 matrix, {np.dtype(dtype)}",
        written(np),
        tuple(argument.astype(dtype) for argument in (A, x, y)),
        jax=in_jax(written),
        torch=with_torch,
        other={"by coordinates": in_jax(by_coordinates)},
        two_threads=two_threads,
        first=0.4,
        rtol=1e-4 if np.dtype(dtype) == np.float32 else 1e-9,
    )
