"""What the estimators share: their data, as scikit-learn checks them, and the fit of a network."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state, column_or_1d, compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from pullback.optim.course import Training
from pullback.optim.plan import Plan
from pullback.optim.schedules import constant
from pullback.sklearn.objectives import Objective, library

__all__ = ["Array", "Classifier", "Estimator", "Regressor", "normalised"]

Array = Any


class Estimator(BaseEstimator):  # type: ignore[misc]
    """Base class: a network that is fitted to samples.

    Attributes
    ----------
    network_ : pytree
        What has been fitted; called with samples, it gives scores.
    n_iter_ : int
        Epochs, or iterations, that the fit took.
    loss_curve_ : list of float
        The objective of each.
    n_features_in_, feature_names_in_
        As scikit-learn has them.
    """

    max_iter: int
    compile: bool
    random_state: Any
    _loss = "squared_error"

    def _fitted(
        self,
        network: Any,
        data: tuple[Array, Array, Array],
        penalty: float,
        epochs: int | None = None,
        **options: Any,
    ) -> Training:
        """Fit a network to samples, targets and weights; what is special comes as options."""
        objective = Objective(self._loss, self._is_single(network))
        solver = options["method"]
        if "learning_rate" in options:
            # What a schedule gives is an argument of what is compiled.
            options["learning_rate"] = constant(options["learning_rate"])
        plan = Plan(
            epochs=self.max_iter if epochs is None else epochs,
            args=(np.asarray(float(penalty)),),
            compile=self.compile,
            shared=library(objective, solver) if self.compile else None,
            **options,
        )
        training = plan.run(objective, network, data)
        self.network_ = training.params
        self.loss_curve_ = training.losses
        self.n_iter_ = max(1, len(training.losses))
        if training.stopped == "interrupted":
            warnings.warn("Training interrupted by user.", RuntimeWarning, stacklevel=3)
        return training

    def _is_single(self, network: Any) -> bool:
        """Whether the network's one output is the score."""
        return bool(network.layers[-1].W.shape[0] == 1)

    def _warn_unless_converged(self, training: Training) -> None:
        if training.stopped in ("epochs", "failed"):
            name = type(self).__name__
            warnings.warn(
                f"{name} stopped before it converged, after {self.n_iter_} iterations; allow more "
                "by max_iter=, or bring the samples to a common scale",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _scores(self, X: Array) -> Array:
        """The network's outputs, an array (m, K)."""
        check_is_fitted(self, "network_")
        X = validate_data(self, X, reset=False, dtype=np.float64)
        return self.network_(X)

    def _generator(self) -> np.random.Generator:
        """A generator that `random_state` determines."""
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        return np.random.default_rng(seed)

    def _weights_of(self, X: Array, sample_weight: Any) -> Array:
        """Weights of samples, as they were given."""
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
        if weight.min() < 0 or not weight.sum() > 0:
            raise ValueError(
                f"{type(self).__name__}: sample_weight has the sum {weight.sum():g} and the least "
                f"{weight.min():g}; wanted weights of at least 0, not all 0"
            )
        return weight


def normalised(weight: Array) -> Array:
    """Weights with the mean 1, so that the mean of weighted losses is their weighted mean."""
    return weight * (len(weight) / weight.sum())


class Classifier(ClassifierMixin, Estimator):  # type: ignore[misc]
    """Base class of the classifiers.

    Attributes
    ----------
    classes_ : array
        The labels, sorted.
    """

    _is_signed = False
    """Whether targets are −1 and +1, and one class stands against the rest."""
    _is_softmax = False
    """Whether there is an output for each class that is a probability's logarithm."""

    def _samples(
        self, X: Array, y: Array, sample_weight: Any, *, reset: bool = True, classes: Any = None
    ) -> tuple[Array, Array, Array]:
        """Samples, the numbers of their classes, and weights, classes' weights included."""
        X, y = validate_data(self, X, y, dtype=np.float64, reset=reset)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        weight = self._weights_of(X, sample_weight)
        if reset:
            self.classes_ = np.unique(y if classes is None else classes)
        if len(self.classes_) < 2:
            raise ValueError(
                f"{type(self).__name__}: y has 1 class, {self.classes_.tolist()[0]!r}; wanted "
                "samples of at least 2 classes"
            )
        numbers = np.searchsorted(self.classes_, y)
        known = np.clip(numbers, 0, len(self.classes_) - 1)
        strange = self.classes_[known] != y
        if np.any(strange):
            raise ValueError(
                f"{type(self).__name__}: y has the class {y[strange].tolist()[0]!r}, which is not "
                f"among classes {self.classes_.tolist()}"
            )
        if self.class_weight is not None:
            found = compute_class_weight(self.class_weight, classes=self.classes_, y=y)
            weight = weight * found[numbers]
        return X, numbers, weight

    def _targets(self, numbers: Array) -> Array:
        """What the loss wants for the numbers of classes."""
        if self._is_softmax:
            return numbers
        if len(self.classes_) == 2:
            target = numbers.astype(np.float64)
        else:
            target = (numbers[:, np.newaxis] == np.arange(len(self.classes_))).astype(np.float64)
        return 2 * target - 1 if self._is_signed else target

    @property
    def _outputs(self) -> int:
        """How many outputs the network has."""
        return 1 if len(self.classes_) == 2 and not self._is_softmax else len(self.classes_)

    def _decisions(self, scores: Array) -> Array:
        if len(self.classes_) > 2:
            return scores
        return scores[:, 0] if scores.shape[1] == 1 else scores[:, 1] - scores[:, 0]

    def decision_function(self, X: Array) -> Array:
        """Scores of samples: positive ones for the second of two classes, or one for each class.

        Parameters
        ----------
        X : array or frame, shape (m, n)

        Returns
        -------
        array, shape (m,) or (m, K)
        """
        return self._decisions(self._scores(X))

    def predict(self, X: Array) -> Array:
        """The labels of samples.

        Parameters
        ----------
        X : array or frame, shape (m, n)

        Returns
        -------
        array, shape (m,)
        """
        decision = self._decisions(self._scores(X))
        number = (decision > 0).astype(int) if decision.ndim == 1 else np.argmax(decision, axis=1)
        return self.classes_[number]

    def _score_of(self, network: Any, X: Array, numbers: Array, weight: Array) -> float:
        """The weighted accuracy of a network."""
        decision = self._decisions(network(X))
        found = (decision > 0).astype(int) if decision.ndim == 1 else np.argmax(decision, axis=1)
        return float(np.average(found == numbers, weights=weight))


class Regressor(RegressorMixin, Estimator):  # type: ignore[misc]
    """Base class of the regressors."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _samples(
        self, X: Array, y: Array, sample_weight: Any, *, reset: bool = True
    ) -> tuple[Array, Array, Array]:
        """Samples, targets (m, K), and weights."""
        X, y = validate_data(
            self, X, y, dtype=np.float64, reset=reset, multi_output=True, y_numeric=True
        )
        y = np.asarray(y, dtype=np.float64)
        self._is_flat = y.ndim == 1
        return X, y.reshape(len(y), -1), self._weights_of(X, sample_weight)

    def _values(self, scores: Array) -> Array:
        """Predictions in the shape of the targets."""
        return scores[:, 0] if self._is_flat else scores
