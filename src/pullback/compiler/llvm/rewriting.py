"""A program with other numbers and other names, everything else as it was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from pullback.compiler.llvm.values import MOVED
from pullback.compiler.loops import (
    Axis,
    Branch,
    Call,
    Check,
    Const,
    Copy,
    Count,
    Expr,
    External,
    For,
    Kernel,
    Let,
    Load,
    Name,
    Op,
    Place,
    Program,
    Scalar,
    Statement,
    Store,
    Sum,
    Tiles,
    While,
    Write,
)

__all__ = ["Rewriting"]


class Rewriting:
    """Visits all numbers and names in the order in which they are written.

    A subclass says what becomes of them.
    """

    def number(self, value: Any) -> Any:
        """An offset, or the size of a buffer or of a copy."""
        return value

    def constant(self, value: Any, dtype: str) -> Any:
        return self.number(value)

    def extent(self, value: int) -> int:
        """The extent of an axis or a step: 0 and 1 are not like other ones."""
        return value

    def count(self, value: int) -> int:
        """The extent of an axis; the samples of a tile are no number."""
        return value if isinstance(value, Count) else self.extent(value)

    def name(self, name: str) -> str:
        return name

    def buffer(self, name: str) -> str:
        return name

    # -- expressions -----------------------------------------------------------------------------

    def expr(self, expr: Expr) -> Expr:
        if isinstance(expr, Name):
            return Name(self.name(expr.name), expr.dtype)
        if isinstance(expr, Op):
            return Op(expr.name, tuple([self.expr(arg) for arg in expr.args]), expr.dtype)
        if isinstance(expr, Const):
            if expr.dtype == "char" or expr.dtype in MOVED:
                return expr  # part of the structure
            return Const(self.constant(expr.value, expr.dtype), expr.dtype)
        where = None if expr.where is None else self.expr(expr.where)
        return Load(self.place(expr.place), expr.dtype, where)

    def place(self, place: Place) -> Place:
        offset = self.number(place.offset)
        terms = tuple([(self.name(name), self.extent(step)) for name, step in place.terms])
        return Place(self.buffer(place.buffer), offset, terms)

    def scalar(self, scalar: Scalar) -> Scalar:
        return Scalar(self.name(scalar.name), scalar.dtype)

    def _exprs(self, exprs: Iterable[Expr]) -> tuple[Expr, ...]:
        return tuple([self.expr(each) for each in exprs])

    def _scalars(self, scalars: Iterable[Scalar]) -> tuple[Scalar, ...]:
        return tuple([self.scalar(each) for each in scalars])

    # -- statements ------------------------------------------------------------------------------

    def program(self, program: Program) -> Program:
        buffers = tuple([replace(b, size=self.number(b.size)) for b in program.buffers])
        return Program(program.name, buffers, self.statements(program.body))

    def statements(self, body: Sequence[Statement]) -> tuple[Statement, ...]:
        return tuple([self.statement(each) for each in body])

    def statement(self, statement: Statement) -> Statement:
        if isinstance(statement, Let):
            return Let(self.scalar(statement.scalar), self.expr(statement.value))
        if isinstance(statement, Kernel):
            return self.kernel(statement)
        if isinstance(statement, Store):
            return Store(self.place(statement.place), self.expr(statement.value))
        if isinstance(statement, Check):
            return Check(self.expr(statement.condition), statement.error)
        if isinstance(statement, Copy):
            target, source = self.place(statement.target), self.place(statement.source)
            return Copy(target, source, self.number(statement.size))
        if isinstance(statement, Call):
            operands = tuple([self.place(each) for each in statement.operands])
            return replace(statement, operands=operands)
        if isinstance(statement, External):
            arguments = tuple(
                [
                    self.place(a) if isinstance(a, Place) else self.expr(a)
                    for a in statement.arguments
                ]
            )
            results = tuple([(n, self.scalar(scalar)) for n, scalar in statement.results])
            return replace(statement, arguments=arguments, results=results)
        if isinstance(statement, Tiles):
            return self._tiles(statement)
        return self._control(statement)

    def kernel(self, kernel: Kernel) -> Kernel:
        axes = tuple([Axis(self.name(name), self.count(n)) for name, n in kernel.axes])
        body = tuple([self.statement(each) for each in kernel.body])
        writes = tuple([self.write(each) for each in kernel.writes])
        return Kernel(axes, body, writes)  # type: ignore[arg-type]

    def write(self, write: Write) -> Write:
        target = write.target
        to = self.scalar(target) if isinstance(target, Scalar) else self.place(target)
        start = None if write.start is None else self.expr(write.start)
        return Write(to, self.expr(write.value), write.combine, start)

    def _tiles(self, tiles: Tiles) -> Tiles:
        first, count, extent = self.name(tiles.first), self.name(tiles.count), tiles.extent
        sums = tuple([Sum(self.buffer(buffer), combine) for buffer, combine in tiles.sums])
        sizes = self.extent(extent), self.number(tiles.tile), self.number(tiles.block)
        return Tiles(first, count, *sizes, sums, self.statements(tiles.body))

    def _control(self, statement: For | While | Branch) -> Statement:
        if isinstance(statement, Branch):
            index = self.expr(statement.index)
            branches = tuple(
                [
                    (self.statements(body), self._exprs(values))
                    for body, values in statement.branches
                ]
            )
            return Branch(index, branches, self._scalars(statement.results))
        extent = self.expr(statement.extent) if isinstance(statement, For) else None
        carries = tuple([(self.scalar(s), self.expr(first)) for s, first in statement.carries])
        if isinstance(statement, For):
            assert extent is not None
            name, body = self.name(statement.index), self.statements(statement.body)
            nexts, results = self._exprs(statement.nexts), self._scalars(statement.results)
            return For(name, extent, carries, body, nexts, results, statement.reverse)
        test, condition = self.statements(statement.test), self.expr(statement.condition)
        body, nexts = self.statements(statement.body), self._exprs(statement.nexts)
        return While(carries, test, condition, body, nexts, self._scalars(statement.results))
