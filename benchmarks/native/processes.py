"""The processes of a measurement: what each is started with, and in what order they run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from benchmarks.native.problem import OURS, Problem, Threads
from benchmarks.native.sides import compiles

__all__ = ["Effort", "WorkerError", "environment", "measure", "run_worker"]

ROOT = Path(__file__).parents[2]


class WorkerError(Exception):
    """A process that ended otherwise than by its answer."""


@dataclass(frozen=True)
class Effort:
    """How to measure.

    Parameters
    ----------
    rounds : int
        Blocks of calls a side.
    seconds : float
        How long a block is, about.
    firsts : int
        How often to take the time to the first result, of each kind.
    clock : "wall" or "processor"
        The processors' time of all threads means something while a machine has other work, too.
        It is no measure of what is won by a second thread, so that there is none then.
    thorough : bool
        Whether to measure what seldom decides: the others with one thread beside ours with two,
        and JAX with a cache.
    """

    rounds: int = 15
    seconds: float = 0.04
    firsts: int = 3
    clock: Literal["wall", "processor"] = "wall"
    thorough: bool = True

    def threads(self, problem: Problem) -> tuple[Threads, ...]:
        """How many ours and the peers have, in one process after the other."""
        if self.clock != "wall":
            return (Threads(1, 1),)
        if problem.two_threads is None:
            return Threads(1, 1), Threads(1, 2)
        alone = (Threads(2, 1),) if self.thorough else ()
        return Threads(1, 1), Threads(2, 2), *alone


def measure(name: str, problem: Problem, effort: Effort) -> dict[str, Any]:
    """All figures of a problem, as they are written to the JSON file.

    Parameters
    ----------
    name : str
    problem : Problem
    effort : Effort

    Returns
    -------
    dict
        ``seconds``, by name of the `Threads` and side the seconds a call, block by block;
        ``left out``, by side the reason; ``differ``, by side how far its values are from the first
        side's; and ``first``, by side and by ``empty`` or ``warm`` cache the seconds to the first
        result.
    """
    figures: dict[str, Any] = {"seconds": {}, "left out": {}, "differ": {}}
    sides = list(problem.sides)
    for threads in effort.threads(problem):
        arguments = ["--rounds", str(effort.rounds), "--seconds", str(effort.seconds)]
        arguments += ["--clock", effort.clock, "--sides", *sides]
        answer = _run([name, *arguments], environment(threads))
        figures["seconds"][threads.name] = answer["seconds"]
        figures["left out"] |= answer["left out"]
        figures["differ"] |= answer["differ"]
        sides = [side for side in sides if side in answer["seconds"]]
    figures["first"] = _first_results(name, sides, problem, effort)
    return figures


def environment(threads: Threads) -> dict[str, str]:
    """What a process is started with, so that each side uses its number of threads, NumPy one."""
    numbers = {
        "PULLBACK_NUM_THREADS": threads.ours,
        "OMP_NUM_THREADS": threads.theirs,
        "NPROC": threads.theirs,  # how many XLA's pool has
        "OPENBLAS_NUM_THREADS": 1,
        "MKL_NUM_THREADS": threads.theirs,
    }
    flags = "--xla_cpu_multi_thread_eigen=false" if threads.theirs == 1 else ""
    return {
        **os.environ,
        **{name: str(number) for name, number in numbers.items()},
        "XLA_FLAGS": flags,
        "JAX_PLATFORMS": "cpu",
        "PULLBACK_CACHE": "off",
    }


def _first_results(name: str, sides: list[str], problem: Problem, effort: Effort) -> dict[str, Any]:
    """Seconds to the first result of ours and of JAX, by turns.

    JAX has no cache unless it is told to, so that its first results without are its usual ones.
    """
    if not compiles():
        return {}
    without = environment(effort.threads(problem)[1 if effort.clock == "wall" else 0])
    first: dict[str, Any] = {side: {"empty": []} for side in (OURS, "JAX") if side in sides}
    with tempfile.TemporaryDirectory() as filled:
        if "JAX" in first and effort.thorough:
            _first(name, "JAX", effort, without | _cache(filled))
        for _ in range(effort.firsts):
            for side, seconds in first.items():
                with tempfile.TemporaryDirectory() as fresh:
                    empty = without | _cache(fresh) if side == OURS else without
                    warm = empty if side == OURS else without | _cache(filled)
                    seconds["empty"].append(_first(name, side, effort, empty))
                    if side == OURS or effort.thorough:
                        again = _first(name, side, effort, warm)
                        seconds.setdefault("warm", []).append(again)
    return first


def _first(name: str, side: str, effort: Effort, variables: dict[str, str]) -> float:
    arguments = [name, "--clock", effort.clock, "--first", side]
    seconds: float = _run(arguments, variables)["seconds"]
    return seconds


def _cache(directory: str) -> dict[str, str]:
    return {
        "PULLBACK_CACHE": directory,
        "JAX_COMPILATION_CACHE_DIR": directory,
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


def _run(arguments: list[str], variables: dict[str, str]) -> dict[str, Any]:
    return run_worker("benchmarks.native.worker", arguments, variables)


def run_worker(module: str, arguments: list[str], variables: dict[str, str]) -> dict[str, Any]:
    """What a process prints on its last line, in JSON; raises `WorkerError` where it fails."""
    command = [sys.executable, "-m", module, *arguments]
    completed = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
    if completed.returncode != 0:
        last = (completed.stderr.strip().splitlines() or ["without a word"])[-1]
        raise WorkerError(f"{' '.join(arguments[:3])}: {last}")
    answer: dict[str, Any] = json.loads(completed.stdout.splitlines()[-1])
    return answer
