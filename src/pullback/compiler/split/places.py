"""The places of a statement, and what is done there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pullback.compiler.fusion.effects import leaves
from pullback.compiler.loops import Expr, Kernel, Let, Load, Place, Write

__all__ = ["kernels_places", "loads"]


class Spot(NamedTuple):
    """A place that a kernel reads, or writes to if there is a write."""

    place: Place
    write: Write | None = None


def loads(*values: Expr) -> Iterator[Place]:
    """The places that expressions read."""
    for value in values:
        yield from (leaf.place for leaf in leaves(value) if isinstance(leaf, Load))


def kernels_places(kernel: Kernel) -> Iterator[Spot]:
    """The places of a kernel, in order."""
    for each in kernel.body:
        value = each.value if isinstance(each, Let) else each.condition
        yield from map(Spot, loads(value))
    for write in kernel.writes:
        yield from map(Spot, loads(write.value))
        if write.start is not None:
            yield from map(Spot, loads(write.start))
        if isinstance(write.target, Place):
            yield Spot(write.target, write)
