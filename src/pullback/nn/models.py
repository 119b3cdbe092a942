"""The classical models of regression and classification: a network, a loss, and how to fit it.

Each is a few lines, and each is fitted and asked in the same way::

    model = pb.nn.models.logistic_regression(2).fit(x, labels)
    model.predict(x)
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback import losses, optim
from pullback.core.trees import static
from pullback.errors import ArgumentValueError
from pullback.nn.activations import Activation, identity
from pullback.nn.chain import Chain
from pullback.nn.initialization import Seed, require_count
from pullback.nn.layers import Dense, Head, Residual
from pullback.optim.training import remedy_for_data
from pullback.transforms.foreign import by_position, columns_of

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

Loss = Callable[[Any, Any], Any]
Array = Any


# -- what a score decides ---------------------------------------------------------------------


def value(score: Array) -> Array:
    """The score itself: regression."""
    return score


def sign(score: Array) -> Array:
    """The class −1 or +1 by the sign of the score."""
    return np.where(np.asarray(score) > 0, 1, -1)


def zero_or_one(score: Array) -> Array:
    """The class 0 or 1 by the sign of the score."""
    return (np.asarray(score) > 0).astype(int)


def probable(score: Array) -> Array:
    """The class 0 or 1, where the score is the probability of 1."""
    return (np.asarray(score) > 0.5).astype(int)


def largest(score: Array) -> Array:
    """The class with the largest score."""
    return np.argmax(score, axis=-1)


# -- a model ----------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A network together with the loss that it is fitted with.

    Parameters
    ----------
    network : pytree
        Called with samples, gives scores. Its leaves are what is fitted.
    loss : callable
        ``loss(scores, target)``, the mean over samples.
    method : str or pullback.optim.Method
        How to fit it, unless `fit` is told otherwise: the name of a method of
        `scipy.optimize.minimize`, which takes all samples at once, or a descent method.
    decide : callable
        What a score means: a value or a class.
    penalty : float
        λ, for the term (λ/2)‖w‖² on the weights, biases left out.
    columns : tuple of str, optional
        The names of the columns of the frame that it was fitted to. A frame that is asked about
        later must have the same, in the same order; `None` asks nothing.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> x = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> model = pb.nn.models.linear_regression(1).fit(x, np.array([1.0, 3.0, 5.0, 7.0]))
    >>> model.predict(np.array([[10.0]])).round(3)
    array([21.])
    """

    network: Any
    loss: Loss = static()
    method: str | optim.Method = static(default="L-BFGS-B")
    decide: Callable[[Array], Array] = static(default=value)
    penalty: float = static(default=0.0)
    columns: tuple[str, ...] | None = static(default=None)

    def __repr__(self) -> str:
        loss = getattr(self.loss, "__name__", type(self.loss).__name__)
        penalty = f", penalty={self.penalty:.4g}" if self.penalty else ""
        return f"Model(loss={loss}{penalty}, network={self.network!r})"

    def objective(self, network: Any, x: Array, target: Array) -> Any:
        """What `fit` minimises over networks: the loss and the penalty on the weights."""
        loss = self.loss(network(x), target)
        if self.penalty:
            loss = loss + self.penalty / 2 * sum(np.sum(w * w) for w in _weights(network))
        return loss

    def fit(
        self,
        x: Array,
        target: Array,
        *,
        method: str | optim.Method | None = None,
        epochs: int = 100,
        **options: Any,
    ) -> Model:
        """A model whose network is fitted to data, from the present one on.

        Parameters
        ----------
        x : array, shape (m, n)
            Samples, along the first axis. Frames, series and other libraries' arrays are taken by
            position, here and in `target`: labels of rows don't matter.
        target : array
            As the loss wants it.
        method : str or pullback.optim.Method, optional
            Instead of the model's own.
        epochs : int
            How often a descent method goes through the data; the most iterations of a SciPy one.
        **options
            For `pullback.optim.train` (`batch_size`, `rng`, `callback`) or
            `pullback.optim.minimize` (`tol`, `callback`).

        Returns
        -------
        Model

        Raises
        ------
        ArgumentTypeError, ArgumentValueError
            Where an argument doesn't fit, or data hold something that is no number or has a mask.

        Warns
        -----
        RuntimeWarning
            Where a method of SciPy stopped before it converged.
        """
        method = self.method if method is None else method
        columns = columns_of(x)
        x, target = by_position(x, "fit: x"), by_position(target, "fit: target")
        if isinstance(method, str):
            data = (x, target)
            result = optim.minimize(
                self.objective,
                self.network,
                data,
                method=method,
                options={"maxiter": epochs},
                **options,
            )
            if not np.isfinite(result.fun):
                remedy = (
                    remedy_for_data(x=x, target=target) or "bring the samples to a common scale"
                )
                raise ArgumentValueError(
                    f"fit: the objective is {result.fun}, wanted a finite value: {remedy}"
                )
            if not result.success:
                warnings.warn(
                    f"fit: {method} stopped before it converged, after {result.nit} iterations "
                    f"({result.message}); go on with model.fit(x, target) from the model returned, "
                    "or allow more by epochs=",
                    RuntimeWarning,
                    stacklevel=2,
                )
            return dataclasses.replace(self, network=result.x, columns=columns)
        training = optim.train(
            self.objective, self.network, (x, target), method, epochs=epochs, **options
        )
        return dataclasses.replace(self, network=training.params, columns=columns)

    def score(self, x: Array) -> Array:
        """The network's output, an array; frames are taken by position."""
        columns = columns_of(x)
        if columns and self.columns and columns != self.columns:
            raise ArgumentValueError(
                f"{self!r}: x has the columns {', '.join(columns)}, and the model was fitted to "
                f"{', '.join(self.columns)}; write x[{list(self.columns)}]"
            )
        return self.network(by_position(x, "Model: x"))

    def predict(self, x: Array) -> Array:
        """What the scores decide: values, or classes as the loss counts them."""
        return self.decide(self.score(x))


