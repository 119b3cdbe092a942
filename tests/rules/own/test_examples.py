"""The function of an own primitive for every example of a batch."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import pullback as pb

X = np.arange(1.0, 13.0).reshape(4, 3)


def recorded(function):
    """A primitive of a function, and a list of what it has been called with."""
    calls = []

    @pb.primitive
    def f(*args, **params):
        calls.append(type(args[0]).__name__)
        return function(*args, **params)

    f.rule(lambda _y, x: pb.Linear(lambda dot: dot @ np.cos(x), lambda bar: bar * np.cos(x)))
    return f, calls


def test_numpy_calls_are_run_once_for_all_examples():
    f, calls = recorded(lambda x: np.sum(np.sin(x)))
    assert_allclose(pb.vmap(f)(X), np.sum(np.sin(X), axis=1), rtol=1e-15)
    assert calls == ["Tracer"]
    calls.clear()
    total = pb.grad(lambda x: np.sum(pb.vmap(f)(x)))
    assert_allclose(total(X), np.cos(X), rtol=1e-15)
    assert calls == ["Tracer"]


def test_a_loop_calls_it_for_each_example_and_is_not_tried_in_vain_again():
    f, calls = recorded(lambda x: sum(math.sin(each) for each in x))
    for first in (True, False):
        calls.clear()
        assert_allclose(pb.vmap(f)(X), np.sum(np.sin(X), axis=1), rtol=1e-14)
        assert calls == ["Tracer"] * first + ["ndarray"] * 4
    calls.clear()
    assert_allclose(pb.vmap(f)(X[:, :2]), np.sum(np.sin(X[:, :2]), axis=1), rtol=1e-14)
    assert calls == ["Tracer"] + ["ndarray"] * 4  # other shapes may go another way
    calls.clear()
    assert_allclose(pb.vmap(f)(X[:2]), np.sum(np.sin(X[:2]), axis=1), rtol=1e-14)
    assert calls == ["ndarray"] * 2


def test_examples_come_as_outside_of_vmap():
    seen = []

    @pb.primitive
    def f(x, n, m, *, label):
        seen.append((type(x), type(n), type(m), label))
        return float(x) * n * m

    out = pb.vmap(lambda x, n: f(x, n, 2, label="a"))(np.ones(2), np.array([3, 4]))
    assert_array_equal(out, [6.0, 8.0])
    assert seen[-1] == (np.float64, np.int64, int, "a")


def test_the_functions_own_errors_come_out_as_they_are():
    @pb.primitive
    def f(x):
        if x.shape != (3,):
            raise KeyError("no")
        if float(x[0]) > 5:
            raise ValueError("too large")
        return x

    with pytest.raises(KeyError, match="no"):
        pb.vmap(f)(X[:, :2])
    with pytest.raises(ValueError, match=r"^too large$") as caught:
        pb.vmap(f)(X)
    assert type(caught.value) is ValueError
    assert_array_equal(pb.vmap(f)(X[:2]), X[:2])


def test_a_check_of_the_type_leads_to_the_loop():
    @pb.primitive
    def f(x):
        if type(x) is not np.ndarray:
            raise TypeError(f"want an array, got a {type(x).__name__}")
        return x * 2

    assert_array_equal(pb.vmap(f)(X), 2 * X)


def test_results_of_different_shapes_are_refused():
    @pb.primitive
    def positive(x):
        return x[x > 2]

    with pytest.raises(
        pb.ArgumentValueError,
        match=r"vmap of positive: .* shape \(1,\) and \(3,\) for different examples",
    ):
        pb.vmap(positive)(X)
    assert_array_equal(pb.vmap(positive)(X[1:]), X[1:])


def test_no_examples():
    @pb.primitive(multiple=True)
    def f(x):
        return float(x[0]), x * np.float32(1)

    f.rule(lambda _out, x: pb.Linear(lambda d: (d[0], d), lambda bars: x * 0 + bars[1]))
    first, second = pb.vmap(f)(np.zeros((0, 3), np.float32))
    assert (first.shape, first.dtype) == ((0,), np.float64)
    assert (second.shape, second.dtype) == ((0, 3), np.float32)
    bar = pb.grad(lambda x: np.sum(pb.vmap(f)(x)[1]))(np.zeros((0, 3)))
    assert bar.shape == (0, 3)


def test_axes_in_any_place():
    @pb.primitive
    def f(x, y):
        return np.outer(x, y)

    @f.rule
    def rule(_z, x, y):
        return (
            pb.Linear(lambda dot: np.outer(dot, y), lambda bar: bar @ y),
            pb.Linear(lambda dot: np.outer(x, dot), lambda bar: x @ bar),
        )

    y = np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]])
    wanted = np.einsum("bi,jb->bij", X, y)
    mapped = pb.vmap(f, in_axes=(0, 1), out_axes=2)
    assert_allclose(mapped(X, y), np.moveaxis(wanted, 0, 2), rtol=1e-15)
    weights = np.cos(np.arange(24.0)).reshape(4, 3, 2)
    bars = pb.grad(lambda x, y: np.sum(mapped(x, y) * np.moveaxis(weights, 0, 2)), (0, 1))(X, y)
    assert_allclose(bars[0], np.einsum("bij,jb->bi", weights, y), rtol=1e-13)
    assert_allclose(bars[1], np.einsum("bij,bi->jb", weights, X), rtol=1e-13)


def test_integer_results_have_no_derivative():
    @pb.primitive
    def count(x):
        return np.sum(x > 2)

    count.rule(lambda _y, _x: None)
    out = pb.vmap(count)(X)
    assert out.dtype.kind == "i"
    assert_array_equal(out, [1, 3, 3, 3])
    assert_array_equal(pb.grad(lambda x: np.sum(pb.vmap(count)(x) * x[:, 0]))(X)[:, 0], out)


def test_results_that_do_not_depend_on_the_example():
    @pb.primitive(multiple=True)
    def f(x):
        return np.ones(2), 3.0, x

    f.rule(lambda _out, _x: pb.Linear(lambda d: (None, None, d), lambda bars: bars[2]))
    ones, three, same = pb.vmap(f)(X)
    assert_array_equal(ones, np.ones((4, 2)))
    assert_array_equal(three, np.full(4, 3.0))
    ones[0] = 2.0  # nobody else's
    assert_array_equal(pb.vmap(f)(X)[0], np.ones((4, 2)))
    assert_array_equal(same, X)
    assert_array_equal(pb.grad(lambda x: np.sum(pb.vmap(f)(x)[2]))(X), np.ones_like(X))


def test_what_a_user_writes_to_later_is_not_what_the_rule_reads():
    @pb.primitive
    def product(x, y):
        return x * y

    product.rule(lambda _z, x, y: (y, x))
    scale = np.array([2.0, 3.0, 4.0])
    _, pull = pb.vjp(lambda x: pb.vmap(product, in_axes=(0, None))(x, scale), X)
    scale[:] = 0.0
    assert_array_equal(pull(np.ones((4, 3)))[0], np.broadcast_to([2.0, 3.0, 4.0], (4, 3)))


def test_a_branch_that_was_not_taken_leaves_no_nan():
    @pb.primitive
    def root(x):
        return np.sqrt(x)

    root.rule(lambda y, _x: 0.5 / y)
    x = np.array([0.0, 4.0])
    safe = pb.grad(lambda x: np.sum(np.where(x > 0, pb.vmap(root)(x), 1.0)))
    assert_array_equal(safe(x), [0.0, 0.25])


def test_single_precision_and_complex_numbers_stay():
    @pb.primitive
    def square(z):
        return z * z

    square.rule(lambda _y, z: pb.Linear(pullback=lambda bar: 2 * np.conj(z) * bar))
    for dtype in (np.float32, np.complex64):
        z = (X[0] * (1 if dtype is np.float32 else 1 + 1j)).astype(dtype)
        out, dot = pb.pushforward(pb.vmap(square), (z,), (z,))
        assert out.dtype == dot.dtype == dtype
        assert_allclose(dot, 2 * z * z, rtol=1e-6)
        (bar,) = pb.pullback(pb.vmap(square), (z,), z)[1]
        assert bar.dtype == dtype
        assert_allclose(bar, 2 * np.conj(z) * z, rtol=1e-6)


def test_a_batching_of_the_users_own_is_preferred_whenever_it_was_attached():
    used = []

    @pb.primitive
    def f(x):
        return 2 * x

    @f.batch
    def batch(mapped, x):
        used.append(mapped)
        return 2 * x

    f.rule(lambda _y, _x: 2.0)
    assert_array_equal(pb.vmap(f)(X), 2 * X)
    assert used == [(True,)]
