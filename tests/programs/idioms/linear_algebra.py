"""Linear algebra by hand: factorisations that fill an array, or work in place on a copy."""

from __future__ import annotations

import numpy as np

from tests.programs.program import Program

__all__ = ["PROGRAMS"]

RNG = np.random.default_rng(31)


def cholesky_by_hand(A):
    """log det A by the Cholesky–Banachiewicz algorithm."""
    n = A.shape[0]
    L = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            s = 0.0
            for k in range(j):
                s += L[i, k] * L[j, k]
            if i == j:
                L[i, i] = np.sqrt(A[i, i] - s)
            else:
                L[i, j] = (A[i, j] - s) / L[j, j]
    return 2 * np.sum(np.log(np.diag(L)))


def lu_in_place(A, b):
    """Gaussian elimination with partial pivoting; ‖x‖² of the solution."""
    A = np.array(A, dtype=float)
    x = np.array(b, dtype=float)
    n = len(x)
    for k in range(n - 1):
        p = k + np.argmax(np.abs(A[k:, k]))
        if p != k:
            A[[k, p]] = A[[p, k]]
            x[[k, p]] = x[[p, k]]
        for i in range(k + 1, n):
            A[i, k] /= A[k, k]
            A[i, k + 1 :] -= A[i, k] * A[k, k + 1 :]
            x[i] -= A[i, k] * x[k]
    for i in reversed(range(n)):
        x[i] = (x[i] - A[i, i + 1 :] @ x[i + 1 :]) / A[i, i]
    return x.dot(x)


def thomas(lower, diagonal, upper, right):
    """The middle of the solution of a tridiagonal system, times its sum."""
    n = diagonal.size
    c = np.empty(n - 1)
    d = np.empty(n)
    c[0] = upper[0] / diagonal[0]
    d[0] = right[0] / diagonal[0]
    for i in range(1, n):
        m = diagonal[i] - lower[i - 1] * c[i - 1]
        if i < n - 1:
            c[i] = upper[i] / m
        d[i] = (right[i] - lower[i - 1] * d[i - 1]) / m
    x = np.empty_like(d)
    x[-1] = d[-1]
    for i in range(n - 2, -1, -1):
        x[i] = d[i] - c[i] * x[i + 1]
    return x[n // 2] * np.sum(x)


def householder(A):
    """A function of the R of A = QR, and of Q's first column, by Householder's reflections."""
    m, n = A.shape
    Q, R = np.eye(m), A.copy()
    for k in range(n):
        x = R[k:, k]
        e = np.zeros_like(x)
        e[0] = np.copysign(np.linalg.norm(x), x[0])
        v = x + e
        v /= np.linalg.norm(v)
        R[k:, k:] -= 2.0 * np.outer(v, v @ R[k:, k:])
        Q[:, k:] -= 2.0 * np.outer(Q[:, k:] @ v, v)
    return np.sum(np.abs(np.diag(R))) + np.sum(Q[:, 0] ** 3)


def givens(H):
    """The same of a Hessenberg matrix, by rotations of two rows at a time."""
    R = np.array(H)
    n = R.shape[0]
    for k in range(n - 1):
        r = np.hypot(R[k, k], R[k + 1, k])
        c, s = R[k, k] / r, R[k + 1, k] / r
        G = np.array([[c, s], [-s, c]])
        R[k : k + 2, :] = np.dot(G, R[k : k + 2, :])
    return np.prod(R.diagonal()) + R[0, n - 1] ** 2


def gram_schmidt_rows(A):
    """The last of orthonormal rows, made in a list and stacked."""
    basis = []
    for row in A:
        w = row - sum(np.dot(row, b) * b for b in basis)
        basis.append(w / np.sqrt(np.dot(w, w)))
    Q = np.vstack(basis)
    return np.sum(np.sin(Q) * np.arange(Q.size).reshape(Q.shape))


def power_iteration(A):
    """The largest eigenvalue of a symmetric matrix, until its vector does not change any more."""
    v, change = np.ones(A.shape[0]), 1.0
    while change > 1e-14:
        w = A @ v
        w /= np.max(np.abs(w))
        change = np.max(np.abs(w - v))
        v = w
    return v @ A @ v / (v @ v)


def matrix_exponential(A):
    """Taylor's series after scaling, squared in a loop; sum of squares."""
    term = np.identity(len(A))
    out = np.identity(len(A))
    for k in range(1, 14):
        term = term @ (A / 4.0) / k
        out += term
    for _ in range(2):
        out = out @ out
    return (out**2).sum()


def _positive(n):
    B = RNG.normal(size=(n, n))
    return B @ B.T + n * np.eye(n)


PROGRAMS = [
    Program(cholesky_by_hand, (_positive(4),)),
    Program(
        lu_in_place,
        (RNG.normal(size=(4, 4)) + np.eye(4)[[2, 0, 3, 1]] * 3, RNG.normal(size=4)),
        branches="the search for the pivot",
    ),
    Program(
        thomas,
        (RNG.uniform(0, 1, 4), RNG.uniform(3, 4, 5), RNG.uniform(0, 1, 4), RNG.normal(size=5)),
    ),
    Program(householder, (RNG.normal(size=(4, 3)),)),
    Program(givens, (np.triu(RNG.normal(size=(4, 4)), -1) + np.eye(4),)),
    Program(gram_schmidt_rows, (RNG.normal(size=(3, 4)),)),
    Program(
        power_iteration,
        (np.diag([1.0, 3.0, 9.0]) + 0.2 * np.ones((3, 3)),),
        branches="the wait for convergence",
    ),
    Program(matrix_exponential, (RNG.normal(size=(3, 3)) * 0.4,)),
]
