"""Tiles as functions: one tile, a span of blocks of them, and what goes through all spans.

What they share is a record on the caller's stack: pointers to the numbers, to the context, and to
the working memory, how the blocks are shared out, a pointer to each buffer from outside, and the
scalars from there. `areas.py` says how the working memory is laid out; here the same is computed
when the code runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pullback.compiler.llvm.areas import PER_WORKER
from pullback.compiler.llvm.control import POLLING
from pullback.compiler.llvm.holes import Integer, integer
from pullback.compiler.llvm.module import Code, Lines, Module
from pullback.compiler.llvm.parts import AREA, Names
from pullback.compiler.llvm.places import plus, times
from pullback.compiler.llvm.scalars import Scalars
from pullback.compiler.llvm.scratch import ALIGNMENT
from pullback.compiler.llvm.spans import HALTED, POLL, SPAN, SPANS, TOTAL, WORKERS
from pullback.compiler.llvm.values import SIZES, Value
from pullback.compiler.loops import (
    Axis,
    Buffer,
    Const,
    Kernel,
    Let,
    Load,
    Name,
    Place,
    Scalar,
    Statement,
    Sum,
    Tiles,
    Write,
    unit,
    work,
)

__all__ = ["Outside", "write_tiles"]

_OPERATIONS = 1 << 21
"""From how many operations on several threads take less time than one: handing over takes some."""
_HOLES, _CONTEXT, _THEIRS, _MEMORY, _RESULTS, _BLOCKS, _LENGTH, _EACH, _HEAD = range(9)
"""The words of the record, and how many they are before those of buffers."""
_COPY = "@llvm.memcpy.p0.p0.i64"


@dataclass
class Outside:
    """Where tiles stand.

    Attributes
    ----------
    module : Module
    buffers : dict of str to Buffer
        Those of the program.
    holes : tuple of int
        The indices of the numbers that code reads when it runs.
    counts : mapping of int to int
        For multiples of the number of a tile's samples the indices of holes that stand for them.
    name : str
        What the names of the functions begin with.
    body : callable
        Writes statements into a function, and its end.
    """

    module: Module
    buffers: dict[str, Buffer]
    holes: tuple[int, ...]
    counts: Mapping[int, int]
    name: str
    body: Callable[[Lines, Scalars, Sequence[Statement], Sequence[int]], None]


def write_tiles(tiles: Tiles, outside: Outside, entry: Lines, scalars: Scalars) -> str:
    """Write the functions, and their calls where the statement stands.

    Returns
    -------
    str
        The register of the number of an error.
    """
    return _Functions(tiles, outside).run(entry, scalars)


class _Layout(NamedTuple):
    """Where buffers lie, one after the other, and how many bytes they take."""

    offsets: dict[str, Integer]
    total: Integer


class _Functions:
    def __init__(self, tiles: Tiles, outside: Outside) -> None:
        self._tiles, self._outside = tiles, outside
        self._module, self._name = outside.module, outside.name
        self._module.declare(f"declare void {_COPY}(ptr, ptr, i64, i1)")
        self._module.declare("declare i64 @llvm.ctlz.i64(i64, i1)")
        self._used = Names(tiles.body)
        totals = {each.buffer for each in tiles.sums}
        names = [name for name in self._used.buffers if name not in totals]
        self._inner = [name for name in names if outside.buffers[name].kind == "tile"]
        self._outer = [name for name in names if name not in self._inner]

    # -- the call ----------------------------------------------------------------------------------

    def run(self, entry: Lines, scalars: Scalars) -> str:
        lines, name = scalars.lines, self._name
        names = {each: scalars.names[each] for each in self._used.scalars if each in scalars.names}
        self._tile_function(names)
        self._sum_function("clear", ("%sums",), _clearing)
        self._sum_function("join", ("%into", "%other"), _joining)
        self._span_function()
        self._total_function()
        sums = self._sums(lines)
        shares, workers, results = self._shares(lines, scalars.pointers[AREA], sums.total)
        blocks, length, each = shares
        spans = _rounded_up(lines, blocks, length)
        theirs = self._context_of_others(entry)
        stored = ["ptr %holes", "ptr %context", f"ptr {theirs}"]
        stored += [f"ptr {x}" for x in (scalars.pointers[AREA], results)]
        stored += [f"i64 {x}" for x in (blocks, length, each)]
        stored += [f"ptr {scalars.pointers[buffer]}" for buffer in self._outer]
        stored += [value.typed for value in names.values() if value.text.startswith("%")]
        record = entry.op(f"alloca [{len(stored)} x i64], align 8")
        for number, value in enumerate(stored):
            slot = lines.op(f"getelementptr i64, ptr {record}, i64 {number}")
            lines.do(f"store {value}, ptr {slot}, align 8")
        self._module.define("@pb.spans", SPANS)
        given = f"ptr @{name}.span, ptr {record}, i64 {spans}, i64 {workers}, ptr %context"
        code = lines.op(f"call i32 @pb.spans({given})")
        lines.do(f"call void @{name}.total(ptr {record}, i64 {spans})")
        for buffer, offset in sums.offsets.items():
            about = self._outside.buffers[buffer]
            size = times(lines, integer(about.size), SIZES[about.dtype])
            places = f"ptr {scalars.pointers[buffer]}, ptr {_at(lines, results, offset)}"
            lines.do(f"call void {_COPY}({places}, i64 {size}, i1 false)")
        return code

    def _context_of_others(self, entry: Lines) -> str:
        """What the context is for threads of the pool, as far as tiles need one."""
        found = entry.op(f"alloca [{POLL + 1} x i64], align 8")
        slot = entry.op(f"getelementptr i64, ptr %context, i64 {HALTED}")
        halted = entry.op(f"load i64, ptr {slot}, align 8")
        slot = entry.op(f"getelementptr i64, ptr {found}, i64 {POLL}")
        entry.do(f"store i64 {halted}, ptr {slot}, align 8")
        return found

    def _shares(
        self, lines: Lines, area: str, sums: Integer
    ) -> tuple[tuple[str, str, Integer], str, str]:
        """Blocks, those of a span, and bytes of a thread; the threads; where the results are."""
        tiles = self._tiles
        extent = integer(tiles.extent)
        block = times(lines, integer(tiles.tile), integer(tiles.block))
        blocks = _rounded_up(lines, extent, block)
        slot = lines.op(f"getelementptr i64, ptr %context, i64 {WORKERS}")
        all_ = lines.op(f"load i64, ptr {slot}, align 8")
        most = -(-_OPERATIONS // (max(1, sum(map(work, tiles.body))) // int(tiles.tile) or 1))
        little = lines.op(f"icmp ult i64 {extent}, {most}")
        workers = lines.op(f"select i1 {little}, i64 1, i64 {all_}")
        # The least power of two with which the spans are no more than that.
        spans = lines.op(f"mul i64 {workers}, {PER_WORKER}")
        upper = lines.op(f"call i64 @llvm.usub.sat.i64(i64 {blocks}, i64 1)")
        self._module.declare("declare i64 @llvm.usub.sat.i64(i64, i64)")
        digits = self._digits(lines, lines.op(f"udiv i64 {upper}, {spans}"))
        length = lines.op(f"shl i64 1, {digits}")
        waiting = lines.op(f"add i64 {self._digits(lines, blocks)}, 1")
        each = plus(lines, self._own(lines).total, times(lines, waiting, sums))
        whole = times(lines, workers, each)
        results = lines.op(f"getelementptr i8, ptr {area}, i64 {whole}")
        return (blocks, length, each), workers, results

    def _digits(self, lines: Lines, number: str) -> str:
        """How many binary digits a number has."""
        zeros = lines.op(f"call i64 @llvm.ctlz.i64(i64 {number}, i1 false)")
        return lines.op(f"sub i64 64, {zeros}")

    # -- memory ------------------------------------------------------------------------------------

    def _laid_out(self, lines: Lines, names: Iterable[str]) -> _Layout:
        offsets: dict[str, Integer] = {}
        total: Integer = 0
        for name in names:
            offsets[name] = total
            buffer = self._outside.buffers[name]
            size = times(lines, integer(buffer.size), SIZES[buffer.dtype])
            total = plus(lines, total, _aligned(lines, size))
        return _Layout(offsets, total)

    def _own(self, lines: Lines) -> _Layout:
        return self._laid_out(lines, self._inner)

    def _sums(self, lines: Lines) -> _Layout:
        return self._laid_out(lines, [each.buffer for each in self._tiles.sums])

    # -- functions ---------------------------------------------------------------------------------

    def _begin(self, *, record: bool = True) -> tuple[Lines, Lines]:
        """A function's text, and its beginning, in which numbers are read."""
        lines = Lines(Code(self._module))
        entry = lines.inner()
        if record:
            entry.do("%holes = load ptr, ptr %record, align 8")
        for index in self._outside.holes:
            at = entry.op(f"getelementptr i64, ptr %holes, i64 {index}")
            entry.do(f"%hole{index} = load i64, ptr {at}, align 8")
        return lines, entry

    def _define(self, type_: str, name: str, parameters: str, lines: Lines) -> None:
        header = f"define internal {type_} @{self._name}.{name}({parameters}) #1 {{"
        text = "\n".join([header, *lines.flat(), "}"])
        self._module.define(f"@{self._name}.{name}", text)

    def _tile_function(self, names: dict[str, Value]) -> None:
        """One tile: ``i32 tile(record, context, area, sums, first, count)``."""
        lines, entry = self._begin()
        inner = lines.inner()
        pointers = {name: _word(entry, _HEAD + n) for n, name in enumerate(self._outer)}
        for at, layout in (("%area", self._own(entry)), ("%sums", self._sums(entry))):
            pointers |= {each: _at(entry, at, offset) for each, offset in layout.offsets.items()}
        scalars = Scalars(inner, pointers)
        number = _HEAD + len(self._outer)
        for name, value in names.items():
            if value.text.startswith("%"):
                value = value._replace(text=_word(entry, number, value.type))
                number += 1
            scalars.names[name] = value
        counts = self._outside.counts
        for multiple, index in counts.items():
            entry.do(f"%hole{index} = mul nuw nsw i64 %count, {multiple}")
        scalars.names[self._tiles.first] = Value("%first", "int64")
        scalars.names[self._tiles.count] = Value("%count", "int64")
        self._outside.body(entry, scalars, self._tiles.body, tuple(counts.values()))
        given = "ptr %record, ptr %context, ptr %area, ptr %sums, i64 %first, i64 %count"
        self._define("i32", "tile", given, lines)

    def _sum_function(
        self, name: str, rows: Sequence[str], statement: Callable[[Sum, Buffer], Statement]
    ) -> None:
        """``i32 clear(ptr holes, ptr sums)``, ``i32 join(ptr holes, ptr into, ptr other)``."""
        lines, entry = self._begin(record=False)
        inner = lines.inner()
        layout = self._sums(entry)
        pointers = {
            row + each: _at(entry, row, offset)
            for row in rows
            for each, offset in layout.offsets.items()
        }
        body = [statement(x, self._outside.buffers[x.buffer]) for x in self._tiles.sums]
        self._outside.body(entry, Scalars(inner, pointers), body, ())
        self._define("i32", name, ", ".join(f"ptr {x}" for x in ("%holes", *rows)), lines)

    def _span_function(self) -> None:
        """Some blocks: ``i32 span(ptr record, i64 span, i64 worker)``."""
        lines, entry = self._begin()
        own, sums = self._own(entry).total, self._sums(entry).total
        # Threads of the pool don't ask Python for signals, but whether the caller was interrupted.
        caller = entry.op("icmp eq i64 %worker, 0")
        contexts = ", ".join(f"ptr {_word(entry, each)}" for each in (_CONTEXT, _THEIRS))
        entry.do(f"%context = select i1 {caller}, {contexts}")
        mine = entry.op(f"mul i64 %worker, {_word(entry, _EACH, 'i64')}")
        area = entry.op(f"getelementptr i8, ptr {_word(entry, _MEMORY)}, i64 {mine}")
        tiles = self._tiles
        text = SPAN.format(
            name=self._name,
            blocks=_word(entry, _BLOCKS, "i64"),
            length=_word(entry, _LENGTH, "i64"),
            results=_word(entry, _RESULTS),
            given=f"ptr %record, ptr %context, ptr {area}",
            stack=_at(entry, area, own),
            sums=sums,
            extent=integer(tiles.extent),
            tile=integer(tiles.tile),
            block=integer(tiles.block),
        )
        lines.line(text)
        self._module.define("@pb.poll", POLLING)
        self._define("i32", "span", "ptr %record, i64 %span, i64 %worker", lines)

    def _total_function(self) -> None:
        """The sums of all spans: ``void total(ptr record, i64 spans)``."""
        lines, entry = self._begin()
        sums, results = self._sums(entry).total, _word(entry, _RESULTS)
        lines.line(TOTAL.format(name=self._name, results=results, sums=sums))
        self._define("void", "total", "ptr %record, i64 %spans", lines)


