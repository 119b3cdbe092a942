"""Linear functions of arrays as the matrices that they are, by the functions themselves."""

from __future__ import annotations

import numpy as np

import pullback as pb

__all__ = ["assert_linear", "assert_same", "matrix_of", "real_vector"]


def real_vector(x):
    """An array as a real vector, with real and imaginary parts one after the other."""
    flat = np.asarray(x).ravel()
    return np.concatenate([flat.real, flat.imag]) if flat.dtype.kind == "c" else flat


def matrix_of(f, x):
    """The matrix of a function that is linear over the real numbers, a column for each unit."""
    units = [*np.eye(x.size).reshape(x.size, *x.shape)]
    if x.dtype.kind == "c":
        units += [1j * unit for unit in units]
    return np.stack([real_vector(f(unit.astype(x.dtype))) for unit in units], axis=1)


def assert_same(ours, expected):
    """The same bits in the same dtype and shape."""
    assert ours.dtype == expected.dtype
    assert ours.shape == expected.shape
    np.testing.assert_array_equal(ours, expected)


def assert_linear(f, x, tolerance=1e-13):
    """The value of a linear function bit by bit, and both of its derivatives by its matrix."""
    rng = np.random.default_rng(x.size)
    matrix = matrix_of(f, x)
    y, pull = pb.vjp(f, x)
    assert_same(y, f(x))

    def like(z):
        w = rng.normal(size=z.shape)
        return (w + 1j * rng.normal(size=z.shape) if z.dtype.kind == "c" else w).astype(z.dtype)

    x_dot, y_bar = like(x), like(y)
    value, y_dot = pb.pushforward(f, (x,), (x_dot,))
    assert_same(value, y)
    scale = tolerance * np.max(np.abs(matrix), initial=1) * len(matrix[0])
    np.testing.assert_allclose(real_vector(y_dot), matrix @ real_vector(x_dot), 0, scale)
    (x_bar,) = pull(y_bar)
    assert x_bar.dtype == x.dtype
    np.testing.assert_allclose(real_vector(x_bar), matrix.T @ real_vector(y_bar), 0, scale)
