"""Linear filters of images: sums over the elements around each, by weights.

With l elements to the left of each, y = C(w)Ex: E puts elements beyond the edges of x, each a copy
of one of its own or a number, and (C(w)z)ᵢ = Σₖ wₖzᵢ₊ₖ. So x̄ = EᵀC(w)ᵀȳ, where C(w)ᵀ is the
filter with reversed weights that starts earlier, and Eᵀ adds up at each element what its copies
have.

Splines through the elements of an image have the coefficients Sx. The extension of an image by
mirroring is the same as that of its coefficients; so S⁻¹ samples splines, S⁻¹ = KM for a symmetric
K and with M the number of copies in a period that each element has, up to a factor, and
Sᵀ = MSM⁻¹. See P. Thévenaz, T. Blu and M. Unser, IEEE Trans. Med. Imaging 19, 739 (2000).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.ndimage

from pullback.core.linear import Linear
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.structure import Opaque
from pullback.core.structure.axes import meeting
from pullback.errors import ArgumentTypeError
from pullback.rules.indexing import ARRAY, scatter
from pullback.rules.registration import rule
from pullback.rules.shaping import concatenate, stack

__all__ = [
    "PADDINGS",
    "added_back",
    "as_real_image",
    "image_filter",
    "spline_coefficients",
    "transposed_spline",
]

PADDINGS: dict[str, Any] = {
    "constant": "constant", "grid-constant": "constant", "nearest": "edge", "mirror": "reflect",
    "reflect": "symmetric", "grid-mirror": "symmetric", "wrap": "wrap", "grid-wrap": "wrap",
}  # fmt: skip
"""NumPy's names for what a mode of SciPy's filters puts beyond the edges."""


# -- weights ---------------------------------------------------------------------------------------


def as_real_image(x: Any, name: str) -> Any:
    """An array in one of the precisions of images; an error for another."""
    x = np.asarray(x)
    if x.dtype not in (np.float32, np.float64):
        raise ArgumentTypeError(
            f"scipy.ndimage: {name} got an array of dtype {x.dtype}, wanted single or double "
            "precision; convert it, with x.astype(float)"
        )
    return x


def _image_filter(x, w, *, axis, mode, origin, cval=0.0, running=False):
    x = as_real_image(x, "a filter")
    w = as_real_image(w, "a filter").astype(np.float64)
    if running:
        return scipy.ndimage.uniform_filter1d(x, w.size, axis, None, mode, cval, origin[axis])
    if axis is not None:
        return scipy.ndimage.correlate1d(x, w.ravel(), axis, None, mode, cval, origin[axis])
    return scipy.ndimage.correlate(x, w, None, mode, cval, origin)


def _as_image(_primitive, x, *_others, **_params):
    return Abstract(shape_of(x), dtype_of(x))


def _filter_batch(primitive, size, mapped, values, params):
    x, w = values
    if mapped[1]:
        each = [primitive(x[i] if mapped[0] else x, w[i], **params) for i in range(size)]
        return stack(*each, axis=0)
    axis = params["axis"]
    params = {
        **params, "axis": None if axis is None else axis + 1, "origin": (0, *params["origin"])
    }  # fmt: skip
    return primitive(x, np.expand_dims(w, 0), **params)


def _terms(_out, x, w, **_params):
    return 2 * math.prod(shape_of(x)) * math.prod(shape_of(w))


@rule(_image_filter, Opaque(_as_image, _filter_batch, count=_terms))
def image_filter(_y, x, w, *, axis, mode, origin, cval=0.0, running=False):
    """y = C(w)Ex, with ∂y/∂x = C(w)E without the number beyond the edges, and ∂y/∂w = C(·)Ex.

    `w` has as many axes as `x`. With `axis` it extends along that one only, and the routine for
    lines is called; with `running` the one for equal weights, which adds up as it goes.
    """
    sizes = shape_of(w)

    def pull_x(y_bar):
        longer = np.pad(y_bar, [(0, m - 1) for m in sizes])
        first = tuple((m - 1) // 2 for m in sizes)
        full = image_filter(longer, np.flip(w), axis=axis, mode="constant", origin=first)
        for along, m in enumerate(sizes):
            if m > 1:
                before = m // 2 + origin[along]
                full = added_back(full, along, before, m - 1 - before, mode)
        return full

    def pull_w(y_bar):
        befores = [m // 2 + start for m, start in zip(sizes, origin, strict=True)]
        widths = [(before, m - 1 - before) for m, before in zip(sizes, befores, strict=True)]
        others = {"constant_values": cval} if PADDINGS[mode] == "constant" else {}
        extended = np.pad(x, widths, PADDINGS[mode], **others)
        found = [
            np.sum(y_bar * extended[tuple(map(slice, place, np.add(place, shape_of(x))))])
            for place in np.ndindex(*sizes)
        ]
        return np.reshape(np.stack(found), sizes)

    return (
        Linear(
            lambda x_dot: image_filter(
                x_dot, w, axis=axis, mode=mode, origin=origin, running=running
            ),
            pull_x,
        ),
        Linear(
            lambda w_dot: image_filter(x, w_dot, axis=axis, mode=mode, origin=origin, cval=cval),
            pull_w,
        ),
    )


def added_back(x: Any, axis: int, before: int, after: int, mode: str) -> Any:
    """Eᵀ along an axis: the elements without the edges, and added to them what copied them."""
    extent = shape_of(x)[axis] - before - after
    lead = (slice(None),) * axis
    middle = x[(*lead, slice(before, before + extent))]
    if PADDINGS[mode] == "constant" or not before + after:
        return middle
    edges = concatenate(x[(*lead, slice(0, before))], x[(*lead, slice(before + extent, None))],
                        axis=axis)  # fmt: skip
    places = np.pad(np.arange(extent), (before, after), PADDINGS[mode])
    places = np.concatenate([places[:before], places[before + extent :]])
    return middle + scatter(edges, places, key=(*lead, ARRAY), shape=shape_of(middle))


# -- splines ---------------------------------------------------------------------------------------


def _spline_coefficients(x, *, order, axis, mode):
    x = as_real_image(x, "a filter of splines")
    return scipy.ndimage.spline_filter1d(x, order, axis, np.float64, mode)


def _as_double(_primitive, x, **_params):
    return Abstract(shape_of(x), np.dtype(np.float64))


def _spline_batch(primitive, _size, _mapped, values, params):
    return primitive(*values, **{**params, "axis": params["axis"] + 1})


def _names(args, outs, params):
    return meeting(args, params["axis"]), meeting(outs, params["axis"])


@rule(_spline_coefficients, Opaque(_as_double, _spline_batch, names=_names, count=12))
def spline_coefficients(_y, _x, *, order, axis, mode):
    """Sx along an axis, in double precision."""
    return Linear(
        lambda x_dot: spline_coefficients(x_dot, order=order, axis=axis, mode=mode),
        lambda y_bar: transposed_spline(y_bar, order, axis, mode),
    )


def transposed_spline(y_bar: Any, order: int, axis: int, mode: str) -> Any:
    """Sᵀ along an axis: mirrored at the centre of an element, the ends have half as many copies.

    Mirrored between elements, SciPy's filter starts from a sum that it cuts off, which counts for
    short lines: of these the matrix is transposed.
    """
    extent, rank = shape_of(y_bar)[axis], len(shape_of(y_bar))
    if extent < 2 or order < 2:
        return y_bar
    if mode in ("reflect", "grid-mirror", "nearest") and extent < _SHORT:
        matrix = _spline_coefficients(np.eye(extent), order=order, axis=0, mode=mode)
        return np.moveaxis(np.moveaxis(y_bar, axis, -1) @ matrix, -1, axis)
    if mode in ("reflect", "grid-mirror", "nearest", "grid-wrap"):
        return spline_coefficients(y_bar, order=order, axis=axis, mode=mode)
    copies = np.ones(extent)
    copies[[0, -1]] = 0.5
    copies = np.reshape(copies, (-1,) + (1,) * (rank - axis - 1))
    return copies * spline_coefficients(y_bar / copies, order=order, axis=axis, mode=mode)


_SHORT = 64
"""Elements after which a power of the largest pole, 0.43, is no more than rounding."""
