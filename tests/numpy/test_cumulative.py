"""Cumulative sums and products, differences and the trapezoidal rule."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import pullback as pb
from tests.numpy.agreement import assert_analytic, assert_linear

shapes = hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4)


@given(shapes, st.data())
def test_cumulative_functions_along_every_axis(shape, data):
    axis = data.draw(st.none() | st.integers(-len(shape), len(shape) - 1))
    assert_linear(lambda x: np.cumsum(x, axis=axis), np.zeros(shape))
    x = np.random.default_rng(0).integers(-2, 3, shape) / 2
    assert_analytic(lambda x: np.cumprod(x, axis=axis), x)
    if axis is not None:
        initial = data.draw(st.booleans())
        assert_linear(
            lambda x: np.cumulative_sum(x, axis=axis, include_initial=initial), np.zeros(shape)
        )
        assert_analytic(lambda x: np.cumulative_prod(x, axis=axis, include_initial=initial), x)


def test_they_take_a_dtype():
    x = np.array([1.5, 2.5], np.float32)
    for function in (np.cumsum, np.cumprod, np.nancumsum, np.nancumprod):
        out, _ = pb.vjp(lambda x, function=function: function(x, dtype=np.float64), x)
        np.testing.assert_array_equal(out, function(x, dtype=np.float64), strict=True)


@pytest.mark.parametrize("zeros", [(), (1,), (0, 3), (0, 1, 2, 3)])
def test_cumprod_is_exact_with_zeros_to_second_order(zeros):
    """∂²yᵢ/∂xⱼ∂xₖ is the product of the other factors up to i."""
    x = np.array([2.0, 3.0, 5.0, 7.0])
    x[list(zeros)] = 0.0
    jacobian = np.zeros((4, 4))
    hessian = np.zeros((4, 4, 4))
    for i in range(4):
        for j in range(i + 1):
            jacobian[i, j] = np.prod(np.delete(x[: i + 1], j))
            for k in set(range(i + 1)) - {j}:
                hessian[i, j, k] = np.prod(np.delete(x[: i + 1], [j, k]))
    for mode in ("forward", "reverse"):
        np.testing.assert_array_equal(pb.jacobian(np.cumprod, mode=mode)(x), jacobian)
        inner = pb.jacobian(np.cumprod, mode="reverse")
        np.testing.assert_array_equal(pb.jacobian(inner, mode=mode)(x), hessian)


def test_nan_is_left_out():
    x = np.array([1.0, np.nan, 3.0])
    np.testing.assert_array_equal(pb.grad(lambda x: np.nancumsum(x)[-1])(x), [1, 0, 1])
    np.testing.assert_array_equal(pb.grad(lambda x: np.nancumprod(x)[-1])(x), [3, 0, 1])


@given(shapes, st.integers(0, 3), st.data())
def test_diff(shape, n, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = np.zeros(shape)
    assert_linear(lambda x: np.diff(x, n=n, axis=axis), x)
    assert_linear(lambda x: np.diff(x, n, axis, 0.0, x), x)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.diff(x, prepend=1.0),
        lambda x: np.diff(x, append=x[:, :2], axis=1),
        lambda x: np.ediff1d(x),
        lambda x: np.ediff1d(x, to_begin=[1.0, 2.0], to_end=x[0]),
        lambda x: np.trapezoid(x),
        lambda x: np.trapezoid(x, dx=0.25, axis=0),
        lambda x: np.trapezoid(x, x[0] ** 2),
        lambda x: np.trapezoid(x, x[:, 0], axis=0),
        lambda x: np.trapezoid(x, np.arange(4.0)),
        lambda x: np.trapezoid(x, x * x, axis=0),
    ],
)
def test_differences_and_integrals(function):
    assert_analytic(function, np.random.default_rng(0).normal(size=(3, 4)))


def test_a_constant_integrand_between_varying_points():
    points = np.array([0.0, 1.0, 3.0])
    gradient = pb.grad(lambda x: np.trapezoid([2.0, 4.0, 6.0], x))(points)
    np.testing.assert_array_equal(gradient, [-3.0, -2.0, 5.0])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: np.cumulative_sum(x), "no axis"),
        (lambda x: np.diff(x, n=-1), "n=-1"),
        (lambda x: np.diff(x[0, 0]), "scalar"),
    ],
)
def test_arguments_that_do_not_fit(call, words):
    with pytest.raises(pb.ArgumentValueError, match=words):
        pb.grad(lambda x: np.sum(call(x)))(np.ones((2, 2)))


def test_a_long_cumprod_is_linear_in_its_length():
    n = 50_000
    x = np.full(n, 1.0)
    np.testing.assert_array_equal(pb.grad(lambda x: np.cumprod(x)[-1])(x), np.ones(n))
