"""Gradients of a small net for each example by itself: vmap of grad."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import pullback as pb
from benchmarks.native.problem import Problem

__all__ = ["per_example"]


def written(np: Any) -> Callable[..., Any]:
    def loss(parameters: Any, x: Any, y: Any) -> Any:
        W, b, w, mu = parameters
        return 0.5 * (w @ np.tanh(W @ x + b) + mu - y) ** 2

    return loss


gradients = pb.vmap(pb.grad(written(np)), in_axes=(None, 0, 0))


def with_jax(jax: Any) -> Callable[..., Any]:
    return jax.vmap(jax.grad(written(jax.numpy)), in_axes=(None, 0, 0))


def with_torch(torch: Any) -> Callable[..., Any]:
    return torch.func.vmap(torch.func.grad(written(torch)), in_dims=(None, 0, 0))


def by_hand(parameters: Any, x: Any, y: Any) -> list[Any]:
    """The outer products of what comes back and what went in."""
    W, b, w, mu = parameters
    z = np.tanh(x @ W.T + b)
    r = z @ w + mu - y
    delta = (1 - z * z) * w * r[:, None]
    return [delta[:, :, None] * x[:, None], delta, r[:, None] * z, r]


def per_example(
    m: int = 10_000,
    inputs: int = 8,
    hidden: int = 16,
    dtype: Any = np.float64,
    two_threads: float | None = None,
) -> Problem:
    """m examples of a net with one hidden layer."""
    rng = np.random.default_rng(0)

    def normal(*shape: int) -> Any:
        return rng.normal(size=shape).astype(dtype)

    parameters = (normal(hidden, inputs), normal(hidden), normal(hidden), np.array(0.1, dtype))
    return Problem(
        f"gradients of each of {m:,} examples, {inputs} → {hidden} → 1, {np.dtype(dtype)}",
        gradients,
        (parameters, normal(m, inputs), normal(m)),
        jax=with_jax,
        torch=with_torch,
        derivative="as written",
        by_hand=by_hand,
        two_threads=two_threads,
        first=0.4,
        rtol=1e-4 if np.dtype(dtype) == np.float32 else 1e-9,
    )
