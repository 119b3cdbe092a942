"""Equal values from outside, and equal expressions in a body: once each, but for the user's own."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.rules.control_flow.loop import scan
from tests.rules.control_flow.test_generated_programs import assert_close

X, P = np.array([0.3, -0.7]), np.array([1.2, 0.4, -0.5])


def loops(f, *args):
    return [e.params["loop"] for e in pb.trace(f, *args).equations if e.primitive is scan]


def body_reading(read):
    """A loop whose body reads from outside twice what is the same."""

    def f(x, p):
        return np.sum(pb.scan(lambda c, _: (np.sin(c * read(p)) + read(p), None), x, length=3)[0])

    return f


@pytest.mark.parametrize(
    "read",
    [lambda p: p[0], lambda p: p[1:], lambda p: 2.0 * np.exp(p[:2]), lambda p: np.split(p, 3)[1]],
)
@pytest.mark.parametrize("transform", [pb.grad, pb.hessian, lambda f, n: pb.vmap(pb.grad(f, n))])
def test_equal_values_from_outside_are_one(read, transform):
    f = body_reading(read)
    assert loops(pb.grad(f, (0, 1)), X, P)[0].consts == 1

    def once(x, p):
        value = read(p)
        return body_reading(lambda _: value)(x, p)

    args = (X, P) if transform in (pb.grad, pb.hessian) else (np.stack([X, X]), np.stack([P, -P]))
    assert_close(transform(f, (0, 1))(*args), transform(once, (0, 1))(*args))
    assert_close(pb.trace(transform(f, (0, 1)), *args)(*args), transform(once, (0, 1))(*args))


def test_values_that_only_look_alike_are_not_one():
    def f(x, p):
        q = p.copy()
        first = p[0]
        p = p * 1.0
        p[0] = 3.0 * first
        return np.sum(
            pb.scan(lambda c, _: (np.sin(c * first) + p[0] + q[0] + p[1], None), x, length=3)[0]
        )

    def unrolled(x, p):
        for _ in range(3):
            x = np.sin(x * p[0]) + 3.0 * p[0] + p[0] + p[1]
        return np.sum(x)

    assert_close(pb.grad(f, (0, 1))(X, P), pb.grad(unrolled, (0, 1))(X, P))


def test_an_equal_expression_in_a_body_is_recorded_once():
    def f(x):
        return pb.scan(lambda c, _: (np.sin(c) * np.cos(c) + np.sin(c), None), x, length=3)[0]

    (loop,) = loops(f, X)
    assert [e.primitive.name for e in loop.body.equations].count("sin") == 1


def test_a_primitive_of_the_users_own_runs_as_often_as_it_is_called():
    """It may count its calls, or draw random numbers."""
    calls = []

    @pb.primitive
    def noisy(x):
        calls.append(1)
        return 2.0 * x

    @noisy.rule
    def noisy_rule(_y, _x):
        return 2.0

    def f(x, p):
        return np.sum(pb.scan(lambda c, _: (noisy(c) + noisy(c) + p[0], None), x, length=3)[0])

    assert_close(f(X, P), np.sum(64 * X) + 2 * 21 * P[0])
    assert len(calls) >= 6
    calls.clear()
    assert_close(pb.grad(f, (0, 1))(X, P), (np.full(2, 64.0), np.array([42.0, 0.0, 0.0])))
    assert len(calls) >= 6
