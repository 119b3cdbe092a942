"""Gradients beside differences of SciPy's plain values."""

from __future__ import annotations

from typing import Any

import numpy as np

import pullback as pb

__all__ = ["assert_gradient", "symmetric"]


def symmetric(matrix: Any) -> Any:
    """The symmetric part."""
    return (matrix + matrix.T) / 2


def assert_gradient(f: Any, x: Any, tolerance: float = 1e-7, step: float = 1e-4) -> None:
    """The sum of a function of one array has SciPy's value, and the gradient of differences."""
    x = np.asarray(x, float)

    def total(x):
        return np.sum(f(x))

    value, gradient = pb.value_and_grad(total)(x)
    np.testing.assert_allclose(value, total(x), rtol=1e-12)
    expected = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        e = np.zeros(x.shape)
        e[place] = step
        near, far = total(x + e) - total(x - e), total(x + 2 * e) - total(x - 2 * e)
        expected[place] = (8 * near - far) / (12 * step)
    np.testing.assert_allclose(gradient, expected, rtol=tolerance, atol=tolerance)
    tangent = pb.jvp(total, (x,), (np.ones_like(x),))[1]
    np.testing.assert_allclose(tangent, np.sum(gradient), rtol=1e-9, atol=1e-12)
