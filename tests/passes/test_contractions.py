"""Sums of products as matrix products, and sums of matrix products."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pullback as pb
from pullback.passes.contractions import simplify_contractions
from pullback.passes.dead import remove_dead
from pullback.passes.simplification import simplify
from tests.passes.agreement import assert_agree, rewritten, special
from tests.passes.inspection import findings, names

a = np.arange(8.0).reshape(2, 4) / 3 - 1
b = np.arange(12.0).reshape(3, 4) / 5 - 1
v = np.array([0.5, -1.0, 2.0, 0.25])
TABLE = np.arange(16.0).reshape(4, 4) / 7 + 0.1
SYMMETRIC = TABLE + TABLE.T


@pytest.mark.parametrize(
    ("f", "left"),
    [
        (lambda a, b, v: np.sum(a[:, None] * b, axis=-1), ["matmul"]),
        (lambda a, b, v: np.sum(a[:, None] * b, axis=2, keepdims=True), ["matmul"]),
        (lambda a, b, v: np.sum(a * b[:, None], axis=-1), ["matmul"]),
        # no more terms than elements
        (lambda a, b, v: np.sum(a * v, axis=1), ["multiply", "sum"]),
        (lambda a, b, v: np.sum(v * v[::-1]), ["multiply", "sum"]),
        # a sum over what one of the factors lacks; none at all; of integers
        (lambda a, b, v: np.sum(a[:, None] * b, axis=1), ["multiply", "sum"]),
        (lambda a, b, v: np.sum(a[:, None] * b[:, :1], axis=-1), ["multiply", "sum"]),
        (
            lambda a, b, v: np.sum((a > 0)[:, None] * (b > 0), axis=-1),
            ["greater", "greater", "multiply", "sum"],
        ),
    ],
)
def test_sums_of_products(f, left):
    graph = rewritten(simplify_contractions, f, a, b, v)
    moves = ("index", "reshape", "transpose")
    assert [name for name in names(graph) if name not in moves] == left


def test_the_array_of_all_products_is_read_elsewhere():
    def f(a, b):
        products = a[:, None] * b
        return products, np.sum(products, axis=-1)

    assert "matmul" not in names(rewritten(simplify_contractions, f, a, b))


@settings(max_examples=80)
@given(st.data())
def test_any_sum_of_a_product(data):
    rank = data.draw(st.integers(1, 4))
    extents = data.draw(st.lists(st.integers(1, 3), min_size=rank, max_size=rank))
    rows = [
        [n if data.draw(st.integers(0, 2)) else 1 for n in extents][data.draw(st.integers(0, 1)) :]
        for _ in range(2)
    ]
    axes = data.draw(st.sets(st.integers(-rank, -1), min_size=1))
    keepdims = data.draw(st.booleans())
    dtype = data.draw(st.sampled_from(["float64", "float32", "complex128", "int64"]))
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    x, y = (np.asarray(rng.standard_normal(shape) * 3).astype(dtype) for shape in rows)
    axes = tuple(axis for axis in axes if -axis <= max(x.ndim, y.ndim))

    def f(x, y):
        return np.sum(x * y, axis=axes, keepdims=keepdims)

    graph = pb.trace(f, x, y)
    for new in (remove_dead(simplify_contractions(graph)), simplify(graph)):
        new.verify()
        assert new.cost().operations <= graph.cost().operations
        for args in ((x, y), (special(x, numbers=True), special(y, numbers=True))):
            with np.errstate(all="ignore"):
                assert_agree(new(*args), f(*args), f"{graph}\n{new}", types=False)


@pytest.mark.parametrize(
    ("f", "products"),
    [
        (lambda x, y, v: TABLE @ x + TABLE @ y, 1),
        (lambda x, y, v: x @ TABLE - y @ TABLE, 1),
        (lambda x, y, v: TABLE.T @ x @ TABLE + TABLE.T @ y @ TABLE, 2),
        (lambda x, y, v: TABLE @ v + TABLE @ x[0], 1),
        # that might be infinite where it was NaN; or larger; or is needed elsewhere
        (lambda x, y, v: v @ x + v @ y, 2),
        (lambda x, y, v: x @ y[0] + TABLE @ y[0], 2),
        (lambda x, y, v: x @ TABLE[0] + y @ TABLE[0], 2),
        (lambda x, y, v: [z := TABLE @ x, z + TABLE @ y], 2),
        (lambda x, y, v: TABLE @ x + TABLE.T @ y, 2),
        # symmetric matrices, and vectors
        (lambda x, y, v: v @ SYMMETRIC + SYMMETRIC @ v, 1),
        (lambda x, y, v: (SYMMETRIC @ v[:, None])[:, 0] + v @ SYMMETRIC, 1),
        (lambda x, y, v: v @ TABLE + TABLE @ v, 2),
    ],
)
def test_sums_of_matrix_products(f, products):
    graph = pb.trace(f, TABLE * 2, TABLE - 1, v)
    new = simplify(graph)
    assert findings(new) == []
    assert names(new).count("matmul") == products, new
    for make in (np.asarray, special, special, special):
        args = [make(each) for each in (TABLE * 2, TABLE - 1, v)]
        with np.errstate(all="ignore"):
            assert_agree(new(*args), graph(*args), new)


def test_products_with_one_row_or_column():
    def f(x, v):
        return (x @ v[:, None])[:, 0], (v[None] @ x).ravel(), (x[:, :1] @ v[None])[0]

    graph = simplify(pb.trace(f, TABLE, v))
    assert [each.outputs[0].ndim for each in graph.equations if each.primitive.name == "matmul"][
        :2
    ] == [1, 1]
    assert_agree(graph(TABLE, v), f(TABLE, v), types=False)


@pytest.mark.parametrize(
    ("one", "other", "name"),
    [
        ((3, 1), (1, 4), "multiply"),
        ((2, 3, 1), (1, 4), "multiply"),
        ((2, 1, 1), (5, 1, 1, 4), "multiply"),
        ((3, 2), (2, 4), "matmul"),
        ((1,), (1, 4), "matmul"),
        ((3, 1), (1,), "matmul"),
        ((2, 3, 1), (2, 1, 3), "multiply"),
    ],
)
@pytest.mark.parametrize("dtype", ["float64", "complex64", "int64", "bool"])
def test_a_column_times_a_row(one, other, name, dtype):
    rng = np.random.default_rng(0)
    x, y = ((3 * rng.standard_normal(shape)).astype(dtype) for shape in (one, other))
    if len(one) == 3 and len(other) == 4:
        x = x[:1]
    graph = rewritten(simplify_contractions, lambda x, y: x @ y, x, y)
    assert names(graph) == [name]


def test_the_gradient_of_a_quadratic_form_is_one_product():
    graph = simplify(pb.trace(pb.grad(lambda v: v @ SYMMETRIC @ v), v))
    assert names(graph).count("matmul") == 1
    np.testing.assert_allclose(graph(v), 2 * SYMMETRIC @ v)
