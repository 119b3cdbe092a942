"""The command: ``python -m benchmarks sparse [reaction] [adjustment] [hessian] [growth]``."""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

import pullback as pb
from benchmarks.choice import choose
from benchmarks.report import machine
from benchmarks.sparse.problems import PROBLEMS, Problem, band
from benchmarks.sparse.sides import SIDES

__all__ = ["SIZES", "main", "measure", "measured_growth"]

STAGES = ("pattern", "prepare", "values")
SIZES = (10_000, 50_000, 200_000, 1_000_000, 2_000_000)
"""Numbers of unknowns for which growth is measured."""

Figures = dict[str, dict[str, float]]
"""Seconds by side and stage."""


def main(arguments: Sequence[str]) -> int:
    """Measure and print a table for each problem."""
    names = [*PROBLEMS, "growth"]
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks sparse",
        description="Sparse Jacobians and Hessians beside CasADi and asdex, in seconds of the "
        "processor: the pattern, all that is done once (the pattern and compiling included), and "
        "the values; and how the times of a band grow with the number of unknowns.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(names)}")
    parser.add_argument("--rounds", type=int, default=9, help="turns of each library (9)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    options = parser.parse_args(arguments)
    record: dict[str, Any] = {"machine": machine()}
    for name in choose(parser, options.names, names):
        if name == "growth":
            found: Any = measured_growth(SIZES, options.rounds)
            print(growth_as_text(found), end="\n\n", flush=True)
        else:
            problem = PROBLEMS[name]()
            found = measure(problem, options.rounds)
            print(as_text(problem.name, found), end="\n\n", flush=True)
        record[name] = found
    if options.json:
        options.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of the processor, and what the call returns."""
    begin = process_time()
    result = call()
    return process_time() - begin, result


def measure(problem: Problem, rounds: int) -> Figures:
    """What each library takes; values are evaluated by turns.

    Parameters
    ----------
    problem : Problem
    rounds : int
    """
    figures: Figures = {}
    calls: dict[str, Callable[[], Any]] = {}
    for name, make in SIDES.items():
        side = make(problem)
        if side is None:
            continue
        pattern = min(timed(side.pattern)[0] for _ in range(2))  # the first one loads modules
        try:
            prepare, calls[name] = timed(side.prepare)
        except Exception as error:  # another library's, of whatever kind
            print(f"{name}: no values, {type(error).__name__}: {error}")
            figures[name] = {"pattern": pattern, "prepare": np.nan, "values": np.nan}
            continue
        figures[name] = {"pattern": pattern, "prepare": prepare}
    samples: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(rounds):
        for name, call in calls.items():
            samples[name].append(timed(call)[0])
    for name, every in samples.items():
        figures[name]["values"] = statistics.median(every)
    return figures


def as_text(title: str, figures: Figures) -> str:
    """A row for each side, in milliseconds, with what ours takes beside each of the others."""
    rows = [title, f"  {'':<20}" + "".join(f"{stage:>12}" for stage in STAGES)]
    first = figures["pullback"]
    for name, found in figures.items():
        row = f"  {name:<20}" + "".join(f"{1e3 * found[stage]:>9.2f} ms" for stage in STAGES)
        if not name.startswith("pullback"):
            row += "   ours ÷ this: " + ", ".join(f"{first[s] / found[s]:.3f}" for s in STAGES)
            row += f"; compiled {figures['pullback, compiled']['values'] / found['values']:.3f}"
        rows.append(row)
    return "\n".join(rows)


def measured_growth(sizes: Sequence[int], rounds: int) -> dict[int, dict[str, float]]:
    """Seconds for a band of so many unknowns, by stage.

    Parameters
    ----------
    sizes : sequence of int
    rounds : int
    """
    found = {}
    for n in sizes:
        problem = band(n)
        f, x = problem.spelled(np), problem.example
        every: dict[str, list[float]] = {stage: [] for stage in STAGES}
        for _ in range(rounds):
            every["pattern"].append(timed(lambda f=f, x=x: pb.sparsity(f, x))[0])
            seconds, matrix = timed(lambda f=f, x=x: pb.sparse_jacobian(f, x))
            every["prepare"].append(seconds)
            every["values"].append(timed(lambda matrix=matrix, x=x: matrix(x))[0])
        found[n] = {stage: statistics.median(row) for stage, row in every.items()}
    return found


def growth_as_text(found: dict[int, dict[str, float]]) -> str:
    """A row for each size, in nanoseconds an unknown."""
    rows = ["a band: time an unknown", f"  {'':<12}" + "".join(f"{s:>12}" for s in STAGES)]
    for n, row in found.items():
        rows.append(f"  {n:<12,}" + "".join(f"{1e9 * row[stage] / n:>9.0f} ns" for stage in STAGES))
    return "\n".join(rows)
