"""Arrays made like a traced one, and ranges between traced ends."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.core.tracing import Tracer
from tests.numpy.agreement import assert_derivative, assert_linear

X = np.array([2.0, 3.0, 5.0])


def inside(make, x=X):
    """What `make` gives for a traced array, its value there, and what it gives for a plain one."""
    seen = []

    def f(x):
        y = make(x)
        seen.extend([y, pb.stop_gradient(y)])
        return np.sum(x)

    pb.grad(f)(x)
    return *seen, make(x)


@pytest.mark.parametrize(
    "make",
    [
        lambda x: np.zeros_like(x),
        lambda x: np.ones_like(x),
        lambda x: np.full_like(x, 7),
        lambda x: np.zeros_like(x, shape=(2, 3)),
        lambda x: np.ones_like(x, dtype=np.float32),
        lambda x: np.full_like(x, 2.5, shape=()),
        lambda x: np.zeros(4, like=x),
        lambda x: np.zeros((2, 3), np.float32, like=x),
        lambda x: np.ones((2, 2), like=x),
        lambda x: np.full(3, 1.5, like=x),
        lambda x: np.arange(4.0, like=x),
        lambda x: np.eye(3, k=1, like=x),
        lambda x: np.identity(2, like=x),
        lambda x: np.tri(3, like=x),
        lambda x: np.array([1.0, 2.0], like=x),
        lambda x: np.array([[1, 2]], dtype=float, ndmin=3, like=x),
        lambda x: np.asarray([1.0, 2.0], like=x),
        lambda x: np.asanyarray([1.0, 2.0], like=x),
        lambda x: np.ascontiguousarray([1.0], like=x),
        lambda x: np.asfortranarray([[1.0, 2.0], [3.0, 4.0]], like=x),
        lambda x: np.fromiter([1.0, 2.0], float, like=x),
        lambda x: np.fromstring("1 2", sep=" ", like=x),
        lambda x: np.frombuffer(np.ones(2).tobytes(), like=x),
        lambda x: np.fromfunction(lambda i, j: i + 2 * j, (2, 3), like=x),
    ],
)
def test_constants(make):
    got, value, expected = inside(make)
    assert isinstance(got, Tracer)
    np.testing.assert_array_equal(value, expected)
    assert got.dtype == expected.dtype
    assert got.shape == expected.shape


def test_integers_are_plain():
    for make in (lambda x: np.zeros_like(x, dtype=int), lambda x: np.arange(3, like=x)):
        got, _, expected = inside(make)
        assert not isinstance(got, Tracer)
        assert got.dtype == expected.dtype


@pytest.mark.parametrize(
    "make",
    [
        lambda x: np.zeros_like(x),
        lambda x: np.empty_like(x),
        lambda x: np.full_like(x, 9.0),
        lambda x: np.zeros(3, like=x),
        lambda x: np.empty(3, like=x),
        lambda x: np.ones(3, like=x),
        lambda x: np.full(3, 9.0, like=x),
        lambda x: np.arange(3.0, like=x),
        lambda x: np.array([0.0] * 3, like=x),
    ],
)
def test_they_can_be_assigned_to(make):
    def f(x):
        y = make(x)
        for i in range(3):
            y[i] = x[i] * x[0]
        return y

    np.testing.assert_array_equal(
        pb.jacobian(f)(X), np.array([[4.0, 0, 0], [3.0, 2.0, 0], [5.0, 0, 2.0]])
    )


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.full(4, x[0], like=x),
        lambda x: np.full((2, 3), x, like=x),
        lambda x: np.full_like(x, x[1]),
        lambda x: np.array(x, like=x),
        lambda x: np.array([x, 2 * x], like=x),
        lambda x: np.array([[x[0], 0.0], [x[1], x[2]]], like=x),
        lambda x: np.array(x[0], like=x),
        lambda x: np.array(x, dtype=complex, like=x),
        lambda x: np.array(x, ndmin=2, like=x),
        lambda x: np.asarray(x, like=x),
        lambda x: np.asarray([x[0], x[2]], like=x),
        lambda x: np.asarray((x, [x[0], 0.0, x[1]]), like=x),
        lambda x: np.asarray(np.array([x[0], x[1]]), like=x),
        lambda x: np.ascontiguousarray(x[::2], like=x),
        lambda x: np.ascontiguousarray(x[0], like=x),
        lambda x: np.asfortranarray([x, x], like=x),
        lambda x: np.copy(x),
        lambda x: np.fromfunction(lambda i: i * x[0], (3,), like=x),
        lambda x: np.linspace(x[0], x[1]),
        lambda x: np.linspace(x[0], 0.0, 5),
        lambda x: np.linspace(x, 2 * x, 4, axis=1),
        lambda x: np.linspace(x[0], x[1], 1),
        lambda x: np.linspace(x[0], x[1], 0),
        lambda x: np.linspace(x[0], x[1], 5, endpoint=False, retstep=True),
    ],
)
def test_functions_of_traced_values(function):
    rng = np.random.default_rng(0)
    x_dot = rng.integers(-8, 9, 3) * 48.0 * 49.0
    out, out_dot = pb.pushforward(function, (X,), (x_dot,))
    plain = function(X)
    for got, dot, value, direction in zip(
        *(y if isinstance(y, tuple) else (y,) for y in (out, out_dot, plain, function(x_dot))),
        strict=True,
    ):
        np.testing.assert_allclose(got, value, rtol=1e-15)
        np.testing.assert_allclose(dot, direction, rtol=1e-15, atol=1e-11)
        assert np.shape(got) == np.shape(value)
        assert np.result_type(got) == np.result_type(value)
    _, pull = pb.vjp(function, X)
    bars = rng.integers(-8, 9, np.shape(out_dot)) if not isinstance(out_dot, tuple) else None
    if bars is not None:
        bars = bars.astype(np.result_type(out_dot))
        (x_bar,) = pull(bars)
        np.testing.assert_allclose(
            np.sum(np.real(out_dot * bars)), np.sum(x_dot * x_bar), rtol=1e-13, atol=1e-9
        )


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.logspace(x[0], x[1], 5),
        lambda x: np.logspace(0.0, 1.0, 4, base=x[0]),
        lambda x: np.geomspace(x[0], x[1], 6),
        lambda x: np.geomspace(x, 2.0, 4, endpoint=False, axis=-1),
        lambda x: np.geomspace(-x[0], -x[1], 3),
        lambda x: np.vander(x),
        lambda x: np.vander(x, 2, increasing=True),
    ],
)
def test_other_ranges(function):
    assert_derivative(function, X)


def test_linear_ranges_are_exact_at_whole_numbers():
    assert_linear(lambda a, b: np.linspace(a, b, 5), np.float64(1.0), np.float64(2.0))


def test_a_full_array_without_like_holds_objects():
    """NumPy makes it without asking; it joins its elements when it meets a primitive."""
    np.testing.assert_array_equal(pb.grad(lambda x: np.sum(np.full(3, x[0]) * x))(X), [12, 2, 2])


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda x: np.full_like(x, x[0], dtype=int), pb.ArgumentTypeError, "leave dtype out"),
        (lambda x: np.array([x, x], copy=False, like=x), pb.ArgumentValueError, "copy=None"),
        (lambda x: np.linspace(x[0], 1.0, -1), pb.ArgumentValueError, "num is -1"),
        (lambda x: np.geomspace(x[0], -1.0), pb.ArgumentValueError, "same sign"),
        (lambda x: np.vander(x[None]), pb.ArgumentValueError, "one dimension"),
        (lambda x: np.logspace(0.0, 1.0, base=x), pb.ArgumentTypeError, "give one number"),
    ],
)
def test_what_is_refused(make, error, words):
    with pytest.raises(error, match=words):
        pb.pullback(make, (X,))


def test_an_array_like_one_that_has_leaked():
    leaked = []
    pb.grad(lambda x: leaked.append(x) or np.sum(x))(X)
    with pytest.raises(pb.LeakedTracerError, match=r"numpy\.zeros:"):
        np.zeros(3, like=leaked[0])
    with pytest.raises(pb.LeakedTracerError, match=r"numpy\.zeros_like:"):
        np.zeros_like(leaked[0])
