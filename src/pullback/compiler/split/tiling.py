"""The statements of a phase as tiles: their places, what is a tile's own, and their sums."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from pullback.compiler.fusion.degenerate import simple_kernels
from pullback.compiler.fusion.effects import effects
from pullback.compiler.fusion.names import Names
from pullback.compiler.fusion.substitution import canonical
from pullback.compiler.fusion.traversal import rebuilt, with_bodies
from pullback.compiler.loops import (
    Axis,
    Buffer,
    Const,
    Count,
    Expr,
    For,
    Kernel,
    Let,
    Load,
    Name,
    Op,
    Place,
    Scalar,
    Statement,
    Sum,
    Tiles,
    Write,
)
from pullback.compiler.split.places import Spot
from pullback.compiler.split.ranges import ranges
from pullback.compiler.split.survey import Survey

__all__ = ["Tiling"]


@dataclass
class Tiling:
    """A phase in the making.

    Attributes
    ----------
    survey : Survey
    names : Names
    tile, block : int
        Samples of a tile, and tiles of a block.
    inner : set of str
        The buffers that each tile has for itself.
    staged : mapping of str to str
        The buffers whose elements each tile copies first, so that a sample lies beside the next
        one, and what to call the copies.
    buffers : list of Buffer
        Those of the tiles, and of sums.
    kept : collection of str
        Those of the inner buffers that lie in a tile as they would for all samples: the order of
        a sum may depend on it.
    copied : collection of str
        Of which of the staged buffers the statement at hand reads the copies.
    sums : list of Sum
    after : list of Statement
        What is done with the sums, afterwards.
    """

    survey: Survey
    names: Names
    tile: int
    block: int
    inner: set[str]
    staged: Mapping[str, str] = field(default_factory=dict)
    buffers: list[Buffer] = field(default_factory=list)
    kept: Collection[str] = ()
    copied: Collection[str] = ()
    sums: list[Sum] = field(default_factory=list)
    after: list[Statement] = field(default_factory=list)

    def tiles(
        self,
        body: Iterable[Statement],
        copied: Collection[str],
        again: Iterable[tuple[Statement, Collection[str]]] = (),
    ) -> Tiles:
        """The tiles of the statements of a phase; of what is done `again` the sums aren't used.

        With that comes which copies it reads, and with the phase's own statements too: the order
        of a sum may depend on it.
        """
        self._first, self._count = self.names.fresh(), self.names.fresh()
        found: list[Statement] = [self._copy(x) for x in self.staged if x not in self.kept]
        made: set[str] = set()
        for statement, self.copied in again:
            found += self._tiled(statement, made)
        self.after.clear()
        self.copied = copied
        for statement in body:
            found += self._tiled(statement, made)
        sizes = self.survey.samples, self.tile, self.block
        return Tiles(self._first, self._count, *sizes, tuple(self.sums), tuple(found))

    def _tiled(self, statement: Statement, made: set[str]) -> list[Statement]:
        """A statement in a tile, behind the copies that it reads of what the tile has made."""
        late = set(self.kept).intersection(self.copied, effects(statement).reads) - made
        made |= late
        return [*(self._copy(name) for name in sorted(late)), self._statement(statement, {})]

    def _copy(self, name: str) -> Kernel:
        """The elements of a tile's samples beside each other."""
        copy, kept = self.staged[name], name in self.kept
        survey, lying = self.survey, self.survey.lying[name]
        size, dtype = survey.sizes[name], survey.dtypes[name]
        self.buffers.append(Buffer(copy, dtype, size // lying.samples * self.tile, "tile"))
        group, part, sample = (self.names.fresh() for _ in range(3))
        around = lying.step * self.tile if kept else lying.group
        first = () if kept else ((self._first, lying.step),)
        steps = (group, around), (sample, lying.step), (part, 1), *first
        rows = (group, lying.step * self.tile), (part, self.tile), (sample, 1)
        value = Scalar(self.names.fresh(), dtype)
        axes = (
            Axis(group, size // lying.group),
            Axis(part, lying.step),
            Axis(sample, Count(self._count, self.tile)),
        )
        load = Load(canonical(Place(name, 0, steps)), dtype)
        write = Write(canonical(Place(copy, 0, rows)), Name(*value))
        (kernel,) = simple_kernels((Kernel(axes, (Let(value, load),), (write,)),), self.names)
        assert isinstance(kernel, Kernel)
        return kernel

    def _statement(self, statement: Statement, loops: Mapping[str, int]) -> Statement:
        if isinstance(statement, Kernel):
            return self._kernel(statement, loops)
        if isinstance(statement, For):
            extent = statement.extent
            known = {statement.index: extent.value} if isinstance(extent, Const) else {}
            loops = {**loops, **known}
        return with_bodies(statement, lambda row: tuple(self._statement(x, loops) for x in row))

    def _kernel(self, kernel: Kernel, loops: Mapping[str, int]) -> Kernel:
        axis = self.survey.axes[id(kernel)]
        extents = {**loops, **dict(kernel.axes), **ranges(kernel)}
        here = _Here(self, axis, extents)
        axes = tuple(
            Axis(a.name, Count(self._count, self.tile)) if a.name == axis else a
            for a in kernel.axes
        )
        body = tuple(rebuilt(each, here.value, here.place) for each in kernel.body)
        writes = tuple(self._write(write, here, kernel, loops) for write in kernel.writes)
        return Kernel(axes, body, writes, kernel.place)  # type: ignore[arg-type]

    def _write(self, write: Write, here: _Here, kernel: Kernel, loops: Mapping[str, int]) -> Write:
        value = here.value(write.value)
        if isinstance(write.target, Scalar):
            return Write(self._scalar_sum(write, write.target), value, write.combine)
        if self.survey.kind(Spot(write.target, write), here.axis, here.extents) == "sum":
            return Write(self._sum(write, write.target, kernel, loops), value, write.combine)
        start = None if write.start is None else here.value(write.start)
        return Write(here.place(write.target), value, write.combine, start)

    # -- sums ------------------------------------------------------------------------------------

    def _buffer(self, dtype: str, size: int, combine: str) -> str:
        name = f"s{self.names.fresh()}"
        self.buffers.append(Buffer(name, dtype, size, "scratch"))
        self.sums.append(Sum(name, combine))
        return name

    def _scalar_sum(self, write: Write, target: Scalar) -> Place:
        place = Place(self._buffer(target.dtype, 1, write.combine))
        value: Expr = Load(place, target.dtype)
        if write.start is not None:
            value = Op(write.combine, (write.start, value), target.dtype)
        self.after.append(Let(target, value))
        return place

    def _sum(self, write: Write, target: Place, kernel: Kernel, loops: Mapping[str, int]) -> Place:
        """Where the tiles sum for a place; what they summed is joined with it afterwards."""
        known = {**loops, **dict(kernel.axes)}
        dtype = write.value.dtype
        if all(name in known for name, _ in target.terms):
            axes = [Axis(name, known[name]) for name, _ in target.terms]
            size = step = math.prod(axis.extent for axis in axes)
            terms = []
            for axis in axes:
                step //= axis.extent
                terms.append((axis.name, step))
            place = Place(self._buffer(dtype, size, write.combine), 0, tuple(terms))
            self._join(write, axes, (place, target), dtype)
            return canonical(place)
        # Where the data say where to, all places are summed for.
        size = self.survey.sizes[target.buffer]
        buffer = self._buffer(dtype, size, write.combine)
        axis = Axis(self.names.fresh(), size)
        source, goal = (Place(each, 0, ((axis.name, 1),)) for each in (buffer, target.buffer))
        self._join(write, [axis], (source, goal), dtype)
        return target._replace(buffer=buffer)

    def _join(
        self, write: Write, axes: list[Axis], places: tuple[Place, Place], dtype: str
    ) -> None:
        """Join what was summed, at the first of the places, with what is at the second."""
        new = {axis.name: self.names.fresh() for axis in axes}
        source, goal = (
            each._replace(terms=tuple((new[name], step) for name, step in each.terms))
            for each in places
        )
        total = Scalar(self.names.fresh(), dtype)
        joined = Write(goal, Name(*total), write.combine, write.start)
        axes = [Axis(new[axis.name], axis.extent) for axis in axes]
        kernel = Kernel(tuple(axes), (Let(total, Load(source, dtype)),), (joined,))
        self.after += simple_kernels((kernel,), self.names)


class _Here:
    """What the places and indices of a kernel are in a tile."""

    def __init__(self, tiling: Tiling, axis: str, extents: Mapping[str, int]) -> None:
        self.axis, self.extents = axis, extents
        self._tiling = tiling
        self._sample = Op("add", (Name(tiling._first, "int64"), Name(axis, "int64")), "int64")

    def place(self, place: Place) -> Place:
        tiling = self._tiling
        step = dict(place.terms).get(self.axis)
        name = place.buffer
        copied, inner, kept = (name in x for x in (tiling.copied, tiling.inner, tiling.kept))
        if copied or inner:
            lying = tiling.survey.lying[name]
            found = None
            if copied or not kept:
                found = lying.within(place, self.axis, self.extents, tiling.tile)
            if found is not None:
                return canonical(found._replace(buffer=tiling.staged[name] if copied else name))
            if kept:
                found = lying.aside(place, self.axis, self.extents, tiling.tile)
                assert found is not None
                return canonical(found)
            assert copied
        if step is None:
            return place
        return canonical(place._replace(terms=(*place.terms, (tiling._first, step))))

    def value(self, expr: Expr) -> Expr:
        if isinstance(expr, Op):
            return Op(expr.name, tuple(map(self.value, expr.args)), expr.dtype)
        if isinstance(expr, Load):
            where = None if expr.where is None else self.value(expr.where)
            return Load(self.place(expr.place), expr.dtype, where)
        return self._sample if isinstance(expr, Name) and expr.name == self.axis else expr
