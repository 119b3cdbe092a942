"""What interpolators of one variable have in common: points in a vector, values in rows.

They keep the values as a matrix, with a row for each point, and evaluate to one.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.interpolate as si

from pullback.core.shapes import dtype_of, shape_of
from pullback.numpy.conversion import inexact
from pullback.numpy.operands import operand
from pullback.scipy.constants import serves_followed
from pullback.scipy.interpolate.objects import required

__all__ = ["finished", "in_front", "points", "prepare"]


def prepare(self: Any, n: int, y: Any, axis: int) -> Any:
    """Set what `self` keeps of the shape of values; they as a matrix of n rows."""
    y = operand(y)
    axis = axis % len(shape_of(y))
    required(
        shape_of(y)[axis] == n, "x and y arrays must be equal in length along interpolation axis."
    )
    self._y_axis = axis
    self._y_extra_shape = shape_of(y)[:axis] + shape_of(y)[axis + 1 :]
    self.dtype = np.complex128 if dtype_of(y).kind == "c" else np.float64
    return np.reshape(np.moveaxis(y, axis, 0), (n, math.prod(self._y_extra_shape)))


def points(x: Any) -> tuple[Any, tuple[int, ...]]:
    """Points as a vector, and their shape."""
    x = inexact(operand(x))
    return np.reshape(x, (-1,)), shape_of(x)


def in_front(out: Any, rank: int, axis: int) -> Any:
    """The first axes, so many of them, moved to the place of the axis of interpolation."""
    return np.moveaxis(out, tuple(range(rank)), tuple(range(axis, axis + rank))) if axis else out


def finished(self: Any, rows: Any, lead: tuple[int, ...]) -> Any:
    """Rows, one for each point, in the shape of points and values."""
    return in_front(np.reshape(rows, lead + self._y_extra_shape), len(lead), self._y_axis)


@serves_followed(si.interp1d.__call__)
def call(self: Any, x: Any) -> Any:
    """What ``__call__`` of the common base does, whatever ``_evaluate`` is."""
    x, lead = points(x)
    return finished(self, self._evaluate(x), lead)
