"""From a graph to a native function: each stage in its turn, timed and kept to be looked at."""

from __future__ import annotations

import functools
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pullback.compiler.cache import object_cache
from pullback.compiler.cache.key import object_key
from pullback.compiler.call import Array, Instance, NativeFunction
from pullback.compiler.callbacks import Callbacks
from pullback.compiler.decomposition import decompose
from pullback.compiler.donation import safe_pairs
from pullback.compiler.fusion import fuse
from pullback.compiler.interrupts import poll_address
from pullback.compiler.libraries import address_of
from pullback.compiler.llvm import emit, numbers, scratch_layout, symbols
from pullback.compiler.llvm.values import SIZES
from pullback.compiler.loops import Program, text
from pullback.compiler.lowering import Lowered, lower
from pullback.compiler.runtime import Library, assembly, compile_text, load
from pullback.core.shapes import dtype_of, shape_of
from pullback.errors import ArgumentTypeError
from pullback.graph.graph import Graph
from pullback.graph.program import Equation
from pullback.graph.program import Program as GraphProgram
from pullback.graph.variable import Variable
from pullback.passes.simplification import simplify

__all__ = ["Stages"]

_LONG = 1 << 17
"""From how many operations on other threads of Python may run during a call."""


@dataclass
class Stages:
    """What a graph has become, stage by stage.

    Attributes
    ----------
    recorded : Graph
    donate : tuple of (int, int)
        Inputs whose memory an output may take over.
    varying : set of int
        Extents that are others for other sizes of the arguments.
    graph : Graph
        Simplified and decomposed.
    lowered : Lowered
    program : Program
        Of loops, fused.
    seconds : dict of str to float
        By stage.
    cached : bool
        Whether the machine code was found on disk.
    """

    recorded: Graph
    donate: tuple[tuple[int, int], ...] = ()
    varying: frozenset[int] = frozenset()
    seconds: dict[str, float] = field(default_factory=dict)
    cached: bool = False

    def __post_init__(self) -> None:
        _require_dtypes(self.recorded)
        with self._timed("simplify"):
            self.graph = simplify(self.recorded, verify=False)
        with self._timed("decompose"):
            decomposed = decompose(self.graph)
            if decomposed is not self.graph:
                self.graph = simplify(decomposed, verify=False)
        with self._timed("lower"):
            self.lowered: Lowered = lower(self.graph, self.varying)
        with self._timed("fuse"):
            self.program: Program = fuse(self.lowered.program)
        self.donate = safe_pairs(self.program, self.donate)

    def for_any(self, other: Stages) -> tuple[Stages, Stages] | None:
        """The same, and another, for any size of the arguments: extents in which they differ vary.

        `None` where they differ in more than numbers.
        """
        if self.graph.key() != other.graph.key():
            return None
        places = self.graph.differences(other.graph)
        pair = []
        for stages in (self, other):
            holes = stages.graph.holes()
            varying = frozenset(holes[i].value for i in places if holes[i].kind == "extent")
            pair.append(Stages(stages.recorded, stages.donate, varying))
        mine, theirs = pair
        return mine, theirs

    def loops(self) -> str:
        """The loops as text."""
        return text(self.program)

    def assembly(self) -> str:
        """The machine code as text."""
        return assembly(self.llvm())

    def llvm(self, holes: Sequence[int] = ()) -> str:
        """The program as LLVM has it; the numbers at these positions are told when it runs."""
        told = {each: i for i, each in enumerate(holes)}
        return emit(self.program, holes=told, apart=not self.donate)

    @functools.cached_property
    def numbers(self) -> tuple[str, list[Any]]:
        """The structure of the program, and the numbers that it leaves out."""
        return numbers(self.program)

    def machine_code(self, holes: Sequence[int] = ()) -> Library:
        """The machine code, from disk if it is there."""
        structure, values = self.numbers
        fixed = [None if i in set(holes) else value for i, value in enumerate(values)]
        with self._timed("load"):
            key = object_key(repr((structure, fixed, bool(self.donate))))
            objects = object_cache().get(key)
        self.cached = objects is not None
        if objects is None:
            with self._timed("emit"):
                source = self.llvm(holes)
            with self._timed("machine code"):
                objects = compile_text(source)
            seconds = self.seconds["machine code"]
            object_cache().put(key, objects, name=self.graph.name, seconds=seconds)
        with self._timed("load"):
            return load(objects)

    def function(self, code: Library) -> NativeFunction:
        """The native function for this machine code."""
        callbacks = Callbacks(self.lowered.calls)
        words = [Callbacks.address() if self.lowered.calls else 0, callbacks.handle, poll_address()]
        words += [address_of(symbol) for symbol in symbols(self.program)]
        return NativeFunction(
            self.recorded.name,
            code.address("run"),
            constants=tuple(map(_in_line, self.lowered.constants)),
            context=np.array(words, np.uint64),
            errors=tuple(self.lowered.errors),
            kept=Callbacks.kept,
            donated=self.donate,
            single=self.recorded.signature.result.is_leaf(),
            owner=(code, callbacks),
        )

    def instance(self, holes: Sequence[int] = ()) -> Instance:
        """What the entry is told of the arguments and results, and the numbers in the holes."""
        signature = self.recorded.signature
        inputs = tuple(_argument(x) for x in self.recorded.inputs)
        outputs = []
        for position, out in enumerate(self.recorded.outputs):
            kind: Any = "array"
            if not shape_of(out):
                if position in signature.numbers:
                    kind = "number"
                elif not signature.arrays.get(position, False):
                    kind = "scalar"
            outputs.append(Array(dtype_of(out), shape_of(out), kind))
        told = {each: i for i, each in enumerate(holes)}
        scratch = scratch_layout(self.program, told).total
        values = self.numbers[1]
        given = b"".join(_bits(values[i]) for i in holes) if holes else None
        operations = self.graph.cost().operations
        return Instance(inputs, tuple(outputs), given, scratch, operations > _LONG)

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start


