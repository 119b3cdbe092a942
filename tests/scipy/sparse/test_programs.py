"""Programs with sparse matrices as people write them, against finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import coo_array, csr_array, csr_matrix, diags, eye_array, kron
from scipy.sparse.csgraph import laplacian
from scipy.sparse.linalg import cg, factorized, spsolve
from scipy.spatial.distance import pdist, squareform

import pullback as pb

N = 6
GRID = np.linspace(0, 1, N + 2)[1:-1]
SECOND = diags([np.ones(N - 1), -2 * np.ones(N), np.ones(N - 1)], [-1, 0, 1], format="csr")


def heat_of_source(source):
    """A Poisson problem on a square: the energy of its solution, by its right-hand side."""
    identity = eye_array(N, format="csr")
    matrix = (kron(identity, SECOND) + kron(SECOND, identity)).tocsc() * (N + 1) ** 2
    x, y = np.meshgrid(GRID, GRID)
    u = spsolve(matrix, -(source[0] * np.sin(np.pi * x) + source[1] * y**2).ravel())
    return np.sum(u**2) + np.max(u)


def misfit_of_coefficients(log_k):
    """−(k u′)′ = 1 with a conductivity on the edges, by its logarithm."""
    k = np.exp(log_k)
    matrix = diags([-k[1:-1], k[:-1] + k[1:], -k[1:-1]], [-1, 0, 1], format="csr") * (N + 1) ** 2
    u = spsolve(matrix, np.ones(N))
    return np.sum((u - GRID * (1 - GRID)) ** 2)


def assembled(stiffness):
    """A bar of finite elements, put together of their places and values, held at its ends."""
    rows, columns, values = [], [], []
    for element in range(N - 1):
        for a in (0, 1):
            for b in (0, 1):
                rows.append(element + a)
                columns.append(element + b)
                values.append(stiffness[element] * (1 if a == b else -1))
    springs = coo_array((np.array(values), (rows, columns)), shape=(N, N)).tocsr()
    ends = diags(np.array([1.0] + [0] * (N - 2) + [1.0]), format="csr")
    u = spsolve(springs + 10 * csr_array(ends), np.arange(1.0, N + 1))
    return u @ u


def diffusion(parameters):
    """Implicit steps of a diffusion, each solved by conjugate gradients."""
    rate, start = parameters[0], parameters[1:]
    u = start
    for _ in range(4):
        u, info = cg(eye_array(N) - rate * csr_array(SECOND), u, rtol=1e-12)
        assert info == 0
    return np.sum(u * np.sin(np.pi * GRID))


def diffusion_with_factors(start):
    solve = factorized((eye_array(N) - 0.3 * csr_array(SECOND)).tocsc())
    u = start
    for _ in range(4):
        u = solve(u)
    return np.sum(u**3)


def smoothness(positions):
    """The energy of a signal on a graph whose weights are those of distances of vertices."""
    points = positions.reshape(N, 2)
    weights = squareform(np.exp(-pdist(points, "sqeuclidean")))
    signal = np.cos(np.arange(N))
    return signal @ laplacian(weights) @ signal


def random_walk(weights):
    """Page rank with traced links."""
    links = csr_array((weights, ([0, 0, 1, 2, 3, 4, 5], [1, 2, 3, 3, 4, 5, 0])), shape=(N, N))
    links = diags(1 / links.sum(axis=1)) @ links
    p = np.ones(N) / N
    for _ in range(3):
        p = 0.85 * (links.T @ p) + 0.15 / N
    return p @ np.arange(N)


def least_squares(x):
    """A residual with a matrix class, whose * is the product of matrices."""
    a = csr_matrix(SECOND)
    residual = a * x - 1.0
    return residual @ residual + 0.1 * (a.T * (a * x)) @ x


PROGRAMS = {
    "a source": (heat_of_source, np.array([1.0, 2.0])),
    "a conductivity": (misfit_of_coefficients, 0.3 * np.sin(np.arange(N + 1.0))),
    "finite elements": (assembled, 1 + 0.1 * np.arange(N - 1.0)),
    "a diffusion": (diffusion, np.array([0.3, *GRID])),
    "factors": (diffusion_with_factors, GRID),
    "a graph": (smoothness, np.random.default_rng(0).random(2 * N)),
    "a random walk": (random_walk, 1 + 0.2 * np.arange(7.0)),
    "least squares": (least_squares, GRID),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(name):
    f, x = PROGRAMS[name]
    value, gradient = pb.value_and_grad(f)(x)
    np.testing.assert_allclose(value, f(x), rtol=1e-12)
    step = 1e-4 * np.eye(x.size)
    wanted = [(8 * (f(x + e) - f(x - e)) - (f(x + 2 * e) - f(x - 2 * e))) / 12e-4 for e in step]
    np.testing.assert_allclose(gradient, wanted, rtol=1e-7, atol=1e-9)
    direction = np.cos(np.arange(x.size))
    tangent = pb.jvp(f, (x,), (direction,))[1]
    np.testing.assert_allclose(tangent, np.dot(wanted, direction), rtol=1e-7)
    hessian = pb.hessian(f)(x)
    slope = [(pb.grad(f)(x + e) - pb.grad(f)(x - e)) / 2e-4 for e in step]
    np.testing.assert_allclose(hessian, slope, rtol=1e-5, atol=1e-5)
    if name != "a diffusion":  # which asks whether its solver has converged
        np.testing.assert_allclose(pb.compile(pb.grad(f))(x), gradient, rtol=1e-10, atol=1e-13)
