"""Factorisations and solvers of dense matrices, most of them in place."""

from __future__ import annotations

import numpy as np

from tests.lifting.kernels.kernel import kernel


def positive(n, rng):
    """A symmetric positive definite matrix."""
    A = rng.normal(size=(n, n))
    return A @ A.T + n * np.eye(n)


def dominant(n, rng):
    """A matrix that needs no pivots."""
    return rng.normal(size=(n, n)) + 2 * n * np.eye(n)


@kernel(
    lambda n, rng: (positive(n, rng),),
    small=9,
    large=400,
)
def cholesky(A):
    for i in range(A.shape[0]):
        for j in range(i):
            A[i, j] = (A[i, j] - A[i, :j] @ A[j, :j]) / A[j, j]
        A[i, i] = np.sqrt(A[i, i] - A[i, :i] @ A[i, :i])


@kernel(lambda n, rng: (positive(n, rng),), small=6, large=400)
def cholesky_by_elements(A):
    for i in range(A.shape[0]):
        for j in range(i):
            for k in range(j):
                A[i, j] -= A[i, k] * A[j, k]
            A[i, j] /= A[j, j]
        for k in range(i):
            A[i, i] -= A[i, k] * A[i, k]
        A[i, i] = np.sqrt(A[i, i])


@kernel(lambda n, rng: (positive(n, rng),), small=5, large=400)
def cholesky_by_library(A):
    A[:] = np.linalg.cholesky(A) + np.triu(A, k=1)


@kernel(
    lambda n, rng: (dominant(n, rng),),
    small=9,
    large=240,
)
def lu(A):
    for i in range(A.shape[0]):
        for j in range(i):
            A[i, j] = (A[i, j] - A[i, :j] @ A[:j, j]) / A[j, j]
        for j in range(i, A.shape[0]):
            A[i, j] -= A[i, :i] @ A[:i, j]


@kernel(lambda n, rng: (dominant(n, rng),), small=6, large=240)
def lu_by_elements(A):
    n = A.shape[0]
    for k in range(n):
        for i in range(k + 1, n):
            A[i, k] /= A[k, k]
            for j in range(k + 1, n):
                A[i, j] -= A[i, k] * A[k, j]


@kernel(
    lambda n, rng: (dominant(n, rng), rng.normal(size=n)),
    small=8,
    large=240,
)
def ludcmp(A, b):
    n = A.shape[0]
    x, y = np.zeros_like(b), np.zeros_like(b)
    for i in range(n):
        for j in range(i):
            A[i, j] = (A[i, j] - A[i, :j] @ A[:j, j]) / A[j, j]
        for j in range(i, n):
            A[i, j] -= A[i, :i] @ A[:i, j]
    for i in range(n):
        y[i] = b[i] - A[i, :i] @ y[:i]
    for i in range(n - 1, -1, -1):
        x[i] = (y[i] - A[i, i + 1 :] @ x[i + 1 :]) / A[i, i]
    return x


@kernel(
    lambda n, rng: (dominant(n, rng), np.zeros(n), rng.normal(size=n)),
    small=9,
    large=2000,
)
def trisolv(L, x, b):
    for i in range(L.shape[0]):
        x[i] = (b[i] - L[i, :i] @ x[:i]) / L[i, i]


@kernel(lambda n, rng: (dominant(n, rng), rng.normal(size=n)), small=9, large=2000)
def trisolv_by_elements(L, b):
    x = np.zeros_like(b)
    for i in range(len(b)):
        s = b[i]
        for j in range(i):
            s -= L[i, j] * x[j]
        x[i] = s / L[i, i]
    return x


@kernel(
    lambda n, rng: (0.9 ** np.arange(1, n + 1) * rng.uniform(0.3, 0.5, n),),
    small=7,
    large=500,
)
def durbin(r):
    y = np.zeros_like(r)
    alpha, beta, y[0] = -r[0], 1.0, -r[0]
    for k in range(1, len(r)):
        beta *= 1.0 - alpha * alpha
        alpha = -(r[k] + np.flip(r[:k]) @ y[:k]) / beta
        y[:k] += alpha * np.flip(y[:k])
        y[k] = alpha
    return y


@kernel(lambda n, rng: (rng.normal(size=(n + 2, n)),), small=8, large=120)
def gram_schmidt(A):
    Q, R = np.zeros_like(A), np.zeros((A.shape[1], A.shape[1]))
    for k in range(A.shape[1]):
        R[k, k] = np.sqrt(A[:, k] @ A[:, k])
        Q[:, k] = A[:, k] / R[k, k]
        for j in range(k + 1, A.shape[1]):
            R[k, j] = Q[:, k] @ A[:, j]
            A[:, j] -= Q[:, k] * R[k, j]
    return Q, R


@kernel(lambda n, rng: (dominant(n, rng), rng.normal(size=n)), small=6, large=100)
def power_iteration(A, v):
    change, steps = 1.0, 0
    while change > 1e-9 and steps < 50:
        w = A @ v
        w = w / np.sqrt(w @ w)
        change = np.max(np.abs(w - v))
        v = w
        steps += 1
    return v @ A @ v
