"""The classical models, fitted: against closed solutions, optimality conditions and data."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize

import pullback as pb
from pullback import nn
from pullback.core import trees
from pullback.errors import ArgumentValueError
from pullback.nn import models


def gradient_size(model, x, target):
    gradient = pb.grad(model.objective)(model.network, x, target)
    return max(np.max(np.abs(leaf)) for leaf in trees.flatten(gradient)[0])


@pytest.fixture
def clouds():
    """Two overlapping clouds of points with their classes 0 and 1."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 40)
    return rng.normal(size=(80, 2)) + 1.5 * labels[:, np.newaxis], labels


@pytest.fixture
def separable():
    """Two clouds with a gap between them, and labels −1 and +1."""
    rng = np.random.default_rng(1)
    labels = np.repeat([-1, 1], 30)
    return rng.uniform(-1, 1, size=(60, 2)) + 1.5 * labels[:, np.newaxis], labels


def test_linear_regression_solves_the_normal_equations():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(50, 3)), rng.normal(size=50)
    model = models.linear_regression(3).fit(x, y, tol=1e-14)
    X = np.column_stack([x, np.ones(50)])
    solution = np.linalg.solve(X.T @ X, X.T @ y)
    np.testing.assert_allclose(model.network.w, solution[:3], rtol=1e-7)
    np.testing.assert_allclose(model.network.mu, solution[3], rtol=1e-7)
    np.testing.assert_allclose(model.predict(x), X @ solution, atol=1e-7)


def test_ridge_regression_solves_the_shifted_normal_equations():
    rng = np.random.default_rng(3)
    x, y, penalty = rng.normal(size=(50, 3)), rng.normal(size=50), 0.3
    model = models.linear_regression(3, penalty).fit(x, y, tol=1e-14)
    X = np.column_stack([x, np.ones(50)])
    shift = penalty * 50 / 2 * np.diag([1, 1, 1, 0])
    solution = np.linalg.solve(X.T @ X + shift, X.T @ y)
    np.testing.assert_allclose(model.network.w, solution[:3], rtol=1e-7)


def test_logistic_regression_reaches_the_minimum_that_scipy_finds(clouds):
    x, labels = clouds
    model = models.logistic_regression(2, 0.01).fit(x, labels)

    def objective(theta):
        z = x @ theta[:2] + theta[2]
        return np.mean(np.logaddexp(0, z) - labels * z) + 0.005 * theta[:2] @ theta[:2]

    best = scipy.optimize.minimize(objective, np.zeros(3), tol=1e-10)
    np.testing.assert_allclose([*model.network.w, model.network.mu], best.x, atol=1e-4)
    assert gradient_size(model, x, labels) < 1e-4
    assert set(model.predict(x)) == {0, 1}
    assert np.mean(model.predict(x) == labels) > 0.8


def test_softmax_regression_of_two_classes_is_logistic_regression(clouds):
    x, labels = clouds
    softmax = models.softmax_regression(2, 2, 0.02).fit(x, labels)
    logistic = models.logistic_regression(2, 0.01).fit(x, labels)
    difference = softmax.network.W[1] - softmax.network.W[0]
    np.testing.assert_allclose(difference, logistic.network.w, atol=1e-3)
    np.testing.assert_array_equal(softmax.predict(x), logistic.predict(x))


def test_the_perceptron_takes_rosenblatts_steps_until_all_are_right(separable):
    x, labels = separable
    start = models.perceptron(2, rng=0)
    w, mu = start.network.w.copy(), 0.0
    order = np.random.default_rng(4).permutation(60)
    for i in order:
        if labels[i] * (w @ x[i] + mu) < 0:
            w, mu = w + labels[i] * x[i], mu + labels[i]
    epoch = start.fit(x, labels, epochs=1, batch_size=1, rng=4)
    np.testing.assert_allclose(epoch.network.w, w, rtol=1e-14)
    np.testing.assert_allclose(epoch.network.mu, mu, rtol=1e-14)
    model = start.fit(x, labels, epochs=20, batch_size=1, rng=4)
    np.testing.assert_array_equal(model.predict(x), labels)
    assert pb.losses.zero_one(model.score(x), labels) == 0


def test_the_support_vector_machine_reaches_the_least_objective(separable):
    x, labels = separable
    penalty = 0.1
    model = models.linear_svm(2, penalty).fit(x, labels, epochs=1000)

    # The same problem with slack variables, as a quadratic programme for an independent solver.
    def objective(theta):
        return np.mean(theta[3:]) + penalty / 2 * theta[:2] @ theta[:2]

    margins = {
        "type": "ineq",
        "fun": lambda theta: theta[3:] - 1 + labels * (x @ theta[:2] + theta[2]),
    }
    bounds = [(None, None)] * 3 + [(0, None)] * 60
    start = np.concatenate([np.zeros(3), np.ones(60)])
    best = scipy.optimize.minimize(
        objective, start, method="SLSQP", bounds=bounds, constraints=margins
    )
    assert best.success
    reached = model.objective(model.network, x, labels)
    assert best.fun - 1e-9 <= reached < 1.001 * best.fun
    np.testing.assert_array_equal(model.predict(x), labels)


