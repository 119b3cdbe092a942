"""Buffers that are copied as a whole written where they are copied to.

``S; y = t; R`` is ``S; R`` with y for t, if

* t is scratch, and y is as long;
* S touches t, and doesn't touch y from there on;
* R writes to neither;
* and, for statements within others, t is touched in this row of them alone, and gets all its
  elements before any of them is read.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from pullback.compiler.fusion.buffers import renamed, touches
from pullback.compiler.fusion.coverage import covers
from pullback.compiler.fusion.effects import effects
from pullback.compiler.fusion.traversal import with_bodies
from pullback.compiler.loops import Buffer, Copy, Place, Program, Statement

__all__ = ["without_copies"]

Body = tuple[Statement, ...]


def without_copies(program: Program) -> Program:
    """The program with buffers written where they are copied to."""
    work = _Copies({buffer.name: buffer for buffer in program.buffers}, touches(program.body))
    body = work.row(program.body, outermost=True)
    kept = tuple(buffer for buffer in program.buffers if buffer.name not in work.new)
    new = {name: work.name(name) for name in work.new}
    return Program(program.name, kept, renamed(body, new))


@dataclass
class _Copies:
    """Which buffers have become which."""

    buffers: Mapping[str, Buffer]
    everywhere: Counter[str]
    new: dict[str, str] = field(default_factory=dict)

    def name(self, buffer: str) -> str:
        """What a buffer is called in the end."""
        while buffer in self.new:
            buffer = self.new[buffer]
        return buffer

    def row(self, body: Body, *, outermost: bool = False) -> Body:
        inner = tuple(with_bodies(statement, self.row) for statement in body)
        if not any(isinstance(statement, Copy) for statement in inner):
            return inner
        here = _Here(inner, self)
        own = None if outermost else touches(inner)
        found = []
        for position, statement in enumerate(inner):
            if isinstance(statement, Copy) and self._is_whole(statement):
                t, y = (self.name(x.buffer) for x in (statement.source, statement.target))
                if here.free(t, y, position) and (own is None or self._is_local(t, own, here)):
                    self.new[t] = y
                    here.become(t, y, position)
                    continue
            found.append(statement)
        return tuple(found)

    def _is_whole(self, copy: Copy) -> bool:
        t, y = (self.buffers[self.name(x.buffer)] for x in (copy.source, copy.target))
        return (
            t.kind == "scratch"
            and t.name != y.name
            and t.size == y.size == copy.size
            and copy.source == Place(copy.source.buffer)
            and copy.target == Place(copy.target.buffer)
        )

    def _is_local(self, t: str, own: Counter[str], here: _Here) -> bool:
        names = [name for name in (*self.new, t) if self.name(name) == t]
        if any(self.everywhere[name] != own[name] for name in names):
            return False
        return any(covers(here.first(t), name, self.buffers[t].size) for name in names)


class _Here:
    """Where in a row of statements each buffer is touched."""

    def __init__(self, body: Body, copies: _Copies) -> None:
        self._body = body
        self._touched: dict[str, list[tuple[int, bool]]] = defaultdict(list)
        for position, statement in enumerate(body):
            about = effects(statement)
            for buffer in about.reads | about.writes:
                row = self._touched[copies.name(buffer)]
                row.append((position, buffer in about.writes))

    def first(self, buffer: str) -> Statement:
        """The statement that touches a buffer first."""
        return self._body[self._touched[buffer][0][0]]

    def free(self, t: str, y: str, position: int) -> bool:
        """Whether the one can be the other, as far as the row of statements says."""
        first = self._touched[t][0][0]
        if first >= position:
            return False
        later = (*self._touched[t], *self._touched[y])
        if any(writes and place > position for place, writes in later):
            return False
        return not any(first <= place < position for place, _ in self._touched[y])

    def become(self, t: str, y: str, position: int) -> None:
        """Take one for the other."""
        both = sorted([*self._touched.pop(t), *self._touched[y]])
        self._touched[y] = [touch for touch in both if touch[0] != position]
