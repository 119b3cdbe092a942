"""Whether a program of loops is well formed."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pullback.compiler.loops.language import (
    Axis,
    Branch,
    Buffer,
    Call,
    Check,
    Const,
    Copy,
    Count,
    Expr,
    External,
    For,
    Kernel,
    Let,
    Load,
    Name,
    Place,
    Program,
    Scalar,
    Statement,
    Store,
    Tiles,
    While,
    Write,
)
from pullback.compiler.loops.operations import COMBINING, OPERATIONS
from pullback.errors import GraphError

__all__ = ["verify"]

_ANY = (None, None)
Range = tuple[int | None, int | None]
"""The least and the greatest value of an integer, as far as they are known."""


def verify(program: Program) -> None:
    """Check that names are given once, before they are used; dtypes; that places lie inside.

    Raises
    ------
    GraphError
        Names the program and what is wrong with it.
    """
    try:
        _Verification(program).statements(program.body)
    except GraphError as error:
        raise GraphError(f"{program.name}: {error}") from None


class _Verification:
    """The names that are seen at a place in the program, and what has had a name anywhere."""

    def __init__(self, program: Program) -> None:
        self._buffers: dict[str, Buffer] = {}
        for buffer in program.buffers:
            _require(buffer.name not in self._buffers, f"two buffers are called {buffer.name}")
            self._buffers[buffer.name] = buffer
        self._seen: dict[str, str] = {}
        self._ranges: dict[str, Range] = {}
        self._given: set[str] = set()
        self._tiles: Tiles | None = None
        self._samples: dict[str, int] = {}

    # -- names -----------------------------------------------------------------------------------

    def _give(self, scalar: Scalar, among: Range = _ANY) -> None:
        _require(scalar.name not in self._given, f"{scalar.name} is given twice")
        self._given.add(scalar.name)
        self._seen[scalar.name] = scalar.dtype
        self._ranges[scalar.name] = among

    def _inside(self, body: Sequence[Statement], values: Iterable[tuple[Expr, str]]) -> None:
        """Statements with a scope of their own, and what is computed at their end."""
        outside = dict(self._seen)
        self.statements(body)
        for value, dtype in values:
            self._value(value, dtype)
        self._seen = outside

    # -- expressions -----------------------------------------------------------------------------

    def _value(self, expr: Expr, dtype: str | None = None) -> str:
        found = self._dtype(expr)
        _require(dtype is None or found == dtype, f"{expr} is of dtype {found}, wanted {dtype}")
        return found

    def _dtype(self, expr: Expr) -> str:
        if isinstance(expr, Const):
            return expr.dtype
        if isinstance(expr, Name):
            _require(expr.name in self._seen, f"{expr.name} has no value here")
            found = self._seen[expr.name]
            _require(found == expr.dtype, f"{expr.name} is of dtype {found}, said {expr.dtype}")
            return expr.dtype
        if isinstance(expr, Load):
            buffer = self._place(expr.place, bounded=expr.where is None)
            _require(buffer.dtype == expr.dtype, f"{buffer} is read as {expr.dtype}")
            if expr.where is not None:
                self._value(expr.where, "bool")
            return expr.dtype
        operation = OPERATIONS.get(expr.name)
        _require(operation is not None, f"there is no operation {expr.name}")
        assert operation is not None
        _require(len(expr.args) == operation.arity, f"{expr.name} takes {operation.arity} values")
        dtypes = [self._value(arg) for arg in expr.args]
        if expr.name == "select":
            _require(dtypes == ["bool", expr.dtype, expr.dtype], f"select of {dtypes}")
        elif operation.gives == "same":
            _require(set(dtypes) == {expr.dtype}, f"{expr.name} of {dtypes} is {expr.dtype}")
        elif operation.gives == "bool":
            _require(expr.dtype == "bool", f"{expr.name} is {expr.dtype}, wanted bool")
            _require(len(set(dtypes)) == 1, f"{expr.name} of {dtypes}")
        return expr.dtype

    def _place(self, place: Place, *, bounded: bool = True, size: int = 1) -> Buffer:
        _require(place.buffer in self._buffers, f"there is no buffer {place.buffer}")
        buffer = self._buffers[place.buffer]
        tiled = buffer.kind == "tile" and self._tiles is None
        _require(not tiled, f"{buffer} is used outside of tiles")
        low: int | None = place.offset
        high: int | None = place.offset
        names = [name for name, _ in place.terms]
        _require(len(set(names)) == len(names), f"a name stands twice in {place}")
        for name, step, among in self._terms(place):
            self._value(Name(name, "int64"))
            ends = [end if end is None else end * step for end in among]
            least, most = ends if step >= 0 else ends[::-1]
            low = None if low is None or least is None else low + least
            high = None if high is None or most is None else high + most
        if bounded:
            _require(low is None or low >= 0, f"{place} begins at {low}")
            inside = high is None or high + size <= buffer.size
            _require(inside, f"{place} reaches {high} of {buffer.size} elements")
        return buffer

    def _terms(self, place: Place) -> Iterator[tuple[str, int, Range]]:
        """The terms of a place, each with the values it has; a tile's samples with its first."""
        tiles, steps = self._tiles, dict(place.terms)
        one = [name for name in steps if name in self._samples]
        times = self._samples[one[0]] if len(one) == 1 else 0
        whole = tiles and times and steps.get(tiles.first) == times * steps[one[0]]
        for name, step in place.terms:
            among = self._ranges.get(name, _ANY)
            if whole and tiles is not None and name in (tiles.first, one[0]):
                among = (0, tiles.extent - 1 if name == tiles.first else times - 1)
            yield name, step, among

    def _target(self, place: Place, dtype: str) -> None:
        buffer = self._place(place)
        written = buffer.kind in ("scratch", "output", "tile")
        _require(written, f"{buffer} can't be written to")
        _require(buffer.dtype == dtype, f"{buffer} gets {dtype}")

    # -- statements ------------------------------------------------------------------------------

    def statements(self, body: Sequence[Statement]) -> None:
        for statement in body:
            self._statement(statement)

    @functools.singledispatchmethod
    def _statement(self, statement: Any) -> None:
        raise GraphError(f"{statement!r} is no statement")

    @_statement.register
    def _(self, statement: Let) -> None:
        value = statement.value
        known = isinstance(value, Const) and value.dtype == "int64"
        self._value(value, statement.scalar.dtype)
        self._give(statement.scalar, (value.value, value.value) if known else _ANY)  # type: ignore[union-attr]

    @_statement.register
    def _(self, statement: Store) -> None:
        self._target(statement.place, self._value(statement.value))

    @_statement.register
    def _(self, statement: Check) -> None:
        self._value(statement.condition, "bool")
        _require(statement.error > 0, f"errors are numbered from 1, got {statement.error}")

    @_statement.register
    def _(self, statement: Kernel) -> None:
        outside = dict(self._seen)
        for axis, extent in statement.axes:
            self._give(Scalar(axis, "int64"), (0, extent - 1))
            if isinstance(extent, Count) and not extent.told:
                self._value(Name(extent.name, "int64"), "int64")
            elif isinstance(extent, Count):
                named = self._tiles is not None and self._tiles.count == extent.name
                _require(named, f"{axis} runs to {extent}, which no tiles around it say")
                self._samples[axis] = extent.times
        if any(axis.extent == 0 for axis in statement.axes):
            self._ranges.update((axis.name, _ANY) for axis in statement.axes)
        for each in statement.body:
            _require(isinstance(each, Let | Check), f"{each} stands in a kernel")
            self._statement(each)
        for write in statement.writes:
            self._write(write, statement.axes)
        self._seen = outside
        for write in statement.writes:
            if isinstance(write.target, Scalar):
                self._give(write.target)

    def _write(self, write: Write, axes: Sequence[Axis]) -> None:
        dtype = self._value(write.value)
        _require(write.combine in ("", *COMBINING), f"nothing is joined by {write.combine}")
        if write.start is not None:
            self._value(write.start, dtype)
        target = write.target
        if isinstance(target, Scalar):
            _require(bool(write.combine), f"{target.name} is not joined")
            _require(target.dtype == dtype, f"{target} gets {dtype}")
            return
        self._target(target, dtype)
        if not write.combine:
            own = {name for name, _ in target.terms}
            missing = [axis.name for axis in axes if axis.extent > 1 and axis.name not in own]
            apart = not missing or any(name not in {a.name for a in axes} for name in own)
            _require(apart, f"{target} is written at each {', '.join(missing)}")

    @_statement.register
    def _(self, statement: For) -> None:
        self._value(statement.extent, "int64")
        self._initial(statement.carries)
        outside = dict(self._seen)
        most = statement.extent.value - 1 if isinstance(statement.extent, Const) else None
        self._give(Scalar(statement.index, "int64"), (0, most) if most != -1 else _ANY)
        self._scope(statement.carries)
        self._inside(statement.body, _typed(statement.nexts, statement.carries))
        self._seen = outside
        self._results(statement.results, [scalar.dtype for scalar, _ in statement.carries])

    @_statement.register
    def _(self, statement: While) -> None:
        self._initial(statement.carries)
        outside = dict(self._seen)
        self._scope(statement.carries)
        self.statements(statement.test)
        self._value(statement.condition, "bool")
        self._inside(statement.body, _typed(statement.nexts, statement.carries))
        self._seen = outside
        self._results(statement.results, [scalar.dtype for scalar, _ in statement.carries])

    def _initial(self, carries: Sequence[tuple[Scalar, Expr]]) -> None:
        for scalar, value in carries:
            self._value(value, scalar.dtype)

    def _scope(self, carries: Sequence[tuple[Scalar, Expr]]) -> None:
        for scalar, _ in carries:
            self._give(scalar)

    def _results(self, results: Sequence[Scalar], dtypes: Sequence[str]) -> None:
        _require([r.dtype for r in results] == [*dtypes], f"results {results} of {dtypes}")
        for scalar in results:
            self._give(scalar)

    @_statement.register
    def _(self, statement: Branch) -> None:
        self._value(statement.index, "int64")
        _require(bool(statement.branches), "a choice without branches")
        dtypes = [scalar.dtype for scalar in statement.results]
        for body, values in statement.branches:
            self._inside(body, zip(values, dtypes, strict=True))
        self._results(statement.results, dtypes)

    @_statement.register
    def _(self, statement: Tiles) -> None:
        sizes = statement.extent, statement.tile, statement.block
        _require(self._tiles is None, "tiles stand within tiles")
        _require(min(statement.extent, 0) == 0 and min(sizes[1:]) > 0, f"tiles of {sizes}")
        for buffer, combine in statement.sums:
            kind = self._buffers[buffer].kind if buffer in self._buffers else "nothing"
            _require(
                kind in ("scratch", "output"), f"{buffer} is {kind}, which nothing is summed in"
            )
            _require(combine in COMBINING, f"nothing is joined by {combine}")
        outside = dict(self._seen)
        self._give(Scalar(statement.first, "int64"), (0, max(statement.extent - 1, 0)))
        self._give(Scalar(statement.count, "int64"), (0, statement.tile))
        self._tiles = statement
        self.statements(statement.body)
        self._tiles, self._seen = None, outside

    @_statement.register
    def _(self, statement: Copy) -> None:
        source = self._place(statement.source, size=statement.size)
        target = self._place(statement.target, size=statement.size)
        _require(target.kind in ("scratch", "output"), f"{target} can't be written to")
        _require(source.dtype == target.dtype, f"{source} is copied to {target}")

    @_statement.register
    def _(self, statement: Call) -> None:
        for position, place in enumerate(statement.operands):
            buffer = self._place(place, size=0)
            readable = position < statement.reads or buffer.kind in ("scratch", "output")
            _require(readable, f"{buffer} can't be written to")

    @_statement.register
    def _(self, statement: External) -> None:
        for position, argument in enumerate(statement.arguments):
            if isinstance(argument, Place):
                buffer = self._place(argument, size=0)
                writable = position not in statement.writes or buffer.kind in ("scratch", "output")
                _require(writable, f"{buffer} can't be written to")
            elif not (isinstance(argument, Const) and argument.dtype == "char"):
                self._value(argument)
        for _, scalar in statement.results:
            self._give(scalar)


def _typed(
    nexts: Sequence[Expr], carries: Sequence[tuple[Scalar, Expr]]
) -> Iterable[tuple[Expr, str]]:
    _require(len(nexts) == len(carries), f"{len(nexts)} values for {len(carries)} carries")
    return [(value, scalar.dtype) for value, (scalar, _) in zip(nexts, carries, strict=True)]


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise GraphError(what)
