"""The statements of a program, one after the other, in a function."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from pullback.compiler.llvm.holes import integer
from pullback.compiler.llvm.kernels import Kernels
from pullback.compiler.llvm.module import Lines
from pullback.compiler.llvm.places import minus
from pullback.compiler.llvm.scalars import Scalars
from pullback.compiler.llvm.values import SIZES, Value, lane_type, memory_type
from pullback.compiler.loops import (
    Branch,
    Call,
    Check,
    Const,
    Copy,
    Expr,
    External,
    For,
    Kernel,
    Let,
    Place,
    Program,
    Scalar,
    Statement,
    Store,
    While,
)

__all__ = ["Statements"]

POLL = """\
define internal i32 @pb.poll(ptr %context) #1 {
  %slot = getelementptr i64, ptr %context, i64 2
  %poll = load ptr, ptr %slot, align 8
  %none = icmp eq ptr %poll, null
  br i1 %none, label %silent, label %ask
ask:
  %answer = call i32 %poll()
  %stop = icmp ne i32 %answer, 0
  %code = select i1 %stop, i32 -2, i32 0
  ret i32 %code
silent:
  ret i32 0
}"""

_OFTEN, _SELDOM = 16, 1024
"""Iterations between two looks for an interrupt: of a loop with kernels inside, and of scalars."""


class Statements:
    """Writes statements into a function that returns the number of an error.

    Attributes
    ----------
    entry : Lines
        The beginning of the function, where local variables are made.
    """

    def __init__(
        self,
        entry: Lines,
        scalars: Scalars,
        kernels: Kernels,
        program: Program,
        registers: frozenset[str],
        symbols: Mapping[str, int],
    ) -> None:
        self._entry, self._scalars, self._kernels = entry, scalars, kernels
        self._lines, self._code = scalars.lines, scalars.lines.code
        self._dtypes = {buffer.name: buffer.dtype for buffer in program.buffers}
        self._registers, self._symbols = registers, symbols
        self._errors: dict[int, None] = {}
        self._leaving: list[tuple[str, str]] = []

    def emit(self, body: Sequence[Statement]) -> None:
        for statement in body:
            self._statement(statement)

    def end(self) -> None:
        """The ways out of the function."""
        self._lines.do("ret i32 0")
        for error in self._errors:
            self._lines.block(f"error{error}")
            self._lines.do(f"ret i32 {error}")
        for label, code in self._leaving:
            self._lines.block(label)
            self._lines.do(f"ret i32 {code}")

    # -- leaving ---------------------------------------------------------------------------------

    def _leave_unless_zero(self, code: str) -> None:
        label, following = self._code.label("leave"), self._code.label("goes")
        self._leaving.append((label, code))
        failed = self._lines.op(f"icmp ne i32 {code}, 0")
        self._lines.do(f"br i1 {failed}, label %{label}, label %{following}")
        self._lines.block(following)

    def _go(self, label: str) -> None:
        """End a block, and begin the next one."""
        self._lines.do(f"br label %{label}")
        self._lines.block(label)

    # -- statements ------------------------------------------------------------------------------

    @functools.singledispatchmethod
    def _statement(self, statement: Any) -> None:
        raise TypeError(statement)

    @_statement.register
    def _(self, statement: Let) -> None:
        self._scalars.names[statement.scalar.name] = self._scalars.value(statement.value)

    @_statement.register
    def _(self, statement: Store) -> None:
        self._scalars.store(statement.place, self._scalars.value(statement.value))

    @_statement.register
    def _(self, statement: Check) -> None:
        self._errors[statement.error] = None
        holds, following = self._scalars.value(statement.condition), self._code.label("holds")
        error = f"label %error{statement.error}"
        self._lines.do(f"br {holds.typed}, label %{following}, {error}")
        self._lines.block(following)

    @_statement.register
    def _(self, statement: Kernel) -> None:
        call = self._kernels.call(statement, self._registers)
        given = [f"ptr {self._scalars.pointers[name]}" for name in call.buffers]
        given += [self._scalars.names[name.name].typed for name in call.scalars]
        given += [f"i64 %hole{index}" for index in call.holes]
        text = f"call {call.returns} {call.function}({', '.join(given)})"
        if call.returns == "void":
            self._lines.do(text)
            return
        record = f"{call.returns} {self._lines.op(text)}"
        if call.fails:
            self._leave_unless_zero(self._lines.op(f"extractvalue {record}, 0"))
        for number, scalar in enumerate(call.results, start=call.fails):
            found = self._lines.op(f"extractvalue {record}, {number}")
            self._scalars.names[scalar.name] = Value(found, scalar.dtype)

    @_statement.register
    def _(self, statement: Copy) -> None:
        dtype = self._dtypes[statement.target.buffer]
        target, source = (
            self._scalars.pointer(place, dtype) for place in (statement.target, statement.source)
        )
        size, each = integer(statement.size), SIZES[dtype]
        if isinstance(size, str):
            bytes_ = self._lines.op(f"mul i64 {size}, {each}")
        else:
            bytes_ = str(size * each)
        copy = "@llvm.memcpy.p0.p0.i64"
        self._lines.module.declare(f"declare void {copy}(ptr, ptr, i64, i1)")
        both = f"ptr align {each} {target}, ptr align {each} {source}"
        self._lines.do(f"call void {copy}({both}, i64 {bytes_}, i1 false)")

    @_statement.register
    def _(self, statement: Call) -> None:
        count = len(statement.operands)
        table = self._entry.op(f"alloca [{count} x ptr], align 8")
        for number, place in enumerate(statement.operands):
            pointer = self._scalars.pointer(place, self._dtypes[place.buffer])
            slot = self._lines.op(f"getelementptr ptr, ptr {table}, i64 {number}")
            self._lines.do(f"store ptr {pointer}, ptr {slot}, align 8")
        function = self._lines.op("load ptr, ptr %context, align 8")
        at = self._lines.op("getelementptr i64, ptr %context, i64 1")
        handle = self._lines.op(f"load i64, ptr {at}, align 8")
        given = f"i64 {handle}, i32 {statement.number}, ptr {table}"
        self._leave_unless_zero(self._lines.op(f"call i32 {function}({given})"))

    @_statement.register
    def _(self, statement: External) -> None:
        given = [self._argument(argument) for argument in statement.arguments]
        position = 3 + self._symbols[statement.symbol]
        at = self._lines.op(f"getelementptr i64, ptr %context, i64 {position}")
        function = self._lines.op(f"load ptr, ptr {at}, align 8")
        self._lines.do(f"call void {function}({', '.join(f'ptr {each}' for each in given)})")
        for number, scalar in statement.results:
            to = memory_type(scalar.dtype)
            found = self._lines.op(f"load {to}, ptr {given[number]}, align {SIZES[scalar.dtype]}")
            self._scalars.names[scalar.name] = Value(found, scalar.dtype)

    def _argument(self, argument: Place | Expr) -> str:
        """The pointer that an external function gets."""
        if isinstance(argument, Place):
            return self._scalars.pointer(argument, self._dtypes[argument.buffer])
        if isinstance(argument, Const) and argument.dtype == "char":
            value = Value(str(ord(argument.value)), "uint8")
        else:
            value = self._scalars.value(argument)
        slot = self._entry.op(f"alloca {memory_type(value.dtype)}, align 8")
        self._lines.do(f"store {value.typed}, ptr {slot}, align {SIZES[value.dtype]}")
        return slot

    # -- control ---------------------------------------------------------------------------------

    @_statement.register
    def _(self, statement: For) -> None:
        lines, scalars = self._lines, self._scalars
        extent = scalars.value(statement.extent)
        first = [scalars.value(initial) for _, initial in statement.carries]
        before, head, latch, after = (
            self._code.label(n) for n in ("before", "loop", "latch", "after")
        )
        count, following = self._code.fresh("i"), self._code.fresh("next")
        self._go(before)
        some = lines.op(f"icmp sgt {extent.typed}, 0")
        lines.do(f"br i1 {some}, label %{head}, label %{after}")
        lines.block(head)
        lines.do(f"{count} = phi i64 [ 0, %{before} ], [ {following}, %{latch} ]")
        phis = lines.inner()
        outside = dict(scalars.names)
        carries = self._carries([scalar for scalar, _ in statement.carries])
        index = count
        if statement.reverse:
            last = lines.op(f"sub i64 {extent.text}, 1")
            index = str(minus(lines, last, count))
        scalars.names[statement.index] = Value(index, "int64")
        self.emit(statement.body)
        nexts = [scalars.value(value) for value in statement.nexts]
        self._poll(count, statement.body, latch)
        lines.do(f"{following} = add nsw i64 {count}, 1")
        again = lines.op(f"icmp slt i64 {following}, {extent.text}")
        lines.do(f"br i1 {again}, label %{head}, label %{after}")
        lines.block(after)
        ends = list(zip(first, nexts, strict=True))
        for carry, (initial, value) in zip(carries, ends, strict=True):
            _phi(phis, carry, (initial.text, before), (value.text, latch))
        scalars.names = outside
        results = self._carries(statement.results)
        for result, (initial, value) in zip(results, ends, strict=True):
            _phi(lines, result, (initial.text, before), (value.text, latch))

    def _carries(self, given: Sequence[Scalar]) -> list[Value]:
        """Registers for scalars that come from several blocks, which now have their names."""
        found = [Value(self._code.fresh("c"), scalar.dtype) for scalar in given]
        for scalar, value in zip(given, found, strict=True):
            self._scalars.names[scalar.name] = value
        return found

    def _poll(self, count: str, body: Sequence[Statement], latch: str) -> None:
        """Look for an interrupt now and then, and go to the latch."""
        lines = self._lines
        scalar = all(isinstance(each, Let | Store | Check) for each in body)
        lines.module.define("@pb.poll", POLL)
        poll = self._code.label("poll")
        low = lines.op(f"and i64 {count}, {(_SELDOM if scalar else _OFTEN) - 1}")
        due = lines.op(f"icmp eq i64 {low}, {(_SELDOM if scalar else _OFTEN) - 1}")
        lines.do(f"br i1 {due}, label %{poll}, label %{latch}")
        lines.block(poll)
        self._leave_unless_zero(lines.op("call i32 @pb.poll(ptr %context)"))
        self._go(latch)

    @_statement.register
    def _(self, statement: While) -> None:
        lines, scalars = self._lines, self._scalars
        first = [scalars.value(initial) for _, initial in statement.carries]
        before, head, latch, after = (
            self._code.label(n) for n in ("before", "loop", "latch", "after")
        )
        inside = self._code.label("inside")
        count, following = self._code.fresh("i"), self._code.fresh("next")
        self._go(before)
        self._go(head)
        lines.do(f"{count} = phi i64 [ 0, %{before} ], [ {following}, %{latch} ]")
        phis = lines.inner()
        outside = dict(scalars.names)
        carries = self._carries([scalar for scalar, _ in statement.carries])
        self.emit(statement.test)
        holds = scalars.value(statement.condition)
        lines.do(f"br {holds.typed}, label %{inside}, label %{after}")
        lines.block(inside)
        self.emit(statement.body)
        nexts = [scalars.value(value) for value in statement.nexts]
        self._poll(count, (*statement.test, *statement.body), latch)
        lines.do(f"{following} = add i64 {count}, 1")
        lines.do(f"br label %{head}")
        lines.block(after)
        for carry, initial, value in zip(carries, first, nexts, strict=True):
            _phi(phis, carry, (initial.text, before), (value.text, latch))
        scalars.names = outside
        for scalar, carry in zip(statement.results, carries, strict=True):
            scalars.names[scalar.name] = carry

    @_statement.register
    def _(self, statement: Branch) -> None:
        lines, scalars = self._lines, self._scalars
        index = scalars.value(statement.index)
        labels = [self._code.label("branch") for _ in statement.branches]
        after = self._code.label("after")
        zero = lines.op(f"icmp slt {index.typed}, 0")
        inside = lines.op(f"select i1 {zero}, i64 0, {index.typed}")
        cases = [f"i64 {n}, label %{label}" for n, label in enumerate(labels[:-1])]
        lines.do(f"switch i64 {inside}, label %{labels[-1]} [ {' '.join(cases)} ]")
        outside = dict(scalars.names)
        sources: list[list[tuple[str, str]]] = [[] for _ in statement.results]
        for label, (body, values) in zip(labels, statement.branches, strict=True):
            lines.block(label)
            self.emit(body)
            found = [scalars.value(value) for value in values]
            scalars.names = dict(outside)
            end = self._code.label("end")
            self._go(end)
            lines.do(f"br label %{after}")
            for source, value in zip(sources, found, strict=True):
                source.append((value.text, end))
        lines.block(after)
        for result, source in zip(self._carries(statement.results), sources, strict=True):
            _phi(lines, result, *source)


def _phi(at: Lines, value: Value, *sources: tuple[str, str]) -> None:
    given = ", ".join(f"[ {text}, %{label} ]" for text, label in sources)
    at.do(f"{value.text} = phi {lane_type(value.dtype)} {given}")
