"""The values that functions of sets pick, histograms, and positions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import pullback as pb
from tests.grouping import together
from tests.numpy.agreement import assert_constant, assert_derivative, assert_same, leaves

RNG = np.random.default_rng(71)
X, Y = RNG.normal(size=20), RNG.normal(size=20)
W = RNG.uniform(0.2, 1.0, 20)
SAMPLE = RNG.normal(size=(15, 3))
EDGES = np.array([-2.0, -0.83, 0.11, 0.57, 2.5])
BOX = [(-2.0, 2.0), (-3.0, 2.5)]

elements = st.sampled_from([0.0, -1.5, 2.0, 3.25, np.nan, 7.0])
vectors = hnp.arrays(float, st.integers(0, 7), elements=elements)
small = hnp.arrays(float, hnp.array_shapes(min_dims=1, max_dims=2, max_side=4), elements=elements)


def picks(function, *args):
    """Each element of the result is one of the arguments', and the derivative is that one's."""
    wanted = function(*args)
    out, push = pb.linearize(lambda *xs: function(*xs), *args)
    assert_same(out, wanted, 0)
    marks = [1.0 + np.arange(x.size).reshape(x.shape) + 100.0 * k for k, x in enumerate(args)]
    moved = leaves(push(*marks))[0]
    table = {mark: x for m, a in zip(marks, args, strict=True)
             for mark, x in zip(m.ravel(), a.ravel(), strict=True)}  # fmt: skip
    chosen = [
        table[mark] if mark else x  # what is none of theirs is constant
        for mark, x in zip(np.ravel(moved), np.ravel(leaves(wanted)[0]), strict=True)
    ]
    chosen = np.reshape(chosen, np.shape(moved))
    np.testing.assert_array_equal(chosen, leaves(wanted)[0])
    bars = np.cos(np.arange(1.0, np.size(moved) + 1)).reshape(np.shape(moved))
    _, pulled = pb.pullback(lambda *xs: leaves(function(*xs))[0], args, bars)
    assert np.sum(moved * bars) == pytest.approx(
        sum(np.sum(m * x_bar) for m, x_bar in zip(marks, pulled, strict=True)), rel=1e-13
    )


few = settings(max_examples=12)


@few
@given(small, st.booleans(), st.booleans())
def test_unique(x, nan, several):
    picks(lambda x: np.unique(x, equal_nan=nan), x)
    picks(lambda x: np.unique(x, several, True, not several, equal_nan=nan), x)
    for function in (np.unique_all, np.unique_counts, np.unique_inverse):
        picks(lambda x, f=function: tuple(f(x)), x)
    picks(np.unique_values, x)


@few
@given(hnp.arrays(float, (3, 2), elements=st.sampled_from([0.0, 1.0])), st.sampled_from([0, 1, -1]))
def test_unique_along_an_axis(x, axis):
    picks(lambda x: np.unique(x, axis=axis, return_counts=True), x)


@few
@given(vectors, vectors)
def test_functions_of_two_sets(x, y):
    for function in (np.union1d, np.intersect1d, np.setdiff1d, np.setxor1d):
        picks(function, x, y)
        picks(lambda x, f=function: f(x, [2.0, 9.0]), x)
    picks(lambda x, y: np.intersect1d(x, y, return_indices=True), x, y)
    x, y = np.unique(x), np.unique(y)
    for function in (np.intersect1d, np.setdiff1d, np.setxor1d):
        picks(lambda x, y, f=function: f(x, y, assume_unique=True), x, y)
    assert_constant(lambda x, y: np.isin(x, y, invert=True), x, y)


def test_of_lists_of_traced_values():
    def f(x):
        return np.union1d([x[0], x[1]], [x[0], 3.0]), np.unique([x[1], x[0]])

    assert_derivative(f, np.array([2.0, 1.0]))


def test_open_meshes_and_trimmed_zeros():
    assert_derivative(lambda x: np.ix_(x, [1, 2], [x[0], 2.0])[::2], X[:3])
    for trim in ("fb", "f", "b"):
        assert_derivative(lambda x, t=trim: np.trim_zeros(np.pad(x, 2), t), X)
    assert_derivative(lambda x: np.trim_zeros(np.pad(x, 1), axis=0), SAMPLE)


@together("density", "weights")
@pytest.mark.parametrize("density", [False, True])
@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("bins", [5, EDGES, "auto", "fd", 1], ids=str)
@pytest.mark.parametrize("limits", [None, (-1.03, 1.57)])
def test_histogram(bins, limits, density, weights):
    """In data, which move the edges, in weights, and in edges."""
    if isinstance(bins, str) and weights:
        return  # NumPy has none

    def of(x, w):
        return np.histogram(x, bins, limits, density, w if weights else None)

    for got, wanted in zip(pb.vjp(of, X, W)[0], of(X, W), strict=True):
        np.testing.assert_array_equal(got, wanted, strict=True)
    numbers = density or weights
    assert_derivative(of if numbers else lambda x, w: of(x, w)[1] + 0 * w[0], X, W, step=1e-4)
    if isinstance(bins, np.ndarray):
        assert_derivative(lambda e: np.histogram(X, e, density=True, weights=W), bins, step=1e-4)
    assert_derivative(
        lambda x: np.histogram_bin_edges(x, bins, limits), X, step=1e-4
    ) if not isinstance(bins, np.ndarray) else None


@together("density", "weights")
@pytest.mark.parametrize("density", [False, True])
@pytest.mark.parametrize("weights", [False, True])
def test_histograms_in_several_dimensions(density, weights):
    for bins, limits in ((3, None), ((2, 4), BOX), ((EDGES, 3), None)):

        def plane(x, y, w, bins=bins, limits=limits):
            return np.histogram2d(x, y, bins, limits, density, w if weights else None)

        for got, wanted in zip(pb.vjp(plane, X, Y, W)[0], plane(X, Y, W), strict=True):
            np.testing.assert_array_equal(got, wanted, strict=True)
        assert_derivative(plane, X, Y, W, step=1e-4)

    def of(x, w):
        return np.histogramdd(x, 2, density=density, weights=w if weights else None)

    assert_derivative(of, SAMPLE, W[:15], step=1e-4)


def test_histograms_recorded_compiled_and_mapped():
    for density in (False, True):

        def f(x, w, density=density):
            return np.histogram(x, 4, (-1.5, 1.5), density, w)[0]

        def g(x, y, w, density=density):
            return np.histogram2d(x, y, (3, 2), BOX, density, w)[0]

        for function, args in ((f, (X, W)), (g, (X, Y, W))):
            wanted = function(*args)
            graph = pb.trace(function, *args)
            np.testing.assert_allclose(graph(*args), wanted, rtol=1e-13)
            np.testing.assert_allclose(pb.compile(function)(*args), wanted, rtol=1e-13)
            rows = [np.stack([x, x[::-1], 0.9 * x]) for x in args]
            each = [function(*row) for row in zip(*rows, strict=True)]
            np.testing.assert_allclose(pb.vmap(function)(*rows), each, rtol=1e-13)
    x = np.array([0.5, 0.5])  # all the same
    np.testing.assert_array_equal(pb.trace(np.histogram, x)(x)[1], np.histogram(x)[1])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: np.histogram(x, 0), ValueError, "positive"),
        (lambda x: np.histogram(x, [1.0, 0.0]), ValueError, "monoton"),
        (lambda x: np.histogram(x, 3, (1, 0)), ValueError, "larger"),
        (lambda x: np.histogram(x, weights=x[:2]), ValueError, "same shape"),
        (lambda x: np.unravel_index(x, (2, 2)), pb.ArgumentTypeError, "integers"),
        (lambda x: np.ravel_multi_index((x, x), (2, 2)), pb.ArgumentTypeError, "integers"),
    ],
)
def test_arguments_that_do_not_fit(call, error, words):
    with pytest.raises(error, match=words):
        pb.grad(lambda x: np.sum(call(x)[0]))(X)


def test_what_depends_on_values_is_not_recorded():
    for call, words in (
        (np.unique, r"numpy\.unique: .*the argument ar"),
        (lambda x: np.histogram(x, "auto"), "bins='auto'"),
        (lambda x: np.histogramdd(np.stack([x, x], 1), 3)[0], "give range="),
        (np.trim_zeros, "nonzero"),
    ):
        with pytest.raises(pb.DataDependenceError, match=words):
            pb.trace(call, X)


def test_ranges_between_traced_ends():
    assert_derivative(lambda a, b, h: np.arange(a, b, h), *map(np.array, (0.1, 2.05, 0.3)))
    assert_derivative(lambda a: a * np.arange(a), np.array(3.5))
    out, _ = pb.vjp(lambda a: np.arange(a, 2.0, dtype=np.float32), 0.5)
    assert out.dtype == np.float32


def test_windows_in_their_parameter():
    assert_derivative(lambda b: np.kaiser(7, b), np.array(3.0), rtol=1e-12)
    np.testing.assert_array_equal(pb.vjp(lambda b: np.kaiser(1, b) * b, 2.0)[0], [2.0])


def test_positions_of_mapped_maxima():
    """The way to the place of the largest element, which is what they are for."""
    tables = RNG.normal(size=(4, 3, 5))

    def largest(x):
        i, j = np.unravel_index(np.argmax(x), (3, 5))
        return x[i, j], np.ravel_multi_index((i, j), (3, 5))

    values, places = pb.vmap(largest)(tables)
    np.testing.assert_array_equal(values, tables.max(axis=(1, 2)))
    np.testing.assert_array_equal(places, tables.reshape(4, -1).argmax(axis=1))
    np.testing.assert_array_equal(pb.grad(lambda x: largest(x)[0])(tables[0]) != 0,
                                  tables[0] == tables[0].max())  # fmt: skip
