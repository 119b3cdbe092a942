"""Filters that take one of the elements around each: by rank, and morphology of grey images.

The derivative goes to the element that is taken. Where several are equal, the smallest and the
largest share it evenly, and by rank it is the one that comes at that place when they are sorted.
"""

from __future__ import annotations

import math
import operator
import warnings
from typing import Any

import numpy as np
import scipy.ndimage as nd

from pullback.core.shapes import dtype_of, shape_of
from pullback.numpy.conversion import convert
from pullback.numpy.operands import operand
from pullback.numpy.padding import pad
from pullback.rules.image_filters import PADDINGS
from pullback.scipy.constants import serves_followed
from pullback.scipy.ndimage.arguments import (
    axes_of,
    axis_of,
    each_of,
    in_dtype,
    mode_of,
    number,
    origin_in,
    placed,
)

__all__: list[str] = []


def _windows(x: Any, sizes: dict[int, int], starts: dict[int, int], mode: Any, cval: Any) -> Any:
    """The elements around each, in as many last axes as there are sizes, in the order of axes."""
    widths = [(0, 0)] * len(shape_of(x))
    for axis, m in sizes.items():
        before = m // 2 + origin_in(starts[axis], m)
        widths[axis] = (before, m - 1 - before)
    padding = PADDINGS[mode_of(mode)]
    others = (
        {"constant_values": convert(operand(cval), dtype_of(x))} if padding == "constant" else {}
    )
    padded = pad(x, widths, padding, **others)
    axes = tuple(sizes)
    return np.lib.stride_tricks.sliding_window_view(padded, tuple(sizes.values()), axes)


def _footprint(name: str, size: Any, footprint: Any, count: int) -> Any:
    """Which elements around each are looked at."""
    if footprint is None:
        if size is None:
            raise RuntimeError("no footprint or filter size provided")
        sizes = [int(number(name, "size", n)) for n in each_of(size, count)]
        return np.ones(sizes, dtype=bool)
    if size is not None:
        warnings.warn("ignoring size because footprint is set", UserWarning, stacklevel=4)
    found = np.asarray(number(name, "footprint", footprint), dtype=bool)
    if not found.any():
        raise ValueError("All-zero footprint is not supported.")
    return found


def _taken(
    name: str, input: Any, size: Any, footprint: Any, structure: Any, output: Any, mode: Any,
    cval: Any, origin: Any, axes: Any, rank: Any,
) -> Any:  # fmt: skip
    """The element of a rank, a function of how many there are, of those in a footprint."""

    def compute(x: Any) -> Any:
        if dtype_of(x).kind == "c":
            raise TypeError("Complex type not supported")
        along = axes_of(axes, x)
        shape = None if structure is None else np.ones(shape_of(structure), bool)
        given = shape if footprint is None and size is None else footprint
        domain = _footprint(name, size if shape is None else None, given, len(along))
        if domain.ndim != len(along):
            raise RuntimeError(
                f"footprint.ndim ({domain.ndim}) must match len(axes) ({len(along)})"
            )
        place = rank(int(domain.sum()))
        ends = {0: np.min, int(domain.sum()) - 1: np.max}
        if structure is None and domain.all() and place in ends:
            modes = each_of(mode, len(along))
            starts = dict(zip(along, each_of(origin, len(along)), strict=True))
            for axis, m, each in zip(along, domain.shape, modes, strict=True):
                if m > 1:
                    x = ends[place](_windows(x, {axis: m}, starts, each, cval), axis=-1)
            return x
        sizes, starts = placed(domain.shape, origin, along, len(shape_of(x)))
        windows = _windows(x, sizes, starts, mode, cval)
        rows = np.reshape(windows, (*shape_of(x), math.prod(sizes.values())))
        if structure is not None:
            rows = rows + np.reshape(structure, (-1,))
        rows = rows[..., np.flatnonzero(domain)]
        if place in ends:
            return ends[place](rows, axis=-1)
        return np.sort(rows, axis=-1)[..., place]

    return in_dtype(name, input, output, compute)


def _least(_count: int) -> int:
    return 0


def _greatest(count: int) -> int:
    return count - 1


def _extreme(name: str, rank: Any) -> Any:
    def filter(
        input: Any, size: Any = None, footprint: Any = None, output: Any = None,
        mode: Any = "reflect", cval: Any = 0.0, origin: Any = 0, *, axes: Any = None,
    ) -> Any:  # fmt: skip
        return _taken(name, input, size, footprint, None, output, mode, cval, origin, axes, rank)

    return filter


