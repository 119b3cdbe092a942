"""Random compositions: every mode against the others and against the program itself."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import assume, given, settings
from numpy.testing import assert_allclose

import pullback as pb
from tests.programs.generation import programs

RNG = np.random.default_rng(8)
STEPS = [2.0**-k for k in (9, 10, 11)]


def directions(primals):
    return tuple(np.asarray(RNG.uniform(-1.0, 1.0, np.shape(x))) for x in primals)


def moved(primals, directions, h):
    return tuple(x + h * d for x, d in zip(primals, directions, strict=True))


def inner(xs, ys):
    return sum(np.sum(x * y) for x, y in zip(xs, ys, strict=True))


def differences(f, primals, d):
    """d/dt f(x + td) by extrapolated differences; `None` where the steps disagree: a kink."""
    row = [
        (np.asarray(f(*moved(primals, d, h))) - np.asarray(f(*moved(primals, d, -h)))) / (2 * h)
        for h in STEPS
    ]
    raw = row[-1]
    for power in (4, 16):
        row = [b + (b - a) / (power - 1) for a, b in itertools.pairwise(row)]
    scale = 1 + np.max(np.abs(row[0]), initial=0.0)
    return row[0] if np.all(np.abs(row[0] - raw) <= 1e-3 * scale) else None


def close(got, expected, tolerance):
    scale = 1 + np.max(np.abs(expected), initial=0.0)
    assert_allclose(got, expected, rtol=tolerance, atol=tolerance * scale)


def quietly(gradient):
    """A gradient that may be independent of an argument: random programs throw values away."""
    return lambda *x: pb.pullback(gradient, x, 1.0)[1]


@given(programs())
@settings(max_examples=250)
def test_first_order(program):
    x = tuple(program.arguments)
    d = directions(x)
    value, forward = pb.pushforward(program, x, d)
    again, slopes = pb.pullback(program, x, 1.0)
    _, push = pb.linearize(program, *x)
    assert value == again == program(*x)
    for slope, argument in zip(slopes, x, strict=True):
        assert np.shape(slope) == np.shape(argument)
    close(forward, inner(slopes, d), 1e-11)
    close(push(*d), forward, 1e-12)
    expected = differences(program, x, d)
    assume(expected is not None)
    close(forward, expected, 1e-6)


@given(programs(analytic=True))
@settings(max_examples=150)
def test_against_the_complex_step(program):
    """Im f(x + ihd) / h, with h so small that it is exact."""
    x = tuple(program.arguments)
    d = directions(x)
    _, forward = pb.pushforward(program, x, d)
    h = 1e-60
    stepped = program(*(a + 1j * h * b for a, b in zip(x, d, strict=True)))
    close(forward, np.imag(stepped) / h, 1e-12)


@given(programs())
@settings(max_examples=150)
def test_second_order(program):
    x = tuple(program.arguments)
    u, v = directions(x), directions(x)
    gradient = quietly(program)

    def along(*x):
        return pb.pushforward(program, x, u)[1]

    forward_reverse = pb.pushforward(gradient, x, u)[1]
    reverse_forward = pb.pullback(along, x, 1.0)[1]
    reverse_reverse = pb.pullback(gradient, x, u)[1]
    forward_forward = pb.pushforward(along, x, v)[1]
    for a, b, c in zip(forward_reverse, reverse_forward, reverse_reverse, strict=True):
        close(b, a, 1e-9)
        close(c, a, 1e-9)
    close(forward_forward, inner(forward_reverse, v), 1e-9)
    for k in range(len(x)):
        expected = differences(lambda *x, k=k: gradient(*x)[k], x, u)
        assume(expected is not None)
        close(forward_reverse[k], expected, 1e-5)


@given(programs(analytic=True))
@settings(max_examples=40)
def test_third_order(program):
    x = tuple(program.arguments)
    u = directions(x)

    def once(*x):
        return pb.pushforward(program, x, u)[1]

    def twice(*x):
        return pb.pushforward(once, x, u)[1]

    forward = pb.pushforward(twice, x, u)[1]
    reverse = inner(pb.pullback(twice, x, 1.0)[1], u)
    close(reverse, forward, 1e-8)
    mixed = pb.pushforward(lambda *x: inner(pb.pullback(once, x, 1.0)[1], u), x, u)[1]
    close(mixed, forward, 1e-8)


@given(programs(analytic=True))
@settings(max_examples=40)
def test_the_checker_agrees(program):
    assert pb.check(program, *program.arguments, order=1).passed
