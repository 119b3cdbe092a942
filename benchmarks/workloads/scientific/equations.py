"""Programs that solve linear equations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

from benchmarks.workloads.scientific.program import Program

__all__ = ["kalman", "poisson"]

SIDE = 30
SECOND = scipy.sparse.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(SIDE, SIDE))
UNIT = scipy.sparse.eye_array(SIDE)
LAPLACIAN = (scipy.sparse.kron(SECOND, UNIT) + scipy.sparse.kron(UNIT, SECOND)).tocsc()
X = np.linspace(0.0, 1.0, SIDE)
WANTED = np.outer(np.sin(np.pi * X), np.sin(2 * np.pi * X)).ravel()

STATES, STEPS = 6, 50
RNG = np.random.default_rng(4)
MOTION = np.eye(STATES) + 0.1 * np.eye(STATES, k=3)
SEEN = np.eye(3, STATES)
MEASURED = np.cumsum(RNG.normal(size=(STEPS, 3)), axis=0)


def source(density: Any) -> Any:
    """How far the potential of a density is from the wanted one: −Δu = f on a square."""
    potential = scipy.sparse.linalg.spsolve(LAPLACIAN, density)
    return 0.5 * np.sum((potential - WANTED) ** 2) + 1e-3 * np.sum(density**2)


def filtered(np: Any) -> Callable[..., Any]:
    """−log likelihood of positions by a Kalman filter."""

    def likelihood(log_noise: Any, log_error: Any) -> Any:
        noise = np.exp(2 * log_noise) * np.eye(STATES)
        error = np.exp(2 * log_error) * np.eye(3)
        mean, spread, total = np.zeros(STATES), np.eye(STATES), 0.0
        for measured in MEASURED:
            mean, spread = MOTION @ mean, MOTION @ spread @ MOTION.T + noise
            surprise = measured - SEEN @ mean
            expected = SEEN @ spread @ SEEN.T + error
            gain = np.linalg.solve(expected, SEEN @ spread).T
            total = total + 0.5 * surprise @ np.linalg.solve(expected, surprise)
            total = total + 0.5 * np.linalg.slogdet(expected)[1]
            mean, spread = mean + gain @ surprise, spread - gain @ SEEN @ spread
        return total

    return likelihood


def with_autograd_kalman() -> Callable[..., Any]:
    import autograd.numpy as anp

    return filtered(anp)


def with_jax_kalman() -> Callable[..., Any]:
    import jax

    return filtered(jax.numpy)


def poisson() -> Program:
    """By a sparse matrix and `spsolve`."""
    return Program(f"a Poisson problem, {SIDE} × {SIDE}, by spsolve", source, (WANTED + 0.1,))


def kalman() -> Program:
    """By `numpy.linalg.solve`."""
    return Program(
        f"a Kalman filter, {STATES} states, {STEPS} steps, by solve",
        filtered(np),
        (np.array(-1.0), np.array(0.2)),
        with_autograd_kalman,
        with_jax_kalman,
    )
