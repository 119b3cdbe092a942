"""The parts of a program are well formed programs, and make what the whole one does."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import pullback as pb
from pullback.compiler.fusion import fuse
from pullback.compiler.llvm.rewriting import Rewriting
from pullback.compiler.loops import interpret, verify
from pullback.compiler.lowering import lower
from pullback.compiler.over.chunk import Piece, Told, of_chunks
from pullback.compiler.over.parts import parts
from pullback.compiler.split import Lying, Sizes, stream
from pullback.compiler.stages import Stages
from pullback.core import trees
from tests.compiler.interpreted import parts as elements
from tests.compiler.over.test_over import require_close
from tests.compiler.over.workloads import WORKLOADS

SAMPLES = 150
SMALL = Sizes(most=16, streamed=16, least=16, block=32, enough=1 << 30)
NAMES = (
    "a net", "columns", "standardised", "softmax over samples", "standardised rows", "complex",
    "integers", "sequences", "samples in the middle", "by position", "covariance",
)  # fmt: skip


class Interpreted:
    """A function in parts that Python runs, in as many chunks."""

    def __init__(self, name):
        self.given = given = WORKLOADS[name]
        self.data = given.part(0, SAMPLES)
        graph = pb.trace(given.f, *given.others, *self.data)
        self.graph = graph
        self.lowered = lower(Stages(graph).graph, in_loops=True)
        program = fuse(self.lowered.program)
        inputs = [buffer.name for buffer in program.buffers if buffer.kind == "input"]
        leaves = [*map(elements, trees.flatten(given.others)[0])]
        self.values = dict(zip(inputs, leaves, strict=False))
        self.names = inputs[len(leaves) :]
        self.lying = {}
        for axis, x, buffer in zip(given.axes, self.data, self.names, strict=True):
            step = int(np.prod(x.shape[axis + 1 :])) * (2 if x.dtype.kind == "c" else 1)
            self.lying[buffer] = Lying(step, SAMPLES)
        self.split = stream(program, self.lying, SMALL)
        self.parts = parts(self.split.program, self.lying.keys())
        constants = [b.name for b in self.lowered.program.buffers if b.kind == "constant"]
        self.values.update(zip(constants, map(elements, self.lowered.constants), strict=True))

    def run(self, part, program, extra):
        """The outputs of a part, by name."""
        verify(program)
        values = {**self.values, **extra}
        given = [values[name] for name in part.inputs]
        given += [values[b.name] for b in program.buffers if b.kind == "constant"]
        return dict(zip(part.outputs, interpret(program, given), strict=True))

    def passes(self, cuts):
        """The results, samples being cut there."""
        outputs = {}
        for each in self.parts.passes:
            if each.head is not None:
                self.values.update(self.run(each.head, each.head.program, {}))
            names = each.tiles.outputs[len(each.sums) :]
            rows = {name: Lying(self.split.steps[name], SAMPLES) for name in names}
            told = of_chunks(each.tiles.program, self.lying, rows)
            sums = {}
            for first, end in itertools.pairwise(cuts):
                found = self.run(each.tiles, *self.chunk(told, first, end))
                for name, lying in rows.items():
                    row = found[name].reshape(-1, end - first, lying.step)
                    outputs.setdefault(name, []).append(row)
                for about in each.sums:
                    joined = found[about.buffer]
                    if about.buffer in sums:
                        join = {"add": np.add, "multiply": np.multiply}.get(about.combine)
                        join = join or getattr(np, about.combine)
                        joined = join(sums[about.buffer], joined)
                    sums[about.buffer] = joined
            self.values.update(sums)
            outputs.update((name, np.concatenate(outputs[name], 1)) for name in rows)
        outputs.update(self.run(self.parts.end, self.parts.end.program, {}))
        order = [b.name for b in self.lowered.program.buffers if b.kind == "output"]
        shapes = [(x.shape, x.dtype) for x in self.graph.outputs]
        leaves = [
            outputs[name].reshape(-1).view(dtype).reshape(shape)
            for name, (shape, dtype) in zip(order, shapes, strict=True)
        ]
        return trees.unflatten(self.graph.signature.result, leaves)

    def chunk(self, told, first, end):
        """The tiles' program for a chunk, which begins one sample earlier than they do."""
        begin = max(first - 1, 0)
        piece = Piece(end - begin, first - begin, end - first, first)
        chunk = self.given.part(begin, end)
        return _Filling(told, piece).program(told.program), dict(
            zip(self.names, map(elements, chunk), strict=True)
        )


class _Filling(Rewriting):
    """Puts the numbers of a piece into the holes."""

    def __init__(self, told, piece):
        self._values = dict(zip(told.holes, Told.values_of(told.rows, piece), strict=True))
        self._position = -1

    def number(self, value):
        self._position += 1
        return self._values.get(self._position, value)

    def extent(self, value):
        return value if value in (0, 1) else self.number(value)


@pytest.mark.parametrize("name", NAMES)
def test_parts_make_what_the_function_does(name):
    given = WORKLOADS[name]
    for cuts in ([0, SAMPLES], [0, 32, 33, 97, SAMPLES]):
        function = Interpreted(name)
        require_close(function.passes(cuts), given.f(*given.others, *function.data), 1e-10)
