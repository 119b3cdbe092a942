"""Boundary value problems with solutions in closed form."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import scipy.integrate as si
import scipy.optimize as so
from numpy.testing import assert_allclose

import pullback as pb
from tests.scipy.integrate.agreement import agrees, closed_form

TIGHT = {"tol": 1e-6, "max_nodes": 5000}
MESH = np.linspace(0, 1, 9)


def at_ends(first, last):
    return lambda ya, yb: np.stack([ya[0] - first, yb[0] - last])


def growing(p):
    """y″ = p² y."""
    fun = lambda _x, y: np.stack([y[1], p * p * y[0]])  # noqa: E731
    return si.solve_bvp(fun, at_ends(0.0, 1.0), MESH, np.ones((2, 9)), **TIGHT)


def longer(p):
    """y″ = −y up to p, with both values at the ends."""
    fun = lambda _x, y: np.vstack((y[1], -y[0]))  # noqa: E731
    mesh = p * np.array([0.0, 0.1, 0.3, 0.6, 1.0])
    return si.solve_bvp(fun, at_ends(p, p**2), mesh, np.ones((2, 5)), **TIGHT)


def tuned(p):
    """The wave number of y″ + k² y = 0 with zeros at 0 and p, and one between."""
    fun = lambda _x, y, k: np.stack([y[1], -(k[0] ** 2) * y[0]])  # noqa: E731
    bc = lambda ya, yb, k: np.stack([ya[0], yb[0], ya[1] - k[0]])  # noqa: E731
    guess = np.zeros((2, 9))
    guess[0, [1, 6]] = 1, -1
    return si.solve_bvp(fun, bc, p * MESH, guess, p=[6.0], tol=1e-6)


def in_a_ball(p):
    """y″ + 2 y′/x + p² y = 0, with a singular term at 0."""
    fun = lambda _x, y: np.vstack((y[1], -p * p * y[0]))  # noqa: E731
    bc = lambda ya, yb: np.array([ya[1], yb[0] - 1])  # noqa: E731
    singular = np.array([[0.0, 0.0], [0.0, -2.0]])
    return si.solve_bvp(fun, bc, MESH, np.ones((2, 9)), S=singular, **TIGHT)


PROBLEMS = {
    "right-hand side": (
        lambda p: growing(p).sol(0.3)[0],
        lambda p: mpmath.sinh(0.3 * p) / mpmath.sinh(p),
    ),
    "slope": (
        lambda p: growing(p).yp[0, 0],
        lambda p: p / mpmath.sinh(p),
    ),
    "length and values": (
        lambda p: longer(p).sol(0.3)[0],
        lambda p: (
            p * mpmath.cos(0.3)
            + (p**2 - p * mpmath.cos(p)) / mpmath.sin(p) * mpmath.sin(mpmath.mpf("0.3"))
        ),
    ),
    "last slope": (
        lambda p: longer(p).y[1, -1],
        lambda p: -p * mpmath.sin(p) + (p**2 - p * mpmath.cos(p)) / mpmath.tan(p),
    ),
    "unknown parameter": (lambda p: tuned(p).p[0], lambda p: 2 * mpmath.pi / p),
    "singular term": (
        lambda p: in_a_ball(p).sol(0.5)[0],
        lambda p: 2 * mpmath.sin(p / 2) / mpmath.sin(p),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PROBLEMS)
def test_closed_forms(name):
    f, exact = PROBLEMS[name]
    agrees(name, f, 1.1, closed_form(exact)(1.1), rtol=2e-5)


def test_derivatives_are_those_of_the_mesh_equations():
    """A tolerance of 0.1 leaves them as exact; they are solved by another solver here."""

    def fun(p, x, y):
        return np.stack([y[1], -np.exp(p * y[0]) * x])

    def f(p):
        right = lambda x, y: fun(p, x, y)  # noqa: E731
        return si.solve_bvp(right, at_ends(0.0, p), MESH, np.zeros((2, 9)), tol=0.1).y

    def solved(p):
        def equations(z):
            y, h = z.reshape(2, 9), MESH[1]
            slopes = fun(p, MESH, y)
            middle = (y[:, 1:] + y[:, :-1]) / 2 - h / 8 * np.diff(slopes)
            between = fun(p, MESH[:-1] + h / 2, middle)
            steps = np.diff(y) - h / 6 * (slopes[:, 1:] + slopes[:, :-1] + 4 * between)
            return np.concatenate([steps.ravel(), [y[0, 0], y[0, -1] - p]])

        return so.fsolve(equations, np.zeros(18), xtol=1e-13).reshape(2, 9)

    assert f(1.0).shape == (2, 9)
    h = 1e-4
    expected = (solved(1 + h) - solved(1 - h)) / (2 * h)
    assert_allclose(pb.jacobian(f)(1.0), expected, rtol=1e-6, atol=1e-7)
    assert_allclose(pb.jvp(f, (1.0,), (1.0,))[1], pb.jacobian(f)(1.0), rtol=1e-12, atol=1e-14)


def test_many_nodes_cost_a_sparse_factorisation():
    """Of 4000 unknowns, in two orders."""

    def f(p):
        fun = lambda _x, y: np.stack([y[1], p * p * y[0]])  # noqa: E731
        mesh = np.linspace(0, 1, 2000)
        return si.solve_bvp(fun, at_ends(0.0, 1.0), mesh, np.ones((2, 2000)), max_nodes=2000).y[
            0, 999
        ]

    slope, bend = pb.pushforward(pb.grad(f), (1.1,), (1.0,))
    at = np.linspace(0, 1, 2000)[999]
    exact = closed_form(lambda p: mpmath.sinh(at * p) / mpmath.sinh(p))(1.1)
    assert_allclose([slope, bend], exact[1:], rtol=1e-9)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda p: growing(p * 1e6), "has failed.*Singular|has failed.*mesh nodes"),
        (
            lambda p: pb.vmap(lambda q: growing(q).y[0, 0])(np.stack([p, 40 * p])),
            "solved on meshes of",
        ),
        (lambda p: pb.trace(lambda q: growing(q).y[0, 0], 1.0).run(p), "not known while a graph"),
    ],
)
def test_refusals(call, words):
    with pytest.raises(pb.PullbackError, match=words):
        pb.jvp(call, (1.0,), (1.0,))


def test_what_is_not_traced_is_scipys():
    plain = growing(1.1)
    within = pb.grad(lambda p: p * growing(1.1).sol(0.5)[0])(2.0)
    assert within == plain.sol(0.5)[0]
