"""The perceptron."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.sklearn.base import Classifier
from pullback.sklearn.descent import ClassifierDescent
from pullback.sklearn.linear import Linear

__all__ = ["Perceptron"]


class Perceptron(Linear, ClassifierDescent, Classifier):
    """The perceptron: max(0, −y s), with Rosenblatt's steps; of several classes one against all.

    Each epoch goes through the samples in batches, in an order drawn at random, and of all epochs
    the weights that are right most often are kept (S. I. Gallant, "Perceptron-based learning
    algorithms", IEEE Transactions on Neural Networks 1 (1990), the pocket algorithm).

    Parameters
    ----------
    alpha : float
        λ, of (λ/2)‖W‖² beside the mean of losses.
    fit_intercept : bool
    class_weight : dict, "balanced" or None
    batch_size : int or "auto"
        Samples of a step; ``"auto"`` is 32, or all where there are fewer.
    eta0 : float
        The learning rate.
    max_iter : int
    tol : float
        By how much the share of errors must fall to count.
    n_iter_no_change : int
        After how many epochs in which it didn't the fit ends.
    early_stopping : bool
        Whether errors are counted on samples that are set aside.
    validation_fraction : float
        The share of these.
    random_state : int, RandomState or None
    warm_start : bool
    compile : bool
        Whether steps are compiled.

    Attributes
    ----------
    classes_, coef_, intercept_, network_, n_iter_, loss_curve_, n_features_in_, feature_names_in_
    """

    _loss = "perceptron"
    _is_signed = True

    def __init__(
        self,
        alpha: float = 0.0,
        *,
        fit_intercept: bool = True,
        class_weight: Any = None,
        batch_size: int | str = "auto",
        eta0: float = 1.0,
        max_iter: int = 1000,
        tol: float = 1e-3,
        n_iter_no_change: int = 5,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        random_state: Any = None,
        warm_start: bool = False,
        compile: bool = True,
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.batch_size = batch_size
        self.eta0 = eta0
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.warm_start = warm_start
        self.compile = compile

    _most, _solver, _judges_itself = 32, "sgd", True

    @property
    def _rate(self) -> float:
        return self.eta0

    def _network(self, n: int, outputs: int, rng: np.random.Generator) -> Any:
        # At zero the loss has a kink; the weights' scale doesn't matter.
        return self._start(n, outputs, 1e-3 * rng.normal(size=(outputs, n)))
