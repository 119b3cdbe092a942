"""Images between their elements, by splines through them: values at coordinates.

A value is Σ c[i]·∏ₐ β(uₐ − iₐ) over the coefficients c = Sx of the splines nearby, with β the
B-spline of a degree and u the coordinates, moved into the image as a mode has it. The derivative in
a coordinate has β′ in the place of one β: β′ₙ(u) = βₙ₋₁(u + ½) − βₙ₋₁(u − ½). Where a spline of
degree 1 has a kink, it is the slope of the cell to the right, and at the last element, where
nothing is beyond it, of the one to the left; of degree 0, and beyond the edges in the mode
"constant", it is zero.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy.ndimage

from pullback.core.linear import Linear
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.structure import Opaque
from pullback.rules.image_filters import (
    PADDINGS,
    added_back,
    as_real_image,
    spline_coefficients,
    transposed_spline,
)
from pullback.rules.indexing import ARRAY, index, scatter
from pullback.rules.registration import rule
from pullback.rules.shaping import stack

__all__ = ["image_values"]

_PADDED = ("nearest", "grid-constant")
_PAD = 12
"""Elements that SciPy puts around an image before the filter of splines, in modes that it lacks."""


def _image_values(x, coordinates, *, order, mode, cval=0.0, prefilter=True):
    x = as_real_image(x, "an interpolation")
    coordinates = as_real_image(coordinates, "an interpolation").astype(np.float64)
    return scipy.ndimage.map_coordinates(x, coordinates, None, order, mode, cval, prefilter)


def _at_points(_primitive, x, coordinates, **_params):
    return Abstract(shape_of(coordinates)[1:], dtype_of(x))


def _batch(primitive, size, mapped, values, params):
    x, coordinates = values
    if mapped[0]:
        each = [
            primitive(x[i], coordinates[i] if mapped[1] else coordinates, **params)
            for i in range(size)
        ]
        return stack(*each, axis=0)
    return primitive(x, np.moveaxis(coordinates, 0, 1), **params)


def _count(out, x, *_others, order, **_params):
    rank = len(shape_of(x))
    return math.prod(shape_of(out)) * (order + 1) ** rank * (rank + 1)


@rule(_image_values, Opaque(_at_points, _batch, count=_count))
def image_values(_y, x, coordinates, *, order, mode, cval=0.0, prefilter=True):
    """The values of the image `x` at points, whose coordinates are along the first axis.

    It is linear in the image but for `cval`. With `prefilter` it goes through the elements of the
    image, without it they are the coefficients.
    """
    filters = prefilter and order > 1
    pad = _PAD if filters and mode in _PADDED else 0

    def axes():
        return [_near(n, coordinates[a], order, mode, pad) for a, n in enumerate(shape_of(x))]

    def pull_x(y_bar):
        shape = tuple(n + 2 * pad for n in shape_of(x))
        bar = _spread(axes(), y_bar, shape)
        if filters:
            for a in range(len(shape) - 1, -1, -1):
                bar = transposed_spline(bar, order, a, mode)
        for a in range(len(shape) if pad else 0):
            bar = added_back(bar, a, pad, pad, mode)
        return bar

    def slopes():
        c = _coefficients(x, order, mode, cval, pad) if filters else x
        return np.stack(_slopes(axes(), c, cval))

    return (
        Linear(
            lambda x_dot: image_values(
                x_dot, coordinates, order=order, mode=mode, prefilter=prefilter
            ),
            pull_x,
        ),
        _along_first_axis(slopes),
    )


def _along_first_axis(slopes):
    """ẏ = Σₐ gₐu̇ₐ, with g made when it is asked for."""
    kept: list[Any] = []

    def found():
        if not kept:
            kept.append(slopes())
        return kept[0]

    return Linear(
        lambda u_dot: np.sum(found() * u_dot, axis=0),
        lambda y_bar: found() * y_bar,
    )


def _coefficients(x, order, mode, cval, pad):
    if pad:
        others = {"constant_values": cval} if PADDINGS[mode] == "constant" else {}
        x = np.pad(x, pad, PADDINGS[mode], **others)
    for axis in range(len(shape_of(x))):
        x = spline_coefficients(x, order=order, axis=axis, mode=mode)
    return x


# -- what is near a point along an axis ------------------------------------------------------------


class _Near(NamedTuple):
    """The splines that are not zero at each point, along an axis.

    Parameters
    ----------
    places : list
        Their numbers.
    weights, slopes : list
        Their values, and derivatives.
    there : list or None
        Whether there are coefficients of these numbers, or `None` for all.
    outside : array or None
        Which points are nowhere near the image.
    """

    places: list[Any]
    weights: list[Any]
    slopes: list[Any]
    there: list[Any] | None
    outside: Any


def _near(n: int, u: Any, order: int, mode: str, pad: int) -> _Near:
    u, sign, outside = _moved(n, u, mode)
    u = u + pad
    extent = n + 2 * pad
    base = np.floor(u if order % 2 else u + 0.5)
    if order == 1 and mode in ("mirror", "constant", "wrap"):
        base = np.minimum(base, max(extent - 2, 0))
    f = u - base if order % 2 else u + 0.5 - base
    start = base.astype(np.intp) - order // 2
    weights, slopes = _basis(f, order)
    numbers = [start + k for k in range(order + 1)]
    there = None
    if mode == "grid-constant":
        there = [(i >= 0) & (i < extent) for i in numbers]
    places = [_number(i, extent, mode) for i in numbers]
    return _Near(places, weights, [each * sign for each in slopes], there, outside)


def _basis(f: Any, order: int) -> tuple[list[Any], list[Any]]:
    """The B-splines that are not zero in a cell, at f from its start, and their derivatives."""
    found: list[Any] = [np.ones_like(f)]
    before: list[Any] = []
    for degree in range(1, order + 1):
        before, found = found, [0.0]
        for n in range(1, degree + 1):
            part = before[n - 1] / degree
            found[n - 1] = found[n - 1] + part * (n - f)
            found.append(part * (f - n + degree))
    if not order:
        return found, [np.zeros_like(f)]
    zero = np.zeros_like(f)
    lower = [zero, *before, zero]
    return found, [lower[k] - lower[k + 1] for k in range(order + 1)]


def _moved(n: int, u: Any, mode: str) -> tuple[Any, Any, Any]:
    """Coordinates in the image, their derivatives in those that were given, and which are outside.

    Coordinates in the image are left as they are.
    """
    if mode in ("grid-constant", "nearest"):  # the coefficients go on beyond the edges
        return u, 1.0, None
    beyond = (u < 0) | (u > n - 1)
    if mode == "constant":
        return np.where(beyond, 0.0, u), 1.0, beyond
    if n == 1:
        return np.zeros_like(u), 0.0, None
    period = {"mirror": 2 * n - 2, "wrap": n - 1, "grid-wrap": n}.get(mode, 2 * n)
    within = u - period * np.floor(u / period)
    if mode in ("wrap", "grid-wrap"):
        return np.where(beyond, within, u), 1.0, None
    mirror = n - 1.0 if mode == "mirror" else n - 0.5
    back = within > mirror
    turned = np.where(back, 2 * mirror - within, within)
    return np.where(beyond, turned, u), np.where(beyond & back, -1.0, 1.0), None


def _number(i: Any, n: int, mode: str) -> Any:
    """The number of the coefficient that stands for one beyond the edges."""
    if mode in ("nearest", "grid-constant") or n == 1:
        return np.clip(i, 0, n - 1)
    if mode == "grid-wrap":
        return i % n
    if mode in ("reflect", "grid-mirror"):
        i = i % (2 * n)
        return np.minimum(i, 2 * n - 1 - i)
    i = i % (2 * n - 2)
    return np.minimum(i, 2 * n - 2 - i)


# -- sums over the coefficients near a point -------------------------------------------------------


def _flat(near: Sequence[_Near], taps: Sequence[int], shape: Sequence[int]) -> Any:
    place: Any = 0
    for each, k, n in zip(near, taps, shape, strict=True):
        place = place * n + each.places[k]
    return place


def _there(near: Sequence[_Near], taps: Sequence[int]) -> Any:
    """Whether all numbers are those of coefficients; `None` if that is certain."""
    found: Any = None
    for each, k in zip(near, taps, strict=True):
        if each.there is not None:
            found = each.there[k] if found is None else found & each.there[k]
    return found


def _inside(near: Sequence[_Near], y: Any) -> Any:
    """Numbers, and 0 for points that are nowhere near the image."""
    for each in near:
        if each.outside is not None:
            y = np.where(each.outside, 0.0, y)
    return y


def _all_taps(near: Sequence[_Near]) -> Any:
    return itertools.product(*(range(len(each.places)) for each in near))


def _spread(near: Sequence[_Near], y_bar: Any, shape: tuple[int, ...]) -> Any:
    """The transpose of the sums: what each coefficient gets of each point."""
    y_bar = _inside(near, y_bar)
    places, shares = [], []
    for taps in _all_taps(near):
        share = y_bar
        for each, k in zip(near, taps, strict=True):
            share = share * each.weights[k]
        there = _there(near, taps)
        shares.append(share if there is None else np.where(there, share, 0.0))
        places.append(_flat(near, taps, shape))
    share, place = (np.reshape(np.stack(each), (-1,)) for each in (shares, places))
    return np.reshape(scatter(share, place, key=(ARRAY,), shape=(math.prod(shape),)), shape)


def _slopes(near: Sequence[_Near], c: Any, cval: Any) -> list[Any]:
    """The derivatives of the sums in each coordinate."""
    shape = shape_of(c)
    flat = np.reshape(c, (-1,))
    out: list[Any] = [0.0] * len(near)
    for taps in _all_taps(near):
        value = index(flat, _flat(near, taps, shape), key=(ARRAY,))
        there = _there(near, taps)
        if there is not None:
            value = np.where(there, value, cval)
        for a in range(len(near)):
            term = value
            for other, (each, k) in enumerate(zip(near, taps, strict=True)):
                term = term * (each.slopes if other == a else each.weights)[k]
            out[a] = out[a] + term
    return [_inside(near, each) for each in out]
