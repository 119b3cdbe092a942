"""Buffers that get other names, and how many statements touch each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from pullback.compiler.fusion.effects import own_effects
from pullback.compiler.fusion.traversal import bodies_of, rebuilt, with_bodies
from pullback.compiler.loops import Expr, Load, Op, Place, Statement

__all__ = ["renamed", "touches"]


def renamed(body: Iterable[Statement], new: Mapping[str, str]) -> tuple[Statement, ...]:
    """The statements with other names for buffers."""
    if not new:
        return tuple(body)

    def place(at: Place) -> Place:
        return at._replace(buffer=new.get(at.buffer, at.buffer))

    def value(expr: Expr) -> Expr:
        if isinstance(expr, Op):
            if any(isinstance(arg, Op | Load) for arg in expr.args):
                return Op(expr.name, tuple(map(value, expr.args)), expr.dtype)
        elif isinstance(expr, Load):
            where = None if expr.where is None else value(expr.where)
            return Load(place(expr.place), expr.dtype, where)
        return expr

    def row(body: Iterable[Statement]) -> tuple[Statement, ...]:
        return tuple(with_bodies(rebuilt(each, value, place), row) for each in body)

    return row(body)


def touches(body: Iterable[Statement]) -> Counter[str]:
    """In how many statements, those within others included, each buffer is read or written."""
    found: Counter[str] = Counter()
    for statement in _all(body):
        about = own_effects(statement)
        found.update(about.reads | about.writes)
    return found


def _all(body: Iterable[Statement]) -> Iterator[Statement]:
    for statement in body:
        yield statement
        for inner in bodies_of(statement):
            yield from _all(inner)
