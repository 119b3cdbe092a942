"""What a program and its linkage are at other sizes."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pullback.compiler.generic.letters import Letters
from pullback.compiler.generic.numbers import plain
from pullback.compiler.linkage import Linkage, in_line
from pullback.compiler.llvm import Area, Room
from pullback.compiler.llvm.rewriting import Rewriting
from pullback.compiler.loops import Kernel, Program
from pullback.graph.key import Hole

__all__ = ["Forms", "Known", "plainly"]


@dataclass(frozen=True)
class Known:
    """What is known of a program without lowering it.

    Attributes
    ----------
    numbers : (str, list of number)
        Its structure, and the numbers that this leaves out.
    linkage : Linkage
    room : Room
        What the working memory depends on.
    """

    numbers: tuple[str, list[Any]]
    linkage: Linkage
    room: Room

    def with_numbers(self, change: Any, constants: tuple[Any, ...]) -> Known:
        """The same with what `change` makes of each number, and other constants."""
        structure, values = self.numbers
        numbers = structure, [*map(change, values)]
        room = self.room.resized(numbers[1])
        linkage = replace(
            self.linkage,
            constants=constants,
            scratch=room.layout().total,
            areas=tuple(Area(*map(change, area)) for area in self.linkage.areas),
            operations=change(self.linkage.operations),
        )
        return Known(numbers, linkage, room)

    def equals(self, other: Known) -> bool:
        """Whether that is a program of the same structure and numbers, with the same linkage."""
        one, two = self.linkage, other.linkage
        constants = zip(one.constants, two.constants, strict=False)
        return (
            [*map(repr, self.numbers[1])] == [*map(repr, other.numbers[1])]
            and self.numbers[0] == other.numbers[0]
            and replace(one, constants=()) == replace(two, constants=())
            and len(one.constants) == len(two.constants)
            and all(a.tobytes() == b.tobytes() for a, b in constants)
        )


@dataclass(frozen=True)
class Forms:
    """What is known of the programs of a graph's key, with letters."""

    letters: Letters
    known: Known

    @functools.cached_property
    def _sources(self) -> list[int | None]:
        return self.letters.sources(self.known.linkage.constants)

    def at(self, holes: Sequence[Hole]) -> Known | None:
        """What is known of the program of a graph with these holes; `None` if this is no guide."""
        return self._at(holes, strict=True)

    def gives(self, holes: Sequence[Hole], found: Known) -> bool:
        """Whether that is what was found at other sizes; else some number has lost its letters."""
        tried = self._at(holes, strict=False)
        return tried is not None and tried.equals(found)

    def _at(self, holes: Sequence[Hole], *, strict: bool) -> Known | None:
        tape = self.letters.tape
        firsts = self.letters.firsts(holes)
        values = None if firsts is None else tape.replayed(firsts)
        if values is None or not self.letters.agree(holes, values):
            return None
        if strict and not tape.decides_as_before(values):
            return None
        constants = tuple(
            constant if source is None else in_line(holes[source].value)
            for constant, source in zip(self.known.linkage.constants, self._sources, strict=True)
        )
        return self.known.with_numbers(lambda x: tape.value(x, values), constants)


class _Plain(Rewriting):
    def number(self, value: Any) -> Any:
        return plain(value)

    extent = number

    def kernel(self, kernel: Kernel) -> Kernel:
        return replace(super().kernel(kernel), place=kernel.place)


def plainly(program: Program) -> Program:
    """A program with letters as one with numbers."""
    return _Plain().program(program)
