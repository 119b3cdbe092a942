"""A residual network with a Python loop over its layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.native.problem import Problem, in_jax

__all__ = ["residual"]

H = 0.05


def written(np: Any) -> Callable[..., Any]:
    def loss(y: Any, target: Any, w: Any, mu: Any, *layers: Any) -> Any:
        for weight, bias in zip(layers[0::2], layers[1::2], strict=True):
            y = y + H * np.tanh(y @ weight + bias)
        return 0.5 * np.sum((np.tanh(y @ w + mu) - target) ** 2)

    return loss


def with_torch(torch: Any) -> Callable[..., Any]:
    def loss(y: Any, target: Any, w: Any, mu: Any, *layers: Any) -> Any:
        for weight, bias in zip(layers[0::2], layers[1::2], strict=True):
            y = torch.add(y, torch.tanh(torch.addmm(bias, y, weight)), alpha=H)
        return 0.5 * ((torch.tanh(y @ w + mu) - target) ** 2).sum()

    return loss


def residual(d: int = 4, layers: int = 20, m: int = 1_000) -> Problem:
    """The gradient by all parameters of all layers and of the last."""
    rng = np.random.default_rng(0)
    arguments = [rng.normal(size=(m, d)), rng.uniform(-0.9, 0.9, size=m)]
    arguments += [rng.normal(size=d), np.array(0.1)]
    for _ in range(layers):
        arguments += [rng.normal(size=(d, d)), rng.normal(size=d)]
    return Problem(
        f"residual net, d = {d}, K = {layers}, m = {m:,}",
        written(np),
        tuple(arguments),
        jax=in_jax(written),
        torch=with_torch,
        argnums=tuple(range(2, len(arguments))),
    )
