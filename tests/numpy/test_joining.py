"""Joining and splitting are exact, and take lists of tracers, arrays and numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pullback as pb
from tests.numpy.agreement import assert_linear

X = np.arange(24.0).reshape(2, 3, 4)


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=4),
    st.integers(1, 3),
    st.data(),
)
def test_concatenate_and_split_along_every_axis(extents, rank, data):
    axis = data.draw(st.integers(-rank, rank - 1))
    shape = [2] * rank
    primals = []
    for extent in extents:
        shape[axis] = extent
        primals.append(np.zeros(shape))
    assert_linear(lambda *xs: np.concatenate(xs, axis), *primals)
    assert_linear(lambda *xs: np.concatenate(xs, axis=None), *primals)
    joined = np.concatenate(primals, axis)
    cuts = data.draw(st.lists(st.integers(0, sum(extents)), max_size=3).map(sorted))
    count = data.draw(st.integers(1, 4))
    assert_linear(lambda x: np.split(x, cuts, axis), joined)
    assert_linear(lambda x: np.array_split(x, count, axis), joined)
    assert_linear(lambda x: list(np.unstack(x, axis=axis)), joined)


@given(st.integers(1, 4), st.lists(st.integers(0, 3), max_size=3), st.data())
def test_stack_along_every_axis(count, shape, data):
    axis = data.draw(st.integers(-len(shape) - 1, len(shape)))
    primals = [np.zeros(shape) for _ in range(count)]
    assert_linear(lambda *xs: np.stack(xs, axis=axis), *primals)
    for function in (np.vstack, np.hstack, np.dstack):
        assert_linear(lambda *xs, function=function: function(xs), *primals)
    if len(shape) in (1, 2):
        assert_linear(lambda *xs: np.column_stack(xs), *primals)


def test_parts_of_every_kind_side_by_side():
    def f(x):
        return np.concatenate([x, [1.0, 2.0], np.arange(2), (x[0], 3.0), 2.0 * x])

    x = np.array([5.0, 7.0])
    out, (x_bar,) = pb.pullback(f, (x,), np.arange(10.0))
    np.testing.assert_array_equal(out, f(x), strict=True)
    np.testing.assert_array_equal(x_bar, [0 + 6 + 16, 1 + 18])
    stacked = pb.jacobian(lambda x: np.stack([x[0], 1.0, x[1], np.float64(2)]))(x)
    np.testing.assert_array_equal(stacked, [[1, 0], [0, 0], [0, 1], [0, 0]])
    nested = pb.jacobian(lambda x: np.vstack([[x[0], 1.0], [2.0, x[1]], x]))(x)
    np.testing.assert_array_equal(np.argwhere(nested), [[0, 0, 0], [1, 1, 1], [2, 0, 0], [2, 1, 1]])


def test_dtypes_promote_as_in_numpy():
    x = X[0].astype(np.float32)
    for other in (np.ones((1, 4)), np.ones((1, 4), np.int64), np.ones((1, 4), np.complex64)):
        out, push = pb.linearize(lambda x, other=other: np.concatenate([x, other]), x)
        np.testing.assert_array_equal(out, np.concatenate([x, other]), strict=True)
        assert push(x).dtype == out.dtype
    out, _ = pb.vjp(lambda x: np.stack([x, x], dtype=np.float64), x)
    np.testing.assert_array_equal(out, np.stack([x, x], dtype=np.float64), strict=True)


def test_thousands_of_scalars_take_linear_work():
    """Each scalar is one argument of one primitive, and its cotangent one slice."""
    n = 10_000
    x = np.arange(float(n))

    def f(x):
        return np.sum(np.stack(list(x)) * np.arange(n))

    np.testing.assert_array_equal(pb.grad(f)(x), np.arange(n))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.block([[x[0], x[1]], [2.0 * x[1], x[0]]]),
        lambda x: np.block([x[0, 0], 1.0, x[1, 1]]),
        lambda x: np.block([[x, x[:, :, :1]]]),
        lambda x: np.block(x),
        lambda x: np.append(x, x[0]),
        lambda x: np.append(x, x[:, :1], axis=1),
        lambda x: np.insert(x, 1, x[:, 0], axis=1),
        lambda x: np.insert(x, [0, 2, 2], x[:, :, :3], axis=2),
        lambda x: np.insert(x, -1, 0.0, axis=0),
        lambda x: np.insert(x, slice(0, 2), x[0, 0, :2]),
        lambda x: np.insert(x, [3], x[0, 0, :2]),
        lambda x: np.insert(x[0, 0], 2, x[1, 0, :2]),
        lambda x: np.delete(x, 1, axis=1),
        lambda x: np.delete(x, [0, -1], axis=2),
        lambda x: np.delete(x, slice(1, 9)),
        lambda x: np.delete(x, np.array([True, False, True]), axis=1),
        lambda x: np.hsplit(x, 3)[1],
        lambda x: np.hsplit(x[0, 0], [1])[1],
        lambda x: np.vsplit(x, 2)[1],
        lambda x: np.dsplit(x, [1, 3])[1],
    ],
)
def test_the_others(function):
    rng = np.random.default_rng(0)
    x_dot = rng.integers(-9, 10, X.shape).astype(float)
    out, push = pb.linearize(function, X)
    np.testing.assert_array_equal(out, function(X), strict=True)
    np.testing.assert_array_equal(push(x_dot), function(X + x_dot) - function(X))
    y_bar = rng.integers(-9, 10, out.shape).astype(float)
    _, (x_bar,) = pb.pullback(function, (X,), y_bar)
    assert np.sum(x_bar * x_dot) == np.sum(push(x_dot) * y_bar)
    assert x_bar.shape == X.shape


@pytest.mark.parametrize(
    ("call", "words", "error"),
    [
        (lambda x: np.split(x, 2, axis=1), "do not divide the extent 3", pb.ArgumentValueError),
        (lambda x: np.array_split(x, 0), "0 sections", pb.ArgumentValueError),
        (lambda x: np.vsplit(x[0, 0], 2), "at least 2 axes", pb.ArgumentValueError),
        (lambda x: np.block([[x], x]), "nesting depths", pb.ArgumentValueError),
        (lambda x: np.block([x, (x,)]), "tuple", pb.ArgumentTypeError),
        (lambda x: np.concatenate([x], out=X.copy()), "plain ndarray", pb.DetachedError),
    ],
)
def test_arguments_that_do_not_fit(call, words, error):
    with pytest.raises(error, match=words):
        pb.grad(lambda x: np.sum(call(x)[0]))(X)
