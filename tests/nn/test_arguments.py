"""What layers, networks and models are given: errors of their own for all that does not fit."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback import losses, nn
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.nn import activations, models
from tests.optim.odd import foreign

W, B, X, Y = np.eye(2), np.zeros(2), np.ones((3, 2)), np.array([1.0, 0.0, 1.0])
DRAWN = {"activation": "tanh", "rng": 0, "scheme": "he", "dtype": float}
NET = nn.Chain([nn.Dense(W, B, "tanh"), nn.Head(np.ones(2))])
FIT = {"x": X, "target": Y, "epochs": 1, "callback": None}

CALLS = {
    "Dense": (nn.Dense, {"W": W, "b": B, "activation": "tanh"}),
    "Residual": (nn.Residual, {"W": W, "b": B, "h": 1.0, "activation": "tanh"}),
    "Head": (nn.Head, {"w": B, "mu": 0.0, "activation": "tanh"}),
    "Dense.initialize": (nn.Dense.initialize, {"n_in": 2, "n_out": 3, "bias": True, **DRAWN}),
    "Residual.initialize": (nn.Residual.initialize, {"d": 2, "h": 1.0, "bias": True, **DRAWN}),
    "Head.initialize": (nn.Head.initialize, {"d": 2, **DRAWN}),
    "Chain": (nn.Chain, {"layers": [nn.Dense(W)]}),
    "Chain of": (lambda layer: nn.Chain([nn.Dense(W), layer]), {"layer": nn.Head(B)}),
    "Function": (nn.Function, {"function": np.tanh}),
    "glorot": (nn.glorot, {"n_in": 2, "n_out": 2, "rng": 0}),
    "he": (nn.he, {"n_in": 2, "n_out": 2, "rng": 0}),
    **{
        f"{type(net).__name__} of an input": (lambda x, net=net: net(x), {"x": X})
        for net in (nn.Dense(W, B, "tanh"), nn.Residual(W), nn.Head(B), NET)
    },
    "backpropagate": (
        nn.backpropagate,
        {"net": NET, "loss": losses.mse, "x": X, "target": Y, "jacobians": False},
    ),
    **{
        f"activations.{name}": (function, {"v": X})
        for name, function in activations.ACTIVATIONS.items()
    },
    "by_name": (activations.by_name, {"activation": "tanh"}),
    "linear_regression": (models.linear_regression, {"n": 2, "penalty": 0.1}),
    "logistic_regression": (models.logistic_regression, {"n": 2, "penalty": 0.1}),
    "softmax_regression": (models.softmax_regression, {"n": 2, "classes": 3, "penalty": 0.1}),
    "perceptron": (models.perceptron, {"n": 2, "rng": 0}),
    "linear_svm": (models.linear_svm, {"n": 2, "penalty": 0.1}),
    "one_layer_network": (
        models.one_layer_network,
        {"n": 2, "n_out": 1, "activation": "tanh", "rng": 0, "loss": losses.mse},
    ),
    "two_layer_network": (
        models.two_layer_network,
        {"n": 2, "hidden": 3, "n_out": 1, "activation": "tanh", "output": "tanh", "rng": 0,
         "loss": losses.mse},
    ),
    "residual_network": (
        models.residual_network,
        {"d": 2, "depth": 2, "h": 0.5, "activation": "tanh", "output": "tanh", "rng": 0,
         "loss": losses.mse},
    ),
    "Model": (
        nn.Model,
        {"network": nn.Head(B), "loss": losses.mse, "method": "BFGS", "decide": np.sign,
         "penalty": 0.1, "columns": ("a", "b")},
    ),
    "fit by SciPy": (
        models.linear_regression(2).fit, {**FIT, "method": "BFGS", "tol": 1e-3}),
    "fit by descent": (
        models.linear_regression(2).fit,
        {**FIT, "method": pb.optim.Adam(), "batch_size": 2, "rng": 0}),
    "predict": (models.linear_regression(2).predict, {"x": X}),
    "objective": (
        models.linear_regression(2, 0.1).objective,
        {"network": nn.Head(B), "x": X, "target": Y}),
    **{
        f"losses.{name}": (
            getattr(losses, name), {"prediction": np.array([0.1, 0.2, 0.3]), "target": target})
        for names, target in (
            (("l2", "mse", "mae", "binary_cross_entropy"), Y),
            (("hinge", "perceptron", "zero_one"), 2 * Y - 1),
        )
        for name in names
    },
    "losses.softmax_cross_entropy": (
        losses.softmax_cross_entropy,
        {"prediction": X, "target": np.array([0, 1, 1]), "reduction": "mean"}),
    "losses' words": (
        losses.binary_cross_entropy,
        {"prediction": np.array([0.1]), "target": Y[:1], "from_logits": True, "reduction": "sum"}),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_every_odd_argument_is_taken_or_refused_in_our_words(name):
    call, arguments = CALLS[name]
    by_descent = {"epochs"} if name == "fit by descent" else set()
    assert foreign(call, arguments, skip=by_descent) == []


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: nn.Dense.initialize(2, 3, rng=0, dtype=int), ArgumentTypeError,
         r"Dense.initialize: dtype is int64, wanted a floating dtype"),
        (lambda: nn.Dense.initialize(2, 3, rng=0, dtype="flaot"), ArgumentTypeError,
         r"did you mean 'float'\?"),
        (lambda: nn.Head.initialize(2, rng=0, dtype=complex), ArgumentTypeError,
         r"Head.initialize: dtype is complex128"),
        (lambda: nn.Dense.initialize(-2, 3, rng=0), ArgumentValueError,
         r"Dense.initialize: n_in is -2, wanted a whole number of at least 1"),
        (lambda: nn.Residual.initialize(2.0, rng=0), ArgumentTypeError,
         r"Residual.initialize: d is 2.0, wanted a whole number of at least 1; write 2"),
        (lambda: nn.Dense.initialize(2, 3, rng=0, bias="False"), ArgumentTypeError,
         r"bias is 'False', wanted True or False"),
        (lambda: nn.Dense.initialize(2, 3, rng=-1), ArgumentValueError,
         r"rng is -1, wanted a whole number of at least 0, or a numpy.random.Generator"),
        (lambda: nn.Dense.initialize(2, 3, rng=None), ArgumentTypeError,
         r"rng is None.* rng=np.random.default_rng\(0\)"),
        (lambda: nn.Dense.initialize(2, 3, "tahn", rng=0), ArgumentValueError,
         r"Dense.initialize: activation is 'tahn'.* did you mean 'tanh'"),
        (lambda: nn.Dense([[1.0], [1.0, 2.0]]), ArgumentValueError,
         r"Dense: W is a list whose rows differ in length"),
        (lambda: nn.Dense(np.ma.masked_less(W, 1)), ArgumentTypeError, r"Dense: W is a masked"),
        (lambda: nn.Residual(W, B, True), ArgumentTypeError, r"Residual: h is True"),
        (lambda: nn.Residual(W, B, float("nan")), ArgumentValueError, r"Residual: h is nan"),
        (lambda: nn.Residual(W, B, 1.0, np.sum)(X), ArgumentValueError,
         r"Residual\(2 → 2, sum, h=1\): the activation makes .* of an array of shape \(3, 2\)"),
        (lambda: nn.Residual(W, B, 1.0, lambda v: "x")(X), ArgumentValueError,
         r"the activation makes a str of an array"),
        (lambda: nn.Residual(W).output(X, X[0]), ArgumentValueError,
         r"x has shape \(3, 2\) and v \(2,\), wanted"),
        (lambda: nn.Chain([nn.Dense(W), nn.Head]), ArgumentTypeError,
         r"Chain: layer 2 is the class Head, .* call it: Head\(\.\.\.\)"),
        (lambda: NET["first"], ArgumentTypeError, r"Chain: the index is 'first'"),
        (lambda: nn.backpropagate(NET, losses.mse, X, Y, "yes"), ArgumentTypeError,
         r"backpropagate: jacobians is 'yes'"),
        (lambda: nn.glorot(0, 2, 0), ArgumentValueError, r"glorot: n_in is 0"),
        (lambda: models.softmax_regression(10**20, 10**20), ArgumentValueError,
         r"softmax_regression: \(classes, n\) is too large for an array"),
        (lambda: models.logistic_regression(2, "0.1"), ArgumentTypeError,
         r"logistic_regression: penalty is '0.1'"),
        (lambda: models.linear_regression(2).fit(X, Y, maxiter=3), ArgumentTypeError,
         r"fit: there is no option 'maxiter' of L-BFGS-B, wanted bounds, tol, callback"),
        (lambda: models.linear_regression(2).fit(X, Y, batch_size=3), ArgumentTypeError,
         r"fit: there is no option 'batch_size' of L-BFGS-B"),
        (lambda: models.linear_regression(2).fit(X, Y, method=pb.optim.Adam), ArgumentTypeError,
         r"fit: method is the class Adam, .*Adam\(\.\.\.\)"),
        (lambda: nn.Model(nn.Head(B), losses.mse, "adma"), ArgumentValueError,
         r"Model: method is 'adma', wanted 'sgd', .*; did you mean 'adam'"),
        (lambda: losses.mse(B, B, reduction=np.ones(2)), ArgumentTypeError,
         r"losses.mse: reduction is .* wanted 'mean', 'sum' or 'none'"),
        (lambda: losses.mse(B, B, reduction="maen"), ArgumentValueError, r"did you mean 'mean'"),
        (lambda: losses.binary_cross_entropy(B, B, from_logits="no"), ArgumentTypeError,
         r"losses.binary_cross_entropy: from_logits is 'no'"),
        (lambda: activations.relu(np.ones(2) * 1j), ArgumentTypeError,
         r"activations.relu: v .* complex128 .* wanted an array of real numbers"),
    ],
)  # fmt: skip
def test_what_is_said(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_numbers_of_numpy_are_numbers():
    a = nn.Dense.initialize(np.int64(2), np.uint8(3), rng=np.int64(0), bias=np.True_)
    b = nn.Dense.initialize(2, 3, rng=0)
    np.testing.assert_array_equal(a.W, b.W)
    assert nn.Dense.initialize(2, 3, rng=0, dtype="float32").b.dtype == np.float32
    np.testing.assert_array_equal(nn.he(2, 3, 0), nn.he(2, 3, np.random.default_rng(0)))
    assert activations.logistic(np.array([True])).dtype == np.float64


def test_a_loss_of_ones_own_that_cannot_be_hashed():
    class Loss:
        __hash__ = None

        def __call__(self, prediction, target):
            return losses.mse(prediction, target)

    model = models.one_layer_network(2, 2, rng=0, loss=Loss())
    assert model.predict(X).shape == (3, 2)
