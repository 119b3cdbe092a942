"""Scalars that are computed alike, as the lanes of vectors: which of them.

A vector of results of an elementary function takes as long as one of them, so it pays to bring
arguments together. Bringing single scalars into lanes and out of them takes longer than the
arithmetic between two functions; so that goes into the lanes too, as far as it is alike.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pullback.compiler.elementary import NAMES
from pullback.compiler.llvm.floats import FLOATS
from pullback.compiler.llvm.holes import Hole
from pullback.compiler.llvm.values import SIZES, is_float
from pullback.compiler.loops import Const, Expr, Let, Load, Name, Op, Statement, Store

__all__ = ["Key", "Plan", "columns", "key_of", "planned"]

_BYTES = 64
"""Of a vector."""
_MORE = 3
"""How many times as many vectors there may be, so that neighbours of neighbours are neighbours."""

Key = tuple[str, ...]
"""The names of the scalars in the lanes of a vector."""


class Plan(NamedTuple):
    """Statements in an order in which they can be written.

    Attributes
    ----------
    units : list of sequences of statements
        Of more than one what is written as one: scalars in the lanes of a vector, or stores of
        such, side by side.
    carried : list of range
        Which carries of a loop have the lanes of one vector as their next values.
    whole : Counter
        How often the lanes of a vector are read together.
    """

    units: list[Sequence[Statement]]
    carried: list[range]
    whole: Counter[Key]


def key_of(column: Sequence[Expr]) -> Key | None:
    """The names in a column; `None` if something else stands there, or a name twice."""
    names = tuple([each.name for each in column if isinstance(each, Name)])
    return names if len(set(names)) == len(column) else None


def columns(lets: Sequence[Let]) -> Iterator[tuple[Expr, ...]]:
    """The first arguments of the operations of several scalars, their second ones and so on."""
    return zip(*(_operands(let.value) for let in lets), strict=True)


def planned(
    body: Sequence[Statement], carries: Sequence[str] = (), nexts: Sequence[Expr] = ()
) -> Plan:
    """What is written as one.

    Parameters
    ----------
    body : sequence of statements
    carries : sequence of str
        The names of the carries, if the statements are the body of a loop.
    nexts : sequence of expressions
        What they are in the next iteration.
    """
    plan = Plan([], [], Counter())
    packs: dict[Key, None] = {}
    runs = [
        (kind, [*run]) for kind, run in itertools.groupby(body, lambda each: type(each).__name__)
    ]
    last = max((n for n, (kind, _) in enumerate(runs) if kind == "Let"), default=None)
    for n, (kind, run) in enumerate(runs):
        if kind == "Store":
            plan.units.extend(_stores(run, packs, plan.whole))
            continue
        width = _width(run) if kind == "Let" else 0
        if not width:
            plan.units.extend([each] for each in run)
            continue
        row = _Row(run, width)  # type: ignore[arg-type]
        if n == last:
            plan.carried.extend(row.carried(nexts))
            packs |= {tuple(carries[each.start : each.stop]): None for each in plan.carried}
        plan.units.extend(row.units())
        packs |= row.packs
        for pack in row.packs:
            plan.whole.update(key for key in row.read_by(pack) if key in row.packs)
    plan.whole.update(filter(None, (key_of(nexts[n.start : n.stop]) for n in plan.carried)))
    return plan


def _stores(
    run: Sequence[Statement], packs: dict[Key, None], whole: Counter[Key]
) -> Iterator[Sequence[Statement]]:
    """The stores one by one; together those of the lanes of a vector to elements in a row."""
    first = {key[0]: key for key in packs}
    n = 0
    while n < len(run):
        store = run[n]
        assert isinstance(store, Store)
        key = first.get(store.value.name) if isinstance(store.value, Name) else None
        several = run[n : n + len(key)] if key else []
        values = [each.value for each in several if isinstance(each, Store)]
        places = [each.place for each in several if isinstance(each, Store)]
        if key and key_of(values) == key and _in_a_row([(p, None) for p in places]):
            whole[key] += 1
            yield several
            n += len(several)
        else:
            yield [store]
            n += 1


def _width(lets: Sequence[Statement]) -> int:
    """How many lanes vectors have, if there are to be any."""
    groups = [*_functions(lets).values()]  # type: ignore[arg-type]
    sizes = [len(group) for group in groups if len(group) > 1]
    if not sizes:
        return 0
    most = min(_BYTES // SIZES[group[0].value.dtype] for group in groups)
    common = math.gcd(*sizes)
    few = all(size // common <= _MORE * -(-size // most) for size in sizes)
    return common if 1 < common <= most and few else most


def _depths(lets: Sequence[Let]) -> dict[str, tuple[int, int]]:
    """When each scalar can be computed: after those of lesser depth, and before none of its own.

    First comes the rank, how many functions there are on the longest way to a scalar, itself among
    them; then how long the way from these functions is.
    """
    depths: dict[str, tuple[int, int]] = {}
    for let in lets:
        below = [depths[name] for name in _reads(let.value) if name in depths]
        rank, length = max(below, default=(0, -1))
        called = _function(let.value) is not None
        depths[let.scalar.name] = (rank + 1, 0) if called else (rank, length + 1)
    return depths


def _functions(lets: Sequence[Let]) -> dict[tuple[int, str, str], list[Let]]:
    """The elementary functions of other scalars, by rank, name and dtype."""
    depths = _depths(lets)
    found: dict[tuple[int, str, str], list[Let]] = {}
    for let in lets:
        function = _function(let.value)
        if function is not None:
            found.setdefault((depths[let.scalar.name][0], *function), []).append(let)
    return found


def _function(value: Expr) -> tuple[str, str] | None:
    """The elementary function that a scalar is of others, with its dtype."""
    if not isinstance(value, Op) or value.name in FLOATS or value.name not in NAMES:
        return None
    return (value.name, value.dtype) if is_float(value.args[0].dtype) else None


def _reads(value: Expr) -> Iterator[str]:
    """The names in an expression."""
    if isinstance(value, Name):
        yield value.name
    elif isinstance(value, Op):
        for arg in value.args:
            yield from _reads(arg)
    elif isinstance(value, Load):
        yield from (name for name, _ in value.place.terms)
        if value.where is not None:
            yield from _reads(value.where)


def _operands(value: Expr) -> tuple[Expr, ...]:
    return value.args if isinstance(value, Op) else ()


def _in_a_row(places: Sequence[tuple[object, object]]) -> bool:
    """Whether these are elements one after the other, read under no condition."""
    (first, _), *_ = places
    return all(
        condition is None
        and place.buffer == first.buffer  # type: ignore[attr-defined]
        and place.terms == first.terms  # type: ignore[attr-defined]
        and not isinstance(place.offset, Hole)  # type: ignore[attr-defined]
        and place.offset == first.offset + n  # type: ignore[attr-defined]
        for n, (place, condition) in enumerate(places)
    )


class _Row:
    """Scalars one after the other, which depend on nothing but one another and what is outside.

    Attributes
    ----------
    packs : dict of Key
        The vectors.
    """

    def __init__(self, lets: Sequence[Let], width: int) -> None:
        self.packs: dict[Key, None] = {}
        self._lets = {let.scalar.name: let for let in lets}
        self._width = width
        self._members: dict[str, Key] = {}
        self._met = 0
        self._depths = _depths(lets)
        functions = [
            tuple([let.scalar.name for let in group[n : n + width]])
            for group in _functions(lets).values()
            for n in range(0, len(group) - 1, width)
        ]
        functions = [key for key in functions if len(key) > 1]
        for key in functions:
            self._enter(key)
        for key in sorted(functions, key=lambda key: self._depths[key[0]], reverse=True):
            self._arguments(key)

    def _alike(self, key: Key) -> bool:
        """Whether no scalar can depend on another."""
        return len({self._depths[name] for name in key}) == 1

    def _enter(self, key: Key) -> None:
        self.packs[key] = None
        self._members |= dict.fromkeys(key, key)

    def _arguments(self, key: Key) -> int:
        """Get the arguments of a vector into vectors; the price."""
        return sum(self._price(column) for column in columns([self._lets[name] for name in key]))

    def _price(self, column: Sequence[Expr]) -> int:
        """Have a column as a vector, at the lowest price: how many more instructions there are."""
        if all(isinstance(each, Const) for each in column):
            return 0
        key, count = key_of(column), len(column)
        if key is None:
            inside = {name for each in column for name in _reads(each) if name in self._lets}
            return min(len(inside), 1) if len(set(column)) == 1 else count
        if key in self.packs:
            self._met += 1
            return 0
        if not any(name in self._lets for name in key):
            return 0  # brought together before the loop, if there is one
        if not self._packable(key):
            return count  # each one is brought into its lane
        before = len(self.packs)
        self._enter(key)
        price = 1 - count + self._arguments(key)
        if price < count:
            return price
        self._leave(before)
        return count

    def _leave(self, count: int) -> None:
        """Take back the last vectors."""
        for key in [*self.packs][count:]:
            del self.packs[key]
            for name in key:
                del self._members[name]

    def _packable(self, key: Key) -> bool:
        """Whether these scalars are the same operation, or elements in a row."""
        if any(name not in self._lets or name in self._members for name in key):
            return False
        values = [self._lets[name].value for name in key]
        if not self._alike(key) or len({_kind(value) for value in values}) != 1:
            return False
        if isinstance(values[0], Load):
            loads = [(v.place, v.where) for v in values if isinstance(v, Load)]
            return _in_a_row(loads)
        return _kind(values[0]) is not None and _function(values[0]) is None

    def carried(self, nexts: Sequence[Expr]) -> Iterator[range]:
        """The carries whose next values are a vector, which has to do with others."""
        n = 0
        while n + self._width <= len(nexts):
            some = nexts[n : n + self._width]
            key, before, met = key_of(some), len(self.packs), self._met
            if key is not None and len({each.dtype for each in some}) == 1:
                if key not in self.packs:
                    self._price(some)
                if key in self.packs and (len(self.packs) == before or self._met > met):
                    yield range(n, n + self._width)
                    n += self._width
                    continue
                self._leave(before)
            n += 1

    def read_by(self, key: Key) -> Iterator[Key]:
        """What a vector reads lane by lane."""
        for column in columns([self._lets[name] for name in key]):
            found = key_of(column)
            if found is not None:
                yield found

    def units(self) -> list[Sequence[Statement]]:
        """By depth, so that everything is computed before it is read."""
        found: dict[Key, Sequence[Statement]] = {}
        for name in self._lets:
            key = self._members.get(name, (name,))
            found[key] = [self._lets[each] for each in key]
        return sorted(found.values(), key=lambda unit: self._depths[unit[0].scalar.name])  # type: ignore[union-attr]


def _kind(value: Expr) -> object:
    """What scalars in the lanes of a vector have in common; `None` for what is in no vector."""
    if isinstance(value, Load):
        return ("load", value.dtype) if is_float(value.dtype) else None
    if not isinstance(value, Op) or any(isinstance(each, Load | Op) for each in value.args):
        return None
    dtypes = (value.dtype, *(arg.dtype for arg in value.args))
    if not all(is_float(dtype) or dtype == "bool" for dtype in dtypes):
        return None
    return (value.name, *dtypes)
