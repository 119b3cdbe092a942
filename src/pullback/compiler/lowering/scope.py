"""Scopes: where scalars get their names, each value one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.compiler.loops import (
    OPERATIONS,
    Check,
    Const,
    Expr,
    Let,
    Load,
    Name,
    Op,
    Place,
    Scalar,
    Statement,
)
from pullback.compiler.lowering.pairs import COMPLEX, PAIRED, converted_pair
from pullback.compiler.lowering.places import Affine

__all__ = ["Scope"]


class Scope:
    """A row of statements, or the body of a kernel, and the values that have a name there.

    What is computed twice is computed once, here or in a scope around: a scalar is not given
    another value, and a buffer is written once, or `forget` says that it is written again.
    """

    def __init__(self, around: Scope | None = None) -> None:
        self.statements: list[Statement] = []
        self.extents: dict[str, int] = dict(around.extents) if around else {}
        """The extents of the axes and loops that are around."""
        self.counts: dict[str, Affine] = dict(around.counts) if around else {}
        """How many iterations loops that are around have, where that is an integer of others."""
        self.affine: dict[str, Affine] = dict(around.affine) if around else {}
        """The integers with a name that are affine in others."""
        self._around = around
        self._known: dict[Any, Any] = {}
        self._writes: dict[str, int] = around._writes if around else {}
        self._counter: Iterator[int] = around._counter if around else itertools.count()

    def fresh(self, letter: str) -> str:
        """A name that nothing else has."""
        return f"{letter}{next(self._counter)}"

    def inside(self) -> Scope:
        """A scope inside this one."""
        return Scope(self)

    def add(self, statement: Statement) -> None:
        """Append a statement."""
        self.statements.append(statement)

    def forget(self, buffer: str) -> None:
        """Say that the elements of a buffer change here."""
        self._writes[buffer] = self._writes.get(buffer, 0) + 1

    def version(self, buffer: str) -> int:
        """How often it was said that the elements of a buffer change."""
        return self._writes.get(buffer, 0)

    def load(self, place: Place, dtype: str, where: Expr | None = None) -> Name:
        """An element."""
        return self._named(Load(place, dtype, where), (self.version(place.buffer),))

    def op(self, name: str, *args: Expr, dtype: str | None = None) -> Expr:
        """The value of an operation, whose dtype is that of the last argument, or boolean."""
        if dtype is None:
            if args[-1].dtype in COMPLEX:
                return PAIRED[name](self.op, *args)
            dtype = "bool" if OPERATIONS[name].gives == "bool" else args[-1].dtype
        found = self._named(Op(name, args, dtype))
        if dtype == "int64" and found.name not in self.affine:
            self._note(found.name, name, args)
        return found

    def _note(self, scalar: str, name: str, args: tuple[Expr, ...]) -> None:
        """Remember how an integer depends on others, if that is affine."""
        parts = [self.place_of(arg) for arg in args]
        if name in ("add", "subtract") and None not in parts:
            a, b = parts
            assert a is not None
            assert b is not None
            self.affine[scalar] = a.plus(b.scaled(1 if name == "add" else -1))
        elif name == "multiply" and None not in parts:
            a, b = sorted((part for part in parts if part is not None), key=lambda x: x.known)
            if b.known:
                self.affine[scalar] = a.scaled(b.offset)

    def place_of(self, value: Expr) -> Affine | None:
        """An integer as an index: affine in those of loops, if it is; `None` if it has no name."""
        if isinstance(value, Const):
            return Affine(value.value) if value.dtype == "int64" else None
        if not isinstance(value, Name) or value.dtype != "int64":
            return None
        return self.affine.get(value.name, Affine(0, ((value.name, 1),)))

    def convert(self, value: Expr, dtype: str) -> Expr:
        """The value in a dtype."""
        if value.dtype == dtype:
            return value
        if value.dtype in COMPLEX or dtype in COMPLEX:
            return converted_pair(self.op, self.convert, value, dtype)
        if isinstance(value, Const):
            return _converted(value, dtype)
        return self.op("convert", value, dtype=dtype)

    def named(self, value: Expr) -> Expr:
        """A constant, or the name of a value."""
        return value if isinstance(value, Const | Name) else self._named(value)

    def both(self, a: Expr | None, b: Expr | None) -> Expr | None:
        """Whether two conditions hold, of which `None` always does."""
        if a is None or b is None or a == b:
            return b if a is None else a
        return self.op("logical_and", a, b)

    def index(self, affine: Affine) -> Expr:
        """An index as a scalar."""
        total: Expr | None = None
        for name, step in affine.terms:
            term: Expr = Name(name, "int64")
            if step != 1:
                term = self.op("multiply", term, Const(step, "int64"))
            total = term if total is None else self.op("add", total, term)
        if total is None:
            return Const(affine.offset, "int64")
        return self.op("add", total, Const(affine.offset, "int64")) if affine.offset else total

    def bounds(self, index: Affine) -> tuple[int, int] | None:
        """The least and the greatest value of an index, if they are known."""
        high, low = self._most(index), self._most(index.scaled(-1))
        return None if high is None or low is None else (-low, high)

    def _most(self, index: Affine) -> int | None:
        """What an index does not exceed: inner loops are at one of their ends first."""
        steps = dict(index.terms)
        name = next((each for each in reversed(self.extents) if each in steps), None)
        if name is None:
            return None if steps else index.offset
        step = steps.pop(name)
        rest = Affine(index.offset, tuple(steps.items()))
        if step < 0:
            return self._most(rest)
        found = [self._most(rest.shifted(step * (self.extents[name] - 1)))]
        if name in self.counts:
            found.append(self._most(rest.plus(self.counts[name].shifted(-1).scaled(step))))
        return min((each for each in found if each is not None), default=None)

    def among(self, index: Affine, extent: int) -> Expr | bool:
        """Whether ``0 <= index < extent``: as far as that is known beforehand."""
        bounds = self.bounds(index)
        if bounds is not None:
            low, high = bounds
            if high < 0 or low >= extent:
                return False
            if low >= 0 and high < extent:
                return True
        else:
            low, high = -1, extent
        conditions = []
        if low < 0:
            conditions.append(self._compare("greater_equal", index, 0))
        if high >= extent:
            conditions.append(self._compare("less", index, extent))
        return conditions[0] if len(conditions) == 1 else self.op("logical_and", *conditions)

    def _compare(self, name: str, index: Affine, bound: int) -> Expr:
        """A comparison, of an axis alone with a number where that says the same."""
        if len(index.terms) == 1 and index.terms[0][1] == 1:
            axis = Name(index.terms[0][0], "int64")
            return self.op(name, axis, Const(bound - index.offset, "int64"))
        return self.op(name, self.index(index), Const(bound, "int64"))

    def remember(self, key: Any, value: Any) -> None:
        """Keep something for as long as the scope lasts."""
        self._known[key] = value

    def recall(self, key: Any) -> Any:
        """What this scope, or one around, was given to keep; `None` for nothing."""
        return self._finds(key)

    def check(self, condition: Expr, error: int) -> None:
        """Leave with an error unless the condition holds; once for each."""
        key = (condition, error)
        if not self._finds(key):
            self._known[key] = Name("", "bool")
            self.add(Check(condition, error))

    def _named(self, value: Expr, more: tuple[int, ...] = ()) -> Name:
        key = (value, *more)
        found: Name | None = self._finds(key)
        if found is None:
            found = self._known[key] = Name(self.fresh("v"), value.dtype)
            self.add(Let(Scalar(found.name, value.dtype), value))
        return found

    def _finds(self, key: Any) -> Any:
        scope: Scope | None = self
        while scope is not None:
            found = scope._known.get(key)
            if found is not None:
                return found
            scope = scope._around
        return None


def _converted(value: Const, dtype: str) -> Const:
    return Const(np.dtype(dtype).type(value.value).item(), dtype)
