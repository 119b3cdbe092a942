"""Splines in the basis of B-splines: `BSpline`, and tuples of knots, coefficients and a degree."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.interpolate as si
import scipy.sparse

from pullback.core.shapes import shape_of
from pullback.numpy.operands import operand, require_known
from pullback.rules.shaping import concatenate
from pullback.scipy.constants import serves_followed
from pullback.scipy.interpolate.bases import place, spline_values, splines_at
from pullback.scipy.interpolate.intervals import periodic
from pullback.scipy.interpolate.objects import (
    floating,
    hold,
    holds,
    part,
    real,
    refuse_methods,
    required,
)
from pullback.scipy.interpolate.rows import in_front

__all__ = ["antiderived", "derived", "evaluated", "integral", "made"]

holds("t", "c")(si.BSpline)


def made(t: Any, c: Any, k: int, extrapolate: Any = True, axis: int = 0, cls: Any = None) -> Any:
    """A `BSpline`, without checks."""
    self = object.__new__(cls or si.BSpline)
    hold(self, t=t, c=c)
    self.k, self.extrapolate, self.axis = k, extrapolate, axis
    return self


@serves_followed(si.BSpline.construct_fast.__func__)
def construct_fast(cls: Any, t: Any, c: Any, k: Any, extrapolate: Any = True, axis: int = 0) -> Any:
    return made(operand(t), operand(c), k, extrapolate, axis, cls)


@serves_followed(si.BSpline.__init__)
def set_up(self: Any, t: Any, c: Any, k: Any, extrapolate: Any = True, axis: int = 0) -> None:
    """What `__init__` does, with the axis of the coefficients first."""
    k = int(require_known("scipy.interpolate.BSpline", "k", k))
    t, c = real(t, "BSpline", "t"), floating(c)
    rank = len(shape_of(c))
    required(rank >= 1, "Coefficients must be at least 1-dimensional.")
    required(-rank <= axis < rank, f"axis {axis} is out of bounds for array of dimension {rank}")
    axis = axis % rank
    c = np.moveaxis(c, axis, 0)
    required(k >= 0, "Spline order cannot be negative.")
    required(len(shape_of(t)) == 1, "Knot vector must be one-dimensional.")
    count = shape_of(t)[0] - k - 1
    required(count >= k + 1, f"Need at least {2 * k + 2} knots for degree {k}")
    required(np.diff(t) >= 0, "Knots must be in a non-decreasing order.")
    required(t[count] > t[k], "Need at least two internal knots.")
    required(np.isfinite(t), "Knots should not have nans or infs.")
    required(shape_of(c)[0] >= count, "Knots, coefficients and degree are inconsistent.")
    hold(self, t=t, c=c)
    self.k, self.axis = k, axis
    self.extrapolate = extrapolate if isinstance(extrapolate, str) else bool(extrapolate)


@serves_followed(si.BSpline.__call__)
def call(self: Any, x: Any, nu: Any = 0, extrapolate: Any = None) -> Any:
    """The values at `x` of the spline, or of its derivative of the order `nu`."""
    extrapolate = self.extrapolate if extrapolate is None else extrapolate
    nu = int(require_known("scipy.interpolate.BSpline", "nu", nu))
    x = real(x, "BSpline", "x")
    out = evaluated(part(self, "t"), part(self, "c"), self.k, x, nu, extrapolate)
    return in_front(out, len(shape_of(x)), self.axis)


def evaluated(t: Any, c: Any, k: int, x: Any, nu: int, extrapolate: Any) -> Any:
    """A spline at points of any shape, which come first in the result."""
    lead, trail = shape_of(x), shape_of(c)[1:]
    x = np.reshape(x, (-1,))
    if isinstance(extrapolate, str):
        x = periodic(t[k], t[shape_of(t)[0] - k - 1], x)
        extrapolate = False
    c = np.reshape(c, (shape_of(c)[0], math.prod(trail)))
    return np.reshape(spline_values(t, c, k, x, nu, extrapolate), (*lead, *trail))


# -- derivatives and integrals ---------------------------------------------------------------------


def _along(x: Any, c: Any) -> Any:
    return np.reshape(x, (-1,) + (1,) * (len(shape_of(c)) - 1))


def _padded(t: Any, c: Any) -> Any:
    """As many coefficients as knots, of which the last ones are not read."""
    missing = shape_of(t)[0] - shape_of(c)[0]
    return c if missing <= 0 else concatenate(c, np.zeros_like(_repeated(c, missing)), axis=0)


def _repeated(c: Any, count: int) -> Any:
    return np.broadcast_to(c[-1:], (count, *shape_of(c)[1:]))


def derived(t: Any, c: Any, k: int, n: int) -> tuple[Any, Any, int]:
    """The knots, coefficients and degree of a derivative."""
    required(n <= k, f"Order of derivative (n = {n!r}) must be <= order of spline (k = {k!r})")
    for _ in range(n):
        gaps = t[k + 1 : -1] - t[1 : -k - 1]
        required(
            gaps != 0, f"The spline has internal repeated knots and is not differentiable {n} times"
        )
        c = (c[1 : -1 - k] - c[: -2 - k]) * k / _along(gaps, c)
        c = concatenate(c, np.zeros_like(_repeated(c, k)), axis=0)
        t, k = t[1:-1], k - 1
    return t, c, k


def antiderived(t: Any, c: Any, k: int, n: int) -> tuple[Any, Any, int]:
    """The knots, coefficients and degree of an antiderivative, which is 0 at the first knot."""
    for _ in range(n):
        gaps = t[k + 1 :] - t[: -k - 1]
        c = np.cumsum(c[: -k - 1] * _along(gaps, c), axis=0) / (k + 1)
        c = concatenate(np.zeros_like(c[:1]), c, _repeated(c, k + 2), axis=0)
        t, k = concatenate(t[:1], t, t[-1:], axis=0), k + 1
    return t, c, k


def _parts(self: Any) -> tuple[Any, Any, int]:
    t = part(self, "t")
    return t, _padded(t, part(self, "c")), self.k


@serves_followed(si.BSpline.derivative)
def derivative(self: Any, nu: int = 1) -> Any:
    if nu < 0:
        return antiderivative(self, -nu)
    return made(*derived(*_parts(self), nu), self.extrapolate, self.axis)


@serves_followed(si.BSpline.antiderivative)
def antiderivative(self: Any, nu: int = 1) -> Any:
    if nu < 0:
        return derivative(self, -nu)
    extrapolate = False if isinstance(self.extrapolate, str) else self.extrapolate
    return made(*antiderived(*_parts(self), nu), extrapolate, self.axis)


@serves_followed(si.BSpline.integrate)
def integrate(self: Any, a: Any, b: Any, extrapolate: Any = None) -> Any:
    """The integral from a to b; without extrapolation the spline is 0 beyond its knots."""
    extrapolate = self.extrapolate if extrapolate is None else extrapolate
    return integral(_parts(self), a, b, extrapolate)


def integral(tck: tuple[Any, Any, int], a: Any, b: Any, extrapolate: Any) -> Any:
    t, c, k = tck
    ta, ca, ka = antiderived(t, c, k, 1)
    first, last = t[k], t[shape_of(t)[0] - k - 1]

    def until(x: Any) -> Any:
        x = real(x, "BSpline", "a and b")
        if isinstance(extrapolate, str):
            periods = np.floor((x - first) / (last - first))
            full = evaluated(ta, ca, ka, last, 0, True) - evaluated(ta, ca, ka, first, 0, True)
            x = periodic(first, last, x)
            return periods * full + evaluated(ta, ca, ka, x, 0, True)
        if not extrapolate:
            x = np.where(x < first, first, np.where(x > last, last, x))
        return evaluated(ta, ca, ka, x, 0, True)

    return until(b) - until(a)


# -- matrices and knots ----------------------------------------------------------------------------


@serves_followed(si.BSpline.design_matrix.__func__)
def design_matrix(cls: Any, x: Any, t: Any, k: Any, extrapolate: Any = False) -> Any:
    """The values of the splines at points, as a sparse matrix with traced elements."""
    x, t = real(x, "BSpline", "x"), real(t, "BSpline", "t")
    required(k >= 0, "Spline order cannot be negative.")
    required(len(shape_of(t)) == 1, "Expect t to be a 1-D array_like.")
    required(np.diff(t) >= 0, "Expect t to be a 1-D sorted array_like.")
    count = shape_of(t)[0] - k - 1
    required(count >= k + 1, f"Length t is not enough for k={k}.")
    if isinstance(extrapolate, str):
        x = periodic(t[k], t[count], x)
    elif not extrapolate:
        required((x >= t[k]) & (x <= t[count]), "Out of bounds w/ x.")
    left = place(t, k, x)
    elements = np.stack(splines_at(t, k, x, left), axis=-1)
    indices = require_known("scipy.interpolate.BSpline.design_matrix", "x", left)
    indices = np.ravel(indices[:, None] + np.arange(-k, 1))
    indptr = np.arange(0, indices.size + 1, k + 1)
    return scipy.sparse.csr_array(
        (np.ravel(elements), indices, indptr), shape=(shape_of(x)[0], count)
    )


@serves_followed(si.BSpline.basis_element.__func__)
def basis_element(cls: Any, t: Any, extrapolate: Any = True) -> Any:
    """The spline that is not zero between the first and the last of these knots."""
    t = real(t, "BSpline", "t")
    k = shape_of(t)[0] - 2
    t = concatenate(*[t[:1] - 1] * k, t, *[t[-1:] + 1] * k, axis=0)
    c = np.zeros(shape_of(t)[0])
    c[k] = 1.0
    return made(t, c, k, extrapolate, cls=cls)


refuse_methods(
    si.BSpline,
    "insert_knot from_power_basis",
    "Make the spline of the coefficients that it is to have, BSpline(t, c, k)",
)
