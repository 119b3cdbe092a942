"""Multi-layer networks as estimators."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.sklearn.base import Regressor
from pullback.sklearn.descent import RegressorDescent
from pullback.sklearn.networks import Network, NetworkClassifier

__all__ = ["MLPClassifier", "MLPRegressor"]


class MultiLayer(Network):
    """W_L φ(… φ(W₁x + b₁) …) + b_L."""

    def _layers(self, n: int, outputs: int, rng: np.random.Generator) -> list[Any]:
        hidden = self.hidden_layer_sizes
        widths = [hidden] if isinstance(hidden, int | np.integer) else list(hidden)
        if any(not width >= 1 for width in widths):
            raise ValueError(
                f"{type(self).__name__}: hidden_layer_sizes is {hidden}, wanted sizes of at least 1"
            )
        sizes = [n, *map(int, widths)]
        layers = [
            self._initialized(n_in, n_out, rng, self.activation)
            for n_in, n_out in itertools.pairwise(sizes)
        ]
        return [*layers, self._initialized(sizes[-1], outputs, rng)]


class MLPClassifier(MultiLayer, NetworkClassifier):
    """A multi-layer network W_L φ(… φ(W₁x + b₁) …) + b_L, with the cross entropy.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int
    activation : str
        A name from `pullback.nn.activations`, or a function of an array.
    solver : str
        ``"adam"``, ``"adamw"``, ``"sgd"``, ``"momentum"``, ``"nesterov"``, or ``"lbfgs"``, which
        takes all samples at once.
    alpha : float
        λ, of λ/(2m) Σ ‖W‖² beside the mean of m losses.
    batch_size : int or "auto"
        Samples of a step; ``"auto"`` is 200, or all where there are fewer.
    learning_rate_init : float
    max_iter : int
        Epochs, or iterations of L-BFGS.
    tol : float
        By how much the loss, or with `early_stopping` the score, must get better to count; of
        L-BFGS the largest element of the gradient at which it stops.
    n_iter_no_change : int
        After how many epochs in which it didn't the fit ends.
    early_stopping : bool
        Whether samples are set aside, and the epoch kept whose score on them is best.
    validation_fraction : float
        The share of these.
    random_state : int, RandomState or None
    warm_start : bool
    class_weight : dict, "balanced" or None
    compile : bool
        Whether steps are compiled.

    Attributes
    ----------
    classes_, network_, n_iter_, loss_curve_, validation_scores_, n_features_in_, feature_names_in_

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from pullback.sklearn import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> network = MLPClassifier(learning_rate_init=0.01, tol=1e-3, random_state=0)
    >>> model = make_pipeline(StandardScaler(), network).fit(X, y)
    >>> bool(model.score(X, y) > 0.95)
    True
    """

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        *,
        activation: str = "relu",
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate_init: float = 0.001,
        max_iter: int = 200,
        tol: float = 0.0001,
        n_iter_no_change: int = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        random_state: Any = None,
        warm_start: bool = False,
        class_weight: Any = None,
        compile: bool = True,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.warm_start = warm_start
        self.class_weight = class_weight
        self.compile = compile


class MLPRegressor(MultiLayer, RegressorDescent, Regressor):
    """A multi-layer network W_L φ(… φ(W₁x + b₁) …) + b_L, with half the mean squared error.

    Targets are fitted with mean 0 and variance 1.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int
    activation : str
        A name from `pullback.nn.activations`, or a function of an array.
    solver : str
        ``"adam"``, ``"adamw"``, ``"sgd"``, ``"momentum"``, ``"nesterov"``, or ``"lbfgs"``, which
        takes all samples at once.
    alpha : float
        λ, of λ/(2m) Σ ‖W‖² beside the mean of m losses.
    batch_size : int or "auto"
        Samples of a step; ``"auto"`` is 200, or all where there are fewer.
    learning_rate_init : float
    max_iter : int
        Epochs, or iterations of L-BFGS.
    tol : float
        By how much the loss, or with `early_stopping` the score, must get better to count; of
        L-BFGS the largest element of the gradient at which it stops.
    n_iter_no_change : int
        After how many epochs in which it didn't the fit ends.
    early_stopping : bool
        Whether samples are set aside, and the epoch kept whose score on them is best.
    validation_fraction : float
        The share of these.
    random_state : int, RandomState or None
    warm_start : bool
    compile : bool
        Whether steps are compiled.

    Attributes
    ----------
    network_, y_mean_, y_scale_, n_iter_, loss_curve_, validation_scores_, n_features_in_,
    feature_names_in_
    """

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        *,
        activation: str = "relu",
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate_init: float = 0.01,
        max_iter: int = 200,
        tol: float = 0.0001,
        n_iter_no_change: int = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        random_state: Any = None,
        warm_start: bool = False,
        compile: bool = True,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.warm_start = warm_start
        self.compile = compile
