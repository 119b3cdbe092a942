"""Rules of SciPy's ufuncs: closed forms, corners, and finite derivatives of finite numbers."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
import scipy.special as sc

import pullback as pb

EXTREMES = np.array([0.0, 5e-324, 1e-300, 1.0, 40.0, 800.0, 1e20, 1e200, 1.7e308])
EXTREMES = np.concatenate([-EXTREMES[::-1], EXTREMES])


@pytest.mark.parametrize(
    "f", [sc.expit, sc.log_expit, sc.erf, sc.erfc, sc.ndtr, np.tanh, np.arctan]
)
def test_two_derivatives_are_finite_wherever_the_argument_is(f):
    first = pb.grad(lambda x: np.sum(f(x)))
    assert np.isfinite(first(EXTREMES)).all()
    second = pb.pushforward(first, (EXTREMES,), (np.ones_like(EXTREMES),))[1]
    assert np.isfinite(second).all()


def test_gammaln_and_digamma_are_finite_away_from_the_poles():
    x = EXTREMES[EXTREMES > 1e-300]
    assert np.isfinite(pb.grad(lambda x: np.sum(sc.gammaln(x)))(x)).all()
    assert np.isfinite(pb.grad(lambda x: np.sum(sc.digamma(x)))(x)).all()


CLOSED_FORMS = [
    (sc.expit, lambda x: sc.expit(x) * sc.expit(-x), np.linspace(-5, 5, 11)),
    (sc.logit, lambda p: 1 / (p * (1 - p)), np.linspace(0.1, 0.9, 9)),
    (sc.erf, lambda x: 2 / np.sqrt(np.pi) * np.exp(-(x**2)), np.linspace(-2, 2, 9)),
    (
        sc.erfinv,
        lambda x: np.exp(sc.erfinv(x) ** 2) * np.sqrt(np.pi) / 2,
        np.linspace(-0.9, 0.9, 7),
    ),
    (
        sc.ndtri,
        lambda p: np.exp(sc.ndtri(p) ** 2 / 2) * np.sqrt(2 * np.pi),
        np.linspace(0.1, 0.9, 9),
    ),
    (sc.gammaln, sc.digamma, np.linspace(-2.7, 5, 9)),
    (sc.digamma, lambda x: sc.polygamma(1, x), np.linspace(-2.7, 5, 9)),
    (sc.gamma, lambda x: sc.gamma(x) * sc.digamma(x), np.linspace(-2.7, 5, 9)),
    (lambda x: sc.gammainc(2.5, x), lambda x: x**1.5 * np.exp(-x) / sc.gamma(2.5), EXTREMES[12:14]),
    (
        lambda x: sc.betainc(2.0, 3.0, x),
        lambda x: x * (1 - x) ** 2 / sc.beta(2.0, 3.0),
        np.linspace(0.1, 0.9, 9),
    ),
    (lambda x: sc.jv(3, x), lambda x: sc.jvp(3, x), np.linspace(0, 5, 6)),
    (lambda x: sc.yv(3, x), lambda x: sc.yvp(3, x), np.linspace(1, 5, 5)),
    (lambda x: sc.iv(3, x), lambda x: sc.ivp(3, x), np.linspace(0, 5, 6)),
    (lambda x: sc.kv(3, x), lambda x: sc.kvp(3, x), np.linspace(1, 5, 5)),
    (sc.j1, lambda x: sc.jvp(1, x), np.linspace(-3, 3, 7)),
    (sc.i1, lambda x: sc.ivp(1, x), np.linspace(-3, 3, 7)),
]


@pytest.mark.parametrize(("f", "derivative", "x"), CLOSED_FORMS)
def test_closed_forms(f, derivative, x):
    np.testing.assert_allclose(
        pb.grad(lambda x: np.sum(f(x)))(x), derivative(x), rtol=1e-13, atol=1e-15
    )


def test_xlogy_is_zero_at_zero_with_every_derivative_it_has():
    x, y = np.array([0.0, 0.0, 2.0]), np.array([0.0, 3.0, 0.5])
    _, (x_bar, y_bar) = pb.pullback(sc.xlogy, (x, y), np.ones(3))
    np.testing.assert_array_equal(x_bar, [-np.inf, np.log(3.0), np.log(0.5)])
    np.testing.assert_array_equal(y_bar, [0, 0, 4])
    _, (x_bar, y_bar) = pb.pullback(sc.xlog1py, (x, y - 1), np.ones(3))
    np.testing.assert_allclose(x_bar, [-np.inf, np.log(3.0), np.log(0.5)], rtol=1e-15)
    np.testing.assert_array_equal(y_bar, [0, 0, 4])
    mixed = pb.grad(pb.grad(sc.xlogy, argnums=1), argnums=0)
    assert mixed(0.0, 4.0) == 0.25


@pytest.mark.parametrize("x", [-1e9, -1e3, -40.0, -5.0, -4.0, -1.0, 0.0, 3.0, 20.0])
def test_log_ndtr_far_out_in_the_tail(x):
    """With h = φ/Φ: (log Φ)′ = h, (log Φ)″ = −h·(x + h), right to rounding to second order."""
    with mp.workdps(60):
        t = mp.mpf(x)
        h = mp.npdf(t) / mp.ncdf(t)
        first, second = float(h), float(-h * (t + h))
    np.testing.assert_allclose(pb.grad(sc.log_ndtr)(x), first, rtol=1e-13)
    np.testing.assert_allclose(pb.grad(pb.grad(sc.log_ndtr))(x), second, rtol=2e-13, atol=1e-300)


def test_huber_is_quadratic_within_its_bounds_and_linear_beyond():
    delta, r = np.array([1.0, 1.0, 2.0]), np.array([0.5, -3.0, 5.0])
    _, (delta_bar, r_bar) = pb.pullback(sc.huber, (delta, r), np.ones(3))
    np.testing.assert_array_equal(delta_bar, [0, 2, 3])
    np.testing.assert_array_equal(r_bar, [0.5, -1, 2])


def test_entropies_at_their_bounds():
    _, (p_bar,) = pb.pullback(sc.entr, (np.array([0.0, 1.0]),), np.ones(2))
    np.testing.assert_array_equal(p_bar, [np.inf, -1])
    _, (p_bar, q_bar) = pb.pullback(sc.rel_entr, (np.zeros(2), np.array([0.0, 1.0])), np.ones(2))
    np.testing.assert_array_equal(q_bar, [0, 0])
    _, (p_bar, q_bar) = pb.pullback(sc.kl_div, (np.array([0.0, 2.0]), np.ones(2)), np.ones(2))
    np.testing.assert_allclose(p_bar, [-np.inf, np.log(2)], rtol=1e-15)
    np.testing.assert_array_equal(q_bar, [1, -1])


def test_the_ufuncs_that_scipy_shares_with_numpy():
    x = np.array([0.3, 1.7])
    for name in ("cbrt", "exp2", "expm1", "log1p"):
        np.testing.assert_array_equal(
            pb.grad(lambda x, name=name: np.sum(getattr(sc, name)(x)))(x),
            pb.grad(lambda x, name=name: np.sum(getattr(np, name)(x)))(x),
        )


def test_roundings_are_constant():
    for f in (sc.round, sc.gammasgn):
        _, (x_bar,) = pb.pullback(f, (np.array([0.3, 1.7]),), np.ones(2))
        np.testing.assert_array_equal(x_bar, [0, 0])
