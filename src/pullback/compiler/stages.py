"""From a graph to a native function: each stage in its turn, timed and kept to be looked at."""

from __future__ import annotations

import functools
import struct
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import scipy

from pullback.compiler.cache import object_cache
from pullback.compiler.cache.key import object_key
from pullback.compiler.call import Array, Instance, NativeFunction
from pullback.compiler.callbacks import Callbacks
from pullback.compiler.context import context
from pullback.compiler.decomposition import decompose
from pullback.compiler.donation import safe_pairs
from pullback.compiler.fusion import arrange, fuse
from pullback.compiler.fusion.traversal import bodies_of
from pullback.compiler.generic.forms import Forms, Known, plainly
from pullback.compiler.generic.letters import letters
from pullback.compiler.generic.numbers import plain
from pullback.compiler.identity import Identity, identity
from pullback.compiler.linkage import Linkage, in_line, pack, unpack
from pullback.compiler.llvm import Room, areas, emit, numbers, symbols
from pullback.compiler.llvm.values import SIZES
from pullback.compiler.loops import Program, Statement, While, text
from pullback.compiler.lowering import Lowered, lower
from pullback.compiler.runtime import Library, assembly, compile_text, load
from pullback.compiler.runtime.threads import workers
from pullback.compiler.split import Split, split
from pullback.core.shapes import dtype_of, shape_of
from pullback.errors import ArgumentTypeError
from pullback.graph.graph import Graph
from pullback.graph.key import Outline, are_equal
from pullback.graph.program import Equation
from pullback.graph.program import Program as GraphProgram
from pullback.graph.variable import Variable
from pullback.passes.simplification import simplify

__all__ = ["Stages", "in_line", "results"]

_LONG = 1 << 17
"""From how many operations on other threads of Python may run during a call."""

_UNKNOWN = 1 << 62
"""So many operations may those be of which only the data knows how often they run."""


