"""Sparse derivatives with SciPy's solvers, against SciPy with derivatives by hand or none."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, optimize

import pullback as pb
from pullback.errors import ArgumentTypeError

N = 120
SPARSE_HESSIANS = ["trust-constr", "Newton-CG"]


def residuals(x):
    return np.concatenate([10 * (x[1:] - x[:-1] ** 2), 1 - x[:-1]])


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def bowl(x):
    """Convex, with its minimum at ones."""
    return np.sum(np.cosh(x - 1)) + np.sum((x[1:] - x[:-1]) ** 2)


def cooling(t, y):
    """Diffusion on a ring with a source that changes in time."""
    return 200 * (np.roll(y, 1) - 2 * y + np.roll(y, -1)) - y**3 + np.sin(t)


@pytest.mark.parametrize("method", ["trf", "dogbox"])
def test_least_squares(method):
    x = np.linspace(0.7, 0.9, N)
    J = pb.sparse_jacobian(residuals, x)
    ours = optimize.least_squares(residuals, x, jac=J, method=method)
    theirs = optimize.least_squares(residuals, x, jac=lambda x: J(x).toarray(), method=method)
    assert ours.success
    assert ours.jac.format == "csr"
    assert_allclose(ours.x, 1, atol=1e-6)
    assert_allclose(theirs.x, 1, atol=1e-6)


def test_the_least_squares_method_that_takes_dense_ones_says_so():
    J = pb.sparse_jacobian(residuals, np.ones(5))
    with pytest.raises(ValueError, match="only with dense Jacobian"):
        optimize.least_squares(residuals, np.ones(5), jac=J, method="lm")


@pytest.mark.parametrize("method", ["Radau", "BDF"])
def test_stiff_initial_value_problems(method):
    y = np.cos(np.linspace(0, 2 * np.pi, 40, endpoint=False))
    J = pb.sparse_jacobian(cooling, 0.0, y, argnums=1)
    tight = {"method": method, "rtol": 1e-7, "atol": 1e-9}
    ours = integrate.solve_ivp(cooling, (0, 0.2), y, jac=J, **tight)
    theirs = integrate.solve_ivp(cooling, (0, 0.2), y, **tight)
    assert ours.success
    assert ours.njev > 0
    assert_allclose(ours.y[:, -1], theirs.y[:, -1], atol=1e-6)


@pytest.mark.parametrize("method", SPARSE_HESSIANS)
def test_minimisers_that_take_sparse_hessians(method):
    x = np.linspace(0.95, 1.05, 20)
    H = pb.sparse_hessian(rosenbrock, x)
    given = {"jac": optimize.rosen_der, "method": method, "tol": 1e-10}
    found = optimize.minimize(rosenbrock, x, hess=H, **given)
    by_hand = optimize.minimize(rosenbrock, x, hess=optimize.rosen_hess, **given)
    assert_allclose(H(x).toarray(), optimize.rosen_hess(x), rtol=1e-12)
    assert_allclose(found.x, by_hand.x, atol=1e-6)
    assert_allclose(found.x, 1, atol=1e-4)


@pytest.mark.parametrize("method", ["trust-exact", "trust-ncg", "trust-krylov", "dogleg"])
def test_minimisers_that_take_none_say_what_to_write(method):
    x = np.linspace(0.5, 0.8, 4)
    H, gradient = pb.sparse_hessian(bowl, x), pb.grad(bowl)
    with pytest.raises(ArgumentTypeError, match=f"{method} takes dense ones; write hess") as told:
        optimize.minimize(bowl, x, jac=gradient, hess=H, method=method)
    assert "minimize: hess is <sparse hessian of bowl" in str(told.value)
    written = (
        {"hess": lambda x: H(x).toarray()}
        if "hess=lambda x: H(x).toarray()" in str(told.value)
        else {"hessp": lambda x, p: H(x) @ p}
    )
    given = {"jac": gradient, "method": method, "tol": 1e-8}
    found = optimize.minimize(bowl, x, **given, **written)
    assert_allclose(found.x, 1, atol=1e-4)


def test_a_constraint_with_both_derivatives_sparse():
    def squares(x):
        return x[1:] ** 2 + x[:-1] ** 2

    def slopes(x):
        return 2 * (np.eye(11, 12) * x[:-1, None] + np.eye(11, 12, 1) * x[1:, None])

    def bends(x, v):
        return 2 * np.diag(np.append(v, 0) + np.append(0, v))

    x, v = np.linspace(0.4, 0.6, 12), np.ones(11)
    J = pb.sparse_jacobian(squares, x)
    H = pb.sparse_hessian(lambda x, v: v @ squares(x), x, v)
    found, by_hand = (
        optimize.minimize(
            lambda x: -np.sum(x), x, jac=lambda x: -np.ones(12), hess=lambda x: np.zeros((12, 12)),
            method="trust-constr",
            constraints=optimize.NonlinearConstraint(squares, -np.inf, 0.5, jac=jac, hess=hess),
        )
        for jac, hess in ((J, H), (slopes, bends))
    )  # fmt: skip
    assert_allclose(found.fun, -6, atol=1e-3)  # each two squares are 1/2, and their sum 1 at most
    assert_allclose(found.fun, by_hand.fun, atol=1e-4)
    assert_allclose(H(x, v).toarray(), bends(x, v))
