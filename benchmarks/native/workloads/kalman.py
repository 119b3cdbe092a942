"""A Kalman filter: a scan over matrices of three and six rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import pullback as pb
from benchmarks.native.problem import Problem

__all__ = ["kalman"]

H = 0.1
POSITIONS = np.eye(3, 6)
DRIFT = np.eye(6) + H * np.eye(6, k=3)
FRICTION = H * np.diag([0.0, 0.0, 0.0, 1.0, 1.0, 1.0])


def written(np: Any, scan: Callable[..., Any]) -> Callable[..., Any]:
    def loss(theta: Any, observed: Any) -> Any:
        """−log p(observed), from log-variances of motion and sensors, and friction."""
        motion = np.exp(theta[0]) * H * np.eye(6)
        sensors = np.diag(np.exp(theta[1:4]))
        advance = DRIFT - theta[4] * FRICTION

        def step(carry: Any, y: Any) -> tuple[Any, Any]:
            x, covariance = carry
            x, covariance = advance @ x, advance @ covariance @ advance.T + motion
            seen = POSITIONS @ covariance
            innovation, spread = y - POSITIONS @ x, seen @ POSITIONS.T + sensors
            gain = np.linalg.solve(spread, seen).T
            surprise = innovation @ np.linalg.solve(spread, innovation)
            x, covariance = x + gain @ innovation, covariance - gain @ seen
            return (x, covariance), surprise + np.linalg.slogdet(spread)[1]

        _, terms = scan(step, (np.zeros(6), np.eye(6)), observed)
        return 0.5 * np.sum(terms)

    return loss


def kalman(steps: int = 200) -> Problem:
    """The gradient by five parameters: six states, three of them observed."""
    rng = np.random.default_rng(0)
    observed = np.cumsum(0.1 * rng.normal(size=(steps, 3)), axis=0)
    return Problem(
        f"Kalman filter, 6 states, 3 observed, {steps:,} steps",
        written(np, pb.scan),
        (np.array([-1.0, -2.0, -1.5, -1.0, 0.3]), observed),
        jax=lambda jax: written(jax.numpy, jax.lax.scan),
        rtol=1e-8,
    )
