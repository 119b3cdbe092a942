"""Schedules: the rate at each step."""

from __future__ import annotations

import math

import pytest

from pullback import optim
from pullback.errors import ArgumentTypeError, ArgumentValueError


def rates(schedule, count):
    return [schedule(step) for step in range(count)]


def test_each_schedule_is_its_formula():
    assert rates(optim.constant(0.5), 3) == [0.5] * 3
    assert rates(optim.step(1.0, every=2, factor=0.5), 6) == [1, 1, 0.5, 0.5, 0.25, 0.25]
    assert rates(optim.exponential(8.0, factor=0.5), 4) == [8, 4, 2, 1]
    assert rates(optim.exponential(8.0, factor=0.25, every=2), 4) == [8, 4, 2, 1]
    expected = [0.1 + 0.9 * (1 + math.cos(math.pi * t / 4)) / 2 for t in range(4)] + [0.1, 0.1]
    assert rates(optim.cosine(1.0, steps=4, final=0.1), 6) == pytest.approx(expected, rel=1e-15)


def test_warm_up_rises_to_the_schedule_and_follows_it():
    assert rates(optim.warm_up(4, 2.0), 6) == [0.5, 1, 1.5, 2, 2, 2]
    schedule = optim.warm_up(2, optim.exponential(1.0, factor=0.5))
    assert rates(schedule, 5) == [0.5, 1, 1, 0.5, 0.25]


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: optim.constant(0), ArgumentValueError, "constant: rate is 0, wanted a positive"),
        (lambda: optim.constant(math.inf), ArgumentValueError, "rate is inf"),
        (lambda: optim.constant(math.nan), ArgumentValueError, "rate is nan"),
        (lambda: optim.constant("1"), ArgumentTypeError, "rate is '1', wanted a positive number"),
        (lambda: optim.step(1.0, every=0), ArgumentValueError, "step: every is 0, wanted a whole"),
        (lambda: optim.step(1.0, 1, -1), ArgumentValueError, "step: factor is -1"),
        (lambda: optim.exponential(1.0, 0.0), ArgumentValueError, "exponential: factor is 0.0"),
        (lambda: optim.cosine(1.0, 1.5), ArgumentTypeError, "cosine: steps is 1.5"),
        (lambda: optim.cosine(1.0, 2, -0.1), ArgumentValueError, "cosine: final is -0.1"),
        (lambda: optim.warm_up(True, 1.0), ArgumentTypeError, "warm_up: steps is True"),
        (lambda: optim.warm_up(2, -1.0), ArgumentValueError, "warm_up: schedule is -1.0"),
    ],
)
def test_arguments_that_do_not_fit(make, error, words):
    with pytest.raises(error, match=words):
        make()
