"""Predictions and targets that fit the losses."""

from __future__ import annotations

import numpy as np

from pullback import losses

ELEMENTWISE = {
    "mse": losses.mse,
    "mae": losses.mae,
    "hinge": losses.hinge,
    "perceptron": losses.perceptron,
    "zero_one": losses.zero_one,
    "binary_cross_entropy": losses.binary_cross_entropy,
}


def from_logits(prediction, target, **options):
    return losses.binary_cross_entropy(prediction, target, from_logits=True, **options)


def fitting(name, shape, dtype=np.float64):
    """A prediction and a target that fit the loss of that name."""
    rng = np.random.default_rng([len(name), *shape])
    prediction = rng.normal(size=shape)
    if name in ("hinge", "perceptron", "zero_one"):
        return prediction.astype(dtype), rng.choice([-1, 1], size=shape)
    if name == "binary_cross_entropy":
        return rng.uniform(0.05, 0.95, size=shape).astype(dtype), rng.integers(2, size=shape)
    return prediction.astype(dtype), rng.normal(size=shape).astype(dtype)
