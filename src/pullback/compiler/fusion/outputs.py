"""Scratch that lies where an output will be.

``t`` is in the place of the output y, which is as long, if

* no statement touches y before the last one that touches t, and that is a kernel or a copy;
* it writes y, and reads of t, at each point, no more than the element in whose place it writes.

So there is less memory, and what is written is in the cache, for it was just read.
"""

from __future__ import annotations

from collections.abc import Iterator

from pullback.compiler.fusion.buffers import renamed
from pullback.compiler.fusion.effects import effects, leaves
from pullback.compiler.loops import (
    Copy,
    Expr,
    Kernel,
    Let,
    Load,
    Place,
    Program,
    Scalar,
    Statement,
)

__all__ = ["in_outputs", "in_step"]


def in_outputs(program: Program) -> Program:
    """The program with scratch buffers in outputs, one at most in each."""
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for position, statement in enumerate(program.body):
        about = effects(statement)
        for buffer in about.reads | about.writes:
            first.setdefault(buffer, position)
            last[buffer] = position
    outputs = {b.name: b for b in program.buffers if b.kind == "output" and b.name in first}
    new: dict[str, str] = {}
    for scratch in program.buffers:
        if scratch.kind != "scratch" or scratch.name not in first:
            continue
        end = last[scratch.name]
        for name, output in outputs.items():
            alike = (output.dtype, output.size) == (scratch.dtype, scratch.size)
            if alike and first[name] == end and in_step(program.body[end], scratch.name, name):
                new[scratch.name] = name
                del outputs[name]
                break
    kept = tuple(b for b in program.buffers if b.name not in new)
    return Program(program.name, kept, renamed(program.body, new)) if new else program


def in_step(statement: Statement, read: str, written: str) -> bool:
    """Whether each element of one buffer is read where that of the other is written, or nowhere."""
    if isinstance(statement, Copy):
        same = statement.source._replace(buffer="") == statement.target._replace(buffer="")
        return (statement.source.buffer, statement.target.buffer) == (read, written) and same
    if not isinstance(statement, Kernel):
        return False
    into = {read, written}
    writes = [
        write
        for write in statement.writes
        if isinstance(write.target, Place) and write.target.buffer in into
    ]
    if len(writes) != 1 or writes[0].combine:
        return False
    target = writes[0].target
    assert not isinstance(target, Scalar)
    return target.buffer == written and all(
        _where(load.place) == _where(target)
        for load in _loads(statement)
        if load.place.buffer in into
    )


def _where(place: Place) -> tuple[int, frozenset[tuple[str, int]]]:
    return place.offset, frozenset(place.terms)


def _loads(kernel: Kernel) -> Iterator[Load]:
    values: list[Expr] = [write.value for write in kernel.writes]
    values += [each.value if isinstance(each, Let) else each.condition for each in kernel.body]
    for value in values:
        yield from (leaf for leaf in leaves(value) if isinstance(leaf, Load))
