"""Fits batch by batch: early stopping, samples set aside, and epochs one by one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.model_selection import train_test_split

from pullback.optim.course import Training
from pullback.sklearn.base import Array, Estimator, normalised

__all__ = ["ClassifierDescent", "Descent", "RegressorDescent"]


class Descent(Estimator):
    """Base class: an estimator whose network is fitted batch by batch.

    Attributes
    ----------
    validation_scores_ : list of float
        With `early_stopping` the score on the samples set aside after each epoch; of accuracies,
        or of R².
    best_validation_score_ : float
    """

    _most = 200
    """Samples of a step, unless it is said."""
    _judges_itself = False
    """Whether the best epoch is that of the best score on the samples that are fitted to."""

    def _penalty(self, weight: Array) -> float:
        return float(self.alpha)

    def _check(self) -> None:
        """Raise where a parameter can't be meant."""
        name = type(self).__name__
        if not self.alpha >= 0:
            raise ValueError(f"{name}: alpha is {self.alpha}, wanted at least 0")
        if self.early_stopping and not 0 < self.validation_fraction < 1:
            raise ValueError(
                f"{name}: validation_fraction is {self.validation_fraction}, wanted a share "
                "between 0 and 1"
            )
        words = isinstance(self.batch_size, str) and self.batch_size != "auto"
        if words or (not isinstance(self.batch_size, str) and not self.batch_size >= 1):
            raise ValueError(
                f"{name}: batch_size is {self.batch_size!r}, wanted 'auto' or at least 1"
            )

    def _options(self, size: int, rng: np.random.Generator) -> dict[str, Any]:
        """How to descend on so many samples."""
        if self._solver == "lbfgs":
            options = {"gtol": self.tol, "ftol": 64 * np.finfo(float).eps, "maxls": 50}
            return {"method": "lbfgs", "options": options}
        length = self._most if self.batch_size == "auto" else self.batch_size
        found = {"method": self._solver, "learning_rate": self._rate}
        # All samples in one batch are in an order of their own.
        return {**found, "batch_size": length, "rng": rng} if length < size else found

    def _fit_all(self, network: Any, X: Array, y: Array, targets: Array, weight: Array) -> Training:
        """Fit, with samples set aside if the estimator wants that; `y` is what scores compare."""
        rows, held = np.arange(len(X)), None
        if self.early_stopping:
            seed = int(self._rng.integers(2**31 - 1))
            rows, held = train_test_split(
                rows, test_size=self.validation_fraction, random_state=seed,
                stratify=y if is_classifier(self) else None,
            )  # fmt: skip
        judged = held if held is not None else rows if self._judges_itself else None
        options = self._options(len(rows), self._rng)
        if judged is not None:
            parts = X[judged], y[judged], weight[judged]
            options["validation"] = lambda net: 1 - self._score_of(net, *parts)
        if self._solver != "lbfgs":
            options |= {"patience": int(min(self.n_iter_no_change, 2**31)), "tolerance": self.tol}
        elif held is not None:
            options |= {"patience": int(self.n_iter_no_change), "tolerance": self.tol}
        fitted = normalised(weight[rows])
        training = self._fitted(
            network, (X[rows], targets[rows], fitted), self._penalty(weight[rows]), **options
        )
        if held is not None:
            self.validation_scores_ = [1 - loss for loss in training.validation_losses]
            self.best_validation_score_ = max(self.validation_scores_, default=-math.inf)
        self._state = training.state
        self._warn_unless_converged(training)
        return training

    def _fit_once(self, network: Any, X: Array, targets: Array, weight: Array) -> None:
        """One epoch more, with the method's state from the last one."""
        if self._solver == "lbfgs":
            raise ValueError(f"{type(self).__name__}.partial_fit: solver is 'lbfgs', which takes "
                             "all samples at once; choose 'adam', 'adamw' or 'sgd'")  # fmt: skip
        options = self._options(len(X), self._rng)
        state = getattr(self, "_state", None)
        before = getattr(self, "n_iter_", 0), getattr(self, "loss_curve_", [])
        training = self._fitted(
            network, (X, targets, normalised(weight)), self._penalty(weight), epochs=1,
            state=state, **options,
        )  # fmt: skip
        self.network_, self._state = training.last, training.state
        self.n_iter_, self.loss_curve_ = before[0] + 1, [*before[1], *training.losses]


