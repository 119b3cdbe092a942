"""FITPACK's splines of two variables, at points and through values at a grid."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.interpolate as si

from pullback.core.shapes import shape_of
from pullback.errors import NoRuleError
from pullback.numpy.operands import operand
from pullback.rules.shaping import concatenate
from pullback.scipy.constants import serves_followed
from pullback.scipy.interpolate.bases import spline_values
from pullback.scipy.interpolate.fitting import inner_knots, repeated
from pullback.scipy.interpolate.objects import holds, real, refuse_methods, required
from pullback.scipy.interpolate.splines import integral
from pullback.scipy.interpolate.tensor import coefficients, evaluated

__all__: list[str] = []

_BASES = [si.BivariateSpline, si.SmoothSphereBivariateSpline.__mro__[1]]
for _class in _BASES:
    holds("tck")(_class)


@serves_followed(si.RectBivariateSpline.__init__)
def set_up(
    self: Any,
    x: Any,
    y: Any,
    z: Any,
    bbox: Any = (None,) * 4,
    kx: int = 3,
    ky: int = 3,
    s: Any = 0,
    maxit: int = 20,
) -> None:
    """The spline through values at a grid: a system of equations along each axis."""
    if s != 0:
        raise NoRuleError(
            "scipy.interpolate.RectBivariateSpline: s is not 0, and a smoothing spline, whose "
            "knots FITPACK looks for, has no derivative rule in pullback; interpolate, with s=0"
        )
    x, y, z = (real(each, "RectBivariateSpline", "x, y and z") for each in (x, y, z))
    x, y = np.reshape(x, (-1,)), np.reshape(y, (-1,))
    required(np.diff(x) > 0, "x must be strictly increasing")
    required(np.diff(y) > 0, "y must be strictly increasing")
    for axis, (name, each) in enumerate((("x", x), ("y", y))):
        required(
            shape_of(each)[0] == shape_of(z)[axis],
            f"{name} dimension of z must have same number of elements as {name}",
        )
    required(len(bbox) == 4, "bbox shape should be (4,)")
    ts = [_knots(x, kx, *bbox[:2]), _knots(y, ky, *bbox[2:])]
    c = coefficients((x, y), ts, (kx, ky), z)
    self.fp = 0.0
    self.tck = (*ts, np.reshape(c, (-1,)))
    self.degrees = (kx, ky)


def _knots(x: Any, k: int, first: Any, last: Any) -> Any:
    first, last = (x[i] if end is None else operand(end) for i, end in ((0, first), (-1, last)))
    return concatenate(repeated(first, k + 1), inner_knots(x, k), repeated(last, k + 1), axis=0)


def _matrix(tck: Any, degrees: Any) -> tuple[Any, Any, Any]:
    """The knots, and the coefficients as a matrix."""
    tx, ty, c = (operand(each) for each in tck[:3])
    counts = [shape_of(t)[0] - k - 1 for t, k in zip((tx, ty), degrees, strict=True)]
    return tx, ty, np.reshape(c[: counts[0] * counts[1]], counts)


def _within(x: Any, t: Any, k: int) -> Any:
    """Points beyond the knots moved to the last ones, where the spline ends."""
    first, last = t[k], t[shape_of(t)[0] - k - 1]
    return np.where(x < first, first, np.where(x > last, last, x))


@serves_followed(si.BivariateSpline.__call__)
def call(self: Any, x: Any, y: Any, dx: int = 0, dy: int = 0, grid: bool = True) -> Any:
    """The values at a grid of points, or at each pair; beyond the knots they stay the same."""
    return _value(self.tck, self.degrees, x, y, (dx, dy), grid)


def _value(tck: Any, degrees: Any, x: Any, y: Any, nu: tuple[int, int], grid: bool) -> Any:
    tx, ty, c = _matrix(tck, degrees)
    x, y = (real(each, "BivariateSpline", "x and y") for each in (x, y))
    if grid:
        x, y = np.reshape(x, (-1,)), np.reshape(y, (-1,))
        required(np.diff(x) >= 0, "x must be strictly increasing when `grid` is True")
        required(np.diff(y) >= 0, "y must be strictly increasing when `grid` is True")
        x, y = _within(x, tx, degrees[0]), _within(y, ty, degrees[1])
        half = spline_values(tx, c, degrees[0], x, nu[0], extrapolate=True)
        whole = spline_values(ty, np.transpose(half), degrees[1], y, nu[1], extrapolate=True)
        return np.transpose(whole)
    x, y = np.broadcast_arrays(x, y)
    points = [
        _within(np.reshape(each, (-1,)), t, k)
        for each, t, k in zip((x, y), (tx, ty), degrees, strict=True)
    ]
    return np.reshape(evaluated((tx, ty), c, degrees, points, nu), shape_of(x))


@serves_followed(si.BivariateSpline.integral)
def integral_of(self: Any, xa: Any, xb: Any, ya: Any, yb: Any) -> Any:
    """The integral over a rectangle."""
    tx, ty, c = _matrix(self.tck, self.degrees)
    along = integral((tx, _longer(c, tx), self.degrees[0]), xa, xb, extrapolate=False)
    return integral((ty, _longer(along, ty), self.degrees[1]), ya, yb, extrapolate=False)


def _longer(c: Any, t: Any) -> Any:
    """As many coefficients as knots."""
    missing = shape_of(t)[0] - shape_of(c)[0]
    zeros = np.zeros((missing, *shape_of(c)[1:]))
    return concatenate(c, zeros, axis=0)


@serves_followed(si.bisplev)
def bisplev(x: Any, y: Any, tck: Any, dx: int = 0, dy: int = 0) -> Any:
    """The values of a spline at a grid of points."""
    tx, ty, c, kx, ky = tck
    required(0 <= dx < kx, f"0 <= dx = {dx} < kx = {kx} must hold")
    required(0 <= dy < ky, f"0 <= dy = {dy} < ky = {ky} must hold")
    x, y = np.atleast_1d(operand(x)), np.atleast_1d(operand(y))
    z = _value((tx, ty, c), (kx, ky), x, y, (dx, dy), grid=True)
    shape = shape_of(z)
    if shape[0] > 1:
        return z
    return z[0] if shape[1] > 1 else z[0, 0]


refuse_methods(
    si.BivariateSpline,
    "partial_derivative",
    "Evaluate the derivative of the spline, spline(x, y, dx=1)",
)
_FITS = (
    "Values at a grid have a spline, RectBivariateSpline(x, y, z), with a derivative; scattered "
    "ones RBFInterpolator(points, values)"
)
for _class in (
    si.SmoothBivariateSpline, si.LSQBivariateSpline, si.SmoothSphereBivariateSpline,
    si.LSQSphereBivariateSpline, si.RectSphereBivariateSpline,
):  # fmt: skip
    refuse_methods(_class, "__init__", _FITS)
