"""Piecewise polynomials, in the power basis and in Bernstein's.

They are evaluated by products and sums of the coefficients of each point's interval, in the order
of SciPy's own code, so that a derivative in a point, in the coefficients and in the breakpoints is
that of those products and sums.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.interpolate as si
import scipy.special as sc

from pullback.core.shapes import shape_of
from pullback.core.tracing import known, strip
from pullback.numpy.operands import operand, require_known
from pullback.rules.shaping import concatenate
from pullback.scipy.constants import serves_followed
from pullback.scipy.interpolate.intervals import inside, located, periodic, taken
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

__all__ = ["made", "set_up"]

holds("c", "x")(si.PPoly)
holds("c", "x")(si.BPoly)
holds("c", "x")(si.NdPPoly)


def set_up(self: Any, c: Any, x: Any, extrapolate: Any = None, axis: int = 0) -> None:
    """What `__init__` of a piecewise polynomial does."""
    c, x = floating(c), real(x, type(self).__name__, "x")
    if extrapolate is None:
        extrapolate = True
    elif not isinstance(extrapolate, str):
        extrapolate = bool(extrapolate)
    shape, breakpoints = shape_of(c), shape_of(x)
    required(len(shape) >= 2, "Coefficients array must be at least 2-dimensional.")
    required(0 <= axis < len(shape) - 1, f"axis={axis} must be between 0 and {len(shape) - 1}")
    c = np.moveaxis(c, (axis, axis + 1), (0, 1))
    required(len(breakpoints) == 1, "x must be 1-dimensional")
    required(breakpoints[0] >= 2, "at least 2 breakpoints are needed")
    required(shape_of(c)[0] > 0, "polynomial must be at least of order 0")
    required(shape_of(c)[1] == breakpoints[0] - 1, "number of coefficients != len(x)-1")
    if known(x):
        steps = np.diff(x)
        if not np.all(strip(steps) <= 0):
            required(steps >= 0, "`x` must be strictly increasing or decreasing.")
    hold(self, c=c, x=x)
    self.extrapolate, self.axis = extrapolate, axis


def made(cls: type, c: Any, x: Any, extrapolate: Any, axis: int) -> Any:
    """An object of a class of piecewise polynomials, without checks."""
    self: Any = object.__new__(cls)
    hold(self, c=c, x=x)
    self.extrapolate, self.axis = extrapolate, axis
    return self


serves_followed(si.PPoly.__init__)(set_up)


@serves_followed(si.PPoly.construct_fast.__func__)
def construct_fast(cls: type, c: Any, x: Any, extrapolate: Any = None, axis: int = 0) -> Any:
    return made(cls, operand(c), operand(x), True if extrapolate is None else extrapolate, axis)


# -- values ----------------------------------------------------------------------------------------


@serves_followed(si.PPoly.__call__)
def call(self: Any, x: Any, nu: Any = 0, extrapolate: Any = None) -> Any:
    """The values at `x` of the polynomials, or of their derivatives of the order `nu`."""
    extrapolate = self.extrapolate if extrapolate is None else extrapolate
    nu = int(require_known("scipy.interpolate.PPoly", "nu", nu))
    c, breakpoints = part(self, "c"), part(self, "x")
    points = real(x, type(self).__name__, "x")
    out = values(c, breakpoints, points, nu, extrapolate, isinstance(self, si.BPoly))
    return in_front(out, len(shape_of(points)), self.axis)


def values(
    c: Any, breakpoints: Any, x: Any, nu: int, extrapolate: Any, bernstein: bool = False
) -> Any:
    """The polynomials at points of any shape, which come first in the result."""
    lead, trail = shape_of(x), shape_of(c)[2:]
    x = np.reshape(x, (-1,))
    if isinstance(extrapolate, str):
        x = periodic(breakpoints[0], breakpoints[-1], x)
        extrapolate = False
    if bernstein and nu:
        c, nu = derived(c, breakpoints, nu), 0
    i = located(breakpoints, x)
    s = x - taken(breakpoints, i)
    own = taken(np.reshape(c, (*shape_of(c)[:2], -1)), i, axis=1)
    if bernstein:
        out = _bernstein(own, s / taken(breakpoints[1:] - breakpoints[:-1], i))
    else:
        out = _powers(own, s, nu)
    kept = inside(breakpoints, x) if not extrapolate else ~np.isnan(x)
    return np.reshape(np.where(kept[:, None], out, np.nan), (*lead, *trail))


def _powers(c: Any, s: Any, nu: int) -> Any:
    """Σₖ cₖsᴷ⁻ᵏ from the lowest power on, or its derivative of the order `nu`."""
    order = shape_of(c)[0]
    if nu >= order:
        return np.zeros_like(c[0]) * s[:, None]
    out, power = None, None
    for k in range(nu, order):
        factor = math.perm(k, nu) if nu >= 0 else 1 / math.perm(k - nu, -nu)
        term = c[order - 1 - k]
        term = term if power is None else term * power[:, None]
        term = term if factor == 1 else term * float(factor)
        out = term if out is None else out + term
        power = s if power is None else power * s
    return out


def _bernstein(c: Any, s: Any) -> Any:
    """Σₖ cₖ comb(K, k) sᵏ(1 − s)ᴷ⁻ᵏ."""
    degree = shape_of(c)[0] - 1
    other = 1 - s
    return sum(
        c[k] * (math.comb(degree, k) * s**k * other ** (degree - k))[:, None]
        for k in range(degree + 1)
    )


# -- derivatives and integrals ---------------------------------------------------------------------


def _along(x: Any, rank: int) -> Any:
    """A vector along the axis of intervals of coefficients that have so many axes."""
    return np.reshape(x, (-1,) + (1,) * (rank - 2))


def derived(c: Any, breakpoints: Any, nu: int) -> Any:
    """The coefficients in Bernstein's basis of a derivative."""
    steps = _along(np.diff(breakpoints), len(shape_of(c)))
    for _ in range(nu):
        degree = shape_of(c)[0] - 1
        c = degree * np.diff(c, axis=0) / steps if degree else np.zeros_like(c)
    return c


