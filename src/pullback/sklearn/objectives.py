"""What the estimators minimise: the mean of a weighted loss, and a penalty on the weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pullback import losses

__all__ = ["Objective", "library"]


def _squares(score: Any, y: Any) -> Any:
    """½(s − y)², the mean over several targets."""
    squares = (score - y) ** 2 / 2
    return squares if len(squares.shape) == 1 else np.mean(squares, axis=1)


def _each(loss: Callable[..., Any], **options: Any) -> Callable[[Any, Any], Any]:
    """A loss of each sample; of one against the rest, the sum over the classes."""

    def of_samples(score: Any, y: Any) -> Any:
        found = loss(score, y, reduction="none", **options)
        return found if len(found.shape) == 1 else np.sum(found, axis=1)

    return of_samples


def _squared_hinge(score: Any, y: Any) -> Any:
    """max(0, 1 − y s)²."""
    found = np.maximum(1 - y * score, 0) ** 2
    return found if len(found.shape) == 1 else np.sum(found, axis=1)


LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "squared_error": _squares,
    "log_loss": _each(losses.binary_cross_entropy, from_logits=True),
    "softmax": _each(losses.softmax_cross_entropy),
    "hinge": _each(losses.hinge),
    "squared_hinge": _squared_hinge,
    "perceptron": _each(losses.perceptron),
}


@dataclass(frozen=True)
class Objective:
    """mean(wᵢ ℓ(f(xᵢ), yᵢ)) + (λ/2) Σ ‖W‖², over the weight matrices W of all layers.

    Attributes
    ----------
    loss : str
        A name of `LOSSES`.
    is_single : bool
        Whether the network has one output, which is the score then.
    """

    loss: str
    is_single: bool

    def __call__(self, network: Any, x: Any, y: Any, weight: Any, penalty: Any) -> Any:
        scores = network(x)
        value = np.mean(weight * LOSSES[self.loss](scores[:, 0] if self.is_single else scores, y))
        return value + penalty / 2 * sum(np.sum(W * W) for W in _weights(network))


def _weights(network: Any) -> list[Any]:
    """The weight matrices of the layers."""
    return [layer.W for layer in network.layers]


_COMPILED: dict[Any, dict[Any, Any]] = {}


def library(objective: Objective, solver: str) -> dict[Any, Any]:
    """What fits with this objective and solver have compiled, which all of them share.

    Sizes, penalties and learning rates are arguments of it, not part of it.
    """
    return _COMPILED.setdefault((objective, solver), {})
