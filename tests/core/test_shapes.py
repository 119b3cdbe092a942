"""Shapes and dtypes, and the sum that undoes a broadcast."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import broadcastable_shapes
from numpy.testing import assert_allclose

from pullback.core.shapes import (
    Abstract,
    astype,
    dtype_of,
    fit,
    is_inexact,
    shape_of,
    unbroadcast,
)


@given(
    shape=st.lists(st.integers(0, 4), max_size=3).map(tuple),
    data=st.data(),
    seed=st.integers(0, 10),
)
def test_unbroadcast_is_the_adjoint_of_broadcasting(shape, data, seed):
    wide = data.draw(broadcastable_shapes(shape, max_dims=5, max_side=4))
    wide = np.broadcast_shapes(shape, wide)
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal(shape), rng.standard_normal(wide)
    got = unbroadcast(y, shape)
    assert np.shape(got) == shape
    left, right = np.sum(np.broadcast_to(x, wide) * y), np.sum(x * got)
    assert left == pytest.approx(right, rel=1e-11, abs=1e-11)


@pytest.mark.parametrize("columns", [1, 3, 200])
def test_unbroadcast_of_large_arrays(columns):
    y = np.random.default_rng(0).standard_normal((40_000, columns))
    assert_allclose(unbroadcast(y, (columns,)), y.sum(axis=0), rtol=1e-9, atol=1e-9)
    assert_allclose(unbroadcast(y.astype("f4"), (columns,)), y.sum(axis=0), rtol=1e-3, atol=0.05)


def test_fit_broadcasts_what_lacks_extent():
    assert fit(np.float64(2.0), (2, 3), np.dtype(float)).tolist() == [[2.0] * 3] * 2
    assert fit(np.ones((2, 1)), (2, 3), np.dtype(float)).shape == (2, 3)
    assert fit(np.ones((4, 2, 3)), (2, 1), np.dtype(float)).tolist() == [[12.0], [12.0]]


def test_fit_keeps_dtypes():
    assert fit(np.ones(3), (3,), np.dtype("f4")).dtype == np.float32
    assert fit(np.ones(3) + 2j, (3,), np.dtype(float)).tolist() == [1.0] * 3
    assert fit(2.0, (), np.dtype("f4")).dtype == np.float32


def test_astype_from_complex_takes_the_real_part():
    assert astype(np.array([1 + 2j]), np.dtype("f4")).tolist() == [1.0]
    assert astype(3, np.dtype(float)) == 3.0


@pytest.mark.parametrize(
    ("x", "shape", "dtype", "inexact"),
    [
        (1.0, (), float, True),
        (1, (), int, False),
        (True, (), bool, False),
        (1j, (), complex, True),
        (np.float32(1), (), np.float32, True),
        (np.zeros((2, 3)), (2, 3), float, True),
        (np.zeros(2, int), (2,), int, False),
        (Abstract((5,), np.dtype("c8")), (5,), np.complex64, True),
        ([[1.0, 2.0]], (1, 2), float, True),
    ],
)
def test_shape_and_dtype_of_anything(x, shape, dtype, inexact):
    assert shape_of(x) == shape
    assert dtype_of(x) == np.dtype(dtype)
    assert is_inexact(x) == inexact


def test_abstract_values():
    value = Abstract.of(np.zeros((2, 3), "f4"))
    assert (value.shape, value.ndim, value.size) == ((2, 3), 2, 6)
    assert repr(value) == "float32[2, 3]"
    assert Abstract.of(1.0).size == 1
