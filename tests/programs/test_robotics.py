"""Dynamics of an arm: identities between its torques, its energy and its inertia."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import pullback as pb
from tests.programs.robotics import (
    ARM,
    inverse_dynamics,
    kinetic_energy,
    mass_matrix,
    newton_euler,
    potential_energy,
)

RNG = np.random.default_rng(40)

GRAVITY = np.array([0.4, -0.3, -9.81])
NO_LOAD = np.zeros(6)


@pytest.fixture
def motion():
    """Angles, velocities and accelerations."""
    return tuple(RNG.uniform(-2, 2, 3) for _ in range(3))


def torques(theta, dtheta, ddtheta):
    return inverse_dynamics(theta, dtheta, ddtheta, GRAVITY, NO_LOAD, *ARM)


def near(got, expected):
    assert_allclose(got, expected, rtol=1e-9, atol=1e-9)


def test_both_recursions_have_the_same_torques_and_derivatives(motion):
    def other(*motion):
        return newton_euler(*motion, GRAVITY, *ARM)

    near(torques(*motion), other(*motion))
    for mode in ("forward", "reverse"):
        for k in range(3):
            got = pb.jacobian(torques, argnums=k, mode=mode)(*motion)
            near(got, pb.jacobian(other, argnums=k, mode=mode)(*motion))


def test_torques_by_accelerations_are_the_mass_matrix(motion):
    M = mass_matrix(motion[0], *ARM)
    near(M, M.T)
    assert np.all(np.linalg.eigvalsh(M) > 0)
    for mode in ("forward", "reverse"):
        near(pb.jacobian(torques, argnums=2, mode=mode)(*motion), M)


def test_the_mass_matrix_is_the_curvature_of_the_energy(motion):
    theta, dtheta, _ = motion
    near(pb.hessian(lambda dq: kinetic_energy(theta, dq, *ARM))(dtheta), mass_matrix(theta, *ARM))


def test_torques_of_weight_are_the_slope_of_the_potential(motion):
    theta, rest = motion[0], np.zeros(3)
    slope = pb.grad(potential_energy)(theta, GRAVITY, *ARM)
    near(torques(theta, rest, rest), slope)


def test_torques_are_what_lagranges_equations_say(motion):
    """τ = d/dt ∂T/∂θ̇ − ∂T/∂θ + ∂V/∂θ."""
    theta, dtheta, ddtheta = motion

    def momentum(theta, dtheta):
        return pb.grad(kinetic_energy, argnums=1)(theta, dtheta, *ARM)

    _, rate = pb.pushforward(momentum, (theta, dtheta), (dtheta, ddtheta))
    force = pb.grad(kinetic_energy)(theta, dtheta, *ARM)
    weight = pb.grad(potential_energy)(theta, GRAVITY, *ARM)
    near(torques(*motion), rate - force + weight)


def test_joints_do_no_work_by_the_motion_of_their_frames(motion):
    """θ̇ᵀ(Ṁ − 2C)θ̇ = 0, where Cθ̇ are the torques of the velocities."""
    theta, dtheta, _ = motion
    _, rate = pb.pushforward(lambda q: mass_matrix(q, *ARM), (theta,), (dtheta,))
    rest = np.zeros(3)
    of_velocities = torques(theta, dtheta, rest) - torques(theta, rest, rest)
    near(dtheta @ rate @ dtheta, 2 * dtheta @ of_velocities)


def test_torques_by_a_load_are_the_jacobian_of_the_tip(motion):
    """∂τ/∂F is Jᵀ of the tip's twist in its own frame, whatever the motion."""
    at_rest = np.zeros(3)

    def of_load(tip, motion):
        return inverse_dynamics(*motion, GRAVITY, tip, *ARM)

    J = pb.jacobian(of_load)(NO_LOAD, motion).T
    near(J, pb.jacobian(of_load)(NO_LOAD, (motion[0], at_rest, at_rest)).T)
    lengths = ARM[0]
    near(J[:3, 2], [0, 1, 0])  # the last joint turns the tip about its own axis
    near(J[3:, 2], [0, 0, -lengths[2]])  # at the end of the last link
