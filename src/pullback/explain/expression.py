"""Expressions in entries: the language in which derivatives are derived.

The nodes are frozen. An index is an object of its own, and gets its letter when it is printed, so
that nothing is ever captured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from pullback.explain.names import Name

__all__ = [
    "ONE",
    "ZERO",
    "Delta",
    "Expr",
    "Fn",
    "Index",
    "Num",
    "Partial",
    "Plus",
    "Power",
    "Sigma",
    "Sym",
    "Times",
    "key",
    "plus",
    "rebuilt",
    "replaced",
    "size",
    "symbols",
    "times",
]


class Index:
    """An index that runs over an extent."""

    __slots__ = ("extent",)

    def __init__(self, extent: int) -> None:
        self.extent = extent

    def __repr__(self) -> str:
        return f"i{id(self) % 997}"


At = Index | int
"""Where an entry stands along an axis: an index, or a number that counts from 0."""


class Expr:
    """Base class of the nodes."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Num(Expr):
    """A number; whole numbers and simple fractions are exact."""

    value: Any


@dataclass(frozen=True, slots=True)
class Sym(Expr):
    """An entry of a named value."""

    name: Name
    at: tuple[At, ...] = ()


@dataclass(frozen=True, slots=True)
class Delta(Expr):
    """Kronecker's δ: 1 where both are equal, else 0."""

    left: At
    right: At


@dataclass(frozen=True, slots=True)
class Plus(Expr):
    """A sum of terms."""

    terms: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Times(Expr):
    """A product of factors."""

    factors: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Power(Expr):
    """A power, of which √ and 1/u are cases."""

    base: Expr
    exponent: Expr


@dataclass(frozen=True, slots=True)
class Fn(Expr):
    """A function of entries; `primes` counts derivatives, for a function of one argument."""

    name: str
    args: tuple[Expr, ...]
    primes: int = 0


@dataclass(frozen=True, slots=True)
class Sigma(Expr):
    """A sum over an index."""

    index: Index
    body: Expr


@dataclass(frozen=True, slots=True)
class Partial(Expr):
    """∂ body / ∂ an entry."""

    body: Expr
    by: Sym


ZERO, ONE = Num(0), Num(1)


_BELOW: dict[type, Callable[[Any], tuple[Expr, ...]]] = {
    Plus: lambda e: e.terms,
    Times: lambda e: e.factors,
    Fn: lambda e: e.args,
    Power: lambda e: (e.base, e.exponent),
    Sigma: lambda e: (e.body,),
    Partial: lambda e: (e.body,),
}


def children(e: Expr) -> tuple[Expr, ...]:
    """The nodes right below."""
    below = _BELOW.get(type(e))
    return below(e) if below is not None else ()


