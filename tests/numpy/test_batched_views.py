"""Aliasing under `vmap`: programs of views and writes do to each example what NumPy does to it."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import pullback as pb
from tests.numpy.test_views import STEPS, outcome, programs, run, sample, shapes

SIZE = 3


def samples(shape):
    return np.stack([sample(shape) * (1 + 0.1 * k) for k in range(SIZE)])


def described(program):
    return [(STEPS[kind % len(STEPS)], *rest) for kind, *rest in program]


@settings(max_examples=400)
@given(programs, shapes, st.sampled_from([0, 1, -1]))
def test_every_array_and_refusal_is_that_of_a_loop(program, shape, axis):
    whole = np.ascontiguousarray(np.moveaxis(samples(shape), 0, axis))
    loop = [run(program, x) for x in np.moveaxis(whole, axis, 0)]
    refused = []

    def observed(x):
        arrays, skipped = run(program, x)
        refused.append(skipped)
        return arrays

    ours = pb.vmap(observed, in_axes=axis)(whole)
    assert refused == [loop[0][1]], described(program)
    for position, got in enumerate(ours):
        wanted = np.stack([arrays[position] for arrays, _ in loop])
        np.testing.assert_allclose(got, wanted, rtol=1e-13, err_msg=str(described(program)))


@settings(max_examples=100)
@given(programs, shapes)
def test_gradients(program, shape):
    """Of each example by `vmap` outside, of their sum by `vmap` inside."""
    xs = samples(shape)

    def f(x):
        return outcome(program, x)

    wanted = np.stack([pb.pullback(f, (x,))[1][0] for x in xs])
    each = pb.vmap(lambda x: pb.pullback(f, (x,))[1][0])(xs)
    _, (whole,) = pb.pullback(lambda xs: np.sum(pb.vmap(f)(xs)), (xs,))
    scale = 1 + np.max(np.abs(wanted))
    np.testing.assert_allclose(each, wanted, rtol=1e-12, atol=1e-12 * scale)
    np.testing.assert_allclose(whole, wanted, rtol=1e-12, atol=1e-12 * scale)


def test_views_without_dimensions():
    """An element looked at as an array of no dimensions is a view, a scalar is not."""

    def f(x):
        y = x * 1.0
        element = y[0, ...]
        element[...] = x[1] ** 2
        element += 1.0
        scalar = y[1]
        scalar += 5.0
        whole = np.zeros((), like=x)
        alias = whole
        whole += x[0]
        whole += x[1]
        made = np.array(x[2], like=x)
        same = made
        made *= 2.0
        return y, scalar, alias, same

    x = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    ours = pb.vmap(f)(x)
    traced = [pb.pullback(lambda x: (f(x), np.sum(x))[1], (row,)) for row in x]
    assert traced
    np.testing.assert_array_equal(ours[0], [[5.0, 2.0, 3.0], [26.0, 5.0, 6.0]])
    np.testing.assert_array_equal(ours[1], [7.0, 10.0])
    np.testing.assert_array_equal(ours[2], [3.0, 9.0])
    np.testing.assert_array_equal(ours[3], [6.0, 12.0])


def test_integers_and_booleans_are_written_too():
    def f(x, i):
        ranks = np.zeros(3, int, like=x)
        ranks[np.argsort(x)] = np.arange(3)
        ranks[i] += 10
        mask = np.zeros_like(x, dtype=bool)
        mask[i] = True
        counts = np.zeros_like(i, shape=2)
        counts[x.argmax() % 2] = i
        return ranks, mask, counts, np.asarray([7, 8, 9], like=x)[i], x[np.zeros(2, int, like=x)]

    x, i = np.array([[3.0, 1.0, 2.0], [1.0, 5.0, 0.0]]), np.array([2, 0])
    ranks, mask, counts, picked, first = pb.vmap(f)(x, i)
    np.testing.assert_array_equal(ranks, [[2, 0, 11], [11, 2, 0]])
    np.testing.assert_array_equal(mask, [[False, False, True], [True, False, False]])
    np.testing.assert_array_equal(counts, [[2, 0], [0, 0]])
    np.testing.assert_array_equal(picked, [9, 7])
    np.testing.assert_array_equal(first, [[3.0, 3.0], [1.0, 1.0]])
    gradient = pb.vmap(pb.grad(lambda x, i: np.sum(f(x, i)[4] ** 2)))(x, i)
    np.testing.assert_array_equal(gradient, [[12.0, 0.0, 0.0], [4.0, 0.0, 0.0]])
