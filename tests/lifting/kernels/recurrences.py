"""Recurrences along rows, columns and levels, and transforms in stages."""

from __future__ import annotations

import numpy as np

from tests.lifting.kernels.kernel import kernel


@kernel(lambda n, rng: (4, rng.normal(size=(n, n))), small=6, large=200)
def adi(steps, u):
    """Implicit in one direction, explicit in the other, by turns."""
    n = u.shape[0]
    v, p, q = np.zeros_like(u), np.zeros_like(u), np.zeros_like(u)
    a, b, c, d = -0.4, 1.8, 0.3, 0.4
    for _ in range(1, steps + 1):
        v[0, 1:-1] = 1.0
        p[1:-1, 0] = 0.0
        q[1:-1, 0] = v[0, 1:-1]
        for j in range(1, n - 1):
            p[1:-1, j] = -a / (a * p[1:-1, j - 1] + b)
            q[1:-1, j] = (
                -d * u[j, :-2] + (1 + 2 * d) * u[j, 1:-1] - c * u[j, 2:] - a * q[1:-1, j - 1]
            ) / (a * p[1:-1, j - 1] + b)
        v[-1, 1:-1] = 1.0
        for j in range(n - 2, 0, -1):
            v[j, 1:-1] = p[1:-1, j] * v[j + 1, 1:-1] + q[1:-1, j]
        u[1:-1, 0] = 1.0
        p[1:-1, 0] = 0.0
        q[1:-1, 0] = u[1:-1, 0]
        for j in range(1, n - 1):
            p[1:-1, j] = -c / (c * p[1:-1, j - 1] + b)
            q[1:-1, j] = (
                -a * v[:-2, j] + (1 + 2 * a) * v[1:-1, j] - d * v[2:, j] - c * q[1:-1, j - 1]
            ) / (c * p[1:-1, j - 1] + b)
        u[1:-1, -1] = 1.0
        for j in range(n - 2, 0, -1):
            u[1:-1, j] = p[1:-1, j] * u[1:-1, j + 1] + q[1:-1, j]


@kernel(lambda n, rng: (0.25, rng.normal(size=(n, n + 1))), small=8, large=400)
def deriche(alpha, image):
    """An edge filter: recurrences of second order, along rows and columns, both ways."""
    k = (1 - np.exp(-alpha)) ** 2 / (1 + alpha * np.exp(-alpha) - np.exp(2 * alpha))
    ahead, behind = k, k * np.exp(-alpha) * (alpha - 1)
    b1, b2 = 2.0**-alpha, -np.exp(-2 * alpha)
    rows = np.empty_like(image)
    rows[:, 0] = ahead * image[:, 0]
    rows[:, 1] = ahead * image[:, 1] + behind * image[:, 0] + b1 * rows[:, 0]
    for j in range(2, image.shape[1]):
        rows[:, j] = (
            ahead * image[:, j]
            + behind * image[:, j - 1]
            + b1 * rows[:, j - 1]
            + b2 * rows[:, j - 2]
        )
    back = np.empty_like(image)
    back[:, -1] = 0.0
    back[:, -2] = behind * image[:, -1]
    for j in range(image.shape[1] - 3, -1, -1):
        back[:, j] = (
            behind * image[:, j + 1]
            + ahead * image[:, j + 2]
            + b1 * back[:, j + 1]
            + b2 * back[:, j + 2]
        )
    found = rows + back
    for i in range(2, image.shape[0]):
        found[i] = found[i] + b1 * found[i - 1] + b2 * found[i - 2]
    return found


def columns(n, rng):
    shape = 3, 3, n
    return tuple(rng.normal(size=shape) for _ in range(5)), rng.normal(size=(4, 3, n))