def _word(lines: Lines, number: int, type_: str = "ptr") -> str:
    """A word of the record."""
    slot = lines.op(f"getelementptr i64, ptr %record, i64 {number}")
    return lines.op(f"load {type_}, ptr {slot}, align 8")


def _aligned(lines: Lines, size: Integer) -> Integer:
    if isinstance(size, int):
        return -(-size // ALIGNMENT) * ALIGNMENT
    more = lines.op(f"add i64 {size}, {ALIGNMENT - 1}")
    return lines.op(f"and i64 {more}, {-ALIGNMENT}")


def _rounded_up(lines: Lines, number: Integer, by: Integer) -> str:
    """The quotient, and one more where there is a remainder."""
    more = lines.op(f"add i64 {number}, {by}")
    return lines.op(f"udiv i64 {lines.op(f'sub i64 {more}, 1')}, {by}")


def _at(lines: Lines, pointer: str, offset: Integer) -> str:
    return lines.op(f"getelementptr i8, ptr {pointer}, i64 {offset}") if offset else pointer


def _clearing(each: Sum, buffer: Buffer) -> Statement:
    """What changes nothing, as what there is of a sum at first."""
    nothing = Const(unit(each.combine, buffer.dtype), buffer.dtype)
    target = Place(f"%sums{each.buffer}", 0, (("i", 1),))
    return Kernel((Axis("i", buffer.size),), (), (Write(target, nothing),))


def _joining(each: Sum, buffer: Buffer) -> Statement:
    """A sum joined with another one."""
    into, other = (Place(f"%{row}{each.buffer}", 0, (("i", 1),)) for row in ("into", "other"))
    value = Scalar("v", buffer.dtype)
    write = Write(into, Name(*value), each.combine)
    return Kernel((Axis("i", buffer.size),), (Let(value, Load(other, buffer.dtype)),), (write,))
