"""Scratch buffers that share memory.

``t`` and ``u`` can be one buffer if they have one dtype and no statement from the first to the last
that touches t is among those from the first to the last that touches u. A buffer that is touched in
a loop is in use during all of the loop, and of those around it, unless it is touched nowhere else
and gets all its elements in each iteration before any of them is read.

Those of a tile are each tile's own: it is as if tiles were no loop for them.

Buffers of a few elements, which may become registers, are left alone; and small ones, which lie on
the stack, are not put into long ones.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from pullback.compiler.fusion.buffers import renamed
from pullback.compiler.fusion.coverage import covers
from pullback.compiler.fusion.effects import own_effects
from pullback.compiler.fusion.traversal import bodies_of
from pullback.compiler.generic.numbers import varies
from pullback.compiler.loops import Branch, Buffer, Program, Statement, Tiles

__all__ = ["shared_memory"]

_FEW = 16
"""Up to how many elements a buffer is left alone."""

_SMALL = 4096
"""Up to how many bytes a buffer is small."""


def shared_memory(program: Program) -> Program:
    """The program with the scratch buffers that a scan from the first to the last use needs."""
    scratch = {b.name: b for b in program.buffers if b.kind in ("scratch", "tile")}
    survey = _Survey()
    survey.row(program.body, None)
    spans = sorted(
        (*_span(uses, scratch[name]), name)
        for name, uses in survey.uses.items()
        if name in scratch and (varies(scratch[name].size) or scratch[name].size > _FEW)
    )
    slots: dict[tuple[str, str, bool], _Slots] = defaultdict(_Slots)
    new = {}
    for first, last, name in spans:
        dtype, size = np.dtype(scratch[name].dtype), scratch[name].size
        small = not varies(size) and size * dtype.itemsize <= _SMALL
        kind = (scratch[name].kind, dtype.name, small)
        new[name] = slots[kind].slot(scratch[name], first, last)
    sizes = {name: size for each in slots.values() for name, size in each.sizes.items()}
    kept = [
        replace(buffer, size=sizes.get(name, buffer.size))
        for name, buffer in scratch.items()
        if new.get(name, name) == name
    ]
    others = [b for b in program.buffers if b.kind not in ("scratch", "tile")]
    return Program(
        program.name,
        (*others, *kept),
        renamed(program.body, {a: b for a, b in new.items() if a != b}),
    )


class _Slots:
    """Buffers of one dtype that others are put into, in the order of their first uses.

    Which one is taken does not depend on sizes, so that programs that differ in their sizes alone
    stay alike: it is the one that was in use last, and is in the cache.

    Attributes
    ----------
    sizes : dict of str to int
    """

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}
        self._busy: list[tuple[int, str]] = []
        self._idle: list[str] = []

    def slot(self, buffer: Buffer, first: int, last: int) -> str:
        """Where to put a buffer."""
        while self._busy and self._busy[0][0] < first:
            self._idle.append(heapq.heappop(self._busy)[1])
        name = self._idle.pop() if self._idle else buffer.name
        self.sizes[name] = max(self.sizes.get(name, 0), buffer.size)
        heapq.heappush(self._busy, (last, name))
        return name


# -- from where to where a buffer is in use -------------------------------------------------------


@dataclass(eq=False)
class _Use:
    """A statement, the numbers of the first and the last one within it, and where it stands.

    Attributes
    ----------
    around : _Use, optional
        The statement that it stands in, and `row` says in which of its rows.
    depth : int
        How many statements it stands in.
    """

    statement: Statement
    first: int
    last: int
    around: _Use | None
    row: int
    depth: int


class _Survey:
    """The statements that touch each buffer."""

    def __init__(self) -> None:
        self.uses: dict[str, list[_Use]] = defaultdict(list)
        self._count = 0

    def row(self, body: Iterable[Statement], around: _Use | None, row: int = 0) -> None:
        depth = 0 if around is None else around.depth + 1
        for statement in body:
            use = _Use(statement, self._count, self._count, around, row, depth)
            self._count += 1
            about = own_effects(statement)
            for buffer in about.reads | about.writes:
                self.uses[buffer].append(use)
            for number, inner in enumerate(bodies_of(statement)):
                self.row(inner, use, number)
            use.last = self._count - 1


def _span(uses: list[_Use], buffer: Buffer) -> tuple[int, int]:
    """The first and the last statement during which what is in a buffer may be needed."""
    uses = _in_one_row(uses)
    first = min(uses, key=lambda use: use.first)
    around, outermost = first.around, None
    while around is not None:
        repeats = not isinstance(around.statement, Branch)
        if repeats and not (buffer.kind == "tile" and isinstance(around.statement, Tiles)):
            outermost = around
        around = around.around
    if outermost is not None and not covers(first.statement, buffer.name, buffer.size):
        return outermost.first, outermost.last
    return first.first, max(use.last for use in uses)


def _in_one_row(uses: Iterable[_Use]) -> list[_Use]:
    """The statements of the innermost row in which, or within which, all uses are."""
    found: Mapping[int, _Use] = {id(use): use for use in uses}
    while len({(id(use.around), use.row) for use in found.values()}) > 1:
        deepest = max(use.depth for use in found.values())
        lifted = [
            use.around if use.depth == deepest and use.around is not None else use
            for use in found.values()
        ]
        found = {id(use): use for use in lifted}
    return [*found.values()]
