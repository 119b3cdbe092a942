"""Names that a choice leaves bound to an array that others stand for, too: right, or refused."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb

X = np.array([0.5, -1.0, 2.0])


def write_through_a_view(x):
    a = np.zeros(3)
    v = a[1:]
    if x[0] > 0:
        a = a + x
    v[0] = x[1]
    return np.sum(a)


def write_to_the_name(x):
    a = np.zeros(3)
    b = [a]
    if x[0] > 0:
        a = a + x
    a[1] = x[1]
    return np.sum(b[0])


def write_in_a_loop(x):
    a = np.zeros(3)
    v = a[1:]
    for i in range(3):
        v[1] = x[i]
        if x[i] > 0.2:
            a = 0.5 * a + 0.1 * x
    return np.sum(a)


def argument_of_a_function(x):
    def scaled(a):
        if x[0] > 0:
            a = 2 * a
        a[0] = 1.0
        return a

    b = x + 1
    return np.sum(scaled(b) * b)


def no_write(x):
    y = x
    if x[0] > 0:
        y = y * 2
    z = y + x
    if x[1] > 0:
        z[0] = 3.0
    return np.sum(z * y)


def nobody_else(x):
    a = np.zeros(3)
    if x[0] > 0:
        a = a + x
    a[1] = x[2]
    for i in range(12):
        if x[i % 3] > 0:
            a = a * 2
        a[i % 3] = x[1]
    return np.sum(a * x)


def copied(x):
    a = np.zeros(3)
    v = a[1:]
    a = a.copy()
    if x[0] > 0:
        a = a + x
    v[0] = x[1]
    return np.sum(a * x) + np.sum(v)


@pytest.mark.parametrize(
    "f", [write_through_a_view, write_to_the_name, write_in_a_loop, argument_of_a_function]
)
@pytest.mark.parametrize("kept", [pb.compile, lambda f: pb.trace(f, X, lift=True)])
def test_what_a_write_would_reach_is_not_guessed(f, kept):
    with pytest.raises(pb.PullbackError, match="a is bound anew in one branch of a condition"):
        kept(f)(X)


@pytest.mark.parametrize("f", [no_write, nobody_else, copied])
def test_what_no_write_can_tell_is_kept(f):
    graph, compiled = pb.trace(f, X, lift=True), pb.compile(pb.value_and_grad(f))
    for x in (X, -X, X[::-1].copy()):
        np.testing.assert_allclose(graph(x), f(x), rtol=1e-14)
        value, slope = pb.value_and_grad(f)(x)
        np.testing.assert_allclose(compiled(x)[0], value, rtol=1e-14)
        np.testing.assert_allclose(compiled(x)[1], slope, rtol=1e-14, atol=1e-15)
