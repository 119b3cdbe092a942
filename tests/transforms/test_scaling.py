"""Long programs: linear work, no recursion, and memory that is given back."""

from __future__ import annotations

import gc
import threading
import tracemalloc
import weakref

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import pullback as pb

LONG = 50_000


class Counted:
    """A primitive x ↦ a·x that counts how often its rule and its maps are evaluated."""

    def __init__(self, factor):
        self.rules = self.pushes = self.pulls = 0

        @pb.primitive
        def scale(x):
            return factor * x

        @scale.rule
        def scale_rule(_y, _x):
            self.rules += 1
            return pb.Linear(self.push, self.pull)

        self.factor = factor
        self.call = scale

    def push(self, x_dot):
        self.pushes += 1
        return self.factor * x_dot

    def pull(self, y_bar):
        self.pulls += 1
        return self.factor * y_bar

    def chain(self, length):
        def f(x):
            for _ in range(length):
                x = self.call(x)
            return x

        return f


def test_a_reverse_sweep_through_a_long_chain_is_linear():
    counted = Counted(1.0)
    assert pb.grad(counted.chain(LONG))(2.0) == 1.0
    assert (counted.rules, counted.pulls, counted.pushes) == (LONG, LONG, 0)


def test_a_forward_sweep_through_a_long_chain_is_linear():
    counted = Counted(1.0)
    length = LONG // 5
    assert pb.pushforward(counted.chain(length), (2.0,), (1.0,))[1] == 1.0
    assert (counted.rules, counted.pulls, counted.pushes) == (length, 0, length)


def test_a_recorded_rule_is_evaluated_once_for_many_applications():
    counted = Counted(2.0)
    _, pull = pb.vjp(counted.chain(10), 1.0)
    for _ in range(5):
        assert pull(1.0)[0] == 1024.0
    assert (counted.rules, counted.pulls) == (10, 50)
    _, push = pb.linearize(counted.chain(10), 1.0)
    for _ in range(5):
        assert push(1.0) == 1024.0
    assert (counted.rules, counted.pushes) == (20, 50)


def test_reuse_costs_linear_work_where_paths_multiply():
    """xₖ₊₁ = xₖ + xₖ has 2ⁿ paths; the sweep visits each operation once."""
    counted = Counted(1.0)

    def doubling(x):
        for _ in range(60):
            x = counted.call(x)
            x = x + x
        return x

    assert pb.grad(doubling)(1.0) == 2.0**60
    assert counted.pulls == 60


