"""Gradients of networks against the recursions of the textbooks, written out by hand."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import numpy as np
import pytest

import pullback as pb
from pullback.core import trees
from pullback.errors import ArgumentTypeError
from pullback.nn import Chain, Dense, Head, Layer, Residual, backpropagate

ROUNDING = 64 * np.finfo(float).eps


def relative(a, b):
    """Largest difference, relative to the largest element."""
    return np.max(np.abs(np.asarray(a) - b)) / max(np.max(np.abs(b)), 1e-300)


def slope(v):
    """The derivative of tanh."""
    return 1 - np.tanh(v) ** 2


# -- the residual network ------------------------------------------------------------------------


def residual_network(K, d, rng):
    layers = [
        Residual(rng.normal(size=(d, d)) / np.sqrt(d), rng.normal(size=d), 1.0 / K, "tanh")
        for _ in range(K)
    ]
    return Chain([*layers, Head(rng.normal(size=d), rng.normal(), "tanh")])


def residual_gradients(net, x):
    """∇F by the recursion A ← A + Wᵀ(hσ′(Wy + b) ⊙ A), with the gradients in all parameters."""
    *layers, head = net.layers
    z = [x]
    for layer in layers:
        z.append(z[-1] + layer.h * np.tanh(layer.W @ z[-1] + layer.b))
    eta = slope(head.w @ z[-1] + head.mu)
    gradients = [(eta * z[-1], eta)]
    A = eta * head.w
    for layer, y in zip(reversed(layers), reversed(z[:-1]), strict=True):
        v = layer.W @ y + layer.b
        B = layer.h * slope(v) * A
        gradients.insert(0, (np.outer(B, y), B, np.tanh(v) @ A))
        A = A + layer.W.T @ B
    return A, [part for layer in gradients for part in layer]


GRID = [(1, 1), (1, 64), (2, 5), (3, 2), (7, 16), (20, 4), (33, 9), (50, 1), (50, 3), (50, 64)]


@pytest.mark.parametrize(("K", "d"), GRID)
def test_the_residual_network_has_the_gradients_of_its_recursion(K, d):
    rng = np.random.default_rng([K, d])
    net, x = residual_network(K, d, rng), rng.normal(size=d)
    in_input, in_parameters = residual_gradients(net, x)
    gradient, x_bar = pb.grad(lambda net, x: net(x), argnums=(0, 1))(net, x)
    assert relative(x_bar, in_input) < 1e-12
    leaves = trees.flatten(gradient)[0]
    assert len(leaves) == len(in_parameters) == 3 * K + 2
    for leaf, by_hand in zip(leaves, in_parameters, strict=True):
        assert relative(leaf, by_hand) < 1e-12


@pytest.mark.parametrize(("K", "d"), GRID)
def test_the_residual_network_on_a_batch_sums_the_gradients_of_its_samples(K, d):
    rng = np.random.default_rng([K, d, 1])
    net, x, weights = residual_network(K, d, rng), rng.normal(size=(3, d)), rng.normal(size=3)
    gradient, x_bar = pb.grad(lambda net, x: weights @ net(x), argnums=(0, 1))(net, x)
    by_hand = [residual_gradients(net, row) for row in x]
    for row, factor, (in_input, _) in zip(x_bar, weights, by_hand, strict=True):
        assert relative(row, factor * in_input) < 1e-12
    for number, leaf in enumerate(trees.flatten(gradient)[0]):
        parts = [in_parameters[number] for _, in_parameters in by_hand]
        terms = [factor * part for factor, part in zip(weights, parts, strict=True)]
        assert np.max(np.abs(leaf - sum(terms))) < 1e-12 * np.max(np.abs(terms))


def test_forward_mode_gives_the_same_gradient():
    rng = np.random.default_rng(2)
    net, x = residual_network(6, 4, rng), rng.normal(size=4)
    forward = pb.jacobian(lambda x: net(x), mode="forward")(x)
    assert relative(forward, residual_gradients(net, x)[0]) < 1e-13


# -- the layered recursion -----------------------------------------------------------------------


def mixed_network(rng):
    return Chain(
        [
            Dense(rng.normal(size=(5, 3)), rng.normal(size=5), "tanh"),
            Residual(rng.normal(size=(5, 5)), rng.normal(size=5), 0.3, "logistic"),
            Dense(rng.normal(size=(4, 5)), None, "softplus"),
            Dense(rng.normal(size=(2, 4)), rng.normal(size=2), "identity"),
        ]
    )


def test_the_layered_recursion_with_jacobian_blocks():
    rng = np.random.default_rng(4)
    net, x, target = mixed_network(rng), rng.normal(size=3), rng.normal(size=2)
    record = backpropagate(net, pb.losses.l2, x, target, jacobians=True)
    y_bar = record.layers[-1].y - target
    for layer in reversed(record.layers):
        assert relative(layer.y_bar, y_bar) < 1e-13
        J = layer.jacobian
        n = layer.x.size
        theta_bar = np.concatenate([np.ravel(leaf) for leaf in trees.flatten(layer.theta_bar)[0]])
        assert J.shape == (layer.y.size, n + theta_bar.size)
        assert relative(theta_bar, J[:, n:].T @ y_bar) < 1e-13
        np.testing.assert_array_equal(layer.J_y, J[:, :n])
        y_bar = J[:, :n].T @ y_bar
    assert relative(record.x_bar, y_bar) < 1e-13


def test_jacobian_blocks_of_a_batch_are_those_of_its_samples():
    rng = np.random.default_rng(5)
    net = Chain([*mixed_network(rng).layers, Head(rng.normal(size=2), 0.1, "tanh")])
    x, target = rng.normal(size=(3, 3)), rng.normal(size=3)
    batch = backpropagate(net, pb.losses.l2, x, target, jacobians=True)
    for i in range(3):
        sample = backpropagate(net, pb.losses.l2, x[i], target[i], jacobians=True)
        for of_batch, of_sample in zip(batch.layers, sample.layers, strict=True):
            np.testing.assert_allclose(of_batch.J_y[i], of_sample.J_y, rtol=1e-12, atol=1e-14)
            np.testing.assert_allclose(
                of_batch.jacobian[i], of_sample.jacobian, rtol=1e-12, atol=1e-14
            )
    head = batch.layers[-1]
    assert head.J_y.shape == (3, 2)
    assert head.jacobian.shape == (3, 1, 2 + 3)
    assert batch.layers[1].J_theta.W.shape == (3, 5, 5, 5)
    assert batch.layers[1].J_theta.h.shape == (3, 5)


def test_delta_is_the_one_of_the_textbooks():
    """δ_r = σ′(v_r) ⊙ W_{r+1}ᵀ δ_{r+1} and ∂E/∂W_r = δ_r y_{r−1}ᵀ, for a batch of samples."""
    rng = np.random.default_rng(6)
    sizes = [3, 6, 4, 2]
    net = Chain(
        [
            Dense(rng.normal(size=(k, n)), rng.normal(size=k), "tanh")
            for n, k in itertools.pairwise(sizes)
        ]
    )
    x, target = rng.normal(size=(8, 3)), rng.normal(size=(8, 2))
    record = backpropagate(net, pb.losses.mse, x, target)
    last = record.layers[-1]
    delta = slope(last.v) * 2 * (last.y - target) / target.size
    for r in range(2, -1, -1):
        layer = record.layers[r]
        assert relative(layer.delta, delta) < 1e-13
        assert relative(layer.theta_bar.W, delta.T @ layer.x) < 1e-13
        assert relative(layer.theta_bar.b, delta.sum(axis=0)) < 1e-13
        if r:
            delta = slope(record.layers[r - 1].v) * (delta @ layer.layer.W)


@pytest.mark.parametrize("shape", [(3,), (7, 3)])
def test_backpropagation_agrees_with_grad_to_the_last_bits(shape):
    rng = np.random.default_rng(7)
    net, x = mixed_network(rng), rng.normal(size=shape)
    target = rng.normal(size=(*shape[:-1], 2))
    record = backpropagate(net, pb.losses.mse, x, target)
    value, (gradient, x_bar) = pb.value_and_grad(
        lambda net, x: pb.losses.mse(net(x), target), argnums=(0, 1)
    )(net, x)
    assert record.loss == value
    assert relative(record.x_bar, x_bar) < ROUNDING
    assert trees.flatten(record.gradient)[1] == trees.flatten(gradient)[1]
    leaves = (trees.flatten(g)[0] for g in (record.gradient, gradient))
    for ours, theirs in zip(*leaves, strict=True):
        assert np.shape(ours) == np.shape(theirs)
        assert relative(ours, theirs) < ROUNDING


# -- networks of one and two layers, as in a first course ------------------------------------------


def test_the_two_layer_network_has_the_derivatives_of_its_formulas():
    """z = φ(W₁x), ŷ = φ(W₂z); derivatives in W₂ and W₁ by the chain rule on 3-D arrays."""
    rng = np.random.default_rng(8)
    W1, W2 = rng.normal(size=(4, 3)), rng.normal(size=(2, 4))
    x, y = rng.normal(size=3), rng.normal(size=2)
    net = Chain([Dense(W1, activation="tanh"), Dense(W2, activation="tanh")])
    gradient = pb.grad(lambda net: pb.losses.mse(net(x), y))(net)

    z = np.tanh(W1 @ x)
    y_hat = np.tanh(W2 @ z)
    dL = 2 * (y_hat - y) / 2
    D2 = np.einsum("ki,j->kij", np.eye(2), z)
    D1 = np.einsum("ki,j->kij", np.eye(4), x)
    in_W2 = np.einsum("k,k,kij->ij", dL, slope(W2 @ z), D2)
    Dz = slope(W2 @ z)[:, None] * W2
    in_W1 = np.einsum("k,kl,l,lij->ij", dL, Dz, slope(W1 @ x), D1)
    assert relative(gradient.layers[1].W, in_W2) < 1e-14
    assert relative(gradient.layers[0].W, in_W1) < 1e-14


# -- the record ----------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, eq=False)
class Scale:
    """A layer that knows nothing of the library."""

    factor: Any

    def __call__(self, x):
        return self.factor * x


def test_layers_of_ones_own_have_no_delta_and_the_rest():
    net = Chain([Dense(np.eye(2), activation="tanh"), Scale(np.array([2.0, 3.0]))])
    x, target = np.array([0.5, -0.25]), np.zeros(2)
    record = backpropagate(net, pb.losses.l2, x, target, jacobians=True)
    scale = record.layers[1]
    assert scale.v is None
    assert scale.delta is None
    np.testing.assert_allclose(scale.theta_bar.factor, scale.y * np.tanh(x), rtol=1e-15)
    np.testing.assert_array_equal(scale.J_y, np.diag([2.0, 3.0]))
    np.testing.assert_allclose(
        record.layers[0].delta, slope(x) * np.array([4, 9]) * np.tanh(x), rtol=1e-15
    )


@dataclasses.dataclass(frozen=True, eq=False)
class Periodic(Layer):
    """A layer of one's own that tells its pre-activation."""

    W: Any
    frequency: float = dataclasses.field(default=1.0, metadata={"pytree_node": False})

    def pre_activation(self, x):
        return x @ self.W.T

    def output(self, x, v):
        return x + np.sin(self.frequency * v)