def rebuilt(e: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """The node with `change` applied to each node right below it; itself where none changes."""
    old = children(e)
    if not old:
        return e
    new = tuple(map(change, old))
    if all(a is b for a, b in zip(old, new, strict=True)):
        return e
    if isinstance(e, Plus):
        return plus(*new)
    if isinstance(e, Times):
        return times(*new)
    if isinstance(e, Fn):
        return Fn(e.name, new, e.primes)
    if isinstance(e, Power):
        return Power(*new)
    if isinstance(e, Sigma):
        return ZERO if new[0] == ZERO else Sigma(e.index, new[0])
    assert isinstance(e, Partial)
    return Partial(new[0], e.by)


def plus(*terms: Expr) -> Expr:
    """A sum without zeros and without sums in it."""
    flat: list[Expr] = []
    for term in terms:
        flat += term.terms if isinstance(term, Plus) else [] if term == ZERO else [term]
    return flat[0] if len(flat) == 1 else Plus(tuple(flat)) if flat else ZERO


def times(*factors: Expr) -> Expr:
    """A product without ones and without products in it; 0 where a factor is."""
    flat: list[Expr] = []
    for factor in factors:
        if factor == ZERO:
            return ZERO
        flat += factor.factors if isinstance(factor, Times) else [] if factor == ONE else [factor]
    return flat[0] if len(flat) == 1 else Times(tuple(flat)) if flat else ONE


def walk(e: Expr) -> Iterator[Expr]:
    """All nodes, from the top."""
    yield e
    for child in children(e):
        yield from walk(child)


def size(e: Expr) -> int:
    """Number of nodes."""
    return 1 + sum(map(size, children(e)))


def symbols(e: Expr) -> frozenset[Name]:
    """The names of the values of which entries are read."""
    return _symbols(e)


@lru_cache(maxsize=20_000)
def _symbols(e: Expr) -> frozenset[Name]:
    if isinstance(e, Sym):
        return frozenset({e.name})
    return frozenset().union(*map(_symbols, children(e)))


def replaced(e: Expr, old: Index, new: At) -> Expr:
    """The expression with one index in place of another."""

    def at(x: At) -> At:
        return new if x is old else x

    if isinstance(e, Sym):
        return Sym(e.name, tuple(map(at, e.at))) if any(x is old for x in e.at) else e
    if isinstance(e, Delta):
        return delta(at(e.left), at(e.right))
    if isinstance(e, Partial):
        by = replaced(e.by, old, new)
        assert isinstance(by, Sym)
        return Partial(replaced(e.body, old, new), by)
    if isinstance(e, Sigma) and e.index is old:
        return e
    return rebuilt(e, lambda x: replaced(x, old, new))


def delta(left: At, right: At) -> Expr:
    """δ, or the number that it is."""
    if left is right or (type(left) is int and type(right) is int and left == right):
        return ONE
    return ZERO if type(left) is int and type(right) is int else Delta(left, right)


def free(e: Expr) -> dict[Index, None]:
    """The indices that no Σ binds, in the order in which they are met."""
    found: dict[Index, None] = {}
    _free(e, (), found)
    return found


def _free(e: Expr, bound: tuple[Index, ...], found: dict[Index, None]) -> None:
    for at in at_of(e):
        if isinstance(at, Index) and at not in bound:
            found.setdefault(at)
    inner = (*bound, e.index) if isinstance(e, Sigma) else bound
    for child in children(e):
        _free(child, inner, found)


def at_of(e: Expr) -> tuple[At, ...]:
    """The indices that the node itself shows."""
    if isinstance(e, Sym):
        return e.at
    if isinstance(e, Delta):
        return e.left, e.right
    return e.by.at if isinstance(e, Partial) else ()


def key(e: Expr, bound: tuple[Index, ...] = ()) -> str:
    """Equal for expressions that differ in the order of terms and the choice of indices alone."""
    kind = type(e)
    if isinstance(e, Num):
        return repr(e.value)
    if isinstance(e, Sym):
        name = e.name
        at = ",".join([_place(x, bound) for x in e.at])
        return f"{name.base}^{name.mark}~{name.accents}[{at}]"
    if isinstance(e, Delta):
        return "δ" + ",".join(sorted((_place(e.left, bound), _place(e.right, bound))))
    if isinstance(e, Sigma):
        return f"Σ{e.index.extent}({key(e.body, (*bound, e.index))})"
    below = [key(x, bound) for x in children(e)]
    if kind is Plus or kind is Times:
        below.sort()
    front = kind.__name__
    if isinstance(e, Fn):
        front = f"{e.name}{e.primes}"
    elif isinstance(e, Partial):
        front = f"∂{key(e.by, bound)}"
    return f"{front}({';'.join(below)})"


def _place(x: At, bound: tuple[Index, ...]) -> str:
    if not isinstance(x, Index):
        return str(x)
    for depth, other in enumerate(reversed(bound)):
        if other is x:
            return f"b{depth}"
    return f"f{id(x)}"


def exact(value: Any) -> Any:
    """A number as it is calculated with: simple fractions are exact, so that 2·½ is 1."""
    if isinstance(value, Fraction):
        return simple(value)
    if isinstance(value, bool | int):
        return int(value)
    if isinstance(value, complex):
        return exact(value.real) if value.imag == 0 else value
    if value != value or value in (float("inf"), float("-inf")):
        return float(value)
    near = Fraction(value).limit_denominator(64)
    return simple(near) if float(near) == value and abs(value) < 1e6 else float(value)


def simple(value: Fraction) -> Any:
    """A fraction, or the whole number that it is."""
    return value.numerator if value.denominator == 1 else value
