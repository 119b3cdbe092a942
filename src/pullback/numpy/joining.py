"""NumPy's joining and splitting: concatenate, stack, block and their relatives, and back."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from pullback.core.shapes import dtype_of, shape_of
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.numpy import shaping as rearranged
from pullback.numpy.conversion import cast, convert
from pullback.numpy.operands import of_rank, operand, require_known
from pullback.numpy.registration import implements
from pullback.numpy.views import definite, in_order
from pullback.rules import shaping

__all__: list[str] = []


def _operands(name: str, arrays: Any) -> list[Any]:
    if not isinstance(arrays, Sequence) or isinstance(arrays, str):
        arrays = list(arrays)
    if not arrays:
        raise ArgumentValueError(f"{name}: got no arrays; give at least one")
    return [operand(a) for a in arrays]


# -- joining --------------------------------------------------------------------------------------


@implements(np.concatenate)
def concatenate(
    arrays: Any,
    /,
    axis: int | None = 0,
    out: Any = None,
    *,
    dtype: Any = None,
    casting: str = "same_kind",
) -> Any:
    parts = _operands("np.concatenate", arrays)
    if axis is None:
        parts = [rearranged.ravel(part) for part in parts]
    return cast(shaping.concatenate(*parts, axis=axis or 0), dtype)


@implements(np.stack)
def stack(arrays: Any, axis: int = 0, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    return cast(shaping.stack(*_operands("np.stack", arrays), axis=axis), dtype)


@implements(np.column_stack)
def column_stack(tup: Any) -> Any:
    columns = []
    for a in _operands("np.column_stack", tup):
        if len(shape_of(a)) < 2:
            a = rearranged.reshape(a, (-1, 1))
        columns.append(a)
    return concatenate(columns, 1)


@implements(np.insert)
def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    arr, values = operand(arr), operand(values)
    if axis is None:
        arr, axis = rearranged.ravel(arr), 0
    rank, shape = len(shape_of(arr)), shape_of(arr)
    axis = normalize_axis_index(axis, rank)
    before, extent, after = shape[:axis], shape[axis], shape[axis + 1 :]
    places = np.arange(extent)[obj] if isinstance(obj, slice) else np.asarray(obj)
    if places.dtype.kind == "b":
        places = np.flatnonzero(places)
    count = places.size
    if count == 1:
        wide = rearranged.reshape(values, (1,) * (rank - len(shape_of(values))) + shape_of(values))
        values = np.moveaxis(wide, 0, axis) if places.ndim == 0 else wide
        count = shape_of(values)[axis]
        places = places.reshape(())
    order = np.insert(np.arange(extent), places, extent + np.arange(count))
    values = rearranged.broadcast_to(convert(values, dtype_of(arr)), (*before, count, *after))
    out = concatenate((arr, values), axis)[*(slice(None),) * axis, order]
    return in_order(out, definite("A", arr))


@implements(np.delete)
def delete(arr: Any, obj: Any, axis: int | None = None) -> Any:
    arr = operand(arr)
    if axis is None:
        arr, axis = rearranged.ravel(arr), 0
    axis = normalize_axis_index(axis, len(shape_of(arr)))
    extent, obj = shape_of(arr)[axis], require_known("np.delete", "obj", obj)
    kept = np.delete(np.arange(extent), obj)
    if isinstance(obj, slice) or (np.size(obj) == 1 and np.asarray(obj).dtype.kind != "b"):
        out = arr[*(slice(None),) * axis, kept]
        return in_order(out, definite("A", arr))
    return arr[*(slice(None),) * axis, np.isin(np.arange(extent), kept)]


@implements(np.block)
def block(arrays: Any) -> Any:
    depth = _depth(arrays)
    rank = max(depth, *(len(shape_of(a)) for a in _leaves(arrays)))
    return _blocks(arrays, rank, depth)


def _depth(arrays: Any) -> int:
    """How deep the lists of blocks are nested; the same everywhere."""
    if isinstance(arrays, tuple):
        raise ArgumentTypeError(
            "np.block: got a tuple; only lists can be used to arrange blocks, and arrays for the "
            "blocks themselves"
        )
    if not isinstance(arrays, list):
        return 0
    depths = {_depth(inner) for inner in arrays}
    if len(depths) != 1:
        raise ArgumentValueError(
            f"np.block: got lists of nesting depths {sorted(depths)} side by side; give blocks "
            "nested equally deep, in lists that are not empty"
        )
    return 1 + depths.pop()


def _leaves(arrays: Any) -> list[Any]:
    if isinstance(arrays, list):
        return [leaf for inner in arrays for leaf in _leaves(inner)]
    return [operand(arrays)]


def _blocks(arrays: Any, rank: int, depth: int) -> Any:
    """The blocks joined: innermost lists along the last axis, the next along the one before."""
    if depth == 0:
        a = operand(arrays)
        return rearranged.reshape(a, (1,) * (rank - len(shape_of(a))) + shape_of(a))
    parts = [_blocks(inner, rank, depth - 1) for inner in arrays]
    return shaping.concatenate(*parts, axis=-depth)


# -- splitting ------------------------------------------------------------------------------------


@implements(np.array_split)
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    ary = operand(ary)
    axis = normalize_axis_index(axis, len(shape_of(ary)))
    extent = shape_of(ary)[axis]
    if np.ndim(indices_or_sections):
        stops = [operator.index(i) for i in indices_or_sections]
    else:
        count = operator.index(indices_or_sections)
        if count <= 0:
            raise ArgumentValueError(
                f"np.array_split: got {count} sections; give a positive number of them"
            )
        sizes = np.full(count, extent // count)
        sizes[: extent % count] += 1
        stops = [int(stop) for stop in np.cumsum(sizes)[:-1]]
    lead = (slice(None),) * axis
    starts = [0, *stops]
    return [ary[*lead, start:stop] for start, stop in zip(starts, [*stops, None], strict=True)]


@implements(np.split)
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    ary = operand(ary)
    if not np.ndim(indices_or_sections):
        extent = shape_of(ary)[axis]
        if extent % operator.index(indices_or_sections):
            raise ArgumentValueError(
                f"np.split: {indices_or_sections} sections do not divide the extent {extent} of "
                f"axis {axis} evenly; use np.array_split"
            )
    return array_split(ary, indices_or_sections, axis)


@implements(np.hsplit)
def hsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    ary = of_rank(1, ary, "np.hsplit")
    return split(ary, indices_or_sections, 0 if len(shape_of(ary)) == 1 else 1)


@implements(np.vsplit)
def vsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    return split(of_rank(2, ary, "np.vsplit"), indices_or_sections, 0)


@implements(np.dsplit)
def dsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    return split(of_rank(3, ary, "np.dsplit"), indices_or_sections, 2)


@implements(np.unstack)
def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    x = of_rank(1, x, "np.unstack")
    axis = normalize_axis_index(axis, len(shape_of(x)))
    lead = (slice(None),) * axis
    return tuple(x[*lead, position] for position in range(shape_of(x)[axis]))
