"""How primitives act on arguments that carry a mapped axis in front.

A batching is a function ``batch(primitive, size, mapped, values, params)``: `mapped` tells for each
of the `values` whether it has the mapped axis, of extent `size`, in front. At least one has. The
result has it in front. None loops over the examples: they apply primitives to whole arrays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core.primitive import Primitive
from pullback.core.shapes import shape_of
from pullback.errors import DataDependenceError

__all__ = [
    "aligned",
    "flattening",
    "joining",
    "over_axes",
    "refused",
    "reversed_axes",
    "with_axis",
    "with_ranks",
]

Batch = Callable[[Primitive, int, Sequence[bool], Sequence[Any], dict[str, Any]], Any]


def rank_of(x: Any) -> int:
    """Number of dimensions."""
    return len(shape_of(x))


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


def aligned(
    primitive: Primitive,
    _size: int,
    mapped: Sequence[bool],
    values: Sequence[Any],
    params: dict[str, Any],
) -> Any:
    """The batching of what broadcasts its arguments, over all axes or all but the last few."""
    rank = max(rank_of(x) - one for x, one in zip(values, mapped, strict=True))
    return primitive(
        *(stretch(x, rank) if one else x for x, one in zip(values, mapped, strict=True)), **params
    )


def shifted(axis: Any) -> Any:
    """An axis, or several, of an example as axes of the batch."""
    if isinstance(axis, int | np.integer):
        return axis + 1 if axis >= 0 else axis
    return tuple(map(shifted, axis))


def over_axes(
    primitive: Primitive,
    _size: int,
    _mapped: Sequence[bool],
    values: Sequence[Any],
    params: dict[str, Any],
) -> Any:
    """The batching of what acts over ``axis``: None, which is all of them, or one, or several."""
    (x,) = values
    axis = params.get("axis")
    whole = axis is None or rank_of(x) == 1  # a scalar has no axis, whatever it is called
    axes = tuple(range(1, rank_of(x))) if whole else shifted(axis)
    return primitive(x, **{**params, "axis": axes})


def flattening(
    primitive: Primitive,
    _size: int,
    _mapped: Sequence[bool],
    values: Sequence[Any],
    params: dict[str, Any],
) -> Any:
    """The batching of what acts along one ``axis``, or on the flat array if that is None."""
    (x,) = values
    shape = shape_of(x)
    axis = params.get("axis", -1)
    if axis is not None and len(shape) > 1:
        return primitive(x, **{**params, "axis": shifted(axis)})
    out = primitive(np.reshape(x, (shape[0], math.prod(shape[1:]))), **{**params, "axis": 1})
    if params.get("keepdims"):
        return np.reshape(out, (shape[0], *(1,) * (len(shape) - 1)))
    return out


def with_axis(
    primitive: Primitive,
    _size: int,
    mapped: Sequence[bool],
    values: Sequence[Any],
    params: dict[str, Any],
) -> Any:
    """The batching of what acts along one ``axis`` and broadcasts its arguments otherwise."""
    rank = max(rank_of(x) - one for x, one in zip(values, mapped, strict=True))
    # An axis counted from the front is the same one in all arguments only if their ranks are.
    full = [
        stretch(x if one else np.expand_dims(x, 0), rank)
        for x, one in zip(values, mapped, strict=True)
    ]
    return primitive(*full, **{**params, "axis": shifted(params.get("axis", -1))})


def joining(
    primitive: Primitive,
    size: int,
    mapped: Sequence[bool],
    values: Sequence[Any],
    params: dict[str, Any],
) -> Any:
    """The batching of what joins its arguments along ``axis``."""
    fronts = [in_front(x, size, mapped=one) for x, one in zip(values, mapped, strict=True)]
    return primitive(*fronts, **{**params, "axis": shifted(params["axis"])})


def with_ranks(*ranks: int) -> Batch:
    """The batching of what broadcasts over leading axes of arguments of at least these ranks."""

    def batch(
        primitive: Primitive,
        _size: int,
        mapped: Sequence[bool],
        values: Sequence[Any],
        params: dict[str, Any],
    ) -> Any:
        lead = max(
            rank_of(x) - one - rank for x, one, rank in zip(values, mapped, ranks, strict=True)
        )
        return primitive(
            *(
                stretch(x, lead + rank) if one else x
                for x, one, rank in zip(values, mapped, ranks, strict=True)
            ),
            **params,
        )

    return batch


def refused(reason: str) -> Batch:
    """The batching of what has a result of a different shape for each example."""

    def batch(primitive: Primitive, *_: Any) -> Any:
        raise DataDependenceError(f"vmap: {primitive.name}: {reason}")

    return batch
