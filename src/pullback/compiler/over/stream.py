"""A function whose samples come in chunks, as machine code: its passes, and its end."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from pullback.compiler.call import Array
from pullback.compiler.call.leaves import laid_out
from pullback.compiler.fusion import fuse
from pullback.compiler.fusion.traversal import bodies_of
from pullback.compiler.llvm.rewriting import Rewriting
from pullback.compiler.loops import Buffer, Call, For, Kernel, Program, Statement, Sum
from pullback.compiler.lowering import Lowered, lower
from pullback.compiler.over.chunk import Piece, of_chunks
from pullback.compiler.over.code import Code, code_of
from pullback.compiler.over.parts import Part, Pass, parts
from pullback.compiler.over.sums import Node, pieces
from pullback.compiler.split import Lying, NotStreamedError, stream
from pullback.compiler.stages import Stages, results
from pullback.core import trees
from pullback.core.memory import same_elements
from pullback.errors import ArgumentValueError
from pullback.graph.graph import Graph
from pullback.graph.places import user_line

__all__ = ["Given", "Rows", "Stream", "Tiled", "Values", "difference", "stream_of"]

Values = dict[str, Any]


class Rows(NamedTuple):
    """A result that has samples, as ``(groups, samples, step)``.

    Attributes
    ----------
    output : int
        Its position among the outputs.
    dtype : numpy.dtype
    groups, step : int
    """

    output: int
    dtype: np.dtype[Any]
    groups: int
    step: int

    def shape(self, samples: int) -> tuple[int, int, int]:
        return self.groups, samples, self.step


@dataclass(frozen=True)
class Head:
    """What is computed at once.

    Attributes
    ----------
    code : Code
    inputs : tuple of str
    dtypes : tuple of numpy.dtype
    names : tuple of str
    outputs : tuple of Array
    """

    code: Code
    inputs: tuple[str, ...]
    dtypes: tuple[np.dtype[Any], ...]
    names: tuple[str, ...]
    outputs: tuple[Array, ...]

    def __call__(self, values: Values) -> Values:
        """The outputs by their names, of the inputs by theirs."""
        found = self.code([values[name] for name in self.inputs], self.dtypes, self.outputs)
        return dict(zip(self.names, found, strict=True))


@dataclass(frozen=True)
class Tiled:
    """Once through the samples; it can be sent elsewhere.

    Attributes
    ----------
    code : Code
    inputs : tuple of str
    dtypes : tuple of numpy.dtype
    given : dict of str to int
        The inputs that come in chunks, and which of a chunk's arrays they are.
    sums : tuple of Sum
    buffers : tuple of Buffer
        What they are.
    rows : tuple of Rows
        The results that have samples.
    block : int
        Samples of a block.
    """

    code: Code
    inputs: tuple[str, ...]
    dtypes: tuple[np.dtype[Any], ...]
    given: dict[str, int]
    sums: tuple[Sum, ...]
    buffers: tuple[Buffer, ...]
    rows: tuple[Rows, ...]
    block: int

    def equals(self, other: Tiled) -> bool:
        """Whether another one does the same."""
        mine, theirs = self.code, other.code
        return (
            (mine.text, mine.holes, self.block, self.sums, self.inputs)
            == (theirs.text, theirs.holes, other.block, other.sums, other.inputs)
            and len(mine.constants) == len(theirs.constants)
            and all(map(same_elements, mine.constants, theirs.constants))
        )

    def __call__(
        self,
        values: Values,
        arrays: Sequence[np.ndarray[Any, Any]],
        samples: int,
        before: tuple[int, int],
        threads: int | None = None,
    ) -> tuple[list[Node], list[np.ndarray[Any, Any]]]:
        """The sums and the rows of a chunk.

        Parameters
        ----------
        values : dict
            The inputs that don't come in chunks, by name.
        arrays : sequence of array
            Those of the chunk.
        samples : int
            How many it has.
        before : (int, int)
            The samples, and the blocks, before it.
        threads : int, optional
        """
        found = [np.empty(each.shape(samples), each.dtype) for each in self.rows]
        nodes: list[Node] = []
        inputs = []
        for name, dtype in zip(self.inputs, self.dtypes, strict=True):
            value = arrays[self.given[name]] if name in self.given else values[name]
            inputs.append(laid_out(value, Array(dtype, np.shape(value))))
        totals = [Array(np.dtype(each.dtype), (each.size,)) for each in self.buffers]
        for level, index in pieces(before[1], -(-samples // self.block)):
            first = ((index << level) - before[1]) * self.block
            length = min(self.block << level, samples - first)
            piece = Piece(samples, first, length, before[0] + first)
            rows = [Array(each.dtype, each.shape(length)) for each in self.rows]
            out = self.code(inputs, self.dtypes, [*totals, *rows], piece, threads)
            nodes.append(Node(level, index, out[: len(totals)]))
            for whole, part in zip(found, out[len(totals) :], strict=True):
                whole[:, first : first + length] = part
        return nodes, found


@dataclass(frozen=True)
class Stream:
    """A function for so many samples in all.

    Attributes
    ----------
    graph : Graph
    program : Program
        Of loops, all of it.
    samples : int
    inputs : dict of str to int
        Those that don't come in chunks, and which of the leaves of the other arguments they are.
    passes : tuple of (Head or None, Tiled)
    end : Head
    ended : tuple of int
        Which of the outputs are its.
    """

    graph: Graph
    program: Program
    samples: int
    inputs: dict[str, int]
    passes: tuple[tuple[Head | None, Tiled], ...]
    end: Head
    ended: tuple[int, ...]

    def values(self, leaves: Sequence[Any]) -> Values:
        """The inputs by their names, of the leaves of the other arguments."""
        return {name: leaves[position] for name, position in self.inputs.items()}

    def result(self, ended: Sequence[Any], rows: Mapping[int, np.ndarray[Any, Any]]) -> Any:
        """The function's result."""
        leaves: list[Any] = [None] * len(self.graph.outputs)
        for position, leaf in zip(self.ended, ended, strict=True):
            leaves[position] = leaf
        shapes = [x.shape for x in results(self.graph)]
        for position, row in rows.items():
            leaves[position] = row.reshape(shapes[position])
        return trees.unflatten(self.graph.signature.result, leaves)


