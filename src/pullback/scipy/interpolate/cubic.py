"""Interpolation by piecewise cubic polynomials: what slopes they have at the points.

A polynomial between two points is given by the values and the slopes at both. Kinds of
interpolation differ in where the slopes come from: a banded system of equations for `CubicSpline`,
means of the slopes of the chords for the two others. Where those are chosen by comparisons the
derivative is that of the formula that is chosen.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.interpolate as si
import scipy.linalg

from pullback.core.shapes import dtype_of, shape_of
from pullback.numpy.conversion import convert
from pullback.numpy.operands import operand
from pullback.rules.shaping import concatenate
from pullback.scipy.constants import serves_followed
from pullback.scipy.interpolate.objects import floating, holds, real, required
from pullback.scipy.interpolate.piecewise import set_up

__all__ = ["prepared"]


def prepared(name: str, x: Any, y: Any, axis: int) -> tuple[Any, Any, int]:
    """The points, the values with the axis of interpolation first, and that axis."""
    x, y = real(x, name, "x"), floating(y)
    axis = axis % len(shape_of(y))
    required(len(shape_of(x)) == 1, "`x` must be 1-dimensional.")
    n = shape_of(x)[0]
    required(n >= 2, "`x` must contain at least 2 elements.")
    required(
        n == shape_of(y)[axis],
        f"The length of `y` along `axis`={axis} doesn't match the length of `x`",
    )
    required(np.isfinite(x), "`x` must contain only finite values.")
    required(np.isfinite(y), "`y` must contain only finite values.")
    required(np.diff(x) > 0, "`x` must be strictly increasing sequence.")
    return x, np.moveaxis(y, axis, 0), axis


def _across(x: Any, y: Any) -> Any:
    """A vector along the first axis of `y`."""
    return np.reshape(x, (-1,) + (1,) * (len(shape_of(y)) - 1))


def _hermite(self: Any, x: Any, y: Any, slopes: Any, axis: int, extrapolate: Any) -> None:
    """Make of `self` the polynomials with these values and slopes."""
    h = _across(np.diff(x), y)
    chord = np.diff(y, axis=0) / h
    t = (slopes[:-1] + slopes[1:] - 2 * chord) / h
    c = np.stack([t / h, (chord - slopes[:-1]) / h - t, slopes[:-1], y[:-1]])
    set_up(self, c, x, extrapolate)
    self.axis = axis


@serves_followed(si.CubicHermiteSpline.__init__)
def hermite(self: Any, x: Any, y: Any, dydx: Any, axis: int = 0, extrapolate: Any = None) -> None:
    """The polynomials with values and slopes that are given."""
    y, dydx = floating(y), floating(dydx)
    required(shape_of(y) == shape_of(dydx), "The shapes of `y` and `dydx` must be identical.")
    required(np.isfinite(dydx), "`dydx` must contain only finite values.")
    x, y, axis = prepared("CubicHermiteSpline", x, y, axis)
    dtype = np.result_type(dtype_of(y), dtype_of(dydx))
    slopes = convert(np.moveaxis(dydx, axis, 0), dtype)
    _hermite(self, x, convert(y, dtype), slopes, axis, extrapolate)


# -- from the slopes of the chords -----------------------------------------------------------------


@serves_followed(si.PchipInterpolator.__init__)
def pchip(self: Any, x: Any, y: Any, axis: int = 0, extrapolate: Any = None) -> None:
    """Slopes that keep what is monotonous so: harmonic means of those of the chords.

    F. N. Fritsch and J. Butland, SIAM J. Sci. Stat. Comput. 5, 300 (1984). The slope is 0 where the
    chords differ in sign, or one is level, and so is its derivative there.
    """
    x, y, axis = prepared("PchipInterpolator", x, y, axis)
    _require_real("PchipInterpolator", y)
    h = _across(np.diff(x), y)
    chord = np.diff(y, axis=0) / h
    if shape_of(y)[0] == 2:
        slopes = concatenate(chord, chord, axis=0)
    else:
        level = (np.sign(chord[1:]) != np.sign(chord[:-1])) | (chord[1:] == 0) | (chord[:-1] == 0)
        w1, w2 = 2 * h[1:] + h[:-1], h[1:] + 2 * h[:-1]
        left, right = (np.where(level, 1.0, each) for each in (chord[:-1], chord[1:]))
        mean = (w1 / left + w2 / right) / (w1 + w2)
        within = np.where(level, 0.0, 1.0 / mean)
        first = _at_end(h[0], h[1], chord[0], chord[1])
        last = _at_end(h[-1], h[-2], chord[-1], chord[-2])
        slopes = concatenate(first[None], within, last[None], axis=0)
    _hermite(self, x, y, slopes, axis, extrapolate)


def _at_end(h0: Any, h1: Any, m0: Any, m1: Any) -> Any:
    """The slope at an end, from the first three points, cut so that the shape is kept."""
    d = ((2 * h0 + h1) * m0 - h0 * m1) / (h0 + h1)
    turns = np.sign(d) != np.sign(m0)
    overshoots = (np.sign(m0) != np.sign(m1)) & (np.abs(d) > 3.0 * np.abs(m0))
    return np.where(turns, 0.0, np.where(overshoots, 3.0 * m0, d))


@serves_followed(si.Akima1DInterpolator.__init__)
def akima(
    self: Any, x: Any, y: Any, axis: int = 0, *, method: str = "akima", extrapolate: Any = None
) -> None:
    """Slopes that are means of those of the chords, by how these change (H. Akima, J. ACM 17, 589).

    Where they don't change at all the slope is the mean of two chords.
    """
    if method not in {"akima", "makima"}:
        raise NotImplementedError(f"`method`={method} is unsupported.")
    x, y, axis = prepared("Akima1DInterpolator", x, y, axis)
    _require_real("Akima1DInterpolator", y)
    chord = np.diff(y, axis=0) / _across(np.diff(x), y)
    extrapolate = False if extrapolate is None else extrapolate
    if shape_of(y)[0] == 2:
        slopes = concatenate(chord, chord, axis=0)
    else:
        slopes = _akima_slopes(chord, modified=method == "makima")
    _hermite(self, x, y, slopes, axis, extrapolate)


def _akima_slopes(chord: Any, *, modified: bool) -> Any:
    def beyond(near: Any, far: Any) -> tuple[Any, Any]:
        first = 2.0 * near - far
        return first, 2.0 * first - near

    left, before = beyond(chord[0], chord[1])
    right, after = beyond(chord[-1], chord[-2])
    m = concatenate(before[None], left[None], chord, right[None], after[None], axis=0)
    change = np.abs(np.diff(m, axis=0))
    f1, f2 = change[2:], change[:-2]
    if modified:
        size = np.abs(m[1:] + m[:-1])
        f1, f2 = f1 + 0.5 * size[2:], f2 + 0.5 * size[:-2]
    total = f1 + f2
    if 0 in shape_of(total):
        return m[1:-2]
    defined = total > 1e-9 * np.max(total)
    weight = f2 / np.where(defined, total, 1.0)
    mean = m[1:-2] + weight * (m[2:-1] - m[1:-2])
    return np.where(defined, mean, 0.5 * (m[3:] + m[:-3]))


def _require_real(name: str, y: Any) -> None:
    if dtype_of(y).kind == "c":
        raise ValueError(
            f"`{name}` only works with real values for `y`. If you are trying to use the real "
            f"components of the passed array, use `np.real` on the array before passing to "
            f"`{name}`."
        )


# -- by a system of equations ----------------------------------------------------------------------


@serves_followed(si.CubicSpline.__init__)
def spline(
    self: Any, x: Any, y: Any, axis: int = 0, bc_type: Any = "not-a-knot", extrapolate: Any = None
) -> None:
    """Slopes with which the second derivative is continuous."""
    x, y, axis = prepared("CubicSpline", x, y, axis)
    ends = _conditions(bc_type, y, axis)
    y = convert(y, np.result_type(dtype_of(y), *(dtype_of(v) for _, v in ends if v is not None)))
    if extrapolate is None:
        extrapolate = "periodic" if ends[0][0] == "periodic" else True
    slopes = np.zeros_like(y) if 0 in shape_of(y) else _smooth_slopes(x, y, ends)
    _hermite(self, x, y, slopes, axis, extrapolate)


End = tuple[Any, Any]
"""A name of a condition and `None`, or the order of a derivative and its value."""


def _conditions(bc_type: Any, y: Any, axis: int) -> list[End]:
    """What holds at the start and at the end."""
    if isinstance(bc_type, str):
        if bc_type == "periodic":
            required(
                np.abs(y[0] - y[-1]) <= 1e-15 + 1e-15 * np.abs(y[-1]),
                f"The first and last `y` point along axis {axis} must be identical (within machine "
                "precision) when bc_type='periodic'.",
            )
        bc_type = (bc_type, bc_type)
    else:
        required(
            len(bc_type) == 2,
            "`bc_type` must contain 2 elements to specify start and end conditions.",
        )
        required(
            not any(isinstance(each, str) and each == "periodic" for each in bc_type),
            "'periodic' `bc_type` is defined for both curve ends and cannot be used with other "
            "boundary conditions.",
        )
    return [_condition(each, shape_of(y)[1:]) for each in bc_type]


def _condition(given: Any, shape: tuple[int, ...]) -> End:
    if isinstance(given, str):
        if given in ("clamped", "natural"):
            return (1 if given == "clamped" else 2), np.zeros(shape)
        required(given in ("not-a-knot", "periodic"), f"bc_type={given} is not allowed.")
        return given, None
    try:
        order, value = given
    except Exception as error:
        raise ValueError(
            "A specified derivative value must be given in the form (order, value)."
        ) from error
    required(order in (1, 2), "The specified derivative order must be 1 or 2.")
    value = floating(value)
    required(
        shape_of(value) == shape,
        f"`deriv_value` shape {shape_of(value)} is not the expected one {shape}.",
    )
    return order, value


def _smooth_slopes(x: Any, y: Any, ends: list[End]) -> Any:
    n, h = shape_of(x)[0], np.diff(x)
    hr = _across(h, y)
    chord = np.diff(y, axis=0) / hr
    if n == 2:
        ends = [(1, chord[0]) if value is None else (kind, value) for kind, value in ends]
    kinds = [kind for kind, _ in ends]
    if n == 3 and kinds[0] == "periodic":
        mean = np.sum(chord / hr, axis=0) / np.sum(1.0 / hr, axis=0)
        return np.broadcast_to(mean, shape_of(y))
    if n == 3 and kinds == ["not-a-knot", "not-a-knot"]:
        return _parabola(hr, chord)
    if kinds[0] == "periodic":
        return _periodic_slopes(h, hr, chord)
    start = _equation_at_end(ends[0], h, hr, chord, 1)
    last = _equation_at_end(ends[1], h[::-1], hr[::-1], chord[::-1], -1)
    inner = 3 * (hr[1:] * chord[:-1] + hr[:-1] * chord[1:])
    diagonal = _joined(start[0], 2 * (h[:-1] + h[1:]), last[0])
    upper = _joined(0.0, start[1], h[:-1])
    lower = _joined(h[1:], last[1], 0.0)
    right = concatenate(
        np.broadcast_to(start[2], shape_of(y)[1:])[None],
        inner,
        np.broadcast_to(last[2], shape_of(y)[1:])[None],
        axis=0,
    )
    return _tridiagonal(upper, diagonal, lower, right)


def _joined(*parts: Any) -> Any:
    return np.concatenate([np.atleast_1d(operand(each)) for each in parts])


def _tridiagonal(upper: Any, diagonal: Any, lower: Any, right: Any) -> Any:
    """The solution, for right-hand sides in the first axis."""
    band = np.stack([upper, diagonal, lower])
    columns = np.reshape(right, (shape_of(right)[0], -1))
    found = scipy.linalg.solve_banded((1, 1), band, columns, check_finite=False)
    return np.reshape(found, shape_of(right))


def _equation_at_end(end: End, h: Any, hr: Any, chord: Any, sign: int) -> tuple[Any, Any, Any]:
    """The diagonal, what is beside it and the right-hand side, with steps counted from the end."""
    kind, value = end
    if kind == 1:
        return 1.0, 0.0, value
    if kind == 2:
        return 2 * h[0], h[0], -sign * 0.5 * value * hr[0] ** 2 + 3 * (chord[0] * hr[0])
    d = h[0] + h[1]
    right = ((hr[0] + 2 * d) * hr[1] * chord[0] + hr[0] ** 2 * chord[1]) / d
    return h[1], d, right


def _parabola(hr: Any, chord: Any) -> Any:
    """The slopes at three points of the parabola through them."""
    middle = (hr[0] * chord[1] + hr[1] * chord[0]) / (hr[0] + hr[1])
    return np.stack([2 * chord[0] - middle, middle, 2 * chord[1] - middle])


def _periodic_slopes(h: Any, hr: Any, chord: Any) -> Any:
    """Of a cyclic system: without its last unknown it is tridiagonal, for two right-hand sides."""
    before = np.roll(h, 1)
    hb, cb = np.roll(hr, 1, axis=0), np.roll(chord, 1, axis=0)
    right = 3 * (hr * cb + hb * chord)
    n = shape_of(h)[0]
    diagonal = 2 * (before + h)
    band = (_joined(0.0, before[: n - 2]), diagonal[: n - 1], _joined(h[1 : n - 1], 0.0))
    corner = _across(_joined(-h[0], np.zeros(n - 3), -before[n - 2]), chord)
    s1, s2 = _tridiagonal(*band, right[: n - 1]), _tridiagonal(*band, corner)
    a, b = before[n - 1], h[n - 1]
    last = (right[n - 1] - a * s1[0] - b * s1[-1]) / (diagonal[n - 1] + a * s2[0] + b * s2[-1])
    inner = s1 + last * s2
    return concatenate(inner, last[None], inner[:1], axis=0)


for _class in (
    si.CubicHermiteSpline, si.CubicSpline, si.PchipInterpolator, si.Akima1DInterpolator
):  # fmt: skip
    holds("c", "x")(_class)
