"""Logistic growth of many populations at once, through a Runge–Kutta method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import pullback as pb
from benchmarks.native.problem import BEST, Problem

__all__ = ["runge_kutta"]

H = 0.02


def written(np: Any, scan: Callable[..., Any]) -> Callable[..., Any]:
    def loss(y: Any, rates: Any) -> Any:
        def step(y: Any, _: Any) -> tuple[Any, None]:
            k1 = rates * y * (1 - y)
            y2 = y + H / 2 * k1
            k2 = rates * y2 * (1 - y2)
            y3 = y + H / 2 * k2
            k3 = rates * y3 * (1 - y3)
            y4 = y + H * k3
            k4 = rates * y4 * (1 - y4)
            return y + H / 6 * (k1 + 2 * k2 + 2 * k3 + k4), None

        y, _ = scan(step, y)
        return 0.5 * np.sum((y - 0.5) ** 2)

    return loss


def runge_kutta(n: int = 1_000, steps: int = 100) -> Problem:
    """The gradient by initial values and rates."""
    rng = np.random.default_rng(0)

    def with_torch(torch: Any) -> Callable[..., Any]:
        def scan(step: Callable[..., Any], y: Any) -> tuple[Any, None]:
            for _ in range(steps):
                y, _ = step(y, None)
            return y, None

        return written(torch, scan)

    return Problem(
        f"Runge–Kutta, n = {n:,}, s = {steps}",
        written(np, lambda step, y: pb.scan(step, y, length=steps)),
        (rng.uniform(0.1, 0.9, size=n), rng.uniform(0.5, 1.5, size=n)),
        jax=lambda jax: written(jax.numpy, lambda step, y: jax.lax.scan(step, y, length=steps)),
        torch=with_torch,
        bounds={BEST: 0.4},
        argnums=(0, 1),
    )
