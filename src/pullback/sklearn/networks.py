"""Networks fitted batch by batch: what multi-layer and residual ones share."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.nn import Chain, Dense
from pullback.sklearn.base import Array, Classifier
from pullback.sklearn.descent import ClassifierDescent, Descent
from pullback.sklearn.linear import probabilities

__all__ = ["Network", "NetworkClassifier"]


class Network(Descent):
    """Base class of the networks: how they are fitted."""

    @property
    def _solver(self) -> str:
        if self.solver not in _SOLVERS:
            raise ValueError(
                f"{type(self).__name__}: solver is {self.solver!r}, wanted one of "
                f"{', '.join(map(repr, _SOLVERS))}"
            )
        return str(self.solver)

    @property
    def _rate(self) -> float:
        return float(self.learning_rate_init)

    def _penalty(self, weight: Array) -> float:
        return float(self.alpha) / float(weight.sum())

    def _network(self, n: int, outputs: int, rng: np.random.Generator) -> Any:
        """The network to start from: the last one, where the estimator goes on."""
        before = getattr(self, "network_", None)
        layers = self._layers(n, outputs, rng)
        if self.warm_start and before is not None:
            shapes = [[layer.W.shape for layer in each] for each in (before.layers, layers)]
            if shapes[0] == shapes[1]:
                return before
        return Chain(layers)

    def _initialized(self, n_in: int, n_out: int, rng: Any, activation: Any = "identity") -> Dense:
        scheme = "he" if activation == "relu" else "glorot"
        return Dense.initialize(n_in, n_out, activation, rng=rng, scheme=scheme)


_SOLVERS = ("adam", "adamw", "sgd", "momentum", "nesterov", "lbfgs")


class NetworkClassifier(ClassifierDescent, Classifier):
    """Base class: the cross entropy of σ of one score for two classes, of softmax for more."""

    @property
    def _is_softmax(self) -> bool:  # type: ignore[override]
        return len(self.classes_) > 2

    @property
    def _loss(self) -> str:  # type: ignore[override]
        return "softmax" if self._is_softmax else "log_loss"

    def predict_proba(self, X: Array) -> Array:
        """The probabilities of classes.

        Parameters
        ----------
        X : array or frame, shape (m, n)

        Returns
        -------
        array, shape (m, K)
        """
        return probabilities(self._scores(X), self._is_softmax)

    def predict_log_proba(self, X: Array) -> Array:
        """Their logarithms."""
        return np.log(self.predict_proba(X))
