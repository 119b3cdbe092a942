"""The sides of a problem, ready to be called: each evaluates the derivative once a call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

import pullback as pb
from benchmarks.native.problem import COPY, OURS, Problem
from pullback.core import trees

__all__ = ["AbsentError", "Side", "compiles", "make", "start"]


class AbsentError(Exception):
    """A side that can't take part, and why."""


@dataclass(frozen=True)
class Side:
    """One library's derivative.

    Parameters
    ----------
    call : callable
        Evaluates it, and returns when the results are there.
    patient : bool
        Whether the first call compiles, and may take its time.
    compared : bool
        Whether its results are the derivative.
    """

    call: Callable[[], Any]
    patient: bool = False
    compared: bool = True


def arrays(results: Any) -> list[Any]:
    """Copies of the results, for what is donated is written over by the next call."""
    return [np.array(leaf) for leaf in trees.flatten(results)[0]]


def make(problem: Problem, side: str) -> Side:
    """A side by its name; raises `AbsentError` where it can't be had."""
    if side == OURS:
        return _ours(problem)
    if side == "by hand":
        return Side(partial(problem.by_hand, *problem.arguments))
    if side == COPY:
        return _copy(problem)
    if side == "PyTorch":
        return _torch(problem)
    return _jax(problem, side)


def compiles() -> bool:
    """Whether there is a compiler; without, the eager derivative is what is called."""
    return hasattr(pb, "compile")


def start(side: str) -> None:
    """Have a side compile something trivial, so that its start is not in what is timed next."""
    if side == OURS:
        if compiles():
            pb.compile(np.negative)(np.zeros(2))
    else:
        jax = _library("jax")
        jax.block_until_ready(jax.jit(jax.numpy.negative)(jax.numpy.zeros(2)))


def _ours(problem: Problem) -> Side:
    function = _derivative(pb, problem.loss, problem)
    if problem.donate:
        if not compiles():
            raise AbsentError("eager functions take no donations")
        compiled = pb.compile(function, donate=problem.argnums)
        return Side(_chain(compiled, problem.arguments), patient=True)
    if compiles():
        return Side(partial(pb.compile(function), *problem.arguments), patient=True)
    return Side(partial(function, *problem.arguments))


def _jax(problem: Problem, side: str) -> Side:
    jax = _library("jax")
    spelling = problem.jax if side == "JAX" else problem.other[side.removeprefix("JAX, ")]
    derivative = _derivative(jax, spelling(jax), problem)

    def flat(*arguments: Any) -> Sequence[Any]:
        return jax.tree.leaves(derivative(*arguments))

    donated = problem.argnums if problem.donate else ()
    compiled = jax.jit(flat, donate_argnums=donated)
    on_device = jax.tree.map(jax.numpy.array, problem.others or problem.arguments)

    def evaluate(*arguments: Any) -> Sequence[Any]:
        results = compiled(*arguments)
        results[0].block_until_ready()  # as all results of a computation are, then
        return results

    if problem.donate:
        return Side(_chain(evaluate, on_device), patient=True)
    return Side(partial(evaluate, *on_device), patient=True)


def _torch(problem: Problem) -> Side:
    torch = _library("torch")
    loss = problem.torch(torch)
    own = problem.others or problem.arguments
    tensors: Any = trees.map_tree(lambda a: torch.from_numpy(a.copy()), own)
    if problem.derivative == "as written":
        return Side(partial(loss, *tensors))
    if problem.derivative == "Hessian":
        hessian = torch.func.hessian(loss, _argnums(problem))
        return Side(lambda: hessian(*tensors))
    leaves = trees.flatten([tensors[position] for position in problem.argnums])[0]
    for leaf in leaves:
        leaf.requires_grad_()
    with_value = problem.derivative == "value and gradient"

    def call() -> Sequence[Any]:
        value = loss(*tensors)
        gradient = torch.autograd.grad(value, leaves)
        return (value.detach(), *gradient) if with_value else gradient

    return Side(call)


def _derivative(library: Any, function: Callable[..., Any], problem: Problem) -> Any:
    """The derivative of a function by pullback or JAX, whose names for them are the same."""
    if problem.derivative == "as written":
        return function
    transform = {
        "value and gradient": library.value_and_grad,
        "gradient": library.grad,
        "Hessian": library.hessian,
    }[problem.derivative]
    return transform(function, argnums=_argnums(problem))


def _copy(problem: Problem) -> Side:
    """Copies as many bytes as the donated arguments have: they are read, and as many written."""
    sources = [problem.arguments[position] for position in problem.argnums]
    targets = [np.zeros_like(source) for source in sources]

    def call() -> None:
        for target, source in zip(targets, sources, strict=True):
            np.copyto(target, source)

    return Side(call, compared=False)


def _chain(function: Callable[..., Any], arguments: Sequence[Any]) -> Callable[[], Any]:
    """Call after call of a value and gradient, each at the gradient of the one before."""
    state = [argument.copy() for argument in arguments]

    def call() -> Any:
        results = function(*state)
        state[:] = trees.flatten(results)[0][1:]
        return results

    return call


def _argnums(problem: Problem) -> int | tuple[int, ...]:
    return problem.argnums[0] if len(problem.argnums) == 1 else problem.argnums


def _library(name: str) -> Any:
    try:
        if name == "torch":
            import torch

            return torch
        import jax
    except ImportError as error:
        raise AbsentError("not installed") from error
    jax.config.update("jax_enable_x64", True)
    return jax
