"""Spots from noise: Gray's and Scott's reactions with diffusion, integrated by BDF.

Diffusion on a grid makes the equations stiff, and an implicit method solves with their Jacobian at
each step. By differences that takes a call of the right side for each unknown, unless somebody says
where it may be other than zero; `pb.sparse_jacobian` finds that out by itself, and is exact.

    python stiff_reaction_diffusion.py [picture.svg]
"""

from __future__ import annotations

import sys

import numpy as np
from scipy.integrate import solve_ivp

import pullback as pb

SIDE = 24
FEED, KILL = 0.035, 0.06


def reaction_diffusion(t, w):
    """Two substances on a torus, one after the other in a vector; the time does not matter."""
    u, v = np.reshape(w, (2, SIDE, SIDE))

    def laplacian(a):
        return sum(np.roll(a, step, axis) for step in (1, -1) for axis in (0, 1)) - 4 * a

    reaction = u * v**2
    du = 1.6 * laplacian(u) - reaction + FEED * (1 - u)
    dv = 0.8 * laplacian(v) + reaction - (FEED + KILL) * v
    return np.concatenate([np.ravel(du), np.ravel(dv)])


def start():
    """A square of the second substance in the first, with noise."""
    rng = np.random.default_rng(0)
    u, v = np.ones((SIDE, SIDE)), np.zeros((SIDE, SIDE))
    middle = slice(SIDE // 2 - 4, SIDE // 2 + 4)
    u[middle, middle], v[middle, middle] = 0.5, 0.5
    return np.ravel([u, v]) + 0.01 * rng.random(2 * SIDE**2)


def main(picture: str | None = None) -> None:
    """Integrate with the sparse Jacobian, and compare with an explicit method."""
    w = start()
    J = pb.sparse_jacobian(reaction_diffusion, 0.0, w, argnums=1)
    n = w.size
    print(f"{n} unknowns, {J.pattern.nnz} entries by {J.colours} products")
    span, tight = (0.0, 60.0), {"rtol": 1e-5, "atol": 1e-7}
    implicit = solve_ivp(reaction_diffusion, span, w, method="BDF", jac=J, **tight)
    explicit = solve_ivp(reaction_diffusion, span, w, method="RK45", **tight)
    end, other = implicit.y[:, -1], explicit.y[:, -1]
    print(f"BDF: {implicit.nfev} calls, {implicit.njev} Jacobians, {implicit.t.size - 1} steps")
    print(f"RK45: {explicit.nfev} calls, {explicit.t.size - 1} steps")
    print(f"largest difference {np.max(np.abs(end - other)):.1e}")
    if picture:
        from matplotlib import pyplot as plt

        _, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
        left.imshow(end[n // 2 :].reshape(SIDE, SIDE))
        left.set_title("second substance at the end")
        J.plot(right)
        plt.savefig(picture)


if __name__ == "__main__":
    main(*sys.argv[1:2])
