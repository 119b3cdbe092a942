"""Interpolation in several variables: at grids, and of scattered data."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.interpolate as s
import scipy.sparse.linalg

import pullback as pb
from pullback.errors import DataDependenceError, NoRuleError
from tests.grouping import together
from tests.linear_maps import assert_same
from tests.scipy.derivatives import assert_served

RNG = np.random.default_rng(1)
GX, GY = np.cumsum(RNG.uniform(0.2, 0.6, 6)), np.cumsum(RNG.uniform(0.2, 0.5, 7))
V, V2 = RNG.normal(size=(6, 7)), RNG.normal(size=(6, 7, 2))
Q = np.stack([RNG.uniform(GX[0], GX[-1], 4), RNG.uniform(GY[0], GY[-1], 4)], axis=-1)
FAR = np.concatenate([Q, [[-1.0, 0.3], [4.03, 5.01]]])
A, B = Q[:, 0], Q[:, 1]
KNOTS = (np.r_[[0.0] * 4, 1.0, [3.0] * 4], np.r_[[0.0] * 3, 1.0, 1.5, [3.0] * 3])
DATA, HEIGHTS, PAIRS = RNG.uniform(0, 1, (12, 2)), RNG.normal(size=12), RNG.normal(size=(12, 2))
IN = RNG.uniform(0.3, 0.7, (4, 2))
ONE = np.array(1.5)


def grid(method, **options):
    def f(q, v, x):
        return s.RegularGridInterpolator((x, GY), v, method, **options)(q)

    return f


OPEN = {"bounds_error": False, "fill_value": None}
GRIDS = {
    "linear": (grid("linear", **OPEN), FAR, V, GX),
    "nearest": (grid("nearest", **OPEN), FAR, V, GX),
    "pchip": (grid("pchip"), Q, V, GX),
    "filled": (
        lambda q, v, a: s.RegularGridInterpolator((GX, GY), v, bounds_error=False, fill_value=a)(q),
        FAR, V2, ONE,
    ),
    "at points only": (lambda q: s.RegularGridInterpolator((GX, GY), V)(q), Q),
    "descending": (lambda q, v: s.RegularGridInterpolator((GX[::-1], GY), v)(q), Q, V),
    "pchip in three": (
        lambda q, v: s.RegularGridInterpolator((GX, GY, GX), v, "pchip")(np.c_[q, q[:, 0]]),
        Q, RNG.normal(size=(6, 7, 6)),
    ),
    "one variable": (lambda a, v: s.RegularGridInterpolator((GX,), v)(a), A, V[:, 0]),
    "interpn": (lambda a, b, v: s.interpn((GX, GY), v, (a[:, None], b)), A, B, V),
    "splinef2d": (lambda q, v: s.interpn((GX, GY), v, q, "splinef2d"), Q, V),
    "RectBivariateSpline": (
        lambda a, b, v, x: s.RectBivariateSpline(x, GY, v).ev(a, b), A, B, V, GX
    ),
    "RectBivariateSpline derivative": (
        lambda a, b, v: s.RectBivariateSpline(GX, GY, v, kx=2, ky=4).ev(a, b, 1, 1), A, B, V
    ),
    "RectBivariateSpline at a grid": (
        lambda a, b, v: s.RectBivariateSpline(GX, GY, v, kx=1)(a, b), np.sort(A), np.sort(B), V
    ),
    "RectBivariateSpline.integral": (
        lambda a, v: np.add(s.RectBivariateSpline(GX, GY, v).integral(0.5, a, 0.3, 1.0), 0), ONE, V
    ),
    "RectBivariateSpline box": (
        lambda a: s.RectBivariateSpline(GX, GY, V, [a - 1.6, None, None, 9.0]).ev(A, B), ONE
    ),
    "NdBSpline": (
        lambda q, c: s.NdBSpline(KNOTS, c, (3, 2))(q, nu=(1, 0)), Q, RNG.normal(size=(5, 5, 2))
    ),
    "NdBSpline cut": (
        lambda q, c: s.NdBSpline(KNOTS, c, (3, 2), extrapolate=False)(q), FAR,
        RNG.normal(size=(5, 5)),
    ),
}  # fmt: skip

KERNELS = ("linear", "thin_plate_spline", "cubic", "quintic", "multiquadric",
           "inverse_multiquadric", "inverse_quadratic", "gaussian")  # fmt: skip
SCATTERED = {
    **{
        f"RBFInterpolator {kernel}": (
            lambda q, p, d, kernel=kernel: s.RBFInterpolator(p, d, kernel=kernel, epsilon=2.0)(q),
            IN, DATA, HEIGHTS,
        )
        for kernel in KERNELS
    },
    "RBFInterpolator smoothing": (
        lambda a, e: s.RBFInterpolator(
            DATA, PAIRS, kernel="gaussian", smoothing=a * np.ones(12), epsilon=e, degree=1
        )(IN),
        ONE, ONE,
    ),
    "RBFInterpolator at its data": (
        lambda q: s.RBFInterpolator(DATA, HEIGHTS, kernel="gaussian", epsilon=3.0)(q), DATA[:3]
    ),
    "griddata values": (
        lambda d: s.griddata(DATA, d, (IN[:, 0], 5 * IN[:, 1]), fill_value=3.0, rescale=True),
        HEIGHTS,
    ),
    "griddata points": (lambda q: s.griddata(DATA, HEIGHTS, q), IN),
    "griddata nearest": (lambda d: s.griddata(DATA, d, IN, "nearest"), HEIGHTS),
    "griddata in one variable": (
        lambda q, d: s.griddata(DATA[:, 0], d, q, "cubic"), IN[:, 0], HEIGHTS
    ),
    "LinearNDInterpolator": (lambda a, d: s.LinearNDInterpolator(DATA, d)(a, IN[:, 1]), IN[:, 0],
                             PAIRS),
    "NearestNDInterpolator": (lambda d: s.NearestNDInterpolator(DATA, d)(IN), PAIRS),
}  # fmt: skip
WHOLE = {
    "griddata": (lambda q, p, d: s.griddata(p, d, q), IN, DATA, HEIGHTS),
    "RBFInterpolator neighbors": (
        lambda q, p, d: s.RBFInterpolator(p, d, neighbors=6)(q),
        IN,
        DATA,
        HEIGHTS,
    ),
    "LinearNDInterpolator rescaled": (
        lambda p: s.LinearNDInterpolator(p, PAIRS, rescale=True)(IN),
        DATA,
    ),
}
"""Whose points decide which simplices or neighbours there are, so that they cannot be mapped."""
CALLS = {**GRIDS, **SCATTERED, **WHOLE}


@together()
@pytest.mark.parametrize("name", CALLS)
def test_values_and_derivatives(name):
    f, *args = CALLS[name]
    assert_served(f, *args, mapped=name not in WHOLE, tolerance=1e-6)


@together()
@pytest.mark.parametrize("method", ["slinear", "cubic", "quintic"])
def test_splines_of_grids_solve_their_equations(method):
    """Of which SciPy iterates to a tolerance, but for a solver that is exact."""

    def f(q, v, x):
        return s.RegularGridInterpolator((x, GY), v, method)(q)

    exact = s.RegularGridInterpolator((GX, GY), V, method, solver=scipy.sparse.linalg.spsolve)
    np.testing.assert_allclose(pb.vjp(f, Q, V, GX)[0], exact(Q), rtol=1e-10, atol=1e-11)
    plain = s.RegularGridInterpolator((GX, GY), V, method)
    assert_same(pb.vjp(plain, Q)[0], plain(Q))
    slopes = np.stack([plain(Q, nu=(1, 0)), plain(Q, nu=(0, 1))], axis=-1)
    np.testing.assert_allclose(
        pb.grad(lambda q: np.sum(plain(q)))(Q), slopes, rtol=1e-10, atol=1e-10
    )
    dots = [RNG.normal(size=each.shape) for each in (V, GX)]
    got = pb.pushforward(lambda v, x: f(Q, v, x), (V, GX), tuple(dots))[1]
    h = 1e-5
    ends = [
        s.RegularGridInterpolator(
            (GX + step * dots[1], GY), V + step * dots[0], method,
            solver=scipy.sparse.linalg.spsolve,
        )(Q)
        for step in (h, -h)
    ]  # fmt: skip
    np.testing.assert_allclose(got, (ends[0] - ends[1]) / (2 * h), rtol=1e-6, atol=1e-6)


def test_a_quintic_spline_without_inner_knots_compiles():
    def f(x):
        return s.RegularGridInterpolator((x, GY), V, "quintic")(Q)

    np.testing.assert_allclose(pb.compile(f)(GX), pb.vjp(f, GX)[0], rtol=1e-8, atol=1e-9)


def test_what_is_mapped_or_has_no_rule_is_refused():
    rows = np.stack([DATA, DATA])
    for name in WHOLE:
        f, *args = WHOLE[name]
        with pytest.raises(DataDependenceError, match=r"scipy\.interpolate\.\w+: .* is mapped"):
            pb.vmap(lambda p, f=f, args=args: f(*args[:-2], p, args[-1]) if args[1:] else f(p))(
                rows
            )
    for call in (
        lambda q: s.CloughTocher2DInterpolator(DATA, HEIGHTS)(q),
        lambda q: s.griddata(DATA, HEIGHTS * q[0, 0], IN, "cubic"),
        lambda q: s.griddata(DATA, HEIGHTS, q, "cubic"),
    ):
        with pytest.raises(NoRuleError, match=r"CloughTocher2DInterpolator met .* RBFInterpolator"):
            pb.vjp(call, IN)
    for call, words in (
        (lambda v: s.SmoothBivariateSpline(A, B, v), r"SmoothBivariateSpline\.__init__ met"),
        (lambda v: s.RectBivariateSpline(A, B, v, s=1.0), "s is not 0"),
        (lambda v: s.NdBSpline((np.sort(v),), np.ones(2), 1), "the knots are traced"),
    ):
        with pytest.raises(NoRuleError, match=words):
            pb.vjp(call, A)
