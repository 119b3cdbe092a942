"""A scalar function with Python's loops, and the same in JAX's spelling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

import pullback as pb
from benchmarks.peers import jax
from benchmarks.workload import Workload

__all__ = ["Program", "weighted", "workload"]


@dataclass(frozen=True)
class Program:
    """One program.

    Parameters
    ----------
    title : str
        What is computed, with its sizes.
    function : callable
        A scalar of arrays, in NumPy and Python's loops.
    arguments : sequence of array
        The point; it is differentiated by all of them.
    with_jax : callable
        Given ``jax``, the same function in the spelling that is fastest there.
    most : float
        How many times as long as JAX the compiled gradient may take.
    eager : bool
        Whether it is called without compiling, too, which must not take minutes.
    """

    title: str
    function: Callable[..., Any]
    arguments: Sequence[Any]
    with_jax: Callable[[ModuleType], Callable[..., Any]]
    most: float
    eager: bool = False


def weighted(np: Any, A: Any) -> Any:
    """The sum of the squares, each of which counts in another way: no gradient is constant."""
    return np.sum(np.cos(np.arange(A.size).reshape(A.shape)) * A * A)


def workload(name: str, make: Callable[[], Program]) -> Workload:
    """Value and gradient of a program by all its arguments, compiled, beside JAX and eager."""
    program = make()
    arguments, argnums = program.arguments, tuple(range(len(program.arguments)))
    both = pb.value_and_grad(program.function, argnums)
    compiled = pb.compile(both)
    contenders: dict[str, Callable[[], Sequence[Any]]] = {
        "pullback": lambda: _flat(compiled(*arguments))
    }
    if program.eager:
        contenders["pullback, eager"] = lambda: _flat(both(*arguments))
    if jax is not None:
        theirs = jax.jit(jax.value_and_grad(program.with_jax(jax), argnums))
        on_device = list(map(jax.numpy.asarray, arguments))
        contenders["JAX"] = lambda: _flat(jax.block_until_ready(theirs(*on_device)))
    title = f"value and gradient of {program.title}"
    return Workload(f"loops-{name}", title, contenders, ("JAX",), 1e-8, most=program.most)


def _flat(results: Any) -> list[Any]:
    value, gradients = results
    return [np.asarray(value), *gradients]
