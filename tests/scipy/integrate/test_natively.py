"""Initial value problems that come back, solved and differentiated in machine code."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.integrate as si
from numpy.testing import assert_allclose

import pullback as pb
from pullback.scipy.integrate import equations, quick

TIMES = np.array([0.0, 0.5, 1.5, 2.0])
P, START = 1.7, np.array([1.0, 0.0])


@pytest.fixture
def at_once(monkeypatch):
    """Compiled for the first problem; and which problems were solved."""
    monkeypatch.setattr(equations, "FROM", 1)
    solved = []
    own = quick._solved

    def noted(equation, *args, **kwargs):
        solved.append(equation)
        return own(equation, *args, **kwargs)

    monkeypatch.setattr(quick, "_solved", noted)
    return solved


def turning(p, y0, t_eval=TIMES, **options):
    """y″ = −py, all of it stiffer than its tolerance lets on."""
    return si.solve_ivp(
        lambda t, y: np.stack([y[1], -p * y[0]]), (0, 2), y0, t_eval=t_eval, rtol=1e-8, atol=1e-9,
        **options,
    ).y  # fmt: skip


def closed_form(p, times=TIMES):
    """The solution, and its derivatives by p and by both components of the first state."""
    root = math.sqrt(p)
    c, s = np.cos(root * times), np.sin(root * times)
    y = np.stack([c, -root * s])
    by_p = np.stack([-times * s / (2 * root), -s / (2 * root) - times * c / 2])
    return y, by_p, np.stack([y, np.stack([s / root, c])], axis=-1)


def test_every_derivative_of_first_order(at_once):
    """Forward and reverse, of all results, and mapped ones; by a parameter and the first state."""
    value, by_p, by_start = closed_form(P)
    for mode in ("forward", "reverse"):
        found = pb.jacobian(turning, argnums=(0, 1), mode=mode)(P, START)
        assert_allclose(found[0], by_p, atol=1e-6)
        assert_allclose(found[1], by_start, atol=1e-6)
    y, pull = pb.vjp(turning, P, START)
    assert np.array_equal(y, turning(P, START))
    assert_allclose(y, value, atol=1e-6)
    bars = np.random.default_rng(0).normal(size=y.shape)
    p_bar, start_bar = pull(bars)
    assert_allclose(p_bar, np.sum(bars * by_p), atol=1e-6)
    assert_allclose(start_bar, np.einsum("ij,ijk->k", bars, by_start), atol=1e-6)
    dot = pb.jvp(turning, (P, START), (2.0, np.array([0.5, -1.0])))[1]
    assert_allclose(dot, 2 * by_p + by_start @ [0.5, -1.0], atol=1e-6)
    assert len(at_once) >= 4 and len(set(at_once)) == 1
    # By the cotangent, of which the derivative is linear.
    slope = pb.grad(lambda b: pb.vjp(turning, P, START)[1](b * bars)[0])(1.0)
    assert_allclose(slope, p_bar, rtol=1e-6)


def test_at_the_steps_of_the_solver(at_once):
    def last(p, **options):
        return turning(p, START, None, **options)[0, -1]

    slope = closed_form(P)[1][0, -1]
    assert_allclose(pb.grad(last)(P), slope, atol=1e-6)
    assert_allclose(pb.grad(lambda p: last(p, method="RK23"))(P), slope, atol=1e-4)
    assert pb.vjp(last, P)[0] == last(P)
    assert len(at_once) == 3


def test_from_rest(at_once):
    """Steps are halved where a solver's are good for its own solution alone."""

    def driven(p):
        return si.solve_ivp(
            lambda t, y: p * (6 * t - t * t) - 0 * y, (0, 3), [0.0], rtol=1e-6, atol=1e-8
        ).y[0, -1]

    def decayed(y0):
        return si.solve_ivp(lambda t, y: -y, (0, 5), y0, rtol=1e-7, atol=1e-9).y[0, -1]

    assert decayed(np.zeros(1)) == driven(0.0) == 0
    assert_allclose(pb.grad(driven)(0.0), 18.0, rtol=1e-5)
    assert_allclose(pb.grad(decayed)(np.zeros(1)), [math.exp(-5)], atol=2e-6)
    assert len(at_once) == 2


