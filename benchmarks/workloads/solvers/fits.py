"""Gradients through fits: how an estimate depends on the data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.optimize

from benchmarks.peers import jax, optimistix
from benchmarks.workloads.solvers.program import Function, Program

__all__ = ["decay", "rosenbrock"]

TIMES = np.linspace(0.0, 3.0, 50)
FIRST = np.array([1.0, 1.0, 0.0])


def _curve(np: Any, x: Any) -> Any:
    return x[0] * np.exp(-x[1] * TIMES) + x[2]


def decay() -> Program:
    """Three parameters of a decay, from 50 observations."""

    def function(observed: Any) -> Any:
        found = scipy.optimize.least_squares(lambda x: _curve(np, x) - observed, FIRST, xtol=1e-10)
        return np.sum(found.x**2)

    def with_optimistix() -> Function | None:
        if jax is None or optimistix is None:
            return None
        solver = optimistix.LevenbergMarquardt(rtol=1e-10, atol=1e-10)

        def loss(observed: Any) -> Any:
            found = optimistix.least_squares(
                lambda x, observed: _curve(jax.numpy, x) - observed, solver,
                jax.numpy.asarray(FIRST), args=observed,
            )  # fmt: skip
            return jax.numpy.sum(found.value**2)

        both = jax.jit(jax.value_and_grad(loss))
        return lambda observed: jax.block_until_ready(both(observed))

    noise = np.random.default_rng(0).normal(size=TIMES.size)
    return Program(
        "a fit of three parameters to 50 observations by least_squares, by these",
        function,
        2.0 * np.exp(-1.3 * TIMES) + 0.5 + 0.02 * noise,
        {"optimistix": with_optimistix},
        1e-5,
    )


def _valley(np: Any, x: Any, a: Any) -> Any:
    return np.sum(a * (x[1:] - x[:-1] ** 2) ** 2 + (1.1 - x[:-1]) ** 2)


def rosenbrock(size: int = 10) -> Program:
    """The minimum of a narrow valley, by how steep it is."""
    first = np.full(size, 0.5)

    def function(a: Any) -> Any:
        found = scipy.optimize.minimize(lambda x: _valley(np, x, a), first, method="BFGS", tol=1e-8)
        return np.sum(found.x**2)

    def with_optimistix() -> Callable[[Any], Any] | None:
        if jax is None or optimistix is None:
            return None
        solver = optimistix.BFGS(rtol=1e-8, atol=1e-8)

        def loss(a: Any) -> Any:
            found = optimistix.minimise(
                lambda x, a: _valley(jax.numpy, x, a), solver, jax.numpy.asarray(first), args=a,
                max_steps=2000,
            )  # fmt: skip
            return jax.numpy.sum(found.value**2)

        both = jax.jit(jax.value_and_grad(loss))
        return lambda a: jax.block_until_ready(both(a))

    return Program(
        f"a minimum in {size} variables by BFGS, by {size - 1} steepnesses",
        function,
        np.linspace(5.0, 20.0, size - 1),
        {"optimistix": with_optimistix},
        1e-3,
    )