@serves_followed(si.PPoly.derivative)
def derivative(self: Any, nu: Any = 1) -> Any:
    """The piecewise polynomial that is the derivative."""
    if nu < 0:
        return antiderivative(self, -nu)
    c, order = part(self, "c"), shape_of(part(self, "c"))[0]
    if nu:
        c = c[:-nu] if nu < order else np.zeros_like(c[:1])
        factors = sc.poch(np.arange(shape_of(c)[0], 0, -1), nu)
        c = c * np.reshape(factors, (-1,) + (1,) * (len(shape_of(c)) - 1))
    return made(type(self), c, part(self, "x"), self.extrapolate, self.axis)


def _periodic_is_over(extrapolate: Any) -> Any:
    """An antiderivative has a period no more."""
    return False if isinstance(extrapolate, str) else extrapolate


@serves_followed(si.PPoly.antiderivative)
def antiderivative(self: Any, nu: Any = 1) -> Any:
    """The continuous antiderivative that is 0 at the first breakpoint."""
    if nu <= 0:
        return derivative(self, -nu)
    c, x = part(self, "c"), part(self, "x")
    for _ in range(nu):
        c = _integrated(c, x)
    return made(type(self), c, x, _periodic_is_over(self.extrapolate), self.axis)


def _integrated(c: Any, x: Any) -> Any:
    order, rank = shape_of(c)[0], len(shape_of(c))
    c = c / np.reshape(np.arange(order, 0, -1.0), (-1,) + (1,) * (rank - 1))
    steps = _along(np.diff(x)[:-1], rank)
    over: Any = 0
    for k in range(order):
        over = (over + c[k, :-1]) * steps
    before = concatenate(np.zeros_like(c[:1, :1]), np.cumsum(over, axis=0)[None], axis=1)
    return concatenate(c, before, axis=0)


@serves_followed(si.BPoly.derivative)
def derivative_of_bernstein(self: Any, nu: Any = 1) -> Any:
    if nu < 0:
        return antiderivative_of_bernstein(self, -nu)
    c = derived(part(self, "c"), part(self, "x"), nu)
    return made(type(self), c, part(self, "x"), self.extrapolate, self.axis)


@serves_followed(si.BPoly.antiderivative)
def antiderivative_of_bernstein(self: Any, nu: Any = 1) -> Any:
    if nu <= 0:
        return derivative_of_bernstein(self, -nu)
    c, x = part(self, "c"), part(self, "x")
    for _ in range(nu):
        order, steps = shape_of(c)[0], _along(np.diff(x), len(shape_of(c)))
        c = concatenate(np.zeros_like(c[:1]), np.cumsum(c, axis=0) / order, axis=0) * steps
        ends = np.cumsum(c[order], axis=0)[:-1]
        c = c + concatenate(np.zeros_like(ends[:1]), ends, axis=0)
    return made(type(self), c, x, _periodic_is_over(self.extrapolate), self.axis)