def test_values_that_machine_code_rounds_otherwise(at_once):
    """SciPy solves, and the derivatives alone are native; in a graph all is."""

    def f(p):
        return si.solve_ivp(
            lambda t, y: p * np.exp(-y), (0, 1), [0.3], t_eval=[0.5, 1.0], rtol=1e-8, atol=1e-9
        ).y[0]  # y = log(exp 0.3 + pt)

    y, pull = pb.vjp(f, P)
    assert np.array_equal(y, f(P))
    times = np.array([0.5, 1.0])
    slopes = times / (math.exp(0.3) + P * times)
    assert_allclose(pull(np.ones(2))[0], np.sum(slopes), rtol=1e-6)
    compiled = pb.compile(lambda p: (f(p), pb.jacobian(f)(p)))
    value, found = compiled(P)
    assert_allclose(value, y, rtol=1e-10)
    assert_allclose(found, slopes, rtol=1e-6)


def test_in_a_graph(at_once):
    def loss(p, y0):
        return np.sum(turning(p, y0, method="RK45") ** 2)

    def with_args(p):
        y = si.solve_ivp(
            lambda t, y, p: -p * y, (0, 1), [1.0], t_eval=[1.0], args=(p,), rtol=1e-8, atol=1e-9
        ).y
        return p * y[0, 0]

    both = pb.value_and_grad(loss, argnums=(0, 1))
    compiled = pb.compile(both)
    for p in (P, 1.2):
        y, by_p, by_start = closed_form(p)
        value, (p_bar, start_bar) = compiled(p, START)
        assert_allclose(value, np.sum(y**2), rtol=1e-6)
        assert_allclose(p_bar, np.sum(2 * y * by_p), rtol=1e-5)
        assert_allclose(start_bar, np.einsum("ij,ijk->k", 2 * y, by_start), rtol=1e-5)
    value, slope = pb.compile(pb.value_and_grad(with_args))(P)
    assert_allclose(slope, (1 - P) * math.exp(-P), rtol=1e-5)


def test_what_goes_another_way(at_once):
    """Second derivatives, moving times, branches on the state, and failures, as ever."""

    def last(p):
        return turning(p, START)[0, -1]

    root = math.sqrt(P)
    bend = -math.cos(2 * root) / P + math.sin(2 * root) / (2 * root**3)
    assert_allclose(pb.grad(pb.grad(last))(P), bend, atol=1e-6)
    by_end = pb.grad(lambda t: si.solve_ivp(lambda t, y: -y, (0, t), [1.0], rtol=1e-8).y[0, -1])
    assert_allclose(by_end(1.0), -math.exp(-1), atol=1e-6)

    def switched(p):
        return si.solve_ivp(lambda t, y: -p * y if y[0] > 0 else p * y, (0, 1), [1.0], rtol=1e-8).y[
            0, -1
        ]

    assert_allclose(pb.grad(switched)(P), -math.exp(-P), atol=1e-6)
    assert not at_once
    with pytest.raises(pb.ArgumentValueError, match="did not reach the end"):
        pb.grad(lambda p: si.solve_ivp(lambda t, y: p * y**2, (0, 3), [1.0]).y[0, -1])(1.3)


def test_a_stiff_solver_with_a_native_right_hand_side(at_once):
    def f(p):
        return si.solve_ivp(
            lambda t, y: np.stack([-p * y[0], p * y[0] - 0.5 * y[1]]), (0, 2), [1.0, 0.0],
            "Radau", [1.0, 2.0], rtol=1e-7, atol=1e-9,
        ).y  # fmt: skip

    y, pull = pb.vjp(f, P)
    assert np.array_equal(y, f(P))
    times = np.array([1.0, 2.0])
    assert_allclose(y[0], np.exp(-P * times), atol=1e-6)
    assert_allclose(pull(np.array([[1.0, 1.0], [0, 0]]))[0], np.sum(-times * y[0]), atol=1e-5)


@pytest.mark.parametrize("method", ["RK45", "LSODA"])
def test_a_result_that_is_written_into_is_no_other_calls(method, at_once):
    def f(a, p):
        found = si.solve_ivp(lambda t, y: -p * y, (0, 2), START, method, TIMES)
        total = a * p * np.sum(found.y) * found.t[-1]
        found.t *= 3
        found.y *= 2
        return total

    for argnums in (0, 1):  # a solution that is known, and one that is differentiated
        first, *others = [pb.value_and_grad(f, argnums)(1.0, P) for _ in range(3)]
        assert all(np.array_equal(first, other) for other in others)
