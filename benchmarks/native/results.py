"""What the figures say: ratios of medians, and how they stand to the bounds."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.native.problem import BEST, OURS, Problem, Threads

__all__ = [
    "FIRST_MOST",
    "FIRST_WARM",
    "Comparison",
    "First",
    "comparisons",
    "first_bounds",
    "first_results",
    "speed_up",
]

FIRST_WARM = 0.1
"""Our first result with a warm cache ÷ JAX's without one, at most."""

FIRST_MOST = 0.4
"""Seconds that our first result takes at most."""


SPEED_UP, LONG = 1.8, 2e-3
"""How many times as fast two threads are at least, for calls of so many seconds with one."""


@dataclass(frozen=True)
class Comparison:
    """One side beside ours, with the number of threads that is the best for it.

    Parameters
    ----------
    side : str
    threads : Threads
    ours, theirs : float
        Medians of the seconds a call, from one process; `ours` is NaN where it was left out.
    bound : float or None
        What the ratio may be at most.
    """

    side: str
    threads: Threads
    ours: float
    theirs: float
    bound: float | None = None

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs

    @property
    def reached(self) -> bool | None:
        """Whether the ratio is within its bound, where both are known."""
        if self.bound is None or self.ratio != self.ratio:
            return None
        return self.ratio <= self.bound


@dataclass(frozen=True)
class First:
    """Seconds to the first result, medians: ours and JAX's, with an empty cache and a warm one."""

    ours: Mapping[str, float]
    jax: Mapping[str, float]

    def ratio(self, cache: str) -> float:
        """Ours ÷ JAX's without a cache."""
        return self.ours[cache] / self.jax["empty"]

    def reached(self, cache: str, problem: Problem) -> bool:
        """Whether ours is there in time."""
        within = self.ratio(cache) <= first_bounds(problem)[cache]
        return within and self.ours[cache] <= FIRST_MOST


def first_bounds(problem: Problem) -> dict[str, float]:
    """Our first result with such a cache ÷ JAX's without one, at most."""
    return {"empty": problem.first, "warm": FIRST_WARM}


def comparisons(problem: Problem, figures: Mapping[str, Any]) -> list[Comparison]:
    """Every side beside ours, with one thread of ours and with two where that is measured.

    A bound for a library stands at the best of its spellings.
    """
    seconds = {Threads.parse(name): samples for name, samples in figures["seconds"].items()}
    found: list[Comparison] = []
    for ours in sorted({threads.ours for threads in seconds}):
        some = {threads: samples for threads, samples in seconds.items() if threads.ours == ours}
        beside = [
            _best_threads(side, some)
            for side in problem.sides
            if side != OURS and any(side in samples for samples in some.values())
        ]
        found += _bounded(beside, problem.bounds if ours == 1 else _for_two(problem))
    return found


def speed_up(figures: Mapping[str, Any]) -> Comparison | None:
    """Two threads of ours beside one of its own, where both are measured."""
    one, two = Threads(1, 1), Threads(2, 2)
    try:
        alone, shared = (figures["seconds"][each.name][OURS] for each in (one, two))
    except KeyError:
        return None
    ours, theirs = statistics.median(shared), statistics.median(alone)
    return Comparison(OURS, Threads(2, 1), ours, theirs, 1 / SPEED_UP if theirs > LONG else None)


def _for_two(problem: Problem) -> Mapping[str, float]:
    return {} if problem.two_threads is None else {BEST: problem.two_threads}


def _bounded(found: Sequence[Comparison], wanted: Mapping[str, float]) -> list[Comparison]:
    bounds: dict[str, float] = {}
    for whom, bound in wanted.items():
        rivals = [c for c in found if _stands_for(whom, c.side)]
        if rivals:
            best = min(rivals, key=_strength)
            bounds[best.side] = min(bound, bounds.get(best.side, bound))
    return [replace(c, bound=bounds.get(c.side)) for c in found]


def first_results(figures: Mapping[str, Any]) -> First | None:
    """The first results, where there are both sides'."""
    first = figures.get("first", {})
    if OURS not in first or "JAX" not in first:
        return None
    ours, jax = (
        {cache: statistics.median(seconds) for cache, seconds in first[side].items()}
        for side in (OURS, "JAX")
    )
    return First(ours, jax)


def _best_threads(
    side: str, seconds: Mapping[Threads, Mapping[str, Sequence[float]]]
) -> Comparison:
    rows = []
    for threads, samples in seconds.items():
        if side in samples:
            ours = statistics.median(samples.get(OURS, [float("nan")]))
            rows.append(Comparison(side, threads, ours, statistics.median(samples[side])))
    return min(rows, key=_strength)


def _strength(comparison: Comparison) -> float:
    """Least for the strongest: that is a ratio, for each process met the machine by itself."""
    ratio = comparison.ratio
    return comparison.theirs if ratio != ratio else -ratio


def _stands_for(whom: str, side: str) -> bool:
    """Whether a bound for `whom` is one for a side, too: "JAX" for "JAX, as written"."""
    library = side.split(",")[0]
    return library in ("JAX", "PyTorch") if whom == BEST else whom in (library, side)
