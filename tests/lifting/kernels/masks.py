"""Where only some elements go on."""

from __future__ import annotations

import numpy as np

from tests.lifting.kernels.kernel import kernel


def grid(n, rng):
    return rng.uniform(-2.0, 0.5, size=n), rng.uniform(-1.0, 1.0, size=n)


@kernel(grid, small=6, large=200)
def mandelbrot_by_masks(x, y):
    C = x + y[:, None] * 1j
    N = np.zeros(C.shape, dtype=np.int64)
    Z = np.zeros(C.shape, dtype=np.complex128)
    for n in range(12):
        inside = np.abs(Z) < 2.0
        N[inside] = n
        Z[inside] = Z[inside] ** 2 + C[inside]
    N[N == 11] = 0
    return Z, N


@kernel(grid, small=6, large=200, refused="as many elements as the mask has True")
def mandelbrot_by_places(x, y):
    """The points that go on are gathered into shorter and shorter arrays."""
    C = (x + y[:, None] * 1j).reshape(-1)
    places = np.arange(C.size)
    Z, found = C.copy(), np.zeros(C.size, dtype=np.complex128)
    for _ in range(9):
        Z = Z**2 + C
        gone = np.abs(Z) > 2.0
        found[places[gone]] = Z[gone]
        Z, C, places = Z[~gone], C[~gone], places[~gone]
        if not len(Z):
            break
    return found


@kernel(grid, small=6, large=2000)
def escape(re, im):
    z, c = np.zeros((2, len(re))), np.stack([re, im])
    count = np.zeros(len(re))
    for _ in range(12):
        inside = z[0] ** 2 + z[1] ** 2 < 4.0
        new = np.stack([z[0] ** 2 - z[1] ** 2 + c[0], 2 * z[0] * z[1] + c[1]])
        z = np.where(inside, new, z)
        count += inside
    return z, count
