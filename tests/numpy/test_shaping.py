"""Rearrangements of one array are exact, and views where NumPy makes views."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import pullback as pb
from tests.numpy.agreement import assert_linear

X = np.arange(24.0).reshape(2, 3, 4)

shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3)
dtypes = st.sampled_from([np.float64, np.float32, np.complex128])


@given(shapes, dtypes, st.data())
def test_reshape_and_ravel(shape, dtype, data):
    x = np.zeros(shape, dtype)
    extents = [n for n in shape if n != 1] + [1] * data.draw(st.integers(0, 2))
    target = tuple(data.draw(st.permutations(extents)))
    order = data.draw(st.sampled_from("CFA"))
    assert_linear(lambda x: np.reshape(x, target, order=order), x)
    assert_linear(lambda x: np.ravel(x, order), x)
    assert_linear(lambda x: x.flatten(), x)
    if x.size:
        assert_linear(lambda x: np.reshape(x, (*target[1:], -1)), np.zeros((*shape, 1), dtype))


@given(shapes, dtypes, st.data())
def test_permutations_of_axes(shape, dtype, data):
    x = np.zeros(shape, dtype)
    rank = len(shape)
    axes = data.draw(st.permutations(range(rank)))
    signed = [axis - rank * data.draw(st.integers(0, 1)) for axis in axes]
    assert_linear(np.transpose, x)
    assert_linear(lambda x: np.transpose(x, signed), x)
    if rank:
        a, b = (data.draw(st.integers(-rank, rank - 1)) for _ in range(2))
        assert_linear(lambda x: np.swapaxes(x, a, b), x)
        assert_linear(lambda x: np.moveaxis(x, a, b), x)
        assert_linear(lambda x: np.rollaxis(x, a, data.draw(st.just(abs(b)))), x)
        count = data.draw(st.integers(0, rank))
        assert_linear(lambda x: np.moveaxis(x, signed[:count], range(count)), x)
    if rank > 1:
        assert_linear(np.matrix_transpose, x)
        assert_linear(np.linalg.matrix_transpose, x)


@given(shapes, dtypes, st.data())
def test_axes_of_extent_one(shape, dtype, data):
    x = np.zeros(shape, dtype)
    places = data.draw(hnp.valid_tuple_axes(len(shape) + 2, min_size=2, max_size=2))
    assert_linear(lambda x: np.expand_dims(x, places), x)
    assert_linear(lambda x: np.squeeze(np.expand_dims(x, places)), x)
    assert_linear(lambda x: np.squeeze(np.expand_dims(x, places), places), x)
    for function in (np.atleast_1d, np.atleast_2d, np.atleast_3d):
        assert_linear(function, x)


@given(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3))
def test_broadcasting(shapes):
    a, b = (np.zeros(shape) for shape in shapes.input_shapes)
    assert_linear(lambda a: np.broadcast_to(a, shapes.result_shape), a)
    assert_linear(lambda a, b: np.broadcast_arrays(a, b), a, b)
    assert_linear(lambda a, b: np.broadcast_arrays(b, 0.0, a), a, b)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=3), st.sampled_from(["xy", "ij"]))
def test_meshgrid(extents, indexing):
    primals = [np.zeros(n) for n in extents]
    for sparse in (False, True):
        options = {"indexing": indexing, "sparse": sparse}
        assert_linear(lambda *xs, options=options: np.meshgrid(*xs, **options), *primals)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.copy(x),
        lambda x: np.copy(x, order="F"),
        lambda x: np.broadcast_to(x[0, 0], 4),
        lambda x: np.transpose(x[0]).ravel("K"),
        lambda x: np.transpose(x, (1, 0, 2)).ravel("K"),
        lambda x: np.ravel(np.transpose(x, (2, 0, 1))[:, ::-1, 1:], "K"),
        lambda x: np.transpose(x, (1, 0, 2)).flatten("K"),
        lambda x: np.transpose(x, (1, 0, 2)).flatten("A"),
        lambda x: np.reshape(np.transpose(x), -1, order="A"),
        lambda x: np.reshape(x, [4, 6]),
        lambda x: np.reshape(x, np.array([4, 6])),
        lambda x: np.expand_dims(x, -1),
        lambda x: np.atleast_2d(x, x[0, 0]),
        lambda x: np.reshape(x, (6, 4), copy=True),
    ],
)
def test_forms_of_arguments(function):
    assert_linear(function, X)


# -- views ----------------------------------------------------------------------------------------

VIEWS = [
    lambda y: y.reshape(4, 6),
    lambda y: np.reshape(y, (4, 6), order="C"),
    lambda y: np.ravel(y),
    lambda y: np.transpose(y, (1, 2, 0)),
    lambda y: np.swapaxes(y, 0, 1),
    lambda y: np.moveaxis(y, 0, -1),
    lambda y: np.rollaxis(y, 2),
    lambda y: np.matrix_transpose(y),
    lambda y: np.expand_dims(y, 1),
    lambda y: np.squeeze(y[:1]),
    lambda y: np.atleast_3d(y[0]),
    lambda y: np.flip(y, 1),
    lambda y: np.rot90(y),
    lambda y: np.rot90(y, 3, axes=(1, 2)),
    lambda y: np.split(y, 2)[1],
    lambda y: np.array_split(y, 3, axis=2)[0],
    lambda y: np.unstack(y, axis=1)[2],
    lambda y: np.swapaxes(np.reshape(y, (6, 4)), 0, 1)[1:],
    lambda y: np.einsum("ijk->kij", y),
    lambda y: np.ravel(np.transpose(y, (1, 0, 2)), "K"),
]

COPIES = [
    lambda y: np.reshape(y, (4, 6), order="F"),
    lambda y: np.ravel(np.transpose(y)),
    lambda y: np.ravel(y[::-1, 0, 0]),
    lambda y: np.ravel(y[:, 0, ::2]),
    lambda y: np.ravel(np.flip(y[0, 0]), "K"),
    lambda y: np.reshape(np.swapaxes(y, 0, 2), (12, 2)),
    lambda y: y.flatten(),
    lambda y: np.copy(y),
    lambda y: np.copy(y.T),
    lambda y: np.roll(y, 0, axis=0),
    lambda y: np.roll(y, 1),
    lambda y: np.tile(y, 1),
    lambda y: np.repeat(y, 1, axis=0),
    lambda y: np.concatenate([y]),
    lambda y: np.resize(y, y.shape),
    lambda y: np.reshape(y, (4, 6), copy=True),
    lambda y: np.pad(y, 0),
    lambda y: np.meshgrid(y[0, 0], y[0, 0])[0],
    lambda y: np.triu(y, -9),
    lambda y: np.delete(y, [], axis=0),
]


@pytest.mark.parametrize("view", VIEWS + COPIES)
def test_writes_through_views_and_to_copies(view):
    """Writes on either side are seen by the other exactly where NumPy has it."""

    def f(x):
        y = x * 1.0
        v = view(y)
        v[0] *= 3.0
        y[1] *= 5.0
        y[0, 0, 0] = x[1, 2, 3]
        v[..., -1] += 1.0
        return y * y, v * v[0]

    rng = np.random.default_rng(0)
    x, x_dot = rng.normal(size=(2, 2, 3, 4))
    expected = f(x + 1e-30j * x_dot)
    out, push = pb.linearize(f, x)
    for got, want in zip(out, f(x), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-15)
    for got, want in zip(push(x_dot), expected, strict=True):
        np.testing.assert_allclose(got, np.imag(want) / 1e-30, rtol=1e-13)


@pytest.mark.parametrize(
    "view",
    [
        lambda y: np.broadcast_to(y, (2, 2, 3, 4)),
        lambda y: np.diagonal(y),
        lambda y: np.diag(y[0]),
    ],
)
def test_read_only_views_see_writes_and_refuse_them(view):
    def f(x):
        y = x * 1.0
        v = view(y)
        y[0, 0, 0] = 2.0 * x[1, 1, 1]
        return v * 1.0

    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 3, 4))
    out, push = pb.linearize(f, x)
    np.testing.assert_array_equal(out, f(x))
    np.testing.assert_array_equal(push(x), f(x))

    def g(x):
        v = view(x * 1.0)
        v[0] = 0.0
        return np.sum(v)

    with pytest.raises(pb.AliasError, match="read-only view"):
        pb.grad(g)(x)
    with pytest.raises(ValueError, match="read-only"):
        g(x)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: np.reshape(x, (5, 5)), r"shape \(2, 3, 4\) and size 24 into shape \(5, 5\)"),
        (lambda x: np.reshape(x, (-1, 5)), "24 elements"),
        (lambda x: np.squeeze(x, 1), "axis 1 .* has extent 3"),
        (lambda x: np.transpose(x, (0, 1)), "each of its 3 axes once"),
        (lambda x: np.moveaxis(x, (0, 1), 0), "2 axes in source and 1"),
        (lambda x: np.matrix_transpose(x[0, 0]), "at least 2 axes"),
        (lambda x: np.ravel(x, "X"), "'X'"),
        (lambda x: np.meshgrid(x[0, 0], indexing="ab")[0], "'ab'"),
    ],
)
def test_arguments_that_do_not_fit(call, words):
    with pytest.raises(pb.ArgumentValueError, match=words):
        pb.grad(lambda x: np.sum(call(x)))(X)
    with pytest.raises(ValueError, match=r"."):
        call(X)


def test_a_reshape_that_must_copy_is_refused_where_copying_is():
    with pytest.raises(ValueError, match="copy"):
        pb.grad(lambda x: np.sum(np.reshape(x.T, 24, copy=False)))(X)
    assert_linear(lambda x: np.reshape(x, 24, copy=False), X)


def test_ravel_in_the_order_of_memory_is_numpys():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(2, 3, 4))
    layouts = [
        lambda x: x.transpose(1, 0, 2),
        lambda x: x[:, ::-1].swapaxes(0, 2),
        lambda x: np.broadcast_to(x, (2, *x.shape)),
        lambda x: np.broadcast_to(x[:, :1], x.shape).transpose(2, 0, 1),
        lambda x: np.broadcast_to(x.T[..., None], (4, 3, 2, 3)).transpose(3, 1, 0, 2),
        lambda x: x[:, None, ::2].transpose(3, 0, 1, 2),
    ]
    for layout in layouts:
        wanted = np.ravel(layout(x), order="K")
        value, tangent = pb.pushforward(lambda x, g=layout: np.ravel(g(x), order="K"), (x,), (x,))
        np.testing.assert_array_equal(value, wanted)
        np.testing.assert_array_equal(tangent, wanted)


@pytest.mark.parametrize("see", [
    lambda t: np.transpose(t, ()), lambda t: np.reshape(t, ()), np.squeeze,
    lambda t: np.moveaxis(t, [], []), lambda t: np.permute_dims(t, ()),
])  # fmt: skip
def test_of_a_python_number_an_array_is_made(see):
    """Views of that array reach it."""

    def f(t):
        y = see(t)
        y.reshape(-1)[0] *= 3.0
        return t * y

    assert f(2.0) == 12.0
    assert pb.value_and_grad(f)(2.0) == (12.0, 12.0)
    assert pb.jvp(f, (2.0,), (1.0,)) == (12.0, 12.0)
    assert pb.trace(f, 2.0)(2.0) == 12.0
