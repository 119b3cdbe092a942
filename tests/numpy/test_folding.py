"""reduce, accumulate and reduceat of ufuncs of two arguments: NumPy's bits, and derivatives."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import pullback as pb
from pullback.core import trees
from tests.grouping import together
from tests.numpy.agreement import assert_derivative

RNG = np.random.default_rng(41)
X = RNG.permutation(np.linspace(0.2, 3.0, 30)).reshape(5, 6)
UFUNCS = (
    np.add, np.multiply, np.subtract, np.divide, np.maximum, np.minimum, np.fmax, np.fmin, np.hypot,
    np.logaddexp, np.logaddexp2, np.power, np.arctan2, np.float_power, np.copysign,
)  # fmt: skip
MASK = np.arange(30).reshape(5, 6) % 4 != 1


def forms(ufunc):
    several = ufunc.identity is not None or ufunc in (np.maximum, np.minimum, np.fmax, np.fmin)
    yield "reduce", {}
    yield "reduce", {"axis": -1, "keepdims": True}
    yield "reduce", {"axis": 1, "initial": 1.5}
    if several:
        yield "reduce", {"axis": None}
        yield "reduce", {"axis": (0, 1), "initial": 0.75}
        yield "reduce", {"initial": 0.5, "where": MASK}
    yield "accumulate", {}
    yield "accumulate", {"axis": 1}
    yield "reduceat", {"indices": [0, 2, 1, 4]}
    yield "reduceat", {"indices": [3, 5, 5], "axis": 1}


@together("dtype")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("ufunc", UFUNCS)
def test_values(ufunc, dtype):
    """To the last bit, but for sums and products, which NumPy starts with the initial value."""
    x = X.astype(dtype)
    for method, options in forms(ufunc):
        expected = getattr(ufunc, method)(x, **options)
        got, _ = pb.vjp(lambda x: getattr(ufunc, method)(x, **options), x)  # noqa: B023
        recorded = pb.trace(lambda x: getattr(ufunc, method)(x, **options), x)(x)  # noqa: B023
        for each in (got, recorded):
            assert each.dtype == expected.dtype
            assert each.shape == expected.shape
            if ufunc in (np.add, np.multiply) and "initial" in options:
                np.testing.assert_allclose(each, expected, rtol=8 * np.finfo(dtype).eps)
            else:
                np.testing.assert_array_equal(each, expected)


@pytest.mark.parametrize("ufunc", UFUNCS)
def test_derivatives(ufunc):
    for method, options in forms(ufunc):
        assert_derivative(lambda x: getattr(ufunc, method)(x, **options), X, rtol=1e-12)  # noqa: B023


@pytest.mark.parametrize("ufunc", [np.subtract, np.hypot, np.logaddexp, np.fmax])
def test_second_derivatives(ufunc):
    """Each mix of modes, against differences of the first."""
    x, v = X[0], RNG.normal(size=6)
    for method, options in (("reduce", {}), ("accumulate", {}), ("reduceat", {"indices": [0, 2]})):

        def f(x, method=method, options=options):
            return np.sum(np.sin(getattr(ufunc, method)(x**2, **options)))

        slope = pb.grad(f)
        h = 1e-5
        expected = (slope(x + h * v) - slope(x - h * v)) / (2 * h)
        for outer, inner in itertools.product(("forward", "reverse"), repeat=2):
            hessian = pb.jacobian(pb.jacobian(f, mode=inner), mode=outer)(x)
            np.testing.assert_allclose(hessian @ v, expected, rtol=1e-6, atol=1e-7)


def test_the_result_is_stored_where_it_is_wanted():
    for ufunc, (method, options, shape) in itertools.product(
        (np.add, np.hypot, np.maximum),
        (
            ("reduce", {}, (6,)),
            ("accumulate", {}, (5, 6)),
            ("reduceat", {"indices": [0, 3]}, (2, 6)),
        ),
    ):

        def stored(x, ufunc=ufunc, method=method, options=options, shape=shape):
            out = np.zeros(shape)
            assert getattr(ufunc, method)(x, **options, out=out) is out
            return out

        expected = getattr(ufunc, method)(X, **options)
        np.testing.assert_array_equal(pb.vjp(stored, X)[0], expected)
        bars = [
            pb.vjp(f, X)[1](np.cos(expected))[0]
            for f in (stored, lambda x, u=ufunc, m=method, o=options: getattr(u, m)(x, **o))
        ]
        np.testing.assert_array_equal(*bars)


def test_compiled():
    for f in (
        lambda x: np.sum(np.sin(np.add.reduceat(x, [0, 2, 3], axis=1))),
        lambda x: np.sum(np.sin(np.maximum.accumulate(x, axis=1))),
        lambda x: np.sum(np.hypot.reduce(x)),
    ):
        value, slope = pb.compile(pb.value_and_grad(f))(X)
        np.testing.assert_allclose(value, f(X), rtol=1e-13)
        np.testing.assert_allclose(slope, pb.grad(f)(X), rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: np.add.reduceat(x, [0, 9]), pb.ArgumentValueError, "from 0 up to 4"),
        (lambda x: np.add.reduceat(x, [[0]]), pb.ArgumentValueError, r"shape \(1, 1\)"),
        (lambda x: np.arctan2.reduce(x[:0]), ValueError, "zero-size array"),
        (lambda x: np.subtract.reduce(x, axis=(0, 1)), ValueError, "reorderable"),
        (lambda x: np.arctan2.reduce(x, where=MASK), ValueError, "where mask"),
    ],
)
def test_what_cannot_be_reduced(call, error, words):
    with pytest.raises(error, match=words):
        pb.grad(lambda x: np.sum(call(x)))(X)


def test_constants_stay_so():
    seen = []

    def f(x):
        for y in (
            np.logical_xor.reduce(x > 1),
            np.gcd.reduce(np.array([4, 6])),
            np.bitwise_or.accumulate(np.arange(3)),
            np.add.reduceat(np.arange(4), [0, 2]),
        ):
            seen.append(trees.flatten(y)[0])
        return np.sum(x)  # fmt: skip

    pb.grad(f)(X)
    expected = [np.logical_xor.reduce(X > 1), 2, [0, 1, 3], [1, 5]]
    for got, wanted in zip(seen, expected, strict=True):
        np.testing.assert_array_equal(got[0], wanted)
