"""Numerical analysis: roots, quadrature, interpolation, finite elements and differences."""

from __future__ import annotations

import numpy as np

from tests.programs.program import Program

__all__ = ["PROGRAMS"]

RNG = np.random.default_rng(32)


def horner(coefficients, x):
    """A polynomial at a number and at an array, each by its own branch."""

    def evaluate(c, x):
        if isinstance(x, np.ndarray):
            p = np.zeros(x.shape)
        elif np.isscalar(x):
            p = 0.0
        else:
            raise TypeError(type(x))
        for a in c[::-1]:
            p = p * x + a
        return p

    return evaluate(coefficients, x[0]) * np.sum(evaluate(coefficients, x))


def newton_root(a, b):
    """The root of x³ + ax = b."""
    x = 1.0
    for _ in range(50):
        step = (x**3 + a * x - b) / (3 * x**2 + a)
        x -= step
        if abs(step) < 1e-15:
            break
    return x


def romberg(k):
    """∫₀¹ exp(k sin x) dx by Romberg's table."""
    n = 5
    R = np.zeros((n, n))
    h = 1.0
    R[0, 0] = 0.5 * h * (1.0 + np.exp(k * np.sin(1.0)))
    for i in range(1, n):
        h /= 2
        odd = h * np.arange(1, 2**i, 2)
        R[i, 0] = 0.5 * R[i - 1, 0] + h * np.sum(np.exp(k * np.sin(odd)))
        for j in range(1, i + 1):
            R[i, j] = R[i, j - 1] + (R[i, j - 1] - R[i - 1, j - 1]) / (4**j - 1)
    return R[n - 1, n - 1]


def natural_spline(x, y):
    """The sum of squares of a natural cubic spline, at nine points between its knots."""
    n = len(x) - 1
    h = np.diff(x)
    A = np.zeros((n + 1, n + 1))
    r = np.zeros(n + 1)
    A[0, 0] = A[n, n] = 1.0
    for i in range(1, n):
        A[i, i - 1 : i + 2] = [h[i - 1], 2 * (h[i - 1] + h[i]), h[i]]
        r[i] = 3 * ((y[i + 1] - y[i]) / h[i] - (y[i] - y[i - 1]) / h[i - 1])
    c = np.linalg.solve(A, r)
    total = 0.0
    for t in np.linspace(0.15, 2.85, 9):
        i = np.searchsorted(x, t) - 1
        b = (y[i + 1] - y[i]) / h[i] - h[i] * (2 * c[i] + c[i + 1]) / 3
        d = (c[i + 1] - c[i]) / (3 * h[i])
        s = t - x[i]
        total += (y[i] + b * s + c[i] * s**2 + d * s**3) ** 2
    return total


def lagrange(nodes, values):
    """The interpolating polynomial at two places, by products over all other nodes."""
    out = []
    for t in (0.3, 1.9):
        terms = []
        for j in range(len(nodes)):
            others = [(t - nodes[m]) / (nodes[j] - nodes[m]) for m in range(len(nodes)) if m != j]
            terms.append(values[j] * np.prod(others))
        out.append(np.sum(terms))
    return np.mean(out) * np.max(out)


def divided_differences(x, y):
    """The last of Newton's divided differences, in place."""
    c = np.array(y, copy=True)
    for j in range(1, len(x)):
        c[j:] = (c[j:] - c[j - 1 : -1]) / (x[j:] - x[:-j])
    return c[-1] + c.mean()


def bar_elements(stiffness, load):
    """The work of a load on a bar of springs, blocks added into the matrix."""
    n = len(stiffness) + 1
    K = np.zeros((n, n))
    for i, k in enumerate(stiffness):
        K[i : i + 2, i : i + 2] += k * np.array([[1, -1], [-1, 1]])
    u = np.zeros(n)
    u[1:] = np.linalg.solve(K[1:, 1:], load)
    return u[1:] @ load


