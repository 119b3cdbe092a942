"""Sums that are added to something summed there.

``for all i: t[p(i)] add= v(i) from 0; S; for all j: y[j] = y[j] + t[j]``  is
``for all i: y[p(i)] add= v(i); S``, in another order of the terms, if

* t is scratch, nothing else writes to it or reads it, and both kernels touch all of it;
* neither S nor the first kernel touches y, and nothing else in the second one uses ``y[j] + t[j]``
  or what it is made from.

The same is true of products, and of the greatest and the least.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from pullback.compiler.fusion.buffers import touches
from pullback.compiler.fusion.coverage import covers
from pullback.compiler.fusion.degenerate import changes_nothing
from pullback.compiler.fusion.effects import effects, leaves
from pullback.compiler.fusion.substitution import canonical
from pullback.compiler.fusion.traversal import with_bodies
from pullback.compiler.loops import (
    Buffer,
    Expr,
    Kernel,
    Let,
    Load,
    Name,
    Op,
    Place,
    Program,
    Statement,
    Write,
)

__all__ = ["accumulated"]

Body = tuple[Statement, ...]


def accumulated(program: Program) -> Program:
    """The program with sums where they are added to; what computed them apart may be dead."""
    scratch = {b.name: b for b in program.buffers if b.kind == "scratch"}
    everywhere = touches(program.body)

    def row(body: Body) -> Body:
        inner = tuple(with_bodies(statement, row) for statement in body)
        return _Row(inner, scratch, everywhere).accumulated()

    return replace(program, body=row(program.body))


class _Addition(NamedTuple):
    """``target = target + source``, as a kernel writes it."""

    write: Write
    combine: str
    target: Place
    source: Place


class _Row:
    """Statements, and where in them each buffer is touched and each scalar given."""

    def __init__(self, body: Body, scratch: Mapping[str, Buffer], everywhere: Counter[str]) -> None:
        self._body = [*body]
        self._scratch, self._everywhere = scratch, everywhere
        self._touched: dict[str, list[int]] = defaultdict(list)
        self._given: dict[str, int] = {}
        for position, statement in enumerate(body):
            about = effects(statement)
            for buffer in about.reads | about.writes:
                self._touched[buffer].append(position)
            self._given.update(dict.fromkeys(about.gives, position))

    def accumulated(self) -> Body:
        """The statements with sums where they are added to."""
        for position, statement in enumerate(self._body):
            if isinstance(statement, Kernel):
                for addition in _additions(statement):
                    self._accumulate(position, addition)
        return tuple(self._body)

    def _accumulate(self, position: int, addition: _Addition) -> None:
        t, y = addition.source.buffer, addition.target.buffer
        if t not in self._scratch or self._everywhere[t] != 2 or len(self._touched[t]) != 2:
            return
        first = self._touched[t][0]
        sums, kernel = self._body[first], self._body[position]
        if not isinstance(sums, Kernel) or not isinstance(kernel, Kernel):
            return
        taken = Kernel(kernel.axes, (), (Write(addition.source, addition.write.value),))
        if not all(covers(each, t, self._scratch[t].size) for each in (sums, taken)):
            return
        place = self._place(addition, kernel, first)
        if place is None or any(first <= each < position for each in self._touched[y]):
            return
        for write in sums.writes:
            target, start = write.target, write.start
            if not isinstance(target, Place) or target.buffer != t:
                continue
            if start is None or write.combine != addition.combine:
                return
            if not changes_nothing(write.combine, start):
                return
            sums = _replaced(sums, write, Write(_moved(target, place), write.value, write.combine))
        self._body[first] = sums
        self._body[position] = _replaced(kernel, addition.write)
        there = [first, *(each for each in self._touched[y] if each != position)]
        self._touched[y] = sorted(there)

    def _place(self, addition: _Addition, kernel: Kernel, first: int) -> Place | None:
        """The place of y that goes with the first element of t, where the sums are computed."""
        axes = {axis.name for axis in kernel.axes}
        source, target = canonical(addition.source), canonical(addition.target)
        around = tuple(term for term in target.terms if term[0] not in axes)
        if source.terms != tuple(term for term in target.terms if term[0] in axes):
            return None
        own = {each.scalar.name for each in kernel.body if isinstance(each, Let)}
        if any(name in own or self._given.get(name, -1) >= first for name, _ in around):
            return None
        return Place(target.buffer, target.offset - source.offset, around)


def _replaced(kernel: Kernel, write: Write, *others: Write) -> Kernel:
    at = kernel.writes.index(write)
    return replace(kernel, writes=(*kernel.writes[:at], *others, *kernel.writes[at + 1 :]))


def _moved(place: Place, to: Place) -> Place:
    return canonical(Place(to.buffer, place.offset + to.offset, (*place.terms, *to.terms)))


def _additions(kernel: Kernel) -> list[_Addition]:
    """What a kernel adds to elements, and does nothing else with."""
    values = {each.scalar.name: each.value for each in kernel.body if isinstance(each, Let)}
    names, loads = _uses(kernel)
    found = []
    for write in kernel.writes:
        if write.combine or not isinstance(write.value, Name):
            continue
        added = values.get(write.value.name)
        if not isinstance(added, Op) or len(added.args) != 2:
            continue
        used = [arg.name for arg in (write.value, *added.args) if isinstance(arg, Name)]
        terms = [values.get(name) for name in used[1:]]
        if len(used) != 3 or any(names[name] != 1 for name in used):
            continue
        for target, source in (terms, terms[::-1]):
            if (
                isinstance(target, Load)
                and isinstance(source, Load)
                and target.where is source.where is None
                and loads[target.place.buffer] == loads[source.place.buffer] == 1
                and isinstance(write.target, Place)
                and canonical(target.place) == canonical(write.target)
            ):
                found.append(_Addition(write, added.name, target.place, source.place))
                break
    return found


def _uses(kernel: Kernel) -> tuple[Counter[str], Counter[str]]:
    """How often each name is used, and how often each buffer is read."""
    names: Counter[str] = Counter()
    loads: Counter[str] = Counter()
    values: list[Expr] = [
        each.value if isinstance(each, Let) else each.condition for each in kernel.body
    ]
    values += [write.value for write in kernel.writes]
    for value in values:
        for leaf in leaves(value):
            if isinstance(leaf, Name):
                names[leaf.name] += 1
            else:
                names.update(name for name, _ in leaf.place.terms)
                loads[leaf.place.buffer] += 1
    for write in kernel.writes:
        if isinstance(write.target, Place):
            names.update(name for name, _ in write.target.terms)
    return names, loads
