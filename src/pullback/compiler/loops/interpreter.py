"""Running a program of loops with NumPy: what machine code is compared with."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.compiler.loops.language import (
    Axis,
    Branch,
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
from pullback.compiler.loops.operations import COMBINING, OPERATIONS, unit

__all__ = ["CheckFailedError", "interpret"]


class CheckFailedError(Exception):
    """A `Check` did not hold; `error` is its number."""

    def __init__(self, error: int) -> None:
        super().__init__(f"error {error}")
        self.error = error


def interpret(
    program: Program,
    values: Sequence[np.ndarray],
    calls: Sequence[Callable[..., Any]] = (),
    symbols: dict[str, Callable[..., Any]] | None = None,
) -> list[np.ndarray]:
    """The outputs of a program, flat.

    Parameters
    ----------
    program : Program
    values : sequence of array
        One for each input, then one for each constant.
    calls : sequence of callable
        The functions that `Call` names by number, of flat arrays, the last of which they fill.
    symbols : dict, optional
        The functions that `External` names, of arrays which they write to.

    Raises
    ------
    CheckFailedError
    """
    run = _Run(calls, symbols or {})
    given = [b for b in program.buffers if b.kind == "input"]
    given += [b for b in program.buffers if b.kind == "constant"]
    for buffer, value in zip(given, values, strict=True):
        flat = np.array(value, buffer.dtype).reshape(-1)
        assert flat.size == buffer.size, buffer
        flat.flags.writeable = False
        run.buffers[buffer.name] = flat
    for buffer in program.buffers:
        if buffer.kind in ("scratch", "output", "tile"):
            # What was never written must not look like a result.
            empty = np.frombuffer(
                b"\xa5" * (buffer.size * np.dtype(buffer.dtype).itemsize), buffer.dtype
            )
            run.buffers[buffer.name] = empty.copy()
    with np.errstate(all="ignore"):
        run.statements(program.body)
    return [run.buffers[b.name] for b in program.buffers if b.kind == "output"]


class _Run:
    """The state of a run: what the buffers hold, and the scalars that have a name."""

    def __init__(
        self, calls: Sequence[Callable[..., Any]], symbols: dict[str, Callable[..., Any]]
    ) -> None:
        self.buffers: dict[str, np.ndarray] = {}
        self.scalars: dict[str, Any] = {}
        self._calls, self._symbols = calls, symbols

    def statements(self, body: Sequence[Statement]) -> None:
        for statement in body:
            self._statement(statement)

    # -- expressions, of scalars or at all points of a kernel at once ----------------------------

    def value(self, expr: Expr) -> Any:
        if isinstance(expr, Const):
            return np.dtype(expr.dtype).type(expr.value)
        if isinstance(expr, Name):
            return self.scalars[expr.name]
        if isinstance(expr, Load):
            at = self._at(expr.place)
            row = self.buffers[expr.place.buffer]
            if expr.where is None:
                return row[_inside(at, expr.place, row)]
            holds = np.asarray(self.value(expr.where))
            at, holds = np.broadcast_arrays(at, holds)
            found = np.zeros(at.shape, row.dtype)
            found[holds] = row[_inside(at[holds], expr.place, row)]
            return found[()]
        args = [self.value(arg) for arg in expr.args]
        return np.asarray(OPERATIONS[expr.name].value(*args)).astype(expr.dtype)[()]

    def _at(self, place: Place) -> Any:
        at: Any = np.int64(place.offset)
        for name, step in place.terms:
            at = at + np.int64(step) * self.scalars[name]
        return at

    def _slice(self, place: Place, size: int | None = None) -> np.ndarray:
        start = int(self._at(place))
        assert 0 <= start <= self.buffers[place.buffer].size, place
        return self.buffers[place.buffer][start : None if size is None else start + size]

    # -- statements ------------------------------------------------------------------------------

    @functools.singledispatchmethod
    def _statement(self, statement: Any) -> None:
        raise TypeError(statement)

    @_statement.register
    def _(self, statement: Let) -> None:
        self.scalars[statement.scalar.name] = self.value(statement.value)

    @_statement.register
    def _(self, statement: Store) -> None:
        row = self.buffers[statement.place.buffer]
        row[_inside(self._at(statement.place), statement.place, row)] = self.value(statement.value)

    @_statement.register
    def _(self, statement: Check) -> None:
        if not np.all(self.value(statement.condition)):
            raise CheckFailedError(statement.error)

    @_statement.register
    def _(self, statement: Kernel) -> None:
        extents = [self._extent(axis.extent) for axis in statement.axes]
        axes = [Axis(axis.name, n) for axis, n in zip(statement.axes, extents, strict=True)]
        for position, (axis, extent) in enumerate(axes):
            shape = [1] * len(extents)
            shape[position] = extent
            self.scalars[axis] = np.arange(extent).reshape(shape)
        if 0 not in extents:
            self.statements(statement.body)
        found: list[np.ndarray | None] = []
        for write in statement.writes:
            if 0 in extents:
                found.append(None)
            else:
                found.append(np.array(np.broadcast_to(self.value(write.value), extents)))
        for write, values in zip(statement.writes, found, strict=True):
            self._write(write, values, axes)

    def _extent(self, extent: int) -> int:
        if isinstance(extent, Count):
            return int(self.scalars[extent.name]) * extent.times
        return extent

    def _write(self, write: Write, values: np.ndarray | None, axes: Sequence[Any]) -> None:
        target = write.target
        if isinstance(target, Scalar):
            start = None if write.start is None else self.value(write.start)
            joined = [] if start is None else [np.asarray(start).reshape(1)]
            if values is not None:
                joined.append(values.reshape(-1))
            ufunc, _ = COMBINING[write.combine]
            out = ufunc.reduce(np.concatenate(joined).astype(target.dtype))
            self.scalars[target.name] = np.dtype(target.dtype).type(out)
            return
        row = self.buffers[target.buffer]
        if write.start is not None:
            kept = {name for name, _ in target.terms}
            for axis, extent in axes:
                if axis in kept and not extent:
                    return
            at = self._at(target)
            row[at] = self.value(write.start)
        if values is None:
            return
        at = np.broadcast_to(_inside(self._at(target), target, row), values.shape)
        if write.combine:
            ufunc, _ = COMBINING[write.combine]
            ufunc.at(row, at, values)
        else:
            row[at] = values

    @_statement.register
    def _(self, statement: For) -> None:
        state = [self.value(initial) for _, initial in statement.carries]
        order = range(int(self.value(statement.extent)))
        for i in order[::-1] if statement.reverse else order:
            self.scalars[statement.index] = np.int64(i)
            self._bind([scalar for scalar, _ in statement.carries], state)
            self.statements(statement.body)
            state = [self.value(after) for after in statement.nexts]
        self._bind(statement.results, state)

    @_statement.register
    def _(self, statement: While) -> None:
        state = [self.value(initial) for _, initial in statement.carries]
        while True:
            self._bind([scalar for scalar, _ in statement.carries], state)
            self.statements(statement.test)
            if not self.value(statement.condition):
                break
            self.statements(statement.body)
            state = [self.value(after) for after in statement.nexts]
        self._bind(statement.results, state)

    @_statement.register
    def _(self, statement: Branch) -> None:
        index = max(int(self.value(statement.index)), 0)
        body, values = statement.branches[min(index, len(statement.branches) - 1)]
        self.statements(body)
        self._bind(statement.results, [self.value(value) for value in values])

    @_statement.register
    def _(self, statement: Tiles) -> None:
        units = {x.buffer: unit(x.combine, self.buffers[x.buffer].dtype.name)
                 for x in statement.sums}  # fmt: skip
        tiles = -(-statement.extent // statement.tile)
        found = []
        for block in range(0, tiles, statement.block):
            for buffer, nothing in units.items():
                self.buffers[buffer] = np.full_like(self.buffers[buffer], nothing)
            for tile in range(block, min(block + statement.block, tiles)):
                first = tile * statement.tile
                count = min(statement.tile, statement.extent - first)
                self.scalars[statement.first] = np.int64(first)
                self.scalars[statement.count] = np.int64(count)
                self.statements(statement.body)
            found.append([self.buffers[buffer] for buffer in units])
        while len(found) > 1:
            pairs = zip(found[::2], found[1::2], strict=False)
            rest = found[len(found) // 2 * 2 :]
            found = [
                [
                    COMBINING[x.combine][0](a, b)
                    for x, a, b in zip(statement.sums, *pair, strict=True)
                ]
                for pair in pairs
            ] + rest
        for n, (buffer, nothing) in enumerate(units.items()):
            total = found[0][n] if found else np.full_like(self.buffers[buffer], nothing)
            self.buffers[buffer] = total

    @_statement.register
    def _(self, statement: Copy) -> None:
        size = statement.size
        self._slice(statement.target, size)[...] = self._slice(statement.source, size)

    @_statement.register
    def _(self, statement: Call) -> None:
        self._calls[statement.number](*map(self._slice, statement.operands))

    @_statement.register
    def _(self, statement: External) -> None:
        arguments = [self._argument(arg) for arg in statement.arguments]
        self._symbols[statement.symbol](*arguments)
        for position, scalar in statement.results:
            self.scalars[scalar.name] = arguments[position][0]

    def _argument(self, argument: Place | Expr) -> np.ndarray:
        """What an external function gets a pointer to."""
        if isinstance(argument, Place):
            return self._slice(argument)
        if isinstance(argument, Const) and argument.dtype == "char":
            return np.array([ord(argument.value)], np.uint8)
        return np.array([self.value(argument)])

    def _bind(self, scalars: Sequence[Scalar], values: Sequence[Any]) -> None:
        for scalar, value in zip(scalars, values, strict=True):
            self.scalars[scalar.name] = np.dtype(scalar.dtype).type(value)


def _inside(at: Any, place: Place, row: np.ndarray) -> Any:
    assert np.all((at >= 0) & (at < row.size)), f"{place} is outside of {row.size} elements"
    return at
