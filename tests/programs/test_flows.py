"""What a lattice gas keeps, and how its derivatives keep it."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

import pullback as pb
from tests.programs.flows import DIRECTIONS, equilibrium, stream_and_collide

RNG = np.random.default_rng(39)

SHAPE = (5, 4)
POPULATIONS = RNG.uniform(0.05, 0.2, (9, *SHAPE))


def stepped(f, omega):
    f = f.copy()
    buffers = np.zeros(SHAPE), np.zeros(SHAPE), np.zeros(SHAPE), np.zeros((9, *SHAPE))
    stream_and_collide(f, omega, buffers)
    return f


def test_equilibrium_has_the_density_and_momentum_it_is_made_of():
    def moments(density, ux, uy):
        f = np.empty((9, *SHAPE))
        equilibrium(density, ux, uy, f)
        return f.sum(axis=0), np.tensordot(DIRECTIONS.T, f, 1)

    density, ux, uy = RNG.uniform(0.9, 1.1, SHAPE), *RNG.uniform(-0.1, 0.1, (2, *SHAPE))
    tangents = tuple(RNG.normal(size=SHAPE) for _ in range(3))
    (mass, momentum), (mass_dot, momentum_dot) = pb.pushforward(
        moments, (density, ux, uy), tangents
    )
    assert_allclose(mass, density, rtol=1e-14)
    assert_allclose(momentum, [density * ux, density * uy], rtol=1e-12)
    assert_allclose(mass_dot, tangents[0], rtol=1e-12, atol=1e-13)
    rates = [tangents[0] * u + density * d for u, d in zip((ux, uy), tangents[1:], strict=True)]
    assert_allclose(momentum_dot, rates, rtol=1e-11, atol=1e-13)


def test_a_step_keeps_the_mass_and_so_do_both_modes():
    """∂(Σf′)/∂f = 1 for every population, and ∂(Σf′)/∂ω = 0."""
    value, (by_f, by_omega) = pb.value_and_grad(lambda f, w: np.sum(stepped(f, w)), (0, 1))(
        POPULATIONS, 0.9
    )
    assert_allclose(value, POPULATIONS.sum(), rtol=1e-13)
    assert_allclose(by_f, np.ones_like(POPULATIONS), rtol=1e-12)
    assert_allclose(by_omega, 0, atol=1e-14)
    direction = RNG.normal(size=POPULATIONS.shape)
    _, f_dot = pb.pushforward(stepped, (POPULATIONS, 0.9), (direction, 1.0))
    assert_allclose(f_dot.sum(), direction.sum(), rtol=1e-12)


def test_without_relaxation_a_step_is_a_permutation():
    """At ω = 0 populations only move: the pullback moves them back."""
    out, pull = pb.vjp(lambda f: stepped(f, 0.0), POPULATIONS)
    assert_allclose(np.sort(out.ravel()), np.sort(POPULATIONS.ravel()), rtol=0)
    assert_allclose(pull(out)[0], POPULATIONS, rtol=1e-14)
