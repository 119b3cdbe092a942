"""What the functions of `scipy.ndimage` take: images, output dtypes, axes, modes and origins."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer
from pullback.errors import ArgumentTypeError
from pullback.numpy.conversion import convert
from pullback.numpy.operands import operand, require_known
from pullback.rules.image_filters import PADDINGS
from pullback.transforms.arguments import describe

__all__ = [
    "axes_of",
    "axis_of",
    "by_parts",
    "each_of",
    "in_dtype",
    "mode_of",
    "number",
    "origin_in",
    "placed",
]


def in_dtype(
    name: str, input: Any, output: Any, compute: Callable[[Any], Any], *, weights: Any = 0.0
) -> Any:
    """What is computed of an image, in the dtype of the output, by default its own.

    With complex weights it is complex.
    """
    x = operand(input)
    if isinstance(output, np.ndarray | Tracer):
        raise ArgumentTypeError(
            f"scipy.ndimage.{name}: output is {describe(output)}, and arrays to write to are not "
            "supported where an array is being differentiated; give a dtype, or write y[...] = out"
        )
    dtype = dtype_of(x) if output is None else np.dtype(output)
    if dtype.kind not in "fc":
        raise ArgumentTypeError(
            f"scipy.ndimage.{name}: the output is of dtype {dtype}, to which values are rounded; "
            "give output=float, or an image of floating numbers, x.astype(float)"
        )
    if dtype_of(weights).kind == "c":
        x = convert(x, np.result_type(dtype_of(x), np.complex64))
    wide = np.result_type(dtype_of(x), dtype)
    if wide.kind == "c" and dtype.kind != "c":
        dtype = np.result_type(dtype, np.complex64)
    return convert(compute(convert(x, wide)), dtype)


def by_parts(x: Any, real: Callable[[Any, Any], Any], cval: Any = 0.0) -> Any:
    """A real linear function of an image and the number beyond it, of each part of complex ones."""
    if dtype_of(x).kind != "c":
        return real(x, cval)
    return real(np.real(x), np.real(cval)) + 1j * real(np.imag(x), np.imag(cval))


def axis_of(axis: Any, x: Any) -> int:
    return normalize_axis_index(operator.index(axis), len(shape_of(x)))


def axes_of(axes: Any, x: Any) -> list[int]:
    """The axes along which a filter goes, by default all."""
    rank = len(shape_of(x))
    if axes is None:
        return list(range(rank))
    found = [normalize_axis_index(operator.index(each), rank) for each in
             (axes if isinstance(axes, Iterable) else (axes,))]  # fmt: skip
    if len(set(found)) != len(found):
        raise ValueError("axes must be unique")
    return found


def each_of(value: Any, count: int) -> list[Any]:
    """One value for each axis, where one may be given for all."""
    given = operand(value) if not isinstance(value, str | list | tuple) else value
    if isinstance(given, str) or (not isinstance(given, list | tuple) and not shape_of(given)):
        return [given] * count
    if len(given) != count:
        raise RuntimeError("sequence argument must have length equal to input rank")
    return list(given)


def mode_of(mode: Any) -> str:
    if mode not in PADDINGS:
        raise RuntimeError("boundary mode not supported")
    return str(mode)


def number(name: str, argument: str, value: Any) -> Any:
    """A plain number, on which a size or a place depends."""
    return require_known(f"scipy.ndimage.{name}", argument, value)


def origin_in(origin: int, size: int) -> int:
    """An origin that is within a filter."""
    origin = operator.index(origin)
    if not 0 <= size // 2 + origin < size:
        raise ValueError(
            "Invalid origin; origin must satisfy -(len(weights) // 2) <= origin <= "
            "(len(weights)-1) // 2"
        )
    return origin


def placed(
    shape: Sequence[int], origin: Any, axes: Sequence[int], rank: int
) -> tuple[dict[int, int], dict[int, int]]:
    """The sizes of an array of weights by the axis of an image, ascending, and the origins by axis.

    As SciPy has it the axes of weights are in the order of the image's, and only the origins in the
    order in which axes are given; but for those of all axes.
    """
    origins = each_of(origin, len(axes))
    named = axes if len(axes) < rank else range(rank)
    return (
        dict(zip(sorted(axes), shape, strict=True)),
        dict(zip(named, map(operator.index, origins), strict=True)),
    )
