"""Shapes, dtypes and mapped axes: what structures and the entries of rules compute with."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from pullback.core.precision import PYTHON_NUMBERS
from pullback.core.shapes import Abstract, broadcast_shapes, dtype_of, shape_of
from pullback.errors import ArgumentValueError

__all__ = [
    "Marks",
    "Params",
    "Row",
    "aligned",
    "common",
    "dtypes",
    "flattened",
    "in_batches",
    "in_front",
    "joined",
    "listed",
    "meeting",
    "over_axes",
    "rank_of",
    "reversed_axes",
    "size_of",
    "stretch",
    "without",
]

Marks = Sequence[bool]
Row = Sequence[Any]
Params = dict[str, Any]


def size_of(x: Any) -> int:
    """Number of elements."""
    return math.prod(shape_of(x))


def rank_of(x: Any) -> int:
    """Number of dimensions."""
    return len(shape_of(x))


# -- dtypes ---------------------------------------------------------------------------------------


def dtypes(primitive: Any, *args: Any, **params: Any) -> Any:
    """The dtype of the primitive's value, or of each of its values.

    Every function has promotion rules of its own. They are those of its value on arrays of ones of
    the same dtypes and ranks, with extent 1 along each axis; each combination is evaluated once.
    """
    kinds = tuple(
        type(arg) if type(arg) in PYTHON_NUMBERS else (dtype_of(arg), len(shape_of(arg)))
        for arg in args
    )
    given = tuple((name, type(value), value) for name, value in params.items())
    try:
        hash(given)
    except TypeError:
        return _evaluated.__wrapped__(primitive, kinds, given)
    return _evaluated(primitive, kinds, given)


@functools.lru_cache(maxsize=4096)
def _evaluated(primitive: Any, kinds: tuple[Any, ...], given: tuple[Any, ...]) -> Any:
    ones = [
        kind(1) if isinstance(kind, type) else np.ones((1,) * kind[1], kind[0]) for kind in kinds
    ]
    with np.errstate(all="ignore"):
        value = primitive.value(*ones, **{name: param for name, _, param in given})
    return tuple(map(dtype_of, value)) if primitive.multiple else dtype_of(value)


# -- shapes ---------------------------------------------------------------------------------------


def common(primitive: Any, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The shape that `shapes` broadcast to."""
    first = shapes[0]
    if all(shape == first for shape in shapes):
        return first
    try:
        return broadcast_shapes(*shapes)
    except ValueError:
        raise ArgumentValueError(
            f"{primitive.name}: arguments of the shapes {listed(shapes)} cannot be broadcast "
            "together: aligned at the last axis, their extents must be equal, or 1"
        ) from None


def aligned(primitive: Any, *args: Any, **params: Any) -> Any:
    """The shape and dtype of what broadcasts its arguments, and parameters that are arrays."""
    arrays = [param for param in params.values() if isinstance(param, np.ndarray)]
    shape = common(primitive, [shape_of(arg) for arg in (*args, *arrays)])
    dtype = dtypes(primitive, *args, **params)
    if primitive.multiple:
        return tuple(Abstract(shape, each) for each in dtype)
    return Abstract(shape, dtype)


def listed(shapes: Sequence[tuple[int, ...]]) -> str:
    """Shapes as words of an error message."""
    return " and ".join(map(str, shapes))


def without(shape: tuple[int, ...], axis: Any, *, keepdims: bool) -> tuple[int, ...]:
    """`shape` without the axes of `axis`, or with extent 1 along them.

    A scalar is taken to have one axis, as NumPy's reductions do.
    """
    rank = max(len(shape), 1)
    axes = range(rank) if axis is None else normalize_axis_tuple(axis, rank, "axis")
    if keepdims:
        return tuple(1 if i in axes else extent for i, extent in enumerate(shape))
    return tuple(extent for i, extent in enumerate(shape) if i not in axes)


def meeting(shapes: Sequence[tuple[int, ...]], axes: Any) -> list[Row]:
    """What to call axes that are aligned from the last one; `None` along `axes`, or all of them."""
    rows: list[Row] = []
    for shape in shapes:
        rank = len(shape)
        gone = range(rank) if axes is None or not rank else normalize_axis_tuple(axes, rank)
        rows.append(tuple(None if i in gone else i - rank for i in range(rank)))
    return rows


# -- a mapped axis --------------------------------------------------------------------------------


def stretch(x: Any, rank: int) -> Any:
    """A mapped value with axes of extent 1 after the mapped one, so that it has `rank` others."""
    shape = shape_of(x)
    missing = rank - (len(shape) - 1)
    return np.reshape(x, (shape[0], *(1,) * missing, *shape[1:])) if missing > 0 else x


def in_front(x: Any, size: int, *, mapped: bool) -> Any:
    """`x` with the mapped axis, repeated along it if it is not mapped."""
    return x if mapped else np.broadcast_to(x, (size, *shape_of(x)))


def reversed_axes(x: Any) -> Any:
    """A mapped value with all axes but the mapped one in reverse."""
    return np.transpose(x, (0, *range(rank_of(x) - 1, 0, -1)))


def _shifted(axis: Any) -> Any:
    """An axis, or several, of an example as axes of the batch."""
    if isinstance(axis, int | np.integer):
        return axis + 1 if axis >= 0 else axis
    return tuple(map(_shifted, axis))


def in_batches(primitive: Any, _size: int, _mapped: Marks, values: Row, params: Params) -> Any:
    """The batching of a function of one argument whose leading axes are those of a batch."""
    return primitive(*values, **params)


def over_axes(
    primitive: Any, _size: int, mapped: Marks, values: Row, params: Params, default: Any = None
) -> Any:
    """The batching of what acts over ``axis``: None, which is all of them, or one, or several.

    It broadcasts its arguments otherwise. A scalar has no axis, whatever it is called.
    """
    rank = max(rank_of(x) - one for x, one in zip(values, mapped, strict=True))
    if len(values) > 1:
        # An axis counted from the front is the same one in all arguments only if their ranks are.
        values = [
            stretch(x if one else np.expand_dims(x, 0), rank)
            for x, one in zip(values, mapped, strict=True)
        ]
    axis = params.get("axis", default)
    axes = tuple(range(1, rank + 1)) if axis is None or not rank else _shifted(axis)
    return primitive(*values, **{**params, "axis": axes})


def flattened(primitive: Any, _size: int, _mapped: Marks, values: Row, params: Params) -> Any:
    """The batching of what acts along one ``axis``, or on the flat array if that is None."""
    (x,) = values
    shape = shape_of(x)
    axis = params.get("axis", -1)
    if axis is not None and len(shape) > 1:
        return primitive(x, **{**params, "axis": _shifted(axis)})
    out = primitive(np.reshape(x, (shape[0], math.prod(shape[1:]))), **{**params, "axis": 1})
    if params.get("keepdims"):
        return np.reshape(out, (shape[0], *(1,) * (len(shape) - 1)))
    return out


def joined(primitive: Any, size: int, mapped: Marks, values: Row, params: Params) -> Any:
    """The batching of what joins its arguments along ``axis``."""
    fronts = [in_front(x, size, mapped=one) for x, one in zip(values, mapped, strict=True)]
    return primitive(*fronts, **{**params, "axis": _shifted(params["axis"])})
