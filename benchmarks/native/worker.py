"""One process of a measurement: ``python -m benchmarks.native.worker``, which prints JSON.

A fresh one is started for every problem and number of threads, and for every first result.
"""

from __future__ import annotations

import argparse
import json
import sys
from time import perf_counter
from typing import Any

from benchmarks.native.samples import first_calls, sample
from benchmarks.native.sides import AbsentError, make, start
from benchmarks.native.workloads import WORKLOADS

__all__ = ["main"]


def main() -> int:
    """Do what the arguments say and print a line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.native.worker")
    parser.add_argument("name", choices=WORKLOADS)
    parser.add_argument("--sides", nargs="+", default=(), help="compare and time them; all")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0.01)
    parser.add_argument("--first", metavar="SIDE", help="time its first result instead")
    options = parser.parse_args()
    if options.first:
        answer = first_result(options.name, options.first)
    else:
        answer = samples(options.name, options.sides, options.rounds, options.seconds)
    print(json.dumps(answer))
    return 0


def samples(name: str, wanted: list[str], rounds: int, seconds: float) -> dict[str, Any]:
    """Seconds a call of these sides, or of all; and who was left out, and how the values differ."""
    problem = WORKLOADS[name]()
    sides, notes = first_calls(problem, wanted or problem.sides)
    return {"seconds": sample(sides, rounds, seconds), **notes}


def first_result(name: str, side: str) -> dict[str, Any]:
    """Seconds from the first call to its result, in a process where that side has started."""
    try:
        start(side)
        call = make(WORKLOADS[name](), side).call
    except AbsentError as reason:
        return {"left out": str(reason)}
    begin = perf_counter()
    call()
    return {"seconds": perf_counter() - begin}


if __name__ == "__main__":
    sys.exit(main())
