"""Predators and prey: four rates fitted to observations, through a Runge–Kutta method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import pullback as pb
from benchmarks.native.problem import BEST, Problem

__all__ = ["lotka_volterra"]

H = 0.01


def written(np: Any, stack: Callable[..., Any], scan: Callable[..., Any]) -> Callable[..., Any]:
    def field(u: Any, rates: Any) -> Any:
        birth, capture, growth, death = rates
        prey, predators = u
        return stack(
            [
                birth * prey - capture * prey * predators,
                growth * prey * predators - death * predators,
            ]
        )

    def loss(rates: Any, u: Any, observed: Any) -> Any:
        def step(u: Any, target: Any) -> tuple[Any, Any]:
            k1 = field(u, rates)
            k2 = field(u + H / 2 * k1, rates)
            k3 = field(u + H / 2 * k2, rates)
            k4 = field(u + H * k3, rates)
            u = u + H / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
            return u, np.sum((u - target) ** 2)

        _, errors = scan(step, u, observed)
        return np.sum(errors)

    return loss


def with_jax(jax: Any) -> Callable[..., Any]:
    """With the steps recomputed on the way back: quicker than to keep what is between."""

    def scan(step: Callable[..., Any], u: Any, targets: Any) -> tuple[Any, Any]:
        return jax.lax.scan(jax.checkpoint(step), u, targets)

    return written(jax.numpy, jax.numpy.array, scan)


def with_torch(torch: Any) -> Callable[..., Any]:
    def scan(step: Callable[..., Any], u: Any, targets: Any) -> tuple[Any, Any]:
        errors = []
        for target in targets:
            u, error = step(u, target)
            errors.append(error)
        return u, torch.stack(errors)

    return written(torch, torch.stack, scan)


def lotka_volterra(steps: int = 1_000) -> Problem:
    """The gradient by the four rates, of the misfit at every step."""
    times = H * np.arange(1, steps + 1)
    observed = np.stack([8.0 + 3.0 * np.sin(times), 5.0 + 3.0 * np.cos(times)], axis=1)
    return Problem(
        f"Lotka–Volterra, Runge–Kutta, scan of {steps:,} steps, 4 parameters",
        written(np, np.array, pb.scan),
        (np.array([1.1, 0.2, 0.1, 0.8]), np.array([10.0, 5.0]), observed),
        jax=with_jax,
        torch=with_torch,
        bounds={BEST: 0.05},
        other={"as written": lambda jax: written(jax.numpy, jax.numpy.array, jax.lax.scan)},
    )
