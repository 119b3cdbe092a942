"""The squared differences of neighbours along each axis of a volume."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.native.problem import BEST, Problem, in_jax

__all__ = ["differences"]


def written(np: Any) -> Callable[..., Any]:
    def loss(x: Any) -> Any:
        return sum(np.sum(np.diff(x, axis=axis) ** 2) for axis in range(3))

    return loss


def with_torch(torch: Any) -> Callable[..., Any]:
    def loss(x: Any) -> Any:
        return sum(torch.sum(torch.diff(x, dim=axis) ** 2) for axis in range(3))

    return loss


def differences(n: int = 256, dtype: Any = np.float32) -> Problem:
    """An n × n × n array in single precision."""
    return Problem(
        f"Σ np.diff² along each axis, {n}³, {np.dtype(dtype)}",
        written(np),
        (np.random.default_rng(0).normal(size=(n, n, n)).astype(dtype),),
        jax=in_jax(written),
        torch=with_torch,
        bounds={BEST: 0.2},
        rtol=1e-4,
    )
