"""One process of a measurement: ``python -m benchmarks.native.worker``, which prints JSON.

A fresh one is started for every problem and number of threads, and for every first result.
"""

from __future__ import annotations

import argparse
import json
import sys
from time import perf_counter, process_time
from typing import Any

from benchmarks.measure import Clock
from benchmarks.native.samples import first_calls, sample
from benchmarks.native.sides import make, start
from benchmarks.native.workloads import WORKLOADS

__all__ = ["CLOCKS", "first_result", "main"]

CLOCKS: dict[str, Clock] = {"wall": perf_counter, "processor": process_time}


def main() -> int:
    """Do what the arguments say and print a line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.native.worker")
    parser.add_argument("name", choices=WORKLOADS)
    parser.add_argument("--sides", nargs="+", default=(), help="compare and time them; all")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0.01)
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    parser.add_argument("--first", metavar="SIDE", help="time its first result instead")
    options = parser.parse_args()
    clock = CLOCKS[options.clock]
    if options.first:
        answer = first_result(options.name, options.first, clock)
    else:
        problem = WORKLOADS[options.name]()
        sides, notes = first_calls(problem, options.sides or problem.sides)
        answer = {"seconds": sample(sides, options.rounds, options.seconds, clock), **notes}
    print(json.dumps(answer))
    return 0


def first_result(name: str, side: str, clock: Clock) -> dict[str, Any]:
    """Seconds from the first call to its result, in a process where that side has started."""
    start(side)
    call = make(WORKLOADS[name](), side).call
    begin = clock()
    call()
    return {"seconds": clock() - begin}


if __name__ == "__main__":
    sys.exit(main())
