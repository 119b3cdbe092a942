"""Running programs of loops as machine code."""

from __future__ import annotations

import ctypes
import struct

import numpy as np

from pullback.compiler.llvm import areas, emit, scratch_layout, symbols
from pullback.compiler.runtime import compile_text, load

__all__ = ["Native", "run"]

_RUN = ctypes.CFUNCTYPE(
    ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p
)
_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int32, ctypes.c_int64, ctypes.c_int32, ctypes.POINTER(ctypes.c_void_p)
)


class Native:
    """A program as machine code; `holes` as of `emit`."""

    def __init__(self, program, holes=None, level=1):
        self.text = emit(program, holes=holes)
        self._library = load(compile_text(self.text, level=level))
        self.function = _RUN(self._library.address("run"))
        self.holes = holes or {}
        self.symbols = symbols(program)

    def __call__(self, program, values, callback=None, poll=None, symbols=None, numbers=()):
        """The code of the program's end, and the outputs, between guards that are checked."""
        given = [b for kind in ("input", "constant") for b in program.buffers if b.kind == kind]
        arrays = {b.name: guarded(np.array(v, b.dtype).reshape(-1))
                  for b, v in zip(given, values, strict=True)}  # fmt: skip
        for buffer in program.buffers:
            if buffer.kind == "output":
                size = buffer.size * np.dtype(buffer.dtype).itemsize
                content = np.frombuffer(b"\xa5" * size, buffer.dtype)
                arrays[buffer.name] = guarded(content)
        order = [b.name for b in program.buffers if b.kind not in ("scratch", "tile")]
        pointers = (ctypes.c_void_p * max(len(order), 1))(
            *(arrays[name].ctypes.data for name in order)
        )
        total = scratch_layout(program, self.holes).total
        total += max((area.bytes(1) for area in areas(program)), default=0)
        scratch = np.full(total + 64 + 4096, 0xA5, np.uint8)
        start = -scratch.ctypes.data % 64
        words = np.zeros(6 + len(self.symbols), np.int64)
        words[4] = 1  # thread
        kept = []
        if callback is not None:
            kept.append(_CALLBACK(callback))
            words[0] = ctypes.cast(kept[-1], ctypes.c_void_p).value
            words[1] = 77
        if poll is not None:
            kept.append(ctypes.CFUNCTYPE(ctypes.c_int32)(poll))
            words[2] = ctypes.cast(kept[-1], ctypes.c_void_p).value
        for number, name in enumerate(self.symbols):
            kept.append(symbols[name])
            words[6 + number] = ctypes.cast(kept[-1], ctypes.c_void_p).value
        holes = np.zeros(max([0, *self.holes.values()]) + 1, np.int64)
        for position, index in self.holes.items():
            value = numbers[position]
            floating = isinstance(value, float)
            holes[index] = struct.unpack("<q", struct.pack("<d", value))[0] if floating else value
        code = self.function(
            ctypes.addressof(pointers), holes.ctypes.data, scratch.ctypes.data + start,
            words.ctypes.data,
        )  # fmt: skip
        for name, array in arrays.items():
            assert untouched(array), f"written outside of {name}"
        assert (scratch[start + total :][: 4096 - 64] == 0xA5).all(), "written outside of scratch"
        return code, [arrays[b.name] for b in program.buffers if b.kind == "output"]


GUARD, EDGE = 0xB7, 192


def guarded(array):
    """A copy of an array between bytes that nobody may touch, aligned to its items only."""
    space = np.full(array.nbytes + 2 * EDGE, GUARD, np.uint8)
    start = -space.ctypes.data % 64 + 64 + array.itemsize
    inner = space[start : start + array.nbytes].view(array.dtype)
    inner[...] = array
    return inner


def untouched(array):
    """Whether the bytes around a `guarded` array are as they were."""
    space = array.base
    while space.base is not None:
        space = space.base
    start = array.ctypes.data - space.ctypes.data
    around = np.concatenate([space[:start], space[start + array.nbytes :]])
    return (around == GUARD).all()


def run(program, values, *, level=1, **given):
    """Code and outputs of a program, compiled for this run."""
    return Native(program, level=level)(program, values, **given)
