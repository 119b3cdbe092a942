"""Loops of no iteration are the identity on the carry, in every mode."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import pullback as pb

x = np.array([0.5, -1.0, 2.0])

EMPTY = {
    "scan of length 0": lambda f, c: pb.scan(lambda c, _: (f(c), c), c, length=0)[0],
    "scan over no rows": lambda f, c: pb.scan(lambda c, row: (f(c) + row, c), c, np.zeros((0, 3)))[
        0
    ],
    "scan, checkpointed": lambda f, c: pb.scan(
        lambda c, _: (f(c), None), c, length=0, checkpoint="sqrt"
    )[0],
    "scan, one snapshot": lambda f, c: pb.scan(
        lambda c, _: (f(c), None), c, length=0, checkpoint=1
    )[0],
    "fori_loop(5, 5)": lambda f, c: pb.fori_loop(5, 5, lambda i, c: f(c), c),
    "fori_loop(5, 3)": lambda f, c: pb.fori_loop(5, 3, lambda i, c: f(c), c),
    "fori_loop(-2, -7)": lambda f, c: pb.fori_loop(-2, -7, lambda i, c: f(c), c),
    "while_loop": lambda f, c: pb.while_loop(lambda c: np.sum(c) > 100.0, f, c),
    "while_loop that is false": lambda f, c: pb.while_loop(lambda c: False, f, c),
}


@pytest.fixture(params=EMPTY.values(), ids=list(EMPTY))
def loop(request):
    return lambda c: request.param(lambda c: np.sin(c) * 2.0, c)


def loss(loop):
    return lambda x: np.sum(loop(x**2) * np.array([1.0, 2.0, 3.0]))


def test_the_value(loop):
    got = loop(x)
    assert_array_equal(got, x)
    assert got is not x


def test_first_order(loop):
    weights = np.array([1.0, 2.0, 3.0])
    assert_array_equal(pb.grad(loss(loop))(x), 2 * weights * x)
    assert_array_equal(pb.pushforward(loop, (x,), (weights,))[1], weights)
    assert_array_equal(pb.linearize(loop, x)[1](weights), weights)
    for mode in ("forward", "reverse"):
        assert_array_equal(pb.jacobian(loop, mode=mode)(x), np.eye(3))


def test_second_order(loop):
    assert_array_equal(pb.hessian(loss(loop))(x), np.diag([2.0, 4.0, 6.0]))


def test_batched(loop):
    batch = np.stack([x, -x, 2 * x, 0 * x])
    assert_array_equal(pb.vmap(loop)(batch), batch)
    weights = np.array([1.0, 2.0, 3.0])
    assert_array_equal(pb.vmap(pb.grad(loss(loop)))(batch), 2 * weights * batch)


def test_recorded(loop):
    for f in (loop, pb.grad(loss(loop)), pb.hessian(loss(loop))):
        graph = pb.trace(f, x)
        assert_array_equal(graph(x), f(x))
        assert_array_equal(pb.simplify(graph)(x), f(x))


def test_the_inputs_of_an_empty_scan_have_a_derivative_of_zero():
    """Also what enters only through the body: of no iteration, it gives zero."""
    rows = np.zeros((0, 3))

    def f(rows, w):
        c, ys = pb.scan(lambda c, row: (c * w + np.sum(row), row * w), 1.0, rows)
        return c + np.sum(ys)

    out, (rows_bar, w_bar) = pb.pullback(f, (rows, 2.0), 1.0)
    assert out == 1.0
    assert rows_bar.shape == (0, 3)
    assert w_bar == 0.0
    assert pb.pushforward(f, (rows, 2.0), (rows, 1.0))[1] == 0.0


@pytest.mark.parametrize("length", [0, 1])
def test_shapes_and_dtypes_of_results(length):
    """Those of no iteration are those of one."""
    rows = np.ones((length, 3), np.float32)

    def body(c, row):
        return c, {"row": row, "count": 3, "sum": np.sum(row), "flag": row > 0, "none": None}

    c, ys = pb.scan(body, np.float32(1), rows)
    assert c.dtype == np.float32
    assert {k: (v.shape, v.dtype) for k, v in ys.items() if v is not None} == {
        "row": ((length, 3), np.dtype(np.float32)),
        "count": ((length,), np.dtype(np.int64)),
        "sum": ((length,), np.dtype(np.float32)),
        "flag": ((length, 3), np.dtype(bool)),
    }
    assert ys["none"] is None


def test_a_body_of_no_iteration_is_checked_all_the_same():
    with pytest.raises(pb.PullbackError):
        pb.scan(lambda c, _: (c[:1], None), np.ones(3), length=0)
    with pytest.raises(pb.PullbackError):
        pb.fori_loop(3, 3, lambda i, c: (c, c), np.ones(3))
