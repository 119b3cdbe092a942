"""Kernels of PolyBench and NPBench, as those have them: loops and a buffer.

Some write to their arguments; the programs give them copies.
"""

from __future__ import annotations

import numpy as np

from tests.programs.program import Program

__all__ = ["PROGRAMS", "conv2d", "convolution", "correlation", "covariance", "gramschmidt"]

RNG = np.random.default_rng(38)


def convolution(image, kernel):
    """Four loops."""
    m, n = kernel.shape
    out = np.zeros((image.shape[0] - m + 1, image.shape[1] - n + 1))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            for k in range(m):
                for l in range(n):  # noqa: E741
                    out[i, j] += image[i + k, j + l] * kernel[k, l]
    return out


def conv2d(input, weights):  # noqa: A002
    """A layer of a network: examples, rows, columns, channels."""
    K = weights.shape[0]
    N = input.shape[0]
    H_out = input.shape[1] - K + 1
    W_out = input.shape[2] - K + 1
    C_out = weights.shape[3]
    output = np.empty((N, H_out, W_out, C_out), dtype=input.dtype)
    for i in range(H_out):
        for j in range(W_out):
            output[:, i, j, :] = np.sum(
                input[:, i : i + K, j : j + K, :, np.newaxis] * weights[np.newaxis, :, :, :],
                axis=(1, 2, 3),
            )
    return output


def gramschmidt(A):
    Q = np.zeros_like(A)
    R = np.zeros((A.shape[1], A.shape[1]), dtype=A.dtype)
    for k in range(A.shape[1]):
        nrm = np.dot(A[:, k], A[:, k])
        R[k, k] = np.sqrt(nrm)
        Q[:, k] = A[:, k] / R[k, k]
        for j in range(k + 1, A.shape[1]):
            R[k, j] = np.dot(Q[:, k], A[:, j])
            A[:, j] -= Q[:, k] * R[k, j]
    return Q, R


def covariance(float_n, data):
    M = data.shape[1]
    mean = np.mean(data, axis=0)
    data -= mean
    cov = np.zeros((M, M), dtype=data.dtype)
    for i in range(M):
        cov[i:M, i] = data[:, i] @ data[:, i:M] / (float_n - 1.0)
        cov[i, i:M] = cov[i:M, i]
    return cov


def correlation(float_n, data):
    M = data.shape[1]
    mean = np.mean(data, axis=0)
    stddev = np.std(data, axis=0)
    stddev[stddev <= 0.1] = 1.0
    data -= mean
    data /= np.sqrt(float_n) * stddev
    corr = np.eye(M, dtype=data.dtype)
    for i in range(M - 1):
        corr[i, i + 1 : M] = data[:, i] @ data[:, i + 1 : M]
        corr[i + 1 : M, i] = corr[i, i + 1 : M]
    return corr


def durbin(r):
    y = np.empty_like(r)
    alpha = -r[0]
    beta = 1.0
    y[0] = -r[0]
    for k in range(1, r.shape[0]):
        beta *= 1.0 - alpha * alpha
        alpha = -(r[k] + np.dot(np.flip(r[:k]), y[:k])) / beta
        y[:k] += alpha * np.flip(y[:k])
        y[k] = alpha
    return y


def jacobi_2d(TSTEPS, A, B):
    for _ in range(1, TSTEPS):
        B[1:-1, 1:-1] = 0.2 * (
            A[1:-1, 1:-1] + A[1:-1, :-2] + A[1:-1, 2:] + A[2:, 1:-1] + A[:-2, 1:-1]
        )
        A[1:-1, 1:-1] = 0.2 * (
            B[1:-1, 1:-1] + B[1:-1, :-2] + B[1:-1, 2:] + B[2:, 1:-1] + B[:-2, 1:-1]
        )


