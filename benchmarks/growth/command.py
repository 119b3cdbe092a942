"""The command: ``python -m benchmarks growth [samples] [depth] [memory]``."""

from __future__ import annotations

import argparse
import importlib.util
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.growth import plot
from benchmarks.growth.table import Figures, as_text
from benchmarks.native.problem import OURS, Threads
from benchmarks.native.processes import WorkerError, environment, run_worker
from benchmarks.report import machine

__all__ = ["QUESTIONS", "Scale", "main", "measure"]

QUESTIONS = ("samples", "depth", "memory")
PEERS = ("JAX", "PyTorch")


@dataclass(frozen=True)
class Scale:
    """How far to go.

    Parameters
    ----------
    samples : tuple of int
        For which numbers of samples the time a call is taken.
    depth : tuple of int
        For which numbers of layers the time to the first result is taken.
    memory : int
        For how many samples the memory is measured.
    rounds : int
        How often a time is taken.
    """

    samples: tuple[int, ...] = (1_000, 4_000, 16_000, 64_000, 250_000, 1_000_000, 4_000_000)
    depth: tuple[int, ...] = (3, 10, 20, 40, 80)
    memory: int = 4_000_000
    rounds: int = 5


QUICK = Scale(samples=(1_000, 8_000, 64_000), depth=(3, 20), memory=400_000, rounds=3)


def main(arguments: Sequence[str]) -> int:
    """Measure, print a table for each question, write the files; 1 where a process failed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks growth",
        description="Whether time and memory of a residual net's gradients grow as they should: "
        "the time a sample with the samples, the time to the first result with the layers, the "
        "memory in use with the samples. Beside JAX and PyTorch, each in processes of its own.",
    )
    parser.add_argument("questions", nargs="*", metavar="NAME", help=f"of: {', '.join(QUESTIONS)}")
    parser.add_argument(
        "--quick", action="store_true", help="fewer sizes, smaller ones, and no memory unless asked"
    )
    parser.add_argument("--json", type=Path, metavar="PATH", help="write every sample there")
    parser.add_argument("--plot", type=Path, metavar="PATH", help="draw the figures there")
    options = parser.parse_args(arguments)
    for name in options.questions:
        if name not in QUESTIONS:
            parser.error(f"there is no {name!r}; there are: {', '.join(QUESTIONS)}")
    if options.plot and importlib.util.find_spec("matplotlib") is None:
        parser.error("--plot needs matplotlib; pip install 'pullback[bench]' brings it")
    scale = QUICK if options.quick else Scale()
    asked = options.questions or (QUESTIONS[:2] if options.quick else QUESTIONS)

    found: dict[str, Figures] = {}
    failures: dict[str, str] = {}
    for question in dict.fromkeys(asked):
        found[question], failed = measure(question, scale)
        failures |= failed
        print(as_text(question, found[question]), end="\n\n", flush=True)
    for name, failure in failures.items():
        print(f"{name} failed: {failure}")
    if options.json:
        record = {"machine": machine(), **found, "failed": failures}
        options.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if options.plot:
        plot.draw(found, options.plot)
    return 1 if failures else 0


def measure(question: str, scale: Scale) -> tuple[Figures, dict[str, str]]:
    """The figures for a question, by side and size, and why those that are missing are.

    Parameters
    ----------
    question : "samples", "depth" or "memory"
    scale : Scale
    """
    figures: Figures = {}
    failures: dict[str, str] = {}

    def ask(label: str, side: str, sizes: Sequence[int], threads: Threads) -> Mapping[str, Any]:
        arguments = [question, "--side", side, "--rounds", str(scale.rounds)]
        arguments += ["--sizes", *map(str, sizes)]
        try:
            return run_worker("benchmarks.growth.worker", arguments, environment(threads))
        except WorkerError as failure:
            failures[f"{question}, {label}"] = str(failure)
            return {}

    for label, side, threads in _contenders(question):
        if question == "samples":
            figures[label] = dict(ask(label, side, scale.samples, threads))
        elif question == "depth":
            every = {str(k): ask(label, side, (k,), threads) for k in scale.depth}
            figures[label] = {k: found for k, found in every.items() if found}
        elif found := ask(label, side, (scale.memory,), threads):
            figures[label] = {str(scale.memory): found}
    return figures, failures


def _contenders(question: str) -> list[tuple[str, str, Threads]]:
    """Who takes part: what it is called in the table, the side, and the numbers of threads."""
    both = Threads(2, 2)
    if question == "samples":
        alone = (f"{OURS}, 1 thread", OURS, Threads(1, 1))
        return [alone, *((f"{side}, 2 threads", side, both) for side in (OURS, *PEERS))]
    if question == "depth":
        return [(side, side, both) for side in (OURS, "JAX")]
    return [(side, side, both) for side in (OURS, *PEERS)]
