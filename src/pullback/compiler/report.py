"""What became of a function: what is native and what is not, operations, memory, time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pullback.compiler.fusion.traversal import bodies_of
from pullback.compiler.loops import Kernel, Program, Statement
from pullback.compiler.stages import Stages
from pullback.graph.program import Equation
from pullback.graph.program import Program as GraphProgram
from pullback.lifting.recording import Unrolled

__all__ = ["Fallback", "Report", "report"]


@dataclass(frozen=True)
class Fallback:
    """A primitive that Python evaluates between native code.

    Attributes
    ----------
    primitive : str
    line : str
        The line of yours that it comes from, if it is known.
    reason : str
    """

    primitive: str
    line: str
    reason: str


@dataclass(frozen=True)
class Report:
    """What became of a function for arguments of one kind.

    Attributes
    ----------
    name : str
    equations : int
        Of the graph that was compiled.
    kernels : int
        Loops over arrays.
    lines : dict of str to (int, int)
        For each of your lines how many of the primitives that come from it are native, and how many
        are not.
    fallbacks : tuple of Fallback
    operations, bytes : int
        Floating-point operations, and the bytes that the equations read and write, from shapes.
    scratch : int
        Bytes of working memory.
    samples, phases, tile, block : int
        How many samples the function is split along, how often it goes through them, how many it
        computes together, and how many make a sum that others are joined with, or several where it
        goes through them more than once; 0 where it isn't split.
    axes : dict of str to int
        The arguments that have the samples, and along which axis.
    saved : int
        Bytes of arrays that are never in memory as a whole, because of that.
    threads : int
        How many may compute them.
    seconds : dict of str to float
        Compile time by stage.
    cached : bool
        Whether the machine code came from disk.
    unrolled : tuple of Unrolled
        The Python loops that could not be kept, and why.
    """

    name: str
    equations: int
    kernels: int
    lines: dict[str, tuple[int, int]]
    fallbacks: tuple[Fallback, ...]
    operations: int
    bytes: int
    scratch: int
    samples: int
    phases: int
    tile: int
    block: int
    axes: dict[str, int]
    saved: int
    threads: int
    seconds: dict[str, float]
    cached: bool
    unrolled: tuple[Unrolled, ...] = ()

    def __str__(self) -> str:
        lines = [
            f"{self.name}: {self.equations} equations, {self.kernels} kernels",
            f"  operations {self.operations:,}, bytes {self.bytes:,}, scratch {self.scratch:,}",
        ]
        if self.samples:
            lines += self._split()
        for line, (native, called) in self.lines.items():
            share = "native" if not called else f"{native} of {native + called} native"
            lines.append(f"  {share}: {line}")
        for each in self.fallbacks:
            at = each.line and f", at {each.line}"
            lines.append(f"  {each.primitive} is called through Python: {each.reason}{at}")
        lines += [f"  {each}" for each in self.unrolled]
        times = ", ".join(f"{stage} {1e3 * time:.1f}" for stage, time in self.seconds.items())
        cached = "; machine code from disk" if self.cached else ""
        lines.append(f"  compiled in ms: {times}{cached}")
        return "\n".join(lines)

    def _split(self) -> list[str]:
        where = ", ".join(f"axis {axis} of {name}" for name, axis in self.axes.items())
        phases = "phase" if self.phases == 1 else "phases"
        threads = "thread" if self.threads == 1 else "threads"
        sizes = f"{self.phases} {phases}, tiles of {self.tile}, blocks of {self.block}"
        return [
            f"  split along {self.samples:,} samples{where and f' ({where})'}: {sizes}",
            f"  {self.saved:,} bytes of arrays stay in tiles; {self.threads} {threads} at most",
        ]


def report(stages: Stages) -> Report:
    """The report on what stages have made; those that the disk saved are gone through now."""
    seconds = dict(stages.seconds)
    cost = stages.graph.cost()
    calls = stages.lowered.calls
    fallbacks = [
        Fallback(call.equation.primitive.name, _line(call.equation), call.reason) for call in calls
    ]
    return Report(
        stages.graph.name,
        len(stages.graph.equations),
        sum(isinstance(each, Kernel) for each in _all(stages.program)),
        _lines(stages.graph, {id(call.equation) for call in calls}),
        tuple(fallbacks),
        cost.operations,
        cost.bytes,
        stages.scratch,
        stages.split.samples,
        stages.split.phases,
        stages.split.tile,
        stages.split.unit,
        _axes(stages),
        stages.split.saved,
        stages.threads,
        seconds,
        stages.cached,
    )


def _axes(stages: Stages) -> dict[str, int]:
    """The arguments that have samples, each with their axis."""
    found = {}
    inputs = [buffer for buffer in stages.program.buffers if buffer.kind == "input"]
    recorded = stages.recorded
    for buffer, name, x in zip(inputs, recorded.signature.names, recorded.inputs, strict=True):
        step = stages.split.steps.get(buffer.name)
        after = 1
        for axis in reversed(range(len(x.shape))):
            if step == after and x.shape[axis] == stages.split.samples:
                found[name] = axis
            after *= x.shape[axis]
    return found


def _line(equation: Equation) -> str:
    return "" if equation.place is None else equation.place.words()


def _lines(graph: GraphProgram, called: set[int]) -> dict[str, tuple[int, int]]:
    """For each line the numbers of native and of other equations."""
    found: dict[str, tuple[int, int]] = {}
    pending = [graph]
    while pending:
        for equation in pending.pop().equations:
            pending += equation.graphs.values()
            line = _line(equation)
            if line:
                native, others = found.get(line, (0, 0))
                is_called = id(equation) in called
                found[line] = (native + (not is_called), others + is_called)
    return found


def _all(program: Program) -> Iterator[Statement]:
    pending = [*program.body]
    while pending:
        statement = pending.pop()
        yield statement
        for body in bodies_of(statement):
            pending += body
