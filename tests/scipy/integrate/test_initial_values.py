"""Initial value problems under SciPy's names, against closed forms and differences."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest
import scipy.integrate as si
from numpy.testing import assert_allclose

import pullback as pb
from tests.scipy.integrate.agreement import agrees, closed_form

METHODS = {"RK23": 1e-7, "RK45": 1e-9, "DOP853": 1e-9, "Radau": 1e-7, "BDF": 1e-8, "LSODA": 1e-9}
"""Methods, and the tolerances that are asked of them."""


def solve(p, span=(0, 2), y0=(1.0, 0.0), method="RK45", **options):
    """y″ = −py: y = cos √p t from y = 1, y′ = 0."""
    tolerance = METHODS[method]
    return si.solve_ivp(
        lambda t, y: [y[1], -p * y[0]],
        span,
        np.array(y0) if not isinstance(y0, tuple) else list(y0),
        method=method,
        rtol=tolerance,
        atol=tolerance,
        **options,
    )


P = 1.7
TIMES = np.array([0.5, 1.0, 1.5])


def cosine(p):
    return mp.cos(mp.sqrt(p) * 2)


@pytest.mark.parametrize("method", METHODS)
def test_every_method(method):
    """In a parameter, initial values, both ends and times asked for; to second order."""
    near = 30 * METHODS[method] + 1e-7

    def last(p):
        return solve(p, t_eval=[1.0, 2.0], method=method).y[0, -1]

    agrees(method, last, P, closed_form(cosine)(P), rtol=near)
    root = math.sqrt(P)

    def of_all(p, t0, tf, y):
        return solve(p, (t0, tf), [y, 0.0], method=method).y[0, -1]

    phase = root * 1.5
    slopes = [
        -2 * math.sin(phase) * 1.5 / (2 * root),
        2 * root * math.sin(phase),
        -2 * root * math.sin(phase),
        math.cos(phase),
    ]
    found = pb.grad(of_all, argnums=(0, 1, 2, 3))(P, 0.5, 2.0, 2.0)
    assert_allclose(found, slopes, atol=10 * near)
    bend = pb.grad(pb.grad(of_all, argnums=2), argnums=1)(P, 0.5, 2.0, 2.0)
    assert_allclose(bend, 2 * P * math.cos(phase), atol=10 * near)
    by_times = pb.jacobian(lambda t: solve(P, t_eval=t, method=method).y[0])(TIMES)
    assert_allclose(by_times, np.diag(-root * np.sin(root * TIMES)), atol=10 * near)


@pytest.mark.parametrize("method", ["RK45", "BDF"])
def test_events(method):
    """Their times and states, of first and second order; one that ends the integration too."""

    def crossing(_t, y, level):
        return y[0] - level

    def ends(_t, y, level):
        return y[0] + level

    ends.terminal, ends.direction = 1, -1

    def run(p, level, **options):
        return si.solve_ivp(
            lambda t, y, _level: [y[1], -p * y[0]], (0, 5), [1.0, 0.0], method=method,
            rtol=METHODS[method], atol=METHODS[method], events=[crossing, ends], args=(level,),
            **options,
        )  # fmt: skip

    root, level = math.sqrt(P), 0.2
    first, last = math.acos(level), math.acos(-level)

    def moments(p, level):
        found = run(p, level)
        return np.array([found.t_events[0][0], found.t_events[1][0], found.t[-1], found.y[1, -1]])

    by_p, by_level = pb.jacobian(moments, argnums=(0, 1))(P, level)
    times = np.array([first, last, last])
    sine = math.sin(first)
    assert_allclose(by_p[:3], -times / (2 * root**3), atol=1e-6)
    assert_allclose(by_p[3], -math.sin(last) / (2 * root), atol=1e-6)
    assert_allclose(by_level[:3], np.array([-1, 1, 1]) / (root * sine), atol=1e-6)
    bend = pb.hessian(lambda p: moments(p, level)[0])(P)
    assert_allclose(bend, 0.75 * first / root**5, atol=1e-6)
    assert np.array_equal(pb.vjp(lambda p: moments(p, level), P)[0], moments(P, level))
    several = pb.vmap(pb.jacobian(lambda p: run(p, level, t_eval=[0.5]).t_events[0][0]))(
        np.array([P, 1.2])
    )
    assert_allclose(several, [-0.5 * first / s**3 for s in (root, math.sqrt(1.2))], atol=1e-6)
    with pytest.raises(pb.ArgumentValueError, match="touches zero"):
        pb.grad(lambda p: solve(p, events=lambda t, y: np.sign(y[0])).t_events[0][0])(P)


@pytest.mark.parametrize("method", ["DOP853", "Radau"])
def test_dense_output(method):
    root = math.sqrt(P)

    def at(p, t):
        return solve(p, (0, 2), method=method, dense_output=True).sol(t)[0]

    assert at(P, 0.7) == pb.vjp(at, P, 0.7)[0]
    by_p, by_t = pb.grad(at, argnums=(0, 1))(P, 0.7)
    assert_allclose(by_p, -math.sin(root * 0.7) * 0.7 / (2 * root), atol=1e-6)
    assert_allclose(by_t, -root * math.sin(root * 0.7), atol=1e-6)
    assert_allclose(pb.hessian(at, argnums=1)(P, 0.7), -P * math.cos(root * 0.7), atol=1e-6)
    rows = pb.jacobian(at)(P, TIMES)
    assert_allclose(rows, -np.sin(root * TIMES) * TIMES / (2 * root), atol=1e-6)
    mapped = pb.vmap(at)(np.array([P, 1.2]), np.array([0.7, 0.9]))
    assert np.array_equal(mapped, [at(P, 0.7), at(1.2, 0.9)])


def test_odeint():
    times = np.array([0.0, 0.5, 1.0, 1.0, 1.5])

    def f(p, t):
        return si.odeint(lambda y, _t, a: [y[1], -a * y[0]], [1.0, 0.0], t, args=(p,))[:, 0]

    root = math.sqrt(P)
    assert np.array_equal(pb.vjp(f, P, times)[0], f(P, times))
    slope = -np.sin(root * times) * times / (2 * root)
    assert_allclose(pb.jacobian(f)(P, times), slope, atol=1e-6)
    assert_allclose(
        pb.vmap(pb.jacobian(f), in_axes=(0, None))(np.array([P]), times)[0], slope, atol=1e-6
    )
    bend = -np.cos(root * times) * times**2 / (4 * P) + np.sin(root * times) * times / (4 * root**3)
    assert_allclose(pb.jacobian(pb.jacobian(f))(P, times), bend, atol=1e-6)
    fast = -root * np.sin(root * times)
    by_times = pb.jacobian(f, argnums=1)(P, times)
    expected = np.diag(fast) - fast[:, None] * np.eye(5)[0]
    assert_allclose(by_times, expected, atol=1e-6)
    first = pb.grad(lambda y: si.odeint(lambda t, y: -y, y, [1, 0.5], tfirst=True)[-1, 0])(2.0)
    assert_allclose(first, math.exp(0.5), rtol=1e-6)


# -- what is said of others -----------------------------------------------------------------------


def robertson(logarithms, method):
    k = np.exp(logarithms)
    return si.solve_ivp(
        lambda t, y: np.array(
            [
                -k[0] * y[0] + k[2] * y[1] * y[2],
                k[0] * y[0] - k[2] * y[1] * y[2] - k[1] * y[1] ** 2,
                k[1] * y[1] ** 2,
            ]
        ),
        (0, 40.0),
        [1.0, 0.0, 0.0],
        method=method,
        rtol=1e-7,
        atol=1e-10,
    ).y[2, -1]


def test_stiff_equations():
    """Integrated backwards they explode; here nothing is."""
    k = np.log([0.04, 3e7, 1e4])
    step = 1e-2
    expected = [
        (
            8 * (robertson(k + step * e, "Radau") - robertson(k - step * e, "Radau"))
            - (robertson(k + 2 * step * e, "Radau") - robertson(k - 2 * step * e, "Radau"))
        )
        / (12 * step)
        for e in np.eye(3)
    ]
    for method in ("Radau", "BDF", "LSODA"):
        found = pb.grad(lambda k, method=method: robertson(k, method))(k)
        assert_allclose(found, expected, rtol=2e-5)

    def attracted(rate):  # y′ = −λ(y − cos t), near to cos t + sin t/λ after a moment
        return si.solve_ivp(
            lambda t, y: -rate * (y - np.cos(t)), (0, 2), [1.5], "BDF", rtol=1e-8, atol=1e-12
        ).y[0, -1]

    assert_allclose(pb.grad(attracted)(1e4), -math.sin(2) / 1e8, rtol=1e-2)


@pytest.mark.parametrize("method", METHODS)
def test_from_rest_on(method):
    """At rest a solver takes steps of any length, of which those of its neighbours are wrong."""

    def decayed(y0):
        return si.solve_ivp(lambda t, y: -y, (0, 5), y0, method=method, rtol=1e-7, atol=1e-9).y[
            0, -1
        ]

    assert decayed(np.zeros(1)) == 0
    assert_allclose(pb.grad(decayed)(np.zeros(1)), [math.exp(-5)], atol=2e-6)


def test_programs():
    """Branches on time, complex states, vectorised ones, backwards, and one in another."""

    def branching(t, y, p):
        if t > 0.5:
            return -p * y
        return -2 * p * float(t >= 0) * y

    def switched(p):
        return si.solve_ivp(
            branching, (0, 1), [1.0], args=(p,), rtol=1e-9, atol=1e-10, max_step=0.1
        ).y[0, -1]

    assert_allclose(pb.grad(switched)(P), -1.5 * math.exp(-1.5 * P), rtol=1e-6)

    def turned(p):
        y = si.solve_ivp(lambda t, y: 1j * p * y, (0, 1), [1 + 0j], rtol=1e-9, atol=1e-10).y[0, -1]
        return y.real

    assert_allclose(pb.grad(turned)(P), -math.sin(P), rtol=1e-7)

    def backwards(p):
        return si.solve_ivp(
            lambda t, y: -p * y, (1, 0), [1.0], rtol=1e-9, atol=1e-10, t_eval=[0.9, 0.5],
            vectorized=True, method="Radau",
        ).y[0]  # fmt: skip

    assert_allclose(pb.jacobian(backwards)(P), [0.1 * math.exp(0.1 * P), 0.5 * math.exp(0.5 * P)])

    def averaged(p):
        sol = solve(p, (0, 1), dense_output=True).sol
        return si.quad(lambda t: sol(t)[0], 0, 1)[0]

    root = math.sqrt(P)
    mean = math.cos(root) / (2 * P) - math.sin(root) / (2 * P**1.5)
    assert_allclose(pb.grad(averaged)(P), mean, rtol=1e-7)

    def solved_for_each(p):
        return si.quad(lambda s: solve(p, (0, s), t_eval=[s]).y[0, 0], 0, 1)[0]

    assert_allclose(pb.grad(solved_for_each)(P), mean, rtol=1e-7)

    def with_integral(p):
        return si.solve_ivp(
            lambda t, y: [si.quad(lambda s: p * s * y[0], 0, 1)[0]], (0, 1), [1.0],
            rtol=1e-9, atol=1e-10,
        ).y[0, -1]  # fmt: skip

    assert_allclose(pb.grad(with_integral)(P), math.exp(P / 2) / 2, rtol=1e-7)
    assert solve(P, (1, 1)).y.shape == pb.vjp(lambda p: solve(p, (1, 1)).y, P)[0].shape


def test_many_parameters_and_states():
    weights = np.random.default_rng(0).normal(size=(5, 5)) / 3

    def f(w):
        sol = si.solve_ivp(
            lambda t, y: np.tanh(w @ y) - 0.1 * y, (0, 2), np.linspace(-1, 1, 5), rtol=1e-8,
            atol=1e-10, t_eval=np.linspace(0, 2, 7),
        )  # fmt: skip
        return np.sum(sol.y**2)

    direction = np.random.default_rng(1).normal(size=(5, 5))
    step = 1e-4
    expected = (f(weights + step * direction) - f(weights - step * direction)) / (2 * step)
    assert_allclose(np.sum(pb.grad(f)(weights) * direction), expected, rtol=1e-6)
    assert_allclose(pb.jvp(f, (weights,), (direction,))[1], expected, rtol=1e-6)


def test_errors_name_the_function_and_what_to_do():
    for f, error, words in (
        (
            lambda p: si.solve_ivp(lambda t, y: p * y**2, (0, 3), [1.0]).y[0, -1],
            pb.ArgumentValueError,
            r"scipy\.integrate\.solve_ivp: .* did not reach the end: .* step size",
        ),
        (
            lambda p: si.odeint(lambda y, t: p * y, 1.0, [0, 50.0], mxstep=3)[-1, 0],
            pb.ArgumentValueError,
            r"scipy\.integrate\.odeint: .* raise mxstep",
        ),
    ):
        with pytest.raises(error, match=words):
            pb.grad(f)(1.3)
    with pytest.raises(pb.DataDependenceError, match=r"solve_ivp: .* recorded"):
        pb.trace(lambda p: solve(p).y, 1.0)
    with pytest.raises(pb.DataDependenceError, match="give t_eval"):
        pb.vmap(lambda p: solve(p).y[0, -1])(np.array([1.0, 30.0]))
    with pytest.raises(pb.NoRuleError, match=r"scipy\.integrate\.ode\b.*solve_ivp"):
        pb.grad(
            lambda p: si.ode(lambda t, y: -p * y).set_initial_value([1.0], 0).integrate(1.0)[0]
        )(1.0)


@pytest.mark.parametrize("method", METHODS)
def test_plain_results_are_scipys(method):
    """Where nothing is traced, and whatever else the result has."""
    kept = []

    def f(p):
        kept.extend([solve(P, method=method), solve(p, method=method)])
        return p

    pb.grad(f)(P)
    plain = solve(P, method=method)
    assert kept[0].nfev == plain.nfev and kept[0].sol is kept[1].sol is None
    assert np.array_equal(kept[0].y, plain.y)
    assert (kept[1].status, kept[1].message) == (plain.status, plain.message)
