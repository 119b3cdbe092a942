"""The primitives of indexing, beyond what `test_rules` holds every primitive to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import pullback as pb
from pullback.rules.conversion import astype
from pullback.rules.indexing import ARRAY, index, index_add, index_update, scatter


@st.composite
def places(draw):
    """An array, and integer arrays that index its first axes, with repetitions."""
    shape = draw(hnp.array_shapes(max_dims=3, max_side=4))
    arity = draw(st.integers(1, len(shape)))
    extent = draw(hnp.array_shapes(max_dims=2, max_side=4))
    indices = tuple(
        draw(hnp.arrays(int, extent, elements=st.integers(-n, n - 1))) for n in shape[:arity]
    )
    return np.arange(1.0, 1.0 + np.prod(shape)).reshape(shape), indices


@given(places())
def test_scatter_counts_every_occurrence(place):
    """Against np.add.at, and against one write after the other."""
    x, indices = place
    selected = x[indices]
    v = np.cos(np.arange(selected.size)).reshape(selected.shape)
    key = (ARRAY,) * len(indices)
    expected = np.zeros(x.shape)
    for position in np.ndindex(indices[0].shape):
        expected[tuple(i[position] for i in indices)] += v[position]
    got = scatter(v, *indices, key=key, shape=x.shape)
    np.testing.assert_allclose(got, expected, rtol=1e-14, atol=1e-14)
    total = index_add(x, v, *indices, key=key)
    np.testing.assert_allclose(total, x + expected, rtol=1e-14, atol=1e-14)


@given(places())
def test_update_keeps_the_last_value(place):
    x, indices = place
    selected = x[indices]
    v = -np.arange(1.0, 1.0 + selected.size).reshape(selected.shape)
    key = (ARRAY,) * len(indices)
    expected, jacobian = x.copy(), np.zeros((*x.shape, *v.shape))
    for position in np.ndindex(indices[0].shape):
        place = tuple(i[position] for i in indices)
        expected[place] = v[position]
        for rest in np.ndindex(x.shape[len(indices) :]):
            jacobian[place + rest] = 0.0
            jacobian[place + rest + position + rest] = 1.0
    np.testing.assert_array_equal(index_update(x, v, *indices, key=key), expected)
    got = pb.jacobian(lambda v: index_update(x, v, *indices, key=key), mode="reverse")(v)
    np.testing.assert_array_equal(got, jacobian)


@given(places())
def test_the_map_of_an_index_adds_in_place(place):
    """x̄ += Jᵀȳ in place is the pullback added."""
    x, indices = place
    key = (ARRAY,) * len(indices)
    y = index(x, *indices, key=key)
    (selection, *_) = index.maps(y, (x, *indices), {"key": key}, [x, *(None for _ in indices)])
    for order in "CF":
        total = np.array(np.sin(x), order=order)
        expected = total + selection.pullback(y)
        selection.pull_into(total, y)
        np.testing.assert_allclose(total, expected, rtol=1e-14)


def test_layout_is_kept():
    x = np.asfortranarray(np.ones((3, 4)))
    for out in (
        index_update(x, 2.0, key=(0,)),
        index_add(x, np.ones(2), np.array([0, 1]), np.array([1, 1]), key=(ARRAY, ARRAY)),
    ):
        assert out.flags.f_contiguous
    np.testing.assert_array_equal(out, [[1, 2, 1, 1], [1, 2, 1, 1], [1, 1, 1, 1]])


PRECISIONS = [np.dtype(name) for name in ("f4", "f8", "c8", "c16")]


@pytest.mark.parametrize(
    ("given_dtype", "dtype"),
    [(a, b) for a in PRECISIONS for b in PRECISIONS if a.kind == "f" or b.kind == "c"],
    ids=str,
)
def test_conversion_in_both_directions(given_dtype, dtype):
    """ẏ = ẋ and x̄ = ȳ, in the dtypes of y and x; from complex to real, the real part."""
    x = np.array([1.0, 2.0], given_dtype)
    x_dot = np.array([3.0, 4.0], given_dtype)
    y_bar = np.array([1.0, 2.0], dtype) * (1 - 2j if dtype.kind == "c" else 1)
    y_bar = y_bar.astype(dtype)
    y, y_dot = pb.pushforward(lambda x: astype(x, dtype=dtype), (x,), (x_dot,))
    assert y.dtype == y_dot.dtype == dtype
    np.testing.assert_array_equal(y_dot, [3.0, 4.0])
    _, (x_bar,) = pb.pullback(lambda x: astype(x, dtype=dtype), (x,), y_bar)
    assert x_bar.dtype == given_dtype
    np.testing.assert_array_equal(x_bar, y_bar if given_dtype.kind == "c" else y_bar.real)
