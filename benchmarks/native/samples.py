"""Values compared and calls timed, in one process: blocks of each side's calls, by turns."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import perf_counter, sleep
from types import FrameType
from typing import Any

import numpy as np

from benchmarks.measure import Clock, calls_per_turn, turn
from benchmarks.native.problem import Problem
from benchmarks.native.sides import AbsentError, Side, arrays, make

__all__ = ["differ", "first_calls", "sample"]

PATIENCE = 5.0
"""Seconds a side that does not compile may take for a call; one that takes longer is left out."""

QUIET = 0.003
"""Seconds between blocks: threads of a library that wait in loops for more work give up by then."""

LONGEST = 30.0
"""Seconds after which there are no further rounds, if there were three."""


def first_calls(problem: Problem, names: Sequence[str]) -> tuple[dict[str, Side], dict[str, Any]]:
    """The sides that can take part, each called once and compared with the first of them.

    Parameters
    ----------
    problem : Problem
    names : sequence of str
        Of the sides.

    Returns
    -------
    sides : dict of str to Side
    notes : dict
        ``left out``, by name the reasons; and ``differ``, by name the greatest deviation from the
        first side's values, relative to the largest of each array.
    """
    sides: dict[str, Side] = {}
    left_out: dict[str, str] = {}
    differences: dict[str, float] = {}
    expected: list[Any] | None = None
    for name in names:
        try:
            side = make(problem, name)
            if side.patient:
                results = arrays(side.call())
            else:
                with _patience(PATIENCE):
                    results = arrays(side.call())
        except AbsentError as reason:
            left_out[name] = str(reason)
            continue
        sides[name] = side
        if not side.compared:
            continue
        if expected is None:
            expected, reference = results, name
        differences[name] = differ(results, expected)
        if not differences[name] <= problem.rtol:
            raise AssertionError(
                f"the values of {name} are not those of {reference}: they differ by "
                f"{differences[name]:.1e}, at most {problem.rtol:.0e} is right"
            )
    return sides, {"left out": left_out, "differ": differences}


def differ(results: Sequence[Any], expected: Sequence[Any]) -> float:
    """The greatest deviation, relative to the largest number of each array; NaN for NaN."""
    kinds = [[(a.shape, a.dtype) for a in side] for side in (results, expected)]
    if kinds[0] != kinds[1]:
        raise AssertionError(f"arrays of other shapes or dtypes: {kinds[0]}, not {kinds[1]}")
    worst = 0.0
    for array, wanted in zip(results, expected, strict=True):
        scale = np.max(np.abs(wanted)) or 1.0
        worst = np.maximum(worst, np.max(np.abs(array - wanted)) / scale)
    return float(worst)


def sample(
    sides: Mapping[str, Side], rounds: int, seconds: float, clock: Clock = perf_counter
) -> dict[str, list[float]]:
    """Seconds a call of each side, one figure for each of its blocks.

    Parameters
    ----------
    sides : mapping of str to Side
    rounds : int
        How many blocks each has; fewer, yet three, where calls take long.
    seconds : float
        How long a block lasts, about.
    clock : callable
    """
    calls = {name: calls_per_turn(side.call, seconds, clock) for name, side in sides.items()}
    samples: dict[str, list[float]] = {name: [] for name in sides}
    start = perf_counter()
    for done in range(rounds):
        if done >= 3 and perf_counter() - start > LONGEST:
            break
        for name, side in sides.items():
            sleep(QUIET)
            if calls[name] > 1:
                side.call()
            samples[name].append(turn(side.call, calls[name], clock) / calls[name])
    return samples


@contextmanager
def _patience(seconds: float) -> Iterator[None]:
    """Give up what takes longer, where it comes back to Python."""
    over = False

    def give_up(_: int, frame: FrameType | None) -> None:
        nonlocal over
        over = True
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except Exception as error:
        if over:
            raise AbsentError(f"over {seconds:g} s a call") from error
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
