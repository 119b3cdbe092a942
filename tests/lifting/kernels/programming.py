"""Dynamic programming, shortest paths, and what has integers alone."""

from __future__ import annotations

import numpy as np

from tests.lifting.kernels.kernel import kernel


def distances(n, rng):
    return (rng.uniform(0.1, 1.0, size=(n, n)),)


@kernel(distances, small=6, large=100)
def floyd_warshall(D):
    for k in range(D.shape[0]):
        D[:] = np.minimum(D, np.add.outer(D[:, k], D[k]))


@kernel(distances, small=6, large=100)
def floyd_warshall_by_elements(D):
    n = D.shape[0]
    for k in range(n):
        for i in range(n):
            for j in range(n):
                if D[i, k] + D[k, j] < D[i, j]:
                    D[i, j] = D[i, k] + D[k, j]


def pairs(x, y):
    return 1 if x + y == 3 else 0


@kernel(lambda n, rng: (rng.integers(0, 4, n),), small=9, large=100)
def nussinov(bases):
    """The most pairs of bases in a sequence."""
    n = len(bases)
    table = np.zeros((n, n), np.int64)
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            if j - 1 >= 0:
                table[i, j] = max(table[i, j], table[i, j - 1])
            if i + 1 < n:
                table[i, j] = max(table[i, j], table[i + 1, j])
            if j - 1 >= 0 and i + 1 < n:
                if i < j - 1:
                    table[i, j] = max(table[i, j], table[i + 1, j - 1] + pairs(bases[i], bases[j]))
                else:
                    table[i, j] = max(table[i, j], table[i + 1, j - 1])
            for k in range(i + 1, j):
                table[i, j] = max(table[i, j], table[i, k] + table[k + 1, j])
    return table


@kernel(lambda n, rng: tuple(rng.normal(size=(2, n))), small=8, large=200)
def smith_waterman(a, b):
    """The best alignment of parts of two sequences."""
    H = np.zeros((len(a) + 1, len(b) + 1))
    best = 0.0
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            score = 1.0 - abs(a[i - 1] - b[j - 1])
            H[i, j] = max(0.0, H[i - 1, j - 1] + score, H[i - 1, j] - 0.3, H[i, j - 1] - 0.3)
            best = max(best, H[i, j])
    return best, H


@kernel(lambda n, rng: tuple(rng.normal(size=(2, n))), small=8, large=200)
def edit_distance(a, b):
    D = np.zeros((len(a) + 1, len(b) + 1))
    for i in range(1, len(a) + 1):
        D[i, 0] = i
    for j in range(1, len(b) + 1):
        D[0, j] = j
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            cost = abs(a[i - 1] - b[j - 1])
            D[i, j] = min(D[i - 1, j] + 1, D[i, j - 1] + 1, D[i - 1, j - 1] + cost)
    return D[-1, -1]


@kernel(lambda n, rng: (rng.integers(0, 256, n).astype(np.uint8),), small=10, large=5000)
def crc16(data):
    """A check sum, bit by bit."""
    crc = 0xFFFF
    for byte in data:
        current = 0xFF & byte
        for _ in range(8):
            if (crc & 0x0001) ^ (current & 0x0001):
                crc = (crc >> 1) ^ 0x8408
            else:
                crc >>= 1
            current >>= 1
    crc = ~crc & 0xFFFF
    return np.array([(crc << 8) | ((crc >> 8) & 0xFF)]) & 0xFFFF
