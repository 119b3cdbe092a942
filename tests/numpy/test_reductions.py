"""Reductions: NumPy's values, the complex step, and hand-written formulas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import pullback as pb
from tests.numpy.agreement import (
    assert_analytic,
    assert_constant,
    assert_derivative,
    assert_linear,
)

RNG = np.random.default_rng(7)
A = RNG.normal(size=(3, 4))
MASK = np.array([[1, 0, 1, 1], [0, 1, 1, 0], [1, 1, 0, 0]], dtype=bool)


@st.composite
def shapes_and_axes(draw, min_side=0):
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=min_side, max_side=4))
    axes = st.none() | hnp.valid_tuple_axes(len(shape))
    if shape:
        axes |= st.integers(-len(shape), len(shape) - 1)
    return shape, draw(axes), draw(st.booleans())


def apart(shape, seed=0):
    """No two elements closer than 1/2."""
    rng = np.random.default_rng(seed)
    size = int(np.prod(shape))
    return (rng.permutation(size) + rng.uniform(-0.25, 0.25, size)).reshape(shape)


@given(shapes_and_axes(), st.sampled_from([np.float64, np.float32, np.complex128]))
def test_sum(case, dtype):
    shape, axis, keepdims = case
    assert_linear(lambda x: np.sum(x, axis=axis, keepdims=keepdims), np.zeros(shape, dtype))


@given(shapes_and_axes(min_side=1))
def test_mean(case):
    shape, axis, keepdims = case
    x = apart(shape)
    assert_analytic(lambda x: np.mean(x, axis=axis, keepdims=keepdims), x)
    out, _ = pb.vjp(lambda x: np.mean(x, axis=axis, keepdims=keepdims), x.astype(np.float32))
    np.testing.assert_array_equal(
        out, np.mean(x.astype(np.float32), axis=axis, keepdims=keepdims), strict=True
    )


@given(shapes_and_axes())
def test_prod(case):
    shape, axis, keepdims = case
    x = np.random.default_rng(3).integers(-2, 3, shape) / 2
    assert_analytic(lambda x: np.prod(x, axis=axis, keepdims=keepdims), x)


@given(shapes_and_axes(min_side=1))
def test_max_and_min(case):
    shape, axis, keepdims = case
    x = apart(shape)
    assert_derivative(lambda x: np.max(x, axis=axis, keepdims=keepdims), x)
    assert_derivative(lambda x: np.amin(x, axis=axis, keepdims=keepdims), x)
    assert_derivative(lambda x: np.ptp(x, axis=axis, keepdims=keepdims), x)


@given(shapes_and_axes(min_side=2), st.sampled_from([0, 1, 0.5]))
def test_var_and_std(case, ddof):
    shape, axis, keepdims = case
    if not shape or axis == ():
        return
    x = apart(shape)
    assert_derivative(lambda x: np.var(x, axis=axis, ddof=ddof, keepdims=keepdims), x)
    assert_derivative(lambda x: np.std(x, axis=axis, ddof=ddof, keepdims=keepdims), x)


@given(shapes_and_axes(min_side=1))
def test_constants(case):
    shape, axis, keepdims = case
    x = np.random.default_rng(5).integers(0, 2, shape).astype(float)
    assert_constant(lambda x: np.all(x, axis=axis, keepdims=keepdims), x)
    assert_constant(lambda x: np.any(x, axis=axis, keepdims=keepdims), x)
    assert_constant(lambda x: np.count_nonzero(x, axis=axis, keepdims=keepdims), x)
    if axis is None or isinstance(axis, int):
        assert_constant(lambda x: np.argmax(x, axis=axis, keepdims=keepdims), x)
        assert_constant(lambda x: np.argmin(x, axis=axis, keepdims=keepdims), x)


# -- keywords -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.sum(x, axis=1, where=MASK, initial=2.5),
        lambda x: np.sum(x, axis=0, initial=x[0, 0]),
        lambda x: np.prod(x, axis=1, where=MASK, initial=2.5),
        lambda x: np.mean(x, axis=1, where=MASK),
        lambda x: np.mean(x, where=MASK[0]),
        lambda x: np.sum(x, 1),
        lambda x: np.sum(x, 0, None, None, True),
        lambda x: np.mean(x, 0, keepdims=True),
    ],
)
def test_where_and_initial(function):
    assert_analytic(function, A)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.var(x, axis=1, where=MASK),
        lambda x: np.std(x, where=MASK, ddof=1),
        lambda x: np.var(x, axis=0, mean=np.mean(x, axis=0, keepdims=True)),
        lambda x: np.var(x, axis=0, mean=np.ones((1, 4)), correction=1),
        lambda x: np.max(x, axis=1, where=MASK, initial=-9.0),
        lambda x: np.max(x, axis=0, initial=0.1),
        lambda x: np.min(x, axis=1, where=MASK, initial=x[0, 0]),
        lambda x: np.max(x[:0], initial=x[0, 0]),
        lambda x: np.max(x[:, :0], axis=1, initial=x[0, 0], keepdims=True),
    ],
)
def test_where_and_initial_of_the_others(function):
    assert_derivative(function, A)


def test_constants_take_where():
    assert_constant(lambda x: np.any(x > 0, axis=1, where=MASK), A)
    assert_constant(lambda x: np.all(x, axis=1, where=MASK), A)


def test_dtype_is_the_precision_of_the_sum():
    x = A.astype(np.float32)
    value, gradient = pb.value_and_grad(lambda x: np.sum(x, dtype=np.float64))(x)
    assert value == np.sum(x, dtype=np.float64)
    assert value.dtype == np.float64
    np.testing.assert_array_equal(gradient, np.ones((3, 4), np.float32), strict=True)
    out, _ = pb.vjp(lambda x: np.mean(x, axis=0, dtype=np.float64), x)
    np.testing.assert_array_equal(out, np.mean(x, axis=0, dtype=np.float64), strict=True)


@pytest.mark.parametrize("function", [np.max, np.min])
def test_a_mask_without_initial_is_refused(function):
    with pytest.raises(pb.ArgumentValueError, match=r"where.*initial"):
        pb.grad(lambda x: function(x, where=MASK))(A)


def test_an_axis_out_of_range_is_numpys_error():
    with pytest.raises(np.exceptions.AxisError):
        pb.grad(lambda x: np.sum(x, axis=2))(A)


# -- singular points ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "gradient"),
    [
        ([2.0, 3.0, 5.0], [15.0, 10.0, 6.0]),
        ([2.0, 0.0, 5.0], [0.0, 10.0, 0.0]),
        ([0.0, 0.0, 5.0], [0.0, 0.0, 0.0]),
        ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
    ],
)
def test_prod_is_exact_with_zeros(x, gradient):
    np.testing.assert_array_equal(pb.grad(np.prod)(np.array(x)), gradient)


def test_the_hessian_of_prod_is_exact_with_zeros():
    """∂²/∂xᵢ∂xⱼ is the product of the others."""
    for zeros in ([], [0], [0, 2], [0, 1, 2]):
        x = np.array([2.0, 3.0, 5.0, 7.0])
        x[zeros] = 0.0
        expected = [
            [0.0 if i == j else np.prod(np.delete(x, [i, j])) for j in range(4)] for i in range(4)
        ]
        np.testing.assert_array_equal(pb.hessian(np.prod)(x), expected)


def test_prod_does_not_overflow_on_the_way():
    x = np.array([1e200, 1e-200, 1e200, 1e-300])
    gradient = pb.grad(np.prod)(x)
    np.testing.assert_allclose(gradient, [1e-300, 1e100, 1e-300, 1e200], rtol=1e-15)


@pytest.mark.parametrize("function", [np.max, np.min])
def test_ties_share_evenly(function):
    x = np.array([[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]])
    x[0, 2], x[1, 2] = (0.0, 1.0) if function is np.max else (3.0, 3.0)
    expected = np.array([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0]])
    np.testing.assert_array_equal(pb.grad(lambda x: np.sum(function(x, axis=1)))(x), expected)
    _, dot = pb.pushforward(lambda x: function(x, axis=1), (x,), (np.arange(6.0).reshape(2, 3),))
    np.testing.assert_array_equal(dot, [0.5, 3.5])


def test_nan_is_the_extremum_where_there_is_one():
    x = np.array([1.0, np.nan, 2.0])
    np.testing.assert_array_equal(pb.grad(np.max)(x), [0.0, 1.0, 0.0])
    np.testing.assert_array_equal(pb.grad(np.min)(x), [0.0, 1.0, 0.0])


@pytest.mark.parametrize("function", [np.max, np.min])
def test_elements_that_are_not_the_extremum_get_exact_zeros(function):
    """Whatever the cotangent and their own derivatives are."""
    x = np.array([0.0, 1.0, 4.0])
    _, (x_bar,) = pb.pullback(function, (x,), np.inf)
    assert sorted(x_bar) == [0.0, 0.0, np.inf]
    gradient = pb.grad(lambda x: np.max(np.sqrt(x)))(x)
    np.testing.assert_array_equal(gradient, [0.0, 0.0, 0.25])


def test_an_infinite_element_beside_the_maximum_does_no_harm():
    x = np.array([1.0, -np.inf, 2.0])
    np.testing.assert_array_equal(pb.grad(lambda x: np.max(x) ** 2)(x), [0.0, 0.0, 4.0])


def test_std_of_equal_elements_has_derivative_zero_and_no_second_one():
    """The second derivative is unbounded beside such points."""
    x = np.full(4, 1.5)
    np.testing.assert_array_equal(pb.grad(np.std)(x), np.zeros(4))
    assert np.isnan(pb.hessian(np.std)(x)).all()
    _, dot = pb.pushforward(np.std, (x,), (np.arange(4.0),))
    assert dot == 0


def test_var_keeps_its_digits_far_from_zero():
    """The deviations are formed before they are squared."""
    x = np.array([1.0, 2.0, 4.0]) + 2.0**40
    deviation = x - np.mean(x)
    np.testing.assert_allclose(pb.grad(np.var)(x), 2 * deviation / 3, rtol=1e-12)


@pytest.mark.parametrize("function", [np.var, np.std])
def test_a_variance_in_complex_precision_is_numpys(function):
    out, _ = pb.vjp(lambda x: function(x, dtype=np.complex128), A)
    np.testing.assert_allclose(out, function(A, dtype=np.complex128), rtol=1e-14)
    assert out.dtype == np.complex128
