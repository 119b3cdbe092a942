"""One-step methods for Hamilton's equations q̇ = ∂H/∂p, ṗ = −∂H/∂q.

The Hamiltonian need not be separable, so the symplectic methods have implicit stages. They are
solved by fixed-point iteration, which contracts by about h·|∂²H/∂q∂p| a round: where H is separable
it is exact after one round, and where H is nearly separable it needs a few.

Source: E. Hairer, Ch. Lubich and G. Wanner, *Geometric Numerical Integration*, 2nd ed., Springer
2006, sections I.1.2 (the methods), VI.3 (they are symplectic) and IX.8 (their energy stays within
O(hʳ), r the order, of its initial value over exponentially long times).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullback.errors import ArgumentValueError

__all__ = [
    "METHODS",
    "Gradient",
    "Method",
    "State",
    "explicit_euler",
    "flow",
    "stormer_verlet",
    "symplectic_euler",
]

Array = NDArray[np.float64]
State = tuple[Array, Array]
"""Positions q and momenta p, arrays of one shape: one entry for each trajectory."""

Gradient = Callable[[Array, Array], tuple[Array, Array]]
"""(q, p) ↦ (∂H/∂q, ∂H/∂p)"""

Method = Callable[[Gradient, Array, Array, float], State]

TOLERANCE = 1e-13
ROUNDS = 60


def explicit_euler(gradient: Gradient, q: Array, p: Array, h: float) -> State:
    """qₙ₊₁ = qₙ + h H_p(qₙ, pₙ), pₙ₊₁ = pₙ − h H_q(qₙ, pₙ): order 1, not symplectic.

    On an oscillator its energy grows by a factor of about 1 + h² a step.
    """
    h_q, h_p = gradient(q, p)
    return q + h * h_p, p - h * h_q


def symplectic_euler(gradient: Gradient, q: Array, p: Array, h: float) -> State:
    """pₙ₊₁ = pₙ − h H_q(qₙ, pₙ₊₁), qₙ₊₁ = qₙ + h H_p(qₙ, pₙ₊₁): order 1, symplectic."""
    new_p = _fixed_point(lambda stage: p - h * gradient(q, stage)[0], p)
    return q + h * gradient(q, new_p)[1], new_p


def stormer_verlet(gradient: Gradient, q: Array, p: Array, h: float) -> State:
    """Half a step of symplectic Euler, then half a step of its adjoint: order 2, symplectic.

    p½ = pₙ − h/2 H_q(qₙ, p½),  qₙ₊₁ = qₙ + h/2 (H_p(qₙ, p½) + H_p(qₙ₊₁, p½)),
    pₙ₊₁ = p½ − h/2 H_q(qₙ₊₁, p½).
    """
    half = _fixed_point(lambda stage: p - h / 2 * gradient(q, stage)[0], p)
    middle = q + h / 2 * gradient(q, half)[1]
    new_q = _fixed_point(lambda stage: middle + h / 2 * gradient(stage, half)[1], middle)
    return new_q, half - h / 2 * gradient(new_q, half)[0]


METHODS: dict[str, Method] = {
    "Störmer–Verlet": stormer_verlet,
    "symplectic Euler": symplectic_euler,
    "explicit Euler": explicit_euler,
}
"""The methods by name, best first."""


def flow(
    method: Method, gradient: Gradient, q: Any, p: Any, h: float, steps: int
) -> Iterator[State]:
    """The states (q, p) at the times 0, h, …, steps·h, one after the other.

    Parameters
    ----------
    method : callable
        One of `METHODS`.
    gradient : callable
        ``gradient(q, p)`` returns (∂H/∂q, ∂H/∂p).
    q, p : array_like
        The initial states, of one shape; several trajectories advance side by side.
    h : float
        The time step.
    steps : int

    Raises
    ------
    ArgumentValueError
        Where the step is so long that an implicit stage has no solution nearby.
    """
    q, p = np.asarray(q, dtype=float), np.asarray(p, dtype=float)
    yield q, p
    for _ in range(steps):
        q, p = method(gradient, q, p, h)
        yield q, p


def _fixed_point(update: Callable[[Array], Array], start: Array) -> Array:
    """The solution of x = update(x) near `start`."""
    x = start
    # An iteration that diverges overflows; the error below says more than a warning would.
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(ROUNDS):
            previous, x = x, update(x)
            change = float(np.max(np.abs(x - previous), initial=0.0))
            if not np.isfinite(change):
                break
            if change <= TOLERANCE * (1.0 + float(np.max(np.abs(x), initial=0.0))):
                return x
    raise ArgumentValueError(
        "the implicit stage of the integrator does not settle: the last of at most "
        f"{ROUNDS} rounds of fixed-point iteration changed it by {change:.1e}; take a shorter "
        "time step h"
    )