@pytest.mark.parametrize(
    "make",
    [
        lambda: models.two_layer_network(2, 8, 2, rng=0, loss=pb.losses.softmax_cross_entropy),
        lambda: models.residual_network(2, 6, rng=0, loss=pb.losses.hinge),
        lambda: models.two_layer_network(2, 8, 2, "relu", "tanh", rng=1),
    ],
)
def test_networks_learn_what_no_line_separates(make):
    """Exclusive or: the class is the sign of x₁x₂."""
    rng = np.random.default_rng(5)
    x = rng.uniform(-1, 1, size=(200, 2))
    x += 0.2 * np.sign(x)
    classes = (x[:, 0] * x[:, 1] > 0).astype(int)
    model = make()
    target = {
        pb.losses.softmax_cross_entropy: classes,
        pb.losses.hinge: 2 * classes - 1,
        pb.losses.mse: np.eye(2)[classes],
    }[model.loss]
    fitted = model.fit(x, target, method=pb.optim.Adam(0.03), epochs=40, batch_size=20, rng=rng)
    predicted = fitted.predict(x)
    right = (
        predicted.argmax(axis=1) == classes
        if model.loss is pb.losses.mse
        else (predicted == target)
    )
    assert np.mean(right) > 0.95
    assert fitted.loss(fitted.score(x), target) < 0.2 * model.loss(model.score(x), target)


def test_a_one_layer_network_recovers_its_own_weights():
    rng = np.random.default_rng(6)
    truth = models.one_layer_network(3, 2, rng=rng).network
    x = rng.normal(size=(100, 3))
    model = models.one_layer_network(3, 2, rng=1).fit(x, truth(x), epochs=500)
    np.testing.assert_allclose(model.network.W, truth.W, atol=1e-3)


def test_probabilities_decide_at_one_half():
    model = models.two_layer_network(
        1, 4, 1, output="logistic", rng=0, loss=pb.losses.binary_cross_entropy
    )
    x = np.linspace(-1, 1, 20)[:, np.newaxis]
    labels = (x > 0).astype(int)
    fitted = model.fit(x, labels)
    np.testing.assert_array_equal(fitted.predict(x), labels)


def test_a_penalty_is_on_the_weights_of_layers_inside_of_layers():
    inner = nn.Chain([nn.Dense.initialize(4, 3, rng=0), nn.LayerNorm.initialize(3)])
    cell = nn.GRUCell.initialize(2, 4, rng=1)
    net = nn.Chain([nn.Recurrent(cell), lambda h: h[:, -1], inner, nn.Head.initialize(3, rng=2)])
    x, y = np.ones((5, 6, 2)), np.zeros(5)
    loss, whole = (
        nn.Model(net, pb.losses.mse, penalty=penalty).objective(net, x, y) for penalty in (0, 0.5)
    )
    weights = cell.W, cell.U, inner[0].W, net[3].w
    np.testing.assert_allclose(whole - loss, sum(np.sum(w**2) for w in weights) / 4, rtol=1e-12)


def test_dropout_that_would_drop_nothing_is_refused():
    layers = [nn.Dropout(0.5), nn.Head.initialize(2, rng=0)]
    model = nn.Model(nn.Chain([nn.Chain(layers)]), pb.losses.mse)
    with pytest.raises(ArgumentValueError, match=r"fit: the network has a Dropout\(0.5\), which"):
        model.fit(np.ones((3, 2)), np.ones(3))


def test_models_print_their_parts():
    assert repr(models.linear_svm(2, 0.5)) == (
        "Model(loss=hinge, penalty=0.5, network=Head(2 → 1, identity))"
    )


def test_arguments_that_do_not_fit():
    with pytest.raises(ArgumentValueError, match="linear_svm: penalty is 0, wanted a positive"):
        models.linear_svm(2, 0)
    with pytest.raises(ArgumentValueError, match="penalty is -1, wanted a finite number at"):
        models.linear_regression(2, -1)
    with pytest.raises(ArgumentValueError, match="residual_network: depth is 0"):
        models.residual_network(2, 0, rng=0)
    with pytest.raises(ArgumentValueError, match=r"labels 0 and 1.*2 \* target - 1"):
        models.linear_svm(2).fit(np.ones((2, 2)), np.array([0, 1]))


def test_a_search_that_ends_early_says_so_and_can_go_on(clouds):
    x, labels = clouds
    model = models.logistic_regression(2, 0.01)
    with pytest.warns(RuntimeWarning, match=r"L-BFGS-B stopped before it converged, after 2 iter"):
        early = model.fit(x, labels, epochs=2)
    fitted = early.fit(x, labels)
    assert gradient_size(fitted, x, labels) < 1e-4 < gradient_size(early, x, labels)
