"""Layers and chains: values, derivatives of single layers, constructors, errors and text."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import pullback as pb
from pullback.core import trees
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.nn import Chain, Dense, Head, Residual

# -- values ------------------------------------------------------------------------------------


def test_layers_are_their_formulas_for_samples_and_batches():
    rng = np.random.default_rng(3)
    W, b, w = rng.normal(size=(3, 2)), rng.normal(size=3), rng.normal(size=2)
    S, x = rng.normal(size=(2, 2)), rng.normal(size=(5, 2))
    layers = {
        Dense(W, b, "tanh"): lambda x: np.tanh(W @ x + b),
        Dense(W, activation="tanh"): lambda x: np.tanh(W @ x),
        Residual(S, w, 0.25, "tanh"): lambda x: x + 0.25 * np.tanh(S @ x + w),
        Residual(S, h=0.25, activation=np.sin): lambda x: x + 0.25 * np.sin(S @ x),
        Head(w, 0.5, "tanh"): lambda x: np.tanh(w @ x + 0.5),
    }
    for layer, formula in layers.items():
        expected = np.array([formula(row) for row in x])
        np.testing.assert_allclose(layer(x), expected, rtol=1e-14)
        np.testing.assert_allclose(layer(x[0]), expected[0], rtol=1e-14)
        np.testing.assert_allclose(Chain([layer])(x), expected, rtol=1e-14)


def test_the_derivative_of_a_product_in_its_matrix_is_a_three_dimensional_array():
    """∂g_k/∂W_ij = x_j for i = k and 0 otherwise."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=4)
    layer = Dense(rng.normal(size=(3, 4)))
    D = pb.jacobian(lambda layer: layer(x))(layer).W
    np.testing.assert_array_equal(D, np.einsum("ki,j->kij", np.eye(3), x))


def test_the_derivative_of_a_single_layer_is_the_chain_rule_on_that_array():
    """∂z_k/∂W_ij = φ′(g_k) D_ij g_k."""
    rng = np.random.default_rng(3)
    x, W = rng.normal(size=4), rng.normal(size=(3, 4))
    D = pb.jacobian(lambda layer: layer(x))(Dense(W, activation="tanh")).W
    slope = 1 - np.tanh(W @ x) ** 2
    np.testing.assert_allclose(D, np.einsum("k,ki,j->kij", slope, np.eye(3), x), rtol=1e-15)


def test_parameters_are_the_leaves():
    net = Chain([Residual(np.eye(2), np.ones(2), 0.1, "tanh"), Head(np.ones(2), 0.0)])
    leaves, spec = trees.flatten(net)
    assert [np.shape(leaf) for leaf in leaves] == [(2, 2), (2,), (), (2,), ()]
    assert trees.leaf_paths(spec)[0] == ".layers[0].W"
    assert trees.unflatten(spec, leaves).layers[0].activation is pb.nn.activations.tanh
    assert dataclasses.replace(net.layers[0], h=0.5).h == 0.5


def test_single_precision_stays_single_precision():
    rng = np.random.default_rng(3)
    rng = np.random.default_rng(0)
    net = Chain(
        [
            Dense.initialize(3, 2, "logistic", rng=rng, dtype=np.float32),
            Residual.initialize(2, 0.1, "softplus", rng=rng, dtype=np.float32),
            Head.initialize(2, "relu", rng=rng, dtype=np.float32),
        ]
    )
    x = rng.normal(size=(4, 3)).astype(np.float32)
    value, gradient = pb.value_and_grad(lambda net: pb.losses.mse(net(x), np.ones(4, "f4")))(net)
    assert {np.asarray(leaf).dtype for leaf in [value, *trees.flatten(gradient)[0]]} == {
        np.dtype(np.float32)
    }


def test_inputs_may_be_put_together_from_traced_scalars():
    head = Head(np.array([2.0, 3.0]), 0.0, "tanh")
    assert pb.grad(lambda q, p: head(np.array([q, p])), 1)(0.25, -0.5) == 3 * (1 - np.tanh(-1) ** 2)


def test_a_step_can_be_held_fixed():
    layer = Residual(np.eye(2), np.zeros(2), 0.5, "tanh")

    def objective(layer):
        fixed = dataclasses.replace(layer, h=pb.stop_gradient(layer.h))
        return np.sum(fixed(np.ones(2)))

    gradient = pb.grad(objective)(layer)
    assert gradient.h == 0
    np.testing.assert_array_equal(gradient.W, pb.grad(lambda net: np.sum(net(np.ones(2))))(layer).W)


# -- constructors --------------------------------------------------------------------------------


@pytest.mark.parametrize(("scheme", "variance"), [("glorot", 2 / 500), ("he", 2 / 300)])
def test_initial_weights_have_the_variance_of_their_scheme(scheme, variance):
    layer = Dense.initialize(300, 200, "relu", rng=np.random.default_rng(1), scheme=scheme)
    assert layer.W.shape == (200, 300)
    assert abs(layer.W.mean()) < 4 * np.sqrt(variance / layer.W.size)
    assert layer.W.var() == pytest.approx(variance, rel=0.02)
    np.testing.assert_array_equal(layer.b, np.zeros(200))
    if scheme == "glorot":
        assert np.abs(layer.W).max() <= np.sqrt(6 / 500)


