"""Timing: the contenders take turns, round after round, so that all meet the same machine."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from benchmarks.workload import Workload

__all__ = ["Clock", "Timing", "calls_per_turn", "measure", "turn"]

Clock = Callable[[], float]
"""Tells seconds, of which differences are taken."""


@dataclass(frozen=True)
class Timing:
    """Seconds per call, one figure for each round."""

    samples: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def least(self) -> float:
        return min(self.samples)

    @property
    def most(self) -> float:
        return max(self.samples)


def measure(workload: Workload, rounds: int, seconds: float) -> dict[str, Timing]:
    """Time every contender of a workload.

    Parameters
    ----------
    workload : Workload
    rounds : int
        How often each contender has its turn: A B C A B C …
    seconds : float
        How long a turn lasts, about; the number of calls in a turn is chosen accordingly, once.
    """
    calls = {
        name: calls_per_turn(contender, seconds) for name, contender in workload.contenders.items()
    }
    samples: dict[str, list[float]] = {name: [] for name in workload.contenders}
    for _ in range(rounds):
        for name, contender in workload.contenders.items():
            samples[name].append(turn(contender, calls[name]) / calls[name])
    return {name: Timing(tuple(values)) for name, values in samples.items()}


def turn(contender: Callable[[], Any], calls: int, clock: Clock = perf_counter) -> float:
    """Seconds that so many calls take."""
    start = clock()
    for _ in range(calls):
        contender()
    return clock() - start


def calls_per_turn(
    contender: Callable[[], Any], seconds: float, clock: Clock = perf_counter
) -> int:
    """How many calls fill a turn, at least one; warms up on the way."""
    calls = 1
    while True:
        elapsed = turn(contender, calls, clock)
        if elapsed >= seconds / 2:
            return max(1, round(calls * seconds / elapsed))
        calls *= 2
