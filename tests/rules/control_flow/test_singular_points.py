"""Derivatives at singular points are the same in recorded bodies as they are without them.

The program without a body is the oracle: at each point, in every nesting of forward and reverse
mode up to second order. What isn't finite there is NaN or infinite in a body too.
"""

from __future__ import annotations

import functools
import itertools
from collections import Counter

import numpy as np
import pytest
import scipy.special as sc

import pullback as pb

# -- programs -------------------------------------------------------------------------------------


def pair(x):
    return np.stack([x, 2 * x])


def written(x):
    v = np.zeros(3) + x
    v[1] = 2 * x
    v[0] += x
    return np.linalg.norm(v)


PROGRAMS = {
    "a norm": lambda x: np.linalg.norm(pair(x)),
    "its square": lambda x: np.linalg.norm(pair(x)) ** 2,
    "of order 3": lambda x: np.linalg.norm(pair(x), 3),
    "of a part": lambda x: np.linalg.norm(pair(x)[1:]) + x,
    "of many": lambda x: np.linalg.norm(np.stack([x] * 70)[np.arange(70)]),
    "of what is written": written,
    "a deviation": lambda x: np.std(np.stack([x, x])),
    "a root of a maximum": lambda x: np.sqrt(np.max(pair(x**2))),
    "a power": lambda x: np.abs(x) ** 1.5,
    "x log x": lambda x: sc.xlogy(x, x),
    "a choice": lambda x: np.where(x > 0, x * np.log(x), 0.0),
    "what is not read": lambda x: np.stack([x, np.sqrt(x)])[0] ** 2,
    "an overflow that is not read": lambda x: np.sum(
        (np.exp(1e6 * np.stack([x] * 3 + [x + 1] * 80)) * x)[:3]
    ),
    "smooth": lambda x: np.sin(pair(x)) @ np.exp(pair(x)),
}


def in_a_while_loop(f):
    def body(c):
        return c[0], c[1] + 1, f(c[0])

    return lambda x: pb.while_loop(lambda c: c[1] < 2, body, (x, 0, np.float64(0.0)))[2]


BODIES = {
    "checkpoint": pb.checkpoint,
    "cond": lambda f: lambda x: pb.cond(x > -5, f, lambda x: 7.0 * x, x),
    "fori_loop": lambda f: (
        lambda x: pb.fori_loop(0, 3, lambda i, c: (c[0], f(c[0])), (x, np.float64(0.0)))[1]
    ),
    "scan": lambda f: lambda x: pb.scan(lambda c, x: (c, f(x)), 0.0, np.stack([x]))[1][0],
    "a closure": lambda f: lambda x: pb.scan(lambda c, _: (c + f(x), None), 0.0, None, length=1)[0],
    "while_loop": in_a_while_loop,
    "nested": lambda f: pb.checkpoint(lambda x: pb.cond(x > -5, f, lambda x: 7.0 * x, x)),
}

# -- modes ----------------------------------------------------------------------------------------


def forward(f):
    return lambda x: pb.pushforward(f, (x,), (np.float64(1.0),))[1]


def nested(modes):
    """The derivative, each of the modes being applied to what those before it give."""
    return lambda f: functools.reduce(lambda g, mode: mode(g), modes, f)


ORDERS = [nested(row) for n in (1, 2) for row in itertools.product((forward, pb.grad), repeat=n)]


def same(got, wanted):
    """Whether both are the same, or neither is finite."""
    if np.isfinite(wanted):
        return abs(got - wanted) <= 1e-9 * (1 + abs(wanted))
    return not np.isfinite(got)


@pytest.fixture(autouse=True)
def _the_programs_divide_by_zero_themselves():
    with np.errstate(all="ignore"):
        yield


@pytest.mark.parametrize("body", BODIES)
def test_a_body_changes_no_derivative(body):
    differing = []
    for (name, f), derivative in itertools.product(PROGRAMS.items(), ORDERS):
        got, wanted = (float(derivative(g)(0.0)) for g in (BODIES[body](f), f))
        if not same(got, wanted):
            differing.append((name, got, wanted))
    for (name, f), derivative in itertools.product(PROGRAMS.items(), ORDERS[-1:]):
        got, wanted = (float(derivative(g)(0.7)) for g in (BODIES[body](f), f))
        if not same(got, wanted):
            differing.append((name, got, wanted))
    assert not differing


@pytest.mark.parametrize("inner", [lambda f: f, pb.checkpoint])
def test_a_recorded_derivative_is_the_same(inner):
    for f, derivative in itertools.product(PROGRAMS.values(), ORDERS[-2:]):
        recorded = pb.simplify(pb.trace(derivative(inner(f)), 0.0))
        assert same(float(recorded(0.0)), float(derivative(f)(0.0)))


