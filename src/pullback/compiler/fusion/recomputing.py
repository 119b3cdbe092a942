"""Cheap values computed again rather than kept in memory.

``for all i: t[p(i)] = f(x[q(i)]); S; for all i: y[i] = g(t[p(i)])`` is ``S; for all i: y[i] =
g(f(x[q(i)]))``, if f is a few additions, products and choices, t is scratch that is read at these
places alone, and nothing writes to x after the first kernel. So the differences of neighbours that
a step through time takes, and its derivative takes again, are not stored between.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from pullback.compiler.fusion.buffers import touches
from pullback.compiler.fusion.coverage import covers
from pullback.compiler.fusion.effects import effects, leaves
from pullback.compiler.fusion.joining import Joined
from pullback.compiler.fusion.names import Names
from pullback.compiler.fusion.substitution import Substitution, canonical
from pullback.compiler.fusion.traversal import rebuilt
from pullback.compiler.loops import Expr, Kernel, Let, Load, Name, Op, Place, Program, Write

__all__ = ["recomputed"]

_MOST = 6
"""Operations of what is computed again, but for conditions."""
_ARITHMETIC = ("add", "subtract", "multiply", "negative", "maximum", "minimum")
_COMPARISONS = ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")
_LOGIC = ("logical_and", "logical_or", "logical_not", "select")
_CHEAP = frozenset((*_ARITHMETIC, *_COMPARISONS, *_LOGIC))


def recomputed(program: Program, names: Names) -> Program:
    """The program with fewer scratch arrays; what was stored in them may be dead."""
    return _Recomputing(program, names).program()


class _Kept(NamedTuple):
    """A value that a kernel stores: where, for which axes, and what it is made from."""

    place: Place
    kernel: Kernel
    value: Expr


class _Recomputing:
    def __init__(self, program: Program, names: Names) -> None:
        self._program, self._names = program, names
        self._body = [*program.body]
        self._touched = touches(program.body)
        self._effects = [effects(statement) for statement in program.body]
        self._writers: dict[str, list[int]] = {}
        self._readers: dict[str, list[int]] = {}
        self._lets: dict[int, dict[str, Expr]] = {}
        self._loads: dict[int, dict[str, list[Load]]] = {}
        for position, statement in enumerate(program.body):
            if isinstance(statement, Kernel):
                lets = [each for each in statement.body if isinstance(each, Let)]
                self._lets[position] = {each.scalar.name: each.value for each in lets}
                self._loads[position] = _loads(statement)
        for position, about in enumerate(self._effects):
            for buffer in about.writes:
                self._writers.setdefault(buffer, []).append(position)
            for buffer in about.reads:
                self._readers.setdefault(buffer, []).append(position)

    def program(self) -> Program:
        """The program without what is computed again."""
        found: dict[str, _Kept] = {}
        needed: set[str] = set()
        for buffer in self._program.buffers:
            if buffer.kind != "scratch" or buffer.name in needed:
                continue
            kept = self._kept(buffer.name, buffer.size)
            if kept is None:
                continue
            sources = _sources(kept.value)
            if sources.isdisjoint(found) and self._worth(buffer.name, sources):
                found[buffer.name] = kept
                needed |= sources
        if not found:
            return self._program
        readers = {position for name in found for position in self._readers[name]}
        for position in readers:
            self._body[position] = self._without(position, found)
        return replace(self._program, body=tuple(self._body))

    def _kept(self, buffer: str, size: int) -> _Kept | None:
        """What is stored in a buffer, if that is cheap, and all that read it could compute it."""
        writers, readers = self._writers.get(buffer, []), self._readers.get(buffer, [])
        if len(writers) != 1 or not readers or min(readers) <= writers[0]:
            return None
        kernel = self._body[writers[0]]
        if self._touched[buffer] != 1 + len(readers) or not isinstance(kernel, Kernel):
            return None
        writes = [w for w in kernel.writes if _buffer(w) == buffer]
        if len(writes) != 1 or writes[0].combine:
            return None
        value = _expression(self._lets[writers[0]], writes[0].value)
        if value is None or not all(self._is_stable(b, writers[0]) for b in _sources(value)):
            return None
        if not covers(Kernel(kernel.axes, (), (writes[0],)), buffer, size):
            return None
        target = writes[0].target
        assert isinstance(target, Place)
        kept = _Kept(canonical(target), kernel, value)
        return kept if all(self._reads_alike(each, kept) for each in readers) else None

    def _is_stable(self, buffer: str, position: int) -> bool:
        """Whether a buffer has from a statement on what it has there."""
        return all(each < position for each in self._writers.get(buffer, []))

    def _reads_alike(self, position: int, kept: _Kept) -> bool:
        kernel = self._body[position]
        if not isinstance(kernel, Kernel):
            return False
        if [axis.extent for axis in kernel.axes] != [axis.extent for axis in kept.kernel.axes]:
            return False
        place = _axes(kept, kernel).place(kept.place)
        loads = self._loads[position].get(place.buffer, [])
        return all(load.where is None and canonical(load.place) == place for load in loads)

    def _worth(self, buffer: str, sources: set[str]) -> bool:
        """Whether nobody reads more than one array for one that is not read any more."""
        return all(
            len(sources - self._effects[position].reads) <= 1 for position in self._readers[buffer]
        )

    def _without(self, position: int, found: Mapping[str, _Kept]) -> Kernel:
        """A kernel that computes again what it reads."""
        kernel = self._body[position]
        assert isinstance(kernel, Kernel)
        values = {
            name: _axes(kept, kernel).value(kept.value)
            for name, kept in found.items()
            if name in self._effects[position].reads
        }

        def value(expr: Expr) -> Expr:
            if isinstance(expr, Op):
                return Op(expr.name, tuple(map(value, expr.args)), expr.dtype)
            if isinstance(expr, Load):
                return values.get(expr.place.buffer, expr)
            return expr

        again = rebuilt(kernel, value, lambda place: place)
        assert isinstance(again, Kernel)
        return Joined(again, self._names).kernel()


def _buffer(write: Write) -> str | None:
    return write.target.buffer if isinstance(write.target, Place) else None


def _axes(kept: _Kept, kernel: Kernel) -> Substitution:
    """The axes of another kernel for those of the one that stores a value."""
    pairs = zip(kept.kernel.axes, kernel.axes, strict=True)
    return Substitution({old.name: Name(new.name, "int64") for old, new in pairs})


def _loads(kernel: Kernel) -> dict[str, list[Load]]:
    """What a kernel reads, by buffers."""
    values: list[Expr] = [
        each.value if isinstance(each, Let) else each.condition for each in kernel.body
    ]
    for write in kernel.writes:
        values += [write.value] if write.start is None else [write.value, write.start]
    found: dict[str, list[Load]] = {}
    for value in values:
        for leaf in leaves(value):
            if isinstance(leaf, Load):
                found.setdefault(leaf.place.buffer, []).append(leaf)
    return found


def _sources(value: Expr) -> set[str]:
    return {leaf.place.buffer for leaf in leaves(value) if isinstance(leaf, Load)}


def _expression(lets: Mapping[str, Expr], value: Expr) -> Expr | None:
    """A value as it is made from axes, elements and what is given before; None if it is costly."""
    left = _MOST

    def made(expr: Expr) -> Expr | None:
        nonlocal left
        if isinstance(expr, Name) and expr.name in lets:
            return made(lets[expr.name])
        if isinstance(expr, Load):
            if any(name in lets for name, _ in expr.place.terms):
                return None
            where = None if expr.where is None else made(expr.where)
            known = (where is None) == (expr.where is None)
            return Load(expr.place, expr.dtype, where) if known else None
        if not isinstance(expr, Op):
            return expr
        left -= expr.dtype != "bool"
        if left < 0 or expr.name not in _CHEAP:
            return None
        args = []
        for arg in expr.args:
            again = made(arg)
            if again is None:
                return None
            args.append(again)
        return Op(expr.name, tuple(args), expr.dtype)

    return made(value)
