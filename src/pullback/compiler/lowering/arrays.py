"""What stands for an array: elements in memory, scalars with names, or what computes an element.

An array answers one question: what is the element at these indices, which are affine in the axes
of a kernel? That an index is moved on to what an array was made from is how views cost nothing and
how what is computed element by element gets into the loops of what reads it.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pullback.compiler.loops import Const, Expr, Place, Store, Write
from pullback.compiler.lowering.pairs import COMPLEX, pair, parts, width
from pullback.compiler.lowering.places import ZERO, Affine, address
from pullback.compiler.lowering.scope import Scope
from pullback.core.tracing import is_plain

__all__ = [
    "Array",
    "Computed",
    "Elements",
    "Indices",
    "Stored",
    "c_strides",
    "number",
    "points",
    "reshaped_strides",
]

Indices = Sequence[Affine]


@dataclass(eq=False, kw_only=True)
class Array:
    """An array of a shape and a dtype.

    Attributes
    ----------
    cost : int
        About how many operations an element takes; one that is in memory, or has a name, takes 0.
    depth : int
        How many arrays an index is handed on through.
    """

    shape: tuple[int, ...]
    dtype: str
    cost: int = 0
    depth: int = 0

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def sources_within(self) -> Iterator[Array]:
        """What is read for an element: arrays in memory, and scalars."""
        yield self

    def element(self, scope: Scope, indices: Indices, where: Expr | None = None) -> Expr:
        """The element at these indices; anything where the condition does not hold."""
        raise NotImplementedError

    def reshaped(self, shape: tuple[int, ...]) -> Array | None:
        """The elements in C order in another shape; `None` if no element can be found again."""
        raise NotImplementedError


@dataclass(eq=False, kw_only=True)
class Stored(Array):
    """Elements of a buffer, which has `room` for so many, at ``base + Σ stride · index``.

    All of these count elements, of which each takes up two places if it is complex.
    """

    buffer: str
    room: int
    strides: tuple[int, ...]
    base: Affine = ZERO

    def place(self, indices: Indices) -> Place:
        """The place of an element, or of its real part."""
        at = address(self.base, indices, self.strides)
        return Place(self.buffer, *(at.scaled(2) if self.dtype in COMPLEX else at))

    def places(self, indices: Indices) -> list[Place]:
        """The places of the parts of an element."""
        first = self.place(indices)
        return [first._replace(offset=first.offset + i) for i in range(width(self.dtype))]

    def stores(self, indices: Indices, value: Expr) -> list[Store]:
        """The statements that make a number an element."""
        return [*map(Store, self.places(indices), parts(value))]

    def writes(
        self, indices: Indices, value: Expr, combine: str = "", start: Expr | None = None
    ) -> list[Write]:
        """What a kernel writes to make a number an element, or to join it to one part by part."""
        starts = [None] * width(self.dtype) if start is None else parts(start)
        both = zip(self.places(indices), parts(value), starts, strict=True)
        return [Write(place, each, combine, first) for place, each, first in both]

    def element(self, scope: Scope, indices: Indices, where: Expr | None = None) -> Expr:
        at = address(self.base, indices, self.strides)
        if where is not None:
            bounds = scope.bounds(at)
            if bounds is not None and bounds[0] >= 0 and bounds[1] < self.room:
                where = None  # there is an element everywhere
        if self.dtype in COMPLEX:
            part = COMPLEX[self.dtype]
            return pair(*(scope.load(place, part, where) for place in self.places(indices)))
        return scope.load(Place(self.buffer, *at), self.dtype, where)

    def view(self, shape: tuple[int, ...], strides: tuple[int, ...], base: Affine) -> Stored:
        """Other elements of the same buffer."""
        return replace(self, shape=shape, strides=strides, base=base)

    @property
    def whole(self) -> bool:
        """Whether the elements lie side by side, in C order."""
        return all(
            stride == c or extent == 1
            for stride, c, extent in zip(
                self.strides, c_strides(self.shape), self.shape, strict=True
            )
        )

    def reshaped(self, shape: tuple[int, ...]) -> Array | None:
        strides = reshaped_strides(self.shape, self.strides, shape)
        if strides is None:
            return None
        return self.view(shape, strides, self.base)


@dataclass(eq=False, kw_only=True)
class Elements(Array):
    """Scalars that have names, or are constants: ``values`` has one for each element, in C order.

    To be read at an index that is not known they have to be in memory, too: ``scope.recall(self)``.
    """

    values: tuple[Expr, ...]

    def element(self, scope: Scope, indices: Indices, where: Expr | None = None) -> Expr:
        if len(self.values) == 1:
            return self.values[0]
        if all(index.known for index in indices):
            at = address(ZERO, indices, c_strides(self.shape)).offset
            # A place outside is looked at only where the condition does not hold.
            return self.values[at] if 0 <= at < len(self.values) else self.values[0]
        stored: Stored = scope.recall(self)
        return stored.element(scope, indices, where)

    def reshaped(self, shape: tuple[int, ...]) -> Array | None:
        return Elements(shape=shape, dtype=self.dtype, values=self.values)


@dataclass(eq=False, kw_only=True)
class Computed(Array):
    """Elements that are computed where they are read.

    Attributes
    ----------
    at : callable
        ``at(scope, indices, where)`` is an element.
    sources : tuple of Array
        What elements are computed from.
    again : callable, optional
        ``again(sources, shape)`` is the same of reshaped sources, for what acts element by element
        on arrays of its own shape.
    searches : bool
        Whether the place of what is read is loaded, here or by a source.
    """

    at: Callable[[Scope, Indices, Expr | None], Expr]
    sources: tuple[Array, ...] = ()
    again: Callable[[tuple[Array, ...], tuple[int, ...]], Array] | None = None
    searches: bool = False

    def __post_init__(self) -> None:
        self.searches = self.searches or any(
            isinstance(source, Computed) and source.searches for source in self.sources
        )

    @property
    def sources_within(self) -> Iterator[Array]:
        for source in self.sources:
            yield from source.sources_within

    def element(self, scope: Scope, indices: Indices, where: Expr | None = None) -> Expr:
        return self.at(scope, indices, where)

    def reshaped(self, shape: tuple[int, ...]) -> Array | None:
        if self.again is None:
            return None
        sources = []
        for source in self.sources:
            if source.size == 1:
                made = source.reshaped((1,) * len(shape))
            elif source.shape == self.shape:
                made = source.reshaped(shape)
            else:
                return None
            if made is None:
                return None
            sources.append(made)
        return self.again(tuple(sources), shape)


@functools.lru_cache(maxsize=1024)
def c_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The steps from one element to the next along each axis, in C order."""
    rest = [*itertools.accumulate(shape[:0:-1], operator.mul, initial=1)]
    return tuple(rest[::-1]) if shape else ()


