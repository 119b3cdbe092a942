"""scipy.spatial: distances, and what is decided for what looks for neighbours and hulls."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.spatial

from pullback.core.shapes import shape_of
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.numpy.conversion import double
from pullback.numpy.operands import operand
from pullback.scipy.constants import constant_call
from pullback.scipy.decisions import constant, refused
from pullback.scipy.first_step import any_traced, serves
from pullback.scipy.spatial import distance, rotations

__all__ = [
    "distance",
    "distance_matrix",
    "geometric_slerp",
    "minkowski_distance",
    "minkowski_distance_p",
    "procrustes",
    "rotations",
]


def _require_constant(p: Any, name: str) -> None:
    if any_traced((p,)):
        raise ArgumentTypeError(
            f"scipy.spatial.{name}: p is traced, and is constant by nature; hand over "
            "pullback.stop_gradient(p)"
        )


@serves(scipy.spatial.minkowski_distance_p)
def minkowski_distance_p(x: Any, y: Any, p: float = 2.0) -> Any:
    """Σ|y − x|ᵖ; for p of 1 and ∞ the distance."""
    _require_constant(p, "minkowski_distance_p")
    apart = np.abs(double(operand(y)) - double(operand(x)))
    if p == np.inf:
        return np.max(apart, axis=-1)
    return np.sum(apart if p == 1 else apart**p, axis=-1)


@serves(scipy.spatial.minkowski_distance)
def minkowski_distance(x: Any, y: Any, p: float = 2.0) -> Any:
    """(Σ|y − x|ᵖ)^(1/p), with the gradient 0 where the points meet."""
    _require_constant(p, "minkowski_distance")
    return np.linalg.norm(double(operand(y)) - double(operand(x)), ord=p, axis=-1)


@serves(scipy.spatial.distance_matrix)
def distance_matrix(x: Any, y: Any, p: float = 2.0, threshold: int = 1000000) -> Any:
    """The distance of each row of x from each of y."""
    x, y = operand(x), operand(y)
    if len(shape_of(x)) != 2 or len(shape_of(y)) != 2 or shape_of(x)[1] != shape_of(y)[1]:
        raise ArgumentValueError(
            f"scipy.spatial.distance_matrix: x has shape {shape_of(x)} and y has shape "
            f"{shape_of(y)}, wanted (m, k) and (n, k)"
        )
    return minkowski_distance(x[:, None, :], y, p)


@serves(scipy.spatial.procrustes)
def procrustes(data1: Any, data2: Any) -> tuple[Any, Any, Any]:
    """Two sets of points, centred and of unit norm, the second turned and scaled to fit the first.

    The derivative of the rotation is that of a singular value decomposition.
    """
    out = constant_call(scipy.spatial.procrustes, (data1, data2), {})
    if out is not NotImplemented:
        return out  # type: ignore[no-any-return]
    a, b = double(operand(data1)), double(operand(data2))
    if len(shape_of(a)) != 2 or shape_of(a) != shape_of(b) or 0 in shape_of(a):
        raise ArgumentValueError(
            f"scipy.spatial.procrustes: data1 has shape {shape_of(a)} and data2 has shape "
            f"{shape_of(b)}, wanted two sets of as many points, (n, k), that are not empty"
        )
    a, b = a - np.mean(a, axis=0), b - np.mean(b, axis=0)
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    u, s, vh = np.linalg.svd(np.transpose(np.transpose(b) @ a))
    b = b @ np.transpose(u @ vh) * np.sum(s)
    difference = a - b
    return a, b, np.sum(difference * difference)


@serves(scipy.spatial.geometric_slerp)
def geometric_slerp(start: Any, end: Any, t: Any, tol: float = 1e-7) -> Any:
    """Points on the shortest arc of a unit sphere from `start` to `end`, that are not opposite."""
    out = constant_call(scipy.spatial.geometric_slerp, (start, end, t), {"tol": tol})
    if out is not NotImplemented:
        return out
    start, end, t = operand(start), operand(end), operand(t)
    if len(shape_of(start)) != 1 or shape_of(start) != shape_of(end) or len(shape_of(t)) > 1:
        raise ArgumentValueError(
            f"scipy.spatial.geometric_slerp: start, end and t have the shapes {shape_of(start)}, "
            f"{shape_of(end)} and {shape_of(t)}, wanted two vectors of equal length, and a number "
            "or a vector"
        )
    cosine = np.dot(start, end)
    across = end - cosine * start
    sine = np.linalg.norm(across)
    angle = t * np.arctan2(sine, cosine)
    return np.cos(angle)[..., None] * start + np.sin(angle)[..., None] * (across / sine)


_INDICES = (
    "Find the neighbours, or the corners, for detached points, as "
    "scipy.spatial.KDTree(points).query(pullback.stop_gradient(x))[1] does, and compute with those "
    "points: np.linalg.norm(x - points[i], axis=-1)"
)
constant(scipy.spatial, "QhullError", "an exception")
refused(
    scipy.spatial,
    "ConvexHull Delaunay HalfspaceIntersection KDTree Rectangle SphericalVoronoi Voronoi cKDTree "
    "tsearch",
    _INDICES,
)
refused(
    scipy.spatial,
    "convex_hull_plot_2d delaunay_plot_2d voronoi_plot_2d",
    "Plot what is detached, pullback.stop_gradient(x)",
)
