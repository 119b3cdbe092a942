"""The binomial schedule: valid by simulation, optimal by dynamic programming."""

from __future__ import annotations

import functools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pullback.rules.control_flow.recomputation import evaluations, first_sweep, square_root, states


class Run:
    """Carries out the schedule on the numbers of the states.

    Attributes
    ----------
    evaluated : list of int
        The evaluations of each step, the reversals' own not counted.
    kept : list of int
        The states that are kept now.
    stored : int
        How many have been stored on the way back.
    """

    def __init__(self, length, snapshots):
        self.kept = first_sweep(length, snapshots)
        assert self.kept == sorted(set(self.kept))
        assert self.kept[:1] == [0][:length]
        assert all(0 <= step < length for step in self.kept)
        self.evaluated, self.stored = [1] * length, 0
        size = len(self.kept)
        turns = reversed(range(length))
        for step, state in zip(
            turns, states(length, snapshots, self.kept, self.advance), strict=True
        ):
            assert state == step
            self.stored += max(0, len(self.kept) - size)
            size = len(self.kept)
            assert size <= min(snapshots, length)
            assert self.kept[:1] == [0]
            assert self.kept[-1] <= step

    def advance(self, state, start, stop):
        assert state == start <= stop
        assert state in self.kept
        for step in range(start, stop):
            self.evaluated[step] += 1
        return stop


def simulate(length, snapshots):
    """The evaluations of each step, the reversals' own not counted."""
    return Run(length, snapshots).evaluated


@functools.cache
def fewest(length, snapshots):
    """Evaluations that it takes to reverse a chain whose start is kept, by trying every placement.

    The last step of the chain is reversed where it is reached, without an evaluation.
    """
    if length <= 1:
        return 0
    if snapshots == 1:
        return length - 1 + fewest(length - 1, 1)
    return min(
        first + fewest(first, snapshots) + fewest(length - first, snapshots - 1)
        for first in range(1, length)
    )


@pytest.mark.parametrize("snapshots", range(1, 9))
def test_no_schedule_evaluates_less(snapshots):
    for length in range(61):
        total = sum(simulate(length, snapshots))
        assert total == evaluations(length, snapshots) == fewest(length + 1, snapshots)


@given(st.integers(0, 3000), st.integers(1, 60))
@settings(max_examples=60)
def test_any_length_with_any_number_of_snapshots(length, snapshots):
    evaluated = simulate(length, snapshots)
    assert sum(evaluated) == evaluations(length, snapshots)
    # No step is evaluated more often than the longest chain with these repetitions needs.
    r = max(evaluated, default=0)
    assert r == 0 or math.comb(snapshots + r - 1, snapshots) < length + 1


@pytest.mark.parametrize(
    ("snapshots", "total"),
    # 3 repetitions: C(39 + 2, 2) < 10001 ≤ C(39 + 3, 3)
    [(39, 3 * 10_001 - math.comb(42, 2)), (40, 3 * 10_001 - math.comb(43, 2))],
)
def test_ten_thousand_steps(snapshots, total):
    evaluated = simulate(10_000, snapshots)
    assert sum(evaluated) == evaluations(10_000, snapshots) == total
    assert max(evaluated) == 3


def test_nothing_to_reverse():
    assert first_sweep(0, 1) == []
    assert list(states(0, 1, [], None)) == []
    assert evaluations(0, 1) == 0


def test_one_step():
    assert first_sweep(1, 3) == [0]
    assert simulate(1, 3) == [1]
    assert evaluations(1, 3) == 1


def test_one_snapshot():
    """Each step is reached from the start: n + (n − 1) + … + 1 evaluations."""
    assert first_sweep(5, 1) == [0]
    assert evaluations(5, 1) == 15
    assert Run(5, 1).stored == 0


@pytest.mark.parametrize("snapshots", [7, 8, 100])
def test_room_for_every_state(snapshots):
    assert first_sweep(7, snapshots) == list(range(7))
    assert evaluations(7, snapshots) == 7
    assert Run(7, snapshots).stored == 0


@pytest.mark.parametrize("length", [0, 1, 2, 3, 9, 10, 100, 1000, 10_000])
def test_square_root(length):
    """One evaluation more for each step at most, with less than 2√n snapshots; not with fewer."""
    snapshots = square_root(length)
    assert max(simulate(length, snapshots), default=0) <= 2
    assert snapshots <= max(1, math.sqrt(2 * length))
    if snapshots > 1:
        assert max(simulate(length, snapshots - 1)) > 2


def test_the_memory_of_the_schedule_itself():
    """What the generator remembers are the states that are kept, and their numbers."""
    schedule = states(10_000, 12, first_sweep(10_000, 12), lambda state, start, stop: stop)
    for _ in range(100):
        next(schedule)
    remembered = [v for v in schedule.gi_frame.f_locals.values() if isinstance(v, list)]
    assert [len(each) <= 12 for each in remembered] == [True, True]
