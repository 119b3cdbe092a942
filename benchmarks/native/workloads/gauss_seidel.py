"""The method of Gauss and Seidel, which writes element after element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import pullback as pb
from benchmarks.native.problem import Problem

__all__ = ["gauss_seidel"]


def gauss_seidel(n: int = 200, sweeps: int = 20) -> Problem:
    """−u″ = f at n points (the mesh width in f), the gradient by initial values and f.

    The bound is for the same spelling in JAX; the other says what is won by rewriting it.
    """
    rng = np.random.default_rng(0)

    def loss(u: Any, f: Any) -> Any:
        def update(i: Any, u: Any) -> Any:
            u[i] = 0.5 * (u[i - 1] + u[i + 1] + f[i])
            return u

        def sweep(_: Any, u: Any) -> Any:
            return pb.fori_loop(1, n + 1, update, u)

        return 0.5 * np.sum(pb.fori_loop(0, sweeps, sweep, u) ** 2)

    def with_writes(jax: Any) -> Callable[..., Any]:
        """The same: an element is written at a time."""

        def loss(u: Any, f: Any) -> Any:
            def update(i: Any, u: Any) -> Any:
                return u.at[i].set(0.5 * (u[i - 1] + u[i + 1] + f[i]))

            def sweep(_: Any, u: Any) -> Any:
                return jax.lax.fori_loop(1, n + 1, update, u)

            return 0.5 * jax.numpy.sum(jax.lax.fori_loop(0, sweeps, sweep, u) ** 2)

        return loss

    def with_scans(jax: Any) -> Callable[..., Any]:
        """Without writes: a sweep is a scan that hands on the element on the left."""

        def loss(u: Any, f: Any) -> Any:
            def update(left: Any, right_and_f: Any) -> tuple[Any, Any]:
                right, f = right_and_f
                new = 0.5 * (left + right + f)
                return new, new

            def sweep(u: Any, _: Any) -> tuple[Any, None]:
                _, inner = jax.lax.scan(update, u[0], (u[2:], f[1:-1]))
                return jax.numpy.concatenate([u[:1], inner, u[-1:]]), None

            u, _ = jax.lax.scan(sweep, u, length=sweeps)
            return 0.5 * jax.numpy.sum(u**2)

        return loss

    return Problem(
        f"Gauss–Seidel, {sweeps} sweeps of {n} writes in fori_loop",
        loss,
        (rng.normal(size=n + 2), rng.normal(size=n + 2)),
        jax=with_scans,
        bounds={"JAX, as written": 0.05},
        argnums=(0, 1),
        other={"as written": with_writes},
    )