def test_a_long_chain_of_numpy_operations():
    def f(x):
        y = x
        for _ in range(LONG // 4):
            y = np.sin(y) + x
        return y

    value, slope = pb.value_and_grad(f)(0.1)
    forward = pb.pushforward(f, (0.1,), (1.0,))
    assert value == forward[0]
    assert slope == pytest.approx(forward[1], rel=1e-9)


def test_a_recorded_operation_on_scalars_takes_little_memory():
    """At most what it takes in HIPS autograd, which is 645 bytes and more."""
    operations = {
        "sin": np.sin,
        "x * x": lambda x: x * x,
        "x * number": lambda x: x * 1.01,
        "x + number": lambda x: x + 0.01,
    }
    for name, operation in operations.items():

        def chain(x, operation=operation):
            for _ in range(2000):
                x = operation(x)
            return x

        tracemalloc.start()
        try:
            pb.grad(chain)(0.5)
            assert tracemalloc.get_traced_memory()[1] < 2000 * 600, name
        finally:
            tracemalloc.stop()


def test_maps_of_long_chains_can_be_dropped():
    """Neither a tape that was never swept nor one that is kept overflows the stack when it goes."""
    _, pull = pb.vjp(Counted(1.0).chain(LONG), 1.0)
    del pull
    gc.collect()
    _, push = pb.linearize(Counted(1.0).chain(LONG), 1.0)
    assert push(1.0) == 1.0
    del push
    gc.collect()


def test_a_function_that_fails_late_can_be_dropped():
    def fails(x):
        x = Counted(1.0).chain(LONG)(x)
        raise KeyError("late")

    for transform in (pb.grad(fails), lambda x: pb.vjp(fails, x)):
        with pytest.raises(KeyError):
            transform(1.0)
    gc.collect()


def test_nothing_is_recorded_for_values_that_are_thrown_away():
    counted = Counted(1.0)

    def f(x):
        for _ in range(100):
            counted.call(x)
        return counted.call(x)

    assert pb.grad(f)(1.0) == 1.0
    assert counted.rules == 1


def test_arrays_that_a_program_throws_away_are_freed_while_it_runs():
    alive = []

    def f(x):
        for _ in range(5):
            y = np.exp(x)
            alive.append(weakref.ref(y._value))
            del y
        assert [ref() for ref in alive[:-1]] == [None] * 4
        return np.sum(x)

    pb.grad(f)(np.ones(10))


def peak(f, x):
    """Peak memory of ``f(x)``, in arrays of the size of `x`."""
    tracemalloc.start()
    try:
        f(x)
        return tracemalloc.get_traced_memory()[1] / x.nbytes
    finally:
        tracemalloc.stop()


def test_the_sweep_frees_what_it_has_used():
    """Residuals go as cotangents come: a sweep adds a few arrays, not another copy of them all."""
    n, depth = 50_000, 40

    def f(x):
        for _ in range(depth):
            x = np.exp(-x * x)
        return np.sum(x)

    x = np.ones(n)
    pb.grad(f)(x)
    recorded = peak(lambda x: pb.vjp(f, x), x)
    swept = peak(pb.grad(f), x)
    assert recorded > depth
    assert swept < recorded + 8


def test_residuals_are_dropped_one_by_one():
    """When the first operation is pulled back, nothing that the later ones kept is alive."""
    kept = []
    seen = []

    @pb.primitive
    def first(x):
        return 1.0 * x

    @first.rule
    def first_rule(_y, x):
        def pull(y_bar):
            seen.append([ref() is None for ref in kept])
            return y_bar

        return pb.Linear(lambda x_dot: x_dot, pull)

    def f(x):
        y = first(x)
        for _ in range(6):
            y = np.tanh(y)
            kept.append(weakref.ref(y._value))
        return np.sum(y)

    pb.grad(f)(np.ones(8))
    assert seen == [[True] * 6]


def test_gradients_leave_no_garbage():
    def f(x):
        y = np.exp(x) * x
        return np.sum(y[1:] @ np.tanh(y[:-1]))

    x = np.ones(6)
    pb.grad(f)(x)
    gc.collect()
    gc.disable()
    try:
        pb.grad(f)(x)
        pb.pushforward(f, (x,), (x,))
        pb.hvp(f, (x,), (x,))
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_concurrent_gradients():
    """Each thread nests derivatives of its own; none meets another's perturbation."""
    rounds, results = 30, {}
    barrier = threading.Barrier(8)

    def work(number):
        barrier.wait()
        x = np.linspace(0.1, 1.0, 5) + number

        def f(x):
            inner = pb.grad(lambda y: np.sum(np.sin(y) * x))(x)
            return np.sum(inner**2) + x[0]

        results[number] = [
            (pb.grad(f)(x), pb.pushforward(f, (x,), (np.ones(5),))[1]) for _ in range(rounds)
        ]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(8):
        x = np.linspace(0.1, 1.0, 5) + number
        c, s = np.cos(x), np.sin(x)
        expected = 2 * x * c**2 - 2 * x**2 * c * s + np.eye(5)[0]
        for slope, total in results[number]:
            np.testing.assert_allclose(slope, expected, rtol=1e-12, atol=1e-12)
            assert total == pytest.approx(np.sum(expected), rel=1e-12)


def test_a_map_shared_between_threads():
    a = np.random.default_rng(0).standard_normal((20, 20))
    _, pull = pb.vjp(lambda x: np.tanh(a @ np.tanh(a @ x)), np.ones(20))
    expected = [pull(row)[0] for row in np.eye(20)]
    _, pull = pb.vjp(lambda x: np.tanh(a @ np.tanh(a @ x)), np.ones(20))
    results = {}

    def work(number):
        results[number] = [pull(row)[0] for row in np.eye(20)]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(6):
        assert_array_equal(results[number], expected)
