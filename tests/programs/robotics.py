"""The dynamics of an arm with three joints, written in the three usual ways.

Twists and wrenches are six numbers, the rotation first, as in K. Lynch and F. Park, "Modern
Robotics", 2017. Their section 8.3 is :func:`inverse_dynamics`; :func:`newton_euler` is the
recursion with vectors of J. Luh, M. Walker and R. Paul, "On-line computational scheme for
mechanical manipulators", 1980; and :func:`kinetic_energy` and :func:`potential_energy` are what
Lagrange's equations want. Nothing here knows of derivatives.
"""

from __future__ import annotations

import numpy as np

from tests.programs.program import Program

__all__ = [
    "ARM",
    "PROGRAMS",
    "inverse_dynamics",
    "kinetic_energy",
    "mass_matrix",
    "newton_euler",
    "potential_energy",
]

RNG = np.random.default_rng(36)

AXES = [np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0]), np.array([0.0, 1.0, 0.0])]


# -- rigid motions ---------------------------------------------------------------------------------


def near_zero(z):
    return abs(z) < 1e-6


def skew(w):
    return np.array([[0, -w[2], w[1]], [w[2], 0, -w[0]], [-w[1], w[0], 0]])


def unskew(W):
    return np.array([W[2][1], W[0][2], W[1][0]])


def twist_matrix(V):
    return np.r_[np.c_[skew(V[0:3]), [V[3], V[4], V[5]]], np.zeros((1, 4))]


def exponential_of_rotation(W):
    w = unskew(W)
    if near_zero(np.linalg.norm(w)):
        return np.eye(3)
    theta = np.linalg.norm(w)
    W = W / theta
    return np.eye(3) + np.sin(theta) * W + (1 - np.cos(theta)) * np.dot(W, W)


def exponential_of_twist(X):
    """A rigid motion from the matrix of a twist, by Rodrigues' formula."""
    w = unskew(X[0:3, 0:3])
    if near_zero(np.linalg.norm(w)):
        return np.r_[np.c_[np.eye(3), X[0:3, 3]], [[0, 0, 0, 1]]]
    theta = np.linalg.norm(w)
    W = X[0:3, 0:3] / theta
    G = np.eye(3) * theta + (1 - np.cos(theta)) * W + (theta - np.sin(theta)) * np.dot(W, W)
    return np.r_[
        np.c_[exponential_of_rotation(X[0:3, 0:3]), np.dot(G, X[0:3, 3]) / theta], [[0, 0, 0, 1]]
    ]


def inverse(T):
    R, p = T[0:3, 0:3], T[0:3, 3]
    Rt = np.array(R).T
    return np.r_[np.c_[Rt, -np.dot(Rt, p)], [[0, 0, 0, 1]]]


def adjoint(T):
    R, p = T[0:3, 0:3], T[0:3, 3]
    return np.r_[np.c_[R, np.zeros((3, 3))], np.c_[np.dot(skew(p), R), R]]


def bracket(V):
    W = skew(V[0:3])
    return np.r_[np.c_[W, np.zeros((3, 3))], np.c_[skew([V[3], V[4], V[5]]), W]]


# -- the arm ---------------------------------------------------------------------------------------


def arm(lengths, masses):
    """Screw axes at home, frames of the links one after the other, and inertias."""
    a, b, c = lengths
    S = np.zeros((6, 3))
    for i, q in enumerate([[0, 0, 0], [0, 0, a], [b, 0, a]]):
        S[0:3, i] = AXES[i]
        S[3:6, i] = -np.cross(AXES[i], q)
    centres = np.array([[0, 0, a / 2], [b / 2, 0, a], [b + c / 2, 0, a], [b + c, 0, a]])
    frames, last = [], np.zeros(3)
    for centre in centres:
        M = np.eye(4)
        M[0:3, 3] = centre - last
        frames.append(M)
        last = centre
    inertias = []
    for m, length in zip(masses, lengths, strict=True):
        G = np.zeros((6, 6))
        G[0:3, 0:3] = inertia(m, length)
        G[3:6, 3:6] = m * np.eye(3)
        inertias.append(G)
    return S, frames, inertias


def inertia(mass, length):
    return mass * length**2 * np.array([[0.03, 0.004, 0], [0.004, 0.09, 0.002], [0, 0.002, 0.08]])


def inverse_dynamics(theta, dtheta, ddtheta, gravity, tip, lengths, masses):
    """The torques that make the arm move so: out along the links with twists, and back."""
    S, frames, inertias = arm(lengths, masses)
    n = len(theta)
    M = np.eye(4)
    A = np.zeros((6, n))
    transfers = [[None]] * (n + 1)
    V = np.zeros((6, n + 1))
    dV = np.zeros((6, n + 1))
    dV[:, 0] = np.r_[[0, 0, 0], -np.array(gravity)]
    transfers[n] = adjoint(inverse(frames[n]))
    F = np.array(tip).copy()
    tau = np.zeros(n)
    for i in range(n):
        M = np.dot(M, frames[i])
        A[:, i] = np.dot(adjoint(inverse(M)), np.array(S)[:, i])
        transfers[i] = adjoint(
            np.dot(exponential_of_twist(twist_matrix(A[:, i] * -theta[i])), inverse(frames[i]))
        )
        V[:, i + 1] = np.dot(transfers[i], V[:, i]) + A[:, i] * dtheta[i]
        dV[:, i + 1] = (
            np.dot(transfers[i], dV[:, i])
            + A[:, i] * ddtheta[i]
            + np.dot(bracket(V[:, i + 1]), A[:, i]) * dtheta[i]
        )
    for i in range(n - 1, -1, -1):
        F = (
            np.dot(np.array(transfers[i + 1]).T, F)
            + np.dot(np.array(inertias[i]), dV[:, i + 1])
            - np.dot(np.array(bracket(V[:, i + 1])).T, np.dot(inertias[i], V[:, i + 1]))
        )
        tau[i] = np.dot(np.array(F).T, A[:, i])
    return tau


