"""Sweeps over grids: element by element, and by slices."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from benchmarks.workloads.loops.program import Program, weighted

__all__ = ["gauss_seidel", "jacobi", "stepper"]


def swept(u: Any, f: Any, sweeps: int) -> Any:
    u = u.copy()
    for _ in range(sweeps):
        for i in range(1, u.shape[0] - 1):
            for j in range(1, u.shape[1] - 1):
                u[i, j] = 0.25 * (u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1] - f[i, j])
    return weighted(np, u)


def gauss_seidel(n: int = 66, sweeps: int = 20) -> Program:
    """Beside scans over rows, in which there are scans over their elements."""

    def with_jax(jax: ModuleType) -> Any:
        def element(left: Any, around: Any) -> Any:
            new = 0.25 * (left + around)
            return new, new

        def row(above: Any, each: Any) -> Any:
            here, below, f = each
            around = above[1:-1] + below[1:-1] + here[2:] - f[1:-1]
            _, inner = jax.lax.scan(element, here[0], around)
            new = here.at[1:-1].set(inner)
            return new, new

        def loss(u: Any, f: Any) -> Any:
            def sweep(u: Any, _: Any) -> Any:
                _, rows = jax.lax.scan(row, u[0], (u[1:-1], u[2:], f[1:-1]))
                return u.at[1:-1].set(rows), None

            return weighted(jax.numpy, jax.lax.scan(sweep, u, length=sweeps)[0])

        return loss

    u, f = np.random.default_rng(0).normal(size=(2, n, n))
    title = f"{sweeps} sweeps of Gauss and Seidel, {n} × {n}"
    return Program(title, lambda u, f: swept(u, f, sweeps), (u, f), with_jax, 0.35)


def around(A: Any) -> Any:
    return 0.2 * (A[1:-1, 1:-1] + A[1:-1, :-2] + A[1:-1, 2:] + A[2:, 1:-1] + A[:-2, 1:-1])


def exchanged(A: Any, steps: int) -> Any:
    A = A.copy()
    B = A.copy()
    for _ in range(steps):
        B[1:-1, 1:-1] = around(A)
        A[1:-1, 1:-1] = around(B)
    return weighted(np, A)


def jacobi(n: int = 150, steps: int = 50) -> Program:
    """Twice a step, from one array to the other and back."""

    def with_jax(jax: ModuleType) -> Any:
        def loss(A: Any) -> Any:
            def step(A: Any, _: Any) -> Any:
                A = A.at[1:-1, 1:-1].set(around(A))
                return A.at[1:-1, 1:-1].set(around(A)), None

            return weighted(jax.numpy, jax.lax.scan(step, A, length=steps)[0])

        return loss

    A = np.random.default_rng(0).normal(size=(n, n))
    title = f"{2 * steps} steps of Jacobi's method, {n} × {n}"
    return Program(title, lambda A: exchanged(A, steps), (A,), with_jax, 0.15, eager=True)


def stepped(u: Any, rate: Any, steps: int) -> Any:
    u = u.copy()
    for _ in range(steps):
        inner = u[1:-1, 1:-1].copy()
        spread = u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * inner
        u[1:-1, 1:-1] = inner + rate * spread + 0.01 * inner * (1 - inner)
        u[0], u[-1] = u[1], u[-2]
    return weighted(np, u)


def stepper(n: int = 128, steps: int = 100) -> Program:
    """A 5-point stencil with a reaction, and mirrors at two sides."""

    def with_jax(jax: ModuleType) -> Any:
        def loss(u: Any, rate: Any) -> Any:
            def step(u: Any, _: Any) -> Any:
                inner = u[1:-1, 1:-1]
                spread = u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * inner
                u = u.at[1:-1, 1:-1].set(inner + rate * spread + 0.01 * inner * (1 - inner))
                u = u.at[0].set(u[1])
                return u.at[-1].set(u[-2]), None

            return weighted(jax.numpy, jax.lax.scan(step, u, length=steps)[0])

        return loss

    rng = np.random.default_rng(0)
    arguments = rng.random((n, n)), 0.1 * rng.random((n - 2, n - 2))
    title = f"{steps} steps of a 5-point stencil, {n} × {n}"
    return Program(title, lambda u, rate: stepped(u, rate, steps), arguments, with_jax, 0.15, True)
