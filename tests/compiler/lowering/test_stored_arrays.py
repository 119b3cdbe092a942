"""Which arrays are stored: what reading again would take longer."""

from __future__ import annotations

import numpy as np

import pullback as pb
from pullback.compiler.lowering import lower

SIZE = 40


def scratch(function, count):
    """How many arrays of full size are stored between inputs and outputs."""
    xs = [np.linspace(0.0, 1.0 + n, SIZE) for n in range(count)]
    program = lower(pb.trace(function, *xs)).program
    return sum(b.kind == "scratch" and b.size == SIZE for b in program.buffers)


def test_sums_of_many_arrays_that_are_read_twice_are_stored():
    def twice(*xs):
        total = sum(xs[1:], xs[0])
        return np.sum(total), np.max(total)

    assert scratch(twice, 2) == 0
    assert scratch(twice, 3) == 1


def test_sums_that_are_read_once_are_not():
    assert scratch(lambda *xs: np.sum(sum(xs[1:], xs[0])), 5) == 0


def test_an_array_that_is_read_at_several_places_counts_once():
    def differences(x):
        step = x[2:] - 2 * x[1:-1] + x[:-2]
        return np.sum(step), np.max(step)

    assert scratch(differences, 1) == 0


def test_large_unsigned_progressions_are_no_indices():
    """Multiples of a number beyond 2⁶³, which wrap."""
    multiples = np.arange(1, 6, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    f = lambda seed: seed + multiples  # noqa: E731
    np.testing.assert_array_equal(pb.compile(f)(np.uint64(3)), f(np.uint64(3)))
