"""Stencils in one, two and three dimensions."""

from __future__ import annotations

import numpy as np

from tests.lifting.kernels.kernel import kernel


@kernel(lambda n, rng: (9, rng.normal(size=n), rng.normal(size=n)), small=9, large=4000)
def jacobi_1d(steps, A, B):
    for _ in range(1, steps):
        B[1:-1] = 0.33333 * (A[:-2] + A[1:-1] + A[2:])
        A[1:-1] = 0.33333 * (B[:-2] + B[1:-1] + B[2:])


def inner(A):
    return 0.2 * (A[1:-1, 1:-1] + A[1:-1, :-2] + A[1:-1, 2:] + A[2:, 1:-1] + A[:-2, 1:-1])


@kernel(lambda n, rng: (9, rng.normal(size=(n, n)), rng.normal(size=(n, n))), small=6, large=300)
def jacobi_2d(steps, A, B):
    for _ in range(1, steps):
        B[1:-1, 1:-1] = inner(A)
        A[1:-1, 1:-1] = inner(B)


@kernel(lambda n, rng: (9, rng.normal(size=(n, n)), rng.normal(size=(n, n))), small=6, large=300)
def jacobi_2d_exchanging(steps, A, B):
    B[:] = A
    for _ in range(steps):
        B[1:-1, 1:-1] = inner(A)
        A, B = B, A
    return A, B


@kernel(lambda n, rng: (8, rng.normal(size=(n, n, n)), np.zeros((n, n, n))), small=4, large=40)
def heat_3d(steps, A, B):
    def step(u):
        return u[1:-1, 1:-1, 1:-1] + 0.125 * (
            (u[2:, 1:-1, 1:-1] - 2.0 * u[1:-1, 1:-1, 1:-1] + u[:-2, 1:-1, 1:-1])
            + (u[1:-1, 2:, 1:-1] - 2.0 * u[1:-1, 1:-1, 1:-1] + u[1:-1, :-2, 1:-1])
            + (u[1:-1, 1:-1, 2:] - 2.0 * u[1:-1, 1:-1, 1:-1] + u[1:-1, 1:-1, :-2])
        )

    for _ in range(1, steps):
        B[1:-1, 1:-1, 1:-1] = step(A)
        A[1:-1, 1:-1, 1:-1] = step(B)


@kernel(lambda n, rng: (8, *rng.normal(size=(3, n, n + 1)), rng.normal(size=9)), small=5, large=200)
def fdtd_2d(steps, ex, ey, hz, source):
    for t in range(steps):
        ey[0] = source[t]
        ey[1:] -= 0.5 * (hz[1:] - hz[:-1])
        ex[:, 1:] -= 0.5 * (hz[:, 1:] - hz[:, :-1])
        hz[:-1, :-1] -= 0.7 * (ex[:-1, 1:] - ex[:-1, :-1] + ey[1:, :-1] - ey[:-1, :-1])


@kernel(lambda n, rng: (4, rng.normal(size=(n, n))), small=7, large=100)
def seidel_2d(steps, A):
    n = A.shape[0]
    for _ in range(steps - 1):
        for i in range(1, n - 1):
            A[i, 1:-1] += (
                A[i - 1, :-2] + A[i - 1, 1:-1] + A[i - 1, 2:]
                + A[i, 2:] + A[i + 1, :-2] + A[i + 1, 1:-1] + A[i + 1, 2:]
            )  # fmt: skip
            for j in range(1, n - 1):
                A[i, j] += A[i, j - 1]
                A[i, j] /= 9.0


@kernel(lambda n, rng: (6, *rng.normal(size=(2, n, n))), small=7, large=100)
def gauss_seidel(steps, u, f):
    n = u.shape[0]
    for _ in range(steps):
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                u[i, j] = 0.25 * (u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1] - f[i, j])


def fields(n, rng):
    return rng.normal(size=(n + 4, n + 4, 3)), np.zeros((n, n, 3)), rng.normal(size=(n, n, 3))


@kernel(fields, small=5, large=100)
def hdiff(field, out, coefficient):
    """Diffusion along the levels of an atmosphere, with limited fluxes."""
    lap = 4.0 * field[1:-1, 1:-1] - (
        field[2:, 1:-1] + field[:-2, 1:-1] + field[1:-1, 2:] + field[1:-1, :-2]
    )
    slope = lap[1:, 1:-1] - lap[:-1, 1:-1]
    flux_x = np.where(slope * (field[2:-1, 2:-2] - field[1:-2, 2:-2]) > 0, 0, slope)
    slope = lap[1:-1, 1:] - lap[1:-1, :-1]
    flux_y = np.where(slope * (field[2:-2, 2:-1] - field[2:-2, 1:-2]) > 0, 0, slope)
    out[:] = field[2:-2, 2:-2] - coefficient * (
        flux_x[1:] - flux_x[:-1] + flux_y[:, 1:] - flux_y[:, :-1]
    )


@kernel(lambda n, rng: (20, rng.normal(size=n)), small=12, large=4000)
def heat(steps, u):
    for _ in range(steps):
        before = u.copy()
        u[1:-1] = before[1:-1] + 0.2 * (before[2:] - 2 * before[1:-1] + before[:-2])
        u[0] = 0.0
        u[-1] = 1.0
