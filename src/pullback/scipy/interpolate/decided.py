"""What is decided for the classes of `scipy.interpolate`, and for functions that have no rule."""

from __future__ import annotations

import scipy.interpolate

from pullback.numpy.decisions import Kind, decide
from pullback.scipy.decisions import passed, refused

__all__: list[str] = []

decide(
    scipy.interpolate,
    "Akima1DInterpolator BPoly BSpline BarycentricInterpolator BivariateSpline CubicHermiteSpline "
    "CubicSpline InterpolatedUnivariateSpline KroghInterpolator LSQUnivariateSpline "
    "LinearNDInterpolator NdBSpline NdPPoly NearestNDInterpolator PPoly PchipInterpolator "
    "RBFInterpolator RectBivariateSpline RegularGridInterpolator interp1d",
    Kind.DIFFERENTIABLE,
    "in points and in data",
)
decide(
    scipy.interpolate,
    "LSQBivariateSpline LSQSphereBivariateSpline RectSphereBivariateSpline SmoothBivariateSpline "
    "SmoothSphereBivariateSpline",
    Kind.DIFFERENTIABLE,
    "in points; made of plain data",
)
decide(
    scipy.interpolate,
    "UnivariateSpline",
    Kind.DIFFERENTIABLE,
    "in points, and with s=0 in data",
)
passed(
    scipy.interpolate,
    "barycentric_interpolate krogh_interpolate pchip_interpolate",
    "make an interpolator, and evaluate it",
)
_SMOOTHING = (
    "Interpolate, with make_interp_spline or splrep(x, y, s=0); or find knots t for detached data, "
    "and hand them to make_lsq_spline(x, y, t); or give make_smoothing_spline a lam"
)
refused(scipy.interpolate, "generate_knots make_splrep make_splprep splprep", _SMOOTHING)
refused(
    scipy.interpolate,
    "bisplrep",
    "Values at a grid have a spline, RectBivariateSpline(x, y, z), with a derivative; scattered "
    "ones RBFInterpolator(points, values)",
)
refused(
    scipy.interpolate,
    "sproot",
    "Find the roots r of the detached spline, and take a step of Newton's method from there, "
    "r - splev(r, tck) / splev(r, tck, der=1), which has the derivative",
)
refused(
    scipy.interpolate,
    "insert",
    "The spline is the same with a knot more: evaluate it without, by splev",
)
refused(
    scipy.interpolate,
    "lagrange approximate_taylor_polynomial pade",
    "Their results are numpy.poly1d objects, which cannot hold traced values: evaluate the "
    "polynomial through points by BarycentricInterpolator or KroghInterpolator, whose derivatives "
    "at a point are its Taylor coefficients times factorials",
)
refused(
    scipy.interpolate,
    "AAA FloaterHormannInterpolator",
    "Evaluate a polynomial through the points, by BarycentricInterpolator, or a spline, by "
    "CubicSpline",
)
refused(
    scipy.interpolate,
    "Rbf",
    "It is superseded by scipy.interpolate.RBFInterpolator, which is served",
)
refused(
    scipy.interpolate,
    "CloughTocher2DInterpolator",
    "Interpolate linearly, with LinearNDInterpolator, or smoothly with RBFInterpolator",
)
refused(scipy.interpolate, "interp2d", "SciPy has removed it: use RectBivariateSpline")
