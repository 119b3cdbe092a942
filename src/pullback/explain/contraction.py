"""From ∂z_k/∂u_i to what is passed on: ū_i = Σ_k z̄_k ∂z_k/∂u_i, and ż_k = Σ_i ∂z_k/∂u_i u̇_i.

Derivations of the same form, as those of equal layers, are made once and renamed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pullback.explain import matrices as mx
from pullback.explain.arithmetic import collected
from pullback.explain.expression import (
    At,
    Expr,
    Index,
    Plus,
    Sigma,
    Sym,
    Times,
    key,
    plus,
    rebuilt,
    symbols,
    times,
    walk,
)
from pullback.explain.laws import (
    Abbreviation,
    Line,
    Setting,
    derive,
    has_delta,
    without_deltas,
)
from pullback.explain.matrices import Matrix
from pullback.explain.names import Name
from pullback.explain.notation import in_matrices
from pullback.explain.program import Definition, Reading

__all__ = ["Contributions", "Link", "indices_of"]


def indices_of(shape: tuple[int, ...]) -> tuple[At, ...]:
    """An index for each axis; an axis of length 1 has one place."""
    return tuple(Index(n) if n != 1 else 0 for n in shape)


def only(at: tuple[At, ...]) -> tuple[Index, ...]:
    """Those that are indices."""
    return tuple(i for i in at if isinstance(i, Index))


@dataclass(frozen=True)
class Link:
    """How one named value depends on another, and what is passed along.

    Attributes
    ----------
    by, of : Sym
        The entries ∂of/∂by.
    lines : list of Line
    passed : Expr
        The entry of what is passed on.
    matrix : Matrix or None
        The same in matrix notation.
    renamed : dict of Name to Name
        Where the derivation is another's, the names in it and those here.
    """

    by: Sym
    of: Sym
    lines: list[Line]
    passed: Expr
    matrix: Matrix | None
    renamed: dict[Name, Name] | None = None

    @property
    def slope(self) -> Expr:
        """∂of/∂by, as the last line has it."""
        return self.lines[-1].expr


class Contributions:
    """Makes links, each form of them once.

    Parameters
    ----------
    reading : Reading
    shapes : mapping of Name to tuple of int
    bars : mapping of Name to Name
        What the cotangent, or the tangent, of a value is called.
    forward : bool
    """

    def __init__(
        self,
        reading: Reading,
        shapes: Mapping[Name, tuple[int, ...]],
        bars: Mapping[Name, Name],
        *,
        forward: bool = False,
    ) -> None:
        self.reading = reading
        self.shapes = dict(shapes)
        self.bars = bars
        self.forward = forward
        self._made: dict[Any, tuple[Link, list[Name]]] = {}
        self._forms: dict[Name, tuple[Any, list[Name]]] = {}
        for name, bar in bars.items():
            self.shapes[bar] = self.shapes[name]

    def link(self, z: Definition, u: Name) -> Link:
        """How `z` depends on `u`."""
        assert z.body is not None
        form, names = self.form(z, u)
        if form in self._made:
            link, old = self._made[form]
            mapping = dict(zip(old, names, strict=True))
            return renamed(link, mapping, self.bars)
        link = self.made(z, u)
        self._made[form] = (link, names)
        return link

    def form(self, z: Definition, u: Name) -> tuple[Any, list[Name]]:
        """A key that is the same for links that differ in names alone, and the names in order."""
        if z.name not in self._forms:
            self._forms[z.name] = self._form(z)
        keys, order = self._forms[z.name]
        return (keys, order.index(u)), order

    def _form(self, z: Definition) -> tuple[Any, list[Name]]:
        names: dict[Name, None] = {z.name: None}
        bodies: list[Any] = []

        def collect(body: Expr, at: tuple[At, ...]) -> None:
            inner = [x.name for x in walk(body) if isinstance(x, Sym) and x.name not in names]
            names.update(dict.fromkeys(inner))
            bodies.append((body, at))
            for name in dict.fromkeys(inner):
                if name in self.reading.abbreviations:
                    meant = self.reading.abbreviations[name]
                    collect(meant.body, meant.at)

        assert z.body is not None
        collect(z.body, z.at)
        order = list(names)
        numbers = {name: Name(f"#{k}") for k, name in enumerate(order)}
        keys = tuple(key(rename(body, numbers), only(at)) for body, at in bodies)
        shapes = tuple(self.shapes[name] for name in order)
        return (keys, shapes), order

    def made(self, z: Definition, u: Name) -> Link:
        by = Sym(u, indices_of(self.shapes[u]))
        of = Sym(z.name, z.at)
        known = {z.name: Abbreviation(z.at, z.body)} if z.body is not None else {}
        setting = Setting(by, self.reading.abbreviations, known)
        assert z.body is not None
        lines = derive(z.body, setting)
        passed = self.contracted(lines[-1].expr, of, by)
        order = only(of.at if self.forward else by.at)
        matrix = in_matrices(passed, order, self.shapes, self.reading.abbreviations)
        return Link(by, of, lines, passed, matrix)

    def contracted(self, slope: Expr, of: Sym, by: Sym) -> Expr:
        """Σ over the entries of the one side of its cotangent or tangent times the slope."""
        given = by if self.forward else of
        bar = Sym(self.bars[given.name], given.at)
        terms = slope.terms if isinstance(slope, Plus) and has_delta(slope) else (slope,)
        total = []
        for term in terms:
            product: Expr = times(term, bar) if self.forward else times(bar, term)
            for index in reversed(only(given.at)):
                product = Sigma(index, product)
            total.append(collected(without_deltas(spread(product))))
        return collected(plus(*total))


def spread(e: Expr) -> Expr:
    """Products multiplied out where a δ waits inside a sum in them."""
    e = rebuilt(e, spread)
    if isinstance(e, Times):
        for i, factor in enumerate(e.factors):
            if isinstance(factor, Plus) and has_delta(factor):
                rest = (*e.factors[:i], *e.factors[i + 1 :])
                return plus(*(spread(times(*rest, x)) for x in factor.terms))
    if isinstance(e, Sigma) and isinstance(e.body, Plus) and has_delta(e.body):
        return plus(*(spread(Sigma(e.index, x)) for x in e.body.terms))
    return e


def rename(e: Expr, names: Mapping[Name, Name]) -> Expr:
    """The expression with other names."""
    if isinstance(e, Sym):
        return Sym(names.get(e.name, e.name), e.at)
    return rebuilt(e, lambda x: rename(x, names)) if symbols(e) & names.keys() else e


def rename_matrix(m: Matrix, names: Mapping[Name, Name]) -> Matrix:
    """The matrix expression with other names."""
    if isinstance(m, mx.Letter):
        return replace(m, name=names.get(m.name, m.name))
    changes: dict[str, Any] = {}
    for name in m.__slots__:
        value = getattr(m, name)
        if isinstance(value, Matrix):
            changes[name] = rename_matrix(value, names)
        elif isinstance(value, tuple) and value and isinstance(value[0], Matrix):
            changes[name] = tuple(rename_matrix(x, names) for x in value)
    return replace(m, **changes) if changes else m


def renamed(link: Link, mapping: dict[Name, Name], bars: Mapping[Name, Name]) -> Link:
    """The link with other names."""
    full = dict(mapping)
    for old, new in mapping.items():
        if old in bars:
            full[bars[old]] = bars.get(new, new)
    by, of = rename(link.by, full), rename(link.of, full)
    assert isinstance(by, Sym) and isinstance(of, Sym)
    matrix = None if link.matrix is None else rename_matrix(link.matrix, full)
    return Link(by, of, link.lines, rename(link.passed, full), matrix, full)
