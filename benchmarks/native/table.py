"""The figures on the terminal: a few lines for each problem, and how many bounds are reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from benchmarks.native.problem import OURS, Problem
from benchmarks.native.results import (
    FIRST_MOST,
    Comparison,
    comparisons,
    first_bounds,
    first_results,
    speed_up,
)
from benchmarks.report import duration

__all__ = ["as_text", "summary", "verdicts"]


def as_text(problem: Problem, figures: Mapping[str, Any], mode: str) -> str:
    """A problem's table: each side beside ours, then the first results.

    Parameters
    ----------
    problem : Problem
    figures : mapping
        See `benchmarks.native.processes.measure`.
    mode : "compiled" or "eager"
        What is called on our side.
    """
    lines = [f"{problem.title}  ({problem.derivative}; values within {problem.rtol:.0e})"]
    rows = [("", "ours", "theirs", "ours ÷ theirs", "at most", "")]
    for c in comparisons(problem, figures):
        us = mode if problem.two_threads is None else f"{mode}, {_count(c.threads.ours)}"
        alone = c.side in ("by hand", "copy")
        side = c.side if alone else f"{c.side}, {_count(c.threads.theirs)}"
        rows.append(_row(f"{us} ÷ {side}", c))
    twice = speed_up(figures)
    if twice is not None:
        rows.append(_row(f"{mode}, 2 threads ÷ 1 thread", twice))
    first = first_results(figures)
    for cache, bound in first_bounds(problem).items() if first else ():
        rows.append(
            (
                f"first result, {cache} cache ÷ JAX without",
                duration(first.ours[cache]),
                duration(first.jax["empty"]),
                f"{first.ratio(cache):.3f}",
                f"{bound:.2f}",
                _word(first.reached(cache, problem)),
            )
        )
    if first and "warm" in first.jax:
        rows.append(
            ("JAX with a warm cache of its own", "", duration(first.jax["warm"]), "", "", "")
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *rest in rows:
        cells = [name.ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        lines.append("  " + "  ".join(cells).rstrip())
    lines += [f"  {side} left out: {why}" for side, why in figures["left out"].items()]
    return "\n".join(lines)


def verdicts(problem: Problem, figures: Mapping[str, Any]) -> list[bool]:
    """Of each bound whose ratio is known, whether it is reached."""
    twice = speed_up(figures)
    every = [*comparisons(problem, figures), *([twice] if twice else [])]
    found = [c.reached for c in every if c.reached is not None]
    first = first_results(figures)
    return found + [first.reached(cache, problem) for cache in first_bounds(problem) if first]


def summary(results: Iterable[tuple[Problem, Mapping[str, Any]]]) -> str:
    """How many bounds there are, and how many are reached."""
    every, unknown = [], 0
    for problem, figures in results:
        every += verdicts(problem, figures)
        beside = comparisons(problem, figures)
        unknown += sum(c.bound is not None and c.reached is None for c in beside)
    return (
        f"{sum(every)} of {len(every)} bounds reached, {unknown} not measured. "
        f"{OURS} is called with NumPy arrays; ratios are of medians. "
        f"First results are to be there within {FIRST_MOST} s."
    )


def _row(name: str, c: Comparison) -> tuple[str, ...]:
    known = c.ratio == c.ratio
    return (
        name,
        duration(c.ours) if known else "–",
        duration(c.theirs),
        f"{c.ratio:.3f}" if known else "–",
        "" if c.bound is None else f"{c.bound:.2f}",
        _word(c.reached),
    )


def _count(threads: int) -> str:
    return "1 thread" if threads == 1 else f"{threads} threads"


def _word(reached: bool | None) -> str:
    return {True: "reached", False: "missed", None: ""}[reached]
