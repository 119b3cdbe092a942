"""How many samples are computed together."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass

__all__ = ["Sizes", "sizes_here"]


_ROWS = 16
"""Which part of the cache the samples of a tile take that keeps nothing in it."""


@dataclass(frozen=True)
class Sizes:
    """What decides how samples are gone through.

    Attributes
    ----------
    cache : int
        Bytes that all buffers of a tile take together, about.
    least, most : int
        Samples of a tile.
    streamed : int
        Those of a tile of which nothing is kept.
    block, enough : int
        Samples of a block, or so many operations: joining sums is little beside them.
    lanes : int
        A tile's samples are so many, or more by a power of two: vectors are that long at most. So
        blocks of several phases begin together again soon.
    little, much : int
        Bytes that buffers between loops take in all before it pays to split; or so many
        operations, which may be done on several threads.
    """

    cache: int = 700_000
    least: int = 32
    most: int = 256
    streamed: int = 4096
    block: int = 512
    enough: int = 1 << 20
    lanes: int = 16
    little: int = 1 << 19
    much: int = 1 << 22

    def tile(self, each: int, *, keeps: bool, wide: int = 0, apart: bool = False) -> int:
        """Samples of a tile.

        Parameters
        ----------
        each : int
            Bytes of a sample.
        keeps : bool
            Whether there are buffers between loops.
        wide : int
            Terms of the sums of products for a sample: so many samples are worth reading a matrix.
        apart : bool
            Whether no sample lies beside the next one.
        """
        if not keeps and apart:
            # A row of few kilobytes for each, and sums are as exact as their terms are few.
            few = self.cache // _ROWS // max(each, 1)
            return min(_power(few), self.streamed)
        most = self.most if keeps else self.streamed
        tile = min(max(self.cache // max(each, 1), self.least, wide), most)
        return self.lanes * _power(tile // self.lanes)

    def tiles(self, tile: int, each: int) -> int:
        """Tiles of a block, if a sample takes so many operations."""
        return _power(min(self.block, self.enough // max(each, 1)) // tile)


def _power(number: int) -> int:
    """The greatest power of two that is not above a number; 1 at least."""
    return 1 << (max(number, 1).bit_length() - 1)


@functools.cache
def sizes_here() -> Sizes:
    """Those for this machine: a tile's buffers fill most of the second cache."""
    try:
        cache = os.sysconf("SC_LEVEL2_CACHE_SIZE")
    except (AttributeError, ValueError, OSError):
        cache = 0
    cache = cache if 1 << 18 <= cache <= 1 << 23 else 1 << 20
    return Sizes(cache=2 * cache // 3)
