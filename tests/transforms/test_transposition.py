"""The adjoint of a linear function: how it is made, when it is refused, and what it costs."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import pullback as pb

MATRIX = np.random.default_rng(2).standard_normal((5, 3))


def counting(function):
    calls = []

    def counted(x):
        calls.append(type(x))
        return function(x)

    return counted, calls


def test_a_function_of_numpy_calls_is_evaluated_once_for_each_application():
    push, calls = counting(lambda x: MATRIX @ x)
    linear = pb.Linear(push).between(np.ones(3), np.ones(5))
    assert calls == []
    for count in (1, 2):
        assert_allclose(linear.pullback(np.arange(5.0)), MATRIX.T @ np.arange(5.0), rtol=1e-13)
        assert len(calls) == count


def test_a_function_that_cannot_be_traced_is_applied_to_every_unit_array():
    push, calls = counting(lambda x: np.array([MATRIX[k] @ [*map(float, x)] for k in range(5)]))
    linear = pb.Linear(push).between(np.ones(3), np.ones(5))
    assert_allclose(linear.pullback(np.arange(5.0)), MATRIX.T @ np.arange(5.0), rtol=1e-13)
    assert calls.count(np.ndarray) == 3 + 1  # and once to see whether it is linear


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x**2,
        lambda x: x + 1,
        lambda x: np.exp(x),
        lambda x: x * np.sum(x),
        lambda x: np.ones(3),
        lambda x: np.array([float(each) ** 2 for each in x]),
    ],
)
def test_a_function_that_is_not_linear_is_refused(function):
    z = np.array([1.0, 2.0, 3.0])
    with pytest.raises(pb.ArgumentValueError, match=r"my map: the pushforward is not linear"):
        pb.Linear(function).between(z, z, "my map").pullback(z)
    with pytest.raises(pb.ArgumentValueError, match=r"my map: the pullback is not linear"):
        pb.Linear(pullback=function).between(z, z, "my map").pushforward(z)


def test_infinite_coefficients_are_no_evidence():
    linear = pb.Linear(lambda x: x * np.array([1.0, np.inf])).between(np.ones(2), np.ones(2))
    assert_allclose(linear.pullback(np.array([2.0, 1.0])), [2.0, np.inf])


def test_a_result_of_the_wrong_shape_is_named():
    linear = pb.Linear(lambda x: np.ones(4) * np.sum(x)).between(np.ones(2), np.ones(3), "my map")
    with pytest.raises(
        pb.ArgumentValueError, match=r"my map: the pushforward returned .*\(4,\), wanted \(3,\)"
    ):
        linear.pullback(np.ones(3))


def test_an_error_of_the_functions_own_comes_out():
    def push(x):
        raise ValueError("out of ink")

    with pytest.raises(ValueError, match=r"^out of ink$"):
        pb.Linear(push).between(np.ones(2), np.ones(2)).pullback(np.ones(2))


def test_adjoints_under_other_transformations():
    linear = pb.Linear(lambda x: MATRIX @ x).between(np.ones(3), np.ones(5))
    batch = np.arange(10.0).reshape(2, 5)
    assert_allclose(pb.vmap(linear.pullback)(batch), batch @ MATRIX, rtol=1e-13)
    assert_allclose(pb.jacobian(linear.pullback)(batch[0]), MATRIX.T, rtol=1e-13)
    graph = pb.trace(linear.pullback, pb.ShapeDtype(5))
    assert_allclose(graph(batch[1]), batch[1] @ MATRIX, rtol=1e-13)

    def scaled(s):
        map_ = pb.Linear(lambda x: np.sin(s) * (MATRIX @ x)).between(np.ones(3), np.ones(5))
        return np.sum(map_.pullback(np.ones(5)))

    for f in (
        scaled,
        lambda s: pb.scan(lambda c, x: (c + scaled(x), None), 0.0, s * np.ones(1))[0],
    ):
        assert pb.grad(f)(0.3) == pytest.approx(np.cos(0.3) * np.sum(MATRIX), rel=1e-12)
        assert pb.grad(pb.grad(f))(0.3) == pytest.approx(-np.sin(0.3) * np.sum(MATRIX), rel=1e-12)
