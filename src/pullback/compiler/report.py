"""What became of a function: what is native and what is not, operations, memory, time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pullback.compiler.llvm import scratch_layout
from pullback.compiler.loops import Branch, For, Kernel, Program, Statement, While
from pullback.compiler.stages import Stages

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
    fallbacks : tuple of Fallback
    operations, bytes : int
        Floating-point operations, and the bytes that the equations read and write, from shapes.
    scratch : int
        Bytes of working memory.
    seconds : dict of str to float
        Compile time by stage.
    cached : bool
        Whether the machine code came from disk.
    """

    name: str
    equations: int
    kernels: int
    fallbacks: tuple[Fallback, ...]
    operations: int
    bytes: int
    scratch: int
    seconds: dict[str, float]
    cached: bool

    def __str__(self) -> str:
        lines = [
            f"{self.name}: {self.equations} equations, {self.kernels} kernels",
            f"  operations {self.operations:,}, bytes {self.bytes:,}, scratch {self.scratch:,}",
        ]
        if self.fallbacks:
            lines.append("  not native:")
        for each in self.fallbacks:
            lines.append(f"    {each.primitive}: {each.reason}{each.line and f' ({each.line})'}")
        times = ", ".join(f"{stage} {1e3 * time:.1f}" for stage, time in self.seconds.items())
        cached = "; machine code from disk" if self.cached else ""
        lines.append(f"  compiled in ms: {times}{cached}")
        return "\n".join(lines)


def report(stages: Stages) -> Report:
    """The report on stages that have been gone through."""
    cost = stages.graph.cost()
    fallbacks = []
    for call in stages.lowered.calls:
        place = call.equation.place
        line = "" if place is None else place.words()
        fallbacks.append(Fallback(call.equation.primitive.name, line, call.reason))
    return Report(
        stages.graph.name,
        len(stages.graph.equations),
        sum(isinstance(each, Kernel) for each in _all(stages.program)),
        tuple(fallbacks),
        cost.operations,
        cost.bytes,
        scratch_layout(stages.program).total,
        dict(stages.seconds),
        stages.cached,
    )


def _all(program: Program) -> Iterator[Statement]:
    pending = [*program.body]
    while pending:
        statement = pending.pop()
        yield statement
        if isinstance(statement, For):
            pending += statement.body
        elif isinstance(statement, While):
            pending += (*statement.test, *statement.body)
        elif isinstance(statement, Branch):
            for body, _ in statement.branches:
                pending += body