def truss(heights, areas):
    """The deflection of a truss of bars in the plane, assembled with `np.ix_`."""
    nodes = np.column_stack([np.arange(4.0), heights])
    bars = [(0, 1), (1, 2), (2, 3), (0, 2), (1, 3)]
    K = np.zeros((8, 8))
    for (i, j), area in zip(bars, areas, strict=True):
        d = nodes[j] - nodes[i]
        length = np.sqrt(d @ d)
        c, s = d / length
        b = np.array([-c, -s, c, s])
        dofs = [2 * i, 2 * i + 1, 2 * j, 2 * j + 1]
        K[np.ix_(dofs, dofs)] += area / length * np.outer(b, b)
    free = [2, 3, 4, 5, 6]
    force = np.zeros(8)
    force[5] = -1.0
    u = np.zeros(8)
    u[free] = np.linalg.solve(K[np.ix_(free, free)], force[free])
    return u[5]


def triangles(points, conductivity):
    """Heat flow over two triangles and more: element matrices added at their places."""
    cells = np.array([[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]])
    K = np.zeros((5, 5))
    mass = np.zeros(5)
    for cell, k in zip(cells, conductivity, strict=True):
        p = points[cell]
        edges = np.array([p[2] - p[1], p[0] - p[2], p[1] - p[0]])
        area = 0.5 * (edges[0][0] * edges[1][1] - edges[0][1] * edges[1][0])
        np.add.at(K, (cell[:, None], cell[None, :]), k * edges @ edges.T / (4 * area))
        np.add.at(mass, cell, area / 3)
    K[0, :] = 0.0
    K[0, 0] = 1.0
    mass[0] = 0.0
    return np.linalg.solve(K, mass).sum()


def implicit_heat(u, diffusivity):
    """Steps of Crank–Nicolson with a matrix of finite differences."""
    n = len(u)
    A = np.zeros((n, n))
    for i in range(n):
        A[i, i] = -2 * diffusivity[i]
        if i > 0:
            A[i, i - 1] = diffusivity[i]
        if i < n - 1:
            A[i, i + 1] = diffusivity[i]
    identity = np.eye(n)
    history = [u]
    for _ in range(3):
        history.append(np.linalg.solve(identity - 0.5 * A, (identity + 0.5 * A) @ history[-1]))
    return np.sum(np.array(history) ** 2)


def chebyshev_matrix(x):
    """The second derivative of a function on five nodes, by Chebyshev's matrix."""
    n = len(x) - 1
    c = np.hstack([2, np.ones(n - 1), 2]) * (-1) ** np.arange(n + 1)
    X = np.tile(x, (n + 1, 1)).T
    dX = X - X.T
    D = np.outer(c, 1 / c) / (dX + np.eye(n + 1))
    D -= np.diag(np.sum(D, axis=1))
    return np.sum(np.dot(D, np.dot(D, np.exp(x))) ** 2) / 100


PROGRAMS = [
    Program(horner, (RNG.normal(size=4), RNG.normal(size=3))),
    Program(newton_root, (0.8, 1.7), branches="the wait for convergence"),
    Program(romberg, (0.9,)),
    Program(natural_spline, (np.array([0.0, 0.8, 1.4, 2.3, 3.0]), RNG.normal(size=5))),
    Program(lagrange, (np.array([0.0, 0.7, 1.5, 2.2]), RNG.normal(size=4))),
    Program(divided_differences, (np.array([0.0, 0.7, 1.5, 2.2]), RNG.normal(size=4))),
    Program(bar_elements, (RNG.uniform(1, 2, 4), RNG.normal(size=4))),
    Program(truss, (np.array([0.0, 1.0, 1.1, 0.1]), RNG.uniform(1, 2, 5))),
    Program(
        triangles,
        (np.array([[0, 0], [1, 0.1], [1.1, 1], [-0.1, 0.9], [0.4, 0.6]]), RNG.uniform(1, 2, 4)),
    ),
    Program(implicit_heat, (RNG.normal(size=5), RNG.uniform(0.5, 1, 5))),
    Program(chebyshev_matrix, (np.cos(np.pi * np.arange(5) / 4),)),
]
