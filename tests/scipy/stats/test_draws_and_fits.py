"""Expectations, random numbers and fits of distributions with traced parameters or data."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize
import scipy.stats as st

import pullback as pb
from tests.scipy.derivatives import assert_served, slopes

X = st.gamma.rvs(2.5, size=40, random_state=1)
Z = np.random.default_rng(0).normal(1.0, 2.0, 30)
HALF = np.array(0.4)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda t: st.norm.expect(lambda x: x**2, loc=t, scale=1 + t), 0.4),
        (lambda t: st.norm.expect(lambda x: np.exp(-t * x**2)), 0.4),  # not among the arguments
        (lambda t: st.gamma.expect(np.log, args=(t,)), 2.4),
        (lambda t: st.expon(scale=t).expect(np.sqrt), 1.4),
        (lambda t: st.norm.expect(lambda x: x**2, lb=t, conditional=True), 0.4),
    ],
    ids=["loc and scale", "closure", "shape", "frozen", "conditional"],
)
def test_expectations_of_continuous_distributions(f, x):
    x = np.array(x)
    value, slope = pb.pushforward(f, (x,), (np.ones(()),))
    assert value == f(x)
    expected = slopes(f, (x,), (1.0,))
    np.testing.assert_allclose(slope, expected, rtol=1e-7)
    np.testing.assert_allclose(pb.grad(f)(x), expected, rtol=1e-7)


def test_expectations_have_second_derivatives_and_run_in_batches_and_graphs():
    def f(t):
        return st.expon.expect(lambda x: x**2, scale=t)

    t = np.array([0.7, 1.1])
    np.testing.assert_allclose(pb.vmap(pb.grad(pb.grad(f)))(t), 4.0, rtol=1e-7)
    np.testing.assert_allclose(pb.trace(pb.grad(f), 0.7)(1.1), 4.4, rtol=1e-7)


def test_expectations_of_discrete_distributions():
    for f, x in (
        (lambda t: st.poisson.expect(lambda k: k**2, args=(t,)), 50.0),
        (lambda t: st.binom(10, t).expect(np.sqrt), 0.4),
        (lambda t: st.binom(10, 0.4).expect(lambda k: np.exp(-t * k)), 0.4),
        (lambda t: st.geom.expect(args=(t,), lb=2, conditional=True), 0.4),
        (lambda t: st.rv_discrete(values=([0, 2], [0.4, 0.6])).expect(lambda k: k * t), 0.4),
    ):
        x = np.array(x)
        assert pb.value_and_grad(f)(x)[0] == f(x)
        np.testing.assert_allclose(pb.grad(f)(x), slopes(f, (x,), (1.0,)), rtol=1e-6)


@pytest.mark.parametrize(
    "f",
    [
        lambda t: st.norm.rvs(loc=t, scale=2 * t, size=5, random_state=3),
        lambda t: st.norm(t, 2 * t).rvs(random_state=np.random.default_rng(3)),
        lambda t: st.gamma.rvs(2.0, t, t**2, (2, 3), random_state=3),
        lambda t: st.norm.rvs(t * np.arange(3.0), random_state=np.random.RandomState(3)),
        lambda t: st.genextreme.rvs(t, size=3, random_state=3),
        lambda t: st.burr(t, 2.0).rvs(3, random_state=3),
    ],
)
def test_random_numbers_are_scipys_moved_with_the_parameters(f):
    assert_served(f, HALF, exact=True)


def test_random_numbers_that_jump_are_refused():
    for f, words in (
        (lambda t: st.gamma.rvs(t, size=3), r"stats\.gamma\.rvs .* shape decides .*ppf"),
        (lambda t: st.poisson.rvs(t), r"stats\.poisson\.rvs .* whole numbers.*expect"),
    ):
        with pytest.raises(pb.NoRuleError, match=words):
            pb.vjp(f, 0.5)


def moved(x, t):
    return x * t + 0.1 * t**2 * x**1.5


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda t: st.norm.fit(Z * t + t**2), 1.3),
        (lambda t: st.norm.fit(Z * t + t**2, floc=t), 1.3),
        (lambda t: st.expon.fit(Z * t + t**2), 1.3),
        (lambda t: st.uniform.fit(Z * t + t**2, fscale=20 * t), 1.3),
        (lambda t: st.laplace.fit(Z * t + t**2), 1.3),
        (lambda t: st.gamma.fit(moved(X, t), floc=0), 1.3),
        (lambda t: st.lognorm.fit(X**t, floc=0), 1.3),
    ],
    ids=["norm", "norm, fixed", "expon", "uniform", "laplace", "gamma", "lognorm"],
)
def test_fits(f, x):
    def parameters(t):
        return np.stack(f(t))

    x = np.array(x)
    assert np.array_equal(pb.vjp(parameters, x)[0], parameters(x))
    expected = slopes(parameters, (x,), (1.0,))
    for mode in ("forward", "reverse"):
        np.testing.assert_allclose(pb.jacobian(parameters, mode=mode)(x), expected, rtol=1e-5)


def test_a_fit_in_batches_graphs_and_second_order():
    def parameters(t):
        return np.stack(st.norm.fit(Z * t + t**2))

    t = np.array([1.3, 1.4])
    found = pb.vmap(pb.jacobian(parameters))(t)
    np.testing.assert_allclose(found, [slopes(parameters, (x,), (1.0,)) for x in t], rtol=1e-7)
    np.testing.assert_allclose(pb.trace(pb.jacobian(parameters), 1.3)(1.4), found[1], rtol=1e-9)
    np.testing.assert_allclose(pb.jacobian(pb.jacobian(parameters))(1.3), [2.0, 0.0], atol=1e-7)


def test_a_fit_by_steps_has_the_derivative_of_the_maximum():
    def exactly(t):
        def slope(z):
            return pb.grad(lambda z: np.mean(st.weibull_min.logpdf(moved(X, t), z[0], 0, z[1])))(z)

        return scipy.optimize.root(slope, [1.5, 4.0], tol=1e-13).x

    found = pb.jacobian(lambda t: np.stack(st.weibull_min.fit(moved(X, t), floc=0)))(1.3)
    np.testing.assert_allclose(found[[0, 2]], slopes(exactly, (1.3,), (1.0,)), rtol=1e-6)


def test_fits_without_a_condition_are_refused():
    with pytest.raises(pb.ArgumentValueError, match=r"stats\.pareto\.fit: the gradient of the"):
        pb.vjp(lambda t: st.pareto.fit(1 + X * t), 1.3)
    with pytest.raises(pb.NoRuleError, match=r"stats\.norm\.fit: method is 'MM'"):
        pb.vjp(lambda t: st.norm.fit(Z * t, method="MM"), 1.3)
