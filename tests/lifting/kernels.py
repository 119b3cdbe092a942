"""Programs of numerical linear algebra, stencils and recurrences, as they are written for NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

KERNELS: dict[str, tuple[Callable[..., Any], tuple[Any, ...], int]] = {}
"""By name: the function, its arguments, and how many equations it may have at most."""


def kernel(*shapes: Any, most: int = 25) -> Callable[[Any], Any]:
    def keep(f: Any) -> Any:
        rng = np.random.default_rng(len(KERNELS))
        args = tuple(0.2 + rng.random(each) if each else 0.3 for each in shapes)
        KERNELS[f.__name__] = f, args, most
        return f

    return keep


@kernel((9, 9))
def lu(A):
    A = A + 9 * np.eye(9)
    n = A.shape[0]
    for k in range(n):
        for i in range(k + 1, n):
            A[i, k] /= A[k, k]
            for j in range(k + 1, n):
                A[i, j] -= A[i, k] * A[k, j]
    return np.sum(np.diag(A) ** 2) + A[n - 1, 0]


@kernel((8, 8), (8,))
def solve_lower(L, b):
    x = np.zeros_like(b)
    for i in range(len(b)):
        s = b[i]
        for j in range(i):
            s -= L[i, j] * x[j]
        x[i] = s / (L[i, i] + 2)
    return np.sum(x * x)


@kernel((7, 7), (7, 7))
def gauss_seidel(u, f):
    u = u.copy()
    for _ in range(6):
        for i in range(1, 6):
            for j in range(1, 6):
                u[i, j] = 0.25 * (u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1] - f[i, j])
    return np.sum(u**2)


@kernel((8, 8))
def jacobi(A):
    A = A.copy()
    B = A.copy()
    for _ in range(10):
        B[1:-1, 1:-1] = 0.2 * (
            A[1:-1, 1:-1] + A[1:-1, :-2] + A[1:-1, 2:] + A[2:, 1:-1] + A[:-2, 1:-1]
        )
        A, B = B, A
    return np.sum(A * A) + B[3, 3]


@kernel((12,))
def heat(u):
    u = u.copy()
    for _ in range(20):
        before = u.copy()
        u[1:-1] = before[1:-1] + 0.2 * (before[2:] - 2 * before[1:-1] + before[:-2])
        u[0] = 0.0
        u[-1] = 1.0
    return np.sum(u**2)


@kernel((6, 10))
def rows(A):
    A = A.copy()
    for i in range(6):
        for j in range(1, 10):
            A[i, j] = 0.5 * A[i, j - 1] + np.sin(A[i, j])
    for i in range(1, 6):
        A[i] += 0.3 * A[i - 1]
    return np.sum(A * A)


@kernel((5,), (5,), most=40)
def escape(re, im):
    z, c = np.zeros((2, 5)), np.stack([re, im])
    count = np.zeros(5)
    for _ in range(12):
        inside = z[0] ** 2 + z[1] ** 2 < 4.0
        new = np.stack([z[0] ** 2 - z[1] ** 2 + c[0], 2 * z[0] * z[1] + c[1]])
        z = np.where(inside, new, z)
        count += inside
    return np.sum(z * z) + np.sum(count)


@kernel((6, 6))
def shortest_paths(D):
    D = D.copy()
    for k in range(6):
        for i in range(6):
            for j in range(6):
                if D[i, k] + D[k, j] < D[i, j]:
                    D[i, j] = D[i, k] + D[k, j]
    return np.sum(D * D)


@kernel((5, 5), (5,))
def power_iteration(A, v):
    change, steps = 1.0, 0
    while change > 1e-9 and steps < 200:
        w = A @ v
        w = w / np.sqrt(w @ w)
        change = np.max(np.abs(w - v))
        v = w
        steps += 1
    return v @ A @ v


@kernel((7,), (6,))
def edit_distance(a, b):
    D = np.zeros((8, 7))
    for i in range(1, 8):
        D[i, 0] = i
    for j in range(1, 7):
        D[0, j] = j
    for i in range(1, 8):
        for j in range(1, 7):
            cost = abs(a[i - 1] - b[j - 1])
            D[i, j] = np.minimum(np.minimum(D[i - 1, j], D[i, j - 1]) + 1, D[i - 1, j - 1] + cost)
    return D[7, 6]


@kernel((11,), (), most=10)
def oscillator(force, damping):
    x, v, energy = 1.0, 0.0, 0.0
    for f in force:
        v += 0.1 * (f - x - damping * v)
        x += 0.1 * v
        energy += 0.5 * (x * x + v * v)
    return energy
