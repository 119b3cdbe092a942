"""Vectors of scalars outside of kernels: into the lanes, and out of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pullback.compiler.llvm.arithmetic import apply
from pullback.compiler.llvm.holes import Hole
from pullback.compiler.llvm.module import Lines, splat
from pullback.compiler.llvm.packs import Key, Plan, columns, key_of
from pullback.compiler.llvm.places import Spot, load, mask_of, store
from pullback.compiler.llvm.scalars import Scalars
from pullback.compiler.llvm.values import Value, literal
from pullback.compiler.loops import Const, Expr, Let, Load, Op, Store

__all__ = ["Ahead", "Lanes", "extracted", "together", "wide"]


class Ahead(NamedTuple):
    """The stretch before a loop, and the scalars that are known there."""

    lines: Lines
    known: Mapping[str, Value]


class Lanes:
    """The vectors that are known at a place of the program.

    If their scalars are fewer than their lanes, the others hold what the first one does: nothing
    happens there that doesn't happen anyway.

    Attributes
    ----------
    ahead : Ahead, optional
        Of the innermost loop around.
    """

    def __init__(self, scalars: Scalars, uses: Mapping[str, int]) -> None:
        self.ahead: Ahead | None = None
        self._scalars, self._lines = scalars, scalars.lines
        self._uses = uses
        self._vectors: dict[Key, Value] = {}

    def known(self, key: Key) -> Value:
        return self._vectors[key]

    def enter(self, key: Key, value: Value) -> None:
        self._vectors[key] = value

    def compute(self, lets: Sequence[Let], plan: Plan) -> None:
        """Scalars that are the same operation of others, or elements in a row."""
        first = lets[0].value
        if isinstance(first, Load):
            value = self._loaded(first, len(lets))
        else:
            assert isinstance(first, Op)
            args = [self._vector(column) for column in columns(lets)]
            value = apply(self._lines, first.name, args, first.dtype)
        key = tuple([let.scalar.name for let in lets])
        self.enter(key, value)
        for lane, name in enumerate(key):
            if self._uses[name] > 1 + plan.whole[key]:
                self._scalars.names[name] = extracted(self._lines, value, lane)

    def store(self, stores: Sequence[Store]) -> None:
        """The lanes of a vector to elements in a row."""
        key = key_of([each.value for each in stores])
        assert key is not None
        value = self._vectors[key]
        pointer = self._scalars.pointer(stores[0].place, value.dtype)
        mask = None if len(key) == value.lanes else mask_of(len(key), value.lanes)
        store(self._lines, Spot(pointer, 1, value.lanes), value, mask)

    def _loaded(self, first: Load, count: int) -> Value:
        lanes = wide(count)
        spot = Spot(self._scalars.pointer(first.place, first.dtype), 1, lanes)
        if lanes == count:
            return load(self._lines, spot, first.dtype)
        found = load(self._lines, spot, first.dtype, mask_of(count, lanes))
        order = ", ".join(f"i32 {lane if lane < count else 0}" for lane in range(lanes))
        text = f"shufflevector {found.typed}, {found.type} poison, <{lanes} x i32> <{order}>"
        return found._replace(text=self._lines.op(text))

    def _vector(self, column: Sequence[Expr]) -> Value:
        """What stands in a column, lane by lane."""
        lanes, first = wide(len(column)), column[0]
        key = key_of(column)
        if key in self._vectors:
            return self._vectors[key]
        numbers = [
            literal(each.value, each.dtype)
            for each in column
            if isinstance(each, Const) and not isinstance(each.value, Hole)
        ]
        if len(numbers) == len(column):
            numbers += [numbers[0]] * (lanes - len(column))
            kind = Value("", first.dtype).type
            text = ", ".join(f"{kind} {number}" for number in numbers)
            return Value(f"<{text}>", first.dtype, lanes)
        lines = self._lines
        if key and self.ahead and all(name in self.ahead.known for name in key):
            lines = self.ahead.lines
        if len(set(column)) == 1:
            return splat(lines, self._scalars.value(first), lanes)
        return together(lines, [self._scalars.value(each) for each in column])


def wide(count: int) -> int:
    """The lanes of a vector for so many scalars."""
    return 1 << (count - 1).bit_length()


def together(at: Lines, values: Sequence[Value]) -> Value:
    """A vector of scalars."""
    found = Value("poison", values[0].dtype, wide(len(values)))
    for lane in range(found.lanes):
        value = values[lane if lane < len(values) else 0]
        text = at.op(f"insertelement {found.typed}, {value.typed}, i64 {lane}")
        found = found._replace(text=text)
    return found


def extracted(at: Lines, vector: Value, lane: int) -> Value:
    """One lane of a vector."""
    return Value(at.op(f"extractelement {vector.typed}, i64 {lane}"), vector.dtype)
