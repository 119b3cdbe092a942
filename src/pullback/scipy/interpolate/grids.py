"""Interpolation of values at a grid of points: `RegularGridInterpolator` and `interpn`."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.interpolate as si

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import known, strip
from pullback.numpy.conversion import convert, inexact
from pullback.numpy.operands import operand
from pullback.rules.indexing import ARRAY, index
from pullback.scipy.constants import serves_followed
from pullback.scipy.interpolate.intervals import located, taken
from pullback.scipy.interpolate.objects import hold, holds, part, real, required
from pullback.scipy.interpolate.tensor import (
    coefficients,
    coordinates,
    element,
    evaluated,
    knots,
)

__all__: list[str] = []

holds("values", "grid", "fill_value")(si.RegularGridInterpolator)

_DEGREES = {
    "slinear": 1, "cubic": 3, "quintic": 5, "slinear_legacy": 1, "cubic_legacy": 3,
    "quintic_legacy": 5,
}  # fmt: skip
_METHODS = ("linear", "nearest", "pchip", *_DEGREES)
_WITH_DERIVATIVES = ("slinear", "cubic", "quintic")


def _grid(points: Any) -> tuple[list[Any], list[int]]:
    """The points of each axis, ascending, and those axes along which they were not."""
    grid, flipped = [], []
    for axis, each in enumerate(points):
        x = real(each, "RegularGridInterpolator", "points")
        if known(x) and np.all(np.diff(strip(x)) < 0) and shape_of(x)[0] > 1:
            x = np.flip(x)
            flipped.append(axis)
        required(
            np.diff(x) > 0,
            f"The points in dimension {axis} must be strictly ascending or descending",
        )
        grid.append(x)
    return grid, flipped


def _require_fit(grid: Sequence[Any], values: Any) -> None:
    shape = shape_of(values)
    required(
        len(grid) <= len(shape),
        f"There are {len(grid)} point arrays, but values has {len(shape)} dimensions",
    )
    for axis, x in enumerate(grid):
        required(len(shape_of(x)) == 1, f"The points in dimension {axis} must be 1-dimensional")
        required(
            shape_of(x)[0] == shape[axis],
            f"There are {shape_of(x)[0]} points and {shape[axis]} values in dimension {axis}",
        )


def _require_points(grid: Sequence[Any], method: str) -> None:
    k = 3 if method == "pchip" else _DEGREES.get(method, 0)
    for axis, x in enumerate(grid):
        n = shape_of(x)[0]
        required(
            n > k,
            f"There are {n} points in dimension {axis}, but method {method} requires at least  "
            f"{k + 1} points per dimension.",
        )


@serves_followed(si.RegularGridInterpolator.__init__)
def set_up(
    self: Any,
    points: Any,
    values: Any,
    method: str = "linear",
    bounds_error: bool = True,
    fill_value: Any = np.nan,
    *,
    solver: Any = None,
    solver_args: Any = None,
) -> None:
    """What `__init__` does; splines solve their equations exactly, without a `solver`."""
    required(method in _METHODS, f"Method '{method}' is not defined")
    grid, flipped = _grid(points)
    values = inexact(operand(values))
    _require_fit(grid, values)
    _require_points(grid, method)
    if fill_value is not None:
        fill_value = operand(fill_value)
        required(
            np.can_cast(
                np.asarray(dtype_of(fill_value).type(0)).dtype, dtype_of(values), "same_kind"
            ),
            "fill_value must be either 'None' or of a type compatible with values",
        )
    if flipped:
        values = np.flip(values, axis=tuple(flipped))
    required(
        method != "pchip" or dtype_of(values).kind != "c",
        "`PchipInterpolator` only works with real values. If you are trying to use the real "
        "components of the passed array, use `np.real` on the array before passing to "
        "`RegularGridInterpolator`.",
    )
    hold(self, grid=tuple(grid), values=values)
    self._descending_dimensions = tuple(flipped)
    self.method, self.bounds_error, self.fill_value = method, bounds_error, fill_value
    self._spline = None


@serves_followed(si.RegularGridInterpolator.__call__)
def call(self: Any, xi: Any, method: Any = None, *, nu: Any = None) -> Any:
    """The values at points; beyond the grid they are filled, or it goes on."""
    method = self.method if method is None else method
    required(method in _METHODS, f"Method '{method}' is not defined")
    required(
        nu is None or method in _WITH_DERIVATIVES,
        f"Can only compute derivatives for methods {set(_WITH_DERIVATIVES)}, got method "
        f"={method!r}.",
    )
    grid, values = part(self, "grid"), part(self, "values")
    if not hasattr(values, "dtype"):
        values = np.asarray(values)
    rank = len(grid)
    _require_points(grid, method)
    xi = real(coordinates(xi, rank), "RegularGridInterpolator", "xi")
    required(
        shape_of(xi)[-1] == rank,
        f"The requested sample points xi have dimension {shape_of(xi)[-1]} but this "
        f"RegularGridInterpolator has dimension {rank}",
    )
    points = [np.reshape(xi[..., axis], (-1,)) for axis in range(rank)]
    outside: Any = False
    for axis, (x, each) in enumerate(zip(points, grid, strict=True)):
        beyond = (x < each[0]) | (x > each[-1])
        if self.bounds_error:
            required(
                ~(beyond | np.isnan(x)),
                f"One of the requested xi is out of bounds in dimension {axis}",
            )
        outside = outside | beyond
    rows = _evaluated(grid, values, points, method, _spline_of(self, method), nu)
    lost: Any = False
    for x in points:
        lost = lost | np.isnan(x)
    trail = (1,) * (len(shape_of(values)) - rank)
    if not self.bounds_error and self.fill_value is not None:
        filling = convert(operand(self.fill_value), dtype_of(rows))
        rows = np.where(np.reshape(outside, (-1, *trail)), filling, rows)
    rows = np.where(np.reshape(lost, (-1, *trail)), np.nan, rows)
    return np.reshape(rows, shape_of(xi)[:-1] + shape_of(values)[rank:])


def _spline_of(self: Any, method: str) -> Any:
    """The plain spline that SciPy has made, if it has."""
    return self._spline if method == self.method else None


def _evaluated(grid: Any, values: Any, points: list[Any], method: str, spline: Any, nu: Any) -> Any:
    if method == "pchip":
        return _monotonous(grid, values, points)
    if method in _DEGREES:
        k = _DEGREES[method]
        ks = [k] * len(grid)
        if spline is not None:
            ts, c = [np.asarray(t) for t in spline.t], part(spline, "c")
        else:
            ts = [knots(each, k) for each in grid]
            c = coefficients(grid, ts, ks, values)
        return evaluated(ts, c, ks, points, [0] * len(grid) if nu is None else [int(n) for n in nu])
    places, distances = [], []
    for each, x in zip(grid, points, strict=True):
        if shape_of(each)[0] == 1:
            places.append(np.zeros_like(x, dtype=np.intp))
            distances.append(np.zeros_like(x))
            continue
        i = located(each, x)
        low = taken(each, i)
        places.append(i)
        distances.append((x - low) / (taken(each, i + 1) - low))
    if method == "nearest":
        return element(
            values, [np.where(d <= 0.5, i, i + 1) for i, d in zip(places, distances, strict=True)]
        )
    return _multilinear(values, places, distances)


def _multilinear(values: Any, places: list[Any], distances: list[Any]) -> Any:
    """The sum over the corners of each point's cell."""
    shape = shape_of(values)
    trail = (1,) * (len(shape) - len(places))
    corners = [
        ((i, 1 - d), (np.minimum(i + 1, n - 1), d))
        for i, d, n in zip(places, distances, shape, strict=False)
    ]
    out: Any = 0.0
    for corner in itertools.product(*corners):
        weight: Any = 1.0
        for _, each in corner:
            weight = weight * each
        out = out + element(values, [i for i, _ in corner]) * np.reshape(weight, (-1, *trail))
    return out


