"""One process: ``python -m benchmarks.growth.worker depth --side JAX``, which prints JSON."""

from __future__ import annotations

import argparse
import gc
import json
import resource
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import pullback as pb
from benchmarks.measure import calls_per_turn, turn
from benchmarks.native.problem import OURS, Problem
from benchmarks.native.samples import QUIET
from benchmarks.native.sides import arrays, compiles, make, start
from benchmarks.native.workloads.residual_columns import residual_columns
from pullback.core import trees

__all__ = ["depth", "main", "memory", "net", "samples"]

WIDTH, LAYERS = 4, 20
FEW = (7, 9)
"""Numbers of samples for which ours is called before, so that its code is there for all."""


def main() -> int:
    """Do what the arguments say and print a line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth.worker")
    parser.add_argument("what", choices=("samples", "depth", "memory"))
    parser.add_argument("--side", required=True)
    parser.add_argument("--sizes", type=int, nargs="+", required=True)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    if options.what == "samples":
        answer: Any = samples(options.side, options.sizes, options.rounds)
    elif options.what == "depth":
        (layers,) = options.sizes
        answer = depth(options.side, layers)
    else:
        (m,) = options.sizes
        answer = memory(options.side, m)
    print(json.dumps(answer))
    return 0


def net(m: int, layers: int = LAYERS) -> Problem:
    """The residual net of d = 4, all of its parameters' gradients."""
    return residual_columns(WIDTH, m, layers)


def samples(side: str, sizes: Sequence[int], rounds: int) -> dict[str, list[float]]:
    """Seconds a call for each number of samples, by turns.

    Parameters
    ----------
    side : str
    sizes : sequence of int
    rounds : int
    """
    calls = {m: make(net(m), side).call for m in sizes}
    for call in calls.values():
        call()
    many = {m: calls_per_turn(call, 0.01) for m, call in calls.items()}
    found: dict[str, list[float]] = {str(m): [] for m in sizes}
    for _ in range(rounds):
        for m, call in calls.items():
            sleep(QUIET)
            found[str(m)].append(turn(call, many[m]) / many[m])
    return found


def depth(side: str, layers: int) -> dict[str, float]:
    """Seconds to the first result for a number of layers, and of ours those of compiling."""
    start(side)
    problem = net(1_000, layers)
    if side != OURS or not compiles():
        call = make(problem, side).call
        begin = perf_counter()
        call()
        return {"first": perf_counter() - begin}
    derivative = pb.compile(pb.value_and_grad(problem.loss))
    begin = perf_counter()
    derivative(*problem.arguments)
    return {"first": perf_counter() - begin, **derivative.report(*problem.arguments).seconds}


def memory(side: str, m: int) -> dict[str, float]:
    """Bytes of the arguments, of the results, and by how much the memory in use grew in a call.

    What is compiled is compiled before.

    Parameters
    ----------
    side : str
    m : int
        Number of samples.
    """
    problem = net(m)
    call = _prepared(side, problem)
    gc.collect()
    before = _forget_the_peak()
    results = call()
    grown = max(0, _peak() - before)
    sizes = [sum(a.nbytes for a in leaves) for leaves in (_leaves(problem), arrays(results))]
    return {"inputs": sizes[0], "outputs": sizes[1], "grown": grown}


def _leaves(problem: Problem) -> list[Any]:
    return trees.flatten(problem.arguments)[0]


def _prepared(side: str, problem: Problem) -> Callable[[], Any]:
    """A call for many samples, nothing of which is left to compile."""
    if side == "JAX":
        return _compiled_by_jax(problem)
    if side != OURS or not compiles():
        make(net(FEW[0]), side).call()
        return make(problem, side).call
    derivative = pb.compile(pb.value_and_grad(problem.loss))
    for few in FEW:
        derivative(*net(few).arguments)
    return lambda: derivative(*problem.arguments)


def _compiled_by_jax(problem: Problem) -> Callable[[], Any]:
    """Which compiles for one number of samples at a time."""
    import jax

    jax.config.update("jax_enable_x64", True)
    on_device = jax.tree.map(jax.numpy.array, problem.arguments)
    derivative = jax.jit(jax.value_and_grad(problem.jax(jax)))
    compiled = derivative.lower(*on_device).compile()
    return lambda: jax.tree.leaves(jax.block_until_ready(compiled(*on_device)))


def _peak() -> int:
    """The most bytes that this process had in memory since that was forgotten, or ever."""
    found = _status("VmHWM")
    if found is not None:
        return found
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most


def _forget_the_peak() -> int:
    """The bytes in use; where the system does not tell, the most there ever were."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return _peak()
    return _status("VmRSS") or _peak()


def _status(name: str) -> int | None:
    """Bytes, as Linux counts them; `getrusage` starts with the most of the process that forked."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith(f"{name}:")]
    return 1024 * int(found[0]) if found else None


if __name__ == "__main__":
    sys.exit(main())
