"""Tiles that go through some of the samples of a chunk: the numbers in which they differ.

There are four of them: the samples in the arrays of a chunk, with which of them to begin and how
many to go through, and the number of the first one among all samples. Every number of the program
is affine in these, so that it is known once the program was written for a few of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pullback.compiler.llvm import numbers
from pullback.compiler.llvm.rewriting import Rewriting
from pullback.compiler.loops import Const, Expr, Name, Op, Place, Program, Statement, Tiles
from pullback.compiler.split import Lying

__all__ = ["Piece", "Told", "of_chunks"]


_GUIDE = 1 << 20
"""Samples of the piece that code is made from."""


class Piece(NamedTuple):
    """Which samples are gone through.

    Attributes
    ----------
    chunk : int
        Samples in the arrays of the chunk.
    first, length : int
        The first one of them that is looked at, and how many are.
    before : int
        The number of that one among all samples.
    """

    chunk: int
    first: int
    length: int
    before: int


class Told(NamedTuple):
    """A program of tiles for any piece.

    Attributes
    ----------
    program : Program
        For one piece.
    holes : tuple of int
        The positions of the numbers, as `numbers` has them, that are others for other pieces.
    rows : tuple of tuple of int
        For each of them the constant, and the factors of the numbers of a piece.
    """

    program: Program
    holes: tuple[int, ...]
    rows: tuple[tuple[int, ...], ...]

    @staticmethod
    def values_of(rows: Iterable[Sequence[int]], piece: Piece) -> list[int]:
        """The numbers in the holes."""
        return [row[0] + sum(a * b for a, b in zip(row[1:], piece, strict=True)) for row in rows]


def of_chunks(program: Program, given: Mapping[str, Lying], results: Mapping[str, Lying]) -> Told:
    """The program for any piece.

    Parameters
    ----------
    program : Program
        Of tiles that go through all samples.
    given : mapping of str to Lying
        The inputs that have them.
    results : mapping of str to Lying
        The outputs that have them.
    """
    origin = Piece(_GUIDE, 0, _GUIDE, 0)
    scales = _GUIDE, 1, _GUIDE, 1
    pieces = [origin]
    for name, value, scale in zip(origin._fields, origin, scales, strict=True):
        pieces.append(origin._replace(**{name: value + scale}))
    written = [_Writing(each, given, results).program(program) for each in pieces]
    structures, rows = zip(*map(numbers, written), strict=True)
    assert len(set(structures)) == 1
    holes, found = [], []
    for position, (constant, *others) in enumerate(zip(*rows, strict=True)):
        if all(other == constant for other in others) or isinstance(constant, float | bool):
            continue
        steps = [(x - constant) // scale for x, scale in zip(others, scales, strict=True)]
        at_zero = constant - sum(a * b for a, b in zip(steps, origin, strict=True))
        holes.append(position)
        found.append((at_zero, *steps))
    return Told(written[0], tuple(holes), tuple(found))


class _Writing(Rewriting):
    """Puts the numbers of a piece into a program for all samples."""

    def __init__(
        self, piece: Piece, given: Mapping[str, Lying], results: Mapping[str, Lying]
    ) -> None:
        self._piece = piece
        self._given, self._results = given, results
        self._first = ""

    def program(self, program: Program) -> Program:
        found = super().program(program)
        buffers = []
        for buffer in found.buffers:
            lying, extent = self._about(buffer.name)
            size = buffer.size if lying is None else buffer.size // lying.samples * extent
            buffers.append(type(buffer)(buffer.name, buffer.dtype, size, buffer.kind))
        return Program(found.name, tuple(buffers), found.body)

    def _about(self, name: str) -> tuple[Lying | None, int]:
        """How samples lie in a buffer, and how many there are."""
        if name in self._given:
            return self._given[name], self._piece.chunk
        return self._results.get(name), self._piece.length

    def statement(self, statement: Statement) -> Statement:
        if isinstance(statement, Tiles):
            self._first = statement.first
        return super().statement(statement)

    def _tiles(self, tiles: Tiles) -> Tiles:
        found = super()._tiles(tiles)
        length = self._piece.length
        sizes = length, found.tile, found.block
        return Tiles(found.first, found.count, *sizes, found.sums, found.body)

    def place(self, place: Place) -> Place:
        lying, extent = self._about(place.buffer)
        steps: dict[str, Any] = dict(place.terms)
        if lying is None:
            return place._replace(
                offset=place.offset + self._piece.before * steps.get(self._first, 0)
            )
        group, part = divmod(place.offset, lying.group)
        offset = group * lying.step * extent + part
        if place.buffer in self._given:
            offset += self._piece.first * lying.step
        terms = tuple(
            (name, step if step % lying.group else step // lying.samples * extent)
            for name, step in place.terms
        )
        return Place(place.buffer, offset, terms)

    def expr(self, expr: Expr) -> Expr:
        if isinstance(expr, Name) and expr.name == self._first:
            return Op("add", (expr, Const(self._piece.before, "int64")), "int64")
        return super().expr(expr)
