"""The command: ``python -m benchmarks native [names]``."""

from __future__ import annotations

import argparse
import importlib.util
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.choice import choose
from benchmarks.native import plot
from benchmarks.native.problem import Problem
from benchmarks.native.processes import Effort, WorkerError, measure
from benchmarks.native.sides import compiles
from benchmarks.native.table import as_text, summary
from benchmarks.native.workloads import WORKLOADS
from benchmarks.report import machine

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    """Measure, print a table for each problem, write the files; 1 where a process failed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks native",
        description="Compare compiled derivatives with JAX's and PyTorch's, each problem in "
        "processes of its own.",
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"of: {', '.join(WORKLOADS)}; l2 stands for all that begin with l2-; all by default",
    )
    parser.add_argument("--quick", action="store_true", help="short blocks, few of them")
    parser.add_argument(
        "--busy",
        action="store_true",
        help="for a machine with other work: count the processors' time, with one thread each",
    )
    parser.add_argument("--json", type=Path, metavar="PATH", help="write every sample there")
    parser.add_argument("--plot", type=Path, metavar="PATH", help="draw the ratios there")
    options = parser.parse_args(arguments)
    if options.plot and importlib.util.find_spec("matplotlib") is None:
        parser.error("--plot needs matplotlib; pip install 'pullback[bench]' brings it")
    effort = Effort(clock="processor" if options.busy else "wall")
    if options.quick:
        effort = replace(effort, rounds=3, seconds=0.005, firsts=1, thorough=False)
    mode = "compiled" if compiles() else "eager"
    print("; ".join(f"{key} {value}" for key, value in _machine().items()), end="\n\n")
    if options.busy:
        print("seconds are those of the processors, all threads together\n")
    if mode == "eager":
        print("this version has no pullback.compile: what is called is the eager derivative\n")

    results: dict[str, tuple[Problem, Mapping[str, Any]]] = {}
    failures: dict[str, str] = {}
    for name in choose(parser, options.names, list(WORKLOADS)):
        problem = WORKLOADS[name]()
        try:
            results[name] = problem, measure(name, problem, effort)
        except WorkerError as failure:
            failures[name] = str(failure)
            print(f"{problem.title}\n  failed: {failure}", end="\n\n", flush=True)
            continue
        print(as_text(*results[name], mode), end="\n\n", flush=True)
    print(summary(results.values()))
    if options.json:
        options.json.write_text(as_json(results, failures, mode, effort), encoding="utf-8")
    if options.plot and results:
        plot.draw(list(results.values()), mode, options.plot)
    return 1 if failures else 0


def as_json(
    results: Mapping[str, tuple[Problem, Mapping[str, Any]]],
    failures: Mapping[str, str],
    mode: str,
    effort: Effort,
) -> str:
    """Every sample, with the machine, the versions, the bounds, and what failed."""
    record = {
        "machine": _machine(),
        "mode": mode,
        "clock": effort.clock,
        "workloads": {
            name: {"title": problem.title, "bounds": dict(problem.bounds), **figures}
            for name, (problem, figures) in results.items()
        },
        "failed": dict(failures),
    }
    return json.dumps(record, indent=1) + "\n"


def _machine() -> dict[str, Any]:
    """The machine without a number of threads, which every process has its own of."""
    return {key: value for key, value in machine().items() if key != "threads"}
