"""Euler's method in a loop over scalars: what one iteration costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import pullback as pb
from benchmarks.native.problem import BEST, Problem

__all__ = ["scalar_loop"]


def scalar_loop(steps: int = 1_000_000) -> Problem:
    """Logistic growth of one population, the gradient by its rate and its limit."""
    h = 5.0 / steps

    def written(fori_loop: Callable[..., Any]) -> Callable[..., Any]:
        def loss(theta: Any) -> Any:
            rate, limit = theta
            return fori_loop(0, steps, lambda _, x: x + h * rate * x * (1 - x / limit), 0.1)

        return loss

    return Problem(
        f"a loop of {steps:,} scalar steps",
        written(pb.fori_loop),
        (np.array([1.2, 0.9]),),
        jax=lambda jax: written(jax.lax.fori_loop),
        torch=lambda torch: written(in_python),
        bounds={BEST: 0.2},
    )


def in_python(lower: int, upper: int, body: Callable[..., Any], carry: Any) -> Any:
    """A `fori_loop` for libraries without."""
    for i in range(lower, upper):
        carry = body(i, carry)
    return carry
