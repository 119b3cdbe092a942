"""Indexing with a mapped axis in front.

NumPy puts the axes of index arrays where the first of them stands if they stand side by side, and
in front if a slice or a new axis separates them. With a mapped axis in front of the array, or of
the index arrays, the axes of the result can come out in another order than those of the examples;
`Plan` knows the index to use and the axes to move.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.core.primitive import Primitive
from pullback.core.shapes import dtype_of, shape_of
from pullback.errors import DataDependenceError
from pullback.rules.batching import in_front, rank_of, stretch

__all__ = ["ARRAY", "batch_index", "batch_last_writes", "batch_scatter", "batch_write"]

ARRAY = "array"
"""What stands for an index array in a template."""


class Plan:
    """The index of a batch that does what an index does to each example.

    Attributes
    ----------
    key : tuple
        Template.
    arrays : list of array
    rank : int
        Number of axes that indexing an example results in.
    source, destination : tuple of int
        Axes to move in the result; both empty if they come out in order.
    """

    __slots__ = ("arrays", "destination", "key", "rank", "source")

    def __init__(
        self,
        rank: int,
        key: tuple[Any, ...],
        indices: Sequence[Any],
        mapped: Sequence[bool],
        size: int,
    ) -> None:
        entries, arrays, ours = _explicit(rank, key, indices, mapped)
        advanced = [
            place
            for place, entry in enumerate(entries)
            if entry is ARRAY or (arrays and isinstance(entry, int))
        ]
        extent = max(
            (
                rank_of(array) - one or dtype_of(array).kind == "b"
                for array, one in zip(arrays, ours, strict=True)
            ),
            default=0,
        )
        apart = bool(advanced) and advanced[-1] - advanced[0] >= len(advanced)
        kept = sum(entry is None or isinstance(entry, slice) for entry in entries)
        self.rank = kept + extent
        self.source: tuple[int, ...] = ()
        self.destination: tuple[int, ...] = ()
        if any(ours):
            examples = np.arange(size).reshape(size, *(1,) * extent)
            self.key = (ARRAY, *entries)
            self.arrays = [examples] + [
                stretch(array, extent) if one else array
                for array, one in zip(arrays, ours, strict=True)
            ]
            before = 0 if apart else advanced[0]
            if before:
                self.source = tuple(range(1, 1 + extent))
                self.destination = tuple(range(1 + before, 1 + before + extent))
        else:
            self.key = (slice(None), *entries)
            self.arrays = arrays
            if apart and extent:
                self.source, self.destination = (extent,), (0,)

    def ordered(self, result: Any) -> Any:
        """The result of the batch's index with the axes of the examples' results."""
        return np.moveaxis(result, self.source, self.destination) if self.source else result

    def disordered(self, value: Any, *, mapped: bool) -> Any:
        """A value that is assigned to the examples' index, as the batch's index takes it."""
        if mapped:
            value = stretch(value, self.rank)
        else:
            shape = shape_of(value)
            value = np.reshape(value, (1,) * (self.rank + 1 - len(shape)) + shape)
        return np.moveaxis(value, self.destination, self.source) if self.source else value


def _explicit(
    rank: int, key: tuple[Any, ...], indices: Sequence[Any], mapped: Sequence[bool]
) -> tuple[list[Any], list[Any], list[bool]]:
    """The template without Ellipsis, with slices for axes it leaves out, and integer arrays."""
    entries: list[Any] = []
    arrays: list[Any] = []
    ours: list[bool] = []
    remaining = iter(zip(indices, mapped, strict=True))
    consumed, hole = 0, None
    for entry in key:
        if entry is Ellipsis:
            hole = len(entries)
        elif entry is not ARRAY:
            entries.append(entry)
            consumed += entry is not None
        else:
            array, one = next(remaining)
            truth = dtype_of(array).kind == "b"
            if not truth or (not shape_of(array) and not one):
                parts = [array]  # one truth for all adds an axis, of extent 1 or 0
            elif one:
                raise DataDependenceError(
                    "vmap: indexing with a mapped boolean array has a result of a different shape "
                    "for each example; use np.where(mask, x, 0) instead"
                )
            else:
                parts = list(np.nonzero(array))
            entries += [ARRAY] * len(parts)
            arrays += parts
            ours += [one] * len(parts)
            consumed += rank_of(array) - one if truth else 1
    rest = [slice(None)] * (rank - consumed)
    hole = len(entries) if hole is None else hole
    return entries[:hole] + rest + entries[hole:], arrays, ours


def batch_index(
    primitive: Primitive,
    size: int,
    mapped: Sequence[bool],
    values: Sequence[Any],
    params: dict[str, Any],
) -> Any:
    """y = x[key] for each example."""
    x, *indices = values
    plan = Plan(rank_of(x) - mapped[0], params["key"], indices, mapped[1:], size)
    x = in_front(x, size, mapped=mapped[0])
    return plan.ordered(primitive(x, *plan.arrays, key=plan.key))


def batch_scatter(
    primitive: Primitive,
    size: int,
    mapped: Sequence[bool],
    values: Sequence[Any],
    params: dict[str, Any],
) -> Any:
    """y = 0, y[key] += v for each example."""
    v, *indices = values
    shape = params["shape"]
    plan = Plan(len(shape), params["key"], indices, mapped[1:], size)
    v = plan.disordered(v, mapped=mapped[0])
    return primitive(v, *plan.arrays, key=plan.key, shape=(size, *shape))


def batch_write(
    primitive: Primitive,
    size: int,
    mapped: Sequence[bool],
    values: Sequence[Any],
    params: dict[str, Any],
) -> Any:
    """y = x, y[key] = v or y[key] += v for each example."""
    x, v, *indices = values
    plan = Plan(rank_of(x) - mapped[0], params["key"], indices, mapped[2:], size)
    x = in_front(x, size, mapped=mapped[0])
    v = plan.disordered(v, mapped=mapped[1])
    return primitive(x, v, *plan.arrays, key=plan.key)


def batch_last_writes(
    primitive: Primitive,
    size: int,
    mapped: Sequence[bool],
    indices: Sequence[Any],
    params: dict[str, Any],
) -> Any:
    """Which of the assignments to each example stay."""
    shape = params["shape"]
    plan = Plan(len(shape), params["key"], indices, mapped, size)
    return plan.ordered(primitive(*plan.arrays, key=plan.key, shape=(size, *shape)))
