"""Structures of what computes: element by element, over axes, and sums of products."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from pullback.core.shapes import Abstract, shape_of
from pullback.core.structure.axes import (
    Marks,
    Params,
    Row,
    aligned,
    common,
    dtypes,
    flattened,
    over_axes,
    rank_of,
    size_of,
    stretch,
    without,
)
from pullback.core.structure.base import Arranged, Batching, Structure
from pullback.core.structure.loops import Access, Arrangement, Index, Loops, along, broadcast

__all__ = ["Contraction", "Elementwise", "Reduction", "summed"]


@dataclass(frozen=True, kw_only=True)
class Elementwise(Structure):
    """A function of one element of each argument; the arguments are broadcast.

    Parameters that are arrays are broadcast, too.

    Parameters
    ----------
    symmetric : bool
        Whether it has two arguments whose order does not matter: of real ones to the last bit, of
        complex ones to rounding.
    chooses : bool
        Whether the first argument says of each element which of the other two is the result.
    """

    safe: bool = True
    numbers: bool = True
    symmetric: bool = False  # type: ignore[misc]
    chooses: bool = False

    elementwise = True

    def shape(self, primitive: Any, *args: Any, **params: Any) -> Any:
        return aligned(primitive, *args, **params)

    def batch(self, primitive: Any, size: int, mapped: Marks, values: Row, params: Params) -> Any:
        rank = max(rank_of(x) - one for x, one in zip(values, mapped, strict=True))
        return primitive(
            *(stretch(x, rank) if one else x for x, one in zip(values, mapped, strict=True)),
            **params,
        )

    def loops(self, primitive: Any, args: Row, params: Params) -> tuple[Loops, ...] | None:
        if any(isinstance(param, np.ndarray) for param in params.values()):
            return None
        shape = common(primitive, [shape_of(arg) for arg in args])
        rank = len(shape)
        reads = tuple(broadcast(shape_of(arg), rank, i) for i, arg in enumerate(args))
        kernel = functools.partial(primitive.value, **params) if params else primitive.value
        return (Loops(shape, reads, Access(along(*range(rank))), kernel),)


@dataclass(frozen=True)
class Reduction(Structure):
    """Elements joined over ``axis``: None, which is all of them, or one, or several.

    Parameters
    ----------
    operation : numpy.ufunc, optional
        It joins two elements. Without one the result is not that of joining elements one by one,
        as a variance.
    kernel : callable, optional
        A function of each element before they are joined.
    mean : bool
        Whether the result is divided by the number of elements.
    position : bool
        Whether the result is where the element is, rather than what it is. None for the axis is
        then the flat array.
    running : bool
        Whether all partial results along the one axis are returned, from its end if the parameter
        ``reverse`` says so.
    """

    operation: np.ufunc | None = None
    _: KW_ONLY
    kernel: Callable[[Any], Any] | None = None
    mean: bool = False
    position: bool = False
    running: bool = False
    generic: bool = True

    @property
    def _selects(self) -> bool:
        """Whether the result is one of the elements."""
        return self.operation is not None and self.operation.identity is None

    def __post_init__(self) -> None:
        object.__setattr__(self, "masks", self._selects)
        object.__setattr__(self, "cancels", self.operation is None)

    def is_safe(self, args: Row) -> bool:
        return not self._selects or 0 not in shape_of(args[0])

    def shape(self, primitive: Any, *args: Any, **params: Any) -> Any:
        (x,) = args
        if self.running:
            return aligned(primitive, x, **params)
        axis, keepdims = params.get("axis"), params.get("keepdims", False)
        dtype = np.dtype(np.intp) if self.position else dtypes(primitive, x)
        return Abstract(without(shape_of(x), axis, keepdims=keepdims), dtype)

    def batch(self, primitive: Any, size: int, mapped: Marks, values: Row, params: Params) -> Any:
        batch: Batching = flattened if self.position else over_axes
        return batch(primitive, size, mapped, values, params)

    def computed(self, out: Any, args: Row) -> int:
        return size_of(args[0])

    def loops(self, primitive: Any, args: Row, params: Params) -> tuple[Loops, ...] | None:
        if self.operation is None or self.position:
            return None
        shape = shape_of(args[0])
        rank, axis = len(shape), params.get("axis")
        gone = range(rank) if axis is None or not rank else normalize_axis_tuple(axis, rank)
        read = Access(along(*range(rank)))
        if self.running:
            step = -1 if params.get("reverse") else 1
            return (Loops(shape, (read,), read, None, self.operation, along=(gone[0], step)),)
        write = tuple(
            Index() if i in gone else Index(0, ((i, 1),))
            for i in range(rank)
            if params.get("keepdims") or i not in gone
        )
        divisor = math.prod(shape[i] for i in gone) if self.mean else 1
        start = self.operation.identity
        kernel = self.kernel
        return (Loops(shape, (read,), Access(write), kernel, self.operation, start, divisor),)


@dataclass(frozen=True)
class Contraction(Arranged):
    """A sum of products of one element of each argument."""

    _: KW_ONLY
    safe: bool = True
    generic: bool = True
    multilinear: bool = True
    cancels: bool = False

    def operations(self, out: Any, *args: Any, **params: Any) -> int:
        """A multiplication and an addition for each term."""
        (loops,) = self.arrangement(None, args, params)[1]
        return 2 * math.prod(loops.extents)

    def subscripts(self, *shapes: tuple[int, ...]) -> str:
        """What is summed as `numpy.einsum` has it, with i+j where an index is a sum of two."""
        (loops,) = self.arranged(None, *shapes)[1]
        letters = "ijklmnopqrstuvwxyzabcdefgh"

        def term(access: Access) -> str:
            return "".join(
                "+".join(letters[axis] for axis, _ in index.steps) for index in access.indices
            )

        return f"{','.join(map(term, loops.reads))}->{term(loops.write)}"


def summed(
    shape: tuple[int, ...], extents: tuple[int, ...], a: Access, b: Access, result: Access
) -> Arrangement:
    """The sum over an iteration space of products of these elements; see `Contraction`."""
    return shape, (Loops(extents, (a, b), result, np.multiply, np.add, start=0),)
