"""Arrays put into memory: buffers, and the kernels that fill them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pullback.compiler.loops import Axis, Buffer, Copy, Kernel, Place, Write
from pullback.compiler.lowering.arrays import Array, Elements, Stored, c_strides, points
from pullback.compiler.lowering.pairs import part_of, width
from pullback.compiler.lowering.places import ZERO, Affine
from pullback.compiler.lowering.scope import Scope

__all__ = ["STRAIGHT", "Memory", "broadcast", "nest"]

STRAIGHT = 4
"""Up to how many elements are stored one by one, without a loop."""


@dataclass
class Memory:
    """The buffers of a program, and of which kind each is.

    Arrays with one of the extents `varying` are never treated element by element.
    """

    varying: frozenset[int] = frozenset()
    buffers: list[Buffer] = field(default_factory=list)
    kinds: dict[str, str] = field(default_factory=dict)

    def buffer(self, shape: Sequence[int], dtype: str, kind: Any = "scratch") -> Stored:
        """Room for an array, in C order."""
        letter = {"scratch": "t", "constant": "c", "input": "x", "output": "y"}[kind]
        name = f"{letter}{len(self.buffers)}"
        size = math.prod(shape)
        self.buffers.append(Buffer(name, part_of(dtype), width(dtype) * size, kind))
        self.kinds[name] = kind
        return Stored(
            shape=tuple(shape), dtype=dtype, buffer=name, room=size, strides=c_strides(tuple(shape))
        )

    def is_small(self, shape: Sequence[int], most: int) -> bool:
        """Whether there are so few elements, for any size of the arguments."""
        return self.varying.isdisjoint(shape) and math.prod(shape) <= most

    def is_small_part(self, part: Sequence[int], shape: Sequence[int]) -> bool:
        """Whether a part is much smaller than the whole, for any size of the arguments."""
        if self.varying.isdisjoint(shape):
            return math.prod(part) * 4 < math.prod(shape)
        axes = [sum(extent in self.varying for extent in row) for row in (part, shape)]
        return axes[0] < axes[1]

    def copied(self, scope: Scope, array: Array) -> Stored:
        """The array in memory of its own."""
        found = self.buffer(array.shape, array.dtype)
        self.fill(scope, found, array)
        return found

    def prepare(self, scope: Scope, array: Array) -> None:
        """See to it that all that is read of an array can be read at any index."""
        for source in array.sources_within:
            if isinstance(source, Elements) and source.size > 1 and scope.recall(source) is None:
                target = self.buffer(source.shape, source.dtype)
                for point, value in zip(points(source.shape), source.values, strict=True):
                    scope.statements += target.stores(point, value)
                scope.remember(source, target)

    def stored(self, scope: Scope, array: Array, *, whole: bool = False) -> Stored:
        """The array in memory; side by side in C order, if it is to be `whole`."""
        if isinstance(array, Stored) and (array.whole or not whole):
            return array
        if isinstance(array, Elements) and array.size > 1:
            self.prepare(scope, array)
            return scope.recall(array)  # type: ignore[no-any-return]
        found = scope.recall(array)
        if found is None:
            found = self.copied(scope, array)
            scope.remember(array, found)
        assert isinstance(found, Stored)
        return found

    def fill(self, scope: Scope, target: Stored, array: Array) -> None:
        """Write an array, which is broadcast, to a place in memory."""
        self.prepare(scope, array)
        if not target.size:
            return
        copies = isinstance(array, Stored) and array.whole and target.whole
        if copies and array.shape == target.shape:
            assert isinstance(array, Stored)
            size = width(array.dtype) * array.size
            scope.add(Copy(_start(target), _start(array), size))
            scope.forget(target.buffer)
            return
        few = self.is_small(target.shape, STRAIGHT)
        if few or (isinstance(array, Elements) and array.size > 1):
            values = [
                array.element(scope, broadcast(point, array.shape))
                for point in points(target.shape)
            ]
            for point, value in zip(points(target.shape), values, strict=True):
                scope.statements += target.stores(point, value)
            scope.forget(target.buffer)
            return

        def write(inner: Scope, indices: tuple[Affine, ...]) -> list[Write]:
            value = array.element(inner, broadcast(indices, array.shape))
            return target.writes(indices, value)

        scope.add(nest(scope, target.shape, write))
        scope.forget(target.buffer)


def nest(
    scope: Scope,
    extents: Sequence[int],
    writes: Callable[[Scope, tuple[Affine, ...]], Sequence[Write]],
) -> Kernel:
    """A kernel over an iteration space, from what it writes at a point."""
    inner = scope.inside()
    axes = []
    for extent in extents:
        axes.append(Axis(inner.fresh("i"), extent))
        inner.extents[axes[-1].name] = extent
    indices = tuple(ZERO if axis.extent == 1 else Affine(0, ((axis.name, 1),)) for axis in axes)
    found = tuple(writes(inner, indices))
    kept = tuple(axis for axis in axes if axis.extent != 1)
    return Kernel(kept, tuple(inner.statements), found)  # type: ignore[arg-type]


def _start(array: Stored) -> Place:
    return array.place((ZERO,) * len(array.shape))


def broadcast(indices: Sequence[Affine], shape: Sequence[int]) -> list[Affine]:
    """The indices of an element of what is broadcast."""
    own = indices[len(indices) - len(shape) :]
    return [ZERO if extent == 1 else index for index, extent in zip(own, shape, strict=True)]
