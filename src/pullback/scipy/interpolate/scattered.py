"""Interpolation of values at scattered points: linear in the simplices between them, and nearest.

Which simplex, or which data point, belongs to a point does not depend on any of them
differentiably; the weights of the corners of a simplex do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.interpolate as si
from scipy.spatial import Delaunay, KDTree

from pullback.core.shapes import dtype_of, shape_of
from pullback.errors import NoRuleError
from pullback.numpy.conversion import convert
from pullback.numpy.operands import operand, plain_values
from pullback.rules.custom import stop_gradient
from pullback.scipy.constants import serves_followed
from pullback.scipy.interpolate.intervals import nearest_of, simplex_of, taken
from pullback.scipy.interpolate.objects import (
    floating,
    holds,
    real,
    required,
    serves_compiled,
)
from pullback.scipy.interpolate.tensor import coordinates

__all__: list[str] = []

_Base = si.LinearNDInterpolator.__mro__[1]
holds("points", "values", "fill_value")(_Base)


# -- linear ----------------------------------------------------------------------------------------


@serves_compiled(si.LinearNDInterpolator, "__init__")
def set_up(
    self: Any, points: Any, values: Any, fill_value: Any = np.nan, rescale: bool = False
) -> None:
    """What `__init__` does: the simplices are those of the points' values."""
    values = floating(values)
    self.tri = points if isinstance(points, Delaunay) else None
    points = _points(points.points if self.tri is not None else points)
    required(shape_of(points)[0] == shape_of(values)[0], _MISMATCH)
    required(shape_of(points)[1] >= 2, "input data must be at least 2-D")
    self.is_complex = dtype_of(values).kind == "c"
    self.fill_value, self.values_shape = operand(fill_value), shape_of(values)[1:]
    self.points = _rescaled(self, points, rescale)
    self.values = np.reshape(values, (shape_of(values)[0], -1))
    if self.tri is None:
        plain = plain_values("scipy.interpolate.LinearNDInterpolator", "points", self.points)
        self.tri = Delaunay(plain)


_MISMATCH = "different number of values and points"


def _points(points: Any) -> Any:
    points = real(coordinates(points), "griddata", "points")
    required(len(shape_of(points)) == 2, "invalid shape for input data points")
    return points


def _rescaled(self: Any, points: Any, rescale: bool) -> Any:
    """Points in the unit cube, if that is asked for; where it is does not depend on them."""
    self.scale = None
    if rescale:
        plain = plain_values("scipy.interpolate.griddata", "points", points)
        self.offset = np.mean(plain, axis=0)
        extent = np.ptp(plain - self.offset, axis=0)
        self.scale = np.where(extent > 0, extent, 1.0)
    return _scaled(self, points)


def _scaled(self: Any, x: Any) -> Any:
    return x if self.scale is None else (x - self.offset) / self.scale


def _at(self: Any, args: tuple[Any, ...]) -> tuple[Any, Any]:
    """The points of a call, and as scaled rows."""
    ndim = shape_of(self.points)[1]
    xi = real(coordinates(args if len(args) > 1 else args[0], ndim), "griddata", "xi")
    required(shape_of(xi)[-1] == ndim, "number of dimensions in xi does not match x")
    return xi, _scaled(self, np.reshape(xi, (-1, ndim)))


@serves_compiled(_Base, "__call__")
def call(self: Any, *args: Any) -> Any:
    """The mean of the values at the corners of each point's simplex, by its weights."""
    if not isinstance(self, si.LinearNDInterpolator):
        raise NoRuleError(_CUBIC)
    points, values = operand(self.points), operand(self.values)
    xi, x = _at(self, args)
    ndim = shape_of(points)[1]
    count = shape_of(x)[0]
    simplex = simplex_of(self.tri, stop_gradient(x))
    corners = taken(self.tri.simplices, simplex)
    at_corners = np.swapaxes(taken(points, corners), -1, -2)
    left = np.concatenate([at_corners, np.ones((count, 1, ndim + 1))], axis=1)
    right = np.concatenate([x, np.ones((count, 1))], axis=1)
    weights = np.linalg.solve(left, right[:, :, None])
    rows = np.sum(weights * taken(values, corners), axis=1)
    filling = convert(operand(self.fill_value), dtype_of(rows))
    rows = np.where((simplex >= 0)[:, None], rows, filling)
    return np.reshape(rows, shape_of(xi)[:-1] + tuple(self.values_shape))


# -- nearest ---------------------------------------------------------------------------------------


@serves_followed(si.NearestNDInterpolator.__init__)
def set_up_nearest(
    self: Any, x: Any, y: Any, rescale: bool = False, tree_options: Any = None
) -> None:
    points, values = _points(x), operand(y)
    required(shape_of(points)[0] == shape_of(values)[0], _MISMATCH)
    points = _rescaled(self, points, rescale)
    plain = plain_values("scipy.interpolate.NearestNDInterpolator", "x", points)
    self.points, self.values, self.is_complex = plain, values, dtype_of(values).kind == "c"
    self.fill_value, self.values_shape = np.nan, shape_of(values)[1:]
    self.tree = KDTree(plain, **(tree_options or {}))


@serves_followed(si.NearestNDInterpolator.__call__)
def call_nearest(self: Any, *args: Any, **query_options: Any) -> Any:
    """The values of the nearest points, which a step does not change."""
    if query_options:
        raise NoRuleError(
            "scipy.interpolate.NearestNDInterpolator: got the options "
            f"{sorted(query_options)} of a query, which are not served with traced values; leave "
            "them out"
        )
    xi, x = _at(self, args)
    values = floating(self.values)
    rows = taken(values, nearest_of(self.tree, stop_gradient(x)))
    return np.reshape(rows, shape_of(xi)[:-1] + shape_of(values)[1:])


# -- both ------------------------------------------------------------------------------------------

_CUBIC = (
    "scipy.interpolate.CloughTocher2DInterpolator met a traced value, and has no derivative rule "
    'in pullback. Interpolate linearly, with LinearNDInterpolator or griddata(method="linear"), or '
    "smoothly with RBFInterpolator(points, values)"
)


@serves_compiled(si.CloughTocher2DInterpolator, "__init__")
def set_up_cubic(*_: Any, **__: Any) -> None:
    raise NoRuleError(_CUBIC)


@serves_followed(si.griddata)
def griddata(
    points: Any,
    values: Any,
    xi: Any,
    method: str = "linear",
    fill_value: Any = np.nan,
    rescale: bool = False,
) -> Any:
    """The values at points of an interpolator of scattered data."""
    points = operand(coordinates(points))
    ndim = shape_of(points)[-1] if len(shape_of(points)) > 1 else 1
    if ndim == 1 and method in ("nearest", "linear", "cubic"):
        x = np.reshape(points, (-1,))
        if isinstance(xi, tuple):
            required(len(xi) == 1, "invalid number of dimensions in xi")
            (xi,) = xi
        fill_value = "extrapolate" if method == "nearest" else fill_value
        return si.interp1d(
            x, values, kind=method, axis=0, bounds_error=False, fill_value=fill_value
        )(xi)
    xi = coordinates(xi, ndim)
    if method == "nearest":
        return si.NearestNDInterpolator(points, values, rescale=rescale)(xi)
    if method == "linear":
        return si.LinearNDInterpolator(points, values, fill_value, rescale)(xi)
    if method == "cubic" and ndim == 2:
        raise NoRuleError(_CUBIC)
    raise ValueError(f"Unknown interpolation method {method!r} for {ndim} dimensional data")