# -- zeros that cross the border of a body --------------------------------------------------------

PIECES = {
    "root": np.sqrt,
    "square": lambda y: y**2,
    "norm": lambda y: np.linalg.norm(pair(y)),
    "power": lambda y: np.abs(y) ** 1.5,
    "guarded": lambda y: np.where(y > 0, np.sqrt(y), 0.0),
    "two sides": lambda y: np.where(y > 0, y**2, 3 * y),
    "read": lambda y: pair(y)[0],
    "nothing": lambda y: 0.0 * y,
}


@pytest.mark.parametrize("body", ["checkpoint", "cond", "scan", "fori_loop"])
def test_a_chain_in_a_body(body):
    """Random compositions, in one body."""
    rng = np.random.default_rng(8)
    names = list(PIECES)
    for chain in rng.choice(names, (8, 3)):

        def f(x, chain=chain):
            return functools.reduce(lambda y, name: PIECES[name](y), chain, x)

        for derivative in ORDERS:
            got, wanted = (float(derivative(g)(0.0)) for g in (BODIES[body](f), f))
            assert same(got, wanted), (chain, got, wanted)


@pytest.mark.parametrize("body", ["checkpoint", "cond"])
def test_a_chain_through_a_body(body):
    """A zero that vanishes by a derivative is no strong one, on whichever side of the border."""
    for outer, inner in itertools.product(("root", "square", "norm", "power"), PIECES):
        f = lambda x, g=PIECES[outer], h=PIECES[inner]: g(h(x))  # noqa: E731
        wrapped = BODIES[body](PIECES[inner]), BODIES[body](PIECES[outer])
        within = lambda x, g=PIECES[outer], h=wrapped[0]: g(h(x))  # noqa: E731
        around = lambda x, g=wrapped[1], h=PIECES[inner]: g(h(x))  # noqa: E731
        for derivative, g in itertools.product(ORDERS, (within, around)):
            got, wanted = float(derivative(g)(0.0)), float(derivative(f)(0.0))
            assert same(got, wanted), (outer, inner, got, wanted)


@pytest.mark.parametrize("body", BODIES)
def test_a_branch_that_is_not_taken(body):
    """It does not reach a derivative, whether the choice is outside of the body or in it."""
    into = BODIES[body]

    def closing(x):
        y = np.sqrt(x)
        return into(lambda z: np.where(z > 0, y, 0.0))(x)

    programs = [
        lambda x: np.where(x > 0, into(np.sqrt)(x), 0.0),
        lambda x: np.where(x > 0, into(lambda x: x * np.log(x))(x), 0.0),
        lambda x: into(lambda y: np.where(y > 0, np.sqrt(y), 0.0))(x),
        lambda x: into(lambda y: np.stack([y, np.sqrt(y)])[0])(x) - x,
        closing,
    ]
    for f, derivative in itertools.product(programs, ORDERS):
        assert derivative(f)(0.0) == 0


# -- what it costs --------------------------------------------------------------------------------


def primitives(graph):
    """How often each primitive is in a graph."""
    count = Counter(equation.primitive.name for equation in graph.equations)
    for equation in graph.equations:
        for body in equation.graphs.values():
            count += primitives(body)
    return count


@pytest.mark.parametrize("every_state", [False, True])
def test_no_product_minds_zeros_where_every_element_is_read(every_state):
    def f(rates):
        a, b, c, d = rates

        def step(y, _):
            change = np.stack([a * y[0] - b * y[0] * y[1], -c * y[1] + d * y[0] * y[1]])
            y = y + 0.01 * change
            return y, (y if every_state else None)

        last, states = pb.scan(step, np.array([1.0, 0.5]), None, length=10)
        return np.sum(states**2) if every_state else np.sum(last**2)

    count = primitives(pb.trace(pb.grad(f), (1.0, 0.9, 0.8, 0.7)))
    assert not count["masked_multiply"] and not count["strong_multiply"]
    assert count["multiply"] > 10


def test_a_product_minds_the_zeros_of_what_is_not_read():
    """Of an index that is known they are a constant of the graph, however long the array is."""
    x = np.linspace(-1, 1, 200)
    graph = pb.trace(pb.grad(lambda x: np.sum((np.exp(1e4 * x) * x)[:150])), x)
    assert primitives(graph)["masked_multiply"] and not primitives(graph)["not_equal"]
    np.testing.assert_array_equal(graph(x)[150:], 0)


def test_both_sides_of_a_choice_are_everything():
    """The products of the sides themselves mind zeros; that behind the sum of both does not."""

    def f(x):
        y = np.exp(x)
        return np.sum(np.where(x > 0, 2 * y, 3 * y))

    count = primitives(pb.trace(pb.grad(f), np.zeros(3)))
    assert (count["masked_multiply"], count["multiply"]) == (2, 3)
