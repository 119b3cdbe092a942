"""Statements rebuilt from other expressions, other places, and other statements within."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pullback.compiler.loops import (
    Branch,
    Call,
    Check,
    Copy,
    Expr,
    External,
    For,
    Kernel,
    Let,
    Place,
    Statement,
    Store,
    Sum,
    Tiles,
    While,
    Write,
)

__all__ = ["bodies_of", "rebuilt", "with_bodies"]

Body = tuple[Statement, ...]


def bodies_of(statement: Statement) -> list[Body]:
    """The rows of statements within a statement, other than the body of a kernel."""
    if isinstance(statement, For | Tiles):
        return [statement.body]
    if isinstance(statement, While):
        return [statement.test, statement.body]
    if isinstance(statement, Branch):
        return [body for body, _ in statement.branches]
    return []


def with_bodies(statement: Statement, change: Callable[[Body], Body]) -> Statement:
    """The statement with changed rows of statements within."""
    if isinstance(statement, For | Tiles):
        return replace(statement, body=change(statement.body))
    if isinstance(statement, While):
        return replace(statement, test=change(statement.test), body=change(statement.body))
    if isinstance(statement, Branch):
        return replace(
            statement, branches=tuple((change(body), values) for body, values in statement.branches)
        )
    return statement


def rebuilt(
    statement: Statement, value: Callable[[Expr], Expr], place: Callable[[Place], Place]
) -> Statement:
    """The statement with changed expressions and places; what stands within it is left alone.

    ``value`` is to change the places of loads itself.
    """
    if isinstance(statement, Let):
        found = value(statement.value)
        return statement if found is statement.value else Let(statement.scalar, found)
    if isinstance(statement, Check):
        return Check(value(statement.condition), statement.error)
    if isinstance(statement, Store):
        return Store(place(statement.place), value(statement.value))
    if isinstance(statement, Kernel):
        body = tuple(rebuilt(each, value, place) for each in statement.body)
        writes = tuple(_write(write, value, place) for write in statement.writes)
        return Kernel(statement.axes, body, writes, statement.place)  # type: ignore[arg-type]
    if isinstance(statement, Copy):
        return Copy(place(statement.target), place(statement.source), statement.size)
    if isinstance(statement, Call):
        return replace(statement, operands=tuple(map(place, statement.operands)))
    if isinstance(statement, External):
        arguments = tuple(
            place(x) if isinstance(x, Place) else value(x) for x in statement.arguments
        )
        return replace(statement, arguments=arguments)
    if isinstance(statement, Tiles):
        sums = tuple(Sum(place(Place(x.buffer)).buffer, x.combine) for x in statement.sums)
        return replace(statement, sums=sums)
    if isinstance(statement, Branch):
        branches = tuple((body, tuple(map(value, row))) for body, row in statement.branches)
        return Branch(value(statement.index), branches, statement.results)
    carries = tuple((scalar, value(initial)) for scalar, initial in statement.carries)
    nexts = tuple(map(value, statement.nexts))
    if isinstance(statement, For):
        return replace(statement, extent=value(statement.extent), carries=carries, nexts=nexts)
    return replace(statement, condition=value(statement.condition), carries=carries, nexts=nexts)


def _write(write: Write, value: Callable[[Expr], Expr], place: Callable[[Place], Place]) -> Write:
    target = place(write.target) if isinstance(write.target, Place) else write.target
    start = None if write.start is None else value(write.start)
    return Write(target, value(write.value), write.combine, start)
