"""Interpolation in one variable: at traced points, and of traced data."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.interpolate as s

import pullback as pb
from pullback.errors import NoRuleError
from tests.grouping import together
from tests.linear_maps import assert_same
from tests.scipy.derivatives import assert_served

RNG = np.random.default_rng(0)
X = np.cumsum(RNG.uniform(0.2, 0.6, 9)) - 0.3
Y, ROWS = RNG.normal(size=9), RNG.normal(size=(2, 9, 3))
P = np.array([X[0] - 0.2, 0.31, 1.17, 2.23, X[-1] - 0.05, X[-1] + 0.3])
WITHIN = np.array([X[0] + 0.01, 0.71, 1.33, 2.21])
C, TRAIL = RNG.normal(size=(4, 8)), RNG.normal(size=(4, 8, 2))
T, K = np.cumsum(RNG.uniform(0.1, 1, 12)), RNG.normal(size=8)
ON_T = np.array([T[3] - 0.3, T[4] + 0.1, T[6] - 0.02, T[8] + 0.2])
ORIGIN, END = np.array(0.3), np.array(2.5)
INNER = [0.9, 2.0]


def closed(y):
    return np.concatenate([y[:-1], y[:1]])


PIECES = {
    "CubicSpline": (lambda p, x, y: s.CubicSpline(x, y)(p), P, X, Y),
    "natural": (lambda x, y: s.CubicSpline(x, y, bc_type="natural")(P, 1), X, Y),
    "clamped": (lambda y: s.CubicSpline(X, y, 1, "clamped", extrapolate=False)(P), ROWS),
    "periodic": (lambda x, y: s.CubicSpline(x, closed(y), bc_type="periodic")(P), X, Y),
    "periodic of four": (
        lambda y: s.CubicSpline(X[:4], closed(y), bc_type="periodic")(P), Y[:4]
    ),
    "periodic of three": (
        lambda y: s.CubicSpline(X[:3], closed(y), bc_type="periodic")(P), Y[:3]
    ),
    "end values": (
        lambda a, b: s.CubicSpline(X, Y, bc_type=((1, a), (2, b)))(P), ORIGIN, END
    ),
    "three points": (lambda x, y: s.CubicSpline(x, y)(P), X[:3], Y[:3]),
    "two points": (lambda x, y: s.CubicSpline(x, y)(P), X[:2], Y[:2]),
    "derivative": (lambda y: s.CubicSpline(X, y).derivative()(P), Y),
    "antiderivative": (lambda p, x, y: s.CubicSpline(x, y).antiderivative(2)(p), P, X, Y),
    "integrate": (lambda a, b, y: s.CubicSpline(X, y).integrate(a, b), ORIGIN, END, Y),
    "integrate over periods": (
        lambda a, b, y: s.CubicSpline(X, closed(y), bc_type="periodic").integrate(a - 5, 3 * b),
        ORIGIN, END, Y,
    ),
    "PchipInterpolator": (lambda p, x, y: s.PchipInterpolator(x, y)(p), P, X, Y),
    "pchip rows": (lambda y: s.PchipInterpolator(X, y, axis=1)(P), ROWS),
    "pchip_interpolate": (lambda p, y: s.pchip_interpolate(X, y, p, der=1), P, Y),
    "Akima1DInterpolator": (lambda p, x, y: s.Akima1DInterpolator(x, y)(p), P, X, Y),
    "makima": (
        lambda x, y: s.Akima1DInterpolator(x, y, method="makima", extrapolate=True)(P), X, Y
    ),
    "CubicHermiteSpline": (
        lambda p, x, y, d: s.CubicHermiteSpline(x, y, d)(p), P, X, Y, Y[::-1].copy()
    ),
    "PPoly": (lambda p, c, x: s.PPoly(c, x)(p), P, C, X),
    "PPoly second derivative": (lambda p, c, x: s.PPoly(c, x)(p, 2), P, TRAIL, X),
    "PPoly descending": (lambda p, c, x: s.PPoly(c, x[::-1])(p), P, C, X),
    "PPoly axis": (
        lambda c: s.PPoly(c, X[:3], axis=1)(P.reshape(2, 3)), RNG.normal(size=(3, 4, 2))
    ),
    "BPoly": (lambda p, c, x: s.BPoly(c, x)(p), P[1:-1], C, X),
    "BPoly derivative": (lambda p, c, x: s.BPoly(c, x)(p, 1), P[1:-1], C, X),
    "BPoly antiderivative": (lambda c, x: s.BPoly(c, x).antiderivative(2)(P), C, X),
    "BPoly integrate": (lambda c, x, a: s.BPoly(c, x).integrate(a, 2.0), C, X, ORIGIN),
    "NdPPoly": (
        lambda p, c: s.NdPPoly(c, (X[:4], X[:3]))(p), RNG.uniform(0.1, 0.9, (3, 2)),
        RNG.normal(size=(3, 2, 3, 2, 2)),
    ),
    "from_spline": (lambda y: s.PPoly.from_spline(s.splrep(X, y))(WITHIN), Y),
}  # fmt: skip

SPLINES = {
    "BSpline": (lambda p, t, c: s.BSpline(t, c, 3)(p), ON_T, T, K),
    "BSpline derivative": (lambda p, t, c: s.BSpline(t, c, 3)(p, 2), ON_T, T, TRAIL[:, :, 0].T),
    "BSpline cut": (lambda p, c: s.BSpline(T, c, 3, extrapolate=False)(p, 1), ON_T, K),
    "BSpline periodic": (lambda p, c, t: s.BSpline(t, c, 3, "periodic")(p), ON_T + 9, K, T),
    "BSpline axis": (
        lambda c: s.BSpline(T, c, 3, axis=1)(ON_T.reshape(1, 4)), RNG.normal(size=(3, 8, 2))
    ),
    "BSpline.derivative": (lambda c, t: s.BSpline(t, c, 3).derivative(2)(ON_T), K, T),
    "BSpline.antiderivative": (lambda c, t: s.BSpline(t, c, 3).antiderivative(2)(ON_T), K, T),
    "BSpline.integrate": (
        lambda c, t, a, b: s.BSpline(t, c, 3).integrate(a, b), K, T, ON_T[0], ON_T[2]
    ),
    "BSpline.integrate cut": (
        lambda c, a: s.BSpline(T, c, 3).integrate(a, 3.5, extrapolate=False), K, ON_T[1]
    ),
    "BSpline.integrate periodic": (
        lambda c, b: s.BSpline(T, c, 3).integrate(2.0, 9 * b, extrapolate="periodic"), K, ON_T[0]
    ),
    "basis_element": (
        lambda t: s.BSpline.basis_element(t)(ON_T / 2), np.array([0, 1.01, 2.02, 3.5])
    ),
    "steps": (lambda c: s.BSpline(T[:9], c, 0)(ON_T), K),
    **{
        f"make_interp_spline of degree {k}": (
            lambda p, x, y, k=k: s.make_interp_spline(x, y, k)(p), P, X, Y
        )
        for k in range(1, 6)
    },
    "make_interp_spline natural": (
        lambda x, y: s.make_interp_spline(x, y, bc_type="natural")(P), X, Y
    ),
    "make_interp_spline rows": (lambda y: s.make_interp_spline(X, y, axis=1)(P), ROWS),
    "make_interp_spline ends": (
        lambda a, b: s.make_interp_spline(X, Y, bc_type=([(1, a)], [(2, b)]))(P), ORIGIN, END
    ),
    "make_interp_spline periodic": (
        lambda x, y: s.make_interp_spline(x, closed(y), bc_type="periodic")(P), X, Y
    ),
    "make_lsq_spline": (
        lambda x, y, w: s.make_lsq_spline(x, y, np.r_[[-1.0] * 4, INNER, [4.0] * 4], w=w)(P),
        X, Y, 1 + 0.1 * Y,
    ),
    "make_smoothing_spline": (
        lambda x, y, w, a: s.make_smoothing_spline(x, y, w, a)(P), X, Y, 1 + 0.1 * Y, ORIGIN
    ),
    "splrep": (lambda p, x, y: s.splev(p, s.splrep(x, y)), P, X, Y),
    "splrep of degree 4": (lambda p, x, y: s.splev(p, s.splrep(x, y, k=4), der=1), P, X, Y),
    "splrep ends": (lambda b: s.splev(P, s.splrep(X, Y, xb=b - 0.6)), ORIGIN),
    "splrep periodic": (lambda x, y: s.splev(WITHIN, s.splrep(x, y, per=1)), X, Y),
    "splrep with knots": (lambda y, w: s.splev(P, s.splrep(X, y, w, t=INNER)), Y, 1 + 0.1 * Y),
    "splev zeros": (lambda p, y: s.splev(p, s.splrep(X, y), ext=1), P, Y),
    "splev constant": (lambda p, y: s.splev(p, s.splrep(X, y), ext=3), P, Y),
    "splev of a curve": (lambda c: np.stack(s.splev(WITHIN, (T, [c, c**2], 3))), K),
    "splint": (lambda a, b, y: np.add(s.splint(a, b, s.splrep(X, y)), 0), ORIGIN, END, Y),
    "splder": (lambda y: s.splev(P, s.splder(s.splrep(X, y), 2)), Y),
    "splantider": (lambda y: s.splev(P, s.splantider(s.splrep(X, y), 2)), Y),
    "spalde": (lambda y: np.stack(s.spalde(WITHIN[1:], s.splrep(X, y))), Y),
    "InterpolatedUnivariateSpline": (
        lambda p, x, y: s.InterpolatedUnivariateSpline(x, y, ext=1)(p), P, X, Y
    ),
    "UnivariateSpline derivative": (
        lambda p, y: s.UnivariateSpline(X, y, s=0).derivative()(p), P, Y
    ),
    "UnivariateSpline of smooth data": (lambda p: s.UnivariateSpline(X, Y, s=1.0)(p), P),
    "LSQUnivariateSpline": (lambda y: s.LSQUnivariateSpline(X, y, INNER).get_coeffs(), Y),
    "UnivariateSpline integral": (
        lambda y: np.add(s.InterpolatedUnivariateSpline(X, y).integral(0.3, 2.0), 0), Y
    ),
}  # fmt: skip

POLYNOMIALS = {
    **{
        f"interp1d {kind}": (
            lambda p, y, kind=kind: s.interp1d(X, y, kind, fill_value="extrapolate")(p), P, Y
        )
        for kind in ("linear", "nearest", "nearest-up", "previous", "next", "zero", "slinear",
                     "quadratic", "cubic", 4)
    },
    "interp1d points": (lambda x, y: s.interp1d(x, y)(WITHIN), X, Y),
    "interp1d in no order": (lambda x, y: s.interp1d(x[::-1], y)(WITHIN), X, Y),
    "interp1d rows": (lambda y: s.interp1d(X, y, axis=1, bounds_error=False)(P), ROWS),
    "interp1d filled": (
        lambda a, b: s.interp1d(X, Y, "cubic", bounds_error=False, fill_value=(a, b))(P),
        ORIGIN, END,
    ),
    "KroghInterpolator": (lambda p, x, y: s.KroghInterpolator(x, y)(p), WITHIN, X[:6], Y[:6]),
    "KroghInterpolator with slopes": (
        lambda p, y: s.KroghInterpolator([0, 0, 0.5, 1, 1, 1], y)(p), WITHIN / 3, Y[:6]
    ),
    "KroghInterpolator derivatives": (
        lambda p, y: s.KroghInterpolator(X[:5], y[:, :5], axis=1).derivatives(p, 3), WITHIN, ROWS
    ),
    "krogh_interpolate": (
        lambda p, y: s.krogh_interpolate(X[:5], y, p, der=1), WITHIN, Y[:5]
    ),
    "BarycentricInterpolator": (
        lambda p, x, y: s.BarycentricInterpolator(x, y)(p), WITHIN, X[:6], Y[:6]
    ),
    "BarycentricInterpolator at its points": (
        lambda p, y: s.BarycentricInterpolator(X[:6], y)(p), X[[0, 4]], Y[:6]
    ),
    "BarycentricInterpolator rows": (
        lambda y: s.BarycentricInterpolator(X[:5], y[:, :5], axis=1)(WITHIN), ROWS
    ),
    "barycentric_interpolate": (
        lambda p, y: s.barycentric_interpolate(X[:6], y, p, der=2), WITHIN, Y[:6]
    ),
}  # fmt: skip
CALLS = {**PIECES, **SPLINES, **POLYNOMIALS}


@together()
@pytest.mark.parametrize("name", CALLS)
def test_values_and_derivatives(name):
    f, *args = CALLS[name]
    assert_served(f, *args, tolerance=1e-6 if "smoothing" in name else 1e-7)


def test_bits_of_plain_splines_and_their_own_derivatives():
    spline = s.CubicSpline(X, Y)
    for ours in (spline, s.make_interp_spline(X, Y), s.PchipInterpolator(X, Y)):
        out, pull = pb.vjp(ours, P)
        assert_same(out, ours(P))
        np.testing.assert_allclose(pull(np.ones(6))[0], ours(P, 1), rtol=1e-12, atol=1e-13)
    hessian = pb.hessian(lambda p: np.sum(spline(p)))(P)
    np.testing.assert_allclose(np.diag(hessian), spline(P, 2), rtol=1e-12, atol=1e-12)


def test_at_breakpoints_the_piece_to_the_right_counts_and_at_the_end_the_last():
    lines = s.interp1d(X, Y, fill_value="extrapolate")
    for f, points in (
        (s.PPoly(C, X), X[[0, 3, 7]]),
        (s.BSpline(T, T**2, 1), T[[2, 4, 9]]),
        (lines, X[[0, 3, 7]]),
    ):
        right = (f(points + 1e-7) - f(points + 1e-8)) / 9e-8
        got = pb.pushforward(f, (points,), (np.ones_like(points),))[1]
        np.testing.assert_allclose(got, right, rtol=1e-5, atol=1e-5)
    last = pb.grad(lambda p: lines(p))(X[-1])
    assert last == pytest.approx((Y[-1] - Y[-2]) / (X[-1] - X[-2]))


def test_roots_move_with_what_they_are_roots_of():
    wave = np.array([1.0, -1.1, 2.0, -2.0, 3.0, -1.0])
    steps = np.arange(6.0)
    for f, *args in (
        (lambda x, y: s.CubicSpline(x, y).roots(extrapolate=False), steps, wave),
        (lambda a: s.CubicSpline(steps, wave).solve(a, extrapolate=False), np.array(0.5)),
    ):
        assert_served(f, *args, exact=True, mapped=False)
    empty = pb.vjp(lambda y: s.CubicSpline(steps, y).roots(extrapolate=False), 2 + steps)[0]
    assert empty.shape == (0,)


def test_traced_objects_are_of_scipys_classes():
    def f(y):
        spline = s.CubicSpline(X, y)
        assert type(spline) is s.CubicSpline and spline.c.shape == (4, 8)
        assert np.array_equal(spline.x, X)

        class Mine(s.CubicSpline):
            pass

        return Mine(X, y)(P) + spline(P) + np.sum(spline.c)

    expected = 2 * s.CubicSpline(X, Y)(P) + np.sum(s.CubicSpline(X, Y).c)
    np.testing.assert_allclose(pb.vjp(f, Y)[0], expected)
    inside = pb.grad(lambda a: a * np.sum(s.CubicSpline(np.linspace(0, 1, 5), np.ones(5))(0.5)))
    assert inside(2.0) == pytest.approx(1.0)


def test_errors_are_scipys_and_refusals_say_what_to_use():
    for call, error, words in (
        (lambda y: s.CubicSpline(X[::-1], y), ValueError, "strictly increasing"),
        (lambda y: s.CubicSpline(X, y[1:]), ValueError, "doesn't match the length"),
        (lambda y: s.interp1d(X, y)(9.0), ValueError, "above the interpolation range"),
        (lambda y: s.BSpline(X, y[:4], 3), ValueError, "degree are inconsistent"),
        (lambda y: s.splrep(X, y, s=1.0), NoRuleError, "make_lsq_spline"),
        (lambda y: s.UnivariateSpline(X, y), NoRuleError, r"splrep\(stop_gradient"),
        (lambda y: s.make_smoothing_spline(X, y), NoRuleError, "hand over lam"),
        (lambda y: s.UnivariateSpline(X, y, s=0).roots(), NoRuleError, r"roots met .*Newton"),
        (lambda y: s.PPoly(np.stack([y, -y]), T[:10]).solve(0.1), ValueError, "where it jumps"),
        (lambda y: s.lagrange(X, y), NoRuleError, "BarycentricInterpolator"),
        (lambda y: s.splprep([X, y]), NoRuleError, r"splprep met .* s=0"),
    ):
        with pytest.raises(error, match=words):
            pb.vjp(call, Y)


def test_gradients_compile():
    for f, point in (
        (lambda y: np.sum(s.PchipInterpolator(X, y)(P) ** 2), Y),
        (lambda x: np.sum(s.splev(P, s.splrep(x, Y)) ** 2), X),
        (lambda p: np.sum(s.interp1d(X, Y, bounds_error=False, fill_value=1.0)(p) ** 2), P),
    ):
        gradient = pb.grad(f)
        np.testing.assert_allclose(pb.compile(gradient)(point), gradient(point), rtol=1e-10)
