"""Elements of buffers that are known, used without reading them.

``y[p] = v; S; w = y[p]`` is ``y[p] = v; S`` with v for w, and ``v = y[p]; S; w = y[p]`` is
``v = y[p]; S`` with v for w, if S writes to no place of y but those that are a known number of
elements away from p. In a loop and in a choice that is so for buffers to which nothing in it
writes; kernels use what is known before them.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable

from pullback.compiler.fusion.effects import effects
from pullback.compiler.fusion.substitution import Substitution, canonical
from pullback.compiler.fusion.traversal import rebuilt, with_bodies
from pullback.compiler.loops import (
    Const,
    Expr,
    Kernel,
    Let,
    Load,
    Name,
    Op,
    Place,
    Statement,
    Store,
)

__all__ = ["forwarded"]

Terms = tuple[tuple[str, int], ...]


def forwarded(body: tuple[Statement, ...]) -> tuple[Statement, ...]:
    """The statements, with scalars for elements that are known."""
    return _row(body, _Elements(), Substitution())


def _row(
    body: tuple[Statement, ...], known: _Elements, names: Substitution
) -> tuple[Statement, ...]:
    found = []
    for statement in body:
        kept = _statement(statement, known, names)
        if kept is not None:
            found.append(kept)
    return tuple(found)


class _Elements:
    """What is known to be in buffers: in each of them, at places with the same variable part."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Terms, dict[int, Name | Const]]] = {}

    def find(self, place: Place) -> Name | Const | None:
        """What is at a place."""
        terms, row = self._known.get(place.buffer, ((), {}))
        return row.get(place.offset) if terms == place.terms else None

    def store(self, place: Place, value: Expr) -> None:
        """Say what is written to a place."""
        terms, row = self._known.get(place.buffer, ((), {}))
        if terms != place.terms:
            row = {}
        row.pop(place.offset, None)
        if isinstance(value, Name | Const):
            row[place.offset] = value
        self._known[place.buffer] = (place.terms, row)

    def load(self, place: Place, value: Name) -> None:
        """Say what was read, which says nothing of other places."""
        terms, row = self._known.setdefault(place.buffer, (place.terms, {}))
        if terms == place.terms:
            row[place.offset] = value

    def forget(self, buffers: Iterable[str]) -> None:
        """Say that anything may be in buffers."""
        for buffer in buffers:
            self._known.pop(buffer, None)

    def among(self, buffers: Iterable[str]) -> _Elements:
        """A copy of what is known of some buffers."""
        found = _Elements()
        for buffer in buffers:
            if buffer in self._known:
                terms, row = self._known[buffer]
                found._known[buffer] = (terms, {**row})
        return found


def _statement(statement: Statement, known: _Elements, names: Substitution) -> Statement | None:

    def value(expr: Expr) -> Expr:
        return _without_loads(names.value(expr), known)

    if isinstance(statement, Let):
        found = value(statement.value)
        if isinstance(found, Name | Const):
            names.give(statement.scalar.name, found)
            return None
        if isinstance(found, Load) and found.where is None:
            known.load(found.place, Name(*statement.scalar))
        return statement if found is statement.value else Let(statement.scalar, found)
    if isinstance(statement, Store):
        store = Store(names.place(statement.place), value(statement.value))
        known.store(store.place, store.value)
        return store
    about = effects(statement)
    if isinstance(statement, Kernel):
        kernel = rebuilt(statement, value, names.place)
        known.forget(about.writes)
        return kernel
    constant = about.reads - about.writes
    known.forget(about.writes)
    inside = with_bodies(statement, lambda body: _row(body, known.among(constant), names))
    return rebuilt(inside, names.value, names.place)


def _without_loads(expr: Expr, known: _Elements) -> Expr:
    if isinstance(expr, Op):
        args = tuple(_without_loads(x, known) for x in expr.args)
        return expr if all(map(operator.is_, args, expr.args)) else expr._replace(args=args)
    if isinstance(expr, Load) and expr.where is None:
        found = known.find(canonical(expr.place))
        return expr if found is None else found
    return expr
