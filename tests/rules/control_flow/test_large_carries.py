"""Loops that read and write slices of a large array: an iteration costs what it touches."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import pullback as pb

SIZE, STEPS = 40_000, 40
NBYTES = SIZE * 8


# Each loop takes a function `note` that is to be called once in an iteration, a scalar x, an array
# y of SIZE elements, and the number of iterations; its result is summed.


def element(note, x, y, n):
    """One element is read and another one written."""

    def body(i, y):
        y[i] = np.sin(note(y[i - 1])) * x
        return y

    return pb.fori_loop(1, n, body, y)


def element_in_a_while_loop(note, x, y, n):
    def body(state):
        y, i = state
        y[i] = np.sin(note(y[i - 1])) * x
        return y, i + 1

    return pb.while_loop(lambda state: state[1] < n, body, (y, 1))[0]


def element_and_result(note, x, y, n):
    """By an index that is scanned; what was written is a result of the iteration too."""

    def body(y, k):
        y[k] = np.sin(note(y[k - 1])) * x
        return y, y[k] * 2

    y, ys = pb.scan(body, y, np.arange(1, n))
    return np.sum(y) + np.sum(ys)


def element_by_a_carried_index(note, x, y, n):
    def body(carry, _):
        y, k = carry
        y[k] += note(y[(k * 7 + 1) % 50]) * x
        return (y, (k * 3 + 1) % 50), None

    return pb.scan(body, (y, 1), length=n)[0][0]


def element_many_times(note, x, y, n):
    def body(i, y):
        old = y[i]
        y[i] = old * x
        y[i] = y[i] * note(y[i - 1])
        y[0] += y[i]
        return y

    return pb.fori_loop(1, n, body, y)


def choices(note, x, y, n):
    """What is read is left out or not, between writes; what was written is read once more."""

    def body(y, k):
        y[k] = np.maximum(note(y[k - 1]) * x, 0.1)
        y[k + 1] += np.where(y[k] > 0.2, y[k - 1] * y[k], 0.0)
        y[k] *= np.abs(y[k + 1])
        return y, y[k] * y[k + 1]

    y, ys = pb.scan(body, y, np.arange(1, n))
    return np.sum(y) + np.sum(ys)


def row(note, x, y, n):
    """A row is read, as a view, and written; so is the one before."""

    def body(i, Y):
        Y[i] = np.tanh(note(Y[i - 1]) * x + Y[i])
        return Y

    return pb.fori_loop(1, n, body, np.reshape(y, (-1, 10)))


def parts_of_rows(note, x, y, n):
    def body(i, Y):
        Y[i, 1:-1] = note(Y[i - 1, :-2] + Y[i - 1, 2:]) * x
        Y[i] *= 0.5
        return Y

    return pb.fori_loop(1, n, body, np.reshape(y, (-1, 10)))


def stencil(note, x, y, n):
    """In a loop in a loop."""

    def body(i, Y):
        def inner(j, Y):
            around = Y[i - 1, j] + Y[i, j - 1] + Y[i + 1, j] + Y[i, j + 1]
            Y[i, j] = 0.25 * note(around) * x
            return Y

        return pb.fori_loop(1, 4, inner, Y)

    return pb.fori_loop(1, n // 3, body, np.reshape(y, (200, -1)))


def branch(note, x, y, n):
    """The element is written in a branch."""

    def body(i, y):
        def write(y):
            y[i] = np.sin(y[i - 1]) * x
            return y

        return pb.cond(note(y[i]) * x > 0.2, write, lambda y: y, y)

    return pb.fori_loop(1, n, body, y)


def branches(note, x, y, n):
    def body(state):
        y, i = state

        def write(y):
            y[i] = np.sin(y[i - 1]) * x
            return y

        def add(y):
            y[i - 1] += x * y[i]
            return y

        place = np.where(note(y[i]) > 0.1, i % 3, 0)
        return pb.switch(place, [write, add, lambda y: y], y), i + 1

    return pb.while_loop(lambda state: state[1] < n, body, (y, 1))[0]


def exchange(note, x, y, n):
    """Two arrays take turns."""

    def body(i, carry):
        a, b = carry
        a[i] = note(b[i - 1]) * x
        return b, a

    return pb.fori_loop(1, n, body, (y, y * 2.0))[0]


def unchanged(note, x, y, n):
    """The array is carried along, and only read."""

    def body(i, carry):
        y, t = carry
        return y, np.sin(note(t) * y[i]) * x

    return pb.fori_loop(1, n, body, (y, x * 0.1))[1]


def free(note, x, y, n):
    """The array is a free variable, of a loop in a loop, of which an element is read."""

    def body(i, t):
        y_from_outside = np.asarray(y, like=i)
        return pb.fori_loop(0, 3, lambda j, t: np.sin(note(t) + y_from_outside[i + j]) * x, t)

    return pb.fori_loop(0, n // 3, body, x * 0.1)


def integers(note, x, y, n):
    """A large array of integers is written to on the way."""

    def body(i, carry):
        k, t = carry
        k[i] = k[i - 1] * 3 % 7
        return k, t * x + note(t) * k[i]

    return pb.fori_loop(1, n, body, (np.ones(y.size, int), x * 0.1))[1] + 0.0 * y[0]


def scanned(note, x, y, n):
    """The rows of an array are scanned."""
    rows = np.reshape(y, (-1, 10))[:n]
    return pb.scan(lambda c, r: (np.tanh(note(c) * r + x), c[0]), np.zeros(10), rows)[1]


LOOPS = [
    element, element_in_a_while_loop, element_and_result, element_by_a_carried_index,
    element_many_times, choices, row, parts_of_rows, stencil, branch, branches, exchange, unchanged,
    free, integers, scanned,
]  # fmt: skip

MODES = {
    "value": lambda f: f,
    "gradient": lambda f: pb.grad(f, (0, 1)),
    "pushforward": lambda f: lambda x, y: pb.pushforward(f, (x, y), (1.0, y)),
    "checkpointed": lambda f: pb.grad(lambda x, y: pb.checkpoint(f)(x, y), (0, 1)),
    "recorded": lambda f: lambda x, y: pb.trace(pb.grad(f, (0, 1)), x, y)(x, y),
    "simplified": lambda f: lambda x, y: pb.simplify(pb.trace(pb.grad(f, (0, 1)), x, y))(x, y),
    "second order": lambda f: lambda x, y: pb.pushforward(pb.grad(f, (0, 1)), (x, y), (1.0, y)),
}


def large():
    y = np.full(SIZE, 0.5)
    y.flags.writeable = False  # it is held by reference then
    return y


class Allocations:
    """A primitive, the identity, that notes how much has been allocated for a while since last.

    It is its own pushforward and pullback, so it is there in the reverse sweep too.
    """

    def __init__(self):
        self.passing = []

        @pb.primitive
        def noted(x):
            current, peak = tracemalloc.get_traced_memory()
            self.passing.append(peak - current)
            tracemalloc.reset_peak()
            return x + 0.0

        noted.rule(lambda y, _x: pb.Linear(pushforward=noted, pullback=noted))
        noted.shape(lambda x: x)
        self.primitive = noted


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
@pytest.mark.parametrize("loop", LOOPS)
def test_no_iteration_makes_an_array_of_the_size_of_the_carry(loop, mode):
    """Neither forward nor back: at its peak it has not allocated a quarter of that."""
    note, y = Allocations(), large()
    f = mode(lambda x, y: np.sum(loop(note.primitive, x, y, STEPS)))
    tracemalloc.start()
    try:
        f(0.7, y)
    finally:
        tracemalloc.stop()
    assert len(note.passing) >= STEPS // 2
    # What sets a sweep up or ends it may take such arrays, a few times in all.
    assert sum(passing > NBYTES // 4 for passing in note.passing) <= 10


@pytest.mark.parametrize("mode", [MODES["gradient"], MODES["second order"]], ids=["1", "2"])
@pytest.mark.parametrize("loop", LOOPS)
def test_slices_are_stored_rather_than_carries(loop, mode):
    """The memory of a reverse sweep: a few arrays of the carry's size, however many iterations."""
    y = large()
    f = mode(lambda x, y: np.sum(loop(lambda v: v, x, y, STEPS)))
    f(0.7, y)
    tracemalloc.start()
    f(0.7, y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 12 * NBYTES


def test_the_gradients_agree_with_each_other():
    """By element or by row, in a scan or a while_loop: the functions are the same, in pairs."""
    y = np.linspace(0.1, 1.0, 60)
    for one, other in [(element, element_in_a_while_loop), (unchanged, _unchanged_free)]:
        first, second = (
            pb.grad(lambda x, y, loop=loop: np.sum(loop(lambda v: v, x, y, 20)), (0, 1))(0.7, y)
            for loop in (one, other)
        )
        np.testing.assert_allclose(first[0], second[0], rtol=1e-14)
        np.testing.assert_allclose(first[1], second[1], rtol=1e-14)


def _unchanged_free(note, x, y, n):
    return pb.fori_loop(1, n, lambda i, t: np.sin(note(t) * y[i]) * x, x * 0.1)