def _weights(network: Any) -> list[Any]:
    """The weights of a network's layers, without biases and steps."""
    layers = network.layers if isinstance(network, Chain) else (network,)
    return [layer.w if isinstance(layer, Head) else layer.W for layer in layers]


# -- linear models ----------------------------------------------------------------------------


def linear_regression(n: int, penalty: float = 0.0) -> Model:
    """ŷ = wᵀx + μ, with the mean squared error; with a penalty, ridge regression.

    Parameters
    ----------
    n : int
        Number of values of a sample. Targets have shape (m,).
    penalty : float
    """
    return Model(_zero_head(n), losses.mse, penalty=_strength(penalty))


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
        _zero_head(n), cross_entropy_of_score, decide=zero_or_one, penalty=_strength(penalty)
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
    layer = Dense(np.zeros((classes, n)), np.zeros(classes))
    return Model(layer, losses.softmax_cross_entropy, decide=largest, penalty=_strength(penalty))


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
    head = Head.initialize(n, rng=rng)
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
    if not 0 < penalty < np.inf:
        raise ArgumentValueError(
            f"linear_svm: penalty is {penalty!r}, wanted a positive number: it sets the margin"
        )
    method = optim.SteepestDescent(lambda step: 1 / (1 + penalty * step))
    return Model(_zero_head(n), losses.hinge, method, decide=sign, penalty=penalty)


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
    return Model(Dense.initialize(n, n_out, activation, rng=rng), loss, decide=_decision(loss))


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
    rng = np.random.default_rng(rng)
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
    require_count(depth, "residual_network: depth")
    rng, h = np.random.default_rng(rng), 1 / depth if h is None else h
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
    return decisions.get(loss, value)


def _zero_head(n: int) -> Head:
    return Head(np.zeros(n), 0.0)


def _strength(penalty: float) -> float:
    if not 0 <= penalty < np.inf:
        raise ArgumentValueError(f"penalty is {penalty!r}, wanted a number of at least 0")
    return penalty
