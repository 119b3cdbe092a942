"""Exponentials and logarithms, element by element."""

from __future__ import annotations

import math

import numpy as np

from pullback.rules.registration import elementwise

__all__ = [
    "exp",
    "exp2",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "logistic",
    "logistic_slope",
]

LOG_2 = math.log(2)
LOG_10 = math.log(10)


@elementwise(np.exp)
def exp(y, _x):
    """y = eˣ: ∂y/∂x = y."""
    return y


@elementwise(np.exp2)
def exp2(y, _x):
    """y = 2ˣ: ∂y/∂x = y·log 2."""
    return LOG_2 * y


@elementwise(np.expm1)
def expm1(_y, x):
    """y = eˣ − 1: ∂y/∂x = eˣ, which y + 1 would round to 0 where x is far below 0."""
    return np.exp(x)


@elementwise(np.log, poles={0: np.inf})
def log(_y, x):
    """y = log x: ∂y/∂x = 1/x. Infinite at x = 0, where zeros stay zero."""
    return 1 / x


@elementwise(np.log2, poles={0: np.inf})
def log2(_y, x):
    """y = log₂ x: ∂y/∂x = 1/(x·log 2). Infinite at x = 0, where zeros stay zero."""
    return (1 / LOG_2) / x


@elementwise(np.log10, poles={0: np.inf})
def log10(_y, x):
    """y = log₁₀ x: ∂y/∂x = 1/(x·log 10). Infinite at x = 0, where zeros stay zero."""
    return (1 / LOG_10) / x


@elementwise(np.log1p, poles={-1: np.inf})
def log1p(_y, x):
    """y = log(1 + x): ∂y/∂x = 1/(1 + x). Infinite at x = −1, where zeros stay zero."""
    return 1 / (1 + x)


def _logistic(x):
    """1/(1 + e⁻ˣ), to full relative accuracy for every x."""
    e = np.exp(-np.abs(x))
    return np.where(np.greater_equal(x, 0), 1, e) / (1 + e)


@elementwise(_logistic)
def logistic(_y, x):
    """y = 1/(1 + e⁻ˣ): ∂y/∂x = y(x)·y(−x), in which 1 − y would lose its digits for x ≫ 0."""
    return logistic_slope(x)


def _logistic_slope(x):
    e = np.exp(-np.abs(x))
    return e / np.square(1 + e)


@elementwise(_logistic_slope)
def logistic_slope(y, x):
    """y = e⁻ˣ/(1 + e⁻ˣ)², the derivative of the logistic function: ∂y/∂x = −y·tanh(x/2)."""
    return -y * np.tanh(0.5 * x)


def _difference(x, y):
    """x − y, and 0 where both are the same infinity."""
    return np.where(np.isinf(x) & np.equal(x, y), 0, x - y)


@elementwise(np.logaddexp, singular=True)
def logaddexp(_z, x, y):
    """z = log(eˣ + eʸ): ∂z/∂x = 1/(1 + eʸ⁻ˣ), ∂z/∂y = 1/(1 + eˣ⁻ʸ).

    Where x and y are the same infinity the derivative is split evenly, as it is wherever x = y.
    """
    return lambda: logistic(_difference(x, y)), lambda: logistic(_difference(y, x))


@elementwise(np.logaddexp2, singular=True)
def logaddexp2(_z, x, y):
    """z = log₂(2ˣ + 2ʸ): ∂z/∂x = 1/(1 + 2ʸ⁻ˣ), ∂z/∂y = 1/(1 + 2ˣ⁻ʸ).

    Where x and y are the same infinity the derivative is split evenly, as it is wherever x = y.
    """
    return (
        lambda: logistic(LOG_2 * _difference(x, y)),
        lambda: logistic(LOG_2 * _difference(y, x)),
    )
