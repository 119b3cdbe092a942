"""Residual networks as estimators."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.nn import Dense
from pullback.nn import Residual as Layer
from pullback.sklearn.base import Regressor
from pullback.sklearn.descent import RegressorDescent
from pullback.sklearn.networks import Network, NetworkClassifier

__all__ = ["ResidualClassifier", "ResidualRegressor"]


class Residual(Network):
    """W z_K + b with z₀ = φ(W₀x + b₀) and z_k = z_{k−1} + h φ(W_k z_{k−1} + b_k)."""

    def _layers(self, n: int, outputs: int, rng: np.random.Generator) -> list[Any]:
        if not self.width >= 1 or not self.depth >= 1:
            raise ValueError(
                f"{type(self).__name__}: width is {self.width} and depth is {self.depth}, wanted "
                "at least 1"
            )
        h = 1 / self.depth if self.step is None else self.step
        width, scheme = int(self.width), "he" if self.activation == "relu" else "glorot"
        inner = [
            Layer.initialize(width, h, self.activation, rng=rng, scheme=scheme)
            for _ in range(self.depth)
        ]
        first = self._initialized(n, width, rng, self.activation)
        # From zero scores, which favour no class, the last layer soon departs.
        return [first, *inner, Dense(np.zeros((outputs, width)), np.zeros(outputs))]


class ResidualClassifier(Residual, NetworkClassifier):
    """A residual network W z_K + b with z_k = z_{k−1} + h φ(W_k z_{k−1} + b_k), for classes.

    The loss is the cross entropy.

    Parameters
    ----------
    width : int
        Values in each residual layer.
    depth : int
        How many there are.
    step : float or None
        h, where they begin: it is fitted, too; 1/depth by default.
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
    >>> from pullback.sklearn import ResidualClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = ResidualClassifier(learning_rate_init=0.01, random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.95)
    True
    """

    def __init__(
        self,
        width: int = 32,
        *,
        depth: int = 3,
        step: float | None = None,
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
        self.width = width
        self.depth = depth
        self.step = step
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


class ResidualRegressor(Residual, RegressorDescent, Regressor):
    """A residual network W z_K + b with z_k = z_{k−1} + h φ(W_k z_{k−1} + b_k), for values.

    The loss is half the mean squared error; targets are fitted with mean 0 and variance 1.

    Parameters
    ----------
    width : int
        Values in each residual layer.
    depth : int
        How many there are.
    step : float or None
        h, where they begin: it is fitted, too; 1/depth by default.
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
        width: int = 32,
        *,
        depth: int = 3,
        step: float | None = None,
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
        self.width = width
        self.depth = depth
        self.step = step
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
