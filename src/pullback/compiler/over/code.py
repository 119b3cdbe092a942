"""Machine code of parts: as text that can be sent elsewhere, and compiled where it runs."""

from __future__ import annotations

import functools
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pullback.compiler.cache import object_cache
from pullback.compiler.cache.key import object_key
from pullback.compiler.call import Array, Instance, NativeFunction, PortableEntry
from pullback.compiler.callbacks import Callbacks
from pullback.compiler.context import context
from pullback.compiler.linkage import in_line
from pullback.compiler.llvm import Area, areas, emit, scratch_layout, symbols
from pullback.compiler.loops import Program
from pullback.compiler.lowering import Lowered, PythonCall
from pullback.compiler.over.chunk import Piece, Told
from pullback.compiler.runtime import Library, compile_text, load
from pullback.compiler.runtime.threads import workers

__all__ = ["Code", "code_of"]


@dataclass(frozen=True, eq=False)
class Code:
    """What a part is called with, wherever that is.

    Attributes
    ----------
    name : str
    text : str
        In LLVM's language.
    symbols : tuple of str
        The functions of libraries that it calls.
    constants : tuple of numpy.ndarray
    errors : tuple of (exception class, str)
    scratch : int
        Bytes of working memory, beside those of tiles.
    areas : tuple of Area
        What the working memory of tiles depends on.
    holes : tuple of tuple of int
        How the numbers that it is told depend on a piece.
    calls : tuple of PythonCall
        What it calls Python for; there is none in tiles.
    """

    name: str
    text: str = field(repr=False)
    symbols: tuple[str, ...]
    constants: tuple[np.ndarray[Any, Any], ...] = field(repr=False)
    errors: tuple[tuple[type[Exception], str], ...]
    scratch: int
    areas: tuple[Area, ...]
    holes: tuple[tuple[int, ...], ...] = ()
    calls: tuple[PythonCall, ...] = ()

    def __call__(
        self,
        inputs: Sequence[Any],
        dtypes: Sequence[np.dtype[Any]],
        outputs: Sequence[Array],
        piece: Piece | None = None,
        threads: int | None = None,
    ) -> list[Any]:
        """The outputs.

        Parameters
        ----------
        inputs : sequence of array or number
        dtypes : sequence of numpy.dtype
            What they are to it.
        outputs : sequence of Array
            What they are to be.
        piece : Piece, optional
            Which samples tiles go through.
        threads : int, optional
            How many compute it; by default as many as there are for native code.
        """
        threads = workers() if threads is None else threads
        given = tuple(Array(dtype, np.shape(x)) for x, dtype in zip(inputs, dtypes, strict=True))
        numbers, tiled = b"", self.areas
        if piece is not None:
            values = Told.values_of(self.holes, piece)
            numbers = b"".join(struct.pack("<Q", value % 2**64) for value in values)
            tiled = tuple(area._replace(extent=piece.length) for area in tiled)
        scratch = self.scratch + max((area.bytes(threads) for area in tiled), default=0)
        instance = Instance(given, tuple(outputs), numbers, scratch, long=True)
        return self._entry(threads).outputs(instance, inputs)

    def _entry(self, threads: int) -> PortableEntry:
        found: dict[int, PortableEntry] = self.__dict__.setdefault("entries", {})
        if threads not in found:
            function = self._function(threads)
            found[threads] = PortableEntry(function, Instance((), ()), _none)
        return found[threads]

    def _function(self, threads: int) -> NativeFunction:
        code = _library(self.text, self.name)
        callbacks = Callbacks(self.calls)
        return NativeFunction(
            self.name,
            code.address("run"),
            constants=self.constants,
            context=context(callbacks, self.symbols, threads),
            errors=self.errors,
            kept=Callbacks.kept(),
            owner=(code, callbacks),
        )

    def __getstate__(self) -> dict[str, Any]:
        """It is sent elsewhere without what was made of it here."""
        return {name: value for name, value in self.__dict__.items() if name != "entries"}


def _none(*_: Any, **__: Any) -> Any:
    raise AssertionError("a part is called with what it was made for")


@functools.lru_cache(maxsize=64)
def _library(text: str, name: str) -> Library:
    key = object_key(text)
    objects = object_cache().get(key)
    if objects is None:
        objects = compile_text(text)
        object_cache().put(key, objects, name=name)
    return load(objects)


def code_of(program: Program, lowered: Lowered, told: Told | None = None) -> Code:
    """The code of a part.

    Parameters
    ----------
    program : Program
    lowered : Lowered
        What it was made from.
    told : Told, optional
        For any piece of a chunk.
    """
    if told is not None:
        program = told.program
    holes = {position: i for i, position in enumerate(told.holes if told else ())}
    names = [buffer.name for buffer in lowered.program.buffers if buffer.kind == "constant"]
    constants = dict(zip(names, lowered.constants, strict=True))
    return Code(
        lowered.program.name,
        emit(program, holes=holes),
        symbols(program),
        tuple(
            in_line(constants[buffer.name])
            for buffer in program.buffers
            if buffer.kind == "constant"
        ),
        tuple(lowered.errors),
        scratch_layout(program, holes).total,
        areas(program, holes),
        told.rows if told is not None else (),
        () if told is not None else tuple(lowered.calls),
    )
