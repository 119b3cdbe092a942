"""Factorisations in place and the solution of a triangular system, element by element."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from benchmarks.workloads.loops.program import Program, weighted

__all__ = ["cholesky", "lu", "trisolv"]


def factored(A: Any) -> Any:
    A = A.copy()
    n = A.shape[0]
    for k in range(n):
        for i in range(k + 1, n):
            A[i, k] /= A[k, k]
            for j in range(k + 1, n):
                A[i, j] -= A[i, k] * A[k, j]
    return weighted(np, A)


def lu(n: int) -> Program:
    """A matrix whose diagonal is so large that no rows are exchanged."""

    def with_jax(jax: ModuleType) -> Any:
        def f(A: Any) -> Any:
            _, lower, upper = jax.scipy.linalg.lu(A)
            return weighted(jax.numpy, jax.numpy.tril(lower, -1) + upper)

        return f

    rng = np.random.default_rng(0)
    A = rng.normal(size=(n, n)) + 2 * n * np.eye(n)
    return Program(f"LU in place, n = {n}", factored, (A,), with_jax, 0.25, eager=n <= 60)


def rooted(A: Any) -> Any:
    L = np.zeros_like(A)
    for i in range(A.shape[0]):
        for j in range(i):
            s = A[i, j]
            for k in range(j):
                s -= L[i, k] * L[j, k]
            L[i, j] = s / L[j, j]
        s = A[i, i]
        for k in range(i):
            s -= L[i, k] * L[i, k]
        L[i, i] = np.sqrt(s)
    return weighted(np, L)


def cholesky(n: int) -> Program:
    """Of the lower half of a positive definite matrix."""

    def with_jax(jax: ModuleType) -> Any:
        def f(A: Any) -> Any:
            half = jax.numpy.tril(A)
            whole = half + half.T - jax.numpy.diag(jax.numpy.diag(half))
            return weighted(jax.numpy, jax.lax.linalg.cholesky(whole, symmetrize_input=False))

        return f

    X = np.random.default_rng(0).normal(size=(n, n))
    return Program(f"Cholesky, n = {n}", rooted, (X @ X.T + n * np.eye(n),), with_jax, 0.15)


def solved(L: Any, b: Any) -> Any:
    x = np.zeros_like(b)
    for i in range(len(b)):
        s = b[i]
        for j in range(i):
            s -= L[i, j] * x[j]
        x[i] = s / L[i, i]
    return weighted(np, x)


def trisolv(n: int) -> Program:
    """Beside a scan over the rows."""

    def with_jax(jax: ModuleType) -> Any:
        def f(L: Any, b: Any) -> Any:
            def step(x: Any, i: Any) -> Any:
                return x.at[i].set((b[i] - L[i] @ x) / L[i, i]), None

            x, _ = jax.lax.scan(step, jax.numpy.zeros_like(b), jax.numpy.arange(n))
            return weighted(jax.numpy, x)

        return f

    rng = np.random.default_rng(0)
    L, b = np.tril(rng.normal(size=(n, n))) + 2 * n * np.eye(n), rng.normal(size=n)
    return Program(f"a triangular system, n = {n}", solved, (L, b), with_jax, 0.2)
