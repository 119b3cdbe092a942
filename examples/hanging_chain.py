"""A nonlinear program: a chain of equal links hangs down between two hooks.

Its energy is least while each link keeps its length: as many equations as links. The method
trust-constr takes the Jacobian of the equations and the Hessian of v·c(x), the multipliers v times
the constraints, as sparse matrices, which `pb.sparse_jacobian` and `pb.sparse_hessian` make.

    python hanging_chain.py [picture.svg]
"""

from __future__ import annotations

import sys

import numpy as np
from scipy.optimize import NonlinearConstraint, brentq, minimize

import pullback as pb

LINKS, SPAN, LENGTH = 30, 2.0, 3.0


def joints(p):
    """All points, from hook to hook, from those between, as two rows in one vector."""
    ends = np.array([[0.0, SPAN], [0.0, 0.0]])
    return np.concatenate([ends[:, :1], np.reshape(p, (2, LINKS - 1)), ends[:, 1:]], axis=1)


def energy(p):
    """Height of the links' middles, on average."""
    y = joints(p)[1]
    return np.sum(y[1:] + y[:-1]) / (2 * LINKS)


def stretch(p):
    """How much longer than it should be each link is, in squares."""
    x, y = joints(p)
    length = LENGTH / LINKS
    return ((x[1:] - x[:-1]) ** 2 + (y[1:] - y[:-1]) ** 2) / length**2 - 1


def catenary():
    """The lowest point of a chain without links, by its equation 2a sinh(SPAN / 2a) = LENGTH."""
    a = brentq(lambda a: 2 * a * np.sinh(SPAN / (2 * a)) - LENGTH, 0.1, 10.0)
    return a * (1 - np.cosh(SPAN / (2 * a)))


def main(picture: str | None = None) -> None:
    """Let the chain hang, and compare with the catenary."""
    place = np.linspace(0, 1, LINKS + 1)[1:-1]
    p = np.concatenate([SPAN * place, -4 * place * (1 - place)])
    v = np.ones(LINKS)
    J = pb.sparse_jacobian(stretch, p)
    H = pb.sparse_hessian(lambda p, v: v @ stretch(p), p, v)
    print(f"Jacobian {J.shape}: {J.pattern.nnz} entries by {J.colours} products")
    print(f"Hessian {H.shape}: {H.pattern.nnz} entries by {H.colours} products")
    found = minimize(
        energy, p, jac=pb.grad(energy), hess=pb.sparse_hessian(energy, p), method="trust-constr",
        constraints=NonlinearConstraint(stretch, 0, 0, jac=J, hess=H),
        options={"gtol": 1e-9, "xtol": 1e-12, "maxiter": 500},
    )  # fmt: skip
    multipliers = found.v[0]
    gradient = pb.grad(energy)(found.x) + J(found.x).T @ multipliers
    print(f"{found.nit} iterations, links are right up to {np.max(np.abs(stretch(found.x))):.1e}")
    print(f"gradient of the Lagrangian {np.max(np.abs(gradient)):.1e}")
    lowest = np.min(joints(found.x)[1])
    print(f"lowest point {lowest:.4f}, of the catenary {catenary():.4f}")
    if picture:
        from matplotlib import pyplot as plt

        _, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
        left.plot(*joints(p), ":", label="start")
        left.plot(*joints(found.x), "o-", label="at rest")
        left.set_aspect("equal")
        left.legend()
        H.plot(right)
        plt.savefig(picture)


if __name__ == "__main__":
    main(*sys.argv[1:2])