@kernel(
    lambda n, rng: (*rng.normal(size=(4, 3, 3, n)), rng.normal(size=(4, 3, n + 1))),
    small=6,
    large=60,
)
def vadv(stage, u, position, tendency, wind):
    """Advection along columns of an atmosphere, implicit: a tridiagonal system for each."""
    levels = u.shape[2]
    above, right = np.zeros_like(u), np.zeros_like(u)
    data = np.zeros((3, 3))
    for k in range(1):
        speed = 0.25 * (wind[1:, :, k + 1] + wind[:-1, :, k + 1])
        c = 0.5 * speed
        b = 3.0 - c
        above[:, :, k] = c / b
        right[:, :, k] = (
            3.0 * position[:, :, k] + tendency[:, :, k] - c * (u[:, :, k + 1] - u[:, :, k])
        ) / b
    for k in range(1, levels - 1):
        below = -0.25 * (wind[1:, :, k] + wind[:-1, :, k])
        speed = 0.25 * (wind[1:, :, k + 1] + wind[:-1, :, k + 1])
        a, c = 0.5 * below, 0.5 * speed
        b = 3.0 - a - c
        change = -a * (u[:, :, k - 1] - u[:, :, k]) - c * (u[:, :, k + 1] - u[:, :, k])
        divisor = 1.0 / (b - above[:, :, k - 1] * a)
        above[:, :, k] = c * divisor
        right[:, :, k] = (
            3.0 * position[:, :, k] + tendency[:, :, k] + change - right[:, :, k - 1] * a
        ) * divisor
    for k in range(levels - 2, -1, -1):
        data = right[:, :, k] - above[:, :, k] * data
        stage[:, :, k] = 3.0 * (data - position[:, :, k])


def stages(k, rng):
    n = 2**k
    return k, rng.normal(size=n) + 1j * rng.normal(size=n)


@kernel(stages, small=3, large=12)
def stockham_fft(k, x):
    """Fourier's transform in stages of factors of two, without a permutation at the end."""
    n = 2**k
    y = x.copy()
    for i in range(k):
        blocks, inside = 2**i, 2 ** (k - i - 1)
        turns = np.exp(-2j * np.pi * np.arange(inside) / (2 * inside))
        halves = y.reshape(2, inside, blocks)
        both = np.empty((inside, 2, blocks), dtype=y.dtype)
        both[:, 0] = halves[0] + halves[1]
        both[:, 1] = (halves[0] - halves[1]) * turns[:, None]
        y = both.reshape(n)
    return y


@kernel(
    lambda n, rng: (
        0.2 * rng.normal(size=(3, n, n)) + np.eye(n),
        rng.normal(size=(n, 2)),
        np.repeat([0.7, 1.4], 6) * np.exp(2j * np.pi * (np.arange(12) + 0.5) / 6),
    ),
    small=3,
    large=60,
)
def contour_integral(A, b, points):
    """Two moments of the resolvent of a polynomial of matrices."""
    n = b.shape[0]
    first, second = np.zeros((n, 2), dtype=np.complex128), np.zeros((n, 2), dtype=np.complex128)
    for z in points:
        T = np.zeros((n, n), dtype=np.complex128)
        for k in range(A.shape[0]):
            T += z ** (k + 1) * A[k] / 2
        x = np.linalg.solve(T + 4.0 * np.eye(n), b.astype(np.complex128))
        if abs(z) < 1.0:
            x = -x
        first += x
        second += x * z
    return first, second


@kernel(lambda n, rng: (rng.normal(size=(n, n + 3)),), small=8, large=100)
def rows_and_columns(A):
    for i in range(A.shape[0]):
        for j in range(1, A.shape[1]):
            A[i, j] = 0.5 * A[i, j - 1] + np.sin(A[i, j])
    for i in range(1, A.shape[0]):
        A[i] += 0.3 * A[i - 1]


@kernel(lambda n, rng: (rng.normal(size=n), 0.3), small=11, large=9000)
def oscillator(force, damping):
    x, v, energy = 1.0, 0.0, 0.0
    for f in force:
        v += 0.1 * (f - x - damping * v)
        x += 0.1 * v
        energy += 0.5 * (x * x + v * v)
    return energy
