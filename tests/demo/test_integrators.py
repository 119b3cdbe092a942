"""The integrators, on Hamiltonians whose flow or whose behaviour is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from pullback.errors import ArgumentValueError
from pullback_demo.integrators import (
    METHODS,
    explicit_euler,
    flow,
    stormer_verlet,
    symplectic_euler,
)

ORDERS = [(explicit_euler, 1), (symplectic_euler, 1), (stormer_verlet, 2)]
SYMPLECTIC = [symplectic_euler, stormer_verlet]


def inseparable(q, p):
    """The gradient of H = ½(1 + q²)(1 + p²), which couples q and p."""
    return q * (1 + p**2), (1 + q**2) * p


def inseparable_energy(q, p):
    return (1 + q**2) * (1 + p**2) / 2


def oscillator(q, p):
    """The gradient of H = ½(q² + p²)."""
    return q, p


def last(method, gradient, q, p, h, steps):
    for state in flow(method, gradient, q, p, h, steps):
        q, p = state
    return np.array([q, p])


def exact(gradient, q, p, time):
    def field(_, z):
        h_q, h_p = gradient(z[0], z[1])
        return [h_p, -h_q]

    return solve_ivp(field, (0, time), [q, p], rtol=1e-12, atol=1e-12).y[:, -1]


@pytest.mark.parametrize(("method", "order"), ORDERS)
def test_the_order_of_convergence_is_the_one_stated(method, order):
    reference = exact(inseparable, 0.3, 0.4, 1.0)
    errors = [
        np.linalg.norm(last(method, inseparable, 0.3, 0.4, 1 / n, n) - reference)
        for n in (160, 320)
    ]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.05)


@pytest.mark.parametrize("method", SYMPLECTIC)
@given(q=st.floats(-0.8, 0.8), p=st.floats(-0.8, 0.8), h=st.floats(0.01, 0.2))
def test_one_step_preserves_area_for_an_inseparable_hamiltonian(method, q, p, h):
    delta = 1e-4

    def step(dq, dp):
        return np.array(method(inseparable, np.array(q + dq), np.array(p + dp), h))

    columns = [
        (8 * (step(*d) - step(*-d)) - (step(*(2 * d)) - step(*(-2 * d)))) / (12 * delta)
        for d in delta * np.eye(2)
    ]
    assert np.linalg.det(np.stack(columns, axis=1)) == pytest.approx(1.0, abs=1e-9)


def test_explicit_euler_does_not_preserve_area():
    h = 0.1
    step = np.array([explicit_euler(oscillator, *unit, h) for unit in np.eye(2)])
    assert np.linalg.det(step) == pytest.approx(1 + h**2, rel=1e-14)


@pytest.mark.parametrize("method", SYMPLECTIC)
def test_energy_stays_in_a_band_over_a_thousand_periods(method):
    h, steps = 0.05, 20_000
    energy = np.array(
        [inseparable_energy(q, p) for q, p in flow(method, inseparable, 0.3, 0.4, h, steps)]
    )
    error = np.abs(energy - energy[0])
    assert error.max() < 5 * error[: steps // 100].max()
    assert abs(np.polyfit(h * np.arange(steps + 1), energy, 1)[0]) < 1e-6


def test_the_energy_of_explicit_euler_grows_as_it_must():
    h, steps = 0.1, 200
    q, p = last(explicit_euler, oscillator, 1.0, 0.0, h, steps)
    assert (q**2 + p**2) / 2 == pytest.approx((1 + h**2) ** steps / 2, rel=1e-10)


def test_stormer_verlet_undoes_itself_backwards():
    q, p = stormer_verlet(inseparable, np.array(0.3), np.array(0.4), 0.1)
    back = stormer_verlet(inseparable, q, p, -0.1)
    np.testing.assert_allclose(back, (0.3, 0.4), rtol=1e-11)


@pytest.mark.parametrize("method", METHODS.values(), ids=list(METHODS))
def test_trajectories_advance_side_by_side(method):
    q, p = np.array([0.1, 0.2, 0.3]), np.array([0.3, 0.0, -0.1])
    together = last(method, inseparable, q, p, 0.1, 10)
    apart = [last(method, inseparable, a, b, 0.1, 10) for a, b in zip(q, p, strict=True)]
    np.testing.assert_allclose(together, np.stack(apart, axis=-1), rtol=1e-12)


def test_the_flow_starts_at_the_initial_state_and_has_all_times():
    states = list(flow(symplectic_euler, oscillator, 1.0, 0.0, 0.1, 7))
    assert len(states) == 8
    assert states[0] == (1.0, 0.0)


def test_a_step_too_long_for_the_implicit_stage_says_so():
    with pytest.raises(ArgumentValueError, match=r"implicit stage .* take a shorter time step h"):
        symplectic_euler(inseparable, np.array(3.0), np.array(2.0), 2.0)
