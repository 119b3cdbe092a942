"""Losses against formulas written by hand and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special

import pullback as pb
from pullback import losses
from pullback.errors import ArgumentValueError
from tests.losses.samples import ELEMENTWISE, fitting, from_logits

# -- values and gradients against formulas -----------------------------------------------------


BY_HAND = {
    "mse": (lambda p, t: (p - t) ** 2, lambda p, t: 2 * (p - t)),
    "mae": (lambda p, t: abs(p - t), lambda p, t: np.sign(p - t)),
    "hinge": (
        lambda p, t: np.maximum(0, 1 - t * p),
        lambda p, t: np.where(t * p < 1, -t, 0.0),
    ),
    "perceptron": (
        lambda p, t: np.maximum(0, -t * p),
        lambda p, t: np.where(t * p < 0, -t, 0.0),
    ),
    "zero_one": (lambda p, t: (t * p <= 0).astype(float), lambda p, t: 0 * p),
    "binary_cross_entropy": (
        lambda p, t: -(scipy.special.xlogy(t, p) + scipy.special.xlog1py(1 - t, -p)),
        lambda p, t: (p - t) / (p * (1 - p)),
    ),
}


@pytest.mark.parametrize("shape", [(), (1,), (7,), (3, 4), (2, 3, 2)])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_losses_and_gradients_are_the_formulas_averaged_over_all_elements(name, shape):
    loss, (value, slope) = ELEMENTWISE[name], BY_HAND[name]
    p, t = fitting(name, shape)
    np.testing.assert_allclose(loss(p, t), np.mean(value(p, t)), rtol=1e-14)
    np.testing.assert_allclose(pb.grad(loss)(p, t), slope(p, t) / p.size, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(loss(p, t, reduction="sum"), np.sum(value(p, t)), rtol=1e-14)
    np.testing.assert_allclose(loss(p, t, reduction="none"), value(p, t), rtol=1e-14)
    assert loss(p, t, reduction="none").shape == shape


@pytest.mark.parametrize("shape", [(), (1,), (7,), (3, 4)])
def test_cross_entropy_from_logits_is_that_of_the_logistic_function(shape):
    rng = np.random.default_rng(5)
    z, t = rng.normal(size=shape), rng.uniform(size=shape)
    p = scipy.special.expit(z)
    np.testing.assert_allclose(from_logits(z, t), losses.binary_cross_entropy(p, t), rtol=1e-13)
    np.testing.assert_allclose(pb.grad(from_logits)(z, t), (p - t) / z.size, rtol=1e-13)
    np.testing.assert_allclose(pb.grad(from_logits, argnums=1)(z, t), -z / z.size, rtol=1e-15)


@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 4, 3), (4, 1)])
def test_softmax_cross_entropy_is_log_softmax_at_the_class(shape):
    rng = np.random.default_rng(5)
    z = 3 * rng.normal(size=shape)
    labels = rng.integers(shape[-1], size=shape[:-1])
    chosen = np.eye(shape[-1])[labels]
    log_p = scipy.special.log_softmax(z, axis=-1)
    expected = -np.sum(chosen * log_p, axis=-1)
    loss = losses.softmax_cross_entropy
    # Where a loss is close to 0, SciPy's logarithm has lost digits to cancellation.
    each = loss(z, labels, reduction="none")
    np.testing.assert_allclose(each, expected, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(loss(z, labels), expected.mean(), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(loss(z, chosen), expected.mean(), rtol=1e-13, atol=1e-15)
    by_hand = (np.exp(log_p) - chosen) / expected.size
    np.testing.assert_allclose(pb.grad(loss)(z, labels), by_hand, rtol=1e-12, atol=1e-16)


def test_softmax_cross_entropy_is_differentiable_in_distributions_too():
    rng = np.random.default_rng(5)
    z = rng.normal(size=(4, 3))
    t = rng.dirichlet(np.ones(3), size=4)
    loss = losses.softmax_cross_entropy
    np.testing.assert_allclose(
        pb.grad(loss, argnums=1)(z, t), -scipy.special.log_softmax(z, axis=-1) / 4, rtol=1e-13
    )
    np.testing.assert_allclose(
        pb.grad(loss)(z, t), (scipy.special.softmax(z, axis=-1) - t) / 4, rtol=1e-12, atol=1e-16
    )


def test_softmax_of_two_classes_is_the_logistic_function():
    rng = np.random.default_rng(5)
    z, labels = rng.normal(size=6), rng.integers(2, size=6)
    two = np.stack([np.zeros(6), z], axis=-1)
    np.testing.assert_allclose(
        losses.softmax_cross_entropy(two, labels), from_logits(z, labels), rtol=1e-14
    )


def test_the_gradient_of_softmax_regression_is_the_one_derived_by_hand():
    rng = np.random.default_rng(5)
    x, labels = rng.normal(size=(9, 4)), rng.integers(3, size=9)
    W = rng.normal(size=(3, 4))
    gradient = pb.grad(lambda W: losses.softmax_cross_entropy(x @ W.T, labels))(W)
    p = np.exp(x @ W.T)
    p /= p.sum(axis=1, keepdims=True)
    by_hand = sum(np.outer(p[i] - np.eye(3)[labels[i]], x[i]) for i in range(9)) / 9
    np.testing.assert_allclose(gradient, by_hand, rtol=1e-13)


# -- the rule of the squared distance, in the form in which it is written down --------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [(), (5,), (2, 3)])
def test_the_rule_of_l2(shape, dtype):
    rng = np.random.default_rng(5)
    y, y_ref, y_dot, y_ref_dot = (rng.normal(size=shape).astype(dtype) for _ in range(4))
    z_bar = dtype(1.75)
    delta = y - y_ref
    loss, (y_bar, y_ref_bar) = pb.pullback(losses.l2, (y, y_ref), z_bar)
    tolerance = 8 * np.finfo(dtype).eps
    np.testing.assert_allclose(loss, np.sum(delta * delta) / 2, rtol=tolerance)
    np.testing.assert_array_equal(y_bar, z_bar * delta)
    np.testing.assert_array_equal(y_ref_bar, -z_bar * delta)
    loss, loss_dot = pb.pushforward(losses.l2, (y, y_ref), (y_dot, None))
    np.testing.assert_allclose(loss_dot, np.sum(delta * y_dot), rtol=16 * tolerance)
    _, loss_dot = pb.pushforward(losses.l2, (y, y_ref), (y_dot, y_ref_dot))
    np.testing.assert_allclose(loss_dot, np.sum(delta * (y_dot - y_ref_dot)), rtol=16 * tolerance)
    assert {np.asarray(a).dtype for a in (loss, loss_dot, y_bar, y_ref_bar)} == {np.dtype(dtype)}


def test_the_hessian_of_l2_is_the_identity():
    rng = np.random.default_rng(5)
    y, y_ref = rng.normal(size=(2, 4))
    np.testing.assert_array_equal(pb.hessian(losses.l2)(y, y_ref), np.eye(4))


def test_regression_losses_take_complex_arrays():
    rng = np.random.default_rng(5)
    y, t = rng.normal(size=(2, 4)) + 1j * rng.normal(size=(2, 4))
    distance = np.abs(y - t)
    np.testing.assert_allclose(losses.l2(y, t), np.sum(distance**2) / 2, rtol=1e-14)
    np.testing.assert_allclose(losses.mse(y, t), np.mean(distance**2), rtol=1e-14)
    np.testing.assert_allclose(losses.mae(y, t), np.mean(distance), rtol=1e-14)
    np.testing.assert_allclose(pb.grad(losses.l2)(y, t), y - t, rtol=1e-15)
    np.testing.assert_allclose(pb.grad(losses.mse)(y, t), (y - t) / 2, rtol=1e-15)
    np.testing.assert_allclose(pb.grad(losses.mae)(y, t), (y - t) / distance / 4, rtol=1e-14)


# -- in two levels, and with targets that vary --------------------------------------------------


@pytest.mark.parametrize("name", ["mse", "binary_cross_entropy"])
def test_the_mixed_second_derivative_agrees_in_both_orders(name):
    rng = np.random.default_rng(5)
    loss = ELEMENTWISE[name]
    p, _ = fitting(name, (3,))
    t = rng.uniform(size=3)
    first = pb.jacobian(pb.grad(loss, 0), 1)(p, t)
    second = pb.jacobian(pb.grad(loss, 1), 0)(p, t)
    np.testing.assert_allclose(first, second.T, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", [*ELEMENTWISE, "l2"])
def test_every_loss_passes_the_check(name):
    p, t = fitting(name, (4,))
    assert pb.check(getattr(losses, name), p, t).passed


def test_predictions_may_be_put_together_from_traced_scalars():
    def f(x):
        return losses.mse(np.array([x, 2 * x]), np.array([1.0, 1.0]))

    assert pb.grad(f)(2.0) == (2 * 1 + 2 * 2 * 3) / 2


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_values_are_checked_when_the_target_varies(name):
    p, _ = fitting(name, (3,))
    t = np.array([2.0, np.nan, 5.0])
    with pytest.raises(ArgumentValueError, match=f"losses.{name}: target"):
        pb.grad(ELEMENTWISE[name], argnums=(0, 1))(p, t)
