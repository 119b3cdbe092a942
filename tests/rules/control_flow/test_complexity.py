"""What loops cost, counted: calls of the body, evaluations, and bytes that an iteration takes."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import pullback as pb
from pullback.rules.control_flow import schedule

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
    assert evaluations(n, snapshots) <= schedule.evaluations(n, snapshots) + n


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


# -- what an iteration touches -------------------------------------------------------------------


class Allocations:
    """A primitive, the identity, that notes how much has been allocated for a while since last.

    It is its own pushforward and pullback, so it is there in the reverse sweep too.
    """

    def __init__(self):
        self.peaks = []

        @pb.primitive
        def noted(x):
            current, peak = tracemalloc.get_traced_memory()
            self.peaks.append((current, peak))
            tracemalloc.reset_peak()
            return x + 0.0

        noted.rule(lambda y, _x: pb.Linear(pushforward=noted, pullback=noted))
        noted.shape(lambda x: x)
        self.primitive = noted

    def of_iterations(self, f, *args):
        """For each iteration, in either direction, the bytes at its peak beyond those at its end.

        The first and last iterations of a sweep, which may see its setting up, are left out.
        """
        tracemalloc.start()
        try:
            f(*args)
        finally:
            tracemalloc.stop()
        return [peak - current for current, peak in self.peaks]


def one_element(note, x, y, n):
    """Each iteration reads one element of a large carry and writes another."""

    def body(i, y):
        y[i] = np.sin(note(y[i - 1])) * x
        return y

    return pb.fori_loop(1, n, body, y)


def one_row(note, x, y, n):
    Y = np.reshape(y, (-1, 10))

    def body(i, Y):
        Y[i] = np.tanh(note(Y[i - 1]) * x + Y[i])
        return Y

    return pb.fori_loop(1, n, body, Y)


def accumulated(note, x, y, n):
    """An element is added to, by an index that is carried along."""

    def body(carry, _):
        y, k = carry
        y[k] += note(y[(k * 7 + 1) % 50]) * x
        return (y, (k * 3 + 1) % 50), None

    return pb.scan(body, (y, 1), length=n)[0][0]


def read_only(note, x, y, n):
    """The large array is a free variable of which an element is read."""
    return pb.fori_loop(0, n, lambda i, c: np.sin(note(c) + y[i] * x), 0.0 * x)


def inner(note, x, y, n):
    """The element is written in a loop inside the loop."""

    def body(i, y):
        def step(j, y):
            y[i + j] = y[i + j - 1] * np.cos(note(y[i])) * x
            return y

        return pb.fori_loop(1, 3, step, y)

    return pb.fori_loop(1, n // 2, body, y)


@pytest.mark.parametrize("checkpoint", [False, True])
@pytest.mark.parametrize("loop", [one_element, one_row, accumulated, read_only, inner])
def test_an_iteration_costs_what_it_touches(loop, checkpoint):
    """No iteration makes an array of the size of the carry, forward or back."""
    size, n = 40_000, 40
    note = Allocations()

    def f(x, y):
        def g(x, y):
            return np.sum(loop(note.primitive, x, y, n))

        return (pb.checkpoint(g) if checkpoint else g)(x, y)

    y = np.full(size, 0.5)
    y.flags.writeable = False
    peaks = note.of_iterations(pb.grad(f, (0, 1)), 0.7, y)
    assert len(peaks) >= 2 * (n - 2)
    nbytes = size * 8
    # What sets a sweep up or ends it may take arrays of this size, a few times in all.
    assert sum(peak > nbytes // 4 for peak in peaks) <= 6


@pytest.mark.parametrize("loop", [one_element, one_row, accumulated, read_only, inner])
def test_slices_are_stored_rather_than_carries(loop):
    """The memory of a reverse sweep: a few arrays of the carry's size, however many iterations."""
    size, nbytes = 40_000, 40_000 * 8
    y = np.full(size, 0.5)
    y.flags.writeable = False
    gradient = pb.grad(lambda x, y: np.sum(loop(lambda v: v, x, y, 40)), (0, 1))
    gradient(0.7, y)
    tracemalloc.start()
    gradient(0.7, y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * nbytes


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