def _monotonous(grid: Any, values: Any, points: list[Any]) -> Any:
    """PCHIP along the last axis of the grid for all points, then along each for its own point."""
    rank, count = len(grid), shape_of(points[0])[0]
    trail = shape_of(values)[rank:]
    values = np.reshape(values, (*shape_of(values)[:rank], -1))
    last = si.PchipInterpolator(grid[-1], np.moveaxis(values, rank - 1, 0))
    rows = np.moveaxis(last(points[-1]), 0, -2)  # the other axes, the points, what is left
    own = np.arange(count)
    for axis in range(rank - 2, -1, -1):
        pieces = si.PchipInterpolator(grid[axis], np.moveaxis(rows, axis, 0))
        i = located(grid[axis], points[axis])
        s = (points[axis] - taken(grid[axis], i))[:, None]
        c = np.moveaxis(part(pieces, "c"), -2, 2)  # power, interval, point, the other axes, rest
        c = index(operand(c), i, own, key=(slice(None), ARRAY, ARRAY))
        s = np.reshape(s, (-1,) + (1,) * (len(shape_of(c)) - 2))
        rows = c[3] + s * (c[2] + s * (c[1] + s * c[0]))
        rows = np.moveaxis(rows, 0, -2)
    return np.reshape(rows, (count, *trail))


@serves_followed(si.interpn)
def interpn(
    points: Any,
    values: Any,
    xi: Any,
    method: str = "linear",
    bounds_error: bool = True,
    fill_value: Any = np.nan,
) -> Any:
    """The values at points of the interpolator of a grid."""
    required(
        method in (*_METHODS, "splinef2d"),
        f"interpn only understands the methods {sorted((*_METHODS, 'splinef2d'))}. You provided "
        f"{method}.",
    )
    if method != "splinef2d":
        made = si.RegularGridInterpolator(points, values, method, bounds_error, fill_value)
        return call(made, coordinates(xi, len(points)))
    values = operand(values)
    required(
        len(shape_of(values)) == 2 and len(points) == 2,
        "The method splinef2d can only be used for 2-dimensional input data",
    )
    required(
        bounds_error or fill_value is not None,
        "The method splinef2d does not support extrapolation.",
    )
    x = real(coordinates(xi, 2), "interpn", "xi")
    spline = si.RectBivariateSpline(points[0], points[1], values)
    within: Any = True
    for axis in range(2):
        each = real(points[axis], "interpn", "points")
        inside = (x[..., axis] >= each[0]) & (x[..., axis] <= each[-1])
        if bounds_error:
            required(inside, f"One of the requested xi is out of bounds in dimension {axis}")
        within = within & inside
    return np.where(within, spline.ev(x[..., 0], x[..., 1]), fill_value)
