"""The scalars of a kernel at its points: each is computed where the last axis that it varies with
is bound, once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pullback.compiler.llvm.arithmetic import apply
from pullback.compiler.llvm.holes import Hole, Integer, constant_value, integer
from pullback.compiler.llvm.intervals import Interval, decided
from pullback.compiler.llvm.module import Lines, splat
from pullback.compiler.llvm.places import Spot, iota, load, plus, times
from pullback.compiler.llvm.transposing import group, is_dense, load_rows
from pullback.compiler.llvm.values import Value, is_float, memory_type
from pullback.compiler.loops import Check, Const, Expr, Kernel, Let, Load, Name, Op, Place

__all__ = ["Binding", "Frame", "Point", "Points"]

Point = Mapping[str, int]
"""For each bound axis, which of its points that are emitted side by side."""


_DEEP = 50
"""Scalars, each of which may be computed from the one before."""


class Binding(NamedTuple):
    """An axis inside a loop over it.

    Attributes
    ----------
    base : int or str
        The index of the first point; a register, in a loop.
    offsets : tuple of int
        The points that are emitted side by side, from the base.
    lanes : int
        How many points each of these stands for.
    masks : tuple of (Value or None)
        Which lanes there are, for each.
    range : (int, int) or None
        Between which numbers the index lies, where it is known: the first one, and one beyond.
    """

    base: Integer
    offsets: tuple[int, ...]
    lanes: int
    masks: tuple[Value | None, ...]
    range: Interval | None


@dataclass
class Frame:
    """What is computed once for each iteration of a loop, at its head; and the rest, in order."""

    head: Lines
    body: Lines
    memo: dict[object, Value] = field(default_factory=dict)
    registers: dict[str, str] = field(default_factory=dict)

    def pure(self, instruction: str) -> str:
        """The register of an instruction without effects, which is there once."""
        found = self.registers.get(instruction)
        if found is None:
            found = self.registers[instruction] = self.head.op(instruction)
        return found

    def op(self, instruction: str) -> str:
        return self.pure(instruction)


class Points:
    """The values of a kernel's expressions.

    Attributes
    ----------
    levels : dict
        Of each axis the number of its loop, from the outermost one.
    vector : str or None
        The axis along which the lanes of vectors lie.
    rows : bool
        Whether elements that lie side by side along another axis are read and written together.
    frames : list of Frame
        That of the kernel, then one for each open loop.
    """

    def __init__(
        self, kernel: Kernel, levels: Mapping[str, int], vector: str | None, *, rows: bool = True
    ) -> None:
        self.levels, self.vector, self._by_rows = levels, vector, rows
        self.lets = {s.scalar.name: s.value for s in kernel.body if isinstance(s, Let)}
        self.checks = [s for s in kernel.body if isinstance(s, Check)]
        self.frames: list[Frame] = []
        self.bound: dict[str, Binding] = {}
        self._kernel = kernel
        self._depends: dict[int, frozenset[str]] = {}
        for value in self.lets.values():
            self.depends(value)

    # -- what varies with what -------------------------------------------------------------------

    def depends(self, expr: Expr) -> frozenset[str]:
        """The axes that an expression varies with."""
        found = self._depends.get(id(expr))
        if found is None:
            found = self._depends[id(expr)] = self._axes(expr)
        return found

    def _axes(self, expr: Expr) -> frozenset[str]:
        if isinstance(expr, Const):
            return frozenset()
        if isinstance(expr, Name):
            return self._axes_of(expr.name)
        if isinstance(expr, Op):
            return frozenset().union(*map(self.depends, expr.args))
        where = frozenset() if expr.where is None else self.depends(expr.where)
        return where | self.place_depends(expr.place)

    def _axes_of(self, name: str) -> frozenset[str]:
        if name in self.levels:
            return frozenset((name,))
        return self.depends(self.lets[name]) if name in self.lets else frozenset()

    def place_depends(self, place: Place) -> frozenset[str]:
        return frozenset().union(*(self._axes_of(name) for name, step in place.terms if step))

    def depth(self, axes: frozenset[str]) -> int:
        """The number of the frame in which all of these axes are bound."""
        return max([self.levels[axis] + 1 for axis in axes], default=0)

    def lanes(self, axes: frozenset[str]) -> int:
        return self.bound[self.vector].lanes if self.vector in axes else 1

    def mask(self, point: Point) -> Value | None:
        """Which lanes there are at a point; all, if None."""
        if self.vector is None or self.vector not in self.bound:
            return None
        return self.bound[self.vector].masks[point[self.vector]]

    # -- values ----------------------------------------------------------------------------------

    def value(self, expr: Expr, point: Point) -> Value:
        """The value at a point, of one lane unless it varies with the vector axis."""
        while isinstance(expr, Name) and expr.name in self.lets:
            expr = self.lets[expr.name]
        if isinstance(expr, Name) and expr.name not in self.levels:
            return Value(f"%{expr.name}", expr.dtype)
        if isinstance(expr, Const) and not isinstance(expr.value, Hole):
            return constant_value(self.frames[0].head, expr)
        axes = self.depends(expr)
        frame = self.frames[self.depth(axes)]
        key = (id(expr), *(point[axis] for axis in sorted(axes)))
        found = frame.memo.get(key)
        if found is None:
            found = frame.memo[key] = self._compute(expr, point, frame)
        return found

    def settle(self, point: Point) -> None:
        """Compute all scalars in their order, if they are so many that recursion gets deep."""
        if len(self.lets) > _DEEP:
            for value in self.lets.values():
                self.value(value, point)

    def _compute(self, expr: Expr, point: Point, frame: Frame) -> Value:
        if isinstance(expr, Const):
            return constant_value(frame.head, expr)
        if isinstance(expr, Name):
            return self._index(expr, point, frame)
        if isinstance(expr, Load):
            return self._load(expr, point, frame)
        if expr.name == "select":
            holds = decided(expr.args[0], self.bound, self.lets)
            if holds is not None:
                chosen = expr.args[1 if holds else 2]
                return self.wide(chosen, point, self.lanes(self.depends(expr)))
        lanes = self.lanes(self.depends(expr))
        args = [self.wide(arg, point, lanes) for arg in expr.args]
        return apply(frame.head, expr.name, args, expr.dtype)

    def wide(self, expr: Expr, point: Point, lanes: int) -> Value:
        """The value in each of so many lanes."""
        found = self.value(expr, point)
        if found.lanes == lanes or not found.text.startswith("%"):
            return splat(self.frames[0].head, found, lanes)
        frame = self.frames[self.depth(self.depends(expr))]
        key = ("splat", found, lanes)
        if key not in frame.memo:
            frame.memo[key] = splat(frame.head, found, lanes)
        return frame.memo[key]

    def _index(self, name: Name, point: Point, frame: Frame) -> Value:
        bound = self.bound[name.name]
        first = plus(frame.head, bound.base, bound.offsets[point[name.name]])
        one = Value(str(first), "int64")
        if bound.lanes == 1:
            return one
        many = splat(frame.head, one, bound.lanes)
        return many._replace(text=frame.head.op(f"add {many.typed}, {iota(bound.lanes)}"))

    def _load(self, expr: Load, point: Point, frame: Frame) -> Value:
        where = expr.where
        if where is not None:
            holds = decided(where, self.bound, self.lets)
            if holds is False:
                lanes = self.lanes(self.depends(expr))
                zero = constant_value(frame.head, Const(0, expr.dtype))
                return splat(frame.head, zero, lanes)
            where = None if holds else where
        if where is None:
            many = self.neighbours(expr.place, expr.dtype, point)
            # Two elements of rows with more of them are gathered as fast.
            if many is not None and (len(many) > 2 or self._is_dense(expr.place, len(many))):
                return self._load_rows(expr, point, frame, many)
        lanes = self.lanes(self.depends(expr))
        spot = self.spot(expr.place, expr.dtype, point)
        mask = self.mask(point) if spot.lanes > 1 else None
        if where is None:
            return splat(frame.head, load(frame.head, spot, expr.dtype, mask), lanes)
        holds_at = self.value(where, point)
        if spot.lanes == lanes:
            return load(frame.head, spot, expr.dtype, self._both(frame.head, spot, mask, holds_at))
        if holds_at.lanes == 1:
            return splat(frame.head, load(frame.head, spot, expr.dtype, holds_at), lanes)
        return self._somewhere(
            frame.head, spot, expr.dtype, self._both(frame.head, spot, self.mask(point), holds_at)
        )

    def _load_rows(self, expr: Load, point: Point, frame: Frame, many: Sequence[Point]) -> Value:
        """The value at a point; those at its neighbours, which come with it, are kept."""
        spot = self.rows(expr.place, expr.dtype, many)
        found = load_rows(frame.head, spot, expr.dtype, len(many), self.mask(point))
        axes = sorted(self.depends(expr))
        for at, value in zip(many, found, strict=True):
            frame.memo[(id(expr), *(at[axis] for axis in axes))] = value
        return frame.memo[(id(expr), *(point[axis] for axis in axes))]

    def _both(self, at: Lines, spot: Spot, mask: Value | None, holds: Value) -> Value:
        """The lanes that a mask and a condition have; one lane for both is left alone."""
        if mask is None and (holds.lanes > 1 or spot.step != "any"):
            return holds
        if mask is None:
            return splat(at, holds, spot.lanes)
        wide = splat(at, holds, mask.lanes)
        return wide._replace(text=at.op(f"and {wide.typed}, {mask.text}"))

    def _somewhere(self, at: Lines, spot: Spot, dtype: str, holds: Value) -> Value:
        """One element in those lanes where a condition holds, read if there are any."""
        at.module.declare(f"declare i1 @llvm.vector.reduce.or.v{holds.lanes}i1({holds.type})")
        some = at.op(f"call i1 @llvm.vector.reduce.or.v{holds.lanes}i1({holds.typed})")
        found = splat(at, load(at, spot, dtype, Value(some, "bool")), holds.lanes)
        text = at.op(f"select {holds.typed}, {found.typed}, {found.type} zeroinitializer")
        return found._replace(text=text)

    # -- places ----------------------------------------------------------------------------------

    def neighbours(self, place: Place, dtype: str, point: Point) -> list[Point] | None:
        """Points along another axis whose elements lie side by side, if lanes don't; or None."""
        vector = self.vector
        if not self._by_rows or vector is None or vector not in self.bound or not is_float(dtype):
            return None
        steps = dict(place.terms)
        step, lanes = steps.get(vector, 0), self.bound[vector].lanes
        if lanes == 1 or (abs(step) <= 1 and not isinstance(step, Hole)):
            return None
        if any(name in self.lets for name in steps):
            return None
        for axis in self.levels:
            bound = self.bound.get(axis)
            if axis == vector or bound is None or bound.lanes > 1 or steps.get(axis, 0) != 1:
                continue
            many = group(point[axis], len(bound.offsets), lanes, integer(step))
            if len(many) > 1:
                return [{**point, axis: each} for each in many]
        return None

    def _is_dense(self, place: Place, count: int) -> bool:
        return is_dense(count, integer(dict(place.terms)[self.vector or ""]))

    def rows(self, place: Place, dtype: str, many: Sequence[Point]) -> Spot:
        """The first lane of the first of such points, and the way from lane to lane."""
        pointer, _, step = self._pointer(place, dtype, many[0])
        return Spot(pointer, step, self.lanes(self.place_depends(place)))

    def spot(self, place: Place, dtype: str, point: Point) -> Spot:
        """The pointer to an element, of one lane unless that varies with the vector axis."""
        pointer, wide, lane_step = self._pointer(place, dtype, point)
        lanes = self.lanes(self.place_depends(place))
        if lanes == 1 or (not wide and lane_step in (0, 1, -1)):
            return Spot(pointer, lane_step if lanes > 1 else 0, lanes)
        index = self._lane_index(wide, lane_step, lanes)
        frame = self.frames[self.depth(self.place_depends(place))]
        vector = f"<{lanes} x i64> {index}"
        gathered = f"getelementptr {memory_type(dtype)}, ptr {pointer}, {vector}"
        return Spot(frame.pure(gathered), "any", lanes)

    def _pointer(
        self, place: Place, dtype: str, point: Point
    ) -> tuple[str, list[tuple[int, Value, Integer]], Integer]:
        """The pointer to the first lane, what lanes add by data, and the step between them."""
        known, parts, wide, lane_step = self._index_parts(place, point)
        element = memory_type(dtype)
        pointer, deepest = f"%{place.buffer}", 0
        for depth, index, step in sorted(parts, key=lambda part: part[0]):
            if isinstance(index, int) and isinstance(step, int):
                known += index * step
                continue
            deepest = max(deepest, depth)
            frame = self.frames[deepest]
            moved = times(frame, index, step)
            pointer = frame.pure(f"getelementptr {element}, ptr {pointer}, i64 {moved}")
        if known:
            frame = self.frames[deepest]
            pointer = frame.pure(f"getelementptr {element}, ptr {pointer}, i64 {known}")
        return pointer, wide, lane_step

    def _index_parts(
        self, place: Place, point: Point
    ) -> tuple[int, list[tuple[int, Integer, Integer]], list[tuple[int, Value, Integer]], Integer]:
        """An index as a known number, products by depth, vectors, and its step between lanes."""
        known = 0
        lane_step: Integer = 0
        parts: list[tuple[int, Integer, Integer]] = [(0, integer(place.offset), 1)]
        wide: list[tuple[int, Value, Integer]] = []
        for name, number in place.terms:
            step = integer(number)
            if step == 0:
                continue
            if name in self.levels:
                bound = self.bound[name]
                parts.append((self.levels[name] + 1, bound.base, step))
                parts.append((0, bound.offsets[point[name]], step))
                if name == self.vector and bound.lanes > 1:
                    lane_step = step
                continue
            found = self.value(Name(name, "int64"), point)
            depth = self.depth(self._axes_of(name))
            if found.lanes > 1:
                wide.append((depth, found, step))
            else:
                known_index = not found.text.startswith("%")
                parts.append((depth, int(found.text) if known_index else found.text, step))
        return known, parts, wide, lane_step

    def _lane_index(
        self, wide: Sequence[tuple[int, Value, Integer]], lane_step: Integer, lanes: int
    ) -> str:
        """The vector of what each lane adds to an index."""
        type_ = f"<{lanes} x i64>"
        found = None
        if isinstance(lane_step, int):
            if lane_step:
                found = "<" + ", ".join(f"i64 {i * lane_step}" for i in range(lanes)) + ">"
        else:
            frame = self.frames[0]
            step = splat(frame, Value(lane_step, "int64"), lanes)
            found = frame.pure(f"mul {type_} {step.text}, {iota(lanes)}")
        deepest = 0
        for depth, index, number in sorted(wide, key=lambda part: part[0]):
            deepest = max(deepest, depth)
            frame, moved = self.frames[deepest], index.text
            if number != 1:
                step = splat(self.frames[0], Value(str(number), "int64"), lanes)
                moved = frame.pure(f"mul {type_} {moved}, {step.text}")
            found = moved if found is None else frame.pure(f"add {type_} {found}, {moved}")
        assert found is not None
        return found
