"""Sums over nearly all points of a later loop, in that loop."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb

RNG = np.random.default_rng(3)


def loops(f, x):
    text = pb.compile(f).loops(x)
    return [line for line in text.splitlines() if "for all" in line]


def squared_differences(axes):
    def loss(x):
        return sum(np.sum(np.diff(x, axis=axis) ** 2) for axis in axes)

    return loss


@pytest.mark.parametrize(
    ("shape", "axes"), [((5000,), (0,)), ((70, 80), (0, 1)), ((20, 21, 22), (0, 1, 2))]
)
def test_a_value_and_its_gradient_are_one_loop(shape, axes):
    x = RNG.normal(size=shape)
    f = pb.value_and_grad(squared_differences(axes))
    assert len(loops(f, x)) == 1
    value, gradient = pb.compile(f)(x)
    expected = sum(np.sum(np.diff(x, axis=axis) ** 2) for axis in axes)
    np.testing.assert_allclose(value, expected, rtol=1e-13)
    np.testing.assert_allclose(gradient, f(x)[1], rtol=1e-13, atol=1e-13)


def test_what_is_left_out_is_not_read_and_adds_nothing():
    x = RNG.normal(size=5000)
    x[-1] = np.inf
    f = pb.value_and_grad(lambda x: np.sum(x[:-1] ** 2))
    value, gradient = pb.compile(f)(x)
    np.testing.assert_allclose(value, np.sum(x[:-1] ** 2), rtol=1e-13)
    assert gradient[-1] == 0


def needs_the_sum(x):
    total = np.sum(np.diff(x) ** 2)
    return x * total


def in_other_steps(x):
    return np.sum(np.diff(x) ** 2) + x[::-1]


def few_points(x):
    return np.sum(x[:2000]), x * 2.0


@pytest.mark.parametrize("f", [needs_the_sum, in_other_steps, few_points])
def test_loops_that_stay_apart(f):
    x = RNG.normal(size=5000)
    assert len(loops(f, x)) == 2
    for got, wanted in zip(pb.compile(f)(x), f(x), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-12)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_long_sums_in_single_precision(axis):
    # Sums of a million terms, one after the other, would be some hundred times as far off.
    x = RNG.normal(size=(96, 97, 98)).astype(np.float32)
    exact = np.sum(np.diff(x.astype(np.float64), axis=axis) ** 2)
    got = pb.compile(squared_differences((axis,)))(x)
    np.testing.assert_allclose(got, exact, rtol=1e-6)
