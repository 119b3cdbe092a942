"""Operations of gradients of loops, as multiples of those of the loops, from their graphs."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb

RNG = np.random.default_rng(6)


def operations(f, *args):
    return pb.simplify(pb.trace(f, *args)).cost().operations


def ratio(f, args, argnums):
    """Operations of value and gradient together, in units of those of the value."""
    return operations(pb.value_and_grad(f, argnums), *args) / operations(f, *args)


# -- Runge–Kutta ---------------------------------------------------------------------------------


def runge_kutta(field, y, h, n):
    """n steps of the classical method of order 4."""

    def step(_, y):
        k1 = field(y)
        k2 = field(y + 0.5 * h * k1)
        k3 = field(y + 0.5 * h * k2)
        k4 = field(y + h * k3)
        return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)

    return pb.fori_loop(0, n, step, y)


def network(y, W, b):
    """ẏ = tanh(W y + b)."""
    return np.sum(runge_kutta(lambda y: np.tanh(W @ y + b), y, 0.1, 20) ** 2)


def pendulums(y, c):
    """A chain of pendulums: q̈ = −sin q − c (q − neighbours)."""
    half = y.shape[0] // 2

    def field(y):
        q, v = y[:half], y[half:]
        return np.concatenate([v, -np.sin(q) - c * (2 * q - np.roll(q, 1) - np.roll(q, -1))])

    return np.sum(runge_kutta(field, y, 0.05, 20) ** 2)


def lotka_volterra(y, rates):
    """ẏᵢ = yᵢ (rᵢ − yᵢ₊₁)."""
    return np.sum(runge_kutta(lambda y: y * (rates - np.roll(y, 1)), y, 0.01, 20))


@pytest.mark.parametrize("size", [2, 4, 16, 64])
def test_a_runge_kutta_loop(size):
    y, rates = RNG.uniform(0.5, 1.0, size), RNG.uniform(0.5, 1.0, size)
    W = RNG.standard_normal((size, size))
    assert ratio(network, (y, W, rates), (0, 1, 2)) <= 3.05
    assert ratio(pendulums, (y, 0.3), (0, 1)) <= 2.6
    assert ratio(lotka_volterra, (y, rates), (0, 1)) <= 3.4


@pytest.mark.parametrize("checkpoint", ["sqrt", 4])
def test_recomputation_is_counted(checkpoint):
    """With checkpoints a gradient costs more, and not more than the schedule says."""
    c, xs = RNG.uniform(0.5, 1.0, 8), RNG.standard_normal((30, 8))

    def f(c, checkpoint=checkpoint):
        body = lambda c, x: (np.sin(c) * x + np.cos(c), None)  # noqa: E731
        return np.sum(pb.scan(body, c, xs, checkpoint=checkpoint)[0])

    plain = operations(pb.grad(lambda c: f(c, None)), c)
    forward = operations(f, c)
    checkpointed = operations(pb.grad(f), c)
    assert plain < checkpointed <= plain + 3 * forward


# -- Gauss–Seidel --------------------------------------------------------------------------------


def dense(A, b, x, sweeps=3):
    """x[i] = (b[i] − Σ_{j≠i} A[i, j] x[j]) / A[i, i], in order of i, each from the newest x."""

    def update(i, x):
        row = A[i]
        x[i] = x[i] + (b[i] - row @ x) / row[i]
        return x

    x = pb.fori_loop(0, sweeps, lambda _, x: pb.fori_loop(0, x.shape[0], update, x), x)
    return np.sum(x**2)


def stencil(u, f, sweeps=3):
    """−Δu = f by five points, an inner point at a time from the newest neighbours."""
    m, n = u.shape

    def update(i, j, u):
        u[i, j] = 0.25 * (u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1] + f[i, j])
        return u

    def sweep(_, u):
        return pb.fori_loop(
            1, m - 1, lambda i, u: pb.fori_loop(1, n - 1, lambda j, u: update(i, j, u), u), u
        )

    return np.sum(pb.fori_loop(0, sweeps, sweep, u) ** 2)


def nonlinear_stencil(u, f, sweeps=3):
    """−Δu + u³ = f, one step of Newton's method for each point."""
    m, n = u.shape

    def update(i, j, u):
        old = u[i, j]
        around = u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1]
        residual = 4 * old - around + old * old * old - f[i, j]
        u[i, j] = old - residual / (4 + 3 * old * old)
        return u

    def sweep(_, u):
        return pb.fori_loop(
            1, m - 1, lambda i, u: pb.fori_loop(1, n - 1, lambda j, u: update(i, j, u), u), u
        )

    return np.sum(pb.fori_loop(0, sweeps, sweep, u) ** 2)


@pytest.mark.parametrize("size", [4, 10, 40, 200])
def test_a_gauss_seidel_sweep(size):
    A = RNG.standard_normal((size, size)) + 10 * np.eye(size)
    b, x = RNG.standard_normal((2, size))
    assert ratio(dense, (A, b, x), (0, 1, 2)) <= 3.2
    u, f = RNG.standard_normal((2, size, size))
    assert ratio(stencil, (u, f), (0, 1)) <= 2.2
    assert ratio(nonlinear_stencil, (u, f), (0, 1)) <= 3


def test_gradients_of_gauss_seidel():
    """By element or by whole vectors, it is the same function."""
    size = 5
    A = RNG.standard_normal((size, size)) + 5 * np.eye(size)
    b, x = RNG.standard_normal((2, size))

    def whole(A, b, x, sweeps=3):
        for _ in range(sweeps):
            for i in range(size):
                unit = np.eye(size)[i]
                x = x + unit * (b[i] - A[i] @ x) / A[i, i]
        return np.sum(x**2)

    got = pb.grad(dense, (0, 1, 2))(A, b, x)
    wanted = pb.grad(whole, (0, 1, 2))(A, b, x)
    recorded = pb.simplify(pb.trace(pb.grad(dense, (0, 1, 2)), A, b, x))(A, b, x)
    for one, two, other in zip(got, recorded, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(two, other, rtol=1e-11, atol=1e-12)


# -- what does not depend on the size of the carry -----------------------------------------------


def test_a_written_element_costs_the_same_in_a_large_carry():
    """The gradient's operations: so many for an iteration, and so many for an element, once."""

    def f(x, y):
        def body(i, y):
            y[i] = np.sin(y[i - 1]) * x
            return y

        return np.sum(pb.fori_loop(1, 50, body, y))

    small, large = (operations(pb.grad(f, (0, 1)), 0.7, np.ones(size)) for size in (100, 10_000))
    assert large - small <= 5 * 9_900
    half = operations(
        pb.grad(lambda x, y: np.sum(pb.fori_loop(1, 25, lambda i, y: _written(i, y, x), y))),
        0.7,
        np.ones(100),
    )
    assert small - half <= 0.6 * small


def _written(i, y, x):
    y[i] = np.sin(y[i - 1]) * x
    return y


def test_the_cost_of_a_loop_is_its_length_times_that_of_the_body():
    def f(n):
        return lambda x: pb.fori_loop(0, n, lambda i, c: np.sin(c) * np.cos(c), x)

    x = np.ones(10)
    costs = [pb.trace(f(n), x).cost().operations for n in (10, 20, 40)]
    assert costs[1] - costs[0] >= 10 * 30
    assert costs[2] - costs[1] == 2 * (costs[1] - costs[0])

    def g(n):
        return lambda x: pb.fori_loop(0, 3, lambda i, c: f(n)(c), x)

    nested = [pb.trace(g(n), x).cost().operations for n in (10, 20)]
    assert nested[1] - nested[0] == 3 * (costs[1] - costs[0])
