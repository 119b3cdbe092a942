"""The L2 loss: its value and both cotangents, in fresh arrays and in reused ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.native.problem import BEST, COPY, Problem, in_jax

__all__ = ["l2", "l2_reused"]


def written(np: Any) -> Callable[..., Any]:
    def loss(y: Any, y_ref: Any) -> Any:
        return 0.5 * np.sum((y - y_ref) ** 2)

    return loss


def written_half(np: Any) -> Callable[..., Any]:
    def loss(y: Any, y_ref: Any) -> Any:
        return 0.25 * np.sum((y - y_ref) ** 2)

    return loss


def arrays(size: int) -> tuple[Any, Any]:
    """Outputs and references."""
    rng = np.random.default_rng(0)
    return rng.normal(size=size), rng.normal(size=size)


def l2(size: int, most: float = 0.3) -> Problem:
    """½‖y − y_ref‖² of vectors of `size` elements."""
    return Problem(
        f"L2 loss, both cotangents, N = {size:,}",
        written(np),
        arrays(size),
        jax=in_jax(written),
        torch=written,
        bounds={BEST: most},
        argnums=(0, 1),
    )


def l2_reused(size: int = 10_000_000) -> Problem:
    """The same with the arguments' memory reused.

    Each call is at the cotangents of the one before, r and −r; half the loss keeps them as they
    are, where ½‖y − y_ref‖² would double them every time.
    """
    return Problem(
        f"L2 loss, both cotangents in place of the arguments, N = {size:,}",
        written_half(np),
        arrays(size),
        jax=in_jax(written_half),
        bounds={COPY: 1 / 0.8},
        argnums=(0, 1),
        donate=True,
    )
