"""What is known, of zeros that go into a recorded body or come out of it, before there are any.

A zero is strong if nothing depends on the element; see `pullback.transforms.support`. Which of them
are is told by an array of booleans that goes along. Where no zero can be strong there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple

__all__ = ["Begun", "Kind", "Zeros", "begun", "ordinary", "stronger"]


class Zeros(IntEnum):
    """What the zeros of a tangent or cotangent are."""

    ORDINARY = 0
    """Numbers like any other."""
    AT_POLES = 1
    """Some may be strong, which matters where a coefficient is known to be infinite somewhere."""
    EVERYWHERE = 2
    """Some may be strong, which matters in every product."""


class Begun(NamedTuple):
    """Those of what a loop carries that starts with strong zeros alone, and has none afterwards.

    Parameters
    ----------
    start : int
        The index of the first iteration.
    """

    start: int


Kind = Zeros | Begun
"""What is known of the zeros of what a body takes."""


def ordinary(count: int) -> tuple[Zeros, ...]:
    """Those of so many arrays without strong ones."""
    return (Zeros.ORDINARY,) * count


def stronger(rows: Iterable[Sequence[Zeros]]) -> tuple[Zeros, ...]:
    """For each of several arrays the strongest zeros that one of the rows has for it."""
    return tuple(map(max, zip(*rows, strict=True)))


def begun(
    first: Iterable[Zeros], later: Iterable[Zeros], fresh: Iterable[bool], start: int | None
) -> tuple[Kind, ...]:
    """The zeros of what a loop carries, from those that it starts with and those that it gets.

    What is `fresh` starts with strong zeros alone. Where the index of the first iteration is known,
    that is told by the index. If they matter at poles afterwards, so do they before.
    """

    def kind(before: Zeros, after: Zeros, new: bool) -> Kind:
        if not new or after is Zeros.EVERYWHERE:
            return max(before, after)
        if after is Zeros.AT_POLES:
            return after
        return before if start is None else Begun(start)

    return tuple(map(kind, first, later, fresh))
