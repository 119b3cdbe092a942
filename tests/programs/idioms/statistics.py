"""Statistics: likelihoods by recursions in time, covariance matrices filled by loops."""

from __future__ import annotations

import numpy as np

from tests.programs.program import Program

__all__ = ["PROGRAMS"]

RNG = np.random.default_rng(34)


def gaussian_process(log_scales, x, y):
    """The evidence of a Gaussian process, its covariance matrix filled by two loops."""
    signal, length, noise = np.exp(log_scales)
    n = len(x)
    K = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            K[i, j] = signal * np.exp(-0.5 * ((x[i] - x[j]) / length) ** 2)
            K[j, i] = K[i, j]
        K[i, i] += noise
    L = np.linalg.cholesky(K)
    a = np.linalg.solve(L, y)
    return -0.5 * a @ a - np.log(L.diagonal()).sum() - 0.5 * n * np.log(2 * np.pi)


def mixture(parameters, x):
    """The likelihood of a mixture of Gaussians; densities row by row, stacked."""
    weights = np.exp(parameters["logits"]) / np.sum(np.exp(parameters["logits"]))
    rows = []
    for w, m, r in zip(weights, parameters["means"], parameters["roots"], strict=True):
        d = (x - m) @ r
        rows.append(np.log(w) + np.linalg.slogdet(r)[1] - 0.5 * np.sum(d**2, axis=1))
    densities = np.vstack(rows)
    top = densities.max(axis=0)
    return np.sum(top + np.log(np.sum(np.exp(densities - top), axis=0)))


def hidden_markov(transition, emission, start):
    """The likelihood of observations by the forward algorithm, each step scaled."""
    observations = [0, 2, 1, 1, 0]
    T, K = len(observations), len(start)
    alpha = np.zeros((T, K))
    scale = np.zeros(T)
    for t in range(T):
        if t == 0:
            alpha[0] = start * emission[:, observations[0]]
        else:
            for j in range(K):
                alpha[t, j] = np.sum(alpha[t - 1] * transition[:, j]) * emission[j, observations[t]]
        scale[t] = alpha[t].sum()
        alpha[t] /= scale[t]
    return np.sum(np.log(scale))


def kalman(noises, observations, speed):
    """The likelihood of a moving target's positions."""
    dt = 0.5
    F = np.array([[1.0, dt], [0.0, 1.0]])
    H = np.array([[1.0, 0.0]])
    Q = noises[0] * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])
    R = np.array([[noises[1]]])
    x = np.array([[0.0], [speed]])
    P = np.eye(2) * 0.5
    total = 0.0
    for z in observations:
        x = F @ x
        P = F @ P @ F.T + Q
        y = np.array([[z]]) - H @ x
        S = H @ P @ H.T + R
        K = P @ H.T @ np.linalg.inv(S)
        x = x + K @ y
        P = (np.eye(2) - K @ H) @ P
        total += -0.5 * (np.log(2 * np.pi * np.linalg.det(S)) + (y.T @ np.linalg.inv(S) @ y).item())
    return total


def garch(omega, alpha, beta, returns):
    """The likelihood of returns whose variance follows a recursion."""
    n = returns.shape[0]
    variance = np.empty(n)
    variance[0] = np.var(returns)
    for t in range(1, n):
        variance[t] = omega + alpha * returns[t - 1] ** 2 + beta * variance[t - 1]
    return 0.5 * np.sum(np.log(variance) + returns**2 / variance)


def least_squares(x, y):
    """The sum of squared residuals of a cubic, by a matrix of powers."""
    A = np.vstack([x**k for k in range(4)]).T
    c = np.linalg.solve(A.T @ A, A.T @ y)
    r = y - A.dot(c)
    return (r * r).sum()


def time_warp(a, b):
    """The distance of two series of different pace, smallest sums in a table."""
    D = np.full((len(a) + 1, len(b) + 1), np.inf)
    D[0, 0] = 0.0
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            cost = (a[i - 1] - b[j - 1]) ** 2
            D[i, j] = cost + min(D[i - 1, j], D[i, j - 1], D[i - 1, j - 1])
    return D[-1, -1]


def smooth_time_warp(a, b):
    """The same with soft minima, which has a graph."""
    n, m = a.size, b.size
    D = np.ones((n + 1, m + 1)) * np.inf
    D[0, 0] = 0
    for i in range(n):
        for j in range(m):
            before = np.array([D[i, j], D[i, j + 1], D[i + 1, j]])
            least = np.min(before)
            soft = least - 0.5 * np.log(np.sum(np.exp(-(before - least) / 0.5)))
            D[i + 1, j + 1] = abs(a[i] - b[j]) ** 2 + soft
    return D[n, m]


PROGRAMS = [
    Program(
        gaussian_process, (np.array([0.2, -0.3, -1.0]), RNG.normal(size=4), RNG.normal(size=4))
    ),
    Program(
        mixture,
        (
            {
                "logits": RNG.normal(size=2),
                "means": RNG.normal(size=(2, 2)),
                "roots": [np.eye(2) + 0.2 * RNG.normal(size=(2, 2)) for _ in range(2)],
            },
            RNG.normal(size=(4, 2)),
        ),
    ),
    Program(
        hidden_markov,
        (RNG.dirichlet([3, 3], 2), RNG.dirichlet([3, 3, 3], 2), np.array([0.6, 0.4])),
    ),
    Program(kalman, (np.array([0.4, 0.2]), RNG.normal(size=4), 1.0)),
    Program(garch, (0.1, 0.2, 0.6, RNG.normal(size=6))),
    Program(least_squares, (np.linspace(-1, 1, 6), RNG.normal(size=6))),
    Program(
        time_warp, (RNG.normal(size=4), RNG.normal(size=5)), branches="the least of three numbers"
    ),
    Program(smooth_time_warp, (RNG.normal(size=3), RNG.normal(size=4))),
]
