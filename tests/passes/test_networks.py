"""Gradients of networks: nothing of no use is left in them, at three times the primal's cost."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.nn import Chain, Dense, Head, Residual, models
from pullback.nn.activations import ACTIVATIONS
from pullback.passes.simplification import simplify
from tests.passes.agreement import assert_agree
from tests.passes.inspection import findings

rng = np.random.default_rng(0)


def residual_chain(layers, n, activation, output="identity"):
    """A chain of residual layers of one width, and a head."""
    blocks = [
        Residual(rng.normal(size=(n, n)), rng.normal(size=n), 0.1, activation)
        for _ in range(layers)
    ]
    return Chain([*blocks, Head(rng.normal(size=n), rng.normal(), output)])


def two_layers(n, hidden, activation):
    first = Dense(rng.normal(size=(hidden, n)), rng.normal(size=hidden), activation)
    return Chain([first, Dense(rng.normal(size=(2, hidden)), rng.normal(size=2), "identity")])


def problems(m, n):
    """Networks, objectives, samples and targets, by name."""
    x, y = rng.normal(size=(m, n)), rng.normal(size=m)
    signs = np.where(y > 0, 1.0, -1.0)
    classes = np.eye(3)[rng.integers(0, 3, m)]
    found = {}
    for name, model, target in (
        ("linear regression", models.linear_regression(n, penalty=0.1), y),
        ("support vector machine", models.linear_svm(n), signs),
        ("logistic regression", models.logistic_regression(n), (signs > 0) * 1.0),
        ("perceptron", models.perceptron(n, rng=0), signs),
        ("softmax regression", models.softmax_regression(n, 3), classes),
    ):
        found[name] = (model.objective, model.network, x, target)
    for activation in ACTIVATIONS:
        for loss in (pb.losses.mse, pb.losses.l2):
            what = f"{activation}, {loss.__name__}"
            found[f"two layers, {what}"] = (
                _objective(loss), two_layers(n, 5, activation), x, rng.normal(size=(m, 2)),
            )  # fmt: skip
            if activation != "softmax":
                found[f"residual chain, {what}"] = (
                    _objective(loss), residual_chain(4, n, activation), x, y,
                )  # fmt: skip
    return found


def _objective(loss):
    return lambda net, x, target: loss(net(x), target)


@pytest.mark.parametrize(("m", "n"), [(1, 1), (3, 2), (16, 8), (32, 40)])
def test_a_gradient_costs_three_times_its_primal(m, n):
    for name, (objective, net, x, target) in problems(m, n).items():
        primal = simplify(pb.trace(objective, net, x, target))
        for argnums in (0, (0, 1)):  # in the parameters, and in the samples too
            graph = pb.trace(pb.grad(objective, argnums), net, x, target)
            gradient = simplify(graph)
            ratio = gradient.cost().operations / primal.cost().operations
            assert ratio <= 3, f"{name}, {argnums}: {ratio}\n{primal}\n{gradient}"
            assert findings(gradient) == [], f"{name}\n{graph}\n{gradient}"
            assert_agree(gradient(net, x, target), graph(net, x, target), name)


@pytest.mark.parametrize("jacobians", [False, True])
def test_backpropagation(jacobians):
    net, x, target = residual_chain(3, 4, "tanh"), rng.normal(size=(5, 4)), rng.normal(size=5)

    def record(net, x, target):
        found = pb.nn.backpropagate(net, pb.losses.mse, x, target, jacobians=jacobians)
        layers = [(r.x, r.v, r.y, r.y_bar, r.delta, r.theta_bar, r.J_y) for r in found.layers]
        return found.loss, layers, found.gradient, found.x_bar

    graph = pb.trace(record, net, x, target)
    simplified = simplify(graph)
    assert findings(simplified) == []
    assert_agree(simplified(net, x, target), graph(net, x, target))
    if not jacobians:
        primal = simplify(pb.trace(_objective(pb.losses.mse), net, x, target))
        assert simplified.cost().operations <= 3 * primal.cost().operations


@pytest.mark.parametrize("depth", [1, 2, 8, 32])
def test_whatever_the_depth(depth):
    net, x, y = residual_chain(depth, 6, "tanh"), rng.normal(size=(4, 6)), rng.normal(size=4)
    objective = _objective(pb.losses.mse)
    primal = simplify(pb.trace(objective, net, x, y)).cost().operations
    gradient = simplify(pb.trace(pb.grad(objective), net, x, y))
    assert gradient.cost().operations <= 3 * primal
    per_layer = len(gradient.equations) / depth
    assert per_layer <= 26


def test_per_example_gradients():
    net, x, y = residual_chain(2, 3, "logistic"), rng.normal(size=(5, 3)), rng.normal(size=5)
    f = pb.vmap(pb.grad(_objective(pb.losses.l2)), in_axes=(None, 0, 0))
    graph = pb.trace(f, net, x, y)
    simplified = simplify(graph)
    assert findings(simplified) == [], simplified
    assert_agree(simplified(net, x, y), graph(net, x, y))


def test_hessians():
    net, x, y = two_layers(2, 3, "softplus"), rng.normal(size=2), rng.normal(size=2)
    objective = _objective(pb.losses.l2)
    graph = pb.trace(pb.hessian(lambda x: objective(net, x, y)), x)
    simplified = simplify(graph)
    assert findings(simplified) == [], simplified
    assert_agree(simplified(x), graph(x))
    graph = pb.trace(lambda net: pb.hvp(lambda net: objective(net, x, y), (net,), (net,)), net)
    simplified = simplify(graph)
    assert findings(simplified) == [], simplified
    assert_agree(simplified(net), graph(net))
