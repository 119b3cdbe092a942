"""Splines of several variables: products of B-splines of one each."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.interpolate as si

from pullback.core.shapes import shape_of
from pullback.errors import NoRuleError
from pullback.numpy.operands import operand
from pullback.scipy.constants import serves_followed
from pullback.scipy.first_step import any_traced
from pullback.scipy.interpolate.bases import place, splines_at
from pullback.scipy.interpolate.fitting import banded_fit, inner_knots, repeated
from pullback.scipy.interpolate.intervals import taken
from pullback.scipy.interpolate.objects import (
    floating,
    hold,
    holds,
    part,
    real,
    refuse_methods,
    required,
)

__all__ = ["coefficients", "coordinates", "element", "evaluated", "knots"]

holds("c")(si.NdBSpline)


def coordinates(xi: Any, ndim: int | None = None) -> Any:
    """Points with their coordinates along the last axis, from such an array or one for each."""
    if isinstance(xi, tuple) and len(xi) == 1 and isinstance(xi[0], tuple):
        xi = xi[0]
    if isinstance(xi, tuple):
        parts = np.broadcast_arrays(*map(operand, xi))
        return np.stack(parts, axis=-1)
    xi = operand(xi)
    if len(shape_of(xi)) == 1:
        xi = np.reshape(xi, (-1, 1) if ndim in (None, 1) else (-1, ndim or 1))
    return xi


def element(x: Any, places: Sequence[Any]) -> Any:
    """The elements of an array at places along its first axes."""
    rank = len(places)
    extents = shape_of(x)[:rank]
    flat = np.reshape(x, (math.prod(extents), *shape_of(x)[rank:]))
    number: Any = 0
    for extent, i in zip(extents, places, strict=True):
        number = number * extent + i
    return taken(flat, number)


def knots(x: Any, k: int) -> Any:
    """Those of a spline through points with no other condition."""
    return np.concatenate([repeated(x[0], k + 1), inner_knots(x, k), repeated(x[-1], k + 1)])


def coefficients(points: Sequence[Any], ts: Sequence[Any], ks: Sequence[int], values: Any) -> Any:
    """Those of the spline with given values at a grid of points: a system along each axis."""
    for axis, (x, t, k) in enumerate(zip(points, ts, ks, strict=True)):
        along = np.moveaxis(values, axis, 0)
        values = np.moveaxis(banded_fit(t, k, [(x, 0)], along), 0, axis)
    return values


def evaluated(
    ts: Sequence[Any], c: Any, ks: Sequence[int], x: Sequence[Any], nu: Sequence[int]
) -> Any:
    """A spline, or a derivative of it, at points, whose coordinates are vectors.

    The sum over the products of splines that are not zero there; beyond the knots it goes on.
    """
    lefts = [place(t, k, each) for t, k, each in zip(ts, ks, x, strict=True)]
    bases = [
        splines_at(t, k, each, left, n)
        for t, k, each, left, n in zip(ts, ks, x, lefts, nu, strict=True)
    ]
    trail = len(shape_of(c)) - len(ts)
    out: Any = 0.0
    for offsets in itertools.product(*(range(k + 1) for k in ks)):
        weight: Any = 1.0
        for basis, i in zip(bases, offsets, strict=True):
            weight = weight * basis[i]
        places = [left + (i - k) for left, i, k in zip(lefts, offsets, ks, strict=True)]
        out = out + element(c, places) * np.reshape(weight, (-1,) + (1,) * trail)
    return out


@serves_followed(si.NdBSpline.__init__)
def set_up(self: Any, t: Any, c: Any, k: Any, *, extrapolate: Any = None) -> None:
    """What `__init__` does, of plain knots."""
    if any_traced(t):
        raise NoRuleError(
            "scipy.interpolate.NdBSpline: the knots are traced, and have no derivative rule in "
            "pullback; hand them over detached, or interpolate with RegularGridInterpolator, whose "
            "grid may be traced"
        )
    c = floating(c)
    si.NdBSpline.__init__(self, t, np.zeros(shape_of(c)), k, extrapolate=extrapolate)
    hold(self, c=c)


@serves_followed(si.NdBSpline.__call__)
def call(self: Any, xi: Any, *, nu: Any = None, extrapolate: Any = None) -> Any:
    """The values at points, whose coordinates are along the last axis."""
    ts, ks = [np.asarray(t) for t in self.t], [int(k) for k in self.k]
    c, rank = part(self, "c"), len(ts)
    nu = [0] * rank if nu is None else [int(n) for n in nu]
    required(len(nu) == rank, f"invalid number of derivative orders nu = {nu!r}")
    required([n >= 0 for n in nu], f"derivatives must be positive, got nu = {nu!r}")
    xi = real(xi, "NdBSpline", "xi")
    required(shape_of(xi)[-1] == rank, f"Shapes: xi.shape={shape_of(xi)} and ndim={rank}")
    points = [np.reshape(xi[..., axis], (-1,)) for axis in range(rank)]
    out = evaluated(ts, c, ks, points, nu)
    extrapolate = self.extrapolate if extrapolate is None else bool(extrapolate)
    kept: Any = True
    for t, k, x in zip(ts, ks, points, strict=True):
        kept = kept & (~np.isnan(x) if extrapolate else (x >= t[k]) & (x <= t[-k - 1]))
    out = np.where(np.reshape(kept, (-1,) + (1,) * (len(shape_of(out)) - 1)), out, np.nan)
    return np.reshape(out, shape_of(xi)[:-1] + shape_of(c)[rank:])


refuse_methods(
    si.NdBSpline,
    "design_matrix derivative",
    "Evaluate the derivative of the spline, spline(x, nu=orders)",
)
