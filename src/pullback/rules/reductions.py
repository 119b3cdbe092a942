"""Reductions: sums, products, extrema over axes."""

from __future__ import annotations

import numpy as np

from pullback.core.linear import Linear
from pullback.rules.registration import rule

__all__ = ["sum"]


@rule(np.sum)
def sum(_y, _x, *, axis=None, keepdims=False):
    """y = Σ x over `axis`: ẏ = Σ ẋ, and x̄ is ȳ, broadcast by the engine."""

    def pullback(y_bar):
        return y_bar if keepdims or axis is None else np.expand_dims(y_bar, axis)

    return Linear(lambda x_dot: np.sum(x_dot, axis=axis, keepdims=keepdims), pullback)
