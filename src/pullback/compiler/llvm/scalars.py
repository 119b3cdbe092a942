"""Expressions outside of kernels: of named scalars and elements, in the order of the statements."""

from __future__ import annotations

from collections.abc import Mapping

from pullback.compiler.llvm.arithmetic import apply
from pullback.compiler.llvm.holes import constant_value, integer
from pullback.compiler.llvm.module import Lines
from pullback.compiler.llvm.places import Spot, load, plus, store, times
from pullback.compiler.llvm.values import Value, memory_type
from pullback.compiler.loops import Const, Expr, Load, Name, Place

__all__ = ["Scalars"]


class Scalars:
    """The scalars that are known at a place of the program, and the pointers to buffers.

    Attributes
    ----------
    lines : Lines
        Where instructions go.
    names : dict
        The values of named scalars; replaced when a scope begins and ends.
    pointers : mapping
        Of each buffer the register of its address.
    """

    def __init__(self, lines: Lines, pointers: Mapping[str, str]) -> None:
        self.lines = lines
        self.names: dict[str, Value] = {}
        self.pointers = pointers

    def value(self, expr: Expr) -> Value:
        if isinstance(expr, Const):
            return constant_value(self.lines, expr)
        if isinstance(expr, Name):
            return self.names[expr.name]
        if isinstance(expr, Load):
            where = None if expr.where is None else self.value(expr.where)
            spot = Spot(self.pointer(expr.place, expr.dtype), 0, 1)
            return load(self.lines, spot, expr.dtype, where)
        return apply(self.lines, expr.name, [self.value(arg) for arg in expr.args], expr.dtype)

    def pointer(self, place: Place, dtype: str) -> str:
        """The address of an element."""
        at = integer(place.offset)
        for name, step in place.terms:
            index = self.names[name].text
            known = int(index) if not index.startswith("%") else index
            at = plus(self.lines, at, times(self.lines, known, integer(step)))
        pointer = self.pointers[place.buffer]
        if at == 0:
            return pointer
        return self.lines.op(f"getelementptr {memory_type(dtype)}, ptr {pointer}, i64 {at}")

    def store(self, place: Place, value: Value) -> None:
        store(self.lines, Spot(self.pointer(place, value.dtype), 0, 1), value)
