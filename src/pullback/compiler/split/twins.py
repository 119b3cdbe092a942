"""Buffers of a tile that have the same elements in the same places, of which one is enough.

A value that is read in two orders of its axes is stored once for each. In a tile, where a sample
lies beside the next one whatever came before, the two may be the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from pullback.compiler.fusion.buffers import renamed
from pullback.compiler.fusion.effects import own_effects
from pullback.compiler.fusion.traversal import bodies_of, with_bodies
from pullback.compiler.loops import Buffer, Kernel, Place, Statement, Tiles, Write

__all__ = ["without_twins"]


def without_twins(tiles: Tiles, inner: Collection[Buffer]) -> tuple[Tiles, set[str]]:
    """The tiles with one buffer for those that are written alike, and the names of the others.

    Parameters
    ----------
    tiles : Tiles
    inner : collection of Buffer
        The buffers that each tile has for itself.
    """
    written: dict[str, list[tuple[Kernel, Write] | None]] = defaultdict(list)
    for statement in _all(tiles.body):
        if isinstance(statement, Kernel):
            for write in statement.writes:
                if isinstance(write.target, Place):
                    written[write.target.buffer].append((statement, write))
        else:
            for name in own_effects(statement).writes:
                written[name].append(None)
    first: dict[object, str] = {}
    twins: dict[str, str] = {}
    for buffer in inner:
        if len(written[buffer.name]) != 1 or (only := written[buffer.name][0]) is None:
            continue
        kernel, write = only
        if write.combine and write.start is None:
            continue  # joined with what was there before
        assert isinstance(write.target, Place)
        where = write.target._replace(buffer="")
        key = (id(kernel), where, write.value, write.combine, write.start)
        other = first.setdefault((key, buffer.dtype, buffer.size), buffer.name)
        if other != buffer.name:
            twins[buffer.name] = other
    if not twins:
        return tiles, set()
    return replace(tiles, body=renamed(_without(tiles.body, twins), twins)), set(twins)


def _all(body: Iterable[Statement]) -> Iterator[Statement]:
    """The statements, and those within them."""
    for statement in body:
        yield statement
        for inside in bodies_of(statement):
            yield from _all(inside)


def _without(body: Iterable[Statement], buffers: Collection[str]) -> tuple[Statement, ...]:
    """The statements without the writes of kernels to some buffers."""

    def kept(write: Write) -> bool:
        return not isinstance(write.target, Place) or write.target.buffer not in buffers

    def changed(statement: Statement) -> Statement:
        if isinstance(statement, Kernel):
            writes = tuple(filter(kept, statement.writes))
            return replace(statement, writes=writes)
        return with_bodies(statement, lambda row: _without(row, buffers))

    return tuple(map(changed, body))
