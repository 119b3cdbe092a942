"""Sums of many short rows: NumPy's, bit for bit."""

from __future__ import annotations

import itertools
import operator

import numpy as np

from pullback.core.sums import broadcast_together, counted, highest, summed, summed_between


def test_sums_are_numpys_to_the_bit():
    rng = np.random.default_rng(0)
    for dtype, extent in itertools.product("fdFD", [1, 2, 3, 4, 7, 8, 40]):
        x = rng.standard_normal((9, 20, extent)) * 10.0 ** rng.uniform(-3, 3, (9, 20, extent))
        if dtype in "FD":
            x = x + 1j * x[::-1]
        x = x.astype(dtype)
        x[0, 0], x[1, 1, 0], x[2, 2, -1] = -0.0, np.inf, np.nan
        for array in (x, x[:, ::2], np.asfortranarray(x), x.T, x[:2], x[:0]):
            for axis in (0, 1, 2, -1):
                for keepdims in (True, False):
                    wanted = np.add.reduce(array, axis=axis, keepdims=keepdims)
                    got = summed(array, axis, keepdims)
                    assert got.dtype == wanted.dtype and got.shape == wanted.shape
                    assert np.array_equal(got, wanted, equal_nan=True), (dtype, extent, axis)
                    assert np.array_equal(np.signbit(got.real), np.signbit(wanted.real))
                if axis >= 0:
                    wanted = np.add.reduce(array, axis=axis, keepdims=True)
                    got = summed_between(array, axis)
                    assert got.dtype == wanted.dtype and got.shape == wanted.shape
                    np.testing.assert_allclose(got, wanted, rtol=1e-6 if dtype in "fF" else 1e-13)


def test_sums_of_others_than_arrays_of_floats():
    for x in (np.arange(2000).reshape(-1, 2), np.ones((600, 2), bool), np.float64(2.0)):
        axis = -1 if np.ndim(x) else None
        wanted = np.add.reduce(x, axis=axis)
        got = summed(x, axis, keepdims=False)
        assert np.array_equal(got, wanted) and got.dtype == wanted.dtype


def test_maxima_and_counts_are_numpys():
    rng = np.random.default_rng(1)
    for dtype, extent in itertools.product("fd", [1, 2, 5, 16, 17, 40]):
        x = rng.integers(-4, 4, (9, 20, extent)).astype(dtype)
        x[0, 0], x[1, 1, 0], x[2, 2, -1] = -np.inf, np.inf, np.nan
        for array in (x, x[:, ::2], np.asfortranarray(x), x[:2], x[:0]):
            for axis in (0, 2, -1, None, (1, 2)):
                wanted = np.max(array, axis=axis, keepdims=True, initial=-np.inf)
                got = highest(array, axis)
                assert got.dtype == wanted.dtype and np.array_equal(got, wanted, equal_nan=True)
                mask = array > 0
                count = counted(mask, axis, array.dtype)
                assert count.dtype == array.dtype
                assert np.array_equal(count, np.sum(mask, axis=axis, keepdims=True))


def test_broadcasts_of_short_rows_are_numpys():
    rng = np.random.default_rng(2)
    for dtype, extent in itertools.product("fd", [1, 2, 3, 5]):
        x = rng.standard_normal((50, 30, extent)).astype(dtype)
        x[0, 0], x[1, 1, 0] = np.inf, np.nan
        pairs = [
            (x[:, :1], x[:1]),
            (x[:, None, 0], x[None, :, 0]),
            (x, np.broadcast_to(x[..., :1], x.shape)),
            (x, x[0]),
            (x, x[..., :1]),
            (x[::2, :1], x[:1]),
        ]
        for ufunc, evaluate in ((np.subtract, operator.sub), (np.multiply, operator.mul)):
            for a, b in pairs:
                with np.errstate(invalid="ignore"):
                    got, wanted = broadcast_together(ufunc, evaluate, a, b), evaluate(a, b)
                assert got.dtype == wanted.dtype and got.strides == wanted.strides
                assert np.array_equal(got, wanted, equal_nan=True)
