"""Where the scratch buffers of a program lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from pullback.compiler.llvm.holes import Hole
from pullback.compiler.llvm.parts import Names
from pullback.compiler.llvm.values import SIZES, memory_type
from pullback.compiler.loops import Buffer, Program, Tiles

__all__ = ["ALIGNMENT", "Layout", "Room", "layout", "scratch_layout", "variable"]

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


@dataclass(frozen=True)
class Room:
    """What the working memory of a program depends on.

    Attributes
    ----------
    buffers : tuple of Buffer
    shared : frozenset of str
        Those that the functions of tiles use, on whatever thread.
    """

    buffers: tuple[Buffer, ...]
    shared: frozenset[str]

    @staticmethod
    def of(program: Program) -> Room:
        return Room(program.buffers, frozenset(_in_tiles(program)))

    def resized(self, values: Sequence[Any]) -> Room:
        """The same for other numbers of the program, of which the first are the buffers' sizes."""
        pairs = zip(self.buffers, values, strict=False)
        return Room(tuple(replace(b, size=size) for b, size in pairs), self.shared)

    def layout(self, holes: Mapping[int, int] | None = None) -> Layout:
        """Where the scratch buffers lie, if code is made with these holes.

        Buffers of a size that is a hole are in the working memory, however small they are, so that
        code for any size finds them there.
        """
        offsets: dict[str, int] = {}
        total, stack, local = 0, 0, set()
        for position, buffer in enumerate(self.buffers):
            if buffer.kind != "scratch":
                continue
            size = aligned(buffer)
            known = not isinstance(buffer.size, Hole) and position not in (holes or {})
            small = known and size <= _SMALL
            if small and stack + size <= _STACK and buffer.name not in self.shared:
                local.add(buffer.name)
                stack += size
            else:
                offsets[buffer.name] = total
                total += size
        return Layout(offsets, total, frozenset(local))


def scratch_layout(program: Program, holes: Mapping[int, int] | None = None) -> Layout:
    """Where the scratch buffers of a program lie, if code is made with these holes."""
    return Room.of(program).layout(holes)


def layout(program: Program) -> Layout:
    """The layout of a program whose holes are in their places."""
    return Room.of(program).layout()


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
    return -(-buffer.size * SIZES[buffer.dtype] // ALIGNMENT) * ALIGNMENT


def variable(buffer: Buffer) -> str:
    """The instruction that makes a buffer a function's own."""
    type_ = f"[{max(buffer.size, 1)} x {memory_type(buffer.dtype)}]"
    return f"alloca {type_}, align {ALIGNMENT}"
