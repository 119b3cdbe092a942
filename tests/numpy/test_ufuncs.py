"""Keywords of ufuncs, and their methods."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from tests.numpy.agreement import assert_analytic, assert_constant, assert_derivative

X = np.linspace(0.5, 2.0, 12).reshape(3, 4)
V = np.array([3.0, -1.0, 2.0, 0.5])
MASK = np.arange(12).reshape(3, 4) % 3 == 1


def into(write):
    """The function of (x, v) that gives a fresh array after `write` has stored into it."""

    def function(x, v):
        y = x * 1.0
        out = write(x, v, y)
        assert out is y
        return y

    return function


@pytest.mark.parametrize(
    "function",
    [
        into(lambda x, v, y: np.multiply(x, v, out=y)),
        into(lambda x, v, y: np.multiply(x, v, y)),
        into(lambda x, v, y: np.add([x[2], x[1], x[0]], 1.0, y)),
        into(lambda x, v, y: np.exp(v, out=y)),
        into(lambda x, v, y: np.multiply(x, v, out=y, where=MASK)),
        into(lambda x, v, y: np.divide(2.0, x, out=y, where=[True, False, True, False])),
        into(lambda x, v, y: np.multiply(y, y, out=y, casting="same_kind", order="K")),
        into(lambda x, v, y: np.add(1.0, 2.0, out=y)),
        lambda x, v: np.add(x, v, dtype=complex),
        lambda x, v: np.multiply.outer(v, x),
        lambda x, v: np.subtract.outer(x, v[:2]),
        lambda x, v: np.power.outer(x, 2.0),
        lambda x, v: np.add.reduce(x),
        lambda x, v: np.add.reduce(x, axis=None),
        lambda x, v: np.add.reduce(x, axis=(0, 1), keepdims=True),
        lambda x, v: np.multiply.reduce(x, axis=1),
        lambda x, v: np.add.accumulate(x),
        lambda x, v: np.add.accumulate(x, axis=1),
        lambda x, v: np.multiply.accumulate(x, axis=-1),
        lambda x, v: np.add.reduce(x, initial=2.0),
        lambda x, v: np.add.reduce(x, axis=1, where=MASK),
    ],
)
def test_against_the_complex_step(function):
    assert_analytic(function, X, V)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.maximum.reduce(x),
        lambda x: np.minimum.reduce(x, axis=1),
        lambda x: np.maximum.outer(x[0], x[1] * 0.7),
        lambda x: np.logaddexp.outer(x[0], x[1]),
        lambda x: np.hypot.outer(x[0], 1.0),
    ],
)
def test_functions_of_real_arguments(function):
    assert_derivative(function, X)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.less.outer(x[0], x[1]),
        lambda x: np.logical_and.reduce(x > 1),
        lambda x: np.logical_or.reduce(x, axis=None),
        lambda x: np.greater(x, 1.0, where=True),
    ],
)
def test_constants(function):
    assert_constant(function, X)


def test_a_plain_output_of_a_comparison():
    def f(x):
        mask = np.empty(3, bool)
        np.greater(x, 1.0, out=mask)
        return np.sum(x[mask])

    np.testing.assert_array_equal(pb.grad(f)(np.array([0.5, 2.0, 3.0])), [0.0, 1.0, 1.0])


def test_dtype_keyword():
    def f(x):
        return np.sum(np.exp(x, dtype=np.float32), dtype=np.float64)

    gradient = pb.grad(f)(np.ones(2))
    assert gradient.dtype == np.float64
    np.testing.assert_allclose(gradient, np.e, rtol=1e-6)


def test_several_outputs():
    def f(x):
        quotient, remainder = np.zeros_like(x), np.zeros_like(x)
        np.divmod(x, 2.0, out=(quotient, remainder))
        return np.sum(remainder * quotient)

    np.testing.assert_array_equal(pb.grad(f)(np.array([3.5, 7.0])), [1.0, 3.0])


@pytest.mark.parametrize(
    ("function", "error", "words"),
    [
        (lambda x: np.add(x, 1.0, dtype=int), pb.ArgumentTypeError, r"\.astype\(dtype\)"),
        (lambda x: np.add(x, 1j, dtype=float), pb.ArgumentTypeError, r"cannot be cast"),
        (lambda x: np.add(x, x, signature="dd->d"), pb.ArgumentTypeError, "signature"),
        (lambda x: np.add(x, x, where=x > 1), pb.ArgumentTypeError, "where= without out="),
        (lambda x: np.matmul(x, x.T, axes=[(0, 1)] * 3), pb.ArgumentTypeError, "axes"),
        (lambda x: np.add(x, 1j, out=x), pb.ArgumentTypeError, "np.real"),
    ],
)
def test_what_is_refused(function, error, words):
    with pytest.raises(error, match=words):
        pb.pullback(function, (X,))
