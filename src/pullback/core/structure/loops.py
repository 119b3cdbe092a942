"""What a primitive computes, as loops: which elements meet at each point of an iteration space.

These are data, for whoever translates primitives: the index of an element is affine in the point,
or an element of an index array.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Access", "Arrangement", "Index", "Load", "Loops", "along", "broadcast", "moved"]


class Load(NamedTuple):
    """An element of an index array.

    Attributes
    ----------
    argument : int
        Which of the primitive's arguments the array is.
    indices : tuple of Index
        The element. A negative one counts from the end.
    part : int, optional
        Of a boolean array, it is the positions of what holds along this axis that are indexed.
    """

    argument: int
    indices: tuple[Index, ...]
    part: int | None = None


class Index(NamedTuple):
    """A place along one axis of an array: start + Σ step·i, or what is loaded.

    Attributes
    ----------
    steps : tuple of (int, int)
        Axes of the iteration space, and the step for each.
    """

    start: int = 0
    steps: tuple[tuple[int, int], ...] = ()
    load: Load | None = None


class Access(NamedTuple):
    """The element of an array that a point of an iteration space meets.

    Attributes
    ----------
    indices : tuple of Index
        One for each axis of the array.
    argument : int
        Which of the primitive's arguments the array is; of no meaning for a result.
    flat : {"", "C", "F"}
        In which order the axes of the array are joined to the one that is indexed, if they are.
    """

    indices: tuple[Index, ...]
    argument: int = 0
    flat: str = ""


class Loops(NamedTuple):
    """``result[write] = kernel(*reads)`` at each point, in order.

    Attributes
    ----------
    extents : tuple of int
        Of the iteration space.
    reads : tuple of Access
    write : Access
    kernel : callable, optional
        A function of numbers; without one, what is read is the only argument's element. That of a
        primitive with several results returns a tuple.
    combine : numpy.ufunc, optional
        It joins what is computed with what the result has in that place; at the first point
        that meets it, if the result starts with nothing.
    start : number or "argument", optional
        What the result has everywhere at first: a number, or the elements of the first argument.
    divisor : int
        By what the result is divided in the end.
    along : (int, int), optional
        An axis of the space, and 1 or −1: what is computed is joined with the result one place
        before along that axis, in this direction.
    """

    extents: tuple[int, ...]
    reads: tuple[Access, ...]
    write: Access
    kernel: Callable[..., Any] | None = None
    combine: np.ufunc | None = None
    start: Any = None
    divisor: int = 1
    along: tuple[int, int] | None = None


Arrangement = tuple[tuple[int, ...], tuple[Loops, ...]]
"""The shape of a result, and the loops that compute it."""


def along(*axes: int) -> tuple[Index, ...]:
    """The indices that are the axes of the iteration space with these numbers."""
    return tuple(Index(0, ((axis, 1),)) for axis in axes)


def broadcast(shape: Sequence[int], rank: int, argument: int = 0) -> Access:
    """An array of `shape` that is broadcast to an iteration space of `rank` axes."""
    first = rank - len(shape)
    return Access(
        tuple(
            Index() if extent == 1 else Index(0, ((axis, 1),))
            for axis, extent in enumerate(shape, first)
        ),
        argument,
    )


def moved(shape: tuple[int, ...], indices: Sequence[Index], flat: str = "") -> Arrangement:
    """The loops of a result of `shape` that has the elements with these indices; see `View`."""
    read = Access(tuple(indices), 0, flat)
    return shape, (Loops(shape, (read,), Access(along(*range(len(shape))))),)