def test_a_generator_or_a_seed_determines_the_weights():
    first = Residual.initialize(4, 0.1, "tanh", rng=np.random.default_rng(7))
    second = Residual.initialize(4, 0.1, "tanh", rng=7)
    np.testing.assert_array_equal(first.W, second.W)
    rng = np.random.default_rng(7)
    heads = [Head.initialize(4, rng=rng), Head.initialize(4, rng=rng)]
    assert not np.array_equal(heads[0].w, heads[1].w)
    assert Dense.initialize(2, 3, rng=rng, bias=False).b is None


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: Dense(np.ones(3), np.ones(3)), ArgumentValueError, r"Dense: W has shape \(3,\)"),
        (
            lambda: Dense(np.ones((3, 2)), np.ones(2)),
            ArgumentValueError,
            r"Dense: b has shape \(2,\), wanted \(3,\), one value for each row",
        ),
        (lambda: Dense(np.ones((3, 2)) * 1j), ArgumentTypeError, r"Dense: W is .*dtype complex128"),
        (
            lambda: Residual(np.ones((3, 2))),
            ArgumentValueError,
            r"Residual: W has shape \(3, 2\), wanted a square matrix",
        ),
        (
            lambda: Residual(np.eye(2), h=np.ones(2)),
            ArgumentValueError,
            r"Residual: h has shape \(2,\), wanted a scalar",
        ),
        (lambda: Head(np.ones((2, 2))), ArgumentValueError, r"Head: w .* wanted a vector"),
        (
            lambda: Dense.initialize(0, 2, rng=0),
            ArgumentValueError,
            r"Dense.initialize: n_in is 0, wanted a whole number of at least 1",
        ),
        (
            lambda: Dense.initialize(2, 2, rng=0, scheme="lecun"),
            ArgumentValueError,
            r"scheme is 'lecun', wanted 'glorot' or 'he'",
        ),
        (
            lambda: Dense.initialize(2, 2, rng=np.random),
            ArgumentTypeError,
            r"rng is the module numpy.random, wanted",
        ),
        (lambda: Chain([]), ArgumentValueError, r"layers is empty"),
        (lambda: Chain(Head(np.ones(2))), ArgumentTypeError, r"layers is a Head, wanted a list"),
        (lambda: Chain([1.0]), ArgumentTypeError, r"layer 1 is 1.0, wanted a layer"),
        (
            lambda: Chain([Dense(np.ones((3, 2))), Dense(np.ones((2, 4)))]),
            ArgumentValueError,
            r"layer 2, Dense\(4 → 2, .*\), takes 4 values; layer 1, Dense\(2 → 3, .*\), gives 3",
        ),
    ],
)
def test_parameters_that_do_not_fit_are_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_an_input_of_the_wrong_size_is_reported_with_its_layer():
    net = Chain([lambda x: x[..., :2], Dense(np.ones((4, 3)), activation="tanh")])
    words = r"layer 2: Dense\(3 → 4, tanh\): got an input of shape \(5, 2\), wanted \(3,\) .*"
    with pytest.raises(ArgumentValueError, match=words + r"or \(m, 3\) for a batch"):
        net(np.ones((5, 3)))
    with pytest.raises(ArgumentValueError, match=words):
        pb.nn.backpropagate(net, pb.losses.l2, np.ones((5, 3)), np.ones((5, 4)))
    with pytest.raises(ArgumentValueError, match="transpose it: samples lie along the first axis"):
        net[1](np.ones((3, 5)))
    with pytest.raises(ArgumentValueError, match=r"got an input of shape \(\)"):
        net[1](1.0)


# -- text ----------------------------------------------------------------------------------------


def test_networks_print_a_line_per_layer():
    net = Chain(
        [
            Dense(np.ones((3, 8)), np.ones(3), "relu"),
            Residual(np.ones((3, 3)), np.ones(3), 1 / 3, "tanh"),
            Chain([Dense(np.ones((2, 3)))]),
            Head(np.ones(2), 0.0, "logistic"),
        ]
    )
    assert repr(net).splitlines() == [
        "Chain, 49 parameters",
        "  1  Dense(8 → 3, relu)",
        "  2  Residual(3 → 3, tanh, h=0.3333)",
        "  3  Chain, 6 parameters",
        "       1  Dense(3 → 2, identity)",
        "  4  Head(2 → 1, logistic)",
    ]
    assert (net.n_in, net.n_out, len(net), net[3], list(net)) == (
        8, 1, 4, net.layers[3], list(net.layers),
    )  # fmt: skip


def test_layers_print_while_they_are_differentiated():
    seen = []

    def f(layer):
        seen.append(repr(layer))
        return np.sum(layer(np.ones(2)))

    pb.grad(f)(Residual(np.eye(2), np.zeros(2), 0.5, "tanh"))
    assert seen == ["Residual(2 → 2, tanh, h=0.5)"]


def test_a_layer_of_the_users_own_without_its_methods_is_told_which():
    class Unfinished(pb.nn.Layer):
        pass

    with pytest.raises(NotImplementedError, match=r"Unfinished has no method pre_activation\("):
        Unfinished()(np.ones(2))
    with pytest.raises(NotImplementedError, match=r"Unfinished has no method output\(self, x, v\)"):
        Unfinished().output(np.ones(2), np.ones(2))
