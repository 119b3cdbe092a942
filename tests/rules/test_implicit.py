"""Solvers with a condition: derivatives against closed forms and the condition solved by mpmath."""

from __future__ import annotations

import re

import mpmath
import numpy as np
import pytest

import pullback as pb


@pb.implicit(lambda x, a: x**3 + x - a)
def root(a):
    assert type(a) in (float, np.float64)
    x = 0.0
    for _ in range(60):
        x -= (x**3 + x - a) / (3 * x**2 + 1)
    return x


def derivatives_of_root(a, order):
    def exact(a):
        return mpmath.findroot(lambda x: x**3 + x - a, 1)

    with mpmath.workdps(40):
        return [float(mpmath.diff(exact, a, n)) for n in range(order + 1)]


def test_derivatives_of_every_order():
    found, f = [], root
    for _ in range(5):
        found.append(f(1.3))
        f = pb.grad(f)
    np.testing.assert_allclose(found, derivatives_of_root(1.3, 4), rtol=1e-13)
    forward = pb.hvp(root, (1.3,), (2.0,))[0]
    np.testing.assert_allclose(forward, 2 * found[2], rtol=1e-14)


def test_the_value_is_the_solver_s_to_the_bit():
    rough = pb.implicit(lambda x, a: x * x - a)(lambda a: 0.5 * (a / 1.4 + 1.4))
    for transformed in (pb.value_and_grad(rough), lambda a: pb.pushforward(rough, (a,), (1.0,))):
        value, slope = transformed(2.0)
        assert value == rough(2.0)
        np.testing.assert_allclose(slope, 0.5 / np.sqrt(2.0), rtol=1e-15)  # at the solution itself
    assert type(pb.value_and_grad(root)(2.0)[0]) is np.float64


def layer(z, W, b):
    return np.tanh(W @ z + b)


@pb.implicit(lambda z, W, b: z - layer(z, W, b))
def equilibrium(W, b):
    z = np.zeros_like(b)
    while np.max(np.abs(z - layer(z, W, b))) > 1e-12:
        z = layer(z, W, b)
    return z


def test_fixed_points_in_every_argument_and_mode():
    rng = np.random.default_rng(1)
    W, b = 0.3 * rng.normal(size=(4, 4)), rng.normal(size=4)
    assert pb.check(equilibrium, W, b, order=2).passed
    z = equilibrium(W, b)
    slopes = np.diag(1 - z**2)
    expected = np.linalg.solve(np.eye(4) - slopes @ W, slopes)
    np.testing.assert_allclose(pb.jacobian(equilibrium, 1)(W, b), expected, rtol=1e-10)


def test_batches_call_the_solver_for_each_example():
    a = np.array([[0.5, 2.0, 10.0], [-1.0, 3.0, 0.1]])
    flat = a.ravel()
    mapped = pb.vmap(pb.vmap(root))
    np.testing.assert_array_equal(mapped(a).ravel(), [root(x) for x in flat])
    second = pb.vmap(pb.vmap(pb.grad(pb.grad(root))))(a)
    np.testing.assert_allclose(second.ravel(), [pb.grad(pb.grad(root))(x) for x in flat])
    outside = pb.grad(lambda a: np.sum(np.sin(mapped(a))))(a)
    np.testing.assert_allclose(
        outside.ravel(), [pb.grad(lambda x: np.sin(root(x)))(x) for x in flat]
    )
    # of a condition alone that closes over what is mapped
    W = np.array([[0.1, 0.2], [-0.3, 0.4]])
    together = pb.vmap(lambda b: equilibrium(W, b))(np.eye(2))
    np.testing.assert_array_equal(together, [equilibrium(W, b) for b in np.eye(2)])


def test_pytrees_complex_numbers_and_what_is_constant():
    def stationary(s, a):
        return [s["x"] ** 2 - a, s["m"] * np.sum(a) - 1]

    @pb.implicit(stationary)
    def solve(a):
        return {"x": np.sqrt(a), "m": 1 / np.sum(a), "iterations": 7}

    a = np.array([2.0 + 1.0j, 1.0])
    found = solve(a)
    assert pb.vmap(solve)(a[None])["iterations"].tolist() == [7]
    derivative = pb.pushforward(solve, (a,), (np.array([1.0, 0.5j]),))[1]
    np.testing.assert_allclose(derivative["x"], [0.5 / found["x"][0], 0.25j], rtol=1e-14)
    np.testing.assert_allclose(derivative["m"], -(1 + 0.5j) * found["m"] ** 2, rtol=1e-14)


