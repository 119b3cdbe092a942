"""Products of matrices and vectors, written out as loops or as NumPy has them."""

from __future__ import annotations

import numpy as np

from tests.lifting.kernels.kernel import kernel


def matrices(count, vectors=0, numbers=0):
    """Arguments: numbers, square matrices and vectors."""

    def make(n, rng):
        scalars = [0.5 + 0.25 * k for k in range(numbers)]
        return (
            *scalars,
            *(rng.normal(size=(n, n)) for _ in range(count)),
            *(rng.normal(size=n) for _ in range(vectors)),
        )

    return make


@kernel(matrices(1, 1), small=5, large=400)
def atax(A, x):
    return (A @ x) @ A


@kernel(matrices(1, 2), small=5, large=400)
def bicg(A, p, r):
    return r @ A, A @ p


@kernel(matrices(3, numbers=2), small=4, large=400)
def gemm(alpha, beta, C, A, B):
    C[:] = alpha * A @ B + beta * C


@kernel(matrices(1, 7, numbers=2), small=5, large=400)
def gemver(alpha, beta, A, u, v, w, x, y, z, p):
    A += np.outer(u, v) + np.outer(p, z)
    x += beta * y @ A + z
    w += alpha * A @ x


@kernel(matrices(2, 1, numbers=2), small=5, large=400)
def gesummv(alpha, beta, A, B, x):
    return alpha * A @ x + beta * B @ x


@kernel(matrices(4, numbers=2), small=4, large=300)
def two_products(alpha, beta, A, B, C, D):
    D[:] = alpha * A @ B @ C + beta * D


@kernel(matrices(4), small=4, large=300)
def three_products(A, B, C, D):
    return A @ B @ C @ D


@kernel(matrices(1, 4), small=5, large=400)
def mvt(A, x, y, p, q):
    x += A @ p
    y += q @ A


@kernel(
    lambda n, rng: (rng.normal(size=(n, n + 1, n + 2)), rng.normal(size=(n + 2, n + 2))),
    small=3,
    large=60,
)
def doitgen(A, C):
    for r in range(A.shape[0]):
        for q in range(A.shape[1]):
            A[r, q] = A[r, q] @ C


@kernel(
    matrices(3, numbers=2),
    small=6,
    large=120,
)
def symm(alpha, beta, C, A, B):
    n = C.shape[0]
    mirrored = np.zeros(n)
    C *= beta
    for i in range(n):
        for j in range(n):
            C[:i, j] += alpha * B[i, j] * A[i, :i]
            mirrored[j] = B[:i, j] @ A[i, :i]
        C[i] += alpha * B[i] * A[i, i] + alpha * mirrored


@kernel(matrices(2, numbers=2), small=6, large=120)
def syrk(alpha, beta, C, A):
    for i in range(A.shape[0]):
        C[i, : i + 1] *= beta
        for k in range(A.shape[1]):
            C[i, : i + 1] += alpha * A[i, k] * A[: i + 1, k]


@kernel(matrices(3, numbers=2), small=6, large=120)
def syr2k(alpha, beta, C, A, B):
    for i in range(A.shape[0]):
        C[i, : i + 1] *= beta
        for k in range(A.shape[1]):
            C[i, : i + 1] += alpha * (A[: i + 1, k] * B[i, k] + B[: i + 1, k] * A[i, k])


@kernel(
    matrices(2, numbers=1),
    small=6,
    large=120,
)
def trmm(alpha, A, B):
    n = B.shape[0]
    for i in range(n):
        for j in range(n):
            B[i, j] += A[i + 1 :, i] @ B[i + 1 :, j]
    B *= alpha


def rows(n, rng):
    """A sparse matrix, row by row, and a vector."""
    lengths = rng.integers(0, 4, size=n)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    columns = rng.integers(0, n, size=starts[-1])
    return starts, columns, rng.normal(size=starts[-1]), rng.normal(size=n)


@kernel(rows, small=9, large=3000, refused="a bound of a slice")
def spmv(starts, columns, values, x):
    y = np.zeros(len(starts) - 1)
    for i in range(len(y)):
        here = columns[starts[i] : starts[i + 1]]
        y[i] = values[starts[i] : starts[i + 1]] @ x[here]
    return y


@kernel(rows, small=9, large=3000)
def spmv_by_elements(starts, columns, values, x):
    y = np.zeros(len(starts) - 1)
    for i in range(len(y)):
        for k in range(starts[i], starts[i + 1]):
            y[i] += values[k] * x[columns[k]]
    return y