@dataclass
class Stages:
    """What a graph becomes, stage by stage; each is gone through when it is first asked for.

    Attributes
    ----------
    recorded : Graph
    donate : tuple of (int, int)
        Inputs whose memory an output may take over.
    varying : set of int
        Extents that are others for other sizes of the arguments.
    samples : set of int, optional
        The numbers of samples that it may be split along; by default any.
    exact : bool
        Whether each operation of the recording is rounded for itself: no product with its sum.
    seconds : dict of str to float
        By stage.
    cached : bool
        Whether the machine code was found on disk.
    """

    recorded: Graph
    donate: tuple[tuple[int, int], ...] = ()
    varying: frozenset[int] = frozenset()
    samples: frozenset[int] | None = None
    exact: bool = False
    seconds: dict[str, float] = field(default_factory=dict)
    cached: bool = False

    def __post_init__(self) -> None:
        _require_dtypes(self.recorded)

    @functools.cached_property
    def identity(self) -> Identity:
        """What tells the recording from others."""
        with self._timed("look up"):
            return identity(self.recorded)

    @functools.cached_property
    def graph(self) -> Graph:
        """The graph simplified, unless it is to be exact, and decomposed."""
        with self._timed("simplify"):
            graph = self.recorded if self.exact else simplify(self.recorded, verify=False)
        with self._timed("decompose"):
            decomposed = decompose(graph)
            settled = decomposed is graph or self.exact
            return decomposed if settled else simplify(decomposed, verify=False)

    @functools.cached_property
    def _in_loops(self) -> tuple[Lowered, Split]:
        """The program as lowered, and as it is fused, split and arranged.

        Large products are loops where that lets arrays stay in the cache, tile by tile.
        """
        graph = self.graph
        for in_loops in (True, False):
            with self._timed("lower"):
                lowered = lower(graph, self.varying, in_loops=in_loops)
            with self._timed("fuse"):
                fused = fuse(lowered.program)
            with self._timed("split"):
                found = split(fused, self.samples)
            if found.spares or not lowered.spared:
                break
        with self._timed("fuse"):
            return lowered, replace(found, program=arrange(found.program))

    @property
    def lowered(self) -> Lowered:
        """The program of loops, and what it needs from outside."""
        return self._in_loops[0]

    @property
    def split(self) -> Split:
        """The program of loops, fused, and tile by tile along its samples."""
        return self._in_loops[1]

    @property
    def program(self) -> Program:
        """The program that becomes machine code."""
        return self.split.program

    @functools.cached_property
    def linkage(self) -> Linkage:
        """What the machine code for these numbers needs beside itself; from disk, if it is."""
        lowered, program = self.lowered, self.program
        return Linkage(
            symbols(program),
            tuple(map(in_line, lowered.constants)),
            tuple(lowered.errors),
            safe_pairs(program, self.donate),
            self.room.resized([plain(b.size) for b in self.room.buffers]).layout().total,
            areas(program),
            _UNKNOWN if _has_while(program.body) else self.graph.cost().operations,
        )

    @functools.cached_property
    def room(self) -> Room:
        """What the working memory of the program depends on."""
        return Room.of(self.program)

    @functools.cached_property
    def outline(self) -> Outline:
        """The structure of the graph, and its numbers."""
        with self._timed("look up"):
            return Outline(self.graph)

    @functools.cached_property
    def known(self) -> Known:
        """What other sizes are compared with."""
        return Known(self.numbers, self.linkage, self.room)

    def for_sizes(self, varying: Collection[int], **known: Any) -> Stages:
        """The same for any size of the arguments, where these extents vary."""
        made = replace(self, varying=frozenset(varying))
        # What does not depend on it isn't made again.
        made.graph, made.outline = self.graph, self.outline
        for name, value in known.items():
            setattr(made, name, value)
        return made

    def varying_from(self, other: Stages) -> tuple[int, ...]:
        """The numbers that differ from those of another graph of the same key, by position."""
        pairs = zip(self.outline.holes, other.outline.holes, strict=True)
        return tuple(i for i, (a, b) in enumerate(pairs) if not are_equal(a.value, b.value))

    def for_any(self, other: Stages) -> tuple[Stages, Forms | None]:
        """The program for any size, and with letters for what differs from another graph.

        Without letters where arrays differ, or Python is called, which is told extents.
        """
        found = letters(self.graph, other.graph)
        if found is not None and letters(other.graph, self.graph) is not None:
            samples = None if self.samples is None else found.of(self.samples)
            made = replace(self, varying=found.varying, samples=samples)
            made.graph = found.graph
            known = made.known
            found.tape.open = False
            lowered, split = made._in_loops
            if not lowered.calls:
                numbers = {each.name: plain(getattr(split, each.name)) for each in fields(split)}
                numbers["program"] = plainly(split.program)
                within = lowered, replace(split, **numbers)
                forms = Forms(found, known)
                return self.for_sizes([*map(plain, found.varying)], _in_loops=within), forms
        holes = self.outline.holes
        places = self.varying_from(other)
        varying = [holes[i].value for i in places if holes[i].kind == "extent"]
        return self.for_sizes(varying), None

    @property
    def is_lowered(self) -> bool:
        """Whether the program has been made, not only found out about."""
        return "_in_loops" in vars(self)

    def loops(self) -> str:
        """The loops as text."""
        return text(self.program)

    def assembly(self) -> str:
        """The machine code as text."""
        return assembly(self.llvm())

    def llvm(self, holes: Sequence[int] = ()) -> str:
        """The program as LLVM has it; the numbers at these positions are told when it runs."""
        told = {each: i for i, each in enumerate(holes)}
        source = emit(self.program, holes=told, apart=not self.linkage.donated)
        return source.replace(" contract ", " ") if self.exact else source

    @functools.cached_property
    def numbers(self) -> tuple[str, list[Any]]:
        """The structure of the program, and the numbers that it leaves out."""
        return numbers(self.program)

    def kept(self) -> Library | None:
        """The machine code, if disk has it for this very recording: without the other stages."""
        key = self._key()
        if key is None:
            return None
        with self._timed("load"):
            packed = object_cache().get(key)
            if packed is None:
                return None
            linkage, code = unpack(packed)
            objects = object_cache().get(code)
            if objects is None:
                return None
            self.linkage, self.cached = linkage, True
            return load(objects)

    def machine_code(self, holes: Sequence[int] = ()) -> Library:
        """The machine code, from disk if it is there."""
        structure, values = self.numbers
        fixed = [None if i in set(holes) else value for i, value in enumerate(values)]
        linkage = self.linkage
        with self._timed("load"):
            key = object_key(repr((structure, fixed, bool(linkage.donated), self.exact)))
            objects = object_cache().get(key)
        self.cached = objects is not None
        if objects is None:
            with self._timed("emit"):
                source = self.llvm(holes)
            with self._timed("machine code"):
                objects = compile_text(source)
            seconds = self.seconds["machine code"]
            object_cache().put(key, objects, name=self.graph.name, seconds=seconds)
        if not (holes or self.varying or self.lowered.calls):
            self._keep(key)
        with self._timed("load"):
            return load(objects)

    def _keep(self, code: str) -> None:
        """Have the next process find the machine code of this key by the recording."""
        key, packed = self._key(), pack(self.linkage, code)
        if key is not None and packed is not None:
            object_cache().put(key, packed, name=f"{self.recorded.name}, as recorded")

    def _key(self) -> str | None:
        """What the recording is found by on disk; `None` if it cannot be."""
        if object_cache().location() is None or self.identity.whole is None:
            return None
        libraries = np.__version__, scipy.__version__
        samples = None if self.samples is None else sorted(self.samples)
        return object_key(
            repr(("recorded", self.identity, self.donate, samples, self.exact, libraries))
        )

    def function(self, code: Library) -> NativeFunction:
        """The native function for this machine code."""
        linkage = self.linkage
        # What is found on disk by its recording, or known by its numbers, calls nothing.
        calls = self.lowered.calls if self.is_lowered else ()
        callbacks = Callbacks(calls)
        return NativeFunction(
            self.recorded.name,
            code.address("run"),
            constants=linkage.constants,
            context=context(callbacks, linkage.symbols, self.threads),
            errors=linkage.errors,
            kept=Callbacks.kept(),
            donated=linkage.donated,
            single=self.recorded.signature.result.is_leaf(),
            witness=self.recorded.run,
            owner=(code, callbacks),
        )

    def instance(self, holes: Sequence[int] = ()) -> Instance:
        """What the entry is told of the arguments and results, and the numbers in the holes."""
        inputs = tuple(_argument(x) for x in self.recorded.inputs)
        outputs = results(self.recorded)
        scratch, given = self.scratch, None
        if holes:
            told = {each: i for i, each in enumerate(holes)}
            scratch += self.room.layout(told).total - self.linkage.scratch
            given = b"".join(_bits(self.numbers[1][i]) for i in holes)
        long = self.linkage.operations > _LONG or bool(self.linkage.areas)
        return Instance(inputs, outputs, given, scratch, long)

    @functools.cached_property
    def threads(self) -> int:
        """How many may go through tiles: code and working memory are for as many, from here on."""
        return workers() if self.linkage.areas else 1

    @property
    def scratch(self) -> int:
        """Bytes of working memory, without holes, for all threads."""
        linkage = self.linkage
        tiled = (each.bytes(self.threads) for each in linkage.areas)
        return linkage.scratch + max(tiled, default=0)

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start