def seidel_2d(TSTEPS, N, A):
    for _ in range(TSTEPS - 1):
        for i in range(1, N - 1):
            A[i, 1:-1] += (
                A[i - 1, :-2] + A[i - 1, 1:-1] + A[i - 1, 2:] + A[i, 2:]
                + A[i + 1, :-2] + A[i + 1, 1:-1] + A[i + 1, 2:]
            )  # fmt: skip
            for j in range(1, N - 1):
                A[i, j] += A[i, j - 1]
                A[i, j] /= 9.0


def fdtd_2d(TMAX, ex, ey, hz, fict):
    for t in range(TMAX):
        ey[0, :] = fict[t]
        ey[1:, :] -= 0.5 * (hz[1:, :] - hz[:-1, :])
        ex[:, 1:] -= 0.5 * (hz[:, 1:] - hz[:, :-1])
        hz[:-1, :-1] -= 0.7 * (ex[:-1, 1:] - ex[:-1, :-1] + ey[1:, :-1] - ey[:-1, :-1])


def ludcmp(A, b):
    x = np.zeros_like(b)
    y = np.zeros_like(b)
    for i in range(A.shape[0]):
        for j in range(i):
            A[i, j] -= A[i, :j] @ A[:j, j]
            A[i, j] /= A[j, j]
        for j in range(i, A.shape[0]):
            A[i, j] -= A[i, :i] @ A[:i, j]
    for i in range(A.shape[0]):
        y[i] = b[i] - A[i, :i] @ y[:i]
    for i in range(A.shape[0] - 1, -1, -1):
        x[i] = (y[i] - A[i, i + 1 :] @ x[i + 1 :]) / A[i, i]
    return x, y


# -- scalars of them -------------------------------------------------------------------------------


def of_convolution(image, kernel):
    return np.sum(np.sin(convolution(image, kernel)))


def of_conv2d(images, weights):
    return np.mean(conv2d(images, weights) ** 2)


def of_gramschmidt(A):
    Q, R = gramschmidt(np.array(A))
    return np.sum(np.sin(Q)) + np.sum(R**2 * np.arange(R.size).reshape(R.shape))


def of_covariance(float_n, data):
    return np.linalg.det(covariance(float_n, data.copy()))


def of_correlation(float_n, data):
    return np.sum(correlation(float_n, data.copy()) ** 3)


def of_durbin(r):
    return np.sum(durbin(r) ** 2)


def of_jacobi_2d(A, B):
    A, B = np.copy(A), np.copy(B)
    jacobi_2d(3, A, B)
    return np.sum(A * B)


def of_seidel_2d(A):
    A = A + 0
    seidel_2d(3, len(A), A)
    return np.sum(A**2)


def of_fdtd_2d(ex, ey, hz, fict):
    fields = [np.asarray(each).copy() for each in (ex, ey, hz)]
    fdtd_2d(2, *fields, fict)
    return sum(np.sum(each**2) for each in fields)


def of_ludcmp(A, b):
    x, y = ludcmp(A.copy(), b)
    return x @ y


def _fields(n):
    return [RNG.normal(size=(n, n)) for _ in range(3)]


PROGRAMS = [
    Program(of_convolution, (RNG.normal(size=(4, 5)), RNG.normal(size=(2, 3)))),
    Program(of_conv2d, (RNG.normal(size=(2, 4, 3, 2)), RNG.normal(size=(2, 2, 2, 2)))),
    Program(of_gramschmidt, (RNG.normal(size=(4, 3)),)),
    Program(of_covariance, (6.0, RNG.normal(size=(6, 3)))),
    Program(of_correlation, (6.0, RNG.normal(size=(6, 3)))),
    Program(of_durbin, (RNG.uniform(-0.4, 0.4, 4),)),
    Program(of_jacobi_2d, (RNG.normal(size=(4, 4)), RNG.normal(size=(4, 4)))),
    Program(of_seidel_2d, (RNG.normal(size=(4, 4)),)),
    Program(of_fdtd_2d, (*_fields(3), RNG.normal(size=2))),
    Program(of_ludcmp, (RNG.normal(size=(3, 3)) + 3 * np.eye(3), RNG.normal(size=3))),
]
