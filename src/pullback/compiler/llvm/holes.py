"""The numbers of a program apart from its structure, and those that are arguments of its code."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np

from pullback.compiler.llvm.module import Lines
from pullback.compiler.llvm.rewriting import Rewriting
from pullback.compiler.llvm.values import Value, is_float, lane_type, literal
from pullback.compiler.loops import Const, Count, Program

__all__ = ["Hole", "Integer", "constant_value", "integer", "numbers", "with_counts", "with_holes"]

Integer = int | str
"""An integer that is known, or the name of the register that holds it."""


class Hole(int):
    """A number that machine code reads when it runs.

    As an integer it is what it was in the program that the code was made from. That may guide what
    code is made; the code has to be right for any number that keeps what is promised of it.

    Attributes
    ----------
    index : int
    most : int or None
        It is not greater.
    multiple : int
        It is a multiple of this.
    """

    index: int
    most: int | None
    multiple: int
    name: str | None = None
    """The scalar whose value it is, if it isn't one of the numbers of the program."""

    def __new__(cls, index: int, value: Any, most: int | None = None, multiple: int = 1) -> Hole:
        found = super().__new__(
            cls, 2 if value != value or abs(value) == float("inf") else int(value)
        )
        found.index, found.most, found.multiple = index, most, multiple
        return found

    def __repr__(self) -> str:
        promised = f"≤{self.most}" * (self.most is not None) + f"·{self.multiple}"
        return f"hole{self.index}" + promised * (promised != "·1")

    def __reduce__(self) -> tuple[Any, ...]:
        given = self.index, int(self), self.most, self.multiple
        return Hole, given, {"name": self.name}

    def at(self, index: int) -> Hole:
        """The same number under another index."""
        return Hole(index, int(self), self.most, self.multiple)


_KINDS: dict[str, type] = {"f": float, "b": bool, "i": int, "u": int}
"""By the first letter of a dtype, what its constants are."""


class _Blank:
    """Where a number was, in the structure of a program."""

    def __repr__(self) -> str:
        return "#"


_BLANK = _Blank()


def _is_of(value: Any, kind: type) -> bool:
    """Whether a number of Python's is of a kind as it is."""
    plain = isinstance(value, kind) and not isinstance(value, np.generic)
    return plain and isinstance(value, bool) is (kind is bool)


class _Collecting(Rewriting):
    def __init__(self) -> None:
        self.values: list[int | float | bool] = []

    def number(self, value: Any) -> Any:
        self.values.append(value)
        return _BLANK

    def constant(self, value: Any, dtype: str) -> Any:
        kind = _KINDS[dtype[0]]
        return self.number(value if _is_of(value, kind) else kind(value))

    def extent(self, value: int) -> Any:
        return value if value in (0, 1) else self.number(value)


def numbers(program: Program) -> tuple[str, list[int | float | bool]]:
    """A program's structure, and its numbers in the order in which they are written.

    Programs of the same structure have as many numbers, and can run the same code if all that
    differ are its holes. Extents and steps of 0 and 1 belong to the structure, as do dtypes.
    """
    collecting = _Collecting()
    structure = collecting.program(program)
    return repr((structure.buffers, structure.body)), collecting.values


class _Replacing(Rewriting):
    def __init__(self, holes: Mapping[int, int]) -> None:
        self._holes = holes
        self._position = -1

    def number(self, value: Any) -> Any:
        self._position += 1
        index = self._holes.get(self._position)
        return value if index is None or isinstance(value, Hole) else Hole(index, value)

    def extent(self, value: int) -> Any:
        return value if value in (0, 1) else self.number(value)


def with_holes(program: Program, holes: Mapping[int, int]) -> Program:
    """The program with a `Hole` of the given index at each of these positions of `numbers`.

    One that is there already stays, with what it promises.
    """
    return _Replacing(holes).program(program) if holes else program


class _Counting(Rewriting):
    """Puts holes for the extents of tiles' axes.

    Attributes
    ----------
    counts : dict of str to dict of int to int
        By the name of the number of a tile's samples, for each multiple of it the hole's index.
    """

    def __init__(self, first: int) -> None:
        self.counts: dict[str, dict[int, int]] = defaultdict(dict)
        self._next = itertools.count(first)

    def count(self, value: int) -> int:
        if not isinstance(value, Count):
            return value
        known = self.counts[value.name]
        if value.times not in known:
            known[value.times] = next(self._next)
        if value.told:
            return Hole(known[value.times], int(value), most=int(value), multiple=value.times)
        found = Hole(known[value.times], int(value), multiple=value.times)
        found.name = value.name
        return found


def with_counts(program: Program, first: int) -> tuple[Program, dict[str, dict[int, int]]]:
    """The program with holes, from this index on, for multiples of the samples of tiles."""
    counting = _Counting(first)
    program = counting.program(program)
    return program, counting.counts


def integer(number: int) -> Integer:
    """A number as an operand: a hole is in the register of its name."""
    return f"%hole{number.index}" if isinstance(number, Hole) else int(number)


def constant_value(at: Lines, const: Const) -> Value:
    """A constant as an operand."""
    if not isinstance(const.value, Hole):
        return Value(literal(const.value, const.dtype), const.dtype)
    word = Value(f"%hole{const.value.index}", "int64")
    if is_float(const.dtype):
        wide = Value(at.op(f"bitcast i64 {word.text} to double"), "float64")
        if const.dtype == "float64":
            return wide
        return Value(at.op(f"fptrunc {wide.typed} to float"), const.dtype)
    to = lane_type(const.dtype)
    return Value(word.text if to == "i64" else at.op(f"trunc {word.typed} to {to}"), const.dtype)
