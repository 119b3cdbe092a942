"""Flows on a grid, in buffers that are made once and written to at every step."""

from __future__ import annotations

import numpy as np

from tests.programs.program import Program

__all__ = ["DIRECTIONS", "PROGRAMS", "equilibrium", "stream_and_collide"]

RNG = np.random.default_rng(37)

# -- lattice Boltzmann, D2Q9 -----------------------------------------------------------------------

DIRECTIONS = np.array(
    [[0, 0], [1, 0], [0, 1], [-1, 0], [0, -1], [1, 1], [-1, 1], [-1, -1], [1, -1]]
)
OPPOSITE = [0, 3, 4, 1, 2, 7, 8, 5, 6]
WEIGHTS = np.array([4 / 9] + [1 / 9] * 4 + [1 / 36] * 4)

OBSTACLE = np.zeros((5, 4), dtype=bool)
OBSTACLE[2, 1:3] = True


def equilibrium(density, ux, uy, out):
    """Maxwell's distribution to second order in the velocity, written to `out`."""
    square = 1.5 * (ux**2 + uy**2)
    for i, (cx, cy) in enumerate(DIRECTIONS):
        cu = 3 * (cx * ux + cy * uy)
        out[i, :, :] = density * WEIGHTS[i] * (1 + cu + 0.5 * cu**2 - square)


def stream_and_collide(f, omega, buffers):
    """One step, in place: populations move on, bounce off the obstacle, and relax."""
    density, ux, uy, rest = buffers
    for i, (cx, cy) in enumerate(DIRECTIONS):
        f[i] = np.roll(np.roll(f[i], cx, axis=0), cy, axis=1)
    bounced = f[:, OBSTACLE]
    bounced = bounced[OPPOSITE, :]
    density[...] = np.sum(f, axis=0)
    ux[...] = 0.0
    uy[...] = 0.0
    for i, (cx, cy) in enumerate(DIRECTIONS):
        ux += cx * f[i]
        uy += cy * f[i]
    ux /= density
    uy /= density
    equilibrium(density, ux, uy, rest)
    f += -omega * (f - rest)
    f[:, OBSTACLE] = bounced


def lattice_boltzmann(density, ux, uy, viscosity):
    """The spin of a flow past an obstacle after three steps."""
    omega = 1.0 / (3.0 * viscosity + 0.5)
    f = np.empty((9, *density.shape))
    equilibrium(density, ux, uy, f)
    buffers = np.zeros(density.shape), np.zeros(f.shape[1:]), np.zeros_like(ux), np.empty_like(f)
    for _ in range(3):
        stream_and_collide(f, omega, buffers)
    _, ux, uy, _ = buffers
    spin = np.roll(ux, -1, axis=1) - np.roll(ux, 1, axis=1)
    spin -= np.roll(uy, -1, axis=0) - np.roll(uy, 1, axis=0)
    spin[OBSTACLE] = 0.0
    return np.sum(spin**2)


# -- a driven cavity, with the pressure from Poisson's equation ------------------------------------


def build_up_b(b, density, dt, u, v, dx, dy):
    b[1:-1, 1:-1] = density * (
        1 / dt * ((u[1:-1, 2:] - u[1:-1, 0:-2]) / (2 * dx)
                  + (v[2:, 1:-1] - v[0:-2, 1:-1]) / (2 * dy))
        - ((u[1:-1, 2:] - u[1:-1, 0:-2]) / (2 * dx)) ** 2
        - 2 * ((u[2:, 1:-1] - u[0:-2, 1:-1]) / (2 * dy) * (v[1:-1, 2:] - v[1:-1, 0:-2]) / (2 * dx))
        - ((v[2:, 1:-1] - v[0:-2, 1:-1]) / (2 * dy)) ** 2
    )  # fmt: skip
    return b


def pressure_poisson(p, dx, dy, b):
    pn = np.empty_like(p)
    pn = p.copy()
    for _ in range(4):
        pn = p.copy()
        p[1:-1, 1:-1] = (
            (pn[1:-1, 2:] + pn[1:-1, 0:-2]) * dy**2 + (pn[2:, 1:-1] + pn[0:-2, 1:-1]) * dx**2
        ) / (2 * (dx**2 + dy**2)) - dx**2 * dy**2 / (2 * (dx**2 + dy**2)) * b[1:-1, 1:-1]
        p[:, -1] = p[:, -2]
        p[0, :] = p[1, :]
        p[:, 0] = p[:, 1]
        p[-1, :] = 0
    return p


def cavity(u, v, p, viscosity, density, lid):
    """What is left of the motion after two steps of a flow driven by a lid."""
    u, v, p = u.copy(), v.copy(), p.copy()
    ny, nx = u.shape
    dx, dy, dt = 2 / (nx - 1), 2 / (ny - 1), 0.05
    un = np.empty_like(u)
    vn = np.empty_like(v)
    b = np.zeros((ny, nx))
    for _ in range(2):
        un[:] = u
        vn[:] = v
        b = build_up_b(b, density, dt, u, v, dx, dy)
        p = pressure_poisson(p, dx, dy, b)
        u[1:-1, 1:-1] = (
            un[1:-1, 1:-1]
            - un[1:-1, 1:-1] * dt / dx * (un[1:-1, 1:-1] - un[1:-1, 0:-2])
            - vn[1:-1, 1:-1] * dt / dy * (un[1:-1, 1:-1] - un[0:-2, 1:-1])
            - dt / (2 * density * dx) * (p[1:-1, 2:] - p[1:-1, 0:-2])
            + viscosity
            * (
                dt / dx**2 * (un[1:-1, 2:] - 2 * un[1:-1, 1:-1] + un[1:-1, 0:-2])
                + dt / dy**2 * (un[2:, 1:-1] - 2 * un[1:-1, 1:-1] + un[0:-2, 1:-1])
            )
        )
        v[1:-1, 1:-1] = (
            vn[1:-1, 1:-1]
            - un[1:-1, 1:-1] * dt / dx * (vn[1:-1, 1:-1] - vn[1:-1, 0:-2])
            - vn[1:-1, 1:-1] * dt / dy * (vn[1:-1, 1:-1] - vn[0:-2, 1:-1])
            - dt / (2 * density * dy) * (p[2:, 1:-1] - p[0:-2, 1:-1])
            + viscosity
            * (
                dt / dx**2 * (vn[1:-1, 2:] - 2 * vn[1:-1, 1:-1] + vn[1:-1, 0:-2])
                + dt / dy**2 * (vn[2:, 1:-1] - 2 * vn[1:-1, 1:-1] + vn[0:-2, 1:-1])
            )
        )
        u[0, :] = 0
        u[:, 0] = 0
        u[:, -1] = 0
        u[-1, :] = lid
        v[0, :] = v[-1, :] = 0
        v[:, 0] = 0
        v[:, -1] = 0
    return np.sum(u**2) + np.sum(v**2) + 0.1 * np.sum(p)


PROGRAMS = [
    Program(
        lattice_boltzmann,
        (
            RNG.uniform(0.9, 1.1, (5, 4)),
            RNG.uniform(0.0, 0.1, (5, 4)),
            RNG.uniform(0.0, 0.1, (5, 4)),
            0.05,
        ),
    ),
    Program(
        cavity,
        (*(RNG.normal(size=(4, 5)) * 0.3 for _ in range(3)), 0.1, 1.2, 1.0),
    ),
]
