"""Numbers that know how they were computed."""

from __future__ import annotations

import functools
import math
import pickle

import hypothesis.strategies as st
import pytest
from hypothesis import given

from pullback.compiler.generic.numbers import Letter, Tape, plain

OPERATIONS = [
    lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: a // b,
    lambda a, b: a % b, lambda a, b: max(a, b), lambda a, b: min(a, b), lambda a, b: -a,
    lambda a, b: abs(a - b), lambda a, b: divmod(a, b)[1],
    lambda a, b: math.prod([a, b, 2]), lambda a, b: sum([a, b, 3]),
    lambda a, b: sorted([a, b, 7])[1], lambda a, b: a if a == b else b,
    lambda a, b: a.bit_length() if type(plain(a)) is int else a,
]  # fmt: skip
STEPS = st.lists(
    st.tuples(st.sampled_from(OPERATIONS), st.integers(0, 30), st.integers(0, 30)), max_size=12
)


def computed(steps, numbers):
    """The numbers, and what each step makes of two of those before."""
    found = list(numbers)
    for operation, a, b in steps:
        found.append(operation(found[a % len(found)], found[b % len(found)]))
    return found


@given(STEPS, *[st.tuples(st.integers(-9, 60), st.integers(-9, 60)) for _ in range(2)])
def test_what_is_replayed_is_what_is_computed(steps, now, then):
    tape = Tape()
    try:
        letters = computed(steps, [*map(tape.first, now), 3])
        expected = computed(steps, [*now, 3])
    except ArithmeticError:
        return
    assert [*map(repr, map(plain, letters))] == [*map(repr, expected)]
    values = tape.replayed(then)
    if values is not None and tape.decides_as_before(values):
        assert [tape.value(x, values) for x in letters] == computed(steps, [*then, 3])


def test_what_is_the_same_for_all_is_a_number():
    n = Tape().first(12)
    found = [n - n, (n + 3) - n, (4 * n) // n, (6 * n) % (2 * n), (2 * n + 4) // (n + 2)]
    assert found == [0, 3, 4, 0, 2]
    assert not any(isinstance(x, Letter) for x in found)


def test_decisions_are_noted():
    tape = Tape()
    n = tape.first(12)
    assert n > 4
    assert n * 2 == 24
    assert n
    for size, alike in ((12, True), (11, False), (3, False)):
        assert tape.decides_as_before(tape.replayed([size])) is alike


def test_in_sets_letters_are_apart_from_numbers():
    n = Tape().first(12)
    assert n == 12
    assert n not in {12}
    assert n + 1 - 1 in {n}
    assert n in [12]


def test_a_closed_tape_notes_nothing():
    tape = Tape()
    n = tape.first(12)
    tape.open = False
    assert type(n + 1) is int
    assert n < 100
    assert tape.decides_as_before(tape.replayed([1000]))


@pytest.mark.parametrize("value", [12, 0.25])
def test_letters_are_sent_as_numbers(value):
    sent = pickle.loads(pickle.dumps(Tape().first(value)))
    assert (type(sent), sent) == (type(value), value)


def test_many_terms():
    tape = Tape()
    letters = [tape.first(k + 2) for k in range(5)]
    total = functools.reduce(lambda a, b: a + b, [k * x for k, x in enumerate(letters)])
    values = tape.replayed([10, 20, 30, 40, 50])
    assert tape.value(total, values) == 20 + 60 + 120 + 200
