"""The classical models of regression and classification: a network, a loss, and how to fit it.

Each is a few lines, and each is fitted and asked in the same way::

    model = pb.nn.models.logistic_regression(2).fit(x, labels)
    model.predict(x)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback import losses, optim
from pullback.core.creation import require_shape
from pullback.core.validation import require_number
from pullback.nn.activations import Activation, by_name, identity
from pullback.nn.chain import Chain
from pullback.nn.initialization import Seed, require_count, require_seed
from pullback.nn.layers import Dense, Head, Residual
from pullback.nn.model import (
    Array,
    Loss,
    Model,
    largest,
    probable,
    sign,
    strength,
    value,
    zero_or_one,
)

__all__ = [
    "Model",
    "linear_regression",
    "linear_svm",
    "logistic_regression",
    "one_layer_network",
    "perceptron",
    "residual_network",
    "softmax_regression",
    "two_layer_network",
]


# -- linear models ----------------------------------------------------------------------------


def linear_regression(n: int, penalty: float = 0.0) -> Model:
    """ŷ = wᵀx + μ, with the mean squared error; with a penalty, ridge regression.

    Parameters
    ----------
    n : int
        Number of values of a sample. Targets have shape (m,).
    penalty : float
    """
    return Model(
        _zero_head(n, "linear_regression"),
        losses.mse,
        penalty=strength(penalty, "linear_regression"),
    )


def logistic_regression(n: int, penalty: float = 0.0) -> Model:
    """p(y = 1 | x) = σ(wᵀx + μ), with the cross entropy; labels 0 and 1.

    Parameters
    ----------
    n : int
        Number of values of a sample. Labels have shape (m,).
    penalty : float
        Where a hyperplane separates the classes, the weights grow without bound unless it's
        positive.
    """
    return Model(
        _zero_head(n, "logistic_regression"),
        cross_entropy_of_score,
        decide=zero_or_one,
        penalty=strength(penalty, "logistic_regression"),
    )


def softmax_regression(n: int, classes: int, penalty: float = 0.0) -> Model:
    """p(y = k | x) = exp(w_kᵀx + b_k) / Σⱼ exp(w_jᵀx + b_j); labels 0, 1, …, K − 1.

    Parameters
    ----------
    n : int
        Number of values of a sample.
    classes : int
        K. Labels have shape (m,).
    penalty : float
    """
    where = "softmax_regression"
    n, classes = require_count(n, where, "n"), require_count(classes, where, "classes")
    require_shape((classes, n), where, "(classes, n)")
    layer = Dense(np.zeros((classes, n)), np.zeros(classes))
    return Model(
        layer, losses.softmax_cross_entropy, decide=largest, penalty=strength(penalty, where)
    )


def perceptron(n: int, *, rng: Seed) -> Model:
    """The sign of wᵀx + μ, with the perceptron's loss; labels −1 and +1.

    Fitted with ``batch_size=1`` each step is Rosenblatt's rule: for a misclassified sample
    w ← w + η y x.

    Parameters
    ----------
    n : int
        Number of values of a sample. Labels have shape (m,).
    rng : numpy.random.Generator or int
        Draws the first weights: the loss has a kink where they are all zero.
    """
    n = require_count(n, "perceptron", "n")
    head = Head.initialize(n, rng=require_seed(rng, "perceptron"))
    return Model(head, losses.perceptron, optim.SteepestDescent(1.0), decide=sign)


def linear_svm(n: int, penalty: float = 1e-2) -> Model:
    """The linear support vector machine: hinge loss and (λ/2)‖w‖²; labels −1 and +1.

    Steepest descent with the learning rate 1/(λ(t + 1/λ)), which starts at 1 and falls like 1/(λt).

    Parameters
    ----------
    n : int
        Number of values of a sample. Labels have shape (m,).
    penalty : float
        λ, positive.

    Notes
    -----
    S. Shalev-Shwartz, Y. Singer, N. Srebro and A. Cotter, "Pegasos: primal estimated sub-gradient
    solver for SVM", Mathematical Programming 127 (2011), for rates that fall like 1/(λt).
    """
    remedy = "it sets the margin"
    penalty = require_number(penalty, "linear_svm", "penalty", above=0, remedy=remedy)
    method = optim.SteepestDescent(lambda step: 1 / (1 + penalty * step))
    return Model(_zero_head(n, "linear_svm"), losses.hinge, method, decide=sign, penalty=penalty)


# -- networks ---------------------------------------------------------------------------------


def one_layer_network(
    n: int, n_out: int, activation: str | Activation = "tanh", *, rng: Seed, loss: Loss = losses.mse
) -> Model:
    """ŷ = φ(W x + b).

    Parameters
    ----------
    n, n_out : int
        Numbers of values of a sample and of a prediction.
    activation : str or callable
        φ.
    rng : numpy.random.Generator or int
    loss : callable
    """
    where = "one_layer_network"
    n, n_out = require_count(n, where, "n"), require_count(n_out, where, "n_out")
    layer = Dense.initialize(n, n_out, by_name(activation, where), rng=require_seed(rng, where))
    return Model(layer, loss, decide=_decision(loss))


def two_layer_network(
    n: int,
    hidden: int,
    n_out: int,
    activation: str | Activation = "tanh",
    output: str | Activation = identity,
    *,
    rng: Seed,
    loss: Loss = losses.mse,
) -> Model:
    """ŷ = φ₂(W₂ φ₁(W₁x + b₁) + b₂).

    Parameters
    ----------
    n, hidden, n_out : int
        Numbers of values of a sample, of the hidden layer, and of a prediction.
    activation, output : str or callable
        φ₁ and φ₂.
    rng : numpy.random.Generator or int
    loss : callable
    """
    where = "two_layer_network"
    n, hidden = require_count(n, where, "n"), require_count(hidden, where, "hidden")
    n_out, rng = require_count(n_out, where, "n_out"), require_seed(rng, where)
    activation, output = by_name(activation, where), by_name(output, where)
    first = Dense.initialize(n, hidden, activation, rng=rng)
    second = Dense.initialize(hidden, n_out, output, rng=rng)
    return Model(Chain([first, second]), loss, decide=_decision(loss))


def residual_network(
    d: int,
    depth: int,
    h: float | None = None,
    activation: str | Activation = "tanh",
    output: str | Activation = identity,
    *,
    rng: Seed,
    loss: Loss = losses.mse,
) -> Model:
    """F(x) = η(wᵀz + μ) with z = Φ_K ∘ … ∘ Φ_1 (x) and Φ_k(z) = z + hσ(W_k z + b_k).

    Parameters
    ----------
    d : int
        Number of values of a sample.
    depth : int
        K.
    h : float, optional
        1/K by default.
    activation, output : str or callable
        σ and η.
    rng : numpy.random.Generator or int
    loss : callable
    """
    where = "residual_network"
    d, depth = require_count(d, where, "d"), require_count(depth, where, "depth")
    require_shape((depth, d, d), where, "(depth, d, d)")
    h = 1 / depth if h is None else require_number(h, where, "h", traced=True)
    rng = require_seed(rng, where)
    activation, output = by_name(activation, where), by_name(output, where)
    layers = [Residual.initialize(d, h, activation, rng=rng) for _ in range(depth)]
    return Model(
        Chain([*layers, Head.initialize(d, output, rng=rng)]), loss, decide=_decision(loss)
    )


def cross_entropy_of_score(prediction: Any, target: Any) -> Any:
    """The binary cross entropy of the probability σ(score)."""
    return losses.binary_cross_entropy(prediction, target, from_logits=True)


def _decision(loss: Loss) -> Callable[[Array], Array]:
    """What a score means under a loss."""
    decisions: dict[Loss, Callable[[Array], Array]] = {
        losses.hinge: sign,
        losses.perceptron: sign,
        losses.binary_cross_entropy: probable,
        losses.softmax_cross_entropy: largest,
    }
    try:
        return decisions.get(loss, value)
    except TypeError:  # a loss of the user's own that cannot be hashed
        return value


def _zero_head(n: int, where: str) -> Head:
    n = require_count(n, where, "n")
    require_shape(n, where, "n")
    return Head(np.zeros(n), 0.0)
