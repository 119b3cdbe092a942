"""An arm with seven joints: kinematics, and the mass matrix from the links' Jacobians."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.native.problem import BEST, Problem, in_jax

__all__ = ["arm"]

OFFSETS = np.array([0.33, 0.0, 0.32, 0.0, 0.38, 0.0, 0.11])
LENGTHS = np.array([0.0, 0.0, 0.08, -0.08, 0.0, 0.09, 0.0])
TWISTS = np.pi / 2 * np.array([-1.0, 1.0, 1.0, -1.0, 1.0, 1.0, 0.0])
CENTRES = np.array([[0.01 * i, 0.02, -0.05, 1.0] for i in range(7)])
MASSES = np.linspace(5.0, 0.7, 7)
INERTIAS = MASSES[:, None, None] * 0.01 * np.diag([1.0, 1.2, 0.6])
GOAL = np.array([0.4, 0.1, 0.6])


def written(np: Any) -> Callable[..., Any]:
    def transform(angle: Any, i: int) -> Any:
        """From a link to the one before, after Denavit and Hartenberg."""
        c, s = np.cos(angle), np.sin(angle)
        ct, st = np.cos(TWISTS[i]), np.sin(TWISTS[i])
        return np.array(
            [
                [c, -s * ct, s * st, LENGTHS[i] * c],
                [s, c * ct, -c * st, LENGTHS[i] * s],
                [0.0, st, ct, OFFSETS[i]],
                [0.0, 0.0, 0.0, 1.0],
            ]
        )

    def loss(q: Any, velocity: Any) -> Any:
        """The kinetic energy and half the squared distance of the tip from its goal."""
        joints = len(q)
        frames = [np.eye(4)]
        for i in range(joints):
            frames.append(frames[i] @ transform(q[i], i))
        mass = np.zeros((joints, joints))
        for i in range(joints):
            frame = frames[i + 1]
            centre, rotation = (frame @ CENTRES[i])[:3], frame[:3, :3]
            moves, turns = [], []
            for j in range(joints):
                axis, origin = frames[j][:3, 2], frames[j][:3, 3]
                moves.append(np.cross(axis, centre - origin) if j <= i else np.zeros(3))
                turns.append(axis if j <= i else np.zeros(3))
            move, turn = np.stack(moves, axis=1), rotation.T @ np.stack(turns, axis=1)
            mass = mass + MASSES[i] * move.T @ move + turn.T @ INERTIAS[i] @ turn
        tip = frames[-1][:3, 3]
        return 0.5 * velocity @ mass @ velocity + 0.5 * np.sum((tip - GOAL) ** 2)

    return loss


def arm(joints: int = 7) -> Problem:
    """The gradient by angles and velocities."""
    rng = np.random.default_rng(0)
    return Problem(
        f"kinematics and mass matrix of an arm with {joints} joints",
        written(np),
        (rng.uniform(-1.0, 1.0, size=joints), rng.normal(size=joints)),
        jax=in_jax(written),
        bounds={BEST: 0.2},
        argnums=(0, 1),
    )
