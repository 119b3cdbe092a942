"""Slices of a known length between traced bounds, against the loops that Python unrolls."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb

X = np.linspace(-1.0, 2.0, 8)
M = np.sin(np.arange(48.0)).reshape(6, 8)

READS = {
    "x[i:i+3]": lambda x, i: x[i : i + 3],
    "x[2*i:2*i+2]": lambda x, i: x[2 * i : 2 * i + 2],
    "x[i+1:i+4:2]": lambda x, i: x[i + 1 : i + 4 : 2],
    "x[4-i:6-i]": lambda x, i: x[4 - i : 6 - i],
    "x[i:i]": lambda x, i: x[i:i],
    "x[3*i-2*i:i+2]": lambda x, i: x[3 * i - 2 * i : i + 2],
    "m[i:i+2]": lambda x, i: np.outer(x, x)[i : i + 2],
    "m[:, i:i+2]": lambda x, i: np.outer(x, x)[:, i : i + 2],
    "m[i:i+2, i:i+3]": lambda x, i: np.outer(x, x)[i : i + 2, i : i + 3],
    "m[..., i:i+2, None]": lambda x, i: np.outer(x, x)[..., i : i + 2, None],
    "m[i:i+2, ::3]": lambda x, i: np.outer(x, x)[i : i + 2, ::3],
    "m[i, i:i+2]": lambda x, i: np.outer(x, x)[i, i : i + 2],
    "m[[0, 2], i:i+2]": lambda x, i: np.outer(x, x)[[0, 2], i : i + 2],
    "m[i:i+2].T": lambda x, i: np.outer(x, x)[i : i + 2].T,
}


def summed(read, fori_loop):
    """A function of x that reads at each i, and weighs what it reads."""

    def body(x):
        def step(i, total):
            part = read(x, i)
            return total + np.sum(np.cos(np.arange(part.size)).reshape(part.shape) * part**2)

        return step

    return lambda x: fori_loop(0, 3, body(x), 0.0)


def unrolled(lower, upper, body, carry):
    for i in range(lower, upper):
        carry = body(i, carry)
    return carry


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_reading(read):
    got, expected = summed(read, pb.fori_loop), summed(read, unrolled)
    np.testing.assert_allclose(got(X), expected(X), rtol=1e-14)
    gradient = pb.grad(expected)(X)
    np.testing.assert_allclose(pb.grad(got)(X), gradient, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(pb.pushforward(got, (X,), (X,))[1], gradient @ X, rtol=1e-13)
    recorded = pb.simplify(pb.trace(pb.grad(got), X))
    np.testing.assert_allclose(recorded(X), gradient, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(pb.hessian(got)(X), pb.hessian(expected)(X), rtol=1e-12, atol=1e-13)
    batch = np.stack([X, 2 * X])
    np.testing.assert_allclose(pb.vmap(pb.grad(got))(batch), [gradient, pb.grad(expected)(2 * X)])


WRITES = {
    "=": lambda y, v, i: y.__setitem__(slice(i, i + 2), v[:2]),
    "+=": lambda y, v, i: y.__setitem__(slice(i, i + 2), y[i : i + 2] + v[1:3]),
    "view": lambda y, v, i: y[i : i + 3].__imul__(v[0]),
    "scalar": lambda y, v, i: y[2 * i : 2 * i + 2].fill(v[0]),
    "through two": lambda y, v, i: y.reshape(2, 4)[:, i : i + 2].__iadd__(v[:2]),
    "twice": lambda y, v, i: y[i : i + 3][1:].__isub__(v[3:5]),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_writing(write):
    def written(loop):
        def step(v):
            def body(i, y):
                y = y.copy()
                write(y, v * (i + 1.0), i)
                return y

            return body

        return lambda v: np.sum(np.arange(1.0, 9.0) * loop(0, 3, step(v), np.ones(8)) ** 2)

    got, expected = written(pb.fori_loop), written(unrolled)
    gradient = pb.grad(expected)(X)
    np.testing.assert_allclose(got(X), expected(X), rtol=1e-14)
    np.testing.assert_allclose(pb.grad(got)(X), gradient, rtol=1e-13)
    np.testing.assert_allclose(pb.pushforward(got, (X,), (X,))[1], gradient @ X, rtol=1e-13)
    np.testing.assert_allclose(pb.trace(pb.grad(got), X)(X), gradient, rtol=1e-13)


def test_mapped_bounds():
    starts = np.array([0, 3, 5])
    rows = np.stack([X, 2 * X, X**2])
    got = pb.vmap(lambda x, i: x[i : i + 3])(rows, starts)
    expected = [x[i : i + 3] for x, i in zip(rows, starts, strict=True)]
    np.testing.assert_array_equal(got, expected)
    got = pb.vmap(lambda i: np.array(X)[i : i + 2])(starts)
    np.testing.assert_array_equal(got, [X[i : i + 2] for i in starts])
    gradients = pb.vmap(pb.grad(lambda x, i: np.sum(x[i : i + 3] ** 2)))(rows, starts)
    expected = np.zeros_like(rows)
    for k, i in enumerate(starts):
        expected[k, i : i + 3] = 2 * rows[k, i : i + 3]
    np.testing.assert_allclose(gradients, expected)


def test_a_length_that_depends_on_the_bounds_is_an_error():
    for read in (lambda x, i: x[i:], lambda x, i: x[:i], lambda x, i: x[i : 2 * i]):
        with pytest.raises(pb.DataDependenceError, match=r"np\.arange\(n\)|Python int"):
            summed(read, pb.fori_loop)(X)


def test_windows_that_reach_beyond_the_array_are_errors():
    for read in (
        lambda x, i: x[i : i + 2],
        lambda x, i: np.stack([x, x])[:, i : i + 3 : 2],
        lambda x, i: np.array(x)[..., i - 1 : i + 3],
        lambda x, i: np.zeros(x.shape).__setitem__(slice(i, i + 2), 1.0) or x,
    ):
        with pytest.raises(IndexError, match=r"slice of length 2|4 .* of 8 elements.*pad"):
            pb.fori_loop(1, 8, lambda i, s, read=read: s + np.sum(read(np.array(X), i)), 0.0)
        with pytest.raises(IndexError, match="of 8 elements"):
            pb.vmap(lambda i, read=read: np.sum(read(np.array(X), i)))(np.arange(1, 8))
    assert pb.vmap(lambda i: np.array(X)[i:i])(np.array([-2, 20])).shape == (2, 0)
    with pytest.raises(IndexError, match="too many"):
        pb.vmap(lambda i: np.array(X)[0, i : i + 2])(np.arange(2))
    with pytest.raises(IndexError, match=r"length 2 and step 1 starts at -1.*add the extent"):
        pb.fori_loop(0, 8, lambda i, s: s + np.sum(X[i - 1 : i + 1]), 0.0)
