"""How solvers are called while a transformation runs: batches, constants, results, refusals."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
import scipy.optimize as so

import pullback as pb


def lowest(a, **more):
    return so.minimize(lambda x: np.sum((x - a) ** 2) + np.exp(x[0] * a), [1.0, 1.0], **more)


def test_batches_are_solved_one_by_one():
    a = np.array([0.5, 0.7, -0.2])
    for f in (
        lambda a: lowest(a).x[0],
        lambda a: lowest(a).fun,
        lambda a: so.brentq(lambda x: x**3 + x - a, -5, 5),
        lambda a: so.fsolve(lambda x, b: x**3 + x - b, 1.0, args=(a,))[0],
        lambda a: so.least_squares(lambda x: [x[0] - a, np.exp(a * x[0])], [1.0]).x[0],
        lambda a: so.curve_fit(lambda t, k: np.exp(k * t), [1.0, 2, 3], [2 + a, 4 + a, 9])[1][0, 0],
    ):
        for function in (f, pb.grad(f)):
            one_by_one = [function(each) for each in a]
            np.testing.assert_allclose(pb.vmap(function)(a), one_by_one, rtol=1e-7)
    root = pb.vmap(lambda a: so.root(lambda x: x**3 - a, [1.0]))(np.array([1.0, 8.0]))
    np.testing.assert_allclose(root.x, [[1.0], [2.0]])
    assert root.nfev.shape == (2,) and root.success.all()


def test_solvers_nest():
    """A minimum of a function of a root, and roots of the slope of a minimum."""

    def outer(a):
        def cost(y):
            x = so.brentq(lambda x: x**3 + x - y * y - a, -5, 5)
            return (y - x) ** 2 + a * y

        return so.minimize_scalar(cost, tol=1e-12).x

    def stationary(y, a):
        x = so.brentq(lambda x: x**3 + x - y * y - a, -5, 5, xtol=1e-14)
        return 2 * (y - x) * (1 - 2 * y / (3 * x * x + 1)) + a

    def closed(a):
        return so.brentq(stationary, -2, 1, args=(a,), xtol=1e-14)

    step = 1e-4
    expected = (closed(0.3 + step) - closed(0.3 - step)) / (2 * step)
    np.testing.assert_allclose(pb.grad(outer)(0.3), expected, rtol=1e-6)
    np.testing.assert_allclose(pb.grad(closed)(0.3), expected, rtol=1e-6)
    np.testing.assert_allclose(
        pb.grad(pb.grad(outer))(0.3), pb.grad(pb.grad(closed))(0.3), rtol=1e-6
    )


def test_hyperparameters_of_ridge_regression():
    rng = np.random.default_rng(0)
    A, b = rng.normal(size=(8, 3)), rng.normal(size=8)

    def fitted(log_weight):
        cost = lambda w: np.sum((A @ w - b) ** 2) + np.exp(log_weight) * np.sum(w * w)  # noqa: E731
        return so.minimize(cost, np.zeros(3)).x

    def closed(log_weight):
        return np.linalg.solve(A.T @ A + np.exp(log_weight) * np.eye(3), A.T @ b)

    for order in (pb.jacobian, lambda f: pb.jacobian(pb.jacobian(f))):
        np.testing.assert_allclose(order(fitted)(0.2), order(closed)(0.2), rtol=1e-9)


def test_linear_least_squares_and_their_sets():
    rng = np.random.default_rng(0)
    A, b, t = rng.normal(size=(6, 3)), rng.normal(size=6), np.array([1.0, -2.0, 3.0])
    cases = {
        "nnls": lambda a: so.nnls(A + np.sin(a * A), b + a)[0] @ t,
        "nnls norm": lambda a: so.nnls(A + np.sin(a * A), b + a)[1],
        "lsq_linear": lambda a: so.lsq_linear(A + np.sin(a * A), b + a).x @ t,
        "lsq_linear bounds": lambda a: (
            so.lsq_linear(A + np.sin(a * A), b + a, bounds=(-0.1, a * a / 4)).x @ t
        ),
        "lsq_linear cost": lambda a: so.lsq_linear(A, np.sin(a * b), bounds=(-0.1, a)).cost,
        "isotonic": lambda a: (
            so.isotonic_regression(np.sin(a * b) + np.arange(6) / 2, weights=np.exp(a * b)).x
            @ np.arange(6.0) ** 2
        ),
    }
    for name, f in cases.items():
        assert pb.value_and_grad(f)(1.3)[0] == f(1.3), name
        for function in (f, pb.grad(f)):
            expected = (function(1.3 + 1e-5) - function(1.3 - 1e-5)) / 2e-5
            slope = pb.pushforward(function, (1.3,), (1.0,))[1]
            np.testing.assert_allclose(slope, expected, rtol=1e-7, err_msg=name)


def test_covariances_of_a_fit():
    t, noise = np.linspace(0, 1, 9), 0.1 * np.random.default_rng(0).normal(size=9)

    def model(t, p, q):
        return p + q * t

    def fit(a, **more):
        return so.curve_fit(model, t * a, np.cos(a * t) + noise, **more)[1]

    def closed(a, sigma=None):
        """Of a line, where the fit is a linear system."""
        rows = np.stack([np.ones(9), t * a], axis=1)
        y = np.cos(a * t) + noise
        if sigma is not None:
            return np.linalg.inv(rows.T @ np.linalg.solve(sigma(a), rows))
        p = np.linalg.solve(rows.T @ rows, rows.T @ y)
        return np.linalg.inv(rows.T @ rows) * np.sum((rows @ p - y) ** 2) / 7

    np.testing.assert_allclose(pb.jacobian(fit)(1.3), pb.jacobian(closed)(1.3), rtol=1e-6)
    for sigma in (lambda a: a + t, lambda a: a * np.eye(9) + 0.1 * np.outer(t, t)):

        def full(a, sigma=sigma):
            s = sigma(a)
            return s if s.ndim == 2 else np.diag(s * s)

        found = pb.jacobian(lambda a, s=sigma: fit(a, sigma=s(a), absolute_sigma=True))(1.3)
        np.testing.assert_allclose(found, pb.jacobian(closed)(1.3, full), 1e-6, 1e-15)


def test_results_say_what_they_do_not_follow():
    def of_result(name):
        return pb.grad(lambda a: np.sum(getattr(lowest(a), name)))

    assert of_result("fun")(0.5) != 0
    for name in ("jac", "hess_inv"):
        with pytest.raises(pb.NoRuleError, match=rf"scipy.optimize.minimize: {name} of the result"):
            of_result(name)(0.5)
    with pytest.raises(AttributeError):
        of_result("nothing")(0.5)
    t = np.arange(4.0)
    reports = {
        "fsolve": lambda a: so.fsolve(lambda x: x - a, 1.0, full_output=True)[1],
        "leastsq": lambda a: so.leastsq(lambda x: x - a * t, 1.0, full_output=True)[2],
        "curve_fit": lambda a: so.curve_fit(lambda t, p: p * t, t, a * t, full_output=True)[2],
    }
    for name, f in reports.items():
        assert pb.grad(lambda a, f=f: a * f(a)["nfev"])(2.0) > 1
        with pytest.raises(pb.NoRuleError, match=f"scipy.optimize.{name}: qtf of the result"):
            pb.grad(lambda a, f=f: np.sum(f(a)["qtf"]))(2.0)
    kept = []
    pb.grad(lambda a: kept.append(lowest(a)) or kept[-1].x[0])(0.5)
    assert kept[0].success and kept[0].nit > 0 and "x" in kept[0]


def test_plain_calls_are_scipy_s():
    result = so.minimize(lambda x: x @ x, [1.0, 2.0])
    assert type(result) is so.OptimizeResult and result.hess_inv.shape == (2, 2)
    assert pickle.loads(pickle.dumps(so.brentq)) is so.brentq
    slope = pb.grad(lambda a: a * so.brentq(lambda x: x * x - 2, 0, 2))(1.0)
    assert slope == so.brentq(lambda x: x * x - 2, 0, 2)
    # nothing is followed, so that no second derivative is needed and no condition is looked at
    assert pb.grad(lambda a: a * so.minimize(lambda x: abs(x[0]), [0.0]).fun)(1.0) == 0.0


def test_a_minimiser_that_starts_at_its_solution():
    f = lambda a: so.minimize(lambda x: (x[0] - a) ** 2, [1.0]).x[0]  # noqa: E731
    assert pb.grad(f)(1.0) == 1.0


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda a: lowest(a, options={"maxiter": 1}).x[0], "has failed.*Maximum number of iter"),
        (lambda a: so.minimize(lambda x: (x[0] - a) ** 2, [1.005], method="Nelder-Mead",
                               options={"maxiter": 1}).x[0], "has failed.*Maximum number"),
        (lambda a: so.fmin(lambda x: (x[0] - a) ** 2, [1.005], maxiter=1, disp=0)[0],
         "has failed.*limit of its iterations"),
        (lambda a: so.minimize(lambda x: (x[0] - a) ** 2, [5.0], tol=9).x[0], "Newton's step"),
        (lambda a: so.minimize(lambda x: (x[0] - a) ** 2 + 0 * x[1], [5.0, 1]).x[0], "singular"),
        (lambda a: so.minimize(lambda x: (x[0] - a) ** 2, [5.0], bounds=[(a, None)]).x[0],
         "touches 1 of the bounds or inequalities without being held"),
        (lambda a: so.fsolve(lambda x: x * x + a, 1.0)[0], "scipy.optimize.fsolve has failed"),
        (lambda a: so.root(lambda x: (x - a) ** 3, [a]).x[0], "singular or not finite"),
        (lambda a: so.newton(lambda x: x**3 - a, 9.0, maxiter=3, disp=False), "Newton's step"),
        (lambda a: so.fmin(lambda x: (x - a) ** 2, 1.0, full_output=True, disp=0)[1],
         "full_output is True"),
        (lambda a: so.milp([a, 1.0]).fun, "piecewise constant"),
        (lambda a: so.linprog([a, 1.0], integrality=1).fun, "integrality asks for integers"),
        (lambda a: so.linprog([-a, 0.0]).fun, "linprog has failed.*unbounded"),
        (lambda a: so.linprog([a, 1.0], A_eq=[[1, 1]], b_eq=[a]).x[0], "without being held"),
        (lambda a: so.brute(lambda x: (x[0] - a) ** 2, [(0, 2)], finish=None),
         "finish is None"),
        (lambda a: so.fmin_tnc(lambda x: (x[0] - a) ** 2, [5.0], approx_grad=True, maxfun=1,
                               messages=0)[0][0], "fmin_tnc has failed.*limit"),
        (lambda a: so.isotonic_regression(np.stack([a, a])).x[0], "a block could be split"),
        (lambda a: so.curve_fit(lambda t, p: p * t, [1.0, 2], [a, a], nan_policy="omit")[0][0],
         "nan_policy is 'omit'"),
        (lambda a: so.minimize(lambda x: x @ x, [1.0], jac=lambda x: 2 * (x - a)).x[0],
         "<lambda> returned a traced value"),
    ],
)  # fmt: skip
def test_refusals(f, words):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SciPy's own
        with pytest.raises(pb.PullbackError, match=words):
            pb.grad(f)(1.0)


def test_batches_are_held_by_bounds_of_their_own():
    """Examples that rest inside, at the lower, and at the upper bound, which is traced."""

    def solve(a, b):
        cost = lambda x: (x[0] - a) ** 2 + (x[1] - a * x[0]) ** 2  # noqa: E731
        return so.minimize(cost, [0.0, 0.0], bounds=[(-1, b), (None, None)], tol=1e-12).x

    a, b = np.array([0.5, 2.0, -3.0, 0.2]), np.array([0.8, 1.0, 1.0, 0.1])
    for f in (solve, pb.jacobian(solve, (0, 1))):
        each = [f(*pair) for pair in zip(a, b, strict=True)]
        mapped = pb.vmap(lambda a, b, f=f: np.stack(f(a, b)))(a, b)
        np.testing.assert_allclose(mapped, each, atol=1e-9)
    np.testing.assert_allclose(
        pb.vmap(pb.jacobian(solve, 1))(a, b), [[0, 0], [1, 2], [0, 0], [1, 0.2]], atol=1e-9
    )
