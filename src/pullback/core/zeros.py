"""Which zeros of what goes into a recorded body, and of what comes out of it, are strong.

A zero is strong if nothing depends on the element; see `pullback.transforms.support`. A body is
recorded before there are elements, and told by this what their zeros will be.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple

__all__ = ["Changing", "Zeros", "changing", "ordinary", "stronger"]


class Zeros(IntEnum):
    """What the zeros of a tangent or cotangent are."""

    ORDINARY = 0
    """Numbers like any other."""
    AT_POLES = 1
    """Strong where a coefficient is known to be infinite somewhere."""
    EVERYWHERE = 2
    """Strong in every product."""


def ordinary(count: int) -> tuple[Zeros, ...]:
    """Those of so many arrays without strong ones."""
    return (Zeros.ORDINARY,) * count


def stronger(rows: Iterable[Sequence[Zeros]]) -> tuple[Zeros, ...]:
    """For each of several arrays the strongest zeros that one of the rows has for it."""
    return tuple(map(max, zip(*rows, strict=True)))


class Changing(NamedTuple):
    """What the zeros are of what a loop carries, in its first iteration and in those after it.

    Parameters
    ----------
    first, later : Zeros
    start : int
        The index of the first iteration.
    """

    first: Zeros
    later: Zeros
    start: int


def changing(first: Zeros, later: Zeros, start: int | None) -> Zeros | Changing:
    """The same, or the strongest of both, which do as well where the start isn't known."""
    if start is None or Zeros.ORDINARY not in (first, later) or first is later:
        return max(first, later)
    return Changing(first, later, start)