@serves_followed(si.PPoly.integrate, si.BPoly.integrate)
def integrate(self: Any, a: Any, b: Any, extrapolate: Any = None) -> Any:
    """The integral from a to b: the derivative in them is the value there."""
    extrapolate = self.extrapolate if extrapolate is None else extrapolate
    bernstein = isinstance(self, si.BPoly)
    whole = (antiderivative_of_bernstein if bernstein else antiderivative)(self)
    c, x = part(whole, "c"), part(whole, "x")

    def until(t: Any) -> Any:
        t = real(t, type(self).__name__, "a and b")
        if not isinstance(extrapolate, str):
            return values(c, x, t, 0, extrapolate, bernstein)
        first, last = x[0], x[-1]
        full = values(c, x, last, 0, True, bernstein)
        periods = np.floor((t - first) / (last - first))
        return periods * full + values(c, x, periodic(first, last, t), 0, True, bernstein)

    return until(b) - until(a)


@serves_followed(si.PPoly.from_spline.__func__)
def from_spline(cls: type, tck: Any, extrapolate: Any = None) -> Any:
    """The pieces of a spline: its derivatives at the knots, over factorials."""
    if isinstance(tck, si.BSpline):
        extrapolate = tck.extrapolate if extrapolate is None else extrapolate
        tck = (part(tck, "t"), part(tck, "c"), tck.k)
    t, c, k = operand(tck[0]), floating(tck[1]), tck[2]
    spline = si.BSpline.construct_fast(t, c[: shape_of(t)[0] - k - 1], k)
    pieces = [spline(t[:-1], nu) / math.factorial(nu) for nu in range(k, -1, -1)]
    return made(cls, np.stack(pieces), t, True if extrapolate is None else extrapolate, 0)


# -- pieces of several variables -------------------------------------------------------------------


@serves_followed(si.NdPPoly.__init__)
def set_up_several(self: Any, c: Any, x: Any, extrapolate: Any = None) -> None:
    self.x = tuple(real(each, "NdPPoly", "x") for each in x)
    self.c = floating(c)
    self.extrapolate = True if extrapolate is None else bool(extrapolate)
    shape, rank = shape_of(self.c), len(self.x)
    required([len(shape_of(each)) == 1 for each in self.x], "x arrays must all be 1-dimensional")
    required(len(shape) >= 2 * rank, "c must have at least 2*len(x) dimensions")
    required(
        [n == shape_of(each)[0] - 1 for n, each in zip(shape[rank:], self.x, strict=False)],
        "x and c do not agree on the number of intervals",
    )


@serves_followed(si.NdPPoly.__call__)
def call_several(self: Any, x: Any, nu: Any = None, extrapolate: Any = None) -> Any:
    """The values at points, whose coordinates are along the last axis of `x`."""
    extrapolate = self.extrapolate if extrapolate is None else bool(extrapolate)
    rank = len(self.x)
    orders = [0] * rank if nu is None else [int(n) for n in nu]
    x = real(x, "NdPPoly", "x")
    lead = shape_of(x)[:-1]
    x = np.reshape(x, (-1, rank))
    points = [x[:, axis] for axis in range(rank)]
    places = [located(each, p) for each, p in zip(self.x, points, strict=True)]
    shape = shape_of(self.c)
    extents = shape[rank : 2 * rank]
    flat = np.reshape(self.c, (*shape[:rank], math.prod(extents), -1))
    place: Any = 0
    for extent, i in zip(extents, places, strict=True):
        place = place * extent + i
    own = taken(flat, place, axis=rank)  # a power of each variable, the points, what is left
    kept: Any = True
    for axis in range(rank):
        s = points[axis] - taken(self.x[axis], places[axis])
        own = _powers_of_first(own, s, orders[axis])
        kept = kept & (~np.isnan(s) if extrapolate else inside(self.x[axis], points[axis]))
    return np.reshape(np.where(kept[:, None], own, np.nan), (*lead, *shape[2 * rank :]))


def _powers_of_first(c: Any, s: Any, nu: int) -> Any:
    """`_powers`, where other powers may be between the first axis and the points."""
    between = shape_of(c)[1:-2]
    c = np.reshape(c, (shape_of(c)[0], math.prod(between), *shape_of(c)[-2:]))
    parts = [_powers(c[:, i], s, nu) for i in range(shape_of(c)[1])]
    return np.reshape(np.stack(parts), (*between, *shape_of(parts[0])))


_COEFFICIENTS = (
    "Compute with the coefficients, c of PPoly(c, x), or join the arrays of both, by np.concatenate"
)
refuse_methods(si.PPoly, "extend", _COEFFICIENTS)
refuse_methods(si.BPoly, "extend from_power_basis from_derivatives", _COEFFICIENTS)
refuse_methods(si.PPoly, "from_bernstein_basis", _COEFFICIENTS)
refuse_methods(si.NdPPoly, "antiderivative derivative integrate integrate_1d", _COEFFICIENTS)