def test_layers_of_ones_own_that_tell_their_pre_activation_have_a_delta():
    rng = np.random.default_rng(10)
    net = Chain([Periodic(rng.normal(size=(2, 2)), 3.0), Head(np.ones(2))])
    x = rng.normal(size=(4, 2))
    record = backpropagate(net, pb.losses.l2, x, np.zeros(4))
    first = record.layers[0]
    assert relative(first.delta, 3 * np.cos(3 * first.v) * first.y_bar) < 1e-14
    assert relative(first.theta_bar.W, first.delta.T @ x) < 1e-14
    assert relative(record.x_bar, first.y_bar + first.delta @ net[0].W) < 1e-14
    assert first.theta_bar.frequency == 3.0


def test_functions_are_layers_without_parameters():
    net = Chain([Dense(np.eye(2)), np.tanh, Dense(np.ones((1, 2)))])
    x, target = np.array([[0.5, -0.25]]), np.zeros((1, 1))
    record = backpropagate(net, pb.losses.l2, x, target, jacobians=True)
    assert record.layers[1].jacobian.shape == (1, 2, 2)
    np.testing.assert_allclose(record.layers[1].J_y[0], np.diag(slope(x[0])), rtol=1e-15)
    gradient = pb.grad(lambda net: pb.losses.l2(net(x), target))(net)
    np.testing.assert_allclose(record.gradient[0].W, gradient[0].W, rtol=1e-14)
    assert repr(gradient).splitlines()[2] == "  2  tanh"