def _require_dtypes(graph: Graph) -> None:
    """Refuse arrays that machine code cannot so much as hand to Python and take back."""
    named = zip(graph.signature.names, graph.inputs, strict=True)
    found = [
        *((x.dtype, f"the argument {name}") for name, x in named),
        *((out.dtype, _made_by(each)) for each in _equations(graph) for out in each.outputs),
        *((dtype_of(x), "a constant") for x in graph.constants.values()),
        *((dtype_of(x), "a result") for x in graph.outputs),
    ]
    for dtype, what in found:
        if dtype.name not in SIZES or dtype.char in "gG":
            raise ArgumentTypeError(
                f"compile of {graph.name}: {what} has the dtype {dtype}, which has no form in "
                "machine code, wanted a boolean, integer, floating or complex one of at most 16 "
                "bytes; convert it with x.astype(np.float64), or leave the function to NumPy"
            )


def _equations(graph: GraphProgram) -> Iterator[Equation]:
    for equation in graph.equations:
        yield equation
        for nested in equation.graphs.values():
            yield from _equations(nested)


def _made_by(equation: Equation) -> str:
    at = "" if equation.place is None else f" at {equation.place.words()}"
    return f"what {equation.primitive.name} gives{at}"


def _argument(x: Variable) -> Array:
    if x.weak is not None:
        return Array(x.dtype, (), "number")
    return Array(x.dtype, x.shape, "array" if x.array else "scalar")


def _in_line(constant: Any) -> Any:
    """A constant as native code reads it, whatever array of the user's it is."""
    constant = np.ascontiguousarray(constant, constant.dtype.newbyteorder("="))
    return constant if constant.ctypes.data % constant.itemsize == 0 else constant.copy()


def _bits(value: Any) -> bytes:
    """A number as a hole has it."""
    return struct.pack("<d", value) if type(value) is float else struct.pack("<Q", value % 2**64)
