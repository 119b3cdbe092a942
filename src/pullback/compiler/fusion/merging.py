"""Kernels moved up into earlier ones with the same points.

``A; S; B`` is ``A, B; S`` for kernels A and B, if no statement of S writes what B reads or writes,
reads what B writes, or gives a scalar that B uses; and if B may be joined to A
(`pullback.compiler.fusion.joining`). What B reads at places that S checks stays behind S.

Copies are kernels, too: ``y[p + i] = x[q + i]``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from pullback.compiler.fusion.effects import Effects, effects
from pullback.compiler.fusion.joining import Joined
from pullback.compiler.fusion.names import Names
from pullback.compiler.fusion.touched import Touched
from pullback.compiler.fusion.traversal import with_bodies
from pullback.compiler.generic.numbers import alike
from pullback.compiler.loops import (
    Axis,
    Copy,
    Kernel,
    Let,
    Load,
    Name,
    Place,
    Scalar,
    Statement,
    Write,
)

__all__ = ["merged"]

_TRIED = 6
"""How many earlier kernels are looked at for each, beside the one that it depends on."""


def merged(
    body: Sequence[Statement], names: Names, dtypes: dict[str, str]
) -> tuple[Statement, ...]:
    """The statements with kernels merged, in loops and branches, too.

    Parameters
    ----------
    body : sequence of Statement
    names : Names
    dtypes : dict of str to str
        Those of the buffers.
    """
    row = _Row(names)
    for statement in body:
        if isinstance(statement, Copy):
            if statement.size:
                row.kernel(_as_kernel(statement, names, dtypes))
        elif isinstance(statement, Kernel) and all(axis.extent for axis in statement.axes):
            row.kernel(statement)
        else:
            row.add(with_bodies(statement, lambda inner: merged(inner, names, dtypes)))
    return tuple(x.kernel() if isinstance(x, Joined) else x for x in row.found)


def _as_kernel(copy: Copy, names: Names, dtypes: dict[str, str]) -> Kernel:
    axis = Axis(names.fresh(), copy.size)
    dtype = dtypes[copy.source.buffer]
    scalar = Scalar(names.fresh(), dtype)
    source, target = (
        Place(place.buffer, place.offset, (*place.terms, (axis.name, 1)))
        for place in (copy.source, copy.target)
    )
    return Kernel((axis,), (Let(scalar, Load(source, dtype)),), (Write(target, Name(*scalar)),))


class _Row:
    """Statements, and by the numbers of which of them something was last done to what."""

    def __init__(self, names: Names) -> None:
        self.found: list[Statement | Joined] = []
        self._names = names
        self._read: dict[str, int] = {}
        self._written: dict[str, int] = {}
        self._given: dict[str, int] = {}
        self._checked = -1
        self._spaces: dict[int, list[int]] = defaultdict(list)
        self._points: dict[int, int] = {}

    def add(self, statement: Statement) -> None:
        """Append a statement that stays where it is."""
        self._note(effects(statement), len(self.found))
        self.found.append(statement)

    def kernel(self, kernel: Kernel) -> None:
        """Join a kernel to an earlier one, or append it."""
        about, touched = effects(kernel), Touched.by(kernel)
        alone = _in_tiles(kernel, touched)
        position = None if alone else self._join(kernel, about, touched)
        if position is None:
            position = len(self.found)
            self.found.append(Joined(kernel, self._names))
            if not alone:
                self._points[position] = _points(kernel)
                self._spaces[_points(kernel)].append(position)
        self._note(about, position)

    def _join(self, kernel: Kernel, about: Effects, touched: Touched) -> int | None:
        floor = self._floor(about)
        points = _points(kernel)
        near = self._spaces[points][-_TRIED:]
        if floor not in near and alike(self._points.get(floor, -1), points):
            near.append(floor)
        likely = sorted(
            (position for position in near if position >= floor),
            key=lambda position: (position == floor, self._at(position).shares(touched), position),
            reverse=True,
        )
        for position in likely:
            alignment = self._at(position).alignment(kernel, touched)
            if alignment is not None:
                self._at(position).join(kernel, alignment)
                return position
        return None

    def _at(self, position: int) -> Joined:
        found = self.found[position]
        assert isinstance(found, Joined)
        return found

    def _floor(self, about: Effects) -> int:
        """The last statement that the kernel can't be moved over."""
        over = [self._written.get(buffer, -1) for buffer in about.reads | about.writes]
        over += [self._read.get(buffer, -1) for buffer in about.writes]
        over += [self._given.get(name, -1) for name in about.uses]
        if about.indexed - about.gives - self._names.indices:
            over.append(self._checked)
        return max(over, default=-1)

    def _note(self, about: Effects, position: int) -> None:
        for buffers, last in ((about.reads, self._read), (about.writes, self._written)):
            for buffer in buffers:
                last[buffer] = max(position, last.get(buffer, -1))
        for name in about.gives:
            self._given[name] = position
        if about.checks:
            self._checked = max(position, self._checked)


def _points(kernel: Kernel) -> int:
    total = 1
    for axis in kernel.axes:
        total *= axis.extent
    return total


def _in_tiles(kernel: Kernel, touched: Touched) -> bool:
    """Whether it is a product of matrices, which are computed in tiles, each on its own."""
    axes = {axis.name for axis in kernel.axes}
    loads = [{name for name, _ in x.terms} for places in touched.loads.values() for x in places]
    for write in kernel.writes:
        if len(axes) > 2 and write.combine and isinstance(write.target, Place):
            kept = axes & {name for name, _ in write.target.terms}
            if kept < axes and any(kept - load for load in loads):
                return True
    return False
