"""Activation functions σ, called by a layer on its pre-activation v.

A layer takes one by its name or as a function; any function of an array that keeps its shape will
do. All but `softmax` act element by element.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.rules import exponential as rules
from pullback.rules import softmax as softmax_rules

__all__ = ["ACTIVATIONS", "by_name", "identity", "logistic", "relu", "softmax", "softplus", "tanh"]

Activation = Callable[[Any], Any]


def identity(v: Any) -> Any:
    """σ(v) = v."""
    return v


def tanh(v: Any) -> Any:
    """σ(v) = tanh v, with σ′ = 1 − σ²."""
    return np.tanh(v)


def relu(v: Any) -> Any:
    """σ(v) = max(0, v), with σ′(v) = 1 for v > 0 and 0 otherwise, at the kink v = 0 too."""
    return np.where(v <= 0, 0, v)


def softplus(v: Any) -> Any:
    """σ(v) = ln(1 + eᵛ), with the logistic function as derivative; finite for any finite v."""
    return np.logaddexp(0, v)


def logistic(v: Any) -> Any:
    """σ(v) = 1/(1 + e⁻ᵛ), with σ′ = σ(1 − σ); finite for any finite v."""
    return rules.logistic(v)


def softmax(v: Any) -> Any:
    """σ(v)ₖ = exp(vₖ)/Σⱼ exp(vⱼ) over the last axis; finite for any finite v.

    To train, leave it out of the network and use `pullback.losses.softmax_cross_entropy`.
    """
    return softmax_rules.softmax(v, axis=-1)


ACTIVATIONS: dict[str, Activation] = {
    function.__name__: function for function in (identity, tanh, relu, softplus, logistic, softmax)
}
"""The activations that a layer knows by name."""


def by_name(activation: str | Activation) -> Activation:
    """The activation of that name; a function is returned as it is.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where it's neither a function nor one of the names.
    """
    if isinstance(activation, str):
        if activation not in ACTIVATIONS:
            raise ArgumentValueError(
                f"activation is {activation!r}, wanted one of {', '.join(map(repr, ACTIVATIONS))}, "
                "or a function of an array"
            )
        return ACTIVATIONS[activation]
    if not callable(activation):
        raise ArgumentTypeError(
            f"activation is a {type(activation).__name__}, wanted a function of an array, or one "
            f"of {', '.join(map(repr, ACTIVATIONS))}"
        )
    return activation
