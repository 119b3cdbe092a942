"""Sorting and searching."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pullback as pb
from tests.numpy.agreement import assert_constant, assert_derivative

X = np.random.default_rng(3).permutation(np.linspace(-2.0, 2.0, 12)).reshape(3, 4)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.sort(x),
        lambda x: np.sort(x, axis=0),
        lambda x: np.sort(x, axis=None),
        lambda x: np.sort(x, kind="heapsort"),
        lambda x: np.sort(x, stable=True),
        lambda x: np.partition(x, 2),
        lambda x: np.partition(x, [1, 2], axis=0)[1],
        lambda x: np.partition(x, 5, axis=None)[5],
    ],
)
def test_values_are_differentiable(function):
    assert_derivative(function, X)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.argsort(x),
        lambda x: np.argsort(x, axis=0, kind="stable"),
        lambda x: np.argsort(x, axis=None, stable=True),
        lambda x: np.argpartition(x, 1),
        lambda x: np.lexsort(x),
        lambda x: np.lexsort((x[0], x[1])),
        lambda x: np.searchsorted(np.arange(-2.0, 3.0), x),
        lambda x: np.searchsorted(np.sort(x[0]), [0.0, 1.0], side="right"),
        lambda x: np.searchsorted(x[0], 0.1, sorter=np.argsort(x[0])),
        lambda x: np.digitize(x, [-1.0, 0.0, 1.0], right=True),
        lambda x: np.digitize(0.3, np.sort(x[1])),
    ],
)
def test_positions_are_constant(function):
    assert_constant(function, X)


@given(st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=1, max_size=8))
def test_equal_elements_keep_their_order(values):
    x = np.array(values)
    jacobian = pb.jacobian(np.sort)(x)
    np.testing.assert_array_equal(jacobian, np.eye(len(x))[np.argsort(x, kind="stable")])


def test_complex_numbers_sort_by_their_parts():
    z = np.array([1 + 2j, 1 - 2j, -3 + 0j])
    _, pull = pb.vjp(np.sort_complex, z)
    np.testing.assert_array_equal(pull(np.array([1 + 0j, 2, 3]))[0], [3, 2, 1])
    real = pb.pullback(np.sort_complex, (np.array([2.0, 1.0]),), np.array([1j, 2 + 1j]))
    np.testing.assert_array_equal(real[1][0], [2.0, 0.0])


def test_a_median_to_second_order():
    def f(x):
        return np.sort(x**2)[1]

    np.testing.assert_array_equal(pb.hessian(f)(np.array([3.0, 1.0, 2.0])), np.diag([0, 0, 2.0]))


def test_fields_are_refused():
    with pytest.raises(pb.ArgumentTypeError, match="order"):
        pb.grad(lambda x: np.sum(np.sort(x, order="a")))(X)
    with pytest.raises(ValueError, match="a scalar has no positions"):
        pb.grad(lambda x: np.nonzero(x))(1.0)


@pytest.mark.parametrize("function", [lambda x: np.sort(x, 0), lambda x: np.partition(x, 1, 0)])
def test_the_result_lies_in_memory_as_what_was_sorted(function):
    x = np.asfortranarray(np.random.default_rng(0).permutation(np.arange(12.0)).reshape(4, 3))
    out, pull = pb.vjp(lambda x: np.ravel(function(x), order="K"), x)
    np.testing.assert_array_equal(out, np.ravel(function(x), order="K"))
    (x_bar,) = pull(out)
    np.testing.assert_array_equal(x_bar, x)
