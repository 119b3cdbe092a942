"""Problems in one parameter, as calls of SciPy's solvers and as equations for mpmath.

Each has the equations of its solution, `equations(m, z, a)`, with the functions of a module m:
mpmath solves them to 40 digits, and differentiates what it finds by a.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import mpmath
import numpy as np
import scipy.optimize as so

__all__ = ["FITS", "MINIMA", "PROGRAMS", "ROOTS", "Problem", "exact"]

T = np.linspace(0.0, 1.0, 9)
NOISE = 0.1 * np.random.default_rng(0).normal(size=9)
TIGHT = {"maxiter": 20_000}


class Problem(NamedTuple):
    """`solve(a)` is a number, or the part of the solution z that `part` says."""

    solve: Callable[[Any], Any]
    equations: Callable[..., Any]
    start: Any
    part: int = 0


def exact(problem: Problem, a: float, order: int) -> float:
    """The derivative of this order, by mpmath."""
    with mpmath.workdps(40):

        def solution(a: Any) -> Any:
            def equations(*z: Any) -> Any:
                return problem.equations(mpmath, z, a)

            z = mpmath.findroot(equations, problem.start)
            return z[problem.part] if np.ndim(problem.start) else z

        return float(mpmath.diff(solution, a, order))


def cubic(_m: Any, z: Any, a: Any) -> Any:
    return z[0] ** 3 + z[0] - a


def cosine(m: Any, z: Any, a: Any) -> Any:
    return m.cos(a * z[0]) / 2 - z[0]


def pair(m: Any, z: Any, a: Any) -> Any:
    return [z[0] ** 3 + z[1] - a, z[1] * a - m.exp(-z[0])]


def of_pair(x: Any, a: Any) -> Any:
    return pair(np, x, a)


def _scalar(f: Callable[..., Any], *, with_slope: bool = False) -> Callable[..., Any]:
    if with_slope:
        return lambda x, a: (x**3 + x - a, 3 * x * x + 1)
    return lambda x, a: f(np, (x,), a)


ROOTS = {
    f"root {method}": Problem(
        lambda a, m=method: so.root(lambda x: of_pair(x, a), [0.8, 0.4], method=m, tol=1e-10).x[1],
        pair, (1.0, 0.3), 1,
    )
    for method in ("hybr", "lm", "krylov", "df-sane")
} | {
    "root args": Problem(
        lambda a: so.root(of_pair, [1.0, 1.0], args=(a,)).x[0], pair, (1.0, 0.3)
    ),
    "fsolve": Problem(
        lambda a: so.fsolve(lambda x: of_pair(x, a), [1.0, 1.0])[0], pair, (1.0, 0.3)
    ),
    "fsolve full": Problem(
        lambda a: so.fsolve(of_pair, [1, 1], args=a, full_output=True)[0][1], pair, (1.0, 0.3), 1
    ),
    "newton_krylov": Problem(
        lambda a: so.newton_krylov(lambda x: np.stack(of_pair(x, a)), [0.8, 0.4], f_tol=1e-10)[0],
        pair, (1.0, 0.3),
    ),
    "anderson": Problem(
        lambda a: so.anderson(lambda x: x**3 + x - a, np.ones(2), f_tol=1e-10)[0], cubic, 1.0
    ),
    "fixed_point": Problem(
        lambda a: so.fixed_point(lambda x: np.cos(a * x) / 2, 0.5), cosine, 0.5
    ),
    "newton": Problem(lambda a: so.newton(_scalar(cubic), 1.0, args=(a,)), cubic, 1.0),
    "newton slope": Problem(
        lambda a: so.newton(lambda x: x**3 + x - a, 1.0, fprime=lambda x: 3 * x * x + 1), cubic, 1.0
    ),
    "newton array": Problem(
        lambda a: so.newton(lambda x: x**3 + x - a, np.array([1.0, 2.0]))[1], cubic, 1.0
    ),
    "root_scalar": Problem(
        lambda a: so.root_scalar(lambda x: x**3 + x - a, bracket=[0, 5]).root, cubic, 1.0
    ),
    "root_scalar newton": Problem(
        lambda a: so.root_scalar(
            _scalar(cubic, with_slope=True), args=(a,), x0=1.0, fprime=True, method="newton"
        ).root,
        cubic, 1.0,
    ),
    "root_scalar secant": Problem(
        lambda a: so.root_scalar(lambda x: x**3 + x - a, x0=1.0, x1=1.1).root, cubic, 1.0
    ),
} | {
    name: Problem(
        lambda a, name=name: getattr(so, name)(lambda x: x**3 + x - a, 0.0, 5.0 * a), cubic, 1.0
    )
    for name in ("brentq", "brenth", "ridder", "bisect", "toms748")
}  # fmt: skip


# -- minima ----------------------------------------------------------------------------------------


def valley(x: Any, a: Any) -> Any:
    return np.square(a - x[0]) + 4 * np.square(x[1] - x[0] * x[0]) + np.exp(a * x[1])


def valley_slope(m: Any, z: Any, a: Any) -> Any:
    x, y = z
    return [-2 * (a - x) - 16 * x * (y - x**2), 8 * (y - x**2) + a * m.exp(a * y)]


def slopes(x: Any, a: Any) -> Any:
    return np.stack(valley_slope(np, x, a))


def wave(x: Any, a: Any) -> Any:
    return (x - a) ** 2 + np.cos(a * x)


def wave_slope(m: Any, z: Any, a: Any) -> Any:
    return 2 * (z[0] - a) - a * m.sin(a * z[0])


def near(x: Any, a: Any) -> Any:
    return np.square(x[0] - a) + np.square(x[1] - 3 * a) + x[0] * x[1] * x[1] / 10


def near_slope(x: Any, y: Any, a: Any) -> Any:
    return 2 * (x - a) + y**2 / 10, 2 * (y - 3 * a) + x * y / 5


def held(bound: Callable[..., Any]) -> Callable[..., Any]:
    """y at its bound, and x stationary."""
    return lambda m, z, a: [near_slope(*z, a)[0], z[1] - bound(m, a)]


def on_curve(m: Any, z: Any, a: Any) -> Any:
    """Stationary on x² + y = a, with its multiplier."""
    x, y, k = z
    first, second = near_slope(x, y, a)
    return [first - 2 * k * x, second - k, x**2 + y - a]


def on_line(m: Any, z: Any, a: Any) -> Any:
    """Stationary on a x + 2 y = 1."""
    x, y, k = z
    first, second = near_slope(x, y, a)
    return [first - a * k, second - 2 * k, a * x + 2 * y - 1]


MINIMA = {
    f"minimize {method}": Problem(
        lambda a, m=method, o=options: so.minimize(
            lambda x: valley(x, a), [0.5, 0.0], method=m, options=o
        ).x[0],
        valley_slope, (0.4, 0.0),
    )
    for method, options in {
        "Nelder-Mead": TIGHT, "Powell": TIGHT, "CG": {}, "BFGS": {}, "L-BFGS-B": {}, "TNC": {},
        "COBYLA": TIGHT, "SLSQP": {}, "trust-constr": {},
    }.items()
} | {
    f"minimize {method} slopes": Problem(
        lambda a, m=method: so.minimize(
            valley, [0.5, 0.0], (a,), m, jac=slopes, hess=lambda _x, _a: np.eye(2) * 8
        ).x[1],
        valley_slope, (0.4, 0.0), 1,
    )
    for method in ("Newton-CG", "trust-ncg", "trust-krylov")
} | {
    "minimize with slope": Problem(
        lambda a: so.minimize(lambda x: (valley(x, a), slopes(x, a)), [0.5, 0.0], jac=True).x[0],
        valley_slope, (0.4, 0.0),
    ),
    "minimize bounds": Problem(
        lambda a: so.minimize(
            lambda x: near(x, a), [0.5, 0.5], bounds=[(-9, None), (None, np.sin(a))]
        ).x[0],
        held(lambda m, a: m.sin(a)), (1.0, 1.0),
    ),
    "minimize Bounds": Problem(
        lambda a: so.minimize(
            near, [0.5, 0.5], (a,), "trust-constr", bounds=so.Bounds([-9, -9], [9, a * a])
        ).x[0],
        held(lambda _m, a: a * a), (1.0, 1.0),
    ),
    "minimize equation": Problem(
        lambda a: so.minimize(
            lambda x: near(x, a), [0.5, 0.5],
            constraints={"type": "eq", "fun": lambda x: x[0] ** 2 + x[1] - a},
        ).x[1],
        on_curve, (0.5, 1.0, -3.0), 1,
    ),
    "minimize inequalities": Problem(
        lambda a: so.minimize(
            lambda x: near(x, a), [0.5, 0.5],
            constraints=[
                {"type": "ineq", "fun": lambda x, b: b - x[0] ** 2 - x[1], "args": (a,)},
                {"type": "ineq", "fun": lambda x: 10 - x[0]},
            ],
        ).x[0],
        on_curve, (0.5, 1.0, -3.0),
    ),
    "minimize LinearConstraint": Problem(
        lambda a: so.minimize(
            lambda x: near(x, a), [0.5, 0.5], constraints=so.LinearConstraint([[a, 2.0]], 1, 1)
        ).x[0],
        on_line, (0.0, 0.5, -3.0),
    ),
    "minimize NonlinearConstraint": Problem(
        lambda a: so.minimize(
            lambda x: near(x, a), [0.5, 0.5], method="SLSQP",
            constraints=so.NonlinearConstraint(lambda x: x[0] ** 2 + x[1], -np.inf, a),
        ).x[0],
        on_curve, (0.5, 1.0, -3.0),
    ),
    "minimize_scalar": Problem(
        lambda a: so.minimize_scalar(lambda x: wave(x, a)).x, wave_slope, 2.0
    ),
    "minimize_scalar bounded": Problem(
        lambda a: so.minimize_scalar(wave, bounds=(0, 4), args=(a,)).x, wave_slope, 2.0
    ),
    "minimize_scalar held": Problem(
        lambda a: so.minimize_scalar(lambda x: (x - a) ** 2, bounds=(0, a**3 / 5)).x,
        lambda _m, z, a: z[0] - a**3 / 5, 0.4,
    ),
    "brent": Problem(lambda a: so.brent(wave, (a,)), wave_slope, 2.0),
    "golden": Problem(lambda a: so.golden(lambda x: wave(x, a)), wave_slope, 2.0),
    "fminbound": Problem(lambda a: so.fminbound(lambda x: wave(x, a), 0, 4), wave_slope, 2.0),
    "differential_evolution": Problem(
        lambda a: so.differential_evolution(lambda x: wave(x[0], a), [(0, 4)], seed=1).x[0],
        wave_slope, 2.0,
    ),
    "shgo": Problem(
        lambda a: so.shgo(lambda x: valley(x, a), [(-1, 1), (-1, 1)]).x[0],
        valley_slope, (0.4, 0.0),
    ),
    "dual_annealing": Problem(
        lambda a: so.dual_annealing(lambda x: wave(x[0], a), [(0, 4)], seed=1, maxiter=9).x[0],
        wave_slope, 2.0,
    ),
    "basinhopping": Problem(
        lambda a: so.basinhopping(lambda x: wave(x[0], a), [2.0], niter=2, seed=1).x[0],
        wave_slope, 2.0,
    ),
} | {
    name: Problem(
        lambda a, name=name: getattr(so, name)(valley, [0.5, 0.0], args=(a,), disp=0)[0],
        valley_slope, (0.4, 0.0),
    )
    for name in ("fmin", "fmin_powell", "fmin_cg", "fmin_bfgs")
} | {
    "fmin_l_bfgs_b": Problem(
        lambda a: so.fmin_l_bfgs_b(lambda x: valley(x, a), [0.5, 0.0], approx_grad=True)[0][1],
        valley_slope, (0.4, 0.0), 1,
    ),
    "fmin_tnc": Problem(
        lambda a: so.fmin_tnc(
            lambda x: near(x, a), [0.5, 0.5], approx_grad=True, messages=0,
            bounds=[(-9, 9), (None, np.sin(a))],
        )[0][0],
        held(lambda m, a: m.sin(a)), (1.0, 1.0),
    ),
    "fmin_slsqp": Problem(
        lambda a: so.fmin_slsqp(
            near, [0.5, 0.5], args=(a,), bounds=[(-9, 9), (-9, a)], iprint=0
        )[0],
        held(lambda _m, a: a), (1.0, 1.0),
    ),
    "fmin_slsqp equation": Problem(
        lambda a: so.fmin_slsqp(
            lambda x: near(x, a), [0.5, 0.5], eqcons=[lambda x: x[0] ** 2 + x[1] - a], iprint=0
        )[1],
        on_curve, (0.5, 1.0, -3.0), 1,
    ),
    "fmin_slsqp inequalities": Problem(
        lambda a: so.fmin_slsqp(
            lambda x: near(x, a), [0.5, 0.5], iprint=0,
            f_ieqcons=lambda x: np.stack([a - x[0] ** 2 - x[1], 10 - x[0]]),
        )[0],
        on_curve, (0.5, 1.0, -3.0),
    ),
    "fmin_cobyla": Problem(  # which violates the inequality by 1e-4
        lambda a: so.fmin_cobyla(
            lambda x: near(x, a), [0.5, 0.5], lambda x: a - x[0] ** 2 - x[1], rhoend=1e-7
        )[1],
        on_curve, (0.5, 1.0, -3.0), 1,
    ),
    "brute": Problem(
        lambda a: so.brute(lambda x: wave(x[0], a), [(0, 4)], Ns=8)[0], wave_slope, 2.0
    ),
}  # fmt: skip


# -- linear programs -------------------------------------------------------------------------------


def factory(a: Any) -> Any:
    """Two rows hold the solution."""
    return so.linprog([-a, -1.5], A_ub=[[1, a], [a * a, 1]], b_ub=[4, 4.5 * a])


def factory_corner(_m: Any, z: Any, a: Any) -> Any:
    return [z[0] + a * z[1] - 4, a * a * z[0] + z[1] - 4.5 * a]


def blend(a: Any) -> Any:
    """An equation and two bounds hold the solution."""
    return so.linprog(
        [-1, -0.5 * a, 0.1], A_eq=[[1, 1, a]], b_eq=[a], bounds=[(0, a / 3), (0, None), (-1, 2)]
    )


PROGRAMS = {
    "rows": Problem(lambda a: factory(a).x[1], factory_corner, (1.0, 1.0), 1),
    "value": Problem(
        lambda a: factory(a).fun,
        lambda m, z, a: [*factory_corner(m, z, a), z[2] + a * z[0] + 1.5 * z[1]],
        (1.0, 1.0, -4.0), 2,
    ),
    "equation": Problem(
        lambda a: blend(a).x[1],
        lambda _m, z, a: [z[0] - a / 3, z[0] + z[1] + a * z[2] - a, z[2] + 1], (0.4, 2.0, -1.0), 1,
    ),
    "slack": Problem(
        lambda a: so.linprog([-a, -1], A_ub=[[1, 1], [a, -1]], b_ub=[a, 9]).slack[1],
        lambda _m, z, a: [z[0] - a, 9 - a * z[0] - z[1]], (1.0, 1.0), 1,
    ),
}  # fmt: skip


# -- fits ------------------------------------------------------------------------------------------


def misfit(p: Any, a: Any) -> Any:
    return p[0] * np.exp(-p[1] * T * a) - np.cos(a * T) - NOISE


def normal_equations(m: Any, z: Any, a: Any) -> Any:
    first = second = m.mpf(0)
    for t, noise in zip(T.tolist(), NOISE.tolist(), strict=True):
        e = m.exp(-z[1] * t * a)
        r = z[0] * e - m.cos(a * t) - noise
        first, second = first + r * e, second - r * z[0] * t * a * e
    return [first, second]


def robust(m: Any, z: Any, a: Any) -> Any:
    """Those of the loss soft_l1 with the scale 0.3."""
    first = second = m.mpf(0)
    for t, noise in zip(T.tolist(), NOISE.tolist(), strict=True):
        e = m.exp(-z[1] * t * a)
        r = z[0] * e - m.cos(a * t) - noise
        weight = r / m.sqrt(1 + (r / 0.3) ** 2)
        first, second = first + weight * e, second - weight * z[0] * t * a * e
    return [first, second]


def held_rate(m: Any, z: Any, a: Any) -> Any:
    """The first parameter alone, with the second at a/4."""
    return [normal_equations(m, z, a)[0], z[1] - a / 4]


FITS = {
    f"least_squares {method}": Problem(
        lambda a, m=method: so.least_squares(lambda p: misfit(p, a), [1.0, 0.3], method=m).x[1],
        normal_equations, (1.0, 0.2), 1,
    )
    for method in ("trf", "dogbox", "lm")
} | {
    "least_squares loss": Problem(
        lambda a: so.least_squares(
            misfit, [1.0, 0.3], loss="soft_l1", f_scale=0.3, args=(a,)
        ).x[0],
        robust, (1.0, 0.2),
    ),
    "least_squares bounds": Problem(
        lambda a: so.least_squares(
            lambda p: misfit(p, a), [1.0, 0.1], bounds=([-np.inf, -1], [np.inf, a / 4])
        ).x[0],
        held_rate, (1.0, 0.3),
    ),
    "leastsq": Problem(
        lambda a: so.leastsq(misfit, [1.0, 0.3], args=(a,))[0][0], normal_equations, (1.0, 0.2)
    ),
    "curve_fit": Problem(
        lambda a: so.curve_fit(
            lambda t, p, q: p * np.exp(-q * t), a * T, np.cos(a * T) + NOISE
        )[0][1],
        normal_equations, (1.0, 0.2), 1,
    ),
    "curve_fit bounds": Problem(
        lambda a: so.curve_fit(
            lambda t, p, q: p * np.exp(-q * t * a), T, np.cos(a * T) + NOISE, p0=[1.0, 0.1],
            bounds=([-np.inf, -1], [np.inf, a / 4]),
        )[0][0],
        held_rate, (1.0, 0.3),
    ),
}  # fmt: skip
