"""A graph with letters in place of the numbers that vary."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from pullback.compiler.generic.numbers import Letter, Tape
from pullback.compiler.linkage import in_line
from pullback.compiler.lowering.progressions import is_uniform, progression
from pullback.core.tracing import is_plain
from pullback.graph.graph import Graph
from pullback.graph.key import Hole, Outline, are_equal
from pullback.graph.program import Equation, Program
from pullback.graph.variable import Variable

__all__ = ["Letters", "letters"]


@dataclasses.dataclass
class Letters:
    """A graph with letters, and what they stand for.

    Attributes
    ----------
    graph : Graph
    tape : Tape
    varying : frozenset of int
        The letters of extents.
    key : str
        Of the graph.
    """

    graph: Graph
    tape: Tape
    varying: frozenset[int]
    key: str
    _holes: list[Hole]
    _at: dict[int, Any]
    _firsts: list[int]
    _by_value: dict[Any, Any]
    _described: dict[int, Any]

    def of(self, numbers: Iterable[int]) -> frozenset[int]:
        """Numbers, with letters for those that vary."""
        return frozenset(self._by_value.get((int, n), n) for n in numbers)

    def firsts(self, holes: Sequence[Hole]) -> list[Any] | None:
        """What the first letters are in another graph of this key, if the rest is as it is here."""
        pairs = zip(self._holes, holes, strict=True)
        for position, (mine, theirs) in enumerate(pairs):
            if position in self._described:
                alike = _described(holes, position) == self._described[position]
            else:
                alike = position in self._at or are_equal(mine.value, theirs.value)
            if not alike:
                return None
        return [holes[position].value for position in self._firsts]

    def sources(self, constants: Iterable[np.ndarray[Any, Any]]) -> list[int | None]:
        """For each of a program's constants, which hole it is of those that vary, if it is one."""
        data = [i for i, words in self._described.items() if words[0] == "data"]
        return [
            next((i for i in data if are_equal(in_line(self._holes[i].value), each)), None)
            for each in constants
        ]

    def agree(self, holes: Sequence[Hole], values: list[Any]) -> bool:
        """Whether that makes all letters what stands in their places."""
        return all(
            are_equal(self.tape.value(letter, values), holes[position].value)
            for position, letter in self._at.items()
        )


def letters(graph: Graph, other: Graph) -> Letters | None:
    """The graph with letters for the numbers that are others in another graph of its key.

    What is an affine function of another one, as far as these two graphs say, is no letter of its
    own. `None` where arrays differ, but for their
    extents, or where one number varies in one place and not in another.
    """
    mine, theirs = Outline(graph), Outline(other)
    key = mine.key
    if key != theirs.key:
        return None
    tape = Tape()
    found: dict[tuple[type, Any, Any], Any] = {}
    at: dict[int, Any] = {}
    firsts: list[int] = []
    described: dict[int, Any] = {}
    fixed: set[Any] = set()
    for position, (one, two) in enumerate(zip(mine.holes, theirs.holes, strict=True)):
        if are_equal(one.value, two.value):
            if type(one.value) in (int, float):
                fixed.add((type(one.value), one.value))
            continue
        if is_plain(one.value):
            described[position] = _described(mine.holes, position)
            if described[position] is None or one.value.shape == two.value.shape:
                return None
            if _described(theirs.holes, position) != described[position]:
                return None
            continue
        if type(one.value) not in (int, float) or type(two.value) is not type(one.value):
            return None
        pair = type(one.value), one.value, two.value
        if pair not in found:
            letter = _by_others(pair, found.items())
            if letter is None:
                letter = tape.first(one.value)
                firsts.append(position)
            found[pair] = letter
        at[position] = found[pair]
    by_value = {(type(one), one): letter for (_, one, _), letter in found.items()}
    if len(by_value) < len(found) or not fixed.isdisjoint(by_value):
        return None
    replaced = _Replacing(by_value).graph(graph)
    outline = Outline(replaced)
    if any(not isinstance(outline.holes[position].value, Letter) for position in at):
        return None
    varying = frozenset(at[i] for i in at if mine.holes[i].kind == "extent")
    return Letters(replaced, tape, varying, key, mine.holes, at, firsts, by_value, described)