def mass_matrix(theta, lengths, masses):
    """Column by column: the torques for one joint's unit acceleration, at rest, without weight."""
    n = len(theta)
    M = np.zeros((n, n))
    for i in range(n):
        ddtheta = [0] * n
        ddtheta[i] = 1
        M[:, i] = inverse_dynamics(theta, [0] * n, ddtheta, [0, 0, 0], np.zeros(6), lengths, masses)
    return M


def turn(axis, angle):
    c, s = np.cos(angle), np.sin(angle)
    if axis[2] == 1:
        return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def newton_euler(theta, dtheta, ddtheta, gravity, lengths, masses):
    """The same torques without a load, by velocities and forces in frames at the joints."""
    n = len(theta)
    a, b, c = lengths
    offsets = np.array([[0, 0, 0], [0, 0, a], [b, 0, 0]])
    centres = np.array([[0, 0, a / 2], [b / 2, 0, 0], [c / 2, 0, 0]])
    w, dw, acceleration = np.zeros((n + 1, 3)), np.zeros((n + 1, 3)), np.empty((n + 1, 3))
    force, moment = np.zeros((n + 1, 3)), np.zeros((n + 1, 3))
    acceleration[0] = np.negative(gravity)
    F, N, R = [], [], []
    for i in range(n):
        R.append(turn(AXES[i], theta[i]))
        carried = R[i].T @ w[i]
        w[i + 1] = carried + AXES[i] * dtheta[i]
        dw[i + 1] = R[i].T @ dw[i] + AXES[i] * ddtheta[i] + np.cross(carried, AXES[i]) * dtheta[i]
        acceleration[i + 1] = R[i].T @ (
            acceleration[i]
            + np.cross(dw[i], offsets[i])
            + np.cross(w[i], np.cross(w[i], offsets[i]))
        )
        at_centre = np.copy(acceleration[i + 1])
        at_centre += np.cross(dw[i + 1], centres[i])
        at_centre += np.cross(w[i + 1], np.cross(w[i + 1], centres[i]))
        I = inertia(masses[i], lengths[i])  # noqa: E741
        F.append(masses[i] * at_centre)
        N.append(I @ dw[i + 1] + np.cross(w[i + 1], I @ w[i + 1]))
    tau = np.zeros(n)
    for i in reversed(range(n)):
        force[i] = F[i]
        moment[i] = N[i] + np.cross(centres[i], F[i])
        if i < n - 1:
            force[i] += R[i + 1] @ force[i + 1]
            moment[i] += R[i + 1] @ moment[i + 1]
            moment[i] += np.cross(offsets[i + 1], R[i + 1] @ force[i + 1])
        tau[i] = np.dot(moment[i], AXES[i])
    return tau


def poses(theta, lengths, masses):
    """Where the links are, and the Jacobian of each: columns for the joints before it."""
    S, frames, _ = arm(lengths, masses)
    n = len(theta)
    T, home = np.eye(4), np.eye(4)
    J = np.zeros((6, n))
    found = []
    for i in range(n):
        J[:, i] = adjoint(T) @ S[:, i]
        T = T @ exponential_of_twist(twist_matrix(S[:, i] * theta[i]))
        home = home @ frames[i]
        found.append((T @ home, J.copy()))
    return found


def kinetic_energy(theta, dtheta, lengths, masses):
    _, _, inertias = arm(lengths, masses)
    total = 0.0
    for (T, J), G in zip(poses(theta, lengths, masses), inertias, strict=True):
        V = adjoint(inverse(T)) @ J @ dtheta
        total += 0.5 * V @ G @ V
    return total


def potential_energy(theta, gravity, lengths, masses):
    return -sum(
        m * np.dot(gravity, T[0:3, 3])
        for (T, _), m in zip(poses(theta, lengths, masses), masses, strict=True)
    )


# -- programs --------------------------------------------------------------------------------------

ARM = (np.array([0.5, 0.7, 0.4]), np.array([3.0, 2.0, 1.2]))
"""Lengths and masses of the links."""

MOTION = (np.array([0.4, -0.7, 1.1]), np.array([0.5, 1.2, -0.8]), np.array([2.0, -1.0, 0.6]))
GRAVITY = np.array([0.3, -0.2, -9.8])

WEIGHTS = np.array([1.0, -0.7, 0.4])


def effort_by_twists(*arguments):
    return WEIGHTS @ inverse_dynamics(*arguments)


def effort_by_vectors(*arguments):
    return WEIGHTS @ newton_euler(*arguments)


def inertia_of_joints(theta, lengths, masses):
    return np.linalg.det(mass_matrix(theta, lengths, masses))


def lagrangian(theta, dtheta, gravity, lengths, masses):
    return kinetic_energy(theta, dtheta, lengths, masses) - potential_energy(
        theta, gravity, lengths, masses
    )


SMALL_ANGLES = "the question whether an angle is nearly zero"

PROGRAMS = [
    Program(effort_by_twists, (*MOTION, GRAVITY, RNG.normal(size=6), *ARM), branches=SMALL_ANGLES),
    Program(effort_by_vectors, (*MOTION, GRAVITY, *ARM)),
    Program(inertia_of_joints, (MOTION[0], *ARM), branches=SMALL_ANGLES),
    Program(lagrangian, (*MOTION[:2], GRAVITY, *ARM), branches=SMALL_ANGLES),
]