def results(graph: Graph) -> tuple[Array, ...]:
    """What the outputs of a recording are to Python."""
    signature = graph.signature
    numbers = frozenset(signature.numbers)
    made: dict[Any, Array] = {}  # of many outputs most are alike
    found = []
    for position, out in enumerate(graph.outputs):
        dtype, shape = dtype_of(out), shape_of(out)
        kind: Any = "array"
        if not shape:
            if position in numbers:
                kind = "number"
            elif not signature.arrays.get(position, False):
                kind = "scalar"
        array = made.get((dtype, shape, kind))
        if array is None:
            array = made[dtype, shape, kind] = Array(dtype, shape, kind)
        found.append(array)
    return tuple(found)


def _require_dtypes(graph: Graph) -> None:
    """Refuse arrays that machine code cannot so much as hand to Python and take back."""
    named = zip(graph.signature.names, graph.inputs, strict=True)
    ends = [
        *((x.dtype, f"the argument {name}") for name, x in named),
        *((dtype_of(x), "a result") for x in graph.outputs),
    ]
    within = [
        *((out.dtype, _made_by(each)) for each in _equations(graph) for out in each.outputs),
        *((dtype_of(x), "a constant") for x in graph.constants.values()),
    ]
    for dtype, what in (*ends, *within):
        if dtype.name not in SIZES or (dtype.char in "gG" and (dtype, what) in ends):
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


def _has_while(body: Iterable[Statement]) -> bool:
    return any(
        isinstance(statement, While) or any(map(_has_while, bodies_of(statement)))
        for statement in body
    )


def _argument(x: Variable) -> Array:
    if x.weak is not None:
        return Array(x.dtype, (), "number")
    return Array(x.dtype, x.shape, "array" if x.array else "scalar")


def _bits(value: Any) -> bytes:
    """A number as a hole has it."""
    return struct.pack("<d", value) if type(value) is float else struct.pack("<Q", value % 2**64)
