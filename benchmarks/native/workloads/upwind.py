"""A fluid carried by itself: upwind differences, with ``np.roll`` in four directions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.native.problem import Problem

__all__ = ["upwind"]

H = 0.2


def transport(np: Any) -> Callable[..., Any]:
    """One step of a field against the velocities, in the NumPy that is given."""

    def step(field: Any, u: Any, v: Any) -> Any:
        west, east = field - np.roll(field, 1, 0), np.roll(field, -1, 0) - field
        south, north = field - np.roll(field, 1, 1), np.roll(field, -1, 1) - field
        along_u = np.where(u > 0, u * west, u * east)
        along_v = np.where(v > 0, v * south, v * north)
        return field - H * (along_u + along_v)

    return step


def upwind(n: int = 256, steps: int = 4) -> Problem:
    """Both velocities and a dye for some steps, the misfit of the dye at the end."""
    rng = np.random.default_rng(0)
    u, v, dye, target = rng.uniform(-1.0, 1.0, size=(4, n, n))

    def written(np: Any) -> Callable[..., Any]:
        move = transport(np)

        def loss(u: Any, v: Any, dye: Any, target: Any) -> Any:
            for _ in range(steps):
                u, v, dye = move(u, u, v), move(v, u, v), move(dye, u, v)
            return np.sum((dye - target) ** 2)

        return loss

    def with_jax(jax: Any) -> Callable[..., Any]:
        """As a scan that recomputes: as written, XLA evaluates a step at every offset again."""
        move = transport(jax.numpy)

        @jax.checkpoint
        def step(fields: Any, _: Any) -> tuple[Any, None]:
            u, v, dye = fields
            return (move(u, u, v), move(v, u, v), move(dye, u, v)), None

        def loss(u: Any, v: Any, dye: Any, target: Any) -> Any:
            (_, _, dye), _ = jax.lax.scan(step, (u, v, dye), length=steps)
            return jax.numpy.sum((dye - target) ** 2)

        return loss

    return Problem(
        f"upwind fluid step with np.roll, {n} × {n}, {steps} steps",
        written(np),
        (u, v, dye, target),
        jax=with_jax,
        torch=written,
        bounds={"JAX": 0.15, "PyTorch": 0.4},
        argnums=(0, 1, 2),
        other={"as written": lambda jax: written(jax.numpy)},
    )
