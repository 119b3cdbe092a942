"""Reversing, rolling, repeating, padding, diagonals and triangles are exact."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import pullback as pb
from tests.numpy.agreement import assert_analytic, assert_derivative, assert_linear

X = np.arange(24.0).reshape(2, 3, 4)

shapes = hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=3)


@given(shapes, st.data())
def test_flip_and_roll(shape, data):
    x = np.zeros(shape)
    axes = data.draw(st.none() | hnp.valid_tuple_axes(len(shape)))
    shift = data.draw(st.integers(-5, 5))
    assert_linear(lambda x: np.flip(x, axes), x)
    assert_linear(np.flipud, x)
    assert_linear(lambda x: np.roll(x, shift), x)
    assert_linear(lambda x: np.roll(x, shift, axes), x)
    if axes:
        shifts = data.draw(st.lists(st.integers(-4, 4), min_size=len(axes), max_size=len(axes)))
        assert_linear(lambda x: np.roll(x, shifts, axes), x)
    if len(shape) > 1:
        assert_linear(np.fliplr, x)
        assert_linear(lambda x: np.rot90(x, shift), x)
        assert_linear(lambda x: np.rot90(x, shift, (-1, 0)), x)


@given(shapes, st.data())
def test_tile_repeat_resize(shape, data):
    x = np.zeros(shape)
    counts = data.draw(st.lists(st.integers(0, 2), min_size=0, max_size=4))
    assert_linear(lambda x: np.tile(x, counts), x)
    assert_linear(lambda x: np.tile(x, 2), x)
    count = data.draw(st.integers(0, 3))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    extent = shape[axis]
    each = data.draw(st.lists(st.integers(0, 2), min_size=extent, max_size=extent))
    assert_linear(lambda x: np.repeat(x, count), x)
    assert_linear(lambda x: np.repeat(x, count, axis), x)
    if extent:
        assert_linear(lambda x: np.repeat(x, each, axis), x)
    if x.size:
        assert_linear(lambda x: np.resize(x, (3, 4)), x)
        assert_linear(lambda x: np.resize(x, 2), x)


MODES = [
    ("constant", {}),
    ("constant", {"constant_values": 0}),
    ("edge", {}),
    ("reflect", {}),
    ("symmetric", {}),
    ("wrap", {}),
    ("mean", {}),
    ("mean", {"stat_length": 2}),
    ("mean", {"stat_length": ((1, 2), (2, 1))}),
    ("linear_ramp", {}),
]


@pytest.mark.parametrize(("mode", "options"), MODES)
@pytest.mark.parametrize("widths", [0, 2, (1, 0), ((1, 2), (3, 0)), ((7, 5), (0, 6))])
def test_pad(mode, options, widths):
    x = np.random.default_rng(0).normal(size=(2, 3))
    assert_analytic(lambda x: np.pad(x, widths, mode, **options), x)


@pytest.mark.parametrize("mode", ["maximum", "minimum"])
def test_pad_with_an_extremum(mode):
    x = np.array([[3.0, 1.0, 2.0], [0.0, 5.0, 4.0]])
    out, push = pb.linearize(lambda x: np.pad(x, 1, mode), x)
    np.testing.assert_array_equal(out, np.pad(x, 1, mode))
    np.testing.assert_array_equal(push(x), out)


def test_pad_with_values_that_vary():
    x = np.random.default_rng(0).normal(size=(2, 3))
    assert_analytic(lambda x, v: np.pad(x, ((1, 2), (0, 1)), constant_values=v), x, np.float64(2.0))
    assert_analytic(lambda x: np.pad(x, 1, constant_values=3.0), x)
    assert_analytic(lambda x: np.pad(x, 1, constant_values=((1, 2), (3, 4))), x)
    assert_analytic(lambda x: np.pad(x, 2, "linear_ramp", end_values=((1, 2), (3, 4))), x)
    for mode in ("constant", "linear_ramp", "mean"):
        out, _ = pb.vjp(lambda x, mode=mode: np.pad(x, 1, mode), x.astype(np.float32))
        assert out.dtype == np.float32


def test_pad_along_the_axes_that_are_named():
    """NumPy's older releases want a pair for each axis."""
    x = np.arange(1.0, 7.0).reshape(2, 3)
    y_bar = np.arange(12.0).reshape(2, 6)
    for widths, pairs in (({-1: (1, 2)}, [(0, 0), (1, 2)]), ({1: (2, 1), 0: 0}, [(0, 0), (2, 1)])):
        out, pull = pb.vjp(lambda x, widths=widths: np.pad(x, widths), x)
        np.testing.assert_array_equal(out, np.pad(x, pairs), strict=True)
        (x_bar,) = pull(y_bar)
        np.testing.assert_array_equal(x_bar, y_bar[:, slice(pairs[1][0], -pairs[1][1])])