def points(shape: Sequence[int]) -> list[tuple[Affine, ...]]:
    """The indices of all elements, in C order."""
    return [tuple(map(Affine, point)) for point in np.ndindex(*shape)]


def number(scope: Scope, value: Any, dtype: str) -> Expr:
    """A number of Python's or NumPy's, in a dtype."""
    kind = {"float64": float, "int64": int}.get(dtype, ())
    if not is_plain(value, kind) or is_plain(value, bool | np.generic):
        value = np.asarray(value).astype(dtype).item()
    if dtype in COMPLEX:
        part = COMPLEX[dtype]
        return pair(number(scope, value.real, part), number(scope, value.imag, part))
    if dtype in ("float64", "float32") and value == 0 and math.copysign(1, value) < 0:
        # Equal numbers are one, and -0.0 == 0.0.
        return scope.op("negative", Const(0.0, dtype))
    return Const(value, dtype)


def reshaped_strides(
    shape: tuple[int, ...], strides: tuple[int, ...], new: tuple[int, ...]
) -> tuple[int, ...] | None:
    """The steps along the axes of a view of another shape, if there is one.

    Axes are matched from the front in groups with the same number of elements: those of a group
    have to lie in memory as those of one axis.
    """
    if math.prod(shape) <= 1:
        return (0,) * len(new)
    old = [(extent, stride) for extent, stride in zip(shape, strides, strict=True) if extent != 1]
    found: list[int] = []
    place = 0
    i = 0
    while i < len(new):
        if new[i] == 1:
            found.append(0)
            i += 1
            continue
        group, total = [i], new[i]
        first = place
        have = old[place][0]
        place += 1
        while total != have:
            if total < have:
                i += 1
                total *= new[i]
                group.append(i)
            else:
                have *= old[place][0]
                place += 1
        for (_, outer), (extent, inner) in itertools.pairwise(old[first:place]):
            if outer != extent * inner:
                return None
        inner = old[place - 1][1]
        steps = c_strides(tuple(new[k] for k in group))
        found += [inner * step for step in steps]
        i += 1
    return tuple(found)