def test_single_precision_stays():
    @pb.implicit(lambda x, a: x * x - a)
    def square_root(a):
        return np.sqrt(a)

    slope = pb.grad(lambda a: np.sum(square_root(a)))(np.array([2.0, 3.0], np.float32))
    assert slope.dtype == np.float32
    np.testing.assert_allclose(slope, 0.5 / np.sqrt([2.0, 3.0]), rtol=1e-6)


def test_a_condition_may_close_over_what_is_traced():
    def f(a, c):
        solve = pb.implicit(lambda x, a: np.cos(c * x) - a * x)(
            lambda a: float(mpmath.findroot(lambda x: mpmath.cos(1.5 * x) - a * x, 0.7))
        )
        return solve(a)

    x = f(1.2, 1.5)
    slopes = np.array([-x, -x * np.sin(1.5 * x)]) / (1.2 + 1.5 * np.sin(1.5 * x))
    np.testing.assert_allclose(pb.grad(f, argnums=(0, 1))(1.2, 1.5), slopes, rtol=1e-14)


def test_many_unknowns_by_products():
    n = 1100
    weights = np.linspace(1.0, 2.0, n)

    def condition(x, a):
        return x**3 + 0.1 * (np.roll(x, 1) + np.roll(x, -1)) + x - a * weights

    @pb.implicit(condition)
    def solve(a):
        x = np.zeros(n)
        for _ in range(200):
            x -= condition(x, a) / (3 * x**2 + 1.2)
        return x

    x = solve(2.0)
    matrix = np.diag(3 * x**2 + 1) + 0.1 * (np.roll(np.eye(n), 1, 0) + np.roll(np.eye(n), -1, 0))
    expected = np.linalg.solve(matrix, weights)
    np.testing.assert_allclose(pb.pushforward(solve, (2.0,), (1.0,))[1], expected, rtol=1e-9)
    np.testing.assert_allclose(
        pb.grad(lambda a: solve(a) @ weights)(2.0), expected @ weights, rtol=1e-9
    )


@pytest.mark.parametrize(
    ("condition", "solver", "words"),
    [
        (lambda x, a: x * x - a, lambda a: 1.1, "Newton's step from there has 0.2"),
        (lambda x, a: (x - a) ** 3, lambda a: a, "singular"),
        (lambda x, a: np.stack([x - a, x - a]), lambda a: a, "2 components for a solution of 1"),
        (lambda x, a: x - a, lambda a: "x", "implicit: <lambda> returned a str"),
    ],
)
def test_what_is_no_solution_is_refused(condition, solver, words):
    with pytest.raises(pb.PullbackError, match=re.escape(words)):
        pb.grad(pb.implicit(condition)(solver))(2.0)


def test_in_graphs_it_is_solved_when_they_run():
    many = np.array([0.5, 3.0])
    for f, x in (
        (root, 3.0), (pb.grad(root), 3.0), (pb.grad(pb.grad(root)), 3.0),
        (pb.vmap(pb.grad(root)), many), (pb.grad(lambda a: np.sum(pb.vmap(root)(a) ** 2)), many),
    ):  # fmt: skip
        np.testing.assert_array_equal(pb.trace(f, 0 * x + 1)(x), f(x))
        np.testing.assert_allclose(pb.compile(f)(x), f(x), rtol=1e-15)

    def repeated(a):
        return pb.fori_loop(0, 3, lambda _, x: root(x) + x, a)

    expected = pb.grad(lambda a: [a := a + root(a) for _ in range(3)][-1])(2.0)
    np.testing.assert_allclose(pb.grad(repeated)(2.0), expected, rtol=1e-14)
    W, b = np.array([[0.1, 0.2], [-0.3, 0.4]]), np.array([0.5, -0.5])
    graph = pb.trace(pb.jacobian(equilibrium, (0, 1)), W, b)
    for found, each in zip(graph(W, b), pb.jacobian(equilibrium, (0, 1))(W, b), strict=True):
        np.testing.assert_allclose(found, each, rtol=1e-14)


def test_what_a_graph_cannot_know_is_refused():
    def closing(c):
        return pb.implicit(lambda x, a: x - c * a)(lambda a: 2 * a)(1.0)

    with pytest.raises(pb.DataDependenceError, match="the condition closes over a value"):
        pb.trace(closing, 2.0)

    @pb.implicit(lambda x, a: x * x - a)
    def picky(a):
        if a == 1:
            raise ArithmeticError("not this one")
        return np.sqrt(a)

    with pytest.raises(pb.DataDependenceError, match=r"evaluated on ones it fails.*not this one"):
        pb.trace(picky, 2.0)


def test_a_condition_is_a_function():
    with pytest.raises(pb.ArgumentTypeError, match="condition"):
        pb.implicit(1.0)
    with pytest.raises(pb.ArgumentTypeError, match="solver"):
        pb.implicit(lambda x: x)(2.0)
