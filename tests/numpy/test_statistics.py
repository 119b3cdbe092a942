"""Averages, order statistics, covariances, and reductions that leave NaN out."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from tests.numpy.agreement import assert_constant, assert_derivative

RNG = np.random.default_rng(5)
X = (RNG.permutation(24) + RNG.uniform(-0.25, 0.25, 24)).reshape(2, 3, 4)
W = RNG.uniform(0.5, 1.5, (2, 3, 4))
AXES = [None, 0, -1, (0, 2), (0, 1, 2)]
METHODS = ["linear", "lower", "higher", "midpoint", "nearest", "weibull", "hazen",
           "median_unbiased", "normal_unbiased", "interpolated_inverted_cdf", "inverted_cdf",
           "averaged_inverted_cdf", "closest_observation"]  # fmt: skip


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("keepdims", [False, True])
def test_average(axis, keepdims):
    assert_derivative(lambda x: np.average(x, axis, keepdims=keepdims), X)
    assert_derivative(lambda x, w: np.average(x, axis, w, keepdims=keepdims), X, W)
    assert_derivative(lambda x, w: list(np.average(x, axis, w, returned=True)), X, W)


def test_average_with_weights_has_a_graph():
    """Whether the weights sum to zero is not known there; then the result is not finite."""
    graph = pb.trace(lambda x, w: np.average(x, weights=w), W, W)
    np.testing.assert_allclose(graph(X, W), np.average(X, weights=W), rtol=1e-14)
    with np.errstate(invalid="ignore"):
        assert np.isnan(graph(X, np.zeros_like(W)))


def test_average_with_weights_along_some_axes():
    assert_derivative(lambda x, w: np.average(x, 1, w), X, W[0, :, 0])
    assert_derivative(lambda x, w: np.average(x, (2, 0), w), X, W[:, 0].T)
    assert_derivative(lambda x: np.average(x, 1, np.array([1, 2, 3])), X)
    with pytest.raises(pb.ArgumentValueError, match=r"weights of shape \(3,\)"):
        pb.grad(lambda x: np.average(x, weights=np.ones(3)))(X)
    with pytest.raises(ZeroDivisionError):
        pb.grad(lambda x: np.average(x, weights=np.zeros((2, 3, 4))))(X)


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("keepdims", [False, True])
def test_order_statistics(axis, keepdims):
    assert_derivative(lambda x: np.median(x, axis, keepdims=keepdims), X)
    assert_derivative(lambda x: np.quantile(x, 0.3, axis, keepdims=keepdims), X)
    assert_derivative(lambda x: np.quantile(x, [[0.0, 0.5], [1.0, 0.77]], axis), X)
    assert_derivative(lambda x: np.percentile(x, [20, 65.0], axis, keepdims=keepdims), X)


@pytest.mark.parametrize("method", METHODS)
def test_every_way_to_interpolate(method):
    for q in (0.0, 0.1, 0.37, 0.5, 0.8, 1.0):
        assert_derivative(lambda x, q=q: np.quantile(x, q, method=method), X)
        assert_derivative(lambda x, q=q: np.quantile(x, q, axis=1, method=method), X)
    x = X.astype(np.float32)
    for q in (0.37, [0.1, 0.9]):
        out, _ = pb.vjp(lambda x, q=q: np.quantile(x, q, method=method), x)
        assert out.dtype == np.quantile(x, q, method=method).dtype


def test_fractions_that_vary():
    assert_derivative(lambda x, q: np.quantile(x, q), X, np.float64(0.33))
    assert_derivative(lambda x, q: np.quantile(x, q, axis=1), X, np.array([0.33, 0.71]))
    assert_derivative(lambda x, q: np.percentile(x, q), X, np.float64(33.0))


def test_the_median_goes_to_the_elements_in_the_middle():
    np.testing.assert_array_equal(pb.grad(np.median)(np.array([5.0, 1.0, 3.0])), [0, 0, 1])
    np.testing.assert_array_equal(
        pb.grad(np.median)(np.array([5.0, 1.0, 3.0, 9.0])), [0.5, 0, 0.5, 0]
    )


def test_the_median_of_nan_is_nan():
    x = np.array([[1.0, np.nan, 3.0], [1.0, 2.0, 3.0]])
    out, _ = pb.vjp(lambda x: np.median(x, axis=1), x)
    np.testing.assert_array_equal(out, [np.nan, 2.0])


@pytest.mark.parametrize("q", [0.3, [0.3, 0.6], np.float64(0.3), np.float32(0.3), 1])
def test_order_statistics_promote_as_in_numpy(q):
    x = X.astype(np.float32)
    for function in (
        np.median,
        np.nanmedian,
        lambda x: np.quantile(x, q, axis=0),
        lambda x: np.percentile(x, q),
        lambda x: np.nanquantile(x, q, axis=2),
        lambda x: np.nanpercentile(x, q),
    ):
        out, _ = pb.vjp(function, x)
        np.testing.assert_allclose(out, function(x), rtol=1e-6, strict=True)


@pytest.mark.parametrize(
    ("call", "words", "error"),
    [
        (lambda x: np.quantile(x, 0.5, weights=W), "weights.*'inverted_cdf'",
         pb.ArgumentValueError),
        (lambda x: np.quantile(x, 0.5, weights=np.ones(3), method="inverted_cdf"),
         r"weights of shape \(3,\)", pb.ArgumentValueError),
        (lambda x: np.quantile(x, 0.5, weights=0 * x, method="inverted_cdf"), "all zero",
         pb.ArgumentValueError),
        (lambda x: np.quantile(x, 0.5, method="cubic"), r"method='cubic'.*'hazen'",
         pb.ArgumentTypeError),
        (lambda x: np.percentile(x, 101), r"percentile.*range.*0 to 100$", pb.ArgumentValueError),
        (lambda x: np.quantile(x, -0.1), r"np\.quantile.*range.*0 to 1$", pb.ArgumentValueError),
        (lambda x: np.quantile(x[:0], 0.5), "no elements", pb.ArgumentValueError),
        (lambda x: np.cov(x), "at most two axes", pb.ArgumentValueError),
        (lambda x: np.nanargmax(x * np.nan), "nothing but NaN", pb.ArgumentValueError),
    ],
)  # fmt: skip
def test_arguments_that_do_not_fit(call, words, error):
    with pytest.raises(error, match=words):
        pb.grad(lambda x: np.sum(call(x)))(X)


# -- covariances ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        np.cov,
        lambda x: np.cov(x[0]),
        lambda x: np.cov(x, rowvar=False),
        lambda x: np.cov(x, bias=True),
        lambda x: np.cov(x, ddof=0),
        lambda x: np.cov(x, x * x),
        lambda x: np.cov(x[0], x[1] * x[2]),
        lambda x: np.cov(x, fweights=[1, 2, 3, 1]),
        lambda x: np.cov(x, aweights=x[0] ** 2),
        lambda x: np.cov(x, fweights=[1, 2, 3, 1], aweights=[0.1, 0.3, 0.2, 0.5]),
        lambda x: np.corrcoef(x),
        lambda x: np.corrcoef(x[0], x[1]),
        lambda x: np.corrcoef(x, rowvar=False)[:2, :2],
    ],
)
def test_covariances_and_correlations(function):
    assert_derivative(function, np.random.default_rng(0).normal(size=(3, 4)), rtol=1e-12)


def test_covariances_of_complex_variables():
    z = RNG.normal(size=(2, 4)) + 1j * RNG.normal(size=(2, 4))
    assert_derivative(np.cov, z)
    assert_derivative(np.corrcoef, z)


# -- leaving NaN out ------------------------------------------------------------------------------

MISSING = X[0].copy()
MISSING[0, 1] = MISSING[2, 2] = np.nan
LEAVE_OUT = {
    np.nansum: np.sum, np.nanprod: np.prod, np.nanmean: np.mean, np.nanvar: np.var,
    np.nanstd: np.std, np.nanmax: np.max, np.nanmin: np.min, np.nanmedian: np.median,
}  # fmt: skip


@pytest.mark.parametrize("function", LEAVE_OUT, ids=lambda function: function.__name__)
def test_nan_is_left_out_of_values_and_gradients(function):
    """As if the elements were not there; they themselves get a zero."""
    rest = ~np.isnan(MISSING)
    out, bars = pb.value_and_grad(function)(MISSING)
    expected, expected_bars = pb.value_and_grad(LEAVE_OUT[function])(MISSING[rest])
    np.testing.assert_allclose(out, expected, rtol=1e-14)
    np.testing.assert_allclose(bars[rest], expected_bars, rtol=1e-12)
    np.testing.assert_array_equal(bars[~rest], 0)
    for axis in (0, 1, (0, 1)):
        for keepdims in (False, True):
            plain = function(MISSING, axis=axis, keepdims=keepdims)
            traced, _ = pb.vjp(
                lambda x, a=axis, k=keepdims: function(x, axis=a, keepdims=k), MISSING
            )
            np.testing.assert_allclose(traced, plain, rtol=1e-14, strict=True)


def test_quantiles_leave_nan_out():
    for axis in (None, 0, 1):
        for q in (0.3, [0.2, 0.9]):
            out, _ = pb.vjp(lambda x, a=axis, q=q: np.nanquantile(x, q, a), MISSING)
            np.testing.assert_allclose(out, np.nanquantile(MISSING, q, axis), rtol=1e-14)
    gradient = pb.grad(lambda x: np.nanpercentile(x, 50))(np.array([1.0, np.nan, 5.0, 3.0]))
    np.testing.assert_array_equal(gradient, [0, 0, 0, 1])


def test_positions_leave_nan_out():
    assert_constant(lambda x: np.nanargmax(x, axis=1), MISSING)
    assert_constant(lambda x: np.nanargmin(x), MISSING)


def test_covariances_have_at_least_double_precision():
    x = X[0].astype(np.float32)
    for function in (np.cov, np.corrcoef):
        out, _ = pb.vjp(function, x)
        assert out.dtype == function(x).dtype == np.float64
        np.testing.assert_allclose(out, function(x), rtol=1e-14)


# -- nothing to reduce ----------------------------------------------------------------------------

UNDEFINED = ["mean", "var", "std", "median", "average", "max", "min", "ptp", "argmax", "argmin",
             "nanmean", "nanvar", "nanstd", "nanmedian", "nanmax", "nanmin", "nanargmax",
             "nanargmin"]  # fmt: skip


@pytest.mark.parametrize("name", UNDEFINED)
def test_a_reduction_of_no_elements_names_function_shape_and_remedy(name):
    function, empty = getattr(np, name), np.zeros((0, 3))
    words = rf"np\.{name}: got an array of shape \(0, 3\).*no elements.*test x\.size first"
    with pytest.raises(pb.ArgumentValueError, match=words):
        pb.vjp(function, empty)
    with pytest.raises(pb.ArgumentValueError, match=words.replace("3\\)", "3\\) and axis=-2")):
        pb.vjp(lambda x: function(x, axis=-2), empty)


@pytest.mark.parametrize("name", [name for name in UNDEFINED if "arg" not in name])
def test_no_elements_of_a_result_are_undefined(name):
    function, empty = getattr(np, name), np.zeros((0, 3))
    out, pull = pb.vjp(lambda x: function(x, axis=1), empty)
    assert out.shape == (0,)
    assert pull(out)[0].shape == (0, 3)


def test_fractions_and_covariances_of_no_elements():
    with pytest.raises(pb.ArgumentValueError, match=r"np\.nanquantile.*\(0, 3\).*x\.size"):
        pb.vjp(lambda x: np.nanquantile(x, 0.5), np.zeros((0, 3)))
    with pytest.raises(pb.ArgumentValueError, match=r"np\.cov.*\(3, 0\).*x\.size"):
        pb.vjp(np.cov, np.zeros((3, 0)))


def test_a_line_of_nothing_but_nan_gives_nan_without_a_warning():
    x = np.array([[1.0, np.nan, 4.0], [np.nan, np.nan, np.nan]])
    for function, gradient in (
        (np.nanmean, [0.5, 0, 0.5]), (np.nanvar, [-1.5, 0, 1.5]), (np.nanstd, [-0.5, 0, 0.5]),
        (np.nanmax, [0, 0, 1]), (np.nanmin, [1, 0, 0]),
    ):  # fmt: skip
        out, pull = pb.vjp(lambda x, function=function: function(x, axis=1), x)
        np.testing.assert_array_equal(out, [function(x[0]), np.nan])
        np.testing.assert_array_equal(pull(np.array([1.0, 0.0]))[0], [gradient, [0, 0, 0]])


@pytest.mark.parametrize("function", [np.nanmean, np.nanvar, np.nanstd, np.nanmax, np.nanmin])
def test_nan_is_left_out_of_each_example(function):
    x = np.array([[1.0, np.nan, 4.0], [2.0, 3.0, 7.0]])
    np.testing.assert_allclose(pb.vmap(function)(x), function(x, axis=1), rtol=1e-15)
    gradient = pb.vmap(pb.grad(function))(x)
    np.testing.assert_allclose(gradient, [pb.grad(function)(row) for row in x], rtol=1e-15)
