"""Long stretches of statements cut into parts, each of which becomes a function."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from pullback.compiler.llvm.holes import Hole
from pullback.compiler.llvm.rewriting import Rewriting
from pullback.compiler.loops import (
    Check,
    Count,
    Kernel,
    Let,
    Scalar,
    Statement,
    Store,
    Tiles,
    operations,
)

__all__ = ["AREA", "Names", "divided", "weight"]

LONG = 1000
"""Instructions of a function, about; LLVM's time grows faster than a function's size."""


AREA = ""
"""Stands for the working memory of tiles among buffers."""


class Names(Rewriting):
    """How often the names of scalars and buffers stand in statements.

    Attributes
    ----------
    scalars, buffers : Counter
    given : dict of str to str
        The scalars that are given in the statements, with their dtypes.
    """

    def __init__(self, body: Sequence[Statement]) -> None:
        self.scalars: Counter[str] = Counter()
        self.buffers: Counter[str] = Counter()
        self.given: dict[str, str] = {}
        self.statements(body)

    def name(self, name: str) -> str:
        self.scalars[name] += 1
        return name

    def count(self, value: int) -> int:
        if isinstance(value, Hole | Count) and value.name is not None:
            self.name(value.name)
        return value

    def buffer(self, name: str) -> str:
        self.buffers[name] += 1
        return name

    def statement(self, statement: Statement) -> Statement:
        if isinstance(statement, Tiles):
            self.buffers[AREA] += 1
        return super().statement(statement)

    def scalar(self, scalar: Scalar) -> Scalar:
        self.given[scalar.name] = scalar.dtype
        return super().scalar(scalar)


def weight(statement: Statement, inline: Callable[[Kernel], int]) -> int:
    """About how many instructions a statement becomes where it stands."""
    if isinstance(statement, Let):
        return operations(statement.value)
    if isinstance(statement, Store):
        return 2 + operations(statement.value)
    if isinstance(statement, Check):
        return 2 + operations(statement.condition)
    return inline(statement) if isinstance(statement, Kernel) else 20


def divided(
    body: Sequence[Statement], inline: Callable[[Kernel], int]
) -> Iterator[Sequence[Statement]]:
    """The statements in parts of about `LONG` instructions."""
    part: list[Statement] = []
    size = 0
    for statement in body:
        part.append(statement)
        size += weight(statement, inline)
        if size >= LONG:
            yield part
            part, size = [], 0
    if part:
        yield part
