"""Simulations: arrays that hold a trajectory, forces added up in pairs, fields in buffers."""

from __future__ import annotations

import numpy as np
from numpy import array, concatenate, cos, empty, exp, linspace, sin, zeros

from tests.programs.program import Program

__all__ = ["PROGRAMS"]

RNG = np.random.default_rng(33)


def pendulum_runge_kutta(start, damping):
    """A trajectory of a damped pendulum, a row a step, by the method of Runge and Kutta."""

    def slope(y):
        return array([y[1], -sin(y[0]) - damping * y[1]])

    h, n = 0.1, 6
    y = zeros((n + 1, 2))
    y[0] = start
    for i in range(n):
        k1 = slope(y[i])
        k2 = slope(y[i] + h / 2 * k1)
        k3 = slope(y[i] + h / 2 * k2)
        k4 = slope(y[i] + h * k3)
        y[i + 1] = y[i] + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return (y[:, 0] ** 2).sum() + y[-1, 1]


def neuron(conductance, current):
    """FitzHugh and Nagumo's neuron by Euler's method, into arrays made by imported names."""
    times = linspace(0.0, 0.8, 9)
    v, w = empty(len(times)), empty(len(times))
    v[0], w[0] = -1.0, 0.3
    for i, dt in enumerate(times[1:] - times[:-1]):
        v[i + 1] = v[i] + dt * (v[i] - v[i] ** 3 / 3 - conductance * w[i] + current * cos(times[i]))
        w[i + 1] = w[i] + dt * 0.08 * (v[i] + 0.7 - 0.8 * w[i])
    both = concatenate([v, w])
    return both.dot(exp(-both))


def planets(positions, velocities, masses):
    """Leapfrog for bodies that attract each other, forces added up in place."""

    def accelerations(x):
        a = np.zeros_like(x)
        for i in range(len(x)):
            for j in range(i):
                d = x[j] - x[i]
                pull = d / (np.sum(d**2) + 0.1) ** 1.5
                a[i] += masses[j] * pull
                a[j] -= masses[i] * pull
        return a

    x, v = positions.copy(), velocities.copy()
    a = accelerations(x)
    for _ in range(2):
        v += 0.05 * a
        x += 0.1 * v
        a = accelerations(x)
        v += 0.05 * a
    return 0.5 * np.sum(masses[:, None] * v**2)


def fluid(vx, vy):
    """Two steps of a periodic flow: made free of divergence, then carried by itself."""

    def project(vx, vy):
        p = np.zeros(vx.shape)
        h = 1.0 / vx.shape[0]
        div = -0.5 * h * (np.roll(vx, -1, axis=0) - np.roll(vx, 1, axis=0)
                          + np.roll(vy, -1, axis=1) - np.roll(vy, 1, axis=1))  # fmt: skip
        for _ in range(4):
            p = (div + np.roll(p, 1, axis=0) + np.roll(p, -1, axis=0)
                 + np.roll(p, 1, axis=1) + np.roll(p, -1, axis=1)) / 4.0  # fmt: skip
        vx -= 0.5 * (np.roll(p, -1, axis=0) - np.roll(p, 1, axis=0)) / h
        vy -= 0.5 * (np.roll(p, -1, axis=1) - np.roll(p, 1, axis=1)) / h
        return vx, vy

    def advect(f, vx, vy):
        rows, cols = f.shape
        cell_ys, cell_xs = np.meshgrid(np.arange(rows), np.arange(cols))
        center_xs = (cell_xs - vx).ravel()
        center_ys = (cell_ys - vy).ravel()
        left_ix = np.floor(center_xs).astype(int)
        top_ix = np.floor(center_ys).astype(int)
        rw = center_xs - left_ix
        bw = center_ys - top_ix
        left_ix = np.mod(left_ix, rows)
        right_ix = np.mod(left_ix + 1, rows)
        top_ix = np.mod(top_ix, cols)
        bot_ix = np.mod(top_ix + 1, cols)
        flat = (1 - rw) * ((1 - bw) * f[left_ix, top_ix] + bw * f[left_ix, bot_ix]) + rw * (
            (1 - bw) * f[right_ix, top_ix] + bw * f[right_ix, bot_ix]
        )
        return np.reshape(flat, (rows, cols))

    vx, vy = np.array(vx), np.array(vy)
    for _ in range(2):
        ux, uy = advect(vx, vx, vy), advect(vy, vx, vy)
        vx, vy = project(ux, uy)
    return np.mean(vx**2 + np.sin(vy))


