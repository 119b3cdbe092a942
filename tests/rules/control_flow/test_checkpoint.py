"""Checkpointing: the same results to the last bit, whatever is kept."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import pullback as pb
from tests.rules.control_flow import unrolled

RNG = np.random.default_rng(2)
n = 11
W = RNG.standard_normal((3, 3))
xs = RNG.standard_normal((n, 3))
c0 = RNG.standard_normal(3)
SCHEDULES = ["sqrt", 1, 2, 5, n, n + 7]


def network(W, xs, c0, *, checkpoint, reverse=False, loops=pb):
    def body(c, x):
        h = np.tanh(W @ c + x)
        return c + 0.3 * h, np.sum(h * c)

    c, ys = loops.scan(body, c0, xs, reverse=reverse, checkpoint=checkpoint)
    return np.sum(c**2) + np.sum(np.sin(ys))


def built_up(w, *, checkpoint):
    """Slices of the carry are read and written, and an integer is carried along."""

    def body(i, carry):
        y, k = carry
        y[i + 1] = np.sin(y[i]) * w + y[k % 3]
        y[0] *= 0.9
        return y, k * 2 + 1

    y, k = pb.fori_loop(0, n, body, (np.ones(n + 1) * w, 1), checkpoint=checkpoint)
    return np.sum(y * y) + 0.0 * k


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("checkpoint", SCHEDULES)
def test_the_same_bits(checkpoint, reverse):
    def run(checkpoint):
        def f(*args):
            return network(*args, checkpoint=checkpoint, reverse=reverse)

        return pb.value_and_grad(f, (0, 1, 2))(W, xs, c0)

    value, gradient = run(checkpoint)
    expected, wanted = run(None)
    assert value == expected
    for got, other in zip(gradient, wanted, strict=True):
        assert_array_equal(got, other)


@pytest.mark.parametrize("checkpoint", SCHEDULES)
def test_the_same_bits_where_the_carry_is_written_to(checkpoint):
    got = pb.value_and_grad(lambda w: built_up(w, checkpoint=checkpoint))(0.8)
    assert got == pb.value_and_grad(lambda w: built_up(w, checkpoint=None))(0.8)


@pytest.mark.parametrize("checkpoint", SCHEDULES)
def test_every_other_mode(checkpoint):
    """Forward mode, second order in each mix of modes, vmap, and recorded."""

    def f(W, checkpoint=checkpoint, loops=pb):
        return network(W, xs, c0, checkpoint=checkpoint, loops=loops)

    def reference(W):
        return f(W, None, unrolled)

    V = RNG.standard_normal((3, 3))
    assert_array_equal(
        pb.pushforward(f, (W,), (V,))[1], pb.pushforward(lambda W: f(W, None), (W,), (V,))[1]
    )
    wanted = pb.pushforward(pb.grad(reference), (W,), (V,))[1]
    assert_allclose(pb.pushforward(pb.grad(f), (W,), (V,))[1], wanted, rtol=1e-12, atol=1e-12)
    got = pb.grad(lambda W: pb.pushforward(f, (W,), (V,))[1])(W)
    assert_allclose(got, wanted, rtol=1e-12, atol=1e-12)
    got = pb.grad(lambda W: np.sum(pb.grad(f)(W) * V))(W)
    assert_allclose(got, wanted, rtol=1e-12, atol=1e-12)
    batch = np.stack([W, 0.5 * W, -W])
    got = pb.vmap(pb.grad(f))(batch)
    assert_allclose(got, np.stack([pb.grad(reference)(each) for each in batch]), rtol=1e-12)
    graph = pb.trace(pb.grad(f), W)
    assert_array_equal(graph(W), pb.grad(f)(W))
    assert_allclose(pb.simplify(graph)(W), pb.grad(reference)(W), rtol=1e-12)


def test_nested():
    """A checkpointed loop in the body of a checkpointed loop."""

    def f(w, outer, inner):
        def step(c, x):
            c = pb.fori_loop(0, 7, lambda i, c: np.sin(w * c) + 0.1 * x, c, checkpoint=inner)
            return c, c[0]

        c, ys = pb.scan(step, c0, xs, checkpoint=outer)
        return np.sum(c) + np.sum(ys**2)

    value, slope = pb.value_and_grad(lambda w: f(w, None, None))(1.3)
    for outer, inner in [(None, 2), ("sqrt", None), (3, "sqrt"), (2, 2)]:
        got = pb.value_and_grad(lambda w, o=outer, i=inner: f(w, o, i))(1.3)
        assert got[0] == value
        assert got[1] == pytest.approx(slope, rel=1e-14)


# -- checkpoint(f) -------------------------------------------------------------------------------


def block(w, x):
    h = np.tanh(w * x)
    return {"out": h * np.exp(-h), "sum": np.sum(h)}


@pytest.mark.parametrize("order", [1, 2, 3])
def test_checkpoint_of_a_function(order):
    x = np.array([0.3, -1.2])

    def loss(f):
        def total(w):
            y = f(f(w, x)["out"], x)
            return np.sum(y["out"] ** 2) + np.sin(y["sum"])

        return total

    f, reference = loss(pb.checkpoint(block)), loss(block)
    w = np.array([0.7, 1.9])
    direction = np.array([1.0, -0.5])
    for _ in range(order - 1):
        f, reference = (
            lambda w, f=each: np.sum(pb.grad(f)(w) * direction) for each in (f, reference)
        )
    assert f(w) == pytest.approx(reference(w), rel=1e-13)
    assert_allclose(pb.grad(f)(w), pb.grad(reference)(w), rtol=1e-12)
    assert_allclose(
        pb.pushforward(f, (w,), (direction,))[1],
        pb.pushforward(reference, (w,), (direction,))[1],
        rtol=1e-12,
    )


def test_the_same_bits_as_without():
    x = np.array([0.3, -1.2])

    def loss(f):
        return lambda w: np.sum(f(w, x)["out"])

    got = pb.value_and_grad(loss(pb.checkpoint(block)))(1.7)
    expected = pb.value_and_grad(loss(block))(1.7)
    assert got == expected


def test_free_variables_of_a_checkpointed_function():
    def loss(keep):
        def f(w):
            bias = np.sin(w)
            return keep(lambda x: np.sum(np.tanh(w * x) + bias))(w * 2.0) * w[0]

        return f

    w = np.array([0.7, 1.9])
    got, wanted = loss(pb.checkpoint), loss(lambda f: f)
    assert_allclose(pb.grad(got)(w), pb.grad(wanted)(w), rtol=1e-14)
    assert_allclose(pb.hessian(got)(w), pb.hessian(wanted)(w), rtol=1e-13)
    assert_allclose(pb.jacobian(pb.grad(got))(w), pb.hessian(wanted)(w), rtol=1e-13)
    batch = np.stack([w, -w, 2 * w])
    assert_allclose(
        pb.vmap(pb.grad(got))(batch), [pb.grad(wanted)(each) for each in batch], rtol=1e-13
    )


def test_perturbations_are_not_confused_by_a_checkpointed_function():
    got = pb.grad(lambda x: x * pb.grad(lambda y: pb.checkpoint(lambda z: x + z)(y))(1.0))(1.0)
    assert got == 1.0


def test_a_checkpointed_function_keeps_its_signature():
    @pb.checkpoint
    def scaled(x, y, *, power=2):
        """Some documentation."""
        return x**power * y

    assert scaled.__name__ == "scaled"
    assert scaled.__doc__ == "Some documentation."
    assert scaled(3.0, 2.0) == 18.0
    assert scaled(3.0, y=2.0, power=3) == 54.0
    assert pb.grad(lambda x: scaled(x, 2.0, power=3))(3.0) == 54.0


def test_what_is_not_differentiated_passes_through():
    @pb.checkpoint
    def f(x, k, flag):
        return np.where(flag, x * k, x), k + 1, ~flag

    y, k, flag = f(2.0, np.int64(3), np.True_)
    assert (y, k, flag) == (6.0, 4, False)
    assert pb.grad(lambda x: f(x, np.int64(3), np.True_)[0])(2.0) == 3.0


@pytest.mark.parametrize("transform", [lambda f: f, pb.grad], ids=["value", "gradient"])
@pytest.mark.parametrize("checkpoint", [None, "sqrt", 1, "while"])
def test_numpy_warns_of_the_loop_itself_as_it_would_without_one(transform, checkpoint):
    def f(x):
        if checkpoint == "while":
            return pb.while_loop(lambda y: y < 0, lambda y: np.log(y) * 1.0, x)
        return pb.scan(lambda y, _: (np.log(y), None), x, length=1, checkpoint=checkpoint)[0]

    with pytest.warns(RuntimeWarning, match="invalid value encountered in log"):
        transform(f)(-1.0)
