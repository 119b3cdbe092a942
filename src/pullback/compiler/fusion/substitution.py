"""Other names, indices and numbers put into expressions and places.

``i := 4·a + b`` in ``x[1 + 8·i]`` is ``x[1 + 32·a + 8·b]``.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pullback.compiler.loops import Const, Expr, Load, Name, Op, Place

__all__ = ["Substitution", "canonical"]


class Substitution:
    """What stands for names: a value in expressions, an affine index in places."""

    def __init__(self, values: Mapping[str, Expr] | None = None) -> None:
        self._values: dict[str, Expr] = {}
        self._indices: dict[str, _Affine] = {}
        for name, value in (values or {}).items():
            self.give(name, value)

    def give(self, name: str, value: Expr) -> None:
        """Put a name or a constant for a name."""
        self._values[name] = value
        if isinstance(value, Name):
            self._indices[name] = _Affine(0, ((value.name, 1),))
        elif isinstance(value, Const) and value.dtype == "int64":
            self._indices[name] = _Affine(value.value, ())

    def split(self, name: str, terms: Iterable[tuple[str, int]]) -> None:
        """Put ``Σ step · name`` for a name that stands in places alone."""
        self._indices[name] = _Affine(0, tuple(terms))

    def value(self, expr: Expr) -> Expr:
        """The expression with what stands for its names; itself where that is the same."""
        if isinstance(expr, Op):
            args = tuple(map(self.value, expr.args))
            if all(map(operator.is_, args, expr.args)):
                return expr
            return Op(expr.name, args, expr.dtype)
        if isinstance(expr, Name):
            return self._values.get(expr.name, expr)
        if isinstance(expr, Load):
            where = None if expr.where is None else self.value(expr.where)
            place = self.place(expr.place)
            if where is expr.where and place is expr.place:
                return expr
            return Load(place, expr.dtype, where)
        return expr

    def place(self, place: Place) -> Place:
        """The place, in the form in which equal places are equal."""
        if not any(name in self._indices for name, _ in place.terms):
            return canonical(place)
        offset = place.offset
        terms: list[tuple[str, int]] = []
        for name, step in place.terms:
            index = self._indices.get(name)
            if index is None:
                terms.append((name, step))
            else:
                offset += step * index.offset
                terms += [(each, step * factor) for each, factor in index.terms]
        return canonical(Place(place.buffer, offset, tuple(terms)))


def canonical(place: Place) -> Place:
    """The place with each name once, by falling steps: that of two spellings of one place."""
    terms = place.terms
    if len(terms) > 1 or (terms and not terms[0][1]):
        steps: dict[str, int] = {}
        for name, step in terms:
            steps[name] = steps.get(name, 0) + step
        kept = [(name, step) for name, step in steps.items() if step]
        terms = tuple(sorted(kept, key=lambda term: (-abs(term[1]), term)))
    return place if terms == place.terms else Place(place.buffer, place.offset, terms)


class _Affine(NamedTuple):
    offset: int
    terms: tuple[tuple[str, int], ...]
