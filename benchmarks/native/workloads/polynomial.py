"""A polynomial fitted by least squares, evaluated by Horner's rule in a Python loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.native.problem import BEST, Problem, in_jax

__all__ = ["polynomial"]


def written(np: Any) -> Callable[..., Any]:
    def loss(c: Any, x: Any, y: Any) -> Any:
        p = np.zeros_like(x)
        for k in range(len(c)):
            p = p * x + c[k]
        return 0.5 * np.sum((p - y) ** 2)

    return loss


def with_jax(jax: Any) -> Callable[..., Any]:
    """Horner's rule in a scan, unrolled sixteenfold: as `jax.numpy.polyval` has it."""

    def loss(c: Any, x: Any, y: Any) -> Any:
        return 0.5 * jax.numpy.sum((jax.numpy.polyval(c, x) - y) ** 2)

    return loss


def polynomial(n: int = 16_392, m: int = 128) -> Problem:
    """n points in [−1, 1], m coefficients, the highest first."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.0, 1.0, size=n)
    return Problem(
        f"least-squares polynomial, n = {n:,}, m = {m}",
        written(np),
        (rng.normal(size=m), x, np.sin(3.0 * x)),
        jax=with_jax,
        torch=written,
        bounds={BEST: 0.2},
        other={"unrolled": in_jax(written)},
    )
