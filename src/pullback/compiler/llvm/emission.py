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

_AT_ONCE = 256
"""The most addresses that are read when the code begins.

LLVM's time grows as the square of how many it has to remember.
"""


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
        memory these take, and `symbols` what stands in the context from its seventh word on.
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
    scalars = Scalars(body, _pointers(entry, body, program, lies))
    statements = Statements(entry, scalars, shared, once=True)
    statements.emit(program.body)
    statements.end()
    header = "define i32 @run(ptr %buffers, ptr %holes, ptr %scratch, ptr %context) #0 {"
    module.define("@run", "\n".join([header, *lines.flat(), "}"]))
    return module.text()


class _Given(dict[str, str]):
    """The addresses of buffers; of those that are given, each is read where it is used."""

    def __init__(self, lines: Lines, given: Mapping[str, int]) -> None:
        super().__init__()
        self._lines, self._given = lines, given

    def __missing__(self, name: str) -> str:
        return _read(self._lines, self._given[name])


def _read(lines: Lines, number: int) -> str:
    at = lines.op(f"getelementptr ptr, ptr %buffers, i64 {number}")
    return lines.op(f"load ptr, ptr {at}, align 8")


def _pointers(entry: Lines, body: Lines, program: Program, lies: Layout) -> dict[str, str]:
    """The addresses of all buffers."""
    kinds = {buffer.name: buffer.kind for buffer in program.buffers}
    given = [name for name, kind in kinds.items() if kind not in ("scratch", "tile")]
    found: dict[str, str] = _Given(body, {name: number for number, name in enumerate(given)})
    if len(given) <= _AT_ONCE:
        found.update({name: _read(entry, number) for number, name in enumerate(given)})
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
