"""A scalar function in NumPy and SciPy, and the same for libraries of their own dialects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pullback as pb
from benchmarks.peers import autograd, jax
from benchmarks.workload import Workload

__all__ = ["Program", "workload"]

Function = Callable[..., Any]


@dataclass(frozen=True)
class Program:
    """One program.

    Parameters
    ----------
    title : str
        What is computed, with its sizes.
    function : callable
        A scalar of arrays, in NumPy and SciPy.
    arguments : sequence of array
        The point; it is differentiated by all of them.
    with_autograd, with_jax : callable, optional
        Make the same function of that library's functions; without it the library can't run it.
    """

    title: str
    function: Function
    arguments: Sequence[Any]
    with_autograd: Callable[[], Function] | None = None
    with_jax: Callable[[], Function] | None = None

    @property
    def argnums(self) -> tuple[int, ...]:
        return tuple(range(len(self.arguments)))


def workload(name: str, make: Callable[[], Program]) -> Workload:
    """The gradient of a program by all its arguments, eager and compiled, beside the others'."""
    program = make()
    arguments, argnums = program.arguments, program.argnums
    gradient = pb.grad(program.function, argnums)
    compiled = pb.compile(gradient)
    contenders: dict[str, Callable[[], Sequence[Any]]] = {
        "pullback": lambda: gradient(*arguments),
        "pullback, compiled": lambda: compiled(*arguments),
    }
    if autograd is not None and program.with_autograd is not None:
        theirs = autograd.grad(program.with_autograd(), argnums)
        contenders["autograd"] = lambda: theirs(*arguments)
    if jax is not None and program.with_jax is not None:
        jitted = jax.jit(jax.grad(program.with_jax(), argnums))
        on_device = list(map(jax.numpy.asarray, arguments))
        contenders["JAX, compiled"] = lambda: jax.block_until_ready(jitted(*on_device))
    title = f"gradient of {program.title}"
    return Workload(f"scientific-{name}", title, contenders, ("autograd",), 1e-6, most=0.7)