def _described(holes: Sequence[Hole], position: int) -> Any:
    """What an array is, but for its shape, and for its elements where these are nothing special.

    That is one number everywhere, a progression, or the same as an array before.
    """
    array = holes[position].value
    if array.dtype.kind not in "biufc" or not array.dtype.isnative or not array.size:
        return None
    if is_uniform(array):
        return "uniform", array.dtype.str, array.ravel()[:1].tobytes()
    found = progression(array)
    if found is not None:
        return "progression", array.dtype.str, found.start, found.steps
    before = (
        i
        for i, hole in enumerate(holes[:position])
        if is_plain(hole.value) and are_equal(hole.value, array)
    )
    return "data", array.dtype.str, next(before, position)


def _by_others(pair: tuple[type, Any, Any], others: Iterable[tuple[Any, Any]]) -> Any:
    """A number as a multiple of another one, and a number."""
    kind, one, two = pair
    if kind is not int:
        return None
    for (other, a, b), letter in others:
        if other is int:
            factor, left = divmod(one - two, a - b)
            if not left and factor:
                return letter * factor + (one - factor * a)
    return None


class _Replacing:
    """Copies a program with others in place of some numbers."""

    def __init__(self, by_value: dict[Any, Any]) -> None:
        self._by_value = by_value
        self._copies: dict[int, tuple[Any, Any]] = {}

    def graph(self, graph: Graph) -> Graph:
        made = self._program(graph)
        assert isinstance(made, Graph)
        return made

    def _program(self, program: Program) -> Program:
        equations = [self._equation(each) for each in program.equations]
        return type(program)(
            program.name,
            [self._variable(x) for x in program.inputs],
            {self._variable(x): value for x, value in program.constants.items()},
            equations,
            [self._atom(x) for x in program.outputs],
            program.signature,
        )

    def _equation(self, equation: Equation) -> Equation:
        return Equation(
            equation.primitive,
            tuple(map(self._atom, equation.inputs)),
            {name: self._value(value) for name, value in equation.params.items()},
            tuple(map(self._variable, equation.outputs)),
            equation.place,
        )

    def _atom(self, x: Any) -> Any:
        return self._variable(x) if type(x) is Variable else self._number(x)

    def _variable(self, x: Variable) -> Variable:
        return self._once(x, self._copied)  # type: ignore[no-any-return]

    def _copied(self, x: Variable) -> Variable:
        shape = tuple(map(self._number, x.shape))
        made = Variable(shape, x.dtype, weak=x.weak, array=x.array, layout=self._value(x.layout))
        made.number, made.laid_by = x.number, x.laid_by
        return made

    def _once(self, x: Any, make: Any) -> Any:
        found = self._copies.get(id(x))
        if found is None:
            found = self._copies[id(x)] = x, make(x)
        return found[1]

    def _number(self, x: Any) -> Any:
        return self._by_value.get((type(x), x), x) if type(x) in (int, float) else x

    def _value(self, x: Any) -> Any:
        if type(x) in (tuple, list):
            return type(x)(map(self._value, x))
        if type(x) is slice:
            return slice(*map(self._value, (x.start, x.stop, x.step)))
        if type(x) is dict:
            return {name: self._value(value) for name, value in x.items()}
        if isinstance(x, Program):
            return self._once(x, self._program)
        if type(x) is Variable:
            return self._variable(x)
        if dataclasses.is_dataclass(x) and not isinstance(x, type | np.ndarray):
            return self._once(x, self._dataclass)
        return self._number(x) if is_plain(x, int | float) else x

    def _dataclass(self, x: Any) -> Any:
        values = {f.name: getattr(x, f.name) for f in dataclasses.fields(x) if f.init}
        made = {name: self._value(value) for name, value in values.items()}
        if not any(map(_has_letter, made.values())):
            return x
        return dataclasses.replace(x, **made)


def _has_letter(x: Any) -> bool:
    if isinstance(x, tuple | list):
        return any(map(_has_letter, x))
    if type(x) is slice:
        return any(map(_has_letter, (x.start, x.stop, x.step)))
    return isinstance(x, Letter | Program)
