"""What a body may write to, and what it never reaches: the arrays of the caller and of others."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import pullback as pb
from tests.rules.control_flow import unrolled

RNG = np.random.default_rng(11)
xs = RNG.standard_normal((4, 3))
W = np.array([1.0, 2.0, 3.0])


def test_the_body_writes_to_its_carry_and_not_to_the_callers_array():
    start, rows = np.zeros(4), xs[:, 0].copy()
    kept = start.copy(), rows.copy()

    def body(y, row):
        i = np.argmin(y)
        y[i] = row + 1.0
        y[-1:] *= 0.5
        return y, y

    y, history = pb.scan(body, start, rows)
    assert_array_equal(start, kept[0])
    assert_array_equal(rows, kept[1])
    wanted, expected = unrolled.scan(body, start, rows)
    assert_array_equal(y, wanted)
    assert_array_equal(history, expected)
    assert y.flags.writeable
    assert history.flags.writeable
    y[0] = 100.0  # the results are the caller's own
    assert_array_equal(history, expected)


def test_two_leaves_of_a_carry_that_are_one_array():
    """Written to one by one, they part."""
    a = np.ones(3)

    def body(i, carry):
        u, v = carry
        u[i] = 5.0
        return u, v

    u, v = pb.fori_loop(0, 2, body, (a, a))
    assert_array_equal(u, [5.0, 5.0, 1.0])
    assert_array_equal(v, np.ones(3))
    assert_array_equal(a, np.ones(3))

    def both(i, carry):
        carry[i] = carry[i] * 3.0
        return carry

    got = pb.grad(lambda x: np.sum(pb.fori_loop(0, 2, both, x) ** 2))(a)
    assert_array_equal(got, [18.0, 18.0, 2.0])


def test_a_body_that_returns_the_same_leaf_twice():
    def body(i, carry):
        a, b = carry
        s = a + b
        return s, s

    a, b = pb.fori_loop(0, 3, body, (np.ones(2), np.ones(2)))
    assert_array_equal(a, [8.0, 8.0])
    a[0] = 0.0
    assert_array_equal(b, [8.0, 8.0])


def test_an_array_built_up_by_element():
    def f(loops, x):
        y = np.zeros(6) * x
        y[0] = x

        def body(i, y):
            y[i] = np.sin(y[i - 1]) * x
            return y

        return np.sum(loops.fori_loop(1, 6, body, y) ** 2)

    for x in (0.7, 1.9):
        assert f(pb, x) == pytest.approx(f(unrolled, x), rel=1e-15)
        wanted = pb.grad(lambda x: f(unrolled, x))(x)
        assert pb.grad(lambda x: f(pb, x))(x) == pytest.approx(wanted, rel=1e-14)
        second = pb.grad(pb.grad(lambda x: f(unrolled, x)))(x)
        assert pb.grad(pb.grad(lambda x: f(pb, x)))(x) == pytest.approx(second, rel=1e-13)


def test_free_arrays_changed_after_the_call_do_not_change_the_gradient():
    w = np.array([2.0, 3.0])
    _, pull = pb.vjp(lambda x: pb.fori_loop(0, 2, lambda i, c: c * w, x), np.ones(2))
    w[:] = 100.0
    assert_array_equal(pull(np.ones(2))[0], [4.0, 9.0])


def test_views_of_free_arrays_changed_after_the_call_do_not_change_the_gradient():
    start = np.array([0.1, 0.9])
    for view in (np.ravel, np.transpose, lambda x: x[::-1], lambda x: x):
        for f in (
            lambda y, w, view=view: pb.cond(True, lambda: np.sin(y * view(w)), lambda: y),
            lambda y, w, view=view: pb.switch(0, [lambda y, w: np.sin(y * view(w))], y, w),
            lambda y, w, view=view: pb.checkpoint(lambda y: np.sin(y * view(w)))(y),
            lambda y, w, view=view: pb.fori_loop(0, 1, lambda _, y: np.sin(y * view(w)), y),
        ):
            w = np.array([1.0, 2.0])
            expected = np.cos(start * view(w)) * view(w)
            _, pull = pb.vjp(lambda y, f=f, w=w: f(y, w), start)
            w[:] = 0
            np.testing.assert_allclose(pull(np.ones(2))[0], expected, rtol=1e-14)


@pytest.mark.parametrize(
    "f",
    [
        lambda y, w: pb.cond(True, lambda: (y * 2, w()), lambda: (y, y)),
        lambda y, w: pb.switch(0, [lambda y: (y * 2, w())], y),
        lambda y, w: pb.checkpoint(lambda y: (y * 2, w()))(y),
        lambda y, w: pb.fori_loop(0, 1, lambda _, c: (c[0] * 2, w()), (y, y)),
        lambda y, w: pb.fori_loop(0, 0, lambda _, c: c, (y * 2, w())),
        lambda y, w: pb.scan(lambda c, _: ((c[0] * 2, w()), None), (y, y), length=1)[0],
        lambda y, w: pb.while_loop(
            lambda c: c[2] < 1, lambda c: (c[0] * 2, w(), c[2] + 1), (y, y, 0)
        )[:2],
    ],
    ids=["cond", "switch", "checkpoint", "fori_loop", "no_iterations", "scan", "while_loop"],
)
def test_a_result_that_is_an_array_from_outside_which_is_written_to_later(f):
    start = np.array([0.1, 0.9])
    for view in (lambda x: x, np.real, np.transpose, lambda x: x[::-1]):
        weights = np.array([1.0, 2.0])
        expected = 4 * start * view(weights.copy())

        def product(x, view=view, weights=weights):
            doubled, seen = f(x, lambda: view(weights))
            weights[:] = 0
            return x * doubled * seen

        _, pull = pb.vjp(product, start)
        assert_array_equal(pull(np.ones(2))[0], expected)
        weights[:] = 1.0, 2.0
        assert_array_equal(pb.pushforward(product, (start,), (np.ones(2),))[1], expected)
        weights[:] = 1.0, 2.0
        assert_array_equal(product(start), expected * start / 2)


def test_a_free_array_that_becomes_the_carry():
    """Handed on as it is, and written to in the next iteration."""
    w = W.copy()

    def body(i, carry):
        c, total = carry
        c[0] += 5.0
        return np.asarray(w, like=c), total + c

    c, total = pb.fori_loop(0, 3, body, (np.zeros(3), np.zeros(3)))
    assert_array_equal(w, W)
    assert_array_equal(c, W)
    assert_array_equal(total, [17.0, 4.0, 6.0])
    c[0] = 100.0
    assert_array_equal(w, W)


def test_carries_that_are_exchanged_and_written_to():
    def body(i, carry):
        a, b = carry
        a[0] = b[1]
        b[1] += a[0] * 2
        return b, a

    def loss(loops):
        return lambda a, b: sum(np.sum(c**2) for c in loops.fori_loop(0, 5, body, (a, b)))

    a, b = W.copy(), W + 4
    for got, wanted in zip(
        pb.fori_loop(0, 5, body, (a, b)), unrolled.fori_loop(0, 5, body, (a, b)), strict=True
    ):
        assert_array_equal(got, wanted)
    assert_array_equal(a, W)
    got, wanted = (pb.grad(loss(loops), (0, 1))(a, b) for loops in (pb, unrolled))
    assert_allclose(got[0], wanted[0], rtol=1e-14)
    assert_allclose(got[1], wanted[1], rtol=1e-14)


VIEWS = {
    "broadcast": np.broadcast_to(np.float64(2.0), (3,)),
    "in Fortran's order": np.asfortranarray(np.arange(9.0).reshape(3, 3)),
    "reversed with gaps": np.arange(9.0)[::-3],
    "transposed with gaps": np.arange(18.0).reshape(3, 6)[:, ::2].T,
}


@pytest.mark.parametrize("start", VIEWS.values(), ids=VIEWS)
def test_arrays_laid_out_in_any_way(start):
    """As a carry that is written to, and as rows that are scanned."""
    kept = start.copy()

    def write(i, c):
        c[i] = c[i] + c[0]
        return c

    got, wanted = (loops.fori_loop(0, 3, write, start) for loops in (pb, unrolled))
    assert_array_equal(got, wanted)
    assert_array_equal(start, kept)

    def loss(loops):
        def f(x):
            c = np.sum(loops.fori_loop(0, 3, write, x) ** 2)
            rows = loops.scan(lambda c, row: (c * 0.5 + np.sin(row), None), 0.0 * x[0], x)[0]
            return c + np.sum(rows)

        return f

    assert_allclose(pb.grad(loss(pb))(start), pb.grad(loss(unrolled))(start), rtol=1e-14)
    assert_allclose(pb.hessian(loss(pb))(start), pb.hessian(loss(unrolled))(start), rtol=1e-13)


def test_results_that_are_views_of_a_carry():
    """What is returned for an iteration is as it was at its end, whatever is written later."""

    def body(c, x):
        part = c[1:]
        c[0] += x
        c[1] *= 2.0
        return c, (part, c.reshape(3, 1), c[::-1])

    rows = np.arange(4.0)
    got, wanted = (loops.scan(body, W, rows) for loops in (pb, unrolled))
    assert_array_equal(got[0], wanted[0])
    for one, other in zip(got[1], wanted[1], strict=True):
        assert_array_equal(one, other)

    def loss(loops):
        return lambda w, rows: sum(np.sum(np.sin(y)) for y in loops.scan(body, w, rows)[1])

    got, wanted = (pb.grad(loss(loops), (0, 1))(W, rows) for loops in (pb, unrolled))
    assert_allclose(got[0], wanted[0], rtol=1e-14)
    assert_allclose(got[1], wanted[1], rtol=1e-14)


def test_a_carry_that_has_no_memory_of_its_own():
    """A broadcast scalar, which NumPy would not let one write to, becomes an array."""

    def body(i, c):
        c[i] += 1.0
        return np.broadcast_to(np.sum(c), (3,))

    def by_hand(w):
        for _ in range(3):
            w = np.broadcast_to(np.sum(w) + 1.0, (3,))
        return w

    c = pb.fori_loop(0, 3, body, W)
    assert_array_equal(c, by_hand(W))
    c[0] = 0.0
    assert c[1] != 0.0
    assert_array_equal(
        pb.grad(lambda w: pb.fori_loop(0, 3, body, w)[0] ** 2)(W),
        pb.grad(lambda w: by_hand(w)[0] ** 2)(W),
    )


def test_the_carry_of_an_inner_loop_starts_afresh_each_time():
    """The array that it starts from is a constant of the outer body, and is not written to."""
    zeros = np.zeros(3)

    def body(i, c):
        def inner(j, y):
            y[j] = y[j] + c[0]
            return y

        return c + pb.fori_loop(0, 3, inner, zeros) + pb.fori_loop(0, 3, inner, np.zeros(3))

    def f(w):
        return np.sum(pb.fori_loop(0, 3, body, w))

    assert f(W) == np.sum(W) + 3 * 26 * W[0]
    assert_array_equal(zeros, np.zeros(3))
    wanted = [79.0, 1.0, 1.0]
    graph = pb.trace(pb.grad(f), W)
    simplified = pb.simplify(graph)
    _, pull = pb.vjp(f, W)
    for _ in range(2):
        for gradient in (pb.grad(f), graph, simplified):
            assert_array_equal(gradient(W), wanted)
        assert_array_equal(pull(1.0)[0], wanted)


def test_the_arguments_of_a_recorded_loop():
    def f(c):
        def body(i, c):
            c[i] = c[i] * 2 + c[0]
            return c

        return pb.fori_loop(0, 3, body, c)

    for transform in (lambda f: f, lambda f: pb.grad(lambda c: np.sum(f(c) ** 2))):
        graph = pb.trace(transform(f), W)
        for g in (graph, pb.simplify(graph)):
            x = W.copy()
            first = g(x)
            assert_array_equal(x, W)
            kept = first.copy()
            first[:] = 1e9
            assert_array_equal(g(x), kept)


def test_operands_of_branches_and_checkpointed_functions():
    """They are the function's own too; it may return them as they are."""

    def write(x):
        x[0] = 1.0 + x[1]
        return x

    def loss(function):
        return lambda x: np.sum(function(x) ** 2 + x)

    for function in (
        lambda x: pb.cond(np.sum(x) > 0, write, lambda x: x, x),
        lambda x: pb.switch(1, [np.sin, write], x),
        pb.checkpoint(write),
    ):
        x = W.copy()
        result = function(x)
        assert_array_equal(result, [3.0, 2.0, 3.0])
        assert_array_equal(x, W)
        assert_array_equal(pb.grad(loss(function))(x), [1.0, 11.0, 7.0])
    x = W.copy()
    for result in (
        pb.cond(True, lambda x: x, lambda x: x * 1.0, x),
        pb.cond(True, lambda: np.asarray(x), lambda: x * 1.0),
        pb.checkpoint(lambda x: x)(x),
        pb.fori_loop(0, 0, lambda i, c: c, x),
        pb.fori_loop(0, 2, lambda i, c: c, x),
    ):
        result[0] = 100.0
        assert_array_equal(x, W)


