"""What loops cost, counted: calls of the body, evaluations of it, and what is stored."""

from __future__ import annotations

import sys
import tracemalloc

import numpy as np
import pytest

import pullback as pb
from pullback.rules.control_flow import recomputation

# -- the body is traced once ---------------------------------------------------------------------


def scanned(body, x, n):
    return pb.scan(lambda c, row: (body(c) + row, None), x, np.zeros(n))[0]


def counted_up(body, x, n):
    return pb.fori_loop(0, n, lambda i, c: body(c), x)


def repeated(body, x, n):
    return pb.while_loop(lambda s: s[1] < n, lambda s: (body(s[0]), s[1] + 1), (x, 0))[0]


def branching(body, x, n):
    return pb.fori_loop(0, n, lambda i, c: pb.cond(c > 0.3, body, lambda c: c + 1.0, c), x)


TRANSFORMS = {
    "value": lambda f: f(0.4),
    "gradient": lambda f: pb.grad(f)(0.4),
    "pushforward": lambda f: pb.pushforward(f, (0.4,), (1.0,)),
    "hessian": lambda f: pb.grad(pb.grad(f))(0.4),
    "vmap": lambda f: pb.vmap(f)(np.array([0.4, 0.5, -1.0])),
    "vmap of gradient": lambda f: pb.vmap(pb.grad(f))(np.array([0.4, 0.5, -1.0])),
    "trace": lambda f: pb.trace(f, 0.4),
    "trace of gradient": lambda f: pb.trace(pb.grad(f), 0.4),
}


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
@pytest.mark.parametrize("loop", [scanned, counted_up, repeated, branching])
def test_the_body_is_called_once_whatever_the_length(loop, transform):
    counts = []
    for n in (2, 60):
        calls = 0

        def body(c):
            nonlocal calls
            calls += 1
            return np.sin(c) * 0.9

        transform(lambda x, n=n, body=body: loop(body, x, n))
        counts.append(calls)
    assert counts[0] == counts[1] <= 2


def test_a_recorded_loop_does_not_grow_with_its_length():
    def f(x, n):
        return counted_up(np.sin, x, n)

    for transform in (lambda f: f, pb.grad, lambda f: pb.grad(pb.grad(f))):
        graphs = [pb.trace(transform(lambda x, n=n: f(x, n)), 0.4) for n in (3, 1000)]
        assert len({str(graph).count("\n") for graph in graphs}) == 1


# -- what is evaluated again ---------------------------------------------------------------------


class Evaluations:
    """A primitive, the identity, that counts how often it is evaluated."""

    def __init__(self):
        self.count = 0

        @pb.primitive
        def counted(x):
            self.count += 1
            return x + 0.0

        counted.rule(lambda y, x: 1.0)
        counted.shape(lambda x: x)
        self.primitive = counted


def evaluations(n, checkpoint):
    """Of the body of a loop of n iterations, while its value and gradient are computed."""
    counter = Evaluations()

    def body(c, x):
        return np.sin(counter.primitive(c * x)), None

    xs, c = np.linspace(0.5, 1.5, n), np.array([0.3, 0.4])
    pb.value_and_grad(lambda c: np.sum(pb.scan(body, c, xs, checkpoint=checkpoint)[0]))(c)
    return counter.count


def test_nothing_is_evaluated_again_unless_asked_for():
    assert evaluations(50, None) == 50


@pytest.mark.parametrize("snapshots", [1, 2, 3, 7, 20, 49, 50, 60])
def test_the_binomial_bound(snapshots):
    """n on the way there, what the schedule evaluates again, and each step once to reverse it."""
    n = 50
    assert evaluations(n, snapshots) <= recomputation.evaluations(n, snapshots) + n


@pytest.mark.parametrize("n", [1, 2, 10, 50, 101])
def test_every_square_root(n):
    """Each step is evaluated for the value, at most once on the way back, and to be reversed."""
    assert evaluations(n, "sqrt") <= 3 * n


def test_a_checkpointed_function_is_evaluated_twice():
    counter = Evaluations()

    @pb.checkpoint
    def f(x):
        return np.sin(counter.primitive(np.cos(x)))

    pb.grad(lambda x: np.sum(f(f(x))))(np.array([0.3, 0.4]))
    assert counter.count == 4


# -- what is stored ------------------------------------------------------------------------------


def test_memory_of_inputs_that_are_only_read():
    """Scanned inputs are not copied, and their rows not stored: they are there already."""
    n, width = 400, 1000
    xs = np.full((n, width), 0.01)
    xs.flags.writeable = False

    def f(c, w):
        return pb.scan(lambda c, x: (np.tanh(c * np.sum(x * w)), None), c, xs)[0]

    w = np.full(width, 0.1)
    gradient = pb.grad(f, (0, 1))
    gradient(0.3, w)
    tracemalloc.start()
    gradient(0.3, w)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < xs.nbytes / 4


def test_cheap_values_are_computed_again_rather_than_stored():
    """x is stored, and not 2x + 1, −x, … as well: about one array for each iteration."""
    n, width = 100, 10_000

    def body(i, c):
        u = 2.0 * c + 1.0
        v = -u
        return c + 0.1 * np.sin(v) + np.reshape(np.reshape(v, (100, 100)), width) * 0.0

    gradient = pb.grad(lambda c: np.sum(pb.fori_loop(0, n, body, c)))
    c = np.full(width, 0.4)
    gradient(c)
    tracemalloc.start()
    gradient(c)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.2 * n * c.nbytes


def test_memory_of_forward_mode_does_not_grow_with_the_length():
    peaks = []
    c = np.full(1000, 0.4)
    for n in (100, 1000):

        def f(c, n=n):
            return pb.fori_loop(0, n, lambda i, c: np.sin(c) + 0.1 * c, c)

        pb.pushforward(f, (c,), (c,))
        tracemalloc.start()
        pb.pushforward(f, (c,), (c,))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]


# -- the size of a body --------------------------------------------------------------------------


def calls_of(function):
    """How many Python functions are called."""
    count = 0

    def note(_frame, event, _argument):
        nonlocal count
        count += event == "call"

    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


def long_body(x, size):
    def body(i, c):
        for _ in range(size):
            c = np.sin(c) * x + c
        return c

    return pb.fori_loop(0, 2, body, x)


def wide_body(x, size):
    def body(i, c):
        return [np.sin(each) * x + c[(k + 1) % size] for k, each in enumerate(c)]

    return sum(pb.fori_loop(0, 2, body, [x * k for k in range(size)]))


def deep_body(x, size):
    def nested(depth, c):
        if depth == 0:
            return np.sin(c) * x
        return pb.fori_loop(0, 1, lambda i, c: nested(depth - 1, c), c)

    return nested(size // 16, x)


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("body", [long_body, wide_body, deep_body])
def test_transforms_of_a_body_take_time_in_proportion_to_its_size(body, order):
    """Function calls for a body twice as large, whose derivative is taken up to twice."""
    counts = []
    for size in (48, 96):
        f = lambda x, size=size: body(x, size)  # noqa: E731
        for _ in range(order):
            f = pb.grad(f)
        f(0.5)
        counts.append(calls_of(lambda f=f: f(0.5)))
    assert counts[1] < 2.5 * counts[0]
