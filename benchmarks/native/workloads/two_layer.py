"""A small two-layer network with the mean squared error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.native.problem import BEST, Problem, in_jax

__all__ = ["two_layer"]


def written(np: Any) -> Callable[..., Any]:
    def loss(w1: Any, b1: Any, w2: Any, b2: Any, x: Any, target: Any) -> Any:
        prediction = np.tanh(x @ w1 + b1) @ w2 + b2
        return np.mean((prediction - target) ** 2)

    return loss


def with_torch(torch: Any) -> Callable[..., Any]:
    def loss(w1: Any, b1: Any, w2: Any, b2: Any, x: Any, target: Any) -> Any:
        prediction = torch.addmm(b2, torch.tanh(torch.addmm(b1, x, w1)), w2)
        return torch.nn.functional.mse_loss(prediction, target)

    return loss


def two_layer(batch: int = 32, inputs: int = 8, hidden: int = 16) -> Problem:
    """The gradient by all four parameters."""
    rng = np.random.default_rng(0)
    shapes = [(inputs, hidden), (hidden,), (hidden, 1), (1,), (batch, inputs), (batch, 1)]
    return Problem(
        f"two-layer net, {batch} × {inputs} → {hidden} → 1, tanh",
        written(np),
        tuple(rng.normal(size=shape) for shape in shapes),
        jax=in_jax(written),
        torch=with_torch,
        bounds={BEST: 0.3},
        argnums=(0, 1, 2, 3),
    )