def wave(u, speed):
    """A string in three buffers that are copied into one another."""
    old = np.array(u, dtype=np.float64)
    now = np.array(u, dtype=np.float64)
    new = np.zeros(now.shape)
    energy = 0.0
    for _ in range(5):
        new[1:-1] = (
            2 * now[1:-1] - old[1:-1] + (speed * 0.5) ** 2 * (now[2:] - 2 * now[1:-1] + now[:-2])
        )
        new[0] = new[1]
        old[:] = now
        now[:] = new
        energy += np.dot(now, now)
    return energy


def reactions(rates, start):
    """Robertson's chemistry from dictionaries; explicit steps, results in a list."""
    c = dict(start)
    record = []
    for _ in range(6):
        slow = rates["slow"] * c["a"]
        fast = rates["fast"] * c["b"] ** 2
        back = rates["back"] * c["b"] * c["c"]
        change = {"a": -slow + back, "b": slow - back - fast, "c": fast}
        for name in c:
            c[name] = c[name] + 0.05 * change[name]
        record.append([c["a"], c["b"], c["c"]])
    record = np.array(record)
    return np.sum(record[:, 2] ** 2) + record[-1, 0]


def option_tree(spot, volatility, rate):
    """An American put on a binomial tree, in one array."""
    n, strike, dt = 6, 1.05, 0.1
    up = np.exp(volatility * np.sqrt(dt))
    down = 1 / up
    p = (np.exp(rate * dt) - down) / (up - down)
    discount = np.exp(-rate * dt)
    prices = np.zeros(n + 1)
    for j in range(n + 1):
        prices[j] = spot * up**j * down ** (n - j)
    values = np.maximum(strike - prices, 0.0)
    for i in range(n - 1, -1, -1):
        prices[: i + 1] = prices[: i + 1] * up
        values[: i + 1] = discount * (p * values[1 : i + 2] + (1 - p) * values[: i + 1])
        values[: i + 1] = np.maximum(values[: i + 1], strike - prices[: i + 1])
    return values[0]


def camera(angles, centre, points):
    """Pixels of points seen by a turned camera: matrices written down, residuals in a list."""
    a, b, c = angles
    Rx = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    Ry = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    Rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    pose = np.eye(4)
    pose[:3, :3] = Rz @ Ry @ Rx
    pose[:3, 3] = centre
    residuals = []
    for p in points:
        x, y, z, _ = pose @ np.append(p, 1.0)
        residuals += [x / (z + 4.0), y / (z + 4.0)]
    return np.linalg.norm(residuals)


PROGRAMS = [
    Program(pendulum_runge_kutta, (np.array([1.2, -0.4]), 0.3)),
    Program(neuron, (1.1, 0.6)),
    Program(planets, (RNG.normal(size=(3, 2)), RNG.normal(size=(3, 2)), RNG.uniform(1, 2, 3))),
    Program(fluid, (RNG.uniform(0.2, 0.4, (4, 4)), RNG.uniform(0.3, 0.5, (4, 4)))),
    Program(wave, (RNG.normal(size=7), 0.9)),
    Program(
        reactions,
        ({"slow": 0.4, "fast": 3.0, "back": 1.0}, {"a": 1.0, "b": 0.3, "c": 0.1}),
    ),
    Program(option_tree, (1.0, 0.35, 0.03)),
    Program(camera, (np.array([0.3, -0.5, 0.8]), RNG.normal(size=3), RNG.normal(size=(3, 3)))),
]