def corners(vector, pad_width, axis, options):
    """A mode: what was there last, and a number."""
    vector[: pad_width[0]] = vector[-pad_width[1] - 1]
    vector[-pad_width[1] :] = options["end"]


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("median", {}),
        ("median", {"stat_length": 2}),
        ("reflect", {"reflect_type": "odd"}),
        ("symmetric", {"reflect_type": "odd"}),
        (corners, {"end": 2.5}),
    ],
)
def test_ways_to_pad_that_go_by_numpys_code(mode, options):
    """They are piecewise linear, up to a constant; X has no two medians that are near."""
    assert_derivative(lambda x: np.pad(x, 1, mode, **options), X)


def test_padding_that_is_left_as_it_is():
    inner = (slice(1, -1),) * X.ndim
    assert_derivative(lambda x: np.pad(x, 1, "empty")[inner], X)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: np.pad(x, 1, end_values=1), "end_values"),
        (lambda x: np.pad(x, -1), "not negative"),
        (lambda x: np.pad(x[:0], 1, "linear_ramp"), "axis 0 has no elements.*mode='constant'"),
        (lambda x: np.pad(x[:0], 1, "mean"), "axis 0 has no elements.*mode='constant'"),
        (lambda x: np.fliplr(x[0, 0]), "at least 2 axes"),
        (lambda x: np.rot90(x, axes=(0, 1, 2)), "two different axes"),
        (lambda x: np.diagonal(x[0, 0]), "at least 2 axes"),
        (lambda x: np.diagonal(x, axis1=1, axis2=1), "the same axis"),
        (lambda x: np.diag(x), "a vector or a matrix"),
    ],
)
def test_arguments_that_do_not_fit(call, words):
    with pytest.raises(pb.ArgumentValueError, match=words):
        pb.grad(lambda x: np.sum(call(x)))(X)


# -- diagonals and triangles ----------------------------------------------------------------------


@given(
    hnp.array_shapes(min_dims=2, max_dims=4, min_side=0, max_side=3),
    st.integers(-4, 4),
    st.data(),
)
def test_diagonals(shape, offset, data):
    x = np.zeros(shape)
    axis1, axis2 = data.draw(st.permutations(range(len(shape))))[:2]
    assert_linear(lambda x: np.diagonal(x, offset, axis1, axis2), x)
    assert_linear(lambda x: np.trace(x, offset, axis1, axis2), x)
    assert_linear(lambda x: np.linalg.diagonal(x, offset=offset), x)
    assert_linear(lambda x: np.linalg.trace(x, offset=offset), x)
    assert_linear(lambda x: np.tril(x, offset), x)
    assert_linear(lambda x: np.triu(x, offset), x)
    if len(shape) == 2:
        assert_linear(lambda x: np.diag(x, offset), x)


@given(st.integers(0, 3), st.integers(-3, 3))
def test_matrices_from_vectors(n, offset):
    assert_linear(lambda x: np.diag(x, offset), np.zeros(n))
    assert_linear(lambda x: np.diagflat(x, offset), np.zeros((2, n)))
    assert_linear(lambda x: np.tril(x, offset), np.zeros(n))


