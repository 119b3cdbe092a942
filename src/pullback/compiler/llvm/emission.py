"""A program of loops as a module of LLVM."""

from __future__ import annotations

from collections.abc import Mapping

from pullback.compiler.llvm.holes import Hole, with_counts, with_holes
from pullback.compiler.llvm.kernels import Kernels
from pullback.compiler.llvm.module import Code, Lines, Module
from pullback.compiler.llvm.parts import AREA
from pullback.compiler.llvm.rewriting import Rewriting
from pullback.compiler.llvm.scalars import Scalars
from pullback.compiler.llvm.scratch import ALIGNMENT, Layout, layout, variable
from pullback.compiler.llvm.statements import Shared, Statements
from pullback.compiler.llvm.values import SIZES
from pullback.compiler.loops import External, Program, Statement

__all__ = ["emit", "symbols"]

_REGISTERS = 512
"""Bytes of a buffer that may be held in registers."""


def emit(program: Program, *, holes: Mapping[int, int] | None = None, apart: bool = True) -> str:
    """LLVM text of a program.

    Parameters
    ----------
    program : Program
    holes : mapping of int to int, optional
        Which numbers, by their position among those of `numbers`, the code reads when it runs, and
        where it finds them in the array of holes. What is no integer is there by its bits.

    apart : bool
        Whether no two buffers share memory.

    Returns
    -------
    str
        A module with ``i32 @run(ptr buffers, ptr holes, ptr scratch, ptr context)``. Buffers come
        in the program's order, without scratch ones; `scratch_layout` and `areas` say how much
        memory these take, and `symbols` what stands in the context from its sixth word on.
    """
    told = tuple(sorted(set((holes or {}).values())))
    program = with_holes(program, holes or {})
    program, counts = with_counts(program, 1 + max(told, default=-1))
    module = Module()
    code = Code(module)
    lines = Lines(code)
    entry, body = lines.inner(), lines.inner()
    lies = layout(program)
    small = frozenset(
        b.name for b in program.buffers
        if b.name in lies.local and int(b.size) * SIZES[b.dtype] <= _REGISTERS
    )  # fmt: skip
    order = {symbol: number for number, symbol in enumerate(symbols(program))}
    kernels = Kernels(module, apart=apart)
    shared = Shared(module, kernels, program, lies.local, small, order, told, counts)
    shared.read_holes(entry)
    scalars = Scalars(body, _pointers(entry, program, lies))
    statements = Statements(entry, scalars, shared, once=True)
    statements.emit(program.body)
    statements.end()
    header = "define i32 @run(ptr %buffers, ptr %holes, ptr %scratch, ptr %context) #0 {"
    module.define("@run", "\n".join([header, *lines.flat(), "}"]))
    return module.text()


def _pointers(entry: Lines, program: Program, lies: Layout) -> dict[str, str]:
    """The addresses of all buffers."""
    found: dict[str, str] = {}
    given = [buffer for buffer in program.buffers if buffer.kind not in ("scratch", "tile")]
    for number, buffer in enumerate(given):
        at = entry.op(f"getelementptr ptr, ptr %buffers, i64 {number}")
        found[buffer.name] = entry.op(f"load ptr, ptr {at}, align 8")
    at = "%scratch"
    sizes = {buffer.name: buffer for buffer in program.buffers}
    for name, buffer in sizes.items():
        if name in lies.local:
            found[name] = entry.op(variable(buffer))
    for name in lies.offsets:
        found[name] = at
        buffer = sizes[name]
        size = f"%hole{buffer.size.index}" if isinstance(buffer.size, Hole) else str(buffer.size)
        bytes_ = entry.op(f"mul i64 {size}, {SIZES[buffer.dtype]}")
        more = entry.op(f"add i64 {bytes_}, {ALIGNMENT - 1}")
        whole = entry.op(f"and i64 {more}, {-ALIGNMENT}")
        at = entry.op(f"getelementptr i8, ptr {at}, i64 {whole}")
    found[AREA] = at
    return found


class _Collecting(Rewriting):
    """The functions of libraries that a program calls, in the order in which it is written."""

    def __init__(self) -> None:
        self.symbols: dict[str, None] = {}

    def statement(self, statement: Statement) -> Statement:
        if isinstance(statement, External):
            self.symbols[statement.symbol] = None
        return super().statement(statement)


def symbols(program: Program) -> tuple[str, ...]:
    """The functions of libraries, in the order of their addresses in the context."""
    collecting = _Collecting()
    collecting.program(program)
    return tuple(collecting.symbols)
