"""How the points of one kernel are those of another one.

Two iteration spaces with equally many points are the same

* if one has the axes of the other, in this or another order; or
* if one axis runs through what several of the other do: ``i := n·a + b``, with b < n.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import NamedTuple

from pullback.compiler.fusion.substitution import Substitution
from pullback.compiler.loops import Axis, Name, Place

__all__ = ["Alignment", "alignments"]

_TRIED = 4
"""How many orders of axes are looked at."""


class Alignment(NamedTuple):
    """How a kernel joins another one.

    Attributes
    ----------
    axes : tuple of Axis, optional
        The axes that the one that is joined gets first, and `split` says what its old ones are.
    split : Substitution
    joining : Substitution
        What the axes of the one that joins are in those axes.
    """

    axes: tuple[Axis, ...] | None
    split: Substitution
    joining: Substitution


def alignments(
    first: Sequence[Axis],
    second: Sequence[Axis],
    shared: Sequence[tuple[Place, Place]],
    named: tuple[Set[str], Set[str]],
) -> Iterator[Alignment]:
    """The ways in which the second of two kernels may join the first, the likeliest first.

    Parameters
    ----------
    first, second : sequence of Axis
    shared : sequence of (Place, Place)
        What they read and write in the same buffers, in the first and in the second.
    named : pair of set
        The axes of each that stand elsewhere than in places: they can't be split.
    """
    seen = []
    if sorted(a.extent for a in first) == sorted(a.extent for a in second):
        orders = [_agreeing(first, second, pair) for pair in shared[:_TRIED]]
        if [a.extent for a in first] == [a.extent for a in second]:
            orders.append({b.name: a.name for a, b in zip(first, second, strict=True)})
        for order in orders:
            if order is not None and order not in seen:
                seen.append(order)
                joining = Substitution({old: Name(new, "int64") for old, new in order.items()})
                yield Alignment(None, Substitution(), joining)
        if seen:
            return
    groups = _groups(first, second)
    if groups is not None and not any(len(g) > 1 and b.name in named[1] for b, g in groups):
        yield Alignment(None, Substitution(), _divided(groups))
        return
    groups = _groups(second, first)
    if groups is not None and not any(len(g) > 1 and a.name in named[0] for a, g in groups):
        yield Alignment(tuple(second), _divided(groups), Substitution())


def _agreeing(
    first: Sequence[Axis], second: Sequence[Axis], pair: tuple[Place, Place]
) -> Mapping[str, str] | None:
    """The order in which both walk through a buffer in the same way."""
    theirs, ours = (dict(place.terms) for place in pair)
    free = [*first]
    order = {}
    for axis in sorted(second, key=lambda axis: axis.name not in ours):
        step = ours.get(axis.name, 0)
        for other in free:
            if other.extent == axis.extent and theirs.get(other.name, 0) == step:
                order[axis.name] = other.name
                free.remove(other)
                break
        else:
            return None
    return order


def _groups(fine: Sequence[Axis], coarse: Sequence[Axis]) -> list[tuple[Axis, list[Axis]]] | None:
    """For each of the coarse axes those of the fine ones that it runs through, in order."""
    rest = [*fine][::-1]
    found = []
    for axis in coarse:
        group: list[Axis] = []
        total = 1
        while total < axis.extent and rest:
            group.append(rest.pop())
            total *= group[-1].extent
        if total != axis.extent:
            return None
        found.append((axis, group))
    return None if rest else found


def _divided(groups: Sequence[tuple[Axis, Sequence[Axis]]]) -> Substitution:
    found = Substitution()
    for axis, group in groups:
        if len(group) == 1:
            found.give(axis.name, Name(group[0].name, "int64"))
            continue
        step = 1
        terms = []
        for inner in reversed(group):
            terms.append((inner.name, step))
            step *= inner.extent
        found.split(axis.name, terms)
    return found
