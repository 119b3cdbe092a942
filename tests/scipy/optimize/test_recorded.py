"""Solvers in graphs, which solve and are differentiated when the graph runs."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.optimize as so

import pullback as pb
from tests.grouping import together

T = np.arange(5.0)


def cubic(x, a):
    return x**3 + x - a


def cost(x, a):
    return np.sum((x - a) ** 2) + np.exp(x[0] * a)


def slope(x, a):
    return 2 * (x - a) + np.array([1.0, 0.0]) * a * np.exp(x[0] * a)


SOLVERS = {
    "brentq": lambda a: so.brentq(lambda x: cubic(x, a), -5, 5 * a),
    "toms748 args": lambda a: so.toms748(cubic, -5, 5, args=(a,)),
    "root": lambda a: so.root(lambda x: [x[0] ** 3 + x[1] - a, x[1] * a - x[0]], [1.0, 1]).x[0],
    "fsolve": lambda a: so.fsolve(lambda x: cubic(x, a), 1.0)[0],
    "newton_krylov": lambda a: so.newton_krylov(lambda x: cubic(x, a), np.ones(2), f_tol=1e-9)[0],
    "fixed_point": lambda a: so.fixed_point(lambda x: np.cos(a * x) / 2, 0.5),
    "newton": lambda a: so.newton(lambda x: cubic(x, a), 1.0),
    "newton array": lambda a: so.newton(lambda x: cubic(x, a), np.array([1.0, 2.0]))[1],
    "root_scalar": lambda a: so.root_scalar(lambda x: cubic(x, a), bracket=[0, 5]).root,
    "minimize": lambda a: so.minimize(lambda x: cost(x, a), [1.0, 1.0]).x[0],
    "minimize start": lambda a: so.minimize(lambda x: cost(x, 1.5), np.stack([a, a])).x[0] * a,
    "minimize fun": lambda a: so.minimize(lambda x: cost(x, a), [1.0, 1.0]).fun,
    "minimize jac": lambda a: so.minimize(
        lambda x: cost(x, a), [1.0, 1.0], jac=lambda x: slope(x, a)
    ).x[0],
    "minimize both": lambda a: so.minimize(
        lambda x, b: (cost(x, b), slope(x, b)), [1.0, 1.0], args=(a,), jac=True
    ).x[0],
    "minimize bounds": lambda a: so.minimize(
        lambda x: np.sum((x - a) ** 2), [1.0, 1.0], bounds=[(None, a / 2), (0, None)]
    ).x[0],
    "minimize constraints": lambda a: so.minimize(
        lambda x: np.sum((x - a) ** 2), [1.0, 1.0],
        constraints={"type": "eq", "fun": lambda x: x[0] * x[1] - a},
    ).x[0],
    "minimize_scalar": lambda a: so.minimize_scalar(lambda x: (x - a) ** 2 + np.cos(a * x)).x,
    "brent": lambda a: so.brent(lambda x: (x - a) ** 2 + np.cos(a * x)),
    "fmin": lambda a: so.fmin(lambda x: cost(x, a), [1.0, 1.0], disp=0)[0],
    "least_squares": lambda a: so.least_squares(
        lambda x: np.stack([x[0] - a, np.exp(a * x[0]), x[0] + x[1]]), [1.0, 1.0]
    ).cost,
    "curve_fit": lambda a: so.curve_fit(
        lambda t, k, b: k * np.exp(-b * t * a), T, np.cos(a * T / 5)
    )[1][0, 0],
    "nnls": lambda a: so.nnls(np.eye(2) * a + 0.1, np.array([1.0, 2.0]))[0][1],
    "lsq_linear": lambda a: so.lsq_linear(np.eye(2) * a + 0.1, np.array([1.0, 2.0])).cost,
}  # fmt: skip


@together("name")
@pytest.mark.parametrize("name", SOLVERS)
def test_graphs_solve_when_they_run(name):
    f = SOLVERS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SciPy's own, and that of a constant gradient
        second = lambda a: pb.pushforward(pb.value_and_grad(f), (a,), (1.0,))  # noqa: E731
        recorded = pb.trace(second, 1.1)
        for found, expected in zip(recorded(1.3), second(1.3), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def test_they_are_compiled_around_mapped_and_repeated():
    f = lambda a: np.sin(SOLVERS["minimize"](a) * a)  # noqa: E731
    compiled = pb.compile(pb.grad(f))
    np.testing.assert_allclose(compiled(1.3), pb.grad(f)(1.3), rtol=1e-12)
    assert [each.primitive for each in compiled.report(1.3).fallbacks] == ["at_values"] * 2
    a = np.array([1.1, 1.4])
    mapped = pb.vmap(pb.grad(f))
    np.testing.assert_allclose(pb.trace(mapped, np.ones(2))(a), mapped(a), rtol=1e-12)

    def repeated(a):
        return pb.fori_loop(0, 3, lambda _, x: so.brentq(lambda z: cubic(z, x), -9, 9) + x, a)

    by_hand = lambda a: [a := a + so.brentq(cubic, -9, 9, (a,)) for _ in range(3)][-1]  # noqa: E731
    np.testing.assert_allclose(repeated(2.0), by_hand(2.0), rtol=1e-14)
    np.testing.assert_allclose(pb.grad(repeated)(2.0), pb.grad(by_hand)(2.0), rtol=1e-13)


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda a: so.minimize(lambda x: cost(x, a), [1.0, 1]).nit * a, "nit of the result"),
        (lambda a: so.isotonic_regression(np.stack([a, 2.0])).x, "under @pullback.implicit"),
        (lambda a: so.brentq(lambda x: x - a if x > a else x, -5, 5), "an if or a while"),
    ],
)
def test_what_a_graph_cannot_know_is_refused(f, words):
    with pytest.raises(pb.PullbackError, match=words):
        pb.trace(f, 1.0)
