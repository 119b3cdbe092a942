"""A loop over an axis cut into pieces: whole tiles, and what is left over."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple

from pullback.compiler.llvm.holes import Hole, Integer, integer
from pullback.compiler.llvm.intervals import Interval
from pullback.compiler.llvm.module import splat
from pullback.compiler.llvm.places import iota, mask_of, minus, plus
from pullback.compiler.llvm.points import Frame
from pullback.compiler.llvm.values import Value

__all__ = ["BLOCK", "Level", "Piece", "blocks", "masks_of", "pieces"]

BLOCK = 4096
"""How many values are summed before the sum is added to others."""


class Level(NamedTuple):
    """A loop of a nest.

    Attributes
    ----------
    axis : str
    extent : int
    tile : int
        How many points, or vectors, one iteration computes side by side.
    lanes : int
        Of a vector along the axis.
    block : bool
        The loop goes over blocks of the axis, each of which has a loop of its own further inside.
    staged : bool
        Sums that go on over this loop and those inside are formed apart, and added once.
    cuts : tuple of int
        Where conditions on the index change.
    uniform : bool
        All vectors have the same number of lanes, those at the end too, as accumulators have.
    exact : bool
        The rest is cut into vectors without masks, as what lives in registers wants to be read.
    compact : bool
        The rest is a loop, or all is one if nothing is side by side: code for a vector is long.
    """

    axis: str
    extent: int
    tile: int = 1
    lanes: int = 1
    block: bool = False
    staged: bool = False
    cuts: tuple[int, ...] = ()
    uniform: bool = False
    exact: bool = False
    compact: bool = False


class Piece(NamedTuple):
    """Part of a loop.

    Attributes
    ----------
    start : int or str
    limit : int, str or None
        The loop goes on while the index is below; None for a single iteration.
    step : int
    offsets : tuple of int
    lanes : int
    active : int, str or None
        Lanes of the last vector that there are, or the register beyond the last index.
    guarded : bool
        There may be no iteration at all.
    range : (int, int) or None
        Between which numbers the indices lie.
    """

    start: Integer
    limit: Integer | None
    step: int
    offsets: tuple[int, ...]
    lanes: int
    active: Integer | None = None
    guarded: bool = False
    range: Interval | None = None


def blocks(level: Level, frame: Frame) -> Iterator[tuple[Piece, Integer]]:
    """The pieces of a loop over blocks, and the size of the blocks."""
    extent = integer(level.extent)
    if isinstance(extent, str):
        yield Piece(0, extent, BLOCK, (0,), 1), BLOCK
        return
    whole = extent // BLOCK * BLOCK
    if whole:
        limit = None if whole == BLOCK else whole
        yield Piece(0, limit, BLOCK, (0,), 1), BLOCK
    if extent > whole:
        yield Piece(whole, None, BLOCK, (0,), 1), extent - whole


def pieces(level: Level, start: Integer, size: Integer, frame: Frame) -> Iterator[Piece]:
    """The pieces of a loop over `size` indices from `start`."""
    if isinstance(size, str):
        yield from _of_any_size(level, start, size, frame)
        return
    ends = (0, *level.cuts, size)
    for first, last in itertools.pairwise(ends):
        at = plus(frame, start, first)
        among = (at, at + last - first) if isinstance(at, int) else None
        yield from _of_size(level, at, last - first, among, frame)


def _of_size(
    level: Level, start: Integer, size: int, among: Interval | None, frame: Frame
) -> Iterator[Piece]:
    lanes, step = level.lanes, level.lanes * level.tile
    if level.compact and level.tile == 1 and size > lanes and size % lanes:
        stop = plus(frame, start, size)
        yield Piece(start, stop, lanes, (0,), lanes, str(stop), range=among)
        return
    whole = size // step * step
    if whole:
        offsets = tuple(range(0, step, lanes))
        limit = None if whole == step else plus(frame, start, whole)
        yield Piece(start, limit, step, offsets, lanes, range=among)
    rest, at = size - whole, plus(frame, start, whole)
    if not rest:
        return
    if level.uniform:
        offsets = tuple(range(0, rest, lanes))
        yield Piece(at, None, step, offsets, lanes, rest % lanes or None, range=among)
        return
    vectors = rest // lanes * lanes
    if level.compact and rest > lanes:
        stop = plus(frame, at, rest)
        yield Piece(at, stop, lanes, (0,), lanes, str(stop), range=among)
        return
    if vectors:
        yield Piece(at, None, step, tuple(range(0, vectors, lanes)), lanes, range=among)
    at, rest = plus(frame, at, vectors), rest - vectors
    while rest:
        lanes = 1 << (rest.bit_length() - 1)
        if lanes != rest and not level.exact:
            yield Piece(at, None, step, (0,), 2 * lanes, rest, range=among)
            return
        yield Piece(at, None, step, (0,), lanes, range=among)
        at, rest = plus(frame, at, lanes), rest - lanes


def _of_any_size(level: Level, start: Integer, size: str, frame: Frame) -> Iterator[Piece]:
    lanes, step = level.lanes, level.lanes * level.tile
    # A block, or what is left for the last one, is a multiple of less.
    multiple = math.gcd(level.extent.multiple, BLOCK) if isinstance(level.extent, Hole) else 1
    stop = plus(frame, start, size)
    at = start
    if step > 1:
        limit = minus(frame, stop, step - 1)
        offsets = tuple(range(0, step, lanes))
        yield Piece(start, limit, step, offsets, lanes, guarded=True)
        if not multiple % step:
            return
        at = minus(frame, stop, frame.pure(f"urem i64 {size}, {step}"))
    active = stop if multiple % lanes else None
    yield Piece(at, stop, lanes, (0,), lanes, active, guarded=True)


def masks_of(piece: Piece, base: Integer, frame: Frame) -> tuple[Value | None, ...]:
    """Which lanes there are, for each vector of an iteration; all, where it is None."""
    whole: list[Value | None] = [None] * len(piece.offsets)
    if isinstance(piece.active, int):
        whole[-1] = mask_of(piece.active, piece.lanes)
    elif piece.active is not None:
        lanes = piece.lanes
        first = plus(frame, base, piece.offsets[-1])
        many = splat(frame.head, Value(str(first), "int64"), lanes)
        here = frame.pure(f"add {many.typed}, {iota(lanes)}")
        end = splat(frame.head, Value(piece.active, "int64"), lanes)
        mask = frame.pure(f"icmp slt {many.type} {here}, {end.text}")
        whole[-1] = Value(mask, "bool", lanes)
    return tuple(whole)