class ClassifierDescent(Descent):
    """Base class of the classifiers among them."""

    def fit(self, X: Array, y: Array, sample_weight: Any = None) -> Any:
        """Fit to samples.

        Parameters
        ----------
        X : array or frame, shape (m, n)
        y : array, shape (m,)
        sample_weight : array, shape (m,), optional

        Returns
        -------
        The estimator.
        """
        self._check()
        X, numbers, weight = self._samples(X, y, sample_weight)
        self._rng, self._state = self._generator(), None
        network = self._network(X.shape[1], self._outputs, self._rng)
        self._fit_all(network, X, numbers, self._targets(numbers), weight)
        return self

    def partial_fit(
        self, X: Array, y: Array, classes: Any = None, sample_weight: Any = None
    ) -> Any:
        """Go through samples once, from where the last call ended.

        Parameters
        ----------
        X : array or frame, shape (m, n)
        y : array, shape (m,)
        classes : array
            All labels that there will be; needed at the first call.
        sample_weight : array, shape (m,), optional

        Returns
        -------
        The estimator.
        """
        self._check()
        first = not hasattr(self, "network_")
        if first and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        X, numbers, weight = self._samples(X, y, sample_weight, reset=first, classes=classes)
        if first:
            self._rng, self._state = self._generator(), None
            self.network_ = self._network(X.shape[1], self._outputs, self._rng)
        self._fit_once(self.network_, X, self._targets(numbers), weight)
        return self


class RegressorDescent(Descent):
    """Base class of the regressors among them: targets are fitted with mean 0 and variance 1."""

    def fit(self, X: Array, y: Array, sample_weight: Any = None) -> Any:
        """Fit to samples.

        Parameters
        ----------
        X : array or frame, shape (m, n)
        y : array, shape (m,) or (m, K)
        sample_weight : array, shape (m,), optional

        Returns
        -------
        The estimator.
        """
        self._check()
        X, y, weight = self._samples(X, y, sample_weight)
        self._rng, self._state = self._generator(), None
        self._scale(y, weight)
        network = self._network(X.shape[1], y.shape[1], self._rng)
        self._fit_all(network, X, y, self._targets(y), weight)
        return self

    def partial_fit(self, X: Array, y: Array, sample_weight: Any = None) -> Any:
        """Go through samples once, from where the last call ended.

        The first call's targets say which scale they have.

        Parameters
        ----------
        X : array or frame, shape (m, n)
        y : array, shape (m,) or (m, K)
        sample_weight : array, shape (m,), optional

        Returns
        -------
        The estimator.
        """
        self._check()
        first = not hasattr(self, "network_")
        X, y, weight = self._samples(X, y, sample_weight, reset=first)
        if first:
            self._rng, self._state = self._generator(), None
            self._scale(y, weight)
            self.network_ = self._network(X.shape[1], y.shape[1], self._rng)
        self._fit_once(self.network_, X, self._targets(y), weight)
        return self

    def predict(self, X: Array) -> Array:
        """The values at samples.

        Parameters
        ----------
        X : array or frame, shape (m, n)

        Returns
        -------
        array, shape (m,) or (m, K)
        """
        return self._values(self._scores(X) * self.y_scale_ + self.y_mean_)

    def _scale(self, y: Array, weight: Array) -> None:
        self.y_mean_ = np.average(y, axis=0, weights=weight)
        scale = np.sqrt(np.average((y - self.y_mean_) ** 2, axis=0, weights=weight))
        self.y_scale_ = np.where(scale > 0, scale, 1.0)

    def _targets(self, y: Array) -> Array:
        standard = (y - self.y_mean_) / self.y_scale_
        return standard[:, 0] if y.shape[1] == 1 else standard

    def _score_of(self, network: Any, X: Array, y: Array, weight: Array) -> float:
        """R² of a network."""
        error = (network(X) * self.y_scale_ + self.y_mean_ - y) ** 2
        spread = (y - np.average(y, axis=0, weights=weight)) ** 2
        total = np.average(spread, axis=0, weights=weight)
        share = np.average(error, axis=0, weights=weight) / np.where(total > 0, total, 1.0)
        return float(1 - np.mean(share))
