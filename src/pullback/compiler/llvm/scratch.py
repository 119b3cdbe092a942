"""Where the scratch buffers of a program lie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pullback.compiler.llvm.holes import Hole, with_holes
from pullback.compiler.llvm.parts import Names
from pullback.compiler.llvm.values import SIZES, memory_type
from pullback.compiler.loops import Buffer, Program, Tiles

__all__ = ["ALIGNMENT", "Layout", "layout", "scratch_layout", "variable"]

ALIGNMENT = 64
_SMALL = 4096
_STACK = 65536


class Layout(NamedTuple):
    """Where the scratch buffers lie.

    Attributes
    ----------
    offsets : dict
        Of each buffer in the working memory, in bytes, in the order in which they lie there.
    total : int
        Bytes of working memory.
    local : frozenset of str
        The small buffers, which are variables of the function's own.
    """

    offsets: dict[str, int]
    total: int
    local: frozenset[str]


def scratch_layout(program: Program, holes: Mapping[int, int] | None = None) -> Layout:
    """Where the scratch buffers of a program lie, if code is made with these holes.

    Buffers of a size that is a hole are in the working memory, however small they are, so that
    code for any size finds them there.
    """
    return layout(with_holes(program, holes or {}))


def layout(program: Program) -> Layout:
    """The layout of a program whose holes are in their places."""
    offsets: dict[str, int] = {}
    total, stack, local = 0, 0, set()
    shared = _in_tiles(program)
    for buffer in program.buffers:
        if buffer.kind != "scratch":
            continue
        size = aligned(buffer)
        small = not isinstance(buffer.size, Hole) and size <= _SMALL
        if small and stack + size <= _STACK and buffer.name not in shared:
            local.add(buffer.name)
            stack += size
        else:
            offsets[buffer.name] = total
            total += size
    return Layout(offsets, total, frozenset(local))


def _in_tiles(program: Program) -> set[str]:
    """The buffers that the functions of tiles use, on whatever thread."""
    return {
        name
        for statement in program.body
        if isinstance(statement, Tiles)
        for name in Names(statement.body).buffers
    }


def aligned(buffer: Buffer) -> int:
    """Bytes of a buffer, and those up to where the next one may begin."""
    return -(-int(buffer.size) * SIZES[buffer.dtype] // ALIGNMENT) * ALIGNMENT


def variable(buffer: Buffer) -> str:
    """The instruction that makes a buffer a function's own."""
    type_ = f"[{max(buffer.size, 1)} x {memory_type(buffer.dtype)}]"
    return f"alloca {type_}, align {ALIGNMENT}"
