"""The likelihood of a Gaussian process, from a Cholesky factor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.native.problem import Problem

__all__ = ["gaussian_process"]


def written(np: Any, solve_lower: Callable[..., Any]) -> Callable[..., Any]:
    def loss(theta: Any, x: Any, y: Any) -> Any:
        """−log p(y), from the logarithms of a length, an amplitude and the noise."""
        length, amplitude, noise = np.exp(theta)
        distances = (x[:, None] - x) / length
        covariance = amplitude**2 * np.exp(-0.5 * distances**2) + noise**2 * np.eye(len(x))
        lower = np.linalg.cholesky(covariance)
        whitened = solve_lower(lower, y)
        return 0.5 * np.sum(whitened**2) + np.sum(np.log(np.diag(lower)))

    return loss


def with_jax(jax: Any) -> Callable[..., Any]:
    def solve_lower(lower: Any, y: Any) -> Any:
        return jax.scipy.linalg.solve_triangular(lower, y, lower=True)

    return written(jax.numpy, solve_lower)


def with_torch(torch: Any) -> Callable[..., Any]:
    def loss(theta: Any, x: Any, y: Any) -> Any:
        length, amplitude, noise = torch.exp(theta).unbind()
        distances = (x[:, None] - x) / length
        covariance = amplitude**2 * torch.exp(-0.5 * distances**2)
        covariance = covariance + noise**2 * torch.eye(len(x), dtype=x.dtype)
        lower = torch.linalg.cholesky(covariance)
        whitened = torch.linalg.solve_triangular(lower, y[:, None], upper=False)
        return 0.5 * (whitened**2).sum() + torch.log(torch.diagonal(lower)).sum()

    return loss


def gaussian_process(n: int) -> Problem:
    """n observations, the gradient by three parameters."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0.0, 10.0, size=n)
    return Problem(
        f"Gaussian process likelihood, n = {n}",
        written(np, np.linalg.solve),
        (np.array([0.1, 0.2, -1.0]), x, np.sin(x) + 0.3 * rng.normal(size=n)),
        jax=with_jax,
        torch=with_torch,
        rtol=1e-7,
    )
