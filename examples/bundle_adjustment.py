"""Bundle adjustment: where cameras stood and what they saw, from points in their pictures.

Each residual depends on one camera and one point, so that the Jacobian is nearly empty;
`pb.sparse_jacobian` finds that out and evaluates it by a few products. Gauss–Newton with the
damping of Levenberg and Marquardt solves (JᵀJ + λ D) δ = −Jᵀr with SciPy's sparse solver.

    python bundle_adjustment.py [picture.svg]
"""

from __future__ import annotations

import sys

import numpy as np
from scipy.sparse import diags_array
from scipy.sparse.linalg import spsolve

import pullback as pb

CAMERAS, POINTS = 6, 80
RNG = np.random.default_rng(0)


def rotated(vectors, points):
    """Points turned by rotation vectors, by Rodrigues' formula."""
    square = np.sum(vectors**2, axis=1, keepdims=True)
    angle = np.sqrt(square + 1e-30)
    along = np.sum(vectors * points, axis=1, keepdims=True)
    return (
        np.cos(angle) * points
        + np.sin(angle) / angle * np.cross(vectors, points)
        + (1 - np.cos(angle)) / angle**2 * along * vectors
    )


def projected(cameras, points):
    """Where points are in pictures; a camera is a rotation, a translation and a focal length."""
    x, y, z = (rotated(cameras[:, :3], points) + cameras[:, 3:6]).T
    return cameras[:, 6:] * np.stack([x / z, y / z], axis=1)


def scene():
    """Cameras on an arc around a cloud of points, and which sees which."""
    points = RNG.standard_normal((POINTS, 3))
    angles = np.linspace(-0.6, 0.6, CAMERAS)
    cameras = np.zeros((CAMERAS, 7))
    cameras[:, 1], cameras[:, 5], cameras[:, 6] = angles, 8.0, 1.0 + 0.1 * np.cos(angles)
    seen_by, seen = np.nonzero(RNG.random((CAMERAS, POINTS)) < 0.7)
    return cameras, points, seen_by, seen


def adjust(residuals, J, unknowns, steps=25):
    """Levenberg's and Marquardt's method; yields the sums of squares."""
    damping, r = 1e-3, residuals(*unknowns)
    cameras, points = unknowns
    for _ in range(steps):
        jacobian = J(cameras, points)
        normal = (jacobian.T @ jacobian).tocsc()
        gradient = jacobian.T @ r
        while True:
            step = spsolve(
                normal + damping * diags_array(normal.diagonal(), format="csc"), -gradient
            )
            trial = (
                cameras + step[: cameras.size].reshape(cameras.shape),
                points + step[cameras.size :].reshape(points.shape),
            )
            there = residuals(*trial)
            if there @ there <= r @ r or damping > 1e8:
                break
            damping *= 4
        (cameras, points), r, damping = trial, there, damping / 5
        yield r @ r


def main(picture: str | None = None) -> None:
    """Disturb a scene, and find it again up to the noise in the pictures."""
    cameras, points, seen_by, seen = scene()
    noise = 1e-3
    pictures = projected(cameras[seen_by], points[seen])
    pictures = pictures + noise * RNG.standard_normal(pictures.shape)

    def residuals(cameras, points):
        return np.ravel(projected(cameras[seen_by], points[seen]) - pictures)

    start = (
        cameras + 0.02 * RNG.standard_normal(cameras.shape),
        points + 0.1 * RNG.standard_normal(points.shape),
    )
    J = pb.sparse_jacobian(residuals, *start, argnums=(0, 1))
    m, n = J.shape
    print(f"{m} residuals, {n} unknowns, {J.pattern.nnz} entries by {J.colours} products")
    before = residuals(*start)
    history = [before @ before]
    for square in adjust(residuals, J, start):
        history.append(square)
        if history[-2] - square < 1e-8 * square:
            break
    expected = noise**2 * (m - n + 7)  # a scene is moved, turned and scaled freely
    print(f"sum of squares {history[0]:.3e} before and {history[-1]:.3e} after,")
    print(f"of which the noise explains {expected:.3e}, in {len(history) - 1} steps")
    if picture:
        from matplotlib import pyplot as plt

        _, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
        J.plot(left)
        right.semilogy(history, "o-")
        right.axhline(expected, linestyle=":", color="grey")
        right.set_xlabel("step")
        right.set_title("sum of squares")
        plt.savefig(picture)


if __name__ == "__main__":
    main(*sys.argv[1:2])
