"""How each library finds patterns, prepares and evaluates: functions of no arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import pullback as pb
from benchmarks.peers import asdex, casadi, jax
from benchmarks.sparse.problems import Problem

__all__ = ["SIDES", "Side"]


@dataclass(frozen=True)
class Side:
    """What one library does with a problem.

    Attributes
    ----------
    pattern : callable
        Finds the pattern and returns how many entries it has.
    prepare : callable
        Does all that is done once, the pattern included, and returns what evaluates the entries.
    """

    pattern: Callable[[], int]
    prepare: Callable[[], Callable[[], Any]]


def ours(problem: Problem, *, compiled: bool) -> Side:
    """pullback, by NumPy or compiled; what is compiled counts as preparation."""
    f, x = problem.spelled(np), problem.example
    make = pb.sparse_hessian if problem.hessian else pb.sparse_jacobian

    def prepare() -> Callable[[], Any]:
        matrix: Any = make(f, x)
        if compiled:
            matrix = pb.compile(matrix)
            matrix(x)
        return lambda: matrix(x)

    def pattern() -> int:
        found = pb.sparsity(pb.grad(f) if problem.hessian else f, x)
        return int(found.nnz)

    return Side(pattern, prepare)


def by_casadi(problem: Problem, kind: str) -> Side | None:
    """CasADi, by its scalar expressions SX or its matrix expressions MX, and its interpreter."""
    if casadi is None or problem.casadi is None:
        return None
    symbol = getattr(casadi, kind)
    x = np.ravel(problem.example)

    def function() -> tuple[Any, Any]:
        column = symbol.sym("x", len(x))
        return column, problem.casadi(casadi, column)

    def pattern() -> int:
        column, result = function()
        return int(casadi.Function("f", [column], [result]).jac_sparsity(0, 0).nnz())

    def prepare() -> Callable[[], Any]:
        column, result = function()
        jacobian = casadi.Function("j", [column], [casadi.jacobian(result, column)])
        given = np.ascontiguousarray(x)
        data = np.zeros(jacobian.nnz_out(0))
        buffer, call = jacobian.buffer()
        buffer.set_arg(0, memoryview(given))
        buffer.set_res(0, memoryview(data))
        call.held = jacobian, buffer, given, data
        return call

    return Side(pattern, prepare)


def by_asdex(problem: Problem) -> Side | None:
    """asdex on JAX, compiled; compiling counts as preparation."""
    if asdex is None:
        return None
    function, shape = problem.spelled(jax.numpy), problem.example.shape
    x = jax.numpy.asarray(np.ravel(problem.example))

    def f(x: Any) -> Any:
        return jax.numpy.ravel(function(x.reshape(shape))) if not problem.hessian else function(x)

    kind = "hessian" if problem.hessian else "jacobian"

    def pattern() -> int:
        return int(getattr(asdex, f"{kind}_sparsity")(f, x).nnz)

    def prepare() -> Callable[[], Any]:
        colouring = getattr(asdex, f"{kind}_coloring")(f, x)
        evaluate = jax.jit(getattr(asdex, f"{kind}_from_coloring")(f, colouring))
        jax.block_until_ready(evaluate(x))
        return lambda: jax.block_until_ready(evaluate(x))

    return Side(pattern, prepare)


SIDES: dict[str, Callable[[Problem], Side | None]] = {
    "pullback": lambda problem: ours(problem, compiled=False),
    "pullback, compiled": lambda problem: ours(problem, compiled=True),
    "CasADi SX": lambda problem: by_casadi(problem, "SX"),
    "CasADi MX": lambda problem: by_casadi(problem, "MX"),
    "asdex": by_asdex,
}
