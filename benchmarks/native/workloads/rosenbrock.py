"""Rosenbrock's function: the gradient in three variables, the Hessian in twenty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.native.problem import BEST, Problem, in_jax

__all__ = ["hessian", "vector"]


def written(np: Any) -> Callable[..., Any]:
    """H. H. Rosenbrock, The Computer Journal 3 (1960) 175."""

    def loss(x: Any) -> Any:
        return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)

    return loss


def by_hand(x: Any) -> Sequence[Any]:
    """Its gradient, worked out."""
    head = x[:-1]
    residual = x[1:] - head * head
    gradient = np.zeros_like(x)
    gradient[:-1] = -400.0 * head * residual - 2.0 * (1.0 - head)
    gradient[1:] += 200.0 * residual
    return [gradient]


def vector() -> Problem:
    """The gradient in three variables: the cost of a call."""
    return Problem(
        "gradient of a function of three variables",
        written(np),
        (np.array([0.3, -0.7, 1.2]),),
        jax=in_jax(written),
        torch=written,
        bounds={BEST: 0.35, "by hand": 1.0},
        derivative="gradient",
        by_hand=by_hand,
    )


def hessian(n: int = 20) -> Problem:
    """The Hessian in n variables."""
    return Problem(
        f"Hessian of Rosenbrock's function of {n} variables",
        written(np),
        (np.random.default_rng(0).normal(size=n),),
        jax=in_jax(written),
        torch=written,
        bounds={BEST: 0.3},
        derivative="Hessian",
    )
