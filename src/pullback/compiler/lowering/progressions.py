"""Constant arrays of integers in arithmetic progression, such as ``numpy.arange(n)``.

Their elements are affine in the index, and so are never in memory; and an index that they are is as
good as an axis itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pullback.compiler.loops import Expr
from pullback.compiler.lowering.arrays import Array, Indices, reshaped_strides
from pullback.compiler.lowering.places import Affine, address
from pullback.compiler.lowering.scope import Scope
from pullback.core.memory import same_elements
from pullback.core.structure import Index, Load, Loops

__all__ = ["Progression", "axes_in_order", "axes_of", "is_uniform", "progression"]


@dataclass(eq=False, kw_only=True)
class Progression(Array):
    """The integers ``start + Σ step · index``."""

    start: int
    steps: tuple[int, ...]

    def element(self, scope: Scope, indices: Indices, where: Expr | None = None) -> Expr:
        return scope.convert(scope.index(self.at(indices)), self.dtype)

    def at(self, indices: Indices) -> Affine:
        """An element, as an index."""
        return address(Affine(self.start), indices, self.steps)

    def reshaped(self, shape: tuple[int, ...]) -> Array | None:
        steps = reshaped_strides(self.shape, self.steps, shape)
        if steps is None:
            return None
        return Progression(shape=shape, dtype=self.dtype, start=self.start, steps=steps)


def is_uniform(value: np.ndarray[Any, Any]) -> bool:
    """Whether an array has one number everywhere, to the last bit."""
    first = value[(slice(1),) * value.ndim]
    return bool(value.size) and same_elements(value, np.broadcast_to(first, value.shape))


def progression(value: np.ndarray[Any, Any]) -> Progression | None:
    """The array as a progression, if it is one."""
    if value.dtype.kind not in "iu" or not value.size or not value.shape:
        return None
    if value.max() > np.iinfo(np.int64).max:  # which no index is
        return None
    zero = (0,) * value.ndim
    start = int(value[zero])
    steps = []
    found = np.full((), start, np.int64)
    for axis, extent in enumerate(value.shape):
        at = (*zero[:axis], 1, *zero[axis + 1 :])
        steps.append(int(value[at]) - start if extent > 1 else 0)
        shape = [1] * value.ndim
        shape[axis] = extent
        found = found + steps[-1] * np.arange(extent).reshape(shape)
    if not np.array_equal(found, value):
        return None
    return Progression(shape=value.shape, dtype=value.dtype.name, start=start, steps=tuple(steps))


def axes_of(load: Load) -> set[int]:
    """The axes of an iteration space that say which position is looked up."""
    return {axis for index in load.indices for axis, _ in index.steps}


def axes_in_order(loops: Loops, args: Sequence[Any], shape: Sequence[int]) -> set[int]:
    """The axes along which what is written may meet itself, so that the order matters."""
    indices = loops.write.indices
    found = {axis for index in indices if index.load is not None for axis in axes_of(index.load)}
    for index, extent in zip(indices, shape, strict=True):
        found.discard(_axis_apart(index, args, extent, loops.extents))
    return found


def _axis_apart(index: Index, args: Sequence[Any], extent: int, extents: Sequence[int]) -> int:
    """The axis with which an index goes to another place at each step, if there is one; or -1."""
    load = index.load
    positions = None if load is None or load.part is not None else args[load.argument]
    if load is None or not isinstance(positions, Progression):
        return -1
    if any(inner.load is not None for inner in load.indices):
        return -1
    inner = [
        Affine(x.start, tuple((f"{axis}", step) for axis, step in x.steps)) for x in load.indices
    ]
    place = positions.at(inner)
    bounds = place.bounds({f"{axis}": n for axis, n in enumerate(extents)})
    if bounds is None or bounds[0] < 0 or bounds[1] >= extent or len(place.terms) != 1:
        return -1
    return int(place.terms[0][0])
