"""Sums over data, and functions of elements."""

from __future__ import annotations

import numpy as np

from tests.lifting.kernels.kernel import kernel


@kernel(
    lambda n, rng: (rng.normal(size=(n + 3, n)),),
    small=8,
    large=300,
)
def covariance(data):
    mean = np.mean(data, axis=0)
    data -= mean
    cov = np.zeros((data.shape[1], data.shape[1]))
    for i in range(data.shape[1]):
        cov[i, i:] = cov[i:, i] = data[:, i] @ data[:, i:] / (data.shape[0] - 1.0)
    return cov


@kernel(
    lambda n, rng: (rng.normal(size=(n + 3, n)),),
    small=8,
    large=300,
)
def correlation(data):
    spread = np.std(data, axis=0)
    spread[spread <= 0.1] = 1.0
    data -= np.mean(data, axis=0)
    data /= np.sqrt(data.shape[0]) * spread
    corr = np.eye(data.shape[1])
    for i in range(data.shape[1] - 1):
        corr[i + 1 :, i] = corr[i, i + 1 :] = data[:, i] @ data[:, i + 1 :]
    return corr


@kernel(
    lambda n, rng: (rng.normal(size=n), rng.uniform(0.0, 9.0, size=n), 10),
    small=40,
    large=9000,
    unrolled=("it calls mean",),
)
def azimint_naive(data, radius, bins):
    largest = radius.max()
    result = np.zeros(bins)
    for i in range(bins):
        low, high = largest * i / bins, largest * (i + 1) / bins
        inside = np.logical_and(low <= radius, radius < high)
        result[i] = data[inside].mean()
    return result


@kernel(
    lambda n, rng: (rng.normal(size=n), rng.uniform(0.0, 9.0, size=n), 10), small=40, large=9000
)
def azimint_by_masks(data, radius, bins):
    largest = radius.max()
    result = np.zeros(bins)
    for i in range(bins):
        low, high = largest * i / bins, largest * (i + 1) / bins
        inside = np.logical_and(low <= radius, radius < high)
        result[i] = np.sum(data * inside) / np.maximum(np.sum(inside), 1)
    return result


@kernel(
    lambda n, rng: (rng.normal(size=n), rng.uniform(0.0, 9.0, size=n), 10), small=40, large=9000
)
def azimint_histogram(data, radius, bins):
    weights = np.histogram(radius, bins, weights=data)[0]
    return weights / np.maximum(np.histogram(radius, bins)[0], 1)


@kernel(lambda n, rng: (rng.normal(size=(2, n, n)),), small=4, large=200)
def softmax(x):
    shifted = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return shifted / np.sum(shifted, axis=-1, keepdims=True)


@kernel(lambda n, rng: tuple(rng.uniform(-0.7, 0.7, size=(4, n))), small=6, large=9000)
def arc_distance(theta_1, phi_1, theta_2, phi_2):
    inner = (
        np.sin((theta_2 - theta_1) / 2) ** 2
        + np.cos(theta_1) * np.cos(theta_2) * np.sin((phi_2 - phi_1) / 2) ** 2
    )
    return 2 * np.arctan2(np.sqrt(inner), np.sqrt(1 - inner))


@kernel(lambda n, rng: (rng.normal(size=(n, n)),), small=9, large=2000)
def go_fast(a):
    trace = 0.0
    for i in range(a.shape[0]):
        trace += np.tanh(a[i, i])
    return a + trace


@kernel(
    lambda n, rng: (rng.integers(-3, 12, (n, n)), rng.normal(size=(n, n)), 4.0, 0.5),
    small=4,
    large=400,
)
def compute(first, second, a, b):
    return np.clip(first, 2, 10) * a + second * b