minimum_filter = serves_followed(nd.minimum_filter)(_extreme("minimum_filter", _least))
maximum_filter = serves_followed(nd.maximum_filter)(_extreme("maximum_filter", _greatest))
median_filter = serves_followed(nd.median_filter)(
    _extreme("median_filter", lambda count: count // 2)
)


def _extreme_of_lines(name: str, rank: Any) -> Any:
    def filter(
        input: Any, size: Any, axis: Any = -1, output: Any = None, mode: Any = "reflect",
        cval: Any = 0.0, origin: Any = 0,
    ) -> Any:  # fmt: skip
        along = (axis_of(axis, operand(input)),)
        return _taken(name, input, (size,), None, None, output, mode, cval, (origin,), along, rank)

    return filter


minimum_filter1d = serves_followed(nd.minimum_filter1d)(
    _extreme_of_lines("minimum_filter1d", _least)
)
maximum_filter1d = serves_followed(nd.maximum_filter1d)(
    _extreme_of_lines("maximum_filter1d", _greatest)
)


@serves_followed(nd.rank_filter)
def rank_filter(
    input: Any, rank: Any, size: Any = None, footprint: Any = None, output: Any = None,
    mode: Any = "reflect", cval: Any = 0.0, origin: Any = 0, *, axes: Any = None,
) -> Any:  # fmt: skip
    given: int = operator.index(number("rank_filter", "rank", rank))

    def place(count: int) -> int:
        found = given + count * (given < 0)
        if not 0 <= found < count:
            raise RuntimeError("rank not within filter footprint size")
        return found

    return _taken(
        "rank_filter", input, size, footprint, None, output, mode, cval, origin, axes, place
    )


@serves_followed(nd.percentile_filter)
def percentile_filter(
    input: Any, percentile: Any, size: Any = None, footprint: Any = None, output: Any = None,
    mode: Any = "reflect", cval: Any = 0.0, origin: Any = 0, *, axes: Any = None,
) -> Any:  # fmt: skip
    percentile = float(number("percentile_filter", "percentile", percentile))
    percentile = percentile + 100.0 if percentile < 0 else percentile
    if not 0 <= percentile <= 100:
        raise RuntimeError("invalid percentile")

    def place(count: int) -> int:
        return count - 1 if percentile == 100.0 else int(float(count) * percentile / 100.0)

    return _taken(
        "percentile_filter", input, size, footprint, None, output, mode, cval, origin, axes, place
    )


# -- morphology ------------------------------------------------------------------------------------


@serves_followed(nd.grey_erosion)
def grey_erosion(
    input: Any, size: Any = None, footprint: Any = None, structure: Any = None,
    output: Any = None, mode: Any = "reflect", cval: Any = 0.0, origin: Any = 0, *,
    axes: Any = None,
) -> Any:  # fmt: skip
    """The least of the elements around each minus a structure."""
    structure = None if structure is None else -operand(structure)
    return _taken(
        "grey_erosion", input, size, footprint, structure, output, mode, cval, origin, axes, _least
    )


@serves_followed(nd.grey_dilation)
def grey_dilation(
    input: Any, size: Any = None, footprint: Any = None, structure: Any = None,
    output: Any = None, mode: Any = "reflect", cval: Any = 0.0, origin: Any = 0, *,
    axes: Any = None,
) -> Any:  # fmt: skip
    """The greatest of the elements around each plus a structure, both of them turned round."""
    count = len(axes_of(axes, operand(input)))
    if structure is not None:
        structure = np.flip(operand(structure))
    if footprint is not None:
        footprint = np.flip(np.asarray(number("grey_dilation", "footprint", footprint), bool))
    if footprint is not None:
        sizes = footprint.shape
    elif structure is not None:
        sizes = shape_of(structure)
    else:
        sizes = tuple(each_of(size, count))
    origin = [-start - (m % 2 == 0) for start, m in zip(each_of(origin, count), sizes, strict=True)]
    return _taken(
        "grey_dilation", input, size, footprint, structure, output, mode, cval, origin, axes,
        _greatest,
    )  # fmt: skip


def _composed(name: str, combine: Any) -> Any:
    def morphology(
        input: Any, size: Any = None, footprint: Any = None, structure: Any = None,
        output: Any = None, mode: Any = "reflect", cval: Any = 0.0, origin: Any = 0, *,
        axes: Any = None,
    ) -> Any:  # fmt: skip
        def step(function: Any, x: Any) -> Any:
            return function(x, size, footprint, structure, None, mode, cval, origin, axes=axes)

        def compute(x: Any) -> Any:
            return combine(x, lambda x: step(grey_erosion, x), lambda x: step(grey_dilation, x))

        return in_dtype(name, input, output, compute)

    return morphology


for _name, _combine in {
    "grey_opening": lambda x, erode, dilate: dilate(erode(x)),
    "grey_closing": lambda x, erode, dilate: erode(dilate(x)),
    "morphological_gradient": lambda x, erode, dilate: dilate(x) - erode(x),
    "morphological_laplace": lambda x, erode, dilate: dilate(x) + erode(x) - x - x,
    "white_tophat": lambda x, erode, dilate: x - dilate(erode(x)),
    "black_tophat": lambda x, erode, dilate: erode(dilate(x)) - x,
}.items():
    serves_followed(getattr(nd, _name))(_composed(_name, _combine))
