"""Orders of short rows, found by counting: NumPy's, with ties and undefined numbers."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from tests.compiler.agreement import assert_agree

RNG = np.random.default_rng(2)
DTYPES = (np.float64, np.float32, np.int64, np.int8, np.uint16, np.bool_)


def odd(dtype, *shape):
    """Numbers with many ties; among floating-point ones infinities, both zeros and NaN."""
    kind = np.dtype(dtype).kind
    if kind == "b":
        return RNG.random(shape) < 0.5
    if kind in "iu":
        return RNG.integers(0 if kind == "u" else -3, 4, shape).astype(dtype)
    values = np.array([0.0, -0.0, 1.5, -2.0, np.inf, -np.inf, np.nan, -np.nan, 3.0], dtype)
    return values[RNG.integers(0, len(values), shape)]


def both(axis):
    return lambda x: (np.sort(x, axis=axis), np.argsort(x, axis=axis, kind="stable"))


def called(compiled, *args):
    return [each.primitive for each in compiled.report(*args).fallbacks]


@pytest.mark.parametrize("dtype", DTYPES)
def test_short_rows_are_sorted_natively(dtype):
    for shape, axis in (((1,), 0), ((9,), 0), ((5, 17), -1), ((17, 3, 2), 0), ((3, 21), None)):
        x = odd(dtype, *shape)
        compiled = pb.compile(both(axis))
        assert not called(compiled, x)
        assert_agree(compiled(x), both(axis)(x), f"{shape}, axis {axis}")


def test_nothing_to_sort_and_what_is_long():
    for shape in ((0,), (3, 0), (0, 4)):
        x = np.zeros(shape)
        assert_agree(pb.compile(both(-1))(x), both(-1)(x))
    for count in (64, 65, 300):
        x = odd(np.float64, 2, count)
        compiled = pb.compile(both(-1))
        assert called(compiled, x) == (["argsort"] if count > 64 else [])
        assert_agree(compiled(x), both(-1)(x), f"{count}")


def test_an_order_of_ties_that_numpy_chooses_stays_numpys():
    x = odd(np.float64, 4, 40)
    compiled = pb.compile(np.argsort)
    assert called(compiled, x) == ["argsort"]
    np.testing.assert_array_equal(compiled(x), np.argsort(x))


def test_other_lengths():
    compiled = pb.compile(np.sort)
    for count in (5, 9, 30, 80, 12):
        x = RNG.normal(size=(3, count))
        assert_agree(compiled(x), np.sort(x), f"{count}")


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_derivatives_of_what_is_made_of_orders(dtype):
    x = RNG.normal(size=(6, 9)).astype(dtype)

    def trimmed(x):
        y = np.sort(x, axis=1)[:, 2:-2]
        return np.sum(y**3) + np.sum(np.median(x, axis=0) ** 2) + np.max(np.quantile(x, 0.3))

    f = pb.value_and_grad(trimmed)
    compiled = pb.compile(f)
    assert not called(compiled, x)
    assert_agree(compiled(x), f(x))
    if dtype == np.float64:
        step = 1e-6 * RNG.normal(size=x.shape)
        slope = (trimmed(x + step) - trimmed(x - step)) / 2
        np.testing.assert_allclose(np.sum(compiled(x)[1] * step), slope, rtol=1e-6)
        flat = x.ravel()[:12]

        def small(x):
            return np.sum(np.sort(x.reshape(2, 6), axis=1)[:, 1:-1] ** 3)

        hessian = pb.hessian(small)
        assert_agree(pb.compile(hessian)(flat), hessian(flat))
