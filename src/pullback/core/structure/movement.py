"""Structures of what moves elements: to other places, from places, and to places."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np

from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.structure.axes import Marks, Params, Row, in_front, size_of
from pullback.core.structure.base import Arranged, Structure
from pullback.core.structure.loops import Access, Loops, broadcast, moved
from pullback.core.structure.template import Plan, require_fit, selection

__all__ = ["Gather", "Scatter", "View"]


@dataclass(frozen=True)
class View(Arranged):
    """The elements of the arguments in another arrangement."""

    _: KW_ONLY
    count: int = 0
    cheap: bool = True
    safe: bool = True
    reorders: bool = True
    shares: bool = True
    cancels: bool = False


@dataclass(frozen=True, kw_only=True)
class Gather(Structure):
    """``x[key]``, of an array, the index arrays in the template ``key``, and that."""

    count: int = 0
    cheap: bool = True
    reorders: bool = True
    shares: bool = True
    cancels: bool = False
    masks: bool = True

    def is_safe(self, args: Row) -> bool:
        return len(args) == 1  # positions may lie outside

    def shape(self, primitive: Any, *args: Any, **params: Any) -> Any:
        x, *indices = args
        return Abstract(
            selection(primitive, shape_of(x), params["key"], indices).shape, dtype_of(x)
        )

    def batch(self, primitive: Any, size: int, mapped: Marks, values: Row, params: Params) -> Any:
        x, *indices = values
        shape = shape_of(x)[mapped[0] :]
        plan = Plan(primitive, shape, params["key"], indices, mapped[1:], size)
        x = in_front(x, size, mapped=mapped[0])
        return plan.ordered(primitive(x, *plan.arrays, key=plan.key))

    def loops(self, primitive: Any, args: Row, params: Params) -> tuple[Loops, ...] | None:
        x, *indices = args
        found = selection(primitive, shape_of(x), params["key"], indices)
        return moved(found.shape, found.indices)[1]


@dataclass(frozen=True, kw_only=True)
class Scatter(Structure):
    """``y[key] = v`` or ``y[key] += v`` of an array y with the elements of the first argument.

    The arguments are that array, what is written, and the index arrays in the template ``key``. If
    it isn't written into an array, y is zeros of the parameter ``shape``.

    Parameters
    ----------
    combine : numpy.ufunc, optional
        What is done with a place that is named twice, or has a value; by default it is overwritten.
    in_place : callable, optional
        See `Structure.in_place`; `None` if y is zeros.
    """

    combine: np.ufunc | None = None
    in_place: Callable[..., Any] | None = None  # type: ignore[misc]
    cancels: bool = False

    def __post_init__(self) -> None:
        adds = self.combine is not None
        object.__setattr__(self, "count", int(adds))
        object.__setattr__(self, "masks", not adds)
        if adds:
            object.__setattr__(self, "pads", "always" if self.in_place is None else "constants")

    def _parts(self, args: Row, params: Params) -> tuple[Any, Any, list[Any]]:
        """The shape of the array, what is written, and the index arrays."""
        if self.in_place is None:
            return params["shape"], args[0], [*args[1:]]
        return shape_of(args[0]), args[1], [*args[2:]]

    def is_safe(self, args: Row) -> bool:
        return len(args) == 1 + (self.in_place is not None)

    def is_free(self) -> bool:
        return False  # y is made, or copied

    def computed(self, out: Any, args: Row) -> int:
        return size_of(args[0] if self.in_place is None else args[1])

    def shape(self, primitive: Any, *args: Any, **params: Any) -> Any:
        shape, v, indices = self._parts(args, params)
        require_fit(primitive, shape_of(v), shape, params["key"], indices)
        return Abstract(tuple(shape), dtype_of(args[0]))

    def batch(self, primitive: Any, size: int, mapped: Marks, values: Row, params: Params) -> Any:
        shape, v, indices = self._parts(values, params)
        first = len(values) - len(indices)
        one = shape[mapped[0] :] if self.in_place is not None else shape
        plan = Plan(primitive, one, params["key"], indices, mapped[first:], size)
        v = plan.disordered(v, mapped=mapped[first - 1])
        if self.in_place is None:
            return primitive(v, *plan.arrays, key=plan.key, shape=(size, *shape))
        x = in_front(values[0], size, mapped=mapped[0])
        return primitive(x, v, *plan.arrays, key=plan.key)

    def loops(self, primitive: Any, args: Row, params: Params) -> tuple[Loops, ...] | None:
        shape, v, indices = self._parts(args, params)
        first = len(args) - len(indices)
        found = selection(primitive, shape, params["key"], indices, first)
        read = broadcast(shape_of(v), len(found.shape), first - 1)
        start = 0 if self.in_place is None else "argument"
        return (Loops(found.shape, (read,), Access(found.indices), None, self.combine, start),)
