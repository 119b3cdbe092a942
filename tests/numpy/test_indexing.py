"""Subscripts and the functions that gather: NumPy's values, and exact derivatives."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import pullback as pb
from pullback.core.tracing import Tracer
from tests.numpy.agreement import assert_constant, assert_linear

CUBE = np.zeros((3, 4, 5))
CHOICES = np.array([[0, 2, 1], [1, 0, 2]])
INDICES = np.array([[3, 0, -1], [0, 0, 2]])

KEYS = [
    0,
    -1,
    np.int64(2),
    (1, 2),
    (1, 2, 3),
    slice(None),
    slice(2, None, -1),
    (slice(None), slice(1, 10, 2)),
    Ellipsis,
    (Ellipsis, 0),
    (0, Ellipsis, slice(-2, None)),
    None,
    (None, 1, None, Ellipsis, None),
    [0, 2, 0],
    (INDICES % 3,),
    (slice(None), INDICES),
    ([0, 1], [3, 3]),
    ([[0], [2]], slice(None), [1, 1, -1]),
    (0, [1, 2], [4, 4]),
    (slice(1, None), 0, [1, 1]),
    np.array(1),
    (Ellipsis, np.array(2)),
    [True, False, True],
    np.arange(60).reshape(3, 4, 5) % 7 < 3,
    (slice(None), np.array([True, False, True, True])),
    (np.array([[True] * 4, [False] * 4, [True, False] * 2]), 2),
    ([2, 0], np.array([False, True, False, True])),
    (np.array([True, False, True]), [0, 0]),
    [],
    True,
    np.False_,
    np.ix_([0, 2], [1, 3], [0, 4]),
]


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_subscripts(key):
    assert_linear(lambda x: x[key], CUBE)
    assert_linear(lambda x: x[key], CUBE.astype(complex))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.take(x, INDICES),
        lambda x: np.take(x, [0, -1, 0], axis=1),
        lambda x: np.take(x, 2, axis=-1),
        lambda x: np.take(x, [7, -9, 3], axis=1, mode="wrap"),
        lambda x: np.take(x, [7, -9, 3], axis=1, mode="clip"),
        lambda x: x.take([1, 1], 0),
        lambda x: np.take_along_axis(x, np.argsort(np.cos(np.arange(60)).reshape(3, 4, 5), 1), 1),
        lambda x: np.take_along_axis(x, np.array([[[3]], [[0]], [[1]]]), 2),
        lambda x: np.take_along_axis(x, np.array([7, 7, 59]), None),
        lambda x: np.compress([True, False, True], x, axis=0),
        lambda x: x.compress([0, 1, 1, 0, 1]),
        lambda x: np.extract(np.arange(60) % 4 == 1, x),
        lambda x: np.choose(CHOICES, x[:, :2, :3]),
        lambda x: np.choose(CHOICES + 2, [x[0, 0, :3], 0.0, x[1, 1, 0]], mode="wrap"),
        lambda x: np.bincount([0, 3, 3], weights=x[0, 0, :3], minlength=6),
        lambda x: np.asarray(list(x[0, 0]), like=x),
        lambda x: np.asarray([x[0, 0], x[1, 1]], like=x),
    ],
)
def test_functions_that_gather(function):
    assert_linear(function, CUBE)


def test_select_takes_the_first_condition_that_holds():
    x = np.array([-2.0, -0.5, 0.5, 2.0])

    def f(x):
        return np.select([x < -1, x < 1], [x**2, x**3], default=x)

    np.testing.assert_array_equal(np.diag(pb.jacobian(f)(x)), [-4.0, 0.75, 0.75, 1.0])


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.nonzero(x),
        lambda x: np.where(x),
        lambda x: np.flatnonzero(x > 0),
        lambda x: np.flatnonzero(x),
        lambda x: np.argwhere(x),
        lambda x: x.nonzero(),
    ],
)
def test_positions_are_constant(function):
    assert_constant(function, np.array([[0.0, 1.5], [-2.0, 0.0]]))


def test_a_full_index_is_an_immutable_scalar():
    def f(x):
        first = x[0]
        kept = first
        first += 10 * x[1]
        return kept

    np.testing.assert_array_equal(pb.grad(f)(np.array([2.0, 3.0])), [1.0, 0.0])


def test_advanced_indexing_copies():
    def f(x):
        y = x * 1.0
        z = y[[0, 1]]
        z[0] = 0.0
        return y[0]

    np.testing.assert_array_equal(pb.grad(f)(np.array([2.0, 3.0])), [1.0, 0.0])


def test_the_index_is_kept_as_it_was():
    index = np.array([0, 0, 1])

    def f(x):
        y = x[index]
        index[:] = 2
        return np.sum(y)

    np.testing.assert_array_equal(pb.grad(f)(np.ones(3)), [2.0, 1.0, 0.0])


def test_unpacking_and_iterating():
    def f(x):
        a, b, c = x
        return a * b + sum(row**2 for row in x) + c

    np.testing.assert_allclose(pb.grad(f)(np.array([2.0, 3.0, 4.0])), [7.0, 8.0, 9.0])


@pytest.mark.parametrize(
    ("key", "error", "words"),
    [
        (1.5, IndexError, "integers, slices"),
        (9, IndexError, "out of bounds"),
        ((0, 0, 0), IndexError, "too many indices"),
        ("a", IndexError, "valid indices"),
        ([True, False, True], IndexError, "boolean index did not match"),
    ],
)
def test_a_subscript_that_does_not_fit(key, error, words):
    with pytest.raises(error, match=words):
        pb.grad(lambda x: np.sum(x[key]))(np.ones((2, 2)))


def test_a_traced_index_is_refused():
    with pytest.raises(pb.ArgumentTypeError, match="an index has no derivative"):
        pb.grad(lambda x: x[x])(np.ones(2))


def test_reading_many_elements_one_by_one_is_linear_work():
    """A pullback adds into one array; it does not make an array for each element that was read."""
    n = 20_000
    x = np.linspace(0.0, 1.0, n)

    def f(x):
        return sum(x[i] * x[i] for i in range(n))

    np.testing.assert_allclose(pb.grad(f)(x), 2 * x)


def test_a_long_chain_of_views():
    def f(x):
        while x.size > 1:
            x = x[1:]
        return x[0]

    expected = np.zeros(5000)
    expected[-1] = 1.0
    np.testing.assert_array_equal(pb.grad(f)(np.ones(5000)), expected)


def test_second_order_through_repeated_indices():
    index = np.array([0, 2, 0])

    def f(x):
        return np.sum(x[index] ** 3)

    np.testing.assert_array_equal(
        pb.hessian(f)(np.array([1.0, 5.0, 2.0])), np.diag([12.0, 0.0, 12.0])
    )


def test_the_branch_that_is_not_read_gives_no_nan():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        gradient = pb.grad(lambda x: np.sum((x * np.log(x))[1:]))(np.array([0.0, 1.0]))
    np.testing.assert_array_equal(gradient, [0.0, 1.0])


def test_integer_results_are_plain():
    seen = []

    def f(x):
        seen.append(np.argsort(x))
        return x[seen[0][0]]

    np.testing.assert_array_equal(pb.grad(f)(np.array([3.0, 1.0])), [0.0, 1.0])
    assert not isinstance(seen[0], Tracer)
