"""Arithmetic: the four operations, powers and their relatives, element by element."""

from __future__ import annotations

import numpy as np

from pullback.rules.registration import elementwise


@elementwise(np.add)
def add(_z, _x, _y):
    """z = x + y: ∂z/∂x = 1, ∂z/∂y = 1."""
    return 1, 1


@elementwise(np.subtract)
def subtract(_z, _x, _y):
    """z = x − y: ∂z/∂x = 1, ∂z/∂y = −1."""
    return 1, -1


@elementwise(np.multiply)
def multiply(_z, x, y):
    """z = x·y: ∂z/∂x = y, ∂z/∂y = x."""
    return y, x


@elementwise(np.divide, singular=True)
def divide(z, _x, y):
    """z = x/y: ∂z/∂x = 1/y, ∂z/∂y = −z/y. Infinite at y = 0, where zeros stay zero."""
    return lambda: 1 / y, lambda: -z / y


@elementwise(np.negative)
def negative(_y, _x):
    """y = −x: ∂y/∂x = −1."""
    return -1


@elementwise(np.tanh)
def tanh(y, _x):
    """∂y/∂x = 1 − y²."""
    return 1 - y * y


@elementwise(np.square)
def square(_y, x):
    """∂y/∂x = 2x."""
    return 2 * x
