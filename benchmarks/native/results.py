"""What the figures say: ratios of medians, and how they stand to the bounds."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.native.problem import BEST, OURS, Problem

__all__ = ["FIRST_BOUNDS", "FIRST_MOST", "Comparison", "First", "comparisons", "first_results"]

FIRST_BOUNDS = {"empty": 0.5, "warm": 0.1}
"""Our first result with such a cache ÷ JAX's without one, at most."""

FIRST_MOST = 0.4
"""Seconds that our first result takes at most."""


@dataclass(frozen=True)
class Comparison:
    """One side beside ours, with the number of threads that is the best for it.

    Parameters
    ----------
    side : str
    threads : int
    ours, theirs : float
        Medians of the seconds a call, from one process; `ours` is NaN where it was left out.
    bound : float or None
        What the ratio may be at most.
    """

    side: str
    threads: int
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

    def reached(self, cache: str) -> bool:
        return self.ratio(cache) <= FIRST_BOUNDS[cache] and self.ours[cache] <= FIRST_MOST


def comparisons(problem: Problem, figures: Mapping[str, Any]) -> list[Comparison]:
    """Every side beside ours; a bound for a library stands at the best of its spellings."""
    found = [
        _best_threads(side, figures["seconds"])
        for side in problem.sides
        if side != OURS and any(side in seconds for seconds in figures["seconds"].values())
    ]
    bounds: dict[str, float] = {}
    for whom, bound in problem.bounds.items():
        rivals = [c for c in found if _stands_for(whom, c.side)]
        if rivals:
            best = min(rivals, key=_strength)
            bounds[best.side] = min(bound, bounds.get(best.side, bound))
    return [Comparison(c.side, c.threads, c.ours, c.theirs, bounds.get(c.side)) for c in found]


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


def _best_threads(side: str, seconds: Mapping[str, Mapping[str, Sequence[float]]]) -> Comparison:
    rows = []
    for threads, samples in seconds.items():
        if side in samples:
            ours = statistics.median(samples.get(OURS, [float("nan")]))
            rows.append(Comparison(side, int(threads), ours, statistics.median(samples[side])))
    return min(rows, key=_strength)


def _strength(comparison: Comparison) -> float:
    """Least for the strongest: that is a ratio, for each process met the machine by itself."""
    ratio = comparison.ratio
    return comparison.theirs if ratio != ratio else -ratio


def _stands_for(whom: str, side: str) -> bool:
    """Whether a bound for `whom` is one for a side, too: "JAX" for "JAX, as written"."""
    library = side.split(",")[0]
    return library in ("JAX", "PyTorch") if whom == BEST else whom in (library, side)
