"""Programs with slices whose length depends on an index, as they are written for NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

SLICED: dict[str, tuple[Callable[..., Any], tuple[Any, ...], int]] = {}
"""By name: the function, its arguments, and how many equations it may have at most."""


NATIVE = ("cholesky", "triangular_solve", "durbin", "symm", "causal_filter", "running_statistics",
          "forward_substitution_of_columns", "divided_differences")  # fmt: skip
"""Those that are compiled, too."""


def sliced(*shapes: Any, most: int = 16) -> Callable[[Any], Any]:
    def keep(f: Any) -> Any:
        rng = np.random.default_rng(len(SLICED))
        args = tuple(0.2 + rng.random(each) if each else 0.3 for each in shapes)
        SLICED[f.__name__] = f, args, most
        return f

    return keep


@sliced((7, 7))
def lu_of_any_size(A):
    n = A.shape[0]
    A = A + n * np.eye(n)
    for i in range(n):
        for j in range(i):
            A[i, j] -= A[i, :j] @ A[:j, j]
            A[i, j] /= A[j, j]
        for j in range(i, n):
            A[i, j] -= A[i, :i] @ A[:i, j]
    return np.sum(np.sin(A))


@sliced((7, 7))
def cholesky(A):
    A = A @ A.T + 7 * np.eye(7)
    n = A.shape[0]
    A[0, 0] = np.sqrt(A[0, 0])
    for i in range(1, n):
        for j in range(i):
            A[i, j] -= np.dot(A[i, :j], A[j, :j])
            A[i, j] /= A[j, j]
        A[i, i] -= np.dot(A[i, :i], A[i, :i])
        A[i, i] = np.sqrt(A[i, i])
    return np.sum(np.tril(A) ** 2)


@sliced((7, 7))
def cholesky_by_columns(A):
    A = A @ A.T + 7 * np.eye(7)
    for k in range(7):
        A[k, k] = np.sqrt(A[k, k])
        A[k + 1 :, k] /= A[k, k]
        for j in range(k + 1, 7):
            A[j:, j] -= A[j:, k] * A[j, k]
    return np.sum(np.tril(A) ** 2)


@sliced((7, 7), (7,))
def gauss(A, b):
    n = len(b)
    A = A + n * np.eye(n)
    b = b.copy()
    for i in range(n):
        factors = A[i + 1 :, i] / A[i, i]
        A[i + 1 :, i:] -= np.outer(factors, A[i, i:])
        b[i + 1 :] -= factors * b[i]
    x = np.zeros(n)
    for i in range(n - 1, -1, -1):
        x[i] = (b[i] - A[i, i + 1 :] @ x[i + 1 :]) / A[i, i]
    return np.sum(x * x)


@sliced((7, 7))
def elimination_in_place(A):
    A = A + 7 * np.eye(7)
    for i in range(7):
        A[i + 1 :, i] /= A[i, i]
        A[i + 1 :, i + 1 :] -= np.outer(A[i + 1 :, i], A[i, i + 1 :])
    return np.sum(np.cos(A))


@sliced((7, 7), (7,))
def ludcmp(A, b):
    A = A + 7 * np.eye(7)
    x, y = np.zeros_like(b), np.zeros_like(b)
    for i in range(7):
        for j in range(i):
            w = A[i, j] - A[i, :j] @ A[:j, j]
            A[i, j] = w / A[j, j]
        for j in range(i, 7):
            A[i, j] -= A[i, :i] @ A[:i, j]
    for i in range(7):
        y[i] = b[i] - A[i, :i] @ y[:i]
    for i in range(6, -1, -1):
        x[i] = (y[i] - A[i, i + 1 :] @ x[i + 1 :]) / A[i, i]
    return np.sum(x * y)


@sliced((7, 7), (7,))
def triangular_solve(L, b):
    x = np.zeros_like(b)
    for i in range(len(b)):
        x[i] = (b[i] - L[i, :i] @ x[:i]) / (L[i, i] + 1)
    return np.sum(x**2)


@sliced((9, 6))
def gram_schmidt(A):
    A = A + np.eye(9, 6)
    Q, R = np.zeros_like(A), np.zeros((6, 6))
    for k in range(6):
        R[k, k] = np.sqrt(np.dot(A[:, k], A[:, k]))
        Q[:, k] = A[:, k] / R[k, k]
        for j in range(k + 1, 6):
            R[k, j] = np.dot(Q[:, k], A[:, j])
            A[:, j] -= Q[:, k] * R[k, j]
    return np.sum(np.sin(Q)) + np.sum(R)


@sliced((9, 6))
def gram_schmidt_at_once(A):
    A = A + np.eye(9, 6)
    Q = np.zeros_like(A)
    for k in range(6):
        v = A[:, k] - Q[:, :k] @ (Q[:, :k].T @ A[:, k])
        Q[:, k] = v / np.linalg.norm(v)
    return np.sum(np.sin(Q))


@sliced((9,), most=20)
def durbin(r):
    y = np.zeros_like(r)
    y[0] = alpha = -r[0]
    beta = 1.0
    for k in range(1, 9):
        beta *= 1.0 - 0.3 * alpha * alpha
        alpha = -(r[k] + np.dot(np.flip(r[:k]), y[:k])) / beta
        y[:k] += alpha * np.flip(y[:k])
        y[k] = alpha
    return np.sum(y * y)


@sliced((8,), (8,), most=30)
def levinson(r, b):
    a, x = np.zeros(8), np.zeros(8)
    a[0], x[0] = 1.0, b[0] / (r[0] + 4)
    error = r[0] + 4
    for k in range(1, 8):
        reflection = -np.sum(a[:k] * r[k:0:-1]) / error
        a[1 : k + 1] += reflection * a[k - 1 :: -1][:k]
        error = error * (1 - 0.1 * reflection**2)
        x[: k + 1] += (b[k] - x[:k] @ r[k:0:-1]) / error * a[k::-1]
    return np.sum(x * x) + error


@sliced((8, 6))
def covariance(data):
    mean = np.mean(data, axis=0)
    data = data - mean
    cov = np.zeros((6, 6))
    for i in range(6):
        cov[i:6, i] = cov[i, i:6] = data[:, i] @ data[:, i:6] / 7.0
    return np.sum(np.sin(cov))


@sliced((8, 6), most=24)
def correlation(data):
    mean, deviation = np.mean(data, axis=0), np.std(data, axis=0)
    deviation[deviation <= 0.01] = 1.0
    data = (data - mean) / (np.sqrt(8.0) * deviation)
    corr = np.eye(6)
    for i in range(5):
        corr[i + 1 : 6, i] = corr[i, i + 1 : 6] = data[:, i] @ data[:, i + 1 : 6]
    return np.sum(np.sin(corr))


@sliced((6, 6), (6, 5), (6, 5))
def symm(A, B, C):
    C = 1.2 * C
    temp = np.empty((5,))
    for i in range(6):
        for j in range(5):
            C[:i, j] += 1.5 * B[i, j] * A[i, :i]
            temp[j] = B[:i, j] @ A[i, :i]
        C[i, :] += 1.5 * B[i, :] * A[i, i] + 1.5 * temp
    return np.sum(C * C)


@sliced((6, 5), (6, 6))
def syrk(A, C):
    C = C.copy()
    for i in range(6):
        C[i, : i + 1] *= 1.2
        for k in range(5):
            C[i, : i + 1] += 1.5 * A[i, k] * A[: i + 1, k]
    return np.sum(C * C)


@sliced((6, 5), (6, 5), (6, 6))
def syr2k(A, B, C):
    C = C.copy()
    for i in range(6):
        C[i, : i + 1] *= 1.2
        for k in range(5):
            C[i, : i + 1] += A[: i + 1, k] * 1.5 * B[i, k] + B[: i + 1, k] * 1.5 * A[i, k]
    return np.sum(C * C)


@sliced((6, 6), (6, 5))
def trmm(A, B):
    B = B.copy()
    for i in range(6):
        for j in range(5):
            B[i, j] += np.dot(A[i + 1 :, i], B[i + 1 :, j])
    B *= 1.5
    return np.sum(B * B)


@sliced((7, 7))
def floyd_warshall(paths):
    paths = paths.copy()
    for k in range(7):
        paths[:] = np.minimum(paths[:], np.add.outer(paths[:, k], paths[k, :]))
    for k in range(7):
        for i in range(7):
            paths[i, :k] = np.minimum(paths[i, :k], paths[i, k] + paths[k, :k])
    return np.sum(paths * paths)


@sliced((8,), most=30)
def nussinov(scores):
    table = np.zeros((8, 8))
    for i in range(7, -1, -1):
        for j in range(i + 1, 8):
            if j - 1 >= 0:
                table[i, j] = np.maximum(table[i, j], table[i, j - 1])
            if i + 1 < 8:
                table[i, j] = np.maximum(table[i, j], table[i + 1, j])
            if j - 1 >= 0 and i + 1 < 8:
                if i < j - 1:
                    paired = table[i + 1, j - 1] + scores[i] * scores[j]
                    table[i, j] = np.maximum(table[i, j], paired)
                else:
                    table[i, j] = np.maximum(table[i, j], table[i + 1, j - 1])
            for k in range(i + 1, j):
                table[i, j] = np.maximum(table[i, j], table[i, k] + table[k + 1, j])
    return table[0, 7] + np.sum(table)


@sliced((8,))
def matrix_chain(sizes):
    cost = np.zeros((7, 7))
    for length in range(2, 8):
        for i in range(7 - length + 1):
            j = i + length - 1
            products = sizes[i] * sizes[i + 1 : j + 1] * sizes[j + 1]
            cost[i, j] = np.min(cost[i, i:j] + cost[i + 1 : j + 1, j] + products)
    return cost[0, 6]


@sliced((9,), (4,))
def causal_filter(x, w):
    y = np.zeros_like(x)
    for i in range(9):
        k = min(i + 1, 4)
        y[i] = w[:k] @ x[i - k + 1 : i + 1][::-1]
    return np.sum(y**3)


@sliced((10,), most=30)
def running_statistics(x):
    out = np.zeros((4, 10))
    for i in range(1, 10):
        window = x[max(0, i - 3) : i + 1]
        out[0, i] = window.mean()
        out[1, i] = np.std(window)
        out[2, i] = np.max(window) - window.min()
        out[3, i] = len(window) * x[np.argmax(x[:i])]
    return np.sum(out * out)


@sliced((6, 6), (6,))
def householder(A, b):
    A, b = A + np.eye(6), b.copy()
    for k in range(5):
        v = A[k:, k].copy()
        v[0] += np.sqrt(v @ v)
        v /= np.linalg.norm(v)
        A[k:, k:] -= 2.0 * np.outer(v, v @ A[k:, k:])
        b[k:] -= 2.0 * v * (v @ b[k:])
    return np.sum(np.sin(np.triu(A))) + np.sum(b * b)


@sliced((5,), (5, 5))
def forward_substitution_of_columns(b, L):
    x = b.copy()
    for j in range(5):
        x[j] /= L[j, j] + 1
        x[j + 1 :] -= L[j + 1 :, j] * x[j]
    return x @ x


@sliced((7,))
def divided_differences(y):
    nodes, c = np.arange(7.0), y.copy()
    for k in range(1, 7):
        c[k:] = (c[k:] - c[k - 1 : -1]) / (nodes[k:] - nodes[: 7 - k])
    return np.sum(c * np.arange(1.0, 8.0))


@sliced((6,), (6,), most=24)
def polynomial_product(p, q):
    out = np.zeros(11)
    for k in range(11):
        low, high = max(0, k - 5), min(k, 5)
        out[k] = np.sum(p[low : high + 1] * q[k - high : k - low + 1][::-1])
    return np.sum(np.sin(out))