def test_a_branch_that_returns_its_operand_which_is_then_written_to():
    def body(i, carry):
        c, _ = carry
        r = pb.cond(c[0] > 2, lambda c: c, lambda c: c * 1.0, c)
        r[0] += 1.0
        return r, c

    c, before = pb.fori_loop(0, 4, body, (W, W))
    assert_array_equal(c, [5.0, 2.0, 3.0])
    assert_array_equal(before, [4.0, 2.0, 3.0])


def test_a_primitive_of_the_users_that_returns_its_argument():
    """Two names for one array: writing to one does not reach the other."""

    @pb.primitive
    def same(x):
        return x

    same.rule(lambda _y, _x: 1.0)
    same.shape(lambda x: x)

    def body(i, c):
        r = same(c)
        r[i] = r[i] * c[0]
        return r * same(c)

    def by_hand(c):
        for i in range(3):
            r = c * 1.0
            r[i] = r[i] * c[0]
            c = r * c
        return c

    assert_array_equal(pb.fori_loop(0, 3, body, W), by_hand(W))
    got = pb.grad(lambda w: np.sum(pb.fori_loop(0, 3, body, w)))(W)
    assert_allclose(got, pb.grad(lambda w: np.sum(by_hand(w)))(W), rtol=1e-14)


def test_index_expressions_of_every_kind():
    """Slices, arrays, ellipses and views of views, at indices known only at run time."""
    X = np.linspace(-1.0, 1.3, 24).reshape(4, 3, 2)

    def f(loops, X):
        def body(i, carry):
            Y, t = carry
            Y[i, :, 0] = np.sin(Y[i - 1, ::-1, 1]) * t
            Y[i, 1] += Y[i, [0, 2]].sum(axis=0)
            Y[..., i % 2] *= 0.5
            Y[i, i - 1] = t
            np.add.at(Y, (i, [0, 0, 2]), t * 0.1)
            return Y, t + np.take(Y, i, axis=0).mean() + Y[i].T[1, 0]

        Y, t = loops.fori_loop(1, 4, body, (X * 1.0, X[0, 0, 0] + 0.5))
        return np.sum(Y**2) + t

    assert f(pb, X) == pytest.approx(f(unrolled, X), rel=1e-14)
    wanted = pb.grad(lambda X: f(unrolled, X))
    assert_allclose(pb.grad(lambda X: f(pb, X))(X), wanted(X), rtol=1e-13, atol=1e-13)
    got = pb.vmap(pb.grad(lambda X: f(pb, X)))(np.stack([X, -X]))
    assert_allclose(got, np.stack([wanted(X), wanted(-X)]), rtol=1e-13, atol=1e-13)
    got = pb.hvp(lambda X: f(pb, X), (X,), (X,))[0]
    expected = pb.hvp(lambda X: f(unrolled, X), (X,), (X,))[0]
    assert_allclose(got, expected, rtol=1e-12, atol=1e-12)
