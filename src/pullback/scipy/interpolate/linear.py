"""`interp1d`: straight lines, steps, and splines by their degree."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.interpolate as si

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import known, strip
from pullback.numpy.conversion import convert, inexact
from pullback.numpy.operands import operand
from pullback.scipy.constants import serves_followed
from pullback.scipy.interpolate.fitting import make_interp_spline
from pullback.scipy.interpolate.intervals import taken
from pullback.scipy.interpolate.objects import holds, required
from pullback.scipy.interpolate.rows import prepare
from pullback.scipy.interpolate.splines import call as call_spline

__all__: list[str] = []

holds("x", "y", "_y", "_spline", "_fill_value_below", "_fill_value_above")(si.interp1d)

_ORDERS = {"zero": 0, "slinear": 1, "quadratic": 2, "cubic": 3}
_STEPS = ("nearest", "nearest-up", "previous", "next")


@serves_followed(si.interp1d.__init__)
def set_up(
    self: Any,
    x: Any,
    y: Any,
    kind: Any = "linear",
    axis: int = -1,
    copy: Any = True,
    bounds_error: Any = None,
    fill_value: Any = np.nan,
    assume_sorted: bool = False,
) -> None:
    """What `__init__` does; the order of points is that of their values, and constant."""
    x, y = operand(x), operand(y)
    required(len(shape_of(x)) == 1, "the x array must have exactly one dimension.")
    required(len(shape_of(y)) > 0, "the y array must have at least one dimension.")
    axis, n = axis % len(shape_of(y)), shape_of(x)[0]
    rows = prepare(self, n, y, axis)
    order = kind if isinstance(kind, int) else _ORDERS.get(kind)
    if order is None and kind not in ("linear", *_STEPS):
        raise NotImplementedError(f"{kind} is unsupported: Use fitpack routines for other types.")
    if not assume_sorted:
        places = np.argsort(x, kind="stable")
        x, y, rows = taken(x, places), taken(y, places, axis), taken(rows, places)
    y, rows = inexact(y), inexact(rows)
    self.bounds_error, self.copy, self.axis, self._kind = bounds_error, copy, axis, kind
    self.x, self.y = x, y
    self._y = rows
    if order is not None:
        required(n > order, f"x and y arrays must have at least {order + 1} entries")
        self._kind = "spline"
        self._spline = make_interp_spline(x, rows, order, check_finite=False)
    self._call = None
    _set_fill(self, fill_value, kind)


def _extrapolates(fill_value: Any) -> bool:
    return isinstance(fill_value, str) and fill_value == "extrapolate"


def _set_fill(self: Any, fill_value: Any, kind: Any) -> None:
    if _extrapolates(fill_value):
        if self.bounds_error:
            raise ValueError("Cannot extrapolate and raise at the same time.")
        self.bounds_error = False
        if kind == "previous":
            fill_value = (np.nan, np.take(self.y, -1, self.axis))
        elif kind == "next":
            fill_value = (np.take(self.y, 0, self.axis), np.nan)
    self._extrapolate = _extrapolates(fill_value)
    if not self._extrapolate:
        shape = self._y_extra_shape or (1,)
        pair = isinstance(fill_value, tuple) and len(fill_value) == 2
        below, above = fill_value if pair else (fill_value, fill_value)
        names = ("fill_value (below)", "fill_value (above)") if pair else ("fill_value",) * 2
        self._fill_value_below = _filling(below, shape, names[0])
        self._fill_value_above = _filling(above, shape, names[1])
        if self.bounds_error is None:
            self.bounds_error = True
    self._fill_value_orig = fill_value


def _filling(value: Any, shape: tuple[int, ...], name: str) -> Any:
    value = operand(value)
    try:
        fits = np.broadcast_shapes(shape_of(value), shape) == shape
    except ValueError:
        fits = False
    required(
        fits,
        f"{name} argument must be able to broadcast up to shape {shape} but had shape "
        f"{shape_of(value)}",
    )
    return np.reshape(np.broadcast_to(value, shape), (-1,))


@serves_followed(si.interp1d._evaluate)
def values(self: Any, x: Any) -> Any:
    """The values at points, of which those out of range are filled, or an error."""
    rows = _RULES.get(self._kind, _linear)(self, x)
    if not self._extrapolate:
        below, above = x < self.x[0], x > self.x[-1]
        if self.bounds_error:
            _require_within(below, "below", "minimum", self.x[0], x)
            _require_within(above, "above", "maximum", self.x[-1], x)
        for outside, filling in (
            (below, self._fill_value_below),
            (above, self._fill_value_above),
        ):
            rows = np.where(outside[:, None], convert(filling, dtype_of(rows)), rows)
    return rows


def _require_within(outside: Any, side: str, name: str, bound: Any, x: Any) -> None:
    if known(outside) and np.any(strip(outside)):
        first = np.broadcast_to(strip(x), np.shape(strip(outside)))[strip(outside)][0]
        raise ValueError(
            f"A value ({first}) in x_new is {side} the interpolation range's {name} value "
            f"({strip(bound)})."
        )


def _linear(self: Any, x: Any) -> Any:
    """On straight lines; at a point the slope is that of the one to the right of it."""
    if _as_numpy_does(self):
        return np.interp(x, self.x, self.y)[:, None]
    places = np.clip(np.searchsorted(self.x, x, side="right"), 1, shape_of(self.x)[0] - 1)
    low, high = places - 1, places
    x_low, y_low = taken(self.x, low), taken(self._y, low)
    slope = (taken(self._y, high) - y_low) / (taken(self.x, high) - x_low)[:, None]
    return slope * (x - x_low)[:, None] + y_low


def _as_numpy_does(self: Any) -> bool:
    kinds = (np.dtype(np.float64), np.dtype(int))
    of_kind = all(dtype_of(each) in kinds for each in (self.x, self.y))
    return of_kind and len(shape_of(self.y)) == 1 and not self._extrapolate


def _nearest(self: Any, x: Any) -> Any:
    half = self.x / 2.0
    side: Any = "left" if self._kind == "nearest" else "right"
    places = np.searchsorted(half[1:] + half[:-1], x, side=side)
    return _step(self, x, np.clip(places, 0, shape_of(self.x)[0] - 1))


def _previous(self: Any, x: Any) -> Any:
    shifted = np.nextafter(self.x, -np.inf)
    places = np.searchsorted(shifted, x, side="left")
    return _step(self, x, np.clip(places, 1, shape_of(self.x)[0]) - 1)


def _next(self: Any, x: Any) -> Any:
    shifted = np.nextafter(self.x, np.inf)
    places = np.searchsorted(shifted, x, side="right")
    return _step(self, x, np.clip(places, 0, shape_of(self.x)[0] - 1))


def _step(self: Any, x: Any, places: Any) -> Any:
    """Values that a step does not change with the point."""
    return taken(self._y, places)


def _spline(self: Any, x: Any) -> Any:
    out = call_spline(self._spline, x)
    return out * np.nan if self._call is si.interp1d._call_nan_spline else out


_RULES = {
    "nearest": _nearest,
    "nearest-up": _nearest,
    "previous": _previous,
    "next": _next,
    "spline": _spline,
}
