"""Part two: what is observed of the pendulum, and the field that a network's gradient makes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ellipk

import pullback as pb
from pullback_demo import hamiltonian
from pullback_demo.integrators import flow, stormer_verlet
from pullback_demo.record import Drift, HamiltonianRecord, Iteration


@pytest.fixture(scope="module")
def observed():
    return hamiltonian.observe(np.random.default_rng(0), trajectories=6)


def test_the_observed_points_keep_their_energy(observed):
    points, _ = observed
    energy = hamiltonian.energy(*points.T).reshape(6, -1)
    np.testing.assert_allclose(energy, energy[:, :1].repeat(energy.shape[1], axis=1), atol=1e-9)
    np.testing.assert_allclose(energy[:, 0], np.linspace(0.05, hamiltonian.HIGHEST, 6))
    assert np.abs(points[:, 0]).max() <= np.pi


def test_the_observed_velocities_are_the_field_up_to_the_error_of_the_differences(observed):
    points, velocities = observed
    field = np.stack([points[:, 1], -np.sin(points[:, 0])], axis=-1)
    error = np.abs(velocities - field).max()
    assert 0 < error < 5e-4


def test_the_true_gradient_is_the_gradient_of_the_energy():
    q, p = np.random.default_rng(0).normal(size=(2, 50))

    def total(q, p):
        return np.sum(hamiltonian.energy(q, p))

    for found, stated in zip(
        pb.grad(total, argnums=(0, 1))(q, p), hamiltonian.true_gradient(q, p), strict=True
    ):
        np.testing.assert_allclose(found, stated, rtol=1e-14, atol=1e-14)


def test_the_field_of_a_batch_is_the_gradient_at_each_point():
    net = hamiltonian.network(np.random.default_rng(0))
    points = np.random.default_rng(1).normal(size=(4, 2))
    together = hamiltonian.field_of(net, points)
    step = 1e-5
    for i, j in np.ndindex(4, 2):
        moved = step * np.eye(2)[j]
        slope = (net(points[i] + moved) - net(points[i] - moved)) / (2 * step)
        assert together[i, j] == pytest.approx(float(slope), rel=1e-7, abs=1e-9)


def test_the_loss_vanishes_for_the_true_hamiltonian_and_only_for_its_field(observed):
    points, _ = observed
    q_dot, p_dot = points[:, 1], -np.sin(points[:, 0])
    exact = np.stack([q_dot, p_dot], axis=-1)

    def true(x):
        return hamiltonian.energy(x[..., 0], x[..., 1])

    assert hamiltonian.objective(true, points, exact) < 1e-30
    reversed_time = hamiltonian.objective(true, points, -exact)
    assert reversed_time == pytest.approx(4 * np.mean(np.sum(exact**2, axis=1)))


def test_the_gradient_of_the_loss_on_a_gradient_is_its_slope(observed):
    points, velocities = (array[::40] for array in observed)
    net = hamiltonian.network(np.random.default_rng(0))
    report = pb.check(lambda net: hamiltonian.objective(net, points, velocities), net, order=1)
    assert report.passed
    assert all(row.verdict == "ok" for row in report.rows)


def test_the_integrator_swings_the_pendulum_with_its_period():
    # T = 4 K(sin²(q₀/2)) for a pendulum let go at q₀.
    start, steps = 1.0, 1000
    period = 4 * ellipk(np.sin(start / 2) ** 2)
    states = list(
        flow(stormer_verlet, hamiltonian.true_gradient, start, 0.0, period / steps, steps)
    )
    np.testing.assert_allclose(states[-1], (start, 0.0), atol=2e-4)
    assert min(q for q, _ in states) == pytest.approx(-start, abs=1e-4)


def test_following_the_true_field_has_no_other_error_than_the_integrators():
    drift = hamiltonian.follow("Störmer–Verlet", hamiltonian.true_gradient, horizon=5.0)
    np.testing.assert_array_equal(drift.learned, drift.true)
    assert drift.learned.shape == (51, len(hamiltonian.ANGLES))
    assert 0 < Drift.largest(drift.learned) < 5e-3


def test_drift_tells_departure_and_trend():
    energy = np.array([[1.0, 2.0], [1.5, 2.1], [2.0, 2.2]])
    assert Drift.largest(energy) == 1.0
    assert Drift.rate(energy, h=0.5) == pytest.approx(1.0)


def test_the_assessment_of_the_true_hamiltonian_finds_no_error():
    record = HamiltonianRecord(planned=1, points=np.zeros((1, 2)))
    record.iterations.append(
        Iteration(0.0, lambda x: hamiltonian.energy(x[..., 0], x[..., 1]) + 5.0)
    )
    hamiltonian.assess(record)
    assert record.field_error < 1e-15
    np.testing.assert_allclose(record.portrait.learned, record.portrait.true, atol=1e-14)


def test_nothing_is_assessed_before_the_first_iteration():
    record = HamiltonianRecord(planned=1)
    hamiltonian.assess(record)
    assert record.portrait is None
    assert record.field_error is None
