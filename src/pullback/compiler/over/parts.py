"""A program that goes through its samples, taken apart: what is done at once, and the tiles.

Of ``S₀ T₀ S₁ … T₍ₖ₋₁₎ Sₖ`` with tiles T the parts are the Tⱼ, which have as inputs what statements
before them have computed, and their sums as outputs; for each of them the head ``S₀ … Sⱼ``, which
gives that, from the sums of the tiles before; and the end ``S₀ … Sₖ``, which gives the results.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from pullback.compiler.fusion import arrange
from pullback.compiler.fusion.dead import without_dead
from pullback.compiler.fusion.effects import effects
from pullback.compiler.fusion.names import Names
from pullback.compiler.loops import (
    Branch,
    Buffer,
    Copy,
    External,
    For,
    Kernel,
    Let,
    Load,
    Name,
    Place,
    Program,
    Scalar,
    Statement,
    Store,
    Sum,
    Tiles,
    While,
)

__all__ = ["Part", "Parts", "Pass", "parts"]


class Part(NamedTuple):
    """A program of its own.

    Attributes
    ----------
    program : Program
    inputs, outputs : tuple of str
        What its inputs and outputs are: buffers of the whole program, or scalars.
    """

    program: Program
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


class Pass(NamedTuple):
    """Once through the samples.

    Attributes
    ----------
    head : Part, optional
        What the tiles need that is computed beforehand; `None` if there is no such thing.
    tiles : Part
    sums : tuple of Sum
        The first of its outputs: what is joined. The others have samples.
    block : int
        Samples of a block.
    """

    head: Part | None
    tiles: Part
    sums: tuple[Sum, ...]
    block: int


class Parts(NamedTuple):
    """All parts of a program."""

    passes: tuple[Pass, ...]
    end: Part


def parts(program: Program, given: Collection[str]) -> Parts:
    """Take a program apart.

    Parameters
    ----------
    program : Program
        As `stream` gives it, not arranged yet.
    given : collection of str
        The inputs that have the samples.
    """
    return _Parting(program, given).parts()


@dataclass(frozen=True)
class _Needed:
    """What tiles read that is computed before them."""

    buffers: tuple[str, ...]
    scalars: tuple[Scalar, ...]


class _Parting:
    def __init__(self, program: Program, given: Collection[str]) -> None:
        self._program = program
        self._given = set(given)
        self._buffers = {buffer.name: buffer for buffer in program.buffers}
        self._rows: list[list[Statement]] = [[]]
        self._tiles: list[Tiles] = []
        for statement in program.body:
            if isinstance(statement, Tiles):
                self._tiles.append(statement)
                self._rows.append([])
            else:
                self._rows[-1].append(statement)
        self._names = Names(program)
        self._scalars = {x.name: x for row in self._rows for each in row for x in _given(each)}
        self._tiled = {name for each in self._tiles for name in effects(each).writes}

    def parts(self) -> Parts:
        found = [self._pass(number) for number in range(len(self._tiles))]
        outputs = [
            buffer.name
            for buffer in self._program.buffers
            if buffer.kind == "output" and buffer.name not in self._tiled
        ]
        body = [each for row in self._rows for each in row]
        return Parts(tuple(found), self._at_once(body, outputs, {name: name for name in outputs}))

    def _sums(self, number: int) -> tuple[Sum, ...]:
        """The sums of tiles that are used afterwards; the others are of what is done again."""
        later = [effects(each).reads for row in self._rows[number + 1 :] for each in row]
        used = {name for reads in later for name in reads}
        return tuple(each for each in self._tiles[number].sums if each.buffer in used)

    def _pass(self, number: int) -> Pass:
        tiles = self._tiles[number]
        needed = self._needed(tiles)
        sums = self._sums(number)
        head = None
        names = (*needed.buffers, *(scalar.name for scalar in needed.scalars))
        if names:
            body = [each for row in self._rows[: number + 1] for each in row]
            kept = {name: f"o{name}" for name in names}
            for name in needed.buffers:
                size = self._buffers[name].size
                body.append(Copy(Place(kept[name]), Place(name), size))
            for scalar in needed.scalars:
                body.append(Store(Place(kept[scalar.name]), Name(*scalar)))
            head = self._at_once(body, names, kept)
        return Pass(head, self._alone(tiles, needed, sums), sums, tiles.tile * tiles.block)

    def _needed(self, tiles: Tiles) -> _Needed:
        about = effects(tiles)
        own = {each.buffer for each in tiles.sums} | self._given | self._tiled
        buffers = tuple(
            buffer.name
            for buffer in self._program.buffers
            if buffer.name in about.reads - own and buffer.kind in ("scratch", "output")
        )
        scalars = tuple(self._scalars[x] for x in self._scalars if x in about.uses - about.gives)
        return _Needed(buffers, scalars)

    # -- programs ----------------------------------------------------------------------------------

    def _at_once(
        self, body: Sequence[Statement], outputs: Sequence[str], kept: Mapping[str, str]
    ) -> Part:
        """A program without tiles; `kept` says what the buffers of its outputs are called."""
        totals = {each.buffer for tiles in self._tiles for each in tiles.sums}
        found = []
        for buffer in self._program.buffers:
            kind = buffer.kind
            if buffer.name in totals:
                kind = "input"
            elif kind == "output" and buffer.name not in kept.values():
                kind = "scratch"
            if kind != "tile":
                found.append(replace(buffer, kind=kind))
        found += [self._kept(name, kept[name]) for name in outputs if kept[name] != name]
        program = _in_order(self._program.name, found, body)
        return _finished(without_dead(program), outputs)

    def _kept(self, name: str, kept: str, kind: str = "output") -> Buffer:
        """The buffer for a buffer, or for a scalar."""
        if name in self._buffers:
            return replace(self._buffers[name], name=kept, kind=kind)  # type: ignore[arg-type]
        return Buffer(kept, self._scalars[name].dtype, 1, kind)  # type: ignore[arg-type]

    def _alone(self, tiles: Tiles, needed: _Needed, sums: Sequence[Sum]) -> Part:
        """A program of tiles."""
        about = effects(tiles)
        touched = about.reads | about.writes
        found = []
        for buffer in self._program.buffers:
            if buffer.name in touched:
                kind = "input" if buffer.name in needed.buffers else buffer.kind
                found.append(replace(buffer, kind=kind))
        names = {x.name: f"o{x.name}" for x in needed.scalars}
        found += [self._kept(name, held, "input") for name, held in names.items()]
        body: list[Statement] = [
            Let(x, Load(Place(names[x.name]), x.dtype)) for x in needed.scalars
        ]
        body.append(tiles)
        totals = []
        for each in sums:
            total = self._kept(each.buffer, f"o{each.buffer}")
            body.append(Copy(Place(total.name), Place(each.buffer), total.size))
            totals.append(total)
        outputs = [x for x in found if x.kind == "output"]
        others = [x for x in found if x.kind != "output"]
        program = _in_order(self._program.name, [*others, *totals, *outputs], body)
        names_of_outputs = [*(x.buffer for x in sums), *(x.name for x in outputs)]
        return _finished(program, names_of_outputs, {held: name for name, held in names.items()})


def _in_order(name: str, buffers: Iterable[Buffer], body: Iterable[Statement]) -> Program:
    order = ("input", "output", "constant", "scratch", "tile")
    return Program(name, tuple(sorted(buffers, key=lambda x: order.index(x.kind))), tuple(body))


def _finished(
    program: Program, outputs: Sequence[str], names: Mapping[str, str] | None = None
) -> Part:
    """The part that is a program; its inputs are those that it reads."""
    touched = {name for each in program.body for name in effects(each).reads}
    kept = [x for x in program.buffers if x.kind not in ("input", "constant") or x.name in touched]
    program = arrange(replace(program, buffers=tuple(kept)))
    inputs = [x.name for x in program.buffers if x.kind == "input"]
    return Part(program, tuple((names or {}).get(x, x) for x in inputs), tuple(outputs))


def _given(statement: Statement) -> Iterator[Scalar]:
    """The scalars that a statement gives to those after it."""
    if isinstance(statement, Let):
        yield statement.scalar
    elif isinstance(statement, Kernel):
        yield from (x.target for x in statement.writes if isinstance(x.target, Scalar))
    elif isinstance(statement, For | While | Branch):
        yield from statement.results
    elif isinstance(statement, External):
        yield from (scalar for _, scalar in statement.results)
