"""Losses at their kinks, at the edges of the floats, and in both precisions."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pullback as pb
from pullback import losses
from tests.losses.samples import ELEMENTWISE, fitting, from_logits

# -- kinks -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "prediction", "target", "expected"),
    [
        (losses.hinge, [1.0, -1.0, 0.5, 2.0], [1, -1, 1, 1], [0, 0, -1, 0]),
        (losses.perceptron, [0.0, -0.0, -0.5, 2.0], [1, -1, 1, 1], [0, 0, -1, 0]),
        (losses.mae, [2.0, -3.0, 1.0], [2.0, -3.0, 0.0], [0, 0, 1]),
        (losses.zero_one, [0.0, -1.0, 2.0], [1, 1, 1], [0, 0, 0]),
    ],
)
def test_derivatives_at_kinks_are_zero_in_both_modes(loss, prediction, target, expected):
    p, t = np.array(prediction), np.array(target)
    np.testing.assert_array_equal(pb.grad(loss)(p, t) * p.size, expected)
    for i, unit in enumerate(np.eye(p.size)):
        dot = pb.pushforward(loss, (p, t), (unit, None))[1]
        assert dot * p.size == expected[i]
    np.testing.assert_array_equal(pb.hessian(loss)(p, t), np.zeros((p.size, p.size)))


def test_zero_one_has_derivative_zero_without_a_warning_and_says_so():
    p, t = np.array([0.5, -2.0, 0.0]), np.array([1, 1, -1])
    value, gradient = pb.value_and_grad(losses.zero_one)(p, t)
    assert value == 2 / 3
    np.testing.assert_array_equal(gradient, [0, 0, 0])
    assert "derivative is 0" in losses.zero_one.__doc__


# -- finite for finite input -------------------------------------------------------------------


def extremes(dtype):
    info = np.finfo(dtype)
    sizes = [0, info.smallest_subnormal, info.tiny, info.eps, 1, 50, 800, info.max / 3, info.max]
    return np.array([sign * size for size in sizes for sign in (1, -1)], dtype=dtype)


def assert_all_finite(loss, p, t):
    """Value, gradient, pushforward and second derivative are finite, and quiet."""
    value, gradient = pb.value_and_grad(loss)(p, t)
    push = pb.pushforward(loss, (p, t), (np.ones_like(p), None))[1]
    second = pb.hvp(lambda p: loss(p, t), (p,), (np.ones_like(p),))[0]
    assert value >= 0
    assert value.dtype == push.dtype == gradient.dtype == second.dtype == p.dtype
    for result in (value, gradient, push, second):
        assert np.isfinite(result).all(), (loss.__name__, p, t)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("loss", [losses.l2, losses.mse, losses.mae])
def test_regression_losses_are_finite_for_any_finite_input(loss, dtype):
    values = extremes(dtype)
    for y in values:
        for y_ref in values:
            assert_all_finite(loss, np.array([y]), np.array([y_ref]))
    assert_all_finite(loss, values, np.zeros_like(values))
    assert_all_finite(loss, values, values[::-1].copy())


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("loss", [losses.hinge, losses.perceptron, losses.zero_one])
def test_losses_of_scores_are_finite_for_any_finite_input(loss, dtype):
    values = extremes(dtype)
    for label in (-1, 1):
        for score in values:
            assert_all_finite(loss, np.array([score]), np.array([label]))
        assert_all_finite(loss, values, np.full(values.shape, label))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_cross_entropy_is_finite_for_any_finite_input(dtype):
    values = extremes(dtype)
    for label in (0, 1, 0.25):
        target = np.full(values.shape, label, dtype=dtype)
        assert_all_finite(from_logits, values, target)
        inside = np.array([0, np.finfo(dtype).smallest_subnormal, 0.5, 1 - 1e-7, 1], dtype=dtype)
        for p in inside:
            assert_all_finite(losses.binary_cross_entropy, p.reshape(1), target[:1])
    for a in values:
        for b in values:
            z = np.array([[a, b, 0.0]], dtype=dtype)
            for label in range(3):
                assert_all_finite(losses.softmax_cross_entropy, z, np.array([label]))
            soft = np.array([[0.25, 0.75, 0.0]], dtype=dtype)
            assert_all_finite(losses.softmax_cross_entropy, z, soft)


def test_the_mean_does_not_overflow_where_it_is_a_float():
    scores, labels = np.full(4, -1e308), np.ones(4, dtype=int)
    assert losses.perceptron(scores, labels) == 1e308
    assert from_logits(scores, labels) == 1e308


def test_what_is_larger_than_any_float_is_the_largest():
    top = np.finfo(float).max
    assert losses.l2(np.array([1e200]), np.array([0.0])) == top
    assert losses.mae(np.array([top]), np.array([-top])) == top
    assert losses.softmax_cross_entropy(np.array([top, -top]), np.array(1)) == top


@pytest.mark.parametrize("loss", [losses.l2, losses.mse, losses.mae])
@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_a_diverged_prediction_shows(loss, bad):
    assert not np.isfinite(loss(np.array([bad, 1.0]), np.zeros(2)))


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_an_undefined_prediction_makes_the_loss_undefined(name):
    p, t = fitting(name, (3,))
    p[1] = np.nan
    assert np.isnan(ELEMENTWISE[name](p, t))
    z = np.array([[0.0, np.nan], [1.0, 2.0]])
    assert np.isnan(losses.softmax_cross_entropy(z, np.array([0, 1])))


def test_a_class_that_is_ruled_out_has_probability_zero():
    z = np.array([[1.0, -np.inf, 2.0]])
    value, gradient = pb.value_and_grad(losses.softmax_cross_entropy)(z, np.array([0]))
    without, slope = pb.value_and_grad(losses.softmax_cross_entropy)(z[:, ::2], np.array([0]))
    assert value == without
    np.testing.assert_array_equal(gradient, [[slope[0, 0], 0, slope[0, 1]]])
    assert losses.softmax_cross_entropy(z, np.array([1])) == np.inf


def test_infinite_scores_are_certain():
    z, labels = np.array([np.inf, -np.inf]), np.array([1, 0])
    value, gradient = pb.value_and_grad(from_logits)(z, labels)
    assert value == 0
    np.testing.assert_array_equal(gradient, [0, 0])
    assert from_logits(z, 1 - labels) == np.inf


def test_certain_predictions_that_are_wrong_count_with_the_smallest_normal_float():
    p, t = np.array([0.0, 1.0, 0.0, 1.0]), np.array([1, 0, 0, 1])
    tiny = np.finfo(float).tiny
    each = losses.binary_cross_entropy(p, t, reduction="none")
    np.testing.assert_allclose(each, [-np.log(tiny), -np.log(tiny), 0, 0], rtol=1e-15)
    gradient = pb.grad(lambda p: losses.binary_cross_entropy(p, t, reduction="sum"))(p)
    np.testing.assert_array_equal(gradient, [-1 / tiny, 1 / tiny, 1, -1])


@given(st.floats(-800, 800), st.booleans())
def test_cross_entropy_from_logits_keeps_its_digits(z, label):
    with mpmath.workdps(400):
        exact = mpmath.log(1 + mpmath.exp(-z if label else z))
        slope = 1 / (1 + mpmath.exp(-mpmath.mpf(z))) - int(label)
    value, gradient = pb.value_and_grad(from_logits)(np.float64(z), np.array(int(label)))
    tiny = np.finfo(float).tiny
    np.testing.assert_allclose(float(value), float(exact), rtol=1e-15, atol=tiny)
    np.testing.assert_allclose(float(gradient), float(slope), rtol=1e-15, atol=tiny)


@given(st.floats(1e-300, 1 - 1e-16), st.booleans())
def test_cross_entropy_from_probabilities_keeps_its_digits(p, label):
    with mpmath.workdps(400):
        exact = -mpmath.log(mpmath.mpf(p) if label else 1 - mpmath.mpf(p))
    value = losses.binary_cross_entropy(np.float64(p), np.array(int(label)))
    np.testing.assert_allclose(float(value), float(exact), rtol=1e-15)


# -- precision ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_single_precision_stays_single_precision(name):
    p, t = fitting(name, (6,), np.float32)
    value, gradient = pb.value_and_grad(ELEMENTWISE[name])(p, t)
    assert value.dtype == gradient.dtype == np.float32


def test_integer_labels_do_not_change_the_precision_of_softmax_cross_entropy():
    rng = np.random.default_rng(5)
    z = rng.normal(size=(4, 3)).astype(np.float32)
    value, gradient = pb.value_and_grad(losses.softmax_cross_entropy)(z, np.array([0, 1, 2, 1]))
    assert value.dtype == gradient.dtype == np.float32


def test_boolean_labels_are_zero_and_one():
    p = np.array([0.2, 0.7])
    np.testing.assert_array_equal(
        losses.binary_cross_entropy(p, np.array([True, False])),
        losses.binary_cross_entropy(p, np.array([1, 0])),
    )


def test_integer_predictions_are_taken_as_floats():
    assert losses.mse(np.array([1, 2]), np.array([0, 4])) == 2.5


@pytest.mark.parametrize("size", [1023, 1024, 1025, 5000])
def test_a_long_sum_of_squares_is_right_to_the_last_bits(size):
    y = np.random.default_rng(size).normal(size=size)
    exact = math.fsum(value * value for value in y)
    np.testing.assert_allclose(losses.l2(y, np.zeros(size)), exact / 2, rtol=1e-15)
    np.testing.assert_allclose(losses.mse(y, np.zeros(size)), exact / size, rtol=1e-15)
    single = y.astype(np.float32)
    exact = math.fsum(float(value) ** 2 for value in single)
    np.testing.assert_allclose(losses.l2(single, 0 * single), exact / 2, rtol=1e-6)
    huge = np.full(size, 1e200)
    assert losses.l2(huge, -huge) == np.finfo(float).max
