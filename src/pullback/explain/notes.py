"""The derivations of the lecture notes that the project was founded on, as functions to explain.

``pullback explain notes:l2`` shows one; ``pullback explain notes`` lists them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pullback.explain.explanation import Explanation, explain

__all__ = ["NOTES", "Note"]


@dataclass(frozen=True)
class Note:
    """A function, arguments, and what it shows.

    Attributes
    ----------
    about : str
    function : callable
    arguments : tuple
    options : dict
        Of `explain`.
    """

    about: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    options: dict[str, Any] = field(default_factory=dict)

    def explanation(self, **options: Any) -> Explanation:
        """The derivation; options of `explain` go before those of the note."""
        return explain(self.function, *self.arguments, **{**self.options, **options})


def l2(y: Any, y_r: Any) -> Any:
    return 0.5 * np.sum((y - y_r) ** 2)


def product(W: Any, x: Any) -> Any:
    return W @ x


def layer(W: Any, x: Any) -> Any:
    g = W @ x
    return np.tanh(g)


def two_layers(W1: Any, W2: Any, x: Any, y: Any) -> Any:
    z = np.tanh(W1 @ x)
    y_hat = np.tanh(W2 @ z)
    return np.mean((y - y_hat) ** 2)


def softmax(W: Any, x: Any, y: Any) -> Any:
    z = W @ x
    p = np.exp(z) / np.sum(np.exp(z))
    return -np.sum(y * np.log(p))


def head(y: Any, w: Any, mu: Any) -> Any:
    return np.tanh(w @ y + mu)


def residual(W: Any, b: Any, y: Any, h: Any) -> Any:
    return y + h * np.tanh(W @ y + b)


def sweep(W: Any, b: Any, y: Any, w: Any, mu: Any, h: Any) -> Any:
    Z = y
    for W_k, b_k in zip(W, b, strict=True):
        Z = Z + h * np.tanh(W_k @ Z + b_k)
    return np.tanh(w @ Z + mu)


def textbook(W1: Any, W2: Any, x: Any, y: Any) -> Any:
    v1 = W1 @ x
    y1 = np.tanh(v1)
    v2 = W2 @ y1
    y2 = np.tanh(v2)
    return 0.5 * np.sum((y2 - y) ** 2)


def hinge(y_hat: Any, y: Any) -> Any:
    return np.mean(np.maximum(0.0, 1.0 - y_hat * y))


def _made(*shape: int, by: float = 0.7) -> Any:
    """Numbers of about unit size that look arbitrary, and are the same everywhere."""
    count = int(np.prod(shape))
    return np.round(np.sin(by * np.arange(1, count + 1) ** 1.5), 2).reshape(shape)


_y, _yr = np.array([1.0, 2.0, 0.0]), np.array([0.0, 2.0, 2.0])

NOTES: dict[str, Note] = {
    "l2": Note("the squared L₂ norm, pulled back", l2, (_y, _yr), {"output": "L"}),
    "l2_forward": Note(
        "the squared L₂ norm, pushed forward", l2, (_y, _yr), {"output": "L", "mode": "forward"}
    ),
    "product": Note("Wx in W and in x", product, (_made(3, 2), _made(2, by=1.1)), {"output": "g"}),
    "layer": Note("a layer of a network", layer, (_made(3, 2), _made(2, by=1.1)), {"output": "z"}),
    "two_layers": Note(
        "a network of two layers with a mean squared error", two_layers,
        (_made(3, 2), _made(2, 3, by=1.3), _made(2, by=1.1), np.array([0.5, -0.5])),
        {"wrt": ["W1", "W2"], "output": "L"},
    ),
    "softmax": Note(
        "softmax with cross-entropy", softmax,
        (_made(3, 2), _made(2, by=1.1), np.array([0.0, 1.0, 0.0])),
        {"wrt": ["W", "x"], "output": "L"},
    ),
    "head": Note(
        "the scalar output η(wᵀy + μ)", head, (_made(3), _made(3, by=1.1), 0.2), {"output": "G"}
    ),
    "residual": Note(
        "a residual layer Φ(y) = y + hσ(Wy + b)", residual,
        (_made(3, 3), _made(3, by=1.1), _made(3, by=0.4), 0.1), {"output": "Phi"},
    ),
    "sweep": Note(
        "the residual sweep A ← A + Wᵀ(hσ′ ⊙ A)", sweep,
        (
            [_made(3, 3, by=0.3 + 0.2 * k) for k in range(4)],
            [_made(3, by=1.1 + 0.1 * k) for k in range(4)],
            _made(3, by=0.4), _made(3, by=0.9), 0.2, 0.1,
        ),
        {"output": "F"},
    ),
    "textbook": Note(
        "δ as in the textbook", textbook,
        (_made(3, 2), _made(2, 3, by=1.3), _made(2, by=1.1), np.array([0.5, -0.5])),
        {"wrt": ["W1", "W2"]},
    ),
    "hinge": Note(
        "the hinge loss, with one sample at the margin", hinge,
        (np.array([0.5, 1.0, -0.3]), np.array([1.0, 1.0, -1.0])), {"wrt": "y_hat", "output": "L"},
    ),
}  # fmt: skip
"""By the name that the command line takes."""
