"""Native Runge–Kutta methods against SciPy's, to the bit."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.integrate as si

import pullback as pb
from pullback.compiler.stepping import Stepper, exactly, is_exact

RATES = np.array([0.3, 1.1, 0.7, 0.2, 0.9])
SPANS = [((0.0, 4.0), np.linspace(0, 4, 13)), ((1.0, -0.5), np.array([1.0, 0.3, -0.5]))]


def field(t, y, k):
    return k[: len(y)] * y - y * np.roll(y, 1) / (1 + t * t) + np.where(y > 1, 0.1, -0.1)


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("solver", [si.RK23, si.RK45])
def test_steps_and_states_are_scipys(solver, size):
    """Whatever the number of components, to which sums of stages are put together in other ways."""
    start = np.linspace(0.4, 1.3, size)
    graph = pb.trace(field, 0.5, start, RATES)
    stepper = Stepper(graph, solver)
    assert stepper.exact
    for span, times in SPANS:
        for rtol, atol, first, longest in ((1e-3, 1e-6, None, np.inf), (1e-9, 1e-9, 1e-3, 0.2)):
            tolerances = np.stack([np.full(size, rtol), np.full(size, atol)])
            for asked in (times, times[-1:], np.empty(0)):
                wanted = si.solve_ivp(
                    lambda t, y: field(t, y, RATES), span, start, solver, rtol=rtol, atol=atol,
                    t_eval=asked if len(asked) else None, first_step=first, max_step=longest,
                )  # fmt: skip
                count, path, states, found, evaluations = stepper.course(
                    span, start, (RATES,), tolerances, (first, longest), asked
                )
                assert evaluations == wanted.nfev
                if len(asked):
                    assert np.array_equal(found.T, wanted.y)
                else:
                    assert np.array_equal(path[: count + 1], wanted.t)
                    assert np.array_equal(states[: count + 1].T, wanted.y)


def test_more_steps_than_there_is_room_for_at_first():
    def f(t, y):
        return np.stack([y[1], -400.0 * y[0]])

    start = np.array([1.0, 0.0])
    stepper = Stepper(pb.trace(f, 0.5, start), si.RK45)
    tolerances = np.full((2, 2), 1e-8)
    steps = (None, np.inf)
    count, *_ = stepper.course((0.0, 10.0), start, (), tolerances, steps, np.empty(0))
    wanted = si.solve_ivp(f, (0.0, 10.0), start, rtol=1e-8, atol=1e-8)
    assert count == len(wanted.t) - 1 > 256
    # y′ = y² from 1 is infinite at 1.
    blown = Stepper(pb.trace(lambda t, y: y * y, 0.5, np.ones(1)), si.RK45)
    tolerances = np.full((2, 1), 1e-6)
    assert blown.course((0.0, 2.0), np.ones(1), (), tolerances, steps, np.empty(0)) is None


def test_what_is_exact():
    y = np.array([0.3, 0.7])
    exact = pb.trace(lambda t, y: y * y[0] + y / 3 - y, 0.5, y)
    assert is_exact(exact)
    f = exactly(exact)
    for _ in range(50):
        y = np.random.default_rng(0).normal(size=2)
        assert np.array_equal(f(np.float64(0.5), y), y * y[0] + y / 3 - y)
    for inexact in (lambda t, y: np.exp(y), lambda t, y: y * y[0] ** 2, lambda t, y: y * y.sum()):
        graph = pb.trace(inexact, 0.5, y)
        assert not is_exact(graph) and exactly(graph) is None
    with pytest.raises(ValueError, match="calls Python"):
        Stepper(
            pb.trace(
                lambda t, y: (
                    np.sort(np.tile(y, 40))[:2] + 0 * np.linalg.eigvals(np.outer(y, y)).real
                ),
                0.5,
                y,
            ),
            si.RK45,
        )
    with pytest.raises(ValueError, match="no method"):
        Stepper(exact, si.DOP853)
