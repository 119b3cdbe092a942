"""Flows and bodies in time: steps within steps, and until nothing changes."""

from __future__ import annotations

import numpy as np

from tests.lifting.kernels.kernel import kernel


def source(b, u, v, dt, dx, dy):
    b[1:-1, 1:-1] = (
        ((u[1:-1, 2:] - u[1:-1, :-2]) / (2 * dx) + (v[2:, 1:-1] - v[:-2, 1:-1]) / (2 * dy)) / dt
        - ((u[1:-1, 2:] - u[1:-1, :-2]) / (2 * dx)) ** 2
        - 2 * (u[2:, 1:-1] - u[:-2, 1:-1]) / (2 * dy) * (v[1:-1, 2:] - v[1:-1, :-2]) / (2 * dx)
        - ((v[2:, 1:-1] - v[:-2, 1:-1]) / (2 * dy)) ** 2
    )


def pressure(p, b, dx, dy, sweeps):
    for _ in range(sweeps):
        before = p.copy()
        p[1:-1, 1:-1] = (
            (before[1:-1, 2:] + before[1:-1, :-2]) * dy**2
            + (before[2:, 1:-1] + before[:-2, 1:-1]) * dx**2
        ) / (2 * (dx**2 + dy**2)) - dx**2 * dy**2 / (2 * (dx**2 + dy**2)) * b[1:-1, 1:-1]
        p[:, -1] = p[:, -2]
        p[0] = p[1]
        p[:, 0] = p[:, 1]
        p[-1] = 0


def moved(u, un, vn, p, dt, dx, dy, nu, *, along):
    drop = p[1:-1, 2:] - p[1:-1, :-2] if along else p[2:, 1:-1] - p[:-2, 1:-1]
    return (
        u[1:-1, 1:-1]
        - un[1:-1, 1:-1] * dt / dx * (u[1:-1, 1:-1] - u[1:-1, :-2])
        - vn[1:-1, 1:-1] * dt / dy * (u[1:-1, 1:-1] - u[:-2, 1:-1])
        - dt / (2 * (dx if along else dy)) * drop
        + nu * dt / dx**2 * (u[1:-1, 2:] - 2 * u[1:-1, 1:-1] + u[1:-1, :-2])
        + nu * dt / dy**2 * (u[2:, 1:-1] - 2 * u[1:-1, 1:-1] + u[:-2, 1:-1])
    )


def still(n, rng):
    shape = (n, n + 1)
    return 8, 8, 0.01, 0.1 + 0.01 * rng.random(), *(0.01 * rng.normal(size=(3, *shape)))


@kernel(still, small=6, large=100)
def cavity_flow(steps, sweeps, dt, nu, u, v, p):
    """A fluid in a box whose lid moves."""
    dx, dy = 2 / (u.shape[1] - 1), 2 / (u.shape[0] - 1)
    b = np.zeros_like(p)
    for _ in range(steps):
        un, vn = u.copy(), v.copy()
        source(b, u, v, dt, dx, dy)
        pressure(p, b, dx, dy, sweeps)
        u[1:-1, 1:-1] = moved(un, un, vn, p, dt, dx, dy, nu, along=True)
        v[1:-1, 1:-1] = moved(vn, un, vn, p, dt, dx, dy, nu, along=False)
        u[0] = u[:, 0] = u[:, -1] = 0
        u[-1] = 1
        v[0] = v[-1] = v[:, 0] = v[:, -1] = 0


@kernel(still, small=6, large=100)
def channel_flow(_steps, sweeps, dt, nu, u, v, p):
    """A fluid that is pushed through a channel, until it moves steadily."""
    dx, dy = 2 / (u.shape[1] - 1), 2 / (u.shape[0] - 1)
    b = np.zeros_like(p)
    change, steps = 1.0, 0
    while change > 0.1:
        un, vn = u.copy(), v.copy()
        source(b, u, v, dt, dx, dy)
        pressure(p, b, dx, dy, sweeps)
        u[1:-1, 1:-1] = moved(un, un, vn, p, dt, dx, dy, nu, along=True) + dt
        v[1:-1, 1:-1] = moved(vn, un, vn, p, dt, dx, dy, nu, along=False)
        u[:, 0], u[:, -1] = u[:, -2], u[:, 1]
        u[0] = u[-1] = 0
        v[0] = v[-1] = 0
        change = np.sum(np.abs(u - un)) / np.sum(np.abs(u))
        steps += 1
    return u, v, p, steps


def acceleration(position, mass, softening):
    x, y, z = position[:, 0:1], position[:, 1:2], position[:, 2:3]
    dx, dy, dz = x.T - x, y.T - y, z.T - z
    inverse = (dx**2 + dy**2 + dz**2 + softening**2) ** -1.5
    return np.hstack(((dx * inverse) @ mass, (dy * inverse) @ mass, (dz * inverse) @ mass))


def energy(position, velocity, mass):
    kinetic = 0.5 * np.sum(mass * velocity**2)
    x, y, z = position[:, 0:1], position[:, 1:2], position[:, 2:3]
    distance = np.sqrt((x.T - x) ** 2 + (y.T - y) ** 2 + (z.T - z) ** 2)
    inverse = np.zeros_like(distance)
    inverse[distance > 0] = 1.0 / distance[distance > 0]
    return kinetic, np.sum(np.sum(np.triu(-(mass * mass.T) * inverse, 1)))


@kernel(
    lambda n, rng: (8, 0.05, rng.random((n, 1)), *rng.normal(size=(2, n, 3))), small=4, large=100
)
def nbody(steps, dt, mass, position, velocity):
    """Bodies that attract each other, by leapfrog."""
    velocity -= np.mean(mass * velocity, axis=0) / np.mean(mass)
    force = acceleration(position, mass, 0.1)
    kinetic, potential = np.zeros(steps + 1), np.zeros(steps + 1)
    kinetic[0], potential[0] = energy(position, velocity, mass)
    for i in range(steps):
        velocity += force * dt / 2.0
        position += velocity * dt
        force = acceleration(position, mass, 0.1)
        velocity += force * dt / 2.0
        kinetic[i + 1], potential[i + 1] = energy(position, velocity, mass)
    return kinetic, potential


def scatterers(size, rng):
    """Green's functions by point, energy and atom, those of phonons, neighbours and couplings."""
    points, energies, atoms, near = size

    def field(*shape):
        return rng.normal(size=shape) + 1j * rng.normal(size=shape)

    G = field(points, energies, atoms, 2, 2)
    D = field(points, 4, atoms, near, 2, 2)
    return rng.integers(0, atoms, size=(atoms, near)), G, D, field(atoms, near, 2, 2, 2)


@kernel(scatterers, small=(1, 5, 4, 1), large=(4, 12, 12, 4))
def scattering_self_energies(neighbours, G, D, coupling):
    """Sums over points, energies, atoms, their neighbours and directions."""
    sigma = np.zeros_like(G)
    for k in range(G.shape[0]):
        for energy_ in range(G.shape[1]):
            for q in range(D.shape[0]):
                for w in range(D.shape[1]):
                    for i in range(D.shape[-2]):
                        for j in range(D.shape[-1]):
                            for a in range(neighbours.shape[0]):
                                for b in range(neighbours.shape[1]):
                                    if energy_ - w >= 0:
                                        left = (
                                            G[k, energy_ - w, neighbours[a, b]] @ coupling[a, b, i]
                                        )
                                        right = coupling[a, b, j] * D[q, w, a, b, i, j]
                                        sigma[k, energy_, a] += left @ right
    return sigma
