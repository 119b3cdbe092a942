"""The working memory of tiles: what each thread has for itself, and the sums of spans of blocks.

A thread has the buffers of its tile, and sums that wait to be joined: after n blocks they are as
many as n has binary digits that are 1. A span is as many blocks, one after the other, as one thread
computes; a power of two, so that a span's blocks are joined before they meet others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pullback.compiler.llvm.holes import with_holes
from pullback.compiler.llvm.parts import Names
from pullback.compiler.llvm.rewriting import Rewriting
from pullback.compiler.llvm.scratch import aligned
from pullback.compiler.loops import Program, Statement, Tiles

__all__ = ["PER_WORKER", "Area", "areas"]

PER_WORKER = 4
"""How many spans there are for each thread, at most: they take different times."""


class Area(NamedTuple):
    """What the memory of some tiles depends on.

    Attributes
    ----------
    extent, tile, block : int
        Samples in all, samples of a tile, tiles of a block.
    own : int
        Bytes of the buffers of a tile.
    sums : int
        Bytes of the sums of a block.
    """

    extent: int
    tile: int
    block: int
    own: int
    sums: int

    @property
    def blocks(self) -> int:
        return -(-self.extent // (self.tile * self.block))

    def spans(self, workers: int) -> int:
        """How many spans so many threads share."""
        if not self.blocks:
            return 0
        return -(-self.blocks // (1 << ((self.blocks - 1) // (PER_WORKER * workers)).bit_length()))

    def bytes(self, workers: int) -> int:
        """Bytes that so many threads need."""
        waiting = self.blocks.bit_length() + 1
        each = self.own + waiting * self.sums
        return workers * each + max(self.spans(workers), 1) * self.sums


class _Tiles(Rewriting):
    def __init__(self) -> None:
        self.found: list[Tiles] = []

    def statement(self, statement: Statement) -> Statement:
        if isinstance(statement, Tiles):
            self.found.append(statement)
        return super().statement(statement)


def areas(program: Program, holes: Mapping[int, int] | None = None) -> tuple[Area, ...]:
    """The areas of a program's tiles; one after the other they use the same memory."""
    tiles = _Tiles()
    program = with_holes(program, holes or {})
    tiles.program(program)
    sizes = {buffer.name: aligned(buffer) for buffer in program.buffers}
    inner = {buffer.name for buffer in program.buffers if buffer.kind == "tile"}
    return tuple(
        Area(
            each.extent,
            each.tile,
            each.block,
            sum(sizes[name] for name in Names(each.body).buffers if name in inner),
            sum(sizes[buffer] for buffer, _ in each.sums),
        )
        for each in tiles.found
    )
