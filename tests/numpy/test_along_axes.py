"""Functions over the slices of an array."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

import pullback as pb
from tests.numpy.agreement import assert_analytic, assert_linear

X = np.random.default_rng(0).normal(size=(2, 3, 4))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_apply_along_axis(axis):
    assert_analytic(lambda x: np.apply_along_axis(lambda v: np.sum(v**3), axis, x), X)
    assert_analytic(lambda x: np.apply_along_axis(lambda v, k: v[::-1] * k, axis, x, 3.0), X)
    assert_analytic(lambda x: np.apply_along_axis(lambda v: np.outer(v, v[:2]), axis, x), X)


def test_apply_over_axes():
    assert_analytic(lambda x: np.apply_over_axes(np.sum, x, (0, -1)), X)
    assert_analytic(lambda x: np.apply_over_axes(np.cumsum, x, 1), X)


@pytest.mark.parametrize(
    ("window", "axis"), [(2, 0), (3, -1), ((2, 1, 2), None), ((2, 2), (1, 2)), ((1, 2), (0, 0))]
)
def test_windows(window, axis):
    assert_linear(lambda x: sliding_window_view(x, window, axis), X)


def test_a_window_sees_what_is_written_to_its_array():
    def f(x):
        y = x * 1.0
        windows = sliding_window_view(y, 2)
        y[1] = 5.0 * x[0]
        return windows * 1.0

    x = np.array([1.0, 2.0, 3.0])
    out, push = pb.linearize(f, x)
    np.testing.assert_array_equal(out, f(x))
    np.testing.assert_array_equal(push(x), f(x))


def test_refusals():
    with pytest.raises(pb.ArgumentTypeError, match="overlap"):
        pb.grad(lambda x: np.sum(sliding_window_view(x, 1, 0, writeable=True)))(X)
    with pytest.raises(pb.ArgumentValueError, match="no slices along axis 1"):
        pb.grad(lambda x: np.sum(np.apply_along_axis(np.sum, 1, x[:0])))(X)
