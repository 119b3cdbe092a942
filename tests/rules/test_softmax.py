"""logsumexp, softmax and log_softmax: exact, and finite for whatever is finite."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import pullback as pb
from pullback.rules.softmax import log_softmax, logsumexp, softmax

EPS = np.finfo(float).eps
INF = np.inf
HUGE = np.finfo(float).max

finite = arrays(
    np.float64,
    st.integers(1, 6),
    elements=st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([HUGE, -HUGE, 0.0, 1e-320, 700.0, -745.0]),
)


def exact(x):
    """p = exp x / Σ exp x, and log Σ exp x, with as many digits as needed."""
    with mp.workdps(60):
        top = max(mp.mpf(float(element)) for element in x)
        e = [mp.exp(mp.mpf(float(element)) - top) for element in x]
        total = mp.fsum(e)
        return [value / total for value in e], mp.log(total) + top


@given(finite)
def test_values_and_derivatives_of_finite_numbers_are_finite(x):
    y, p = pb.value_and_grad(logsumexp)(x)
    assert np.isfinite(y)
    assert np.isfinite(p).all()
    assert abs(np.sum(p) - 1) <= 4 * EPS
    for f in (softmax, log_softmax):
        out, pull = pb.vjp(f, x)
        assert np.isfinite(out).all()
        for unit in np.eye(x.size):
            assert np.isfinite(pull(unit)[0]).all()
    hessian = pb.hessian(logsumexp)(x)
    assert np.isfinite(hessian).all()


@given(arrays(np.float64, 5, elements=st.floats(-50, 50)))
def test_values_and_gradients_are_right_to_rounding(x):
    p, y = exact(x)
    value, gradient = pb.value_and_grad(logsumexp)(x)
    assert abs(value - y) <= 4 * EPS * abs(y) + 4 * EPS * np.max(np.abs(x)) * (abs(y) > 1e-3)
    for got, expected in zip(gradient, p, strict=True):
        assert abs(got - expected) <= (8 + np.ptp(x)) * EPS * expected
    np.testing.assert_allclose(softmax(x), gradient, rtol=1e-14)
    hessian = np.diag(gradient) - np.outer(gradient, gradient)
    np.testing.assert_allclose(pb.hessian(logsumexp)(x), hessian, rtol=0, atol=4 * EPS)


def test_a_rest_that_is_invisible_beside_one_still_counts():
    assert logsumexp(np.array([0.0, -50.0])) == pytest.approx(np.exp(-50), rel=1e-15)
    assert log_softmax(np.array([0.0, -50.0]))[0] == pytest.approx(-np.exp(-50), rel=1e-15)


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2), (0, 1, 2)])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_values_are_scipys(axis, dtype):
    x = np.random.default_rng(0).normal(scale=5, size=(2, 3, 4)).astype(dtype)
    rtol = 8 * np.finfo(dtype).eps
    for keepdims in (False, True):
        got = logsumexp(x, axis=axis, keepdims=keepdims)
        expected = scipy.special.logsumexp(x, axis=axis, keepdims=keepdims)
        assert got.dtype == expected.dtype
        assert np.shape(got) == np.shape(expected)
        np.testing.assert_allclose(got, expected, rtol=rtol)
    for ours, theirs in (
        (softmax, scipy.special.softmax),
        (log_softmax, scipy.special.log_softmax),
    ):
        got = ours(x, axis=axis)
        assert got.dtype == x.dtype
        np.testing.assert_allclose(got, theirs(x, axis=axis), rtol=10 * rtol, atol=rtol)


@pytest.mark.parametrize(
    ("x", "y", "p"),
    [
        ([-INF, 1.0, 2.0], np.log(np.exp(1) + np.exp(2)), [0, 1 / (1 + np.e), np.e / (1 + np.e)]),
        ([-INF, 3.0], 3.0, [0, 1]),
        ([-INF, -INF], -INF, [0.5, 0.5]),
        ([INF, 1.0], INF, [1, 0]),
        ([INF, INF, -INF], INF, [0.5, 0.5, 0]),
    ],
)
def test_infinite_elements(x, y, p):
    value, gradient = pb.value_and_grad(logsumexp)(np.array(x))
    np.testing.assert_allclose(value, y, rtol=1e-15)
    np.testing.assert_allclose(gradient, p, rtol=1e-15)
    assert not np.isnan(pb.hessian(logsumexp)(np.array(x))).any()


def test_rows_do_not_disturb_each_other():
    x = np.array([[-INF, -INF], [0.0, 0.0], [INF, 0.0], [HUGE, -HUGE]])
    _, x_bar = pb.pullback(lambda x: logsumexp(x, axis=1), (x,), np.ones(4))
    np.testing.assert_array_equal(x_bar[0], [[0.5, 0.5], [0.5, 0.5], [1, 0], [1, 0]])


def test_undefined_elements_stay_undefined():
    x = np.array([np.nan, 1.0])
    assert np.isnan(logsumexp(x))
    assert np.isnan(pb.grad(logsumexp)(x)).all()


def test_differences_that_no_float_holds_are_the_smallest_float():
    np.testing.assert_array_equal(log_softmax(np.array([HUGE, -HUGE])), [0, -HUGE])
    np.testing.assert_array_equal(log_softmax(np.array([0.0, -INF])), [0, -INF])


def test_third_order():
    """The third cumulants of a categorical distribution: p(1 − p)(1 − 2p) for the first."""

    def f(t):
        return logsumexp(np.stack([t, 0.3 * np.ones(())]))

    p = 1 / (1 + np.exp(0.3 - 1.2))
    third = pb.grad(pb.grad(pb.grad(f)))(1.2)
    np.testing.assert_allclose(third, p * (1 - p) * (1 - 2 * p), rtol=1e-13)