def test_a_single_layer_is_a_network():
    layer = Dense(np.eye(2), np.zeros(2))
    record = backpropagate(layer, pb.losses.l2, np.array([1, 2]), np.zeros(2))
    assert isinstance(record.gradient, Dense)
    np.testing.assert_array_equal(record.gradient.W, [[1, 2], [2, 4]])
    assert record.layers[0].jacobian is None
    assert repr(record) == (
        "Backpropagation, E = 2.5\n  1  LayerRecord(Dense(2 → 2, identity), ‖∂E/∂y‖ = 2.236)"
    )


def test_the_record_can_be_differentiated_in_its_turn():
    """The Hessian–vector product as the derivative of backpropagation along a direction."""
    rng = np.random.default_rng(9)
    net, x, target = mixed_network(rng), rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
    direction = trees.map_tree(lambda leaf: rng.normal(size=np.shape(leaf)), net)
    along = pb.pushforward(
        lambda net: backpropagate(net, pb.losses.mse, x, target).gradient, (net,), (direction,)
    )[1]
    (product,) = pb.hvp(lambda net: pb.losses.mse(net(x), target), (net,), (direction,))
    for ours, theirs in zip(*(trees.flatten(g)[0] for g in (along, product)), strict=True):
        assert relative(ours, theirs) < ROUNDING


def test_a_loss_for_each_sample_is_refused():
    net = Dense(np.eye(2))
    with pytest.raises(ArgumentTypeError, match=r"shape \(2,\), wanted a real floating scalar"):
        backpropagate(net, lambda y, t: y - t, np.ones(2), np.ones(2))
    with pytest.raises(ArgumentTypeError, match="loss is 'mse', wanted a function such as"):
        backpropagate(net, "mse", np.ones(2), np.ones(2))
