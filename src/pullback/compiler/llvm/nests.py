"""A kernel as a nest of loops: what is computed at its points, joined and stored."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

from pullback.compiler.llvm.holes import Integer, integer
from pullback.compiler.llvm.joining import (
    across,
    changes_nothing,
    identity,
    joined,
    side_by_side,
    together,
)
from pullback.compiler.llvm.module import Code, Lines, splat
from pullback.compiler.llvm.pieces import Level, Piece, blocks, masks_of, pieces
from pullback.compiler.llvm.places import Spot, load, minus, store
from pullback.compiler.llvm.points import Binding, Frame, Point, Points
from pullback.compiler.llvm.transposing import store_rows
from pullback.compiler.llvm.values import Value
from pullback.compiler.loops import Kernel, Scalar, Write

__all__ = ["Nest", "Plan"]

Key = tuple[object, ...]
Accumulators = dict[Key, Value]
"""For each joined write, point of its target and slot a value so far."""


class Plan(NamedTuple):
    """How a kernel becomes a nest.

    Attributes
    ----------
    levels : tuple of Level
        The loops, from the outermost one.
    vector : str or None
        The axis along which vectors lie.
    spread : str or None
        A summed axis whose points side by side have accumulators of their own.
    """

    levels: tuple[Level, ...]
    vector: str | None
    spread: str | None


class _Joined(NamedTuple):
    """A write whose values are joined in registers.

    Attributes
    ----------
    number : int
    write : Write
    kept : frozenset of str
        The axes of its target.
    depth : int
        The frame in which these are bound, where its accumulators begin and end.
    last : int
        The innermost frame in which accumulators begin anew.
    """

    number: int
    write: Write
    kept: frozenset[str]
    depth: int
    last: int


class Nest:
    """Writes the loops of a kernel into a function."""

    def __init__(
        self, code: Code, kernel: Kernel, plan: Plan, fail: Callable[[Lines, str, int], None]
    ) -> None:
        self._code, self._plan, self._fail = code, plan, fail
        levels = {level.axis: n for n, level in enumerate(plan.levels) if not level.block}
        exact = any(level.exact for level in plan.levels)
        self._points = Points(kernel, levels, plan.vector, rows=not exact)
        self._blocks: dict[str, tuple[Integer, Integer]] = {}
        self._results: dict[str, Value] = {}
        self._joined: list[_Joined] = []
        self._direct: list[tuple[Write, frozenset[str]]] = []
        self._targets: frozenset[str] = frozenset()
        staged = [n for n, level in enumerate(plan.levels) if level.staged]
        for number, write in enumerate(kernel.writes):
            kept = self._kept(write)
            depth = self._points.depth(kept)
            if write.combine and (depth < len(plan.levels) or isinstance(write.target, Scalar)):
                last = max([depth, *(n for n in staged if n > depth)])
                self._joined.append(_Joined(number, write, kept, depth, last))
            else:
                self._direct.append((write, kept))
        if plan.spread is None:
            self._targets = self._targets.union(*(j.kept for j in self._joined))

    def emit(self, lines: Lines) -> dict[str, Value]:
        """Write the loops; the scalars that the kernel gives."""
        self._frames.append(Frame(lines.inner(), lines.inner()))
        self._check(0)
        self._run(0, {})
        self._frames.pop()
        return self._results

    @property
    def _frames(self) -> list[Frame]:
        return self._points.frames

    def _kept(self, write: Write) -> frozenset[str]:
        if isinstance(write.target, Scalar):
            return frozenset()
        return self._points.place_depends(write.target)

    # -- loops -----------------------------------------------------------------------------------

    def _run(self, depth: int, running: Accumulators) -> Accumulators:
        """The loops from this depth on, and what begins and ends around them."""
        staged = depth < len(self._plan.levels) and self._plan.levels[depth].staged
        begun = [j for j in self._joined if j.depth == depth or (staged and depth > j.depth)]
        numbers = {j.number for j in begun}
        apart = {key: value for key, value in running.items() if key[0] in numbers}
        going = {key: value for key, value in running.items() if key[0] not in numbers}
        going |= {key: value for j in begun for key, value in self._begin(j, depth)}
        after = self._loops(depth, going)
        for j in begun:
            self._end(j, depth, after, apart)
        return {key: value for key, value in after.items() if key[0] not in numbers} | apart

    def _loops(self, depth: int, running: Accumulators) -> Accumulators:
        if depth == len(self._plan.levels):
            return self._innermost(running)
        level, frame = self._plan.levels[depth], self._frames[-1]
        if level.block:
            for piece, size in blocks(level, frame):
                running = self._piece(depth, piece, running, size)
            return running
        start, size = self._blocks.get(level.axis, (0, integer(level.extent)))
        for piece in pieces(level, start, size, frame):
            running = self._piece(depth, piece, running)
        return running

    def _piece(
        self, depth: int, piece: Piece, running: Accumulators, size: Integer | None = None
    ) -> Accumulators:
        if piece.limit is None:
            return self._inside(depth, piece, piece.start, running, size)
        outer, code = self._frames[-1].body, self._code
        before, head, latch, after = (code.label(n) for n in ("before", "loop", "latch", "after"))
        index, following = code.fresh("i"), code.fresh("next")
        outer.do(f"br label %{before}")
        outer.block(before)
        if piece.guarded:
            some = outer.op(f"icmp slt i64 {piece.start}, {piece.limit}")
            outer.do(f"br i1 {some}, label %{head}, label %{after}")
        else:
            outer.do(f"br label %{head}")
        outer.block(head)
        outer.do(f"{index} = phi i64 [ {piece.start}, %{before} ], [ {following}, %{latch} ]")
        phis = outer.inner()
        names = {key: value._replace(text=code.fresh("sum")) for key, value in running.items()}
        found = self._inside(depth, piece, index, names, size)
        outer.do(f"br label %{latch}")
        outer.block(latch)
        outer.do(f"{following} = add nsw i64 {index}, {piece.step}")
        again = outer.op(f"icmp slt i64 {following}, {piece.limit}")
        outer.do(f"br i1 {again}, label %{head}, label %{after}")
        outer.block(after)
        for key, value in running.items():
            _phi(phis, names[key], (value.text, before), (found[key].text, latch))
        if not piece.guarded:
            return found
        joins = {key: value._replace(text=code.fresh("sum")) for key, value in running.items()}
        for key, value in running.items():
            _phi(outer, joins[key], (value.text, before), (found[key].text, latch))
        return joins

    def _inside(
        self, depth: int, piece: Piece, base: Integer, running: Accumulators, size: Integer | None
    ) -> Accumulators:
        """One iteration: the axis is bound, and what varies with it gets a frame."""
        outer, level = self._frames[-1].body, self._plan.levels[depth]
        frame = Frame(outer.inner(), outer.inner())
        self._frames.append(frame)
        if level.block:
            assert size is not None
            extent = integer(level.extent)
            if isinstance(extent, str):
                rest = minus(frame, extent, base)
                less = frame.pure(f"icmp slt i64 {rest}, {size}")
                size = frame.pure(f"select i1 {less}, i64 {rest}, i64 {size}")
            self._blocks[level.axis] = base, size
        else:
            masks = masks_of(piece, base, frame)
            among = piece.range
            if isinstance(base, int):
                among = (base, base + piece.offsets[-1] + piece.lanes)
            self._points.bound[level.axis] = Binding(base, piece.offsets, piece.lanes, masks, among)
        self._check(depth + 1)
        after = self._run(depth + 1, running)
        self._frames.pop()
        return after

    # -- points ----------------------------------------------------------------------------------

    def _all(self, axes: frozenset[str]) -> Iterator[Point]:
        """The points that are emitted side by side."""
        levels, bound = self._points.levels, self._points.bound
        # What is added to one accumulator comes after what is added to the others.
        names = sorted(axes, key=lambda axis: (axis in self._targets, levels[axis]))
        for at in itertools.product(*(range(len(bound[name].offsets)) for name in names)):
            yield dict(zip(names, at, strict=True))

    def _check(self, depth: int) -> None:
        """What is to hold at the points of the frame that was opened."""
        points, head = self._points, self._frames[-1].head
        for check in points.checks:
            axes = points.depends(check.condition)
            if points.depth(axes) != depth:
                continue
            for point in self._all(axes):
                holds = points.value(check.condition, point)
                ones = splat(head, Value("true", "bool"), holds.lanes)
                fails = head.op(f"xor {holds.typed}, {ones.text}")
                mask = points.mask(point) if holds.lanes > 1 else None
                if mask is not None:
                    fails = head.op(f"and {holds.type} {fails}, {mask.text}")
                failed = across(head, "logical_or", holds._replace(text=fails))
                self._fail(head, failed.text, check.error)

    def _innermost(self, running: Accumulators) -> Accumulators:
        points, frame = self._points, self._frames[-1]
        after = dict(running)
        # All values come before the first one is stored: it may overwrite what they read.
        found: dict[Key, tuple[Write, Point, Value]] = {}
        for point in self._all(frozenset(points.levels)):
            points.settle(point)
            for j in self._joined:
                key = self._key(j, point, j.last)
                after[key] = joined(frame.body, j.write.combine, after[key], self._value(j, point))
            for write, kept in self._direct:
                value = points.value(write.value, point)
                key = (id(write), *(point[axis] for axis in sorted(kept)))
                if write.combine and key in found:
                    lanes = self._lanes_of(write)
                    sides = (splat(frame.body, each, lanes) for each in (found[key][2], value))
                    value = joined(frame.body, write.combine, *sides)
                found[key] = write, point, value
        self._write_all(found)
        return after

    def _write_all(self, found: dict[Key, tuple[Write, Point, Value]]) -> None:
        """Store values of several points, by writes and the axes of their targets."""
        while found:
            write, point, value = found.pop(next(iter(found)))
            if not self._store_rows(write, point, value, found):
                self._write(write, point, value)

    def _store_rows(
        self,
        write: Write,
        point: Point,
        value: Value,
        others: dict[Key, tuple[Write, Point, Value]],
    ) -> bool:
        """Store a value with those of others that lie beside it, if its lanes are far apart."""
        points, target = self._points, write.target
        if write.combine or isinstance(target, Scalar):
            return False
        many = points.neighbours(target, value.dtype, point)
        if many is None:
            return False
        axes = sorted(points.place_depends(target))
        keys = [(id(write), *(each[axis] for axis in axes)) for each in many]
        if many[0] != point or not all(key in others for key in keys[1:]):
            return False
        spot, body = points.rows(target, value.dtype, many), self._frames[-1].body
        values = [value, *(others.pop(key)[2] for key in keys[1:])]
        wide = [splat(body, each, spot.lanes) for each in values]
        store_rows(body, spot, wide, points.mask(point))
        return True

    def _lanes_of(self, write: Write) -> int:
        """The lanes of what is stored."""
        assert not isinstance(write.target, Scalar)
        return self._points.lanes(self._points.place_depends(write.target))

    def _value(self, j: _Joined, point: Point) -> Value:
        """What a point adds to an accumulator; nothing in lanes that there aren't."""
        points, frame = self._points, self._frames[-1]
        value = points.wide(j.write.value, point, self._lanes(j, j.last))
        mask = points.mask(point)
        if mask is None or points.vector in j.kept:
            return value
        nothing = identity(j.write.combine, value.dtype, value.lanes)
        text = frame.body.op(f"select {mask.typed}, {value.typed}, {nothing.typed}")
        return value._replace(text=text)

    def _write(self, write: Write, point: Point, value: Value) -> None:
        """Store a value, joined with what is there or what it starts from."""
        assert not isinstance(write.target, Scalar)
        spot = self._points.spot(write.target, write.value.dtype, point)
        self._store(write, spot, value, self._points.mask(point) if spot.lanes > 1 else None)

    def _store(self, write: Write, spot: Spot, value: Value, mask: Value | None) -> None:
        body = self._frames[-1].body
        value = splat(body, value, spot.lanes)
        if write.combine:
            if write.start is None:
                first = load(body, spot, value.dtype, mask)
            else:
                first = self._points.wide(write.start, {}, spot.lanes)
            value = joined(body, write.combine, first, value)
        store(body, spot, value, mask)

    # -- accumulators ----------------------------------------------------------------------------

    def _lanes(self, j: _Joined, depth: int) -> int:
        vector = self._points.vector
        if vector is None or (vector not in j.kept and depth < j.last):
            return 1
        bound = self._points.bound
        if vector in j.kept:
            return bound[vector].lanes
        return next(v.lanes for v in self._plan.levels if v.axis == vector and not v.block)

    def _key(self, j: _Joined, point: Point, depth: int) -> Key:
        slot = point[self._plan.spread] if self._slots(j, depth) > 1 else 0  # type: ignore[index]
        return (j.number, *(point[axis] for axis in sorted(j.kept)), slot)

    def _slots(self, j: _Joined, depth: int) -> int:
        """How many accumulators there are for one point of the target."""
        spread = self._plan.spread
        if spread is None or spread in j.kept or depth < j.last:
            return 1
        return next(v.tile for v in self._plan.levels if v.axis == spread and not v.block)

    def _begin(self, j: _Joined, depth: int) -> Iterator[tuple[Key, Value]]:
        nothing = identity(j.write.combine, j.write.value.dtype, self._lanes(j, depth))
        for point in self._all(j.kept):
            for slot in range(self._slots(j, depth)):
                yield (j.number, *(point[axis] for axis in sorted(j.kept)), slot), nothing

    def _end(self, j: _Joined, depth: int, found: Accumulators, outer: Accumulators) -> None:
        """Join the accumulators of each point, and with those that went on around the loops."""
        body, combine = self._frames[-1].body, j.write.combine
        write = j.write
        if changes_nothing(combine, write.start):
            write = replace(write, combine="", start=None)
        totals: list[tuple[Point, Value]] = []
        for point in self._all(j.kept):
            at = (j.number, *(point[axis] for axis in sorted(j.kept)))
            slots = [found[*at, slot] for slot in range(self._slots(j, depth))]
            totals.append((point, together(body, combine, slots)))
        if depth == j.depth and self._points.vector not in j.kept:
            totals = self._rows(j, write, totals)
        there: dict[Key, tuple[Write, Point, Value]] = {}
        for point, total in totals:
            if self._points.vector not in j.kept:
                total = across(body, combine, total)
            at = (j.number, *(point[axis] for axis in sorted(j.kept)))
            if depth > j.depth:
                outer[*at, 0] = joined(body, combine, outer[*at, 0], total)
            elif isinstance(j.write.target, Scalar):
                if write.start is not None:
                    total = joined(body, combine, self._points.value(write.start, {}), total)
                self._results[j.write.target.name] = total
            else:
                there[id(write), *at[1:]] = write, point, total
        self._write_all(there)

    def _rows(
        self, j: _Joined, write: Write, totals: list[tuple[Point, Value]]
    ) -> list[tuple[Point, Value]]:
        """Store those whose targets lie side by side, several at once; the others are left."""
        target, bound = j.write.target, self._points.bound
        if isinstance(target, Scalar) or not j.kept or totals[0][1].lanes == 1:
            return totals
        last = max(j.kept, key=self._points.levels.__getitem__)
        count = len(bound[last].offsets)
        if count & (count - 1) or count == 1 or count > totals[0][1].lanes:
            return totals
        by_data = any(name in self._points.lets for name, _ in target.terms)
        if by_data or dict(target.terms).get(last) != 1 or bound[last].lanes > 1:
            return totals
        for first in range(0, len(totals), count):
            values = [value for _, value in totals[first : first + count]]
            packed = side_by_side(self._frames[-1].body, j.write.combine, values)
            spot = self._points.spot(target, packed.dtype, totals[first][0])
            self._store(write, spot._replace(step=1, lanes=count), packed, None)
        return []


def _phi(at: Lines, value: Value, *sources: tuple[str, str]) -> None:
    given = ", ".join(f"[ {text}, %{label} ]" for text, label in sources)
    at.do(f"{value.text} = phi {value.type} {given}")
