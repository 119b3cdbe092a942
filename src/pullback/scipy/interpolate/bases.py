"""B-splines: which of them are not zero at a point, and their values there.

On the interval [tₗ, tₗ₊₁) the splines of degree k that are not zero are Bₗ₋ₖ, …, Bₗ. They follow
from those of lower degree by the recursion of Cox and de Boor (C. de Boor, *A Practical Guide to
Splines*, revised edition, 2001, chapter X), in points and in knots alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.shapes import shape_of
from pullback.core.tracing import known, strip
from pullback.rules.indexing import ARRAY, scatter
from pullback.scipy.interpolate.intervals import located, taken

__all__ = ["band_matrix", "dense_matrix", "place", "spline_values", "splines_at"]


def place(t: Any, k: int, x: Any) -> Any:
    """The number l of the interval of each point, one of those on which all splines are."""
    return located(t, x, k, k)


def splines_at(t: Any, k: int, x: Any, left: Any, nu: int = 0) -> list[Any]:
    """The k + 1 splines that are not zero at each point, or their derivatives of the order `nu`.

    Where knots coincide, what is divided by their distance counts as zero.
    """
    if nu > k:
        return [np.zeros_like(x)] * (k + 1)
    knots = {i: taken(t, left + i) for i in range(1 - k, k + 1)}
    found: list[Any] = [1.0]
    for degree in range(1, k + 1):
        before, found = found, [0.0]
        for n in range(1, degree + 1):
            end, start = knots[n], knots[n - degree]
            if degree <= k - nu:
                part = _over(before[n - 1], end - start)
                found[n - 1] = found[n - 1] + part * (end - x)
                found.append(part * (x - start))
            else:
                part = _over(degree * before[n - 1], end - start)
                found[n - 1] = found[n - 1] - part
                found.append(part)
    return [each + np.zeros_like(x) for each in found] if k == 0 else found


def _over(x: Any, distance: Any) -> Any:
    """x/distance, and 0 where that is 0."""
    level = np.equal(distance, 0)
    if known(level) and not np.any(strip(level)):
        return x / distance
    return np.where(level, 0.0, x / np.where(level, 1.0, distance))


def spline_values(t: Any, c: Any, k: int, x: Any, nu: int, extrapolate: bool) -> Any:
    """Σⱼ cⱼBⱼ at a vector of points, for coefficients in the first axis of a matrix.

    Beyond the knots on which all splines are it is not a number, or the polynomial goes on.
    """
    left = place(t, k, x)
    out: Any = 0.0
    for i, spline in enumerate(splines_at(t, k, x, left, nu)):
        out = out + taken(c, left + (i - k)) * spline[:, None]
    last = shape_of(t)[0] - k - 1
    kept = ~np.isnan(x) if extrapolate else (x >= t[k]) & (x <= t[last])
    return np.where(kept[:, None], out, np.nan)


# -- matrices of their values ----------------------------------------------------------------------


Rows = tuple[Any, int]
"""Points, and the order of the derivative whose values there make rows of a matrix."""


def _elements(t: Any, k: int, rows: list[Rows]) -> tuple[Any, Any, Any]:
    """The elements that are not zero, and in which rows and columns they are, as matrices."""
    values, places = [], []
    for x, nu in rows:
        left = place(t, k, x)
        values.append(np.stack(splines_at(t, k, x, left, nu), axis=-1))
        places.append(left[:, None] + np.arange(-k, 1))
    elements, columns = np.concatenate(values), np.concatenate(places)
    numbers = np.broadcast_to(np.arange(shape_of(elements)[0])[:, None], shape_of(elements))
    return elements, numbers, columns


def band_matrix(t: Any, k: int, rows: list[Rows]) -> Any:
    """The diagonals, k of them on each side, of the matrix of the values at points in order."""
    elements, numbers, columns = _elements(t, k, rows)
    shape = (2 * k + 1, shape_of(t)[0] - k - 1)
    return scatter(elements, k + numbers - columns, columns, key=(ARRAY, ARRAY), shape=shape)


def dense_matrix(t: Any, k: int, rows: list[Rows]) -> Any:
    """The matrix of the values at points."""
    elements, numbers, columns = _elements(t, k, rows)
    shape = (shape_of(elements)[0], shape_of(t)[0] - k - 1)
    return scatter(elements, numbers, columns, key=(ARRAY, ARRAY), shape=shape)