class Given(NamedTuple):
    """An input of the recording that comes in chunks.

    Attributes
    ----------
    input : int
        Its position among the inputs of the graph.
    array : int
        Its position among the arrays of a chunk.
    axis : int
        That of the samples.
    """

    input: int
    array: int
    axis: int


def stream_of(
    graph: Graph, given: Sequence[Given], others: Mapping[int, int], samples: int
) -> Stream:
    """The code of a recorded function.

    Parameters
    ----------
    graph : Graph
        As recorded, for all samples.
    given : sequence of Given
    others : mapping of int to int
        For each other input which leaf of the other arguments it is.
    samples : int

    Raises
    ------
    ArgumentValueError
        If a line needs all samples at once.
    """
    return _Making(graph, given, others, samples).stream()


class _Making:
    def __init__(
        self, graph: Graph, given: Sequence[Given], others: Mapping[int, int], samples: int
    ) -> None:
        self._recorded, self._samples = graph, samples
        self._lowered = lower(Stages(graph).graph, in_loops=True)
        program = fuse(self._lowered.program)
        inputs = [buffer.name for buffer in program.buffers if buffer.kind == "input"]
        self._lying = {
            inputs[each.input]: Lying(_step(graph.inputs[each.input], each.axis), samples)
            for each in given
        }
        self._arrays = {inputs[each.input]: each.array for each in given}
        self._others = {inputs[i]: position for i, position in others.items()}
        try:
            self._split = stream(program, self._lying)
        except NotStreamedError as error:
            raise ArgumentValueError(
                f"over of {graph.name}: {_line(error.statement, self._lowered)} {error.reason}, "
                "and not all are in memory; compute it beforehand and pass it as an argument, or "
                "call the function with arrays of all samples"
            ) from None
        self._buffers = {buffer.name: buffer for buffer in self._split.program.buffers}
        self._dtypes = dict(zip(inputs, (x.dtype for x in graph.inputs), strict=True))
        names = [buffer.name for buffer in program.buffers if buffer.kind == "output"]
        self._outputs = {name: position for position, name in enumerate(names)}
        self._results = results(graph)

    def stream(self) -> Stream:
        found = parts(self._split.program, self._lying.keys())
        end = self._head(found.end)
        return Stream(
            self._recorded,
            self._split.program,
            self._samples,
            self._others,
            tuple(
                (each.head and self._head(each.head), self._tiled(each)) for each in found.passes
            ),
            end,
            tuple(self._outputs[name] for name in end.names),
        )

    def _head(self, part: Part) -> Head:
        outputs = []
        kinds = {x.name: x for x in part.program.buffers if x.kind == "output"}
        for name, buffer in zip(part.outputs, kinds.values(), strict=True):
            if name in self._outputs and buffer.name == name:
                outputs.append(self._results[self._outputs[name]])
            else:
                outputs.append(Array(np.dtype(buffer.dtype), (buffer.size,)))
        code = code_of(part.program, self._lowered)
        return Head(code, part.inputs, self._input_dtypes(part), part.outputs, tuple(outputs))

    def _input_dtypes(self, part: Part) -> tuple[np.dtype[Any], ...]:
        buffers = [x for x in part.program.buffers if x.kind == "input"]
        return tuple(
            self._dtypes.get(name, np.dtype(buffer.dtype))
            for name, buffer in zip(part.inputs, buffers, strict=True)
        )

    def _tiled(self, each: Pass) -> Tiled:
        part = each.tiles
        rows = [self._rows(name) for name in part.outputs[len(each.sums) :]]
        lying = {
            name: Lying(self._split.steps[name], self._samples)
            for name in part.outputs[len(each.sums) :]
        }
        told = of_chunks(part.program, self._lying, lying)
        return Tiled(
            code_of(part.program, self._lowered, told),
            part.inputs,
            self._input_dtypes(part),
            {name: self._arrays[name] for name in part.inputs if name in self._arrays},
            each.sums,
            tuple(self._buffers[x.buffer] for x in each.sums),
            tuple(rows),
            each.block,
        )

    def _rows(self, name: str) -> Rows:
        position = self._outputs[name]
        dtype = self._results[position].dtype
        step = self._split.steps[name] // _parts(dtype)
        size = math.prod(self._results[position].shape)
        return Rows(position, dtype, size // (step * self._samples), step)


def _parts(dtype: np.dtype[Any]) -> int:
    """How many numbers an element is in a buffer."""
    return 2 if dtype.kind == "c" else 1


def _step(x: Any, axis: int) -> int:
    """From an element to that of the next sample."""
    return int(math.prod(x.shape[axis + 1 :])) * _parts(x.dtype)


def _line(statement: Statement, lowered: Lowered) -> str:
    """Which of the user's lines a statement comes from."""
    pending = [statement]
    while pending:
        each = pending.pop(0)
        if isinstance(each, Kernel | For) and each.place is not None:
            words = str(each.place.words())
            # What the reverse sweep records is said to come from where it was asked for.
            return words if f" at {words}" != user_line() else "what the derivative is made of"
        if isinstance(each, Call):
            equation = lowered.calls[each.number].equation
            at = "" if equation.place is None else f" at {equation.place.words()}"
            return f"{equation.primitive.name}{at}, which Python evaluates,"
        pending += [inner for body in bodies_of(each) for inner in body]
    return "the function"


def difference(one: Program, other: Program) -> str:
    """The first of the user's lines with a constant that differs in tiles of two programs."""
    pairs = zip(_kernels(one.body), _kernels(other.body), strict=False)
    for mine, theirs in pairs:
        if _Constants.of(mine) != _Constants.of(theirs) and mine.place is not None:
            return str(mine.place.words())
    return ""


def _kernels(body: Iterable[Statement]) -> Iterator[Kernel]:
    for statement in body:
        if isinstance(statement, Kernel):
            yield statement
        for inner in bodies_of(statement):
            yield from _kernels(inner)


class _Constants(Rewriting):
    """The constants of a kernel."""

    def __init__(self) -> None:
        self.found: list[Any] = []

    @classmethod
    def of(cls, kernel: Kernel) -> list[Any]:
        constants = cls()
        constants.kernel(kernel)
        return constants.found

    def constant(self, value: Any, dtype: str) -> Any:
        self.found.append(value)
        return value
