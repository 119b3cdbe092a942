"""Activation functions σ, called by a layer on its pre-activation v.

A layer takes one by its name or as a function; any function of an array that keeps its shape will
do. All but `softmax` act element by element.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.tracing import Tracer
from pullback.core.validation import refuse, require_callable, require_word
from pullback.rules import exponential as rules
from pullback.rules import softmax as softmax_rules
from pullback.transforms.arguments import require_array
from pullback.transforms.foreign import by_position

__all__ = ["ACTIVATIONS", "by_name", "identity", "logistic", "relu", "softmax", "softplus", "tanh"]

Activation = Callable[[Any], Any]


def identity(v: Any) -> Any:
    """σ(v) = v."""
    return v


def tanh(v: Any) -> Any:
    """σ(v) = tanh v, with σ′ = 1 − σ²."""
    return np.tanh(_numbers(v, "tanh", "fciu"))


def relu(v: Any) -> Any:
    """σ(v) = max(0, v), with σ′(v) = 1 for v > 0 and 0 otherwise, at the kink v = 0 too."""
    v = _numbers(v, "relu")
    return np.where(v <= 0, 0, v)


def softplus(v: Any) -> Any:
    """σ(v) = ln(1 + eᵛ), with the logistic function as derivative; finite for any finite v."""
    return np.logaddexp(0, _numbers(v, "softplus"))


def logistic(v: Any) -> Any:
    """σ(v) = 1/(1 + e⁻ᵛ), with σ′ = σ(1 − σ); finite for any finite v."""
    return rules.logistic(_numbers(v, "logistic", "fciu"))


def softmax(v: Any) -> Any:
    """σ(v)ₖ = exp(vₖ)/Σⱼ exp(vⱼ) over the last axis; finite for any finite v.

    To train, leave it out of the network and use `pullback.losses.softmax_cross_entropy`.
    """
    v = _numbers(v, "softmax")
    if v.shape == ():
        raise refuse("activations.softmax", "v", v, "an array with the classes along its last axis")
    return softmax_rules.softmax(v, axis=-1)


def _numbers(v: Any, name: str, kinds: str = "fiu") -> Any:
    """`v` as an array or a tracer of numbers."""
    if type(v) is not Tracer and type(v) is not np.ndarray:
        v = by_position(v, f"activations.{name}: v")
    if v.dtype.kind == "O":
        v = require_array(v, f"activations.{name}: v")
    if v.dtype.kind not in kinds:
        if v.dtype.kind == "b":
            return v.astype(np.float64)
        numbers = "real or complex" if "c" in kinds else "real"
        raise refuse(f"activations.{name}", "v", v, f"an array of {numbers} numbers")
    return v


ACTIVATIONS: dict[str, Activation] = {
    function.__name__: function for function in (identity, tanh, relu, softplus, logistic, softmax)
}
"""The activations that a layer knows by name."""


def by_name(activation: str | Activation, where: str = "activations.by_name") -> Activation:
    """The activation of that name; a function is returned as it is.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where it's neither a function nor one of the names.
    """
    if isinstance(activation, str):
        return ACTIVATIONS[require_word(activation, ACTIVATIONS, where, "activation")]
    return require_callable(activation, where, "activation", "a function of an array, or its name")