def test_indices_of_the_parts_of_a_matrix():
    def f(x):
        return x[np.tril_indices_from(x, 1)], x[np.triu_indices_from(x)], x[np.diag_indices_from(x)]

    assert_linear(f, np.zeros((3, 3)))


def test_trace_in_another_precision():
    x = X[0].astype(np.float32)
    out, _ = pb.vjp(lambda x: np.trace(x, dtype=np.float64), x)
    np.testing.assert_array_equal(out, np.trace(x, dtype=np.float64), strict=True)


def test_a_triangle_keeps_what_it_leaves_out_from_the_gradient():
    """Infinite derivatives outside the triangle meet cotangents that are exactly zero."""
    x = np.array([[1.0, 0.0], [4.0, 1.0]])
    expected = np.array([[0.5, 0.0], [0.25, 0.5]])
    np.testing.assert_array_equal(pb.grad(lambda x: np.sum(np.tril(np.sqrt(x))))(x), expected)


# -- rolling by what is mapped or not known -------------------------------------------------------

ROLLS = (
    lambda x, i: np.roll(x, i),
    lambda x, i: np.roll(x, -i, axis=1),
    lambda x, i: np.roll(x, i + 2, axis=-1),
    lambda x, i: np.roll(x, [i, 1], axis=(0, 2)),
    lambda x, i: np.roll(x, i, axis=(0, 2)),
    lambda x, i: np.roll(x, np.stack([i, 2 * i]), axis=1),
    lambda x, i: np.roll(x[0, 0, 0], i),
    lambda x, i: x[0, 0, [i, -1 - i, 0]] * x[[i % 2, 1], :, [0, i]][..., :3],
)


def test_rolling_and_indexing_by_traced_integers():
    shifts = np.array([1, 0, -3])
    for roll in ROLLS:
        expected = [roll(X, i) for i in shifts]
        np.testing.assert_array_equal(pb.vmap(roll, in_axes=(None, 0))(X * 1.0, shifts), expected)
        batch = np.stack([X, -X, 2 * X])
        by_example = [roll(x, i) for x, i in zip(batch, shifts, strict=True)]
        np.testing.assert_array_equal(pb.vmap(roll)(batch, shifts), by_example)
        graph = pb.trace(roll, X, 1)
        weights = np.cos(np.arange(1.0, np.size(expected[0]) + 1)).reshape(np.shape(expected[0]))
        for i, value in zip(shifts, expected, strict=True):
            np.testing.assert_array_equal(graph(X, i), value)
            eager = pb.grad(lambda x, i=i, f=roll, w=weights: np.sum(w * f(x, int(i)) ** 2))(X)
            recorded = pb.grad(
                lambda x, i=i, f=roll, w=weights: pb.fori_loop(
                    i, i + 1, lambda k, s: s + np.sum(w * f(x, k) ** 2), 0.0
                )
            )(X)
            np.testing.assert_allclose(recorded, eager)
    with pytest.raises(TypeError, match="wanted one integer, or one for each axis"):
        pb.grad(lambda x: np.sum(np.roll(x, x[0, 0, 0])))(X)


def test_what_is_rolled_by_a_traced_integer_lies_as_before():
    """As NumPy's does, which decides on what is a view of it."""

    def written(x, i, axis):
        y = np.roll(x, i, axis)
        y.ravel("K")[1] = 7.0
        y.T.reshape(-1)[2] = 8.0
        return y * np.ravel(np.roll(x, i, axis), "K")[4]

    for x in (X, np.asfortranarray(X), X.transpose(1, 0, 2), X[:, ::-1], X[..., :2]):
        for axis in (0, -1, (0, 1), None):
            for i in (0, 1, -2):
                wanted = written(x, i, axis)
                recorded = pb.fori_loop(i, i + 1, lambda k, y, a=axis: written(y, k, a), x)
                np.testing.assert_array_equal(recorded, wanted)
                mapped = pb.vmap(lambda k, x=x, a=axis: written(x, k, a))(np.array([5, i]))
                np.testing.assert_array_equal(mapped[1], wanted)
