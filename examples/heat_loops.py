"""Loops that stay loops: a rod that is heated, followed in time and to its steady state.

The temperature u of a rod with cold ends obeys ∂u/∂t = ∂²u/∂x² + s, where s is the heating; if it
glows, it loses 100 u⁴ by radiation.

1. From the temperatures of a glowing rod after 600 steps in time, find the heating: the gradient of
   the misfit runs through `pb.scan`. With `checkpoint` its memory does not grow with the steps.
2. The steady state solves −∂²u/∂x² = s. Gauss–Seidel sweeps, element by element, until nothing
   moves any more: `pb.while_loop` around `pb.fori_loop`. Its gradient is compared with that of a
   direct solution.
"""

from __future__ import annotations

import tracemalloc

import numpy as np
from scipy.optimize import minimize

import pullback as pb

POINTS, STEPS = 21, 600
WIDTH = 1 / (POINTS + 1)
POSITIONS = np.linspace(WIDTH, 1 - WIDTH, POINTS)


def laplacian(u):
    """Second differences of a rod with cold ends."""
    padded = np.pad(u, 1)
    return (padded[:-2] - 2 * u + padded[2:]) / WIDTH**2


def temperature(heating, checkpoint=None):
    """The temperatures after all steps in time, from a cold start."""

    def step(u, _):
        return u + 0.4 * WIDTH**2 * (laplacian(u) + heating - 100 * u**4), None

    return pb.scan(step, np.zeros(POINTS), length=STEPS, checkpoint=checkpoint)[0]


def steady(heating, tolerance=1e-10):
    """The temperatures that stay as they are, by Gauss–Seidel sweeps."""

    def update(i, u):
        left = np.where(i > 0, u[i - 1], 0.0)
        right = np.where(i < POINTS - 1, u[(i + 1) % POINTS], 0.0)
        u[i] = 0.5 * (left + right + WIDTH**2 * heating[i])
        return u

    def sweep(state):
        u, _, count = state
        new = pb.fori_loop(0, POINTS, update, u)
        return new, np.max(np.abs(new - u)), count + 1

    start = (np.zeros(POINTS), np.inf, 0)
    u, _, count = pb.while_loop(lambda state: state[1] > tolerance, sweep, start)
    return u, count


def peak(gradient, x):
    """The memory at its peak while a gradient is computed, in kB."""
    tracemalloc.start()
    gradient(x)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / 1e3


def main() -> None:
    """Find the heating; then follow it to the steady state."""
    true = 10 * np.exp(-80 * (POSITIONS - 0.3) ** 2) + 5 * np.exp(-120 * (POSITIONS - 0.75) ** 2)
    measured = temperature(true)

    def misfit(heating, checkpoint=12):
        difference = temperature(heating, checkpoint) - measured
        return 1e4 * np.sum(difference**2)

    found = minimize(pb.value_and_grad(misfit), np.zeros(POINTS), jac=True)
    print(f"misfit: {misfit(np.zeros(POINTS)):.3f} before, {found.fun:.2e} after {found.nit} steps")
    print(f"largest error of the heating: {np.abs(found.x - true).max():.3f}")

    for checkpoint in (None, 12):
        gradient = pb.grad(lambda s, c=checkpoint: misfit(s, c))
        print(f"memory with checkpoint={checkpoint}: {peak(gradient, true):.0f} kB")
    print("same bits:", np.array_equal(*(pb.grad(misfit)(true / 2, c) for c in (None, 12))))

    u, sweeps = steady(true)
    middle = POINTS // 2
    by_loop = pb.grad(lambda s: steady(s)[0][middle])(true)
    matrix = (2 * np.eye(POINTS) - np.eye(POINTS, k=1) - np.eye(POINTS, k=-1)) / WIDTH**2
    by_solution = np.linalg.solve(matrix.T, np.eye(POINTS)[middle])
    print(f"steady state after {sweeps} sweeps, off by {np.abs(matrix @ u - true).max():.1e}")
    print(f"gradient of the middle by the loop: {by_loop[::10].round(7)}")
    print(f"by the solution of the equations:   {by_solution[::10].round(7)}")


if __name__ == "__main__":
    main()
