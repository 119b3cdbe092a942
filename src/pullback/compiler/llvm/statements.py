"""The statements of a program, one after the other, in a function."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pullback.compiler.llvm.control import Control
from pullback.compiler.llvm.holes import Hole, integer
from pullback.compiler.llvm.kernels import Kernels
from pullback.compiler.llvm.lanes import Lanes
from pullback.compiler.llvm.module import Code, Lines, Module
from pullback.compiler.llvm.packs import Plan, planned
from pullback.compiler.llvm.parts import Names, divided
from pullback.compiler.llvm.scalars import Scalars
from pullback.compiler.llvm.scratch import variable
from pullback.compiler.llvm.spans import SYMBOLS
from pullback.compiler.llvm.tiles import Outside, write_tiles
from pullback.compiler.llvm.values import SIZES, Value, memory_type
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
    Statement,
    Store,
    Tiles,
    While,
)

__all__ = ["Shared", "Statements"]


@dataclass
class Shared:
    """What the functions of a program have in common.

    Attributes
    ----------
    module : Module
    kernels : Kernels
    program : Program
    local : frozenset of str
        The buffers that are variables of a function.
    registers : frozenset of str
        Those that may live in registers.
    symbols : mapping of str to int
        The position of each external function among them.
    holes : tuple of int
        The indices of the numbers that code reads when it runs.
    counts : mapping of str to mapping of int to int
        Of tiles, by the name of their samples' number, for each multiple of it the hole's index.
    """

    module: Module
    kernels: Kernels
    program: Program
    local: frozenset[str]
    registers: frozenset[str]
    symbols: Mapping[str, int]
    holes: tuple[int, ...]
    counts: Mapping[str, Mapping[int, int]]

    def __post_init__(self) -> None:
        self.buffers = {buffer.name: buffer for buffer in self.program.buffers}
        self.parts = 0

    @functools.cached_property
    def names(self) -> Names:
        """The names of the whole program."""
        return Names(self.program.body)

    def inline(self, kernel: Kernel) -> int:
        """Instructions that stand where a kernel is called."""
        return self.kernels.call(kernel, self.registers).inline

    def read_holes(self, entry: Lines) -> None:
        for index in self.holes:
            at = entry.op(f"getelementptr i64, ptr %holes, i64 {index}")
            entry.do(f"%hole{index} = load i64, ptr {at}, align 8")


class Statements(Control):
    """Writes statements into a function, which has registers for the holes of `counts`."""

    def __init__(
        self,
        entry: Lines,
        scalars: Scalars,
        shared: Shared,
        *,
        once: bool,
        counts: Sequence[int] = (),
    ) -> None:
        super().__init__(entry, scalars, Lanes(scalars, shared.names.scalars))
        self._shared = shared
        self._once = once
        self._counts = counts

    def plan(self, loop: For) -> Plan:
        if len(list(divided(loop.body, self._shared.inline))) > 1:
            return planned(())
        return planned(loop.body, [scalar.name for scalar, _ in loop.carries], loop.nexts)

    def emit(self, body: Sequence[Statement], plan: Plan | None = None) -> None:
        parts = list(divided(body, self._shared.inline))
        once, self._once = self._once, False
        for part in parts:
            if len(parts) > 1:
                self._outlined(part, once)
                continue
            self._all(planned(part) if plan is None else plan)

    def _all(self, plan: Plan) -> None:
        for unit in plan.units:
            if len(unit) == 1:
                self._statement(unit[0])
            elif isinstance(unit[0], Store):
                self.lanes.store(unit)  # type: ignore[arg-type]
            else:
                self.lanes.compute(unit, plan)  # type: ignore[arg-type]

    def _dtype(self, place: Place) -> str:
        return self._shared.buffers[place.buffer].dtype

    # -- parts -----------------------------------------------------------------------------------

    def _outlined(self, part: Sequence[Statement], once: bool) -> None:
        """A function of its own, that gets scalars by value and leaves others in a record.

        Variables that no other part uses are its own, if it runs `once`.
        """
        shared, names = self._shared, Names(part)
        everywhere = shared.names
        takes = {name: self.scalars.names[name] for name in names.scalars
                 if name in self.scalars.names}  # fmt: skip
        gives = [Value(name, dtype) for name, dtype in names.given.items()
                 if everywhere.scalars[name] > names.scalars[name]]  # fmt: skip
        own = [name for name, count in names.buffers.items()
               if once and name in shared.local and count == everywhere.buffers[name]]  # fmt: skip
        others = [name for name in names.buffers if name not in own and self._is_here(name)]
        name = f"@part.{shared.parts}"
        shared.parts += 1
        code = Code(shared.module)
        lines = Lines(code)
        entry, inner = lines.inner(), lines.inner()
        shared.read_holes(entry)
        pointers = {buffer: f"%b{n}" for n, buffer in enumerate(others)}
        pointers |= {each: entry.op(variable(shared.buffers[each])) for each in own}
        scalars = Scalars(inner, pointers)
        scalars.names = {given: value if not value.text.startswith("%")
                         else value._replace(text=f"%s{n}")
                         for n, (given, value) in enumerate(takes.items())}  # fmt: skip
        function = Statements(entry, scalars, shared, once=False, counts=self._counts)
        function._all(planned(part))
        for n, (given, _, _) in enumerate(gives):
            slot = inner.op(f"getelementptr i64, ptr %record, i64 {n}")
            inner.do(f"store {scalars.names[given].typed}, ptr {slot}, align 8")
        function.end()
        taken = [(n, value) for n, value in enumerate(takes.values()) if value.text.startswith("%")]
        parameters = ["ptr %record", "ptr %holes", "ptr %context"]
        parameters += [f"ptr %b{n}" for n in range(len(others))]
        parameters += [f"{value.type} %s{n}" for n, value in taken]
        parameters += [f"i64 %hole{index}" for index in self._counts]
        header = f"define internal i32 {name}({', '.join(parameters)}) #1 {{"
        shared.module.define(name, "\n".join([header, *lines.flat(), "}"]))
        record = self.entry.op(f"alloca [{max(len(gives), 1)} x i64], align 8")
        arguments = [f"ptr {record}", "ptr %holes", "ptr %context"]
        arguments += [f"ptr {self.scalars.pointers[each]}" for each in others]
        arguments += [value.typed for _, value in taken]
        arguments += [f"i64 %hole{index}" for index in self._counts]
        self.leave_unless_zero(self.lines.op(f"call i32 {name}({', '.join(arguments)})"))
        for n, (each, dtype, _) in enumerate(gives):
            slot = self.lines.op(f"getelementptr i64, ptr {record}, i64 {n}")
            value = Value("", dtype)
            value = value._replace(text=self.lines.op(f"load {value.type}, ptr {slot}, align 8"))
            self.scalars.names[each] = value

    def _is_here(self, buffer: str) -> bool:
        """Whether a buffer is no tile's, or one of this tile's."""
        about = self._shared.buffers.get(buffer)
        return about is None or about.kind != "tile" or buffer in self.scalars.pointers

    # -- statements ------------------------------------------------------------------------------

    @functools.singledispatchmethod
    def _statement(self, statement: Any) -> None:
        raise TypeError(statement)

    @_statement.register
    def _(self, statement: Let) -> None:
        self.scalars.names[statement.scalar.name] = self.scalars.value(statement.value)

    @_statement.register
    def _(self, statement: Store) -> None:
        self.scalars.store(statement.place, self.scalars.value(statement.value))

    @_statement.register
    def _(self, statement: Check) -> None:
        self.check(statement)

    @_statement.register
    def _(self, statement: For) -> None:
        self.loop(statement)

    @_statement.register
    def _(self, statement: While) -> None:
        self.repeat(statement)

    @_statement.register
    def _(self, statement: Branch) -> None:
        self.choice(statement)

    @_statement.register
    def _(self, statement: Tiles) -> None:
        shared = self._shared
        name, shared.parts = f"tiles.{shared.parts}", shared.parts + 1

        def body(
            entry: Lines, scalars: Scalars, row: Sequence[Statement], counts: Sequence[int]
        ) -> None:
            function = Statements(entry, scalars, shared, once=False, counts=counts)
            function.emit(row)
            function.end()

        counts = shared.counts.get(statement.count, {})
        outside = Outside(shared.module, shared.buffers, shared.holes, counts, name, body)
        self.leave_unless_zero(write_tiles(statement, outside, self.entry, self.scalars))

    @_statement.register
    def _(self, statement: Kernel) -> None:
        call = self._shared.kernels.call(statement, self._shared.registers)
        given = [f"ptr {self.scalars.pointers[name]}" for name in call.buffers]
        given += [self.scalars.names[name.name].typed for name in call.scalars]
        extents = {axis.extent.index: axis.extent for axis in statement.axes
                   if isinstance(axis.extent, Hole) and axis.extent.name is not None}  # fmt: skip
        given += [self._hole(index, extents.get(index)) for index in call.holes]
        text = f"call {call.returns} {call.function}({', '.join(given)})"
        if call.returns == "void":
            self.lines.do(text)
            return
        record = f"{call.returns} {self.lines.op(text)}"
        if call.fails:
            self.leave_unless_zero(self.lines.op(f"extractvalue {record}, 0"))
        for number, scalar in enumerate(call.results, start=call.fails):
            found = self.lines.op(f"extractvalue {record}, {number}")
            self.scalars.names[scalar.name] = Value(found, scalar.dtype)

    def _hole(self, index: int, extent: Hole | None) -> str:
        """A number that a kernel reads, or that a scalar says."""
        if extent is None or extent.name is None:
            return f"i64 %hole{index}"
        value = self.scalars.names[extent.name]
        if extent.multiple == 1:
            return value.typed
        return f"i64 {self.lines.op(f'mul {value.typed}, {extent.multiple}')}"

    @_statement.register
    def _(self, statement: Copy) -> None:
        dtype = self._dtype(statement.target)
        target, source = (
            self.scalars.pointer(place, dtype) for place in (statement.target, statement.source)
        )
        size, each = integer(statement.size), SIZES[dtype]
        if isinstance(size, str):
            bytes_ = self.lines.op(f"mul i64 {size}, {each}")
        else:
            bytes_ = str(size * each)
        copy = "@llvm.memcpy.p0.p0.i64"
        self.lines.module.declare(f"declare void {copy}(ptr, ptr, i64, i1)")
        both = f"ptr align {each} {target}, ptr align {each} {source}"
        self.lines.do(f"call void {copy}({both}, i64 {bytes_}, i1 false)")

    # -- calls -----------------------------------------------------------------------------------

    def _word(self, type_: str, position: int) -> str:
        """A word of the context."""
        at = self.lines.op(f"getelementptr i64, ptr %context, i64 {position}")
        return self.lines.op(f"load {type_}, ptr {at}, align 8")

    @_statement.register
    def _(self, statement: Call) -> None:
        count = len(statement.operands)
        table = self.entry.op(f"alloca [{count} x ptr], align 8")
        for number, place in enumerate(statement.operands):
            pointer = self.scalars.pointer(place, self._dtype(place))
            slot = self.lines.op(f"getelementptr ptr, ptr {table}, i64 {number}")
            self.lines.do(f"store ptr {pointer}, ptr {slot}, align 8")
        function, handle = self._word("ptr", 0), self._word("i64", 1)
        given = f"i64 {handle}, i32 {statement.number}, ptr {table}"
        self.leave_unless_zero(self.lines.op(f"call i32 {function}({given})"))

    @_statement.register
    def _(self, statement: External) -> None:
        given = [self._argument(argument) for argument in statement.arguments]
        function = self._word("ptr", SYMBOLS + self._shared.symbols[statement.symbol])
        self.lines.do(f"call void {function}({', '.join(f'ptr {each}' for each in given)})")
        for number, scalar in statement.results:
            to = memory_type(scalar.dtype)
            found = self.lines.op(f"load {to}, ptr {given[number]}, align {SIZES[scalar.dtype]}")
            self.scalars.names[scalar.name] = Value(found, scalar.dtype)

    def _argument(self, argument: Place | Expr) -> str:
        """The pointer that an external function gets."""
        if isinstance(argument, Place):
            return self.scalars.pointer(argument, self._dtype(argument))
        if isinstance(argument, Const) and argument.dtype == "char":
            value = Value(str(ord(argument.value)), "uint8")
        else:
            value = self.scalars.value(argument)
        slot = self.entry.op(f"alloca {memory_type(value.dtype)}, align 8")
        self.lines.do(f"store {value.typed}, ptr {slot}, align {SIZES[value.dtype]}")
        return slot
