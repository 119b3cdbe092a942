"""A scalar function through a solver of SciPy's, and the same through other libraries' solvers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import pullback as pb
from benchmarks.workload import Workload

__all__ = ["Function", "Program", "workload"]

_POINTS = 16
"""At so many points in turn a program is evaluated: nothing is to be known from the call before."""

Function = Callable[[Any], Any]


@dataclass(frozen=True)
class Program:
    """One program.

    Parameters
    ----------
    title : str
        What is computed, with its sizes and tolerances.
    function : callable
        A scalar of one array, in NumPy and SciPy.
    point : array
        Around which it is differentiated.
    others : mapping of str to callable
        By library, what makes a function from a point to value and gradient; `None` of a library
        that is not installed.
    rtol : float
        How far the values may be from one another, as each library chooses its own steps.
    rounds : int
        How often it is called before it is compared.
    """

    title: str
    function: Function
    point: Any
    others: Mapping[str, Callable[[], Function | None]]
    rtol: float
    rounds: int = 12


def workload(name: str, make: Callable[[], Program]) -> Workload:
    """Value and gradient of a program, eager and compiled, beside the others."""
    program = make()
    points = [program.point * (1 + 1e-3 * k / _POINTS) for k in range(_POINTS)]
    both = pb.value_and_grad(program.function)
    functions: dict[str, Function | None] = {
        "pullback": both,
        "pullback, compiled": pb.compile(both),
    }
    functions |= {library: made() for library, made in program.others.items()}
    for _ in range(program.rounds):
        both(program.point)
    contenders = {library: _in_turn(f, points) for library, f in functions.items() if f is not None}
    title = f"value and gradient of {program.title}"
    peers = tuple(contenders)[2:3] or ("diffrax",)
    return Workload(f"solvers-{name}", title, contenders, peers, program.rtol, most=1.0, aim=0.3)


def _in_turn(f: Function, points: Sequence[Any]) -> Callable[[], list[Any]]:
    turns = itertools.cycle(points)

    def evaluate() -> list[Any]:
        value, gradient = f(next(turns))
        return [np.asarray(value), np.asarray(gradient)]

    return evaluate
