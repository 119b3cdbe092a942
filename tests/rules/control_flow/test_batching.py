"""Loops under vmap: each example follows its own course."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import pullback as pb
from tests.rules.control_flow import unrolled

RNG = np.random.default_rng(5)


def by_example(f, *args):
    return np.stack([f(*row) for row in zip(*args, strict=True)])


# -- what is mapped ------------------------------------------------------------------------------

CARRY, XS, FREE = RNG.standard_normal((3, 2)), RNG.standard_normal((3, 4, 2)), RNG.uniform(1, 2, 3)


def chain(loops, carry, xs, free):
    carry, ys = loops.scan(lambda c, x: (np.sin(c * free) + x, np.sum(c * x) * free), carry, xs)
    return np.sum(carry) + np.sum(ys**2)


AXES = [axes for axes in itertools.product([0, None], repeat=3) if 0 in axes]


@pytest.mark.parametrize("axes", AXES)
def test_any_of_the_arguments_of_a_scan_is_mapped(axes):
    args = [x if axis == 0 else x[1] for x, axis in zip((CARRY, XS, FREE), axes, strict=True)]
    rows = [x if axis == 0 else np.stack([x] * 3) for x, axis in zip(args, axes, strict=True)]
    got = pb.vmap(lambda *a: chain(pb, *a), in_axes=axes)(*args)
    assert_allclose(got, by_example(lambda *a: chain(unrolled, *a), *rows), rtol=1e-13)
    got = pb.vmap(pb.grad(lambda *a: chain(pb, *a), (0, 1, 2)), in_axes=axes)(*args)
    for k in range(3):
        wanted = by_example(pb.grad(lambda *a: chain(unrolled, *a), k), *rows)
        assert_allclose(got[k], wanted, rtol=1e-12, atol=1e-13)
    got = pb.hessian(lambda *a: np.sum(pb.vmap(lambda *a: chain(pb, *a), in_axes=axes)(*a)), 2)
    wanted = pb.hessian(
        lambda *a: sum(
            chain(unrolled, *(x if axis is None else x[i] for x, axis in zip(a, axes, strict=True)))
            for i in range(3)
        ),
        2,
    )
    assert_allclose(got(*args), wanted(*args), rtol=1e-11, atol=1e-12)


def test_a_carry_that_becomes_mapped_on_the_way():
    """It starts the same for all examples, and the body mixes a mapped value into it, late."""

    def f(loops, w):
        def body(i, s):
            _, b, c = s
            return b, c, c * 0.5 + w * b

        a, _, _ = loops.fori_loop(0, 5, body, (np.ones(2), 2.0 * np.ones(2), np.zeros(2) + 0 * w))
        return a

    w = np.array([0.5, -1.0, 2.0])
    assert_allclose(pb.vmap(lambda w: f(pb, w))(w), by_example(lambda w: f(unrolled, w), w))
    got = pb.vmap(pb.jacobian(lambda w: f(pb, w)))(w)
    assert_allclose(got, by_example(pb.jacobian(lambda w: f(unrolled, w)), w), rtol=1e-13)


def test_axes_other_than_the_first():
    xs = RNG.standard_normal((4, 5, 2))

    def f(xs):
        return pb.scan(lambda c, x: (c * 0.5 + x, c), np.zeros(2), xs)[1]

    got = pb.vmap(f, in_axes=1, out_axes=2)(xs)
    assert got.shape == (4, 2, 5)
    assert_allclose(got, np.stack([f(xs[:, i]) for i in range(5)], axis=2), rtol=1e-15)


def test_vmap_of_vmap():
    a, b = RNG.uniform(0.5, 1.0, 3), RNG.uniform(0.5, 1.0, 2)

    def f(loops, a, b):
        return loops.fori_loop(0, 4, lambda i, c: np.sin(c * a) + b, a * b)

    got = pb.vmap(lambda a: pb.vmap(lambda b: f(pb, a, b))(b))(a)
    assert_allclose(got, [[f(unrolled, s, t) for t in b] for s in a], rtol=1e-14)


def test_vmap_inside_a_body():
    points = RNG.standard_normal((5, 2))

    def f(loops, w):
        def body(c, _):
            return c + 0.1 * np.sum(pb.vmap(lambda p: np.tanh(p @ w * c))(points)), None

        return loops.scan(body, 0.5 + 0 * w[0], None, length=3)[0]

    w = np.array([0.3, -0.8])
    assert_allclose(
        pb.grad(lambda w: f(pb, w))(w), pb.grad(lambda w: f(unrolled, w))(w), rtol=1e-13
    )


# -- while_loop: different trip counts -----------------------------------------------------------


def halvings(loops, x, w):
    """How often x is halved until it is below w, and what is left of it."""
    return loops.while_loop(lambda s: s[0] > w, lambda s: (0.5 * s[0] * w, s[1] + 1), (x, 0))


X, W = np.array([0.1, 40.0, 3.0, 1e6, 0.9]), np.array([1.0, 1.2, 0.7, 0.9, 1.0])


def test_each_example_has_its_own_trip_count():
    for axes, x, w in [((0, 0), X, W), ((0, None), X, 0.8), ((None, 0), 50.0, W)]:
        left, count = pb.vmap(lambda x, w: halvings(pb, x, w), in_axes=axes)(x, w)
        xs, ws = np.broadcast_arrays(x, w)
        assert_allclose(left, by_example(lambda x, w: halvings(unrolled, x, w)[0], xs, ws))
        assert_array_equal(count, by_example(lambda x, w: halvings(unrolled, x, w)[1], xs, ws))
    assert np.unique(count).size > 2


def test_the_gradient_of_each_example_has_its_own_trip_count():
    def left(loops):
        return lambda x, w: halvings(loops, x, w)[0] * 1.0 + 0.0 * w

    got = pb.vmap(pb.grad(left(pb), (0, 1)))(X, W)
    for k in range(2):
        wanted = by_example(pb.grad(left(unrolled), k), X, W)
        assert_allclose(got[k], wanted, rtol=1e-13)
    got = pb.grad(lambda x, w: np.sum(pb.vmap(left(pb))(x, w) ** 2), (0, 1))(X, W)
    for k in range(2):
        wanted = by_example(pb.grad(lambda x, w: left(unrolled)(x, w) ** 2, k), X, W)
        assert_allclose(got[k], wanted, rtol=1e-13)
    pushed = pb.vmap(lambda x, w: pb.pushforward(left(pb), (x, w), (1.0, 0.5))[1])(X, W)
    wanted = by_example(lambda x, w: pb.pushforward(left(unrolled), (x, w), (1.0, 0.5))[1], X, W)
    assert_allclose(pushed, wanted, rtol=1e-13)


def test_second_derivatives_of_each_example():
    def f(loops):
        return lambda w: halvings(loops, 30.0 * w, w)[0]

    got = pb.vmap(pb.grad(pb.grad(f(pb))))(W)
    assert_allclose(got, by_example(pb.grad(pb.grad(f(unrolled))), W), rtol=1e-11)


@pytest.mark.filterwarnings("error")
def test_an_example_that_is_done_does_not_break_down():
    """While others go on, a finished one would divide by zero; it must not, nor warn."""

    def f(loops, x):
        return loops.while_loop(lambda s: s > 0.0, lambda s: np.sqrt(s) - 1.0 / s, x)

    x = np.array([-1.0, 0.0, 4.0, 1000.0])
    got = pb.vmap(lambda x: f(pb, x))(x)
    assert_allclose(got, by_example(lambda x: f(unrolled, x), x), rtol=1e-15)
    slopes = pb.vmap(pb.grad(lambda x: f(pb, x)))(x)
    assert_allclose(slopes, by_example(pb.grad(lambda x: f(unrolled, x) * 1.0), x), rtol=1e-14)


def test_no_example_goes_round():
    got = pb.vmap(lambda x: pb.while_loop(lambda s: s > 10.0, lambda s: s * 0.5, x))(X[[0, 2, 4]])
    assert_array_equal(got, X[[0, 2, 4]])


def test_a_condition_that_is_not_mapped():
    """The trip count is common, the carry is not."""
    got = pb.vmap(
        lambda x: pb.while_loop(lambda s: s[1] < 3, lambda s: (s[0] * 0.5, s[1] + 1), (x, 0))
    )(X)
    assert_array_equal(got[0], X / 8)


# -- cond and switch with a mapped predicate -----------------------------------------------------


def chosen(loops, x):
    return loops.cond(x > 0.0, lambda x: np.sqrt(x) * x, lambda x: np.log1p(-x), x)


SIGNED = np.array([4.0, -3.0, 0.25, 0.0, -1e3])


@pytest.mark.filterwarnings("error")
def test_a_mapped_predicate():
    """The branch that an example does not take puts no NaN into its value or its derivatives."""
    assert_allclose(
        pb.vmap(lambda x: chosen(pb, x))(SIGNED),
        by_example(lambda x: chosen(unrolled, x), SIGNED),
        rtol=1e-15,
    )
    wanted = by_example(pb.grad(lambda x: chosen(unrolled, x)), SIGNED)
    assert_allclose(pb.vmap(pb.grad(lambda x: chosen(pb, x)))(SIGNED), wanted, rtol=1e-15)
    got = pb.grad(lambda x: np.sum(pb.vmap(lambda x: chosen(pb, x))(x)))(SIGNED)
    assert_allclose(got, wanted, rtol=1e-15)
    pushed = pb.pushforward(pb.vmap(lambda x: chosen(pb, x)), (SIGNED,), (np.ones(5),))[1]
    assert_allclose(pushed, wanted, rtol=1e-15)
    second = pb.vmap(pb.grad(pb.grad(lambda x: chosen(pb, x))))(SIGNED)
    expected = by_example(pb.grad(pb.grad(lambda x: chosen(unrolled, x))), SIGNED)
    assert_allclose(second, expected, rtol=1e-14)


def test_a_mapped_index():
    branches = [np.sin, lambda x: x * x, lambda x: np.exp(-x)]
    index, x = np.array([0, 2, 1, -4, 9, 2]), np.linspace(0.2, 1.4, 6)

    def f(loops, i, x):
        return loops.switch(i, branches, x)

    got = pb.vmap(lambda i, x: f(pb, i, x))(index, x)
    assert_allclose(got, by_example(lambda i, x: f(unrolled, i, x), index, x), rtol=1e-15)
    got = pb.vmap(lambda i, x: pb.grad(lambda x: f(pb, i, x))(x))(index, x)
    wanted = by_example(lambda i, x: pb.grad(lambda x: f(unrolled, i, x))(x), index, x)
    assert_allclose(got, wanted, rtol=1e-15)
    # The operand alone, and the index alone, are mapped.
    assert_allclose(pb.vmap(lambda x: f(pb, 1, x))(x), x * x)
    assert_allclose(
        pb.vmap(lambda i: f(pb, i, 0.7))(index),
        by_example(lambda i: f(unrolled, i, 0.7), index),
        rtol=1e-15,
    )


def test_branches_of_several_results_with_free_variables():
    def f(loops, x, w):
        u, v = loops.cond(
            np.sum(x) > 0.0,
            lambda: (x * w, np.sum(x) * w),
            lambda: (np.sin(x), 0.0 * w),
        )
        return np.sum(u * u) + v

    x, w = RNG.standard_normal((5, 3)), RNG.standard_normal(5)
    got = pb.vmap(pb.grad(lambda x, w: f(pb, x, w), (0, 1)))(x, w)
    for k in range(2):
        reference = lambda x, w, k=k: pb.pullback(  # noqa: E731
            lambda x, w: f(unrolled, x, w), (x, w), 1.0
        )[1][k]
        assert_allclose(got[k], by_example(reference, x, w), rtol=1e-13)


def test_a_loop_in_a_branch_in_a_loop():
    """A while_loop in one branch of a mapped cond in a scan, with its gradient."""

    def f(loops, x):
        def body(c, t):
            c = loops.cond(
                c > 1.0,
                lambda c: loops.while_loop(lambda c: c > 0.7, lambda c: c * c * 0.4 / t, c),
                lambda c: np.sin(c) + t * x,
                c,
            )
            return c, c * t

        c, ys = loops.scan(body, x, np.array([0.9, 1.3, 1.1, 0.8]))
        return c + np.sum(ys)

    x = np.array([0.2, 1.4, 0.9, -0.5, 1.1])
    assert_allclose(pb.vmap(lambda x: f(pb, x))(x), by_example(lambda x: f(unrolled, x), x))
    got = pb.vmap(pb.grad(lambda x: f(pb, x)))(x)
    assert_allclose(got, by_example(pb.grad(lambda x: f(unrolled, x)), x), rtol=1e-13)
    got = pb.vmap(pb.grad(pb.grad(lambda x: f(pb, x))))(x)
    assert_allclose(got, by_example(pb.grad(pb.grad(lambda x: f(unrolled, x))), x), rtol=1e-12)


def test_per_example_updates_of_a_carry():
    """Each example writes to another element of its carry."""

    def f(loops, start, w):
        def body(k, y):
            j = np.argmin(y)
            y[j] = y[j] * w + 1.0
            y[k] += w
            return y

        return loops.fori_loop(0, 3, body, start + 0.0 * w)

    start, w = RNG.standard_normal((4, 3)), RNG.uniform(0.5, 2.0, 4)
    got = pb.vmap(lambda s, w: f(pb, s, w))(start, w)
    assert_allclose(got, by_example(lambda s, w: f(unrolled, s, w), start, w), rtol=1e-15)

    def loss(loops):
        return lambda s, w: np.sum(f(loops, s, w) ** 2)

    got = pb.vmap(pb.grad(loss(pb), (0, 1)))(start, w)
    for k in range(2):
        wanted = by_example(pb.grad(loss(unrolled), k), start, w)
        assert_allclose(got[k], wanted, rtol=1e-13)
