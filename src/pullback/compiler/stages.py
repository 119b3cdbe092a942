"""From a graph to a native function: each stage in its turn, timed and kept to be looked at."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pullback.compiler.cache import object_cache
from pullback.compiler.cache.key import object_key
from pullback.compiler.call import Array, Instance, NativeFunction
from pullback.compiler.callbacks import Callbacks
from pullback.compiler.decomposition import decompose
from pullback.compiler.libraries import address_of
from pullback.compiler.llvm import emit, scratch_layout, symbols
from pullback.compiler.loops import Program, text, verify
from pullback.compiler.lowering import Lowered, lower
from pullback.compiler.runtime import assembly, compile_text, load
from pullback.core.shapes import dtype_of, shape_of
from pullback.graph.graph import Graph
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
    graph : Graph
        Simplified and decomposed.
    lowered : Lowered
    seconds : dict of str to float
        By stage.
    cached : bool
        Whether the machine code was found on disk.
    """

    recorded: Graph
    donate: tuple[tuple[int, int], ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    cached: bool = False

    def __post_init__(self) -> None:
        with self._timed("simplify"):
            self.graph = simplify(self.recorded, verify=False)
        with self._timed("decompose"):
            decomposed = decompose(self.graph)
            if decomposed is not self.graph:
                self.graph = simplify(decomposed, verify=False)
        with self._timed("lower"):
            self.lowered: Lowered = lower(self.graph)
            verify(self.lowered.program)

    @property
    def program(self) -> Program:
        """The program of loops."""
        return self.lowered.program

    def loops(self) -> str:
        """The loops as text."""
        return text(self.program)

    def assembly(self) -> str:
        """The machine code as text."""
        return assembly(self.llvm())

    def llvm(self) -> str:
        """The program as LLVM has it."""
        return emit(self.program)

    def function(self) -> NativeFunction:
        """The native function."""
        with self._timed("load"):
            key = object_key(text(self.program))
            objects = object_cache().get(key)
        self.cached = objects is not None
        if objects is None:
            with self._timed("emit"):
                source = self.llvm()
            with self._timed("machine code"):
                objects = compile_text(source)
            object_cache().put(
                key, objects, name=self.graph.name, seconds=self.seconds["machine code"]
            )
        with self._timed("load"):
            library = load(objects)
            address = library.address("run")
        callbacks = Callbacks(self.lowered.calls)
        words = [Callbacks.address() if self.lowered.calls else 0, callbacks.handle, 0]
        words += [address_of(symbol) for symbol in symbols(self.program)]
        return NativeFunction(
            self.recorded.name,
            address,
            constants=tuple(map(np.ascontiguousarray, self.lowered.constants)),
            context=np.array(words, np.uint64),
            errors=tuple(self.lowered.errors),
            kept=Callbacks.kept,
            donated=self.donate,
            single=self.recorded.signature.result.is_leaf(),
            owner=(library, callbacks),
        )

    def instance(self) -> Instance:
        """What the entry is told of the arguments and results."""
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
        scratch = scratch_layout(self.program).total
        operations = self.graph.cost().operations
        return Instance(inputs, tuple(outputs), scratch=scratch, long=operations > _LONG)

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start


def _argument(x: Variable) -> Array:
    if x.weak is not None:
        return Array(x.dtype, (), "number")
    return Array(x.dtype, x.shape, "array" if x.array else "scalar")
