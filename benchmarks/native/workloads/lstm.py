"""A long short-term memory over a batch of sequences, in single precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import pullback as pb
from benchmarks.native.problem import BEST, Problem

__all__ = ["lstm"]


def sigmoid(x: Any) -> Any:
    """1/(1 + e⁻ˣ), as one writes it."""
    return 1 / (1 + np.exp(-x))


def loss(w: Any, u: Any, b: Any, x: Any, target: Any) -> Any:
    """The mean squared error of the last hidden state; gates: input, forget, cell, output."""

    def step(carry: Any, x: Any) -> tuple[Any, None]:
        hidden, cell = carry
        i, f, g, o = np.split(x @ w + hidden @ u + b, 4, axis=1)
        cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
        return (sigmoid(o) * np.tanh(cell), cell), None

    zero = np.zeros_like(target)
    (hidden, _), _ = pb.scan(step, (zero, zero), x)
    return np.mean((hidden - target) ** 2)


def with_jax(jax: Any) -> Callable[..., Any]:
    """With the product of all inputs before the loop."""
    jnp, sigmoid = jax.numpy, jax.nn.sigmoid

    def loss(w: Any, u: Any, b: Any, x: Any, target: Any) -> Any:
        def step(carry: Any, ahead: Any) -> tuple[Any, None]:
            hidden, cell = carry
            i, f, g, o = jnp.split(ahead + hidden @ u, 4, axis=1)
            cell = sigmoid(f) * cell + sigmoid(i) * jnp.tanh(g)
            return (sigmoid(o) * jnp.tanh(cell), cell), None

        zero = jnp.zeros_like(target)
        (hidden, _), _ = jax.lax.scan(step, (zero, zero), x @ w + b)
        return jnp.mean((hidden - target) ** 2)

    return loss


def with_torch(torch: Any) -> Callable[..., Any]:
    """PyTorch's own layer."""

    def loss(w: Any, u: Any, b: Any, x: Any, target: Any) -> Any:
        zero = torch.zeros_like(target)[None]
        weights = [w.T, u.T, b, torch.zeros_like(b)]
        _, hidden, _ = torch.lstm(x, (zero, zero), weights, True, 1, 0.0, True, False, False)
        return ((hidden[0] - target) ** 2).mean()

    return loss


def lstm(length: int = 50, batch: int = 32, dtype: Any = np.float32) -> Problem:
    """16 inputs, 32 hidden units."""
    rng, inputs, hidden = np.random.default_rng(0), 16, 32
    shapes = [(inputs, 4 * hidden), (hidden, 4 * hidden), (4 * hidden,)]
    return Problem(
        f"LSTM, T = {length}, batch {batch}, {inputs} → {hidden}, {np.dtype(dtype)}",
        loss,
        (
            *(0.2 * rng.normal(size=shape).astype(dtype) for shape in shapes),
            rng.normal(size=(length, batch, inputs)).astype(dtype),
            rng.normal(size=(batch, hidden)).astype(dtype),
        ),
        jax=with_jax,
        torch=with_torch,
        bounds={BEST: 0.5},
        argnums=(0, 1, 2),
        rtol=1e-4,
    )
