"""Logistic regression: the mean negative log-likelihood of labels ±1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.native.problem import BEST, Problem

__all__ = ["logistic"]


def written(np: Any) -> Callable[..., Any]:
    def loss(w: Any, b: Any, x: Any, labels: Any) -> Any:
        return np.mean(np.log1p(np.exp(-labels * (x @ w + b))))

    return loss


def with_jax(jax: Any) -> Callable[..., Any]:
    def loss(w: Any, b: Any, x: Any, labels: Any) -> Any:
        return -jax.numpy.mean(jax.nn.log_sigmoid(labels * (x @ w + b)))

    return loss


def with_torch(torch: Any) -> Callable[..., Any]:
    def loss(w: Any, b: Any, x: Any, labels: Any) -> Any:
        margins = labels * torch.addmv(b, x, w)
        return -torch.nn.functional.logsigmoid(margins).mean()

    return loss


def logistic(
    n: int = 500, d: int = 8, dtype: Any = np.float64, two_threads: float | None = None
) -> Problem:
    """n samples of d features."""
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(n, d)), np.sign(rng.normal(size=n))
    arguments = (rng.normal(size=d), np.array(0.1), x, labels)
    many = two_threads is not None
    return Problem(
        f"logistic regression, {n:,} × {d}, {np.dtype(dtype)}",
        written(np),
        tuple(argument.astype(dtype) for argument in arguments),
        jax=with_jax,
        torch=with_torch,
        bounds={} if many else {BEST: 0.2},
        two_threads=two_threads,
        first=0.4 if many else 0.5,
        argnums=(0, 1),
        # The gradient by b is a sum of numbers of either sign, which nearly cancel.
        rtol=1e-3 if np.dtype(dtype) == np.float32 else 1e-9,
    )
