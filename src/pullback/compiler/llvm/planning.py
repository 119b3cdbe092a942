"""Which nest of loops a kernel becomes: its vectors, its order, what goes side by side."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from pullback.compiler.llvm.accesses import Access
from pullback.compiler.llvm.holes import Hole, integer
from pullback.compiler.llvm.intervals import cuts
from pullback.compiler.llvm.nests import Plan
from pullback.compiler.llvm.pieces import BLOCK, Level
from pullback.compiler.llvm.transposing import is_dense
from pullback.compiler.llvm.values import SIZES, is_float
from pullback.compiler.loops import Kernel, Place, Write

__all__ = ["Access", "plan", "starts_apart"]

_UNROLLED = 400
"""Instructions, about, of a kernel that is written without loops."""
_SIDE = 16
"""Points of an axis of such a kernel."""
_STAGED = 256
"""Values in a row of a sum over rows that are summed apart."""
_TILE = 8
"""Vectors of a row that are summed in registers."""
_ROW = 256
"""Vectors of a sum that is kept in the nearest cache."""
_LONG = 24
"""Instructions of a point that are not written more often than need be."""
_ACCUMULATORS = 16
"""How many vectors are summed side by side."""
_WRITTEN = 512
"""Instructions of sums side by side that are written out, without a loop."""
_TOGETHER = 8
"""Neighbours in memory that are read in a row, where lanes are far apart."""
_ROWS = 24
"""Instructions of a point that are written for so many neighbours."""
_SHORT = 16
"""Vectors of a row, at whose end lanes are added."""
_SOON = 64
"""Terms of a sum whose lanes are added soon."""


def plan(kernel: Kernel, local: Collection[str]) -> Plan:
    """The plan of a kernel; `local` are the buffers that may live in registers."""
    return _Planning(kernel, local).plan()


def starts_apart(kernel: Kernel, write: Write, chosen: Plan) -> bool:
    """Whether the targets of a write are to be given what they start from before the loops."""
    if write.start is None or not isinstance(write.target, Place):
        return False
    access = Access(kernel)
    kept = access.kept(write)
    if not access.apart(write.target):
        return True
    levels = [level.axis for level in chosen.levels if level.extent != 1]
    deepest = max([n for n, axis in enumerate(levels) if axis in kept], default=-1)
    return any(axis not in kept for axis in levels[:deepest])


class _Planning:
    def __init__(self, kernel: Kernel, local: Collection[str]) -> None:
        self._kernel = kernel
        self._access = access = Access(kernel)
        self._extents = access.extents
        places = list(access.places())
        self._local = any(place.buffer in local for place in places)
        widest = max([SIZES[dtype] for dtype in access.dtypes], default=8)
        self._lanes = 16 if widest <= 4 else 8
        self._kept = [access.kept(write) for write in kernel.writes]
        self._summed = frozenset(self._extents) - frozenset.intersection(
            *(kept for kept, w in zip(self._kept, kernel.writes, strict=True)),
            frozenset(self._extents),
        )
        self._vector = self._best_vector()
        if self._vector in self._summed:
            self._vector = self._outer_sum() or self._vector

    # -- the axis of the vectors -----------------------------------------------------------------

    def _best_vector(self) -> str | None:
        best, least = None, self._cost(None)
        for axis in reversed(self._extents):
            if self._extents[axis] > (3 if self._local else 2) and self._can(axis):
                cost = self._cost(axis)
                if cost < least:
                    best, least = axis, cost
        return best

    def _can(self, axis: str) -> bool:
        """Whether points along an axis may be visited at once."""
        access, extent = self._access, self._extents[axis]
        summed = any(axis not in kept for kept in self._kept)
        masked = not isinstance(extent, Hole) and extent < self._lanes and extent & (extent - 1)
        if self._local and summed and masked:
            # A vector with a mask would keep the buffer out of registers.
            return False
        # Lanes that data send to one place can't be added there at once.
        joined = [w.target for w in self._kernel.writes if w.combine]
        places = [target for target in joined if isinstance(target, Place)]
        return all(access.step(place, axis) is not None for place in places)

    def _cost(self, axis: str | None) -> float:
        """About how long a point takes, in additions."""
        access, lanes = self._access, 1 if axis is None else self._lanes
        found = float(access.operations)
        for load in access.loads:
            found += self._access_cost(load.place, axis, lanes)
        for write, kept in zip(self._kernel.writes, self._kept, strict=True):
            if axis is not None and axis not in kept:
                found += 1 + 10 * lanes / max(self._extents[axis], lanes)
            elif isinstance(write.target, Place):
                found += self._access_cost(write.target, axis, lanes)
        if axis is None:
            return found
        extent = self._extents[axis]
        return found / (extent / -(-extent // lanes))

    def _access_cost(self, place: Place, axis: str | None, lanes: int) -> float:
        if axis is None:
            return 1.0
        step = self._access.step(place, axis)
        if step is None or abs(step) > 1:
            beside = self._access.neighbours(place, axis)
            if beside is not None and beside == self._beside(axis):
                count = self._together(beside)
                dense = step is not None and is_dense(count, integer(step))
                return count if dense else lanes / count + math.log2(lanes)
            return 1.2 * lanes
        return {0: 0.5, 1: 1.0, -1: 2.0}[step]

    def _outer_sum(self) -> str | None:
        """The axis for vectors of a sum of products over a short axis, of rows and of columns.

        Vectors along the sum are read as they lie, but their lanes have to be added in the end. If
        that is soon, the columns are rather transposed, and each is added to many rows at once.
        """
        if len(self._summed) != 1 or len(set(self._kept)) != 1 or self._local:
            return None
        (summed,), kept, access = self._summed, self._kept[0], self._access
        if self._extents[summed] > _SOON or access.count > 2 * len(self._kernel.writes):
            return None
        places = [load.place for load in access.loads]
        for axis in kept:
            others = [self._extents[row] for row in kept if row != axis]
            across = [place for place in places if access.step(place, axis) != 0]
            if (
                self._extents[axis] >= self._lanes
                and max(others, default=0) >= _ACCUMULATORS
                and across
                and all(access.neighbours(place, axis) == summed for place in across)
                and all(
                    isinstance(write.target, Place) and access.step(write.target, axis) == 1
                    for write in self._kernel.writes
                )
            ):
                return axis
        return None

    # -- neighbours in memory --------------------------------------------------------------------

    def _beside(self, vector: str) -> str | None:
        """The axis along which points are computed side by side, to be read and written in rows."""
        access = self._access
        if self._local or not all(map(is_float, access.dtypes)):
            return None
        weight = access.count + len(access.loads) + len(self._kernel.writes)
        axes = [access.neighbours(place, vector) for place in access.places()]
        found = [axis for axis in axes if axis is not None and weight <= _ROWS]
        return max(found, key=found.count, default=None)

    def _together(self, axis: str) -> int:
        """How many points are read in a row."""
        extent = self._extents[axis]
        if isinstance(extent, Hole):
            return _TOGETHER
        return extent if extent == 3 else min(_TOGETHER, 1 << extent.bit_length() - 1)

    # -- the order -------------------------------------------------------------------------------

    def _order(self) -> list[str]:
        """The axes from the outermost one."""
        access, vector = self._access, self._vector
        axes = sorted(self._extents, key=access.stride, reverse=True)
        same = len(set(self._kept)) == 1
        if not same or not self._kept[0]:
            axes.sort(key=lambda axis: -sum(axis in kept for kept in self._kept))
            return _last(axes, vector)
        kept = [axis for axis in axes if axis in self._kept[0]]
        summed = [axis for axis in axes if axis not in self._kept[0]]
        if vector in summed or not summed:
            return _last(kept, vector) + _last(summed, vector)
        if self._streams(kept):
            return [*summed, *kept]
        if vector is not None:
            # Along an axis that the vectors read don't vary with they are read again, from cache.
            again = [axis for axis in kept if axis != vector and self._reused(axis)]
            kept = [axis for axis in kept if axis not in again and axis != vector]
            kept += [vector, *again]
        return kept + summed

    def _streams(self, kept: Sequence[str]) -> bool:
        """Whether rows are rather added to a sum in memory one after the other, as they lie there.

        That is so for rows that are longer than the registers and shorter than the nearest cache,
        if nothing is read twice.
        """
        if len(kept) != 1 or kept[0] != self._vector:
            return False
        extent = self._extents[kept[0]]
        if isinstance(extent, Hole) or not _TILE * self._lanes < extent <= _ROW * self._lanes:
            return False
        inner = self._summed | {self._vector}
        reads = [self._access.place_axes(load.place) for load in self._access.loads]
        return all(axes >= inner or self._vector not in axes for axes in reads)

    def _reused(self, axis: str) -> int:
        """How many loads that vary with the vector's axis, or summed ones, don't with this one."""
        inner = self._summed | {self._vector}
        count = 0
        for load in self._access.loads:
            axes = self._access.place_axes(load.place)
            count += bool(axes & inner) and axis not in axes
        return count

    # -- what goes side by side ------------------------------------------------------------------

    def plan(self) -> Plan:
        order = self._order()
        tiles = self._unrolled()
        if tiles is None:
            beside = None if self._vector is None else self._beside(self._vector)
            tiles = self._tiles(order, beside)
            apart = beside in self._summed or (order and order[-1] in self._summed & tiles.keys())
            spread = None if apart else self._spread(order, tiles)
        else:
            spread = self._vector if self._vector in self._summed else None
        levels: list[Level] = []
        for place, axis in enumerate(order):
            staged = self._staged(order[place:])
            if staged and axis != self._vector and self._extents[axis] > 2 * BLOCK:
                levels.append(Level(axis, self._extents[axis], block=True))
            elif not place:
                staged = False
            levels += self._levels(axis, tiles.get(axis, 1), staged)
        return Plan(tuple(levels), self._vector, spread)

    def _staged(self, inside: Sequence[str]) -> bool:
        """Whether sums over some loops are formed apart, and added to those of the loops around.

        So no sum has many terms: a long row is one term, and so are the rows of a plane.
        """
        extents = [self._extents[axis] for axis in inside]
        if not self._summed.issuperset(inside) or any(isinstance(n, Hole) for n in extents):
            return False
        if len(inside) > 1:
            return math.prod(extents) >= BLOCK
        around = math.prod(self._extents.values()) // max(extents[0], 1)
        least = _STAGED if around < BLOCK else _STAGED // 4
        return inside[0] == self._vector and extents[0] >= least

    def _vectors(self, axis: str) -> int:
        lanes = self._lanes if axis == self._vector else 1
        return -(-self._extents[axis] // lanes)

    def _unrolled(self) -> dict[str, int] | None:
        """The tiles of a kernel that is small enough to be written without loops."""
        total = self._access.count + len(self._access.loads) + 2 * len(self._kernel.writes)
        longest = 0
        for axis, extent in self._extents.items():
            if isinstance(extent, Hole):
                return None
            total *= self._vectors(axis)
            longest = max(longest, self._vectors(axis))
        if total > _UNROLLED or longest > _SIDE:
            return None
        return {axis: self._vectors(axis) for axis in self._extents}

    def _tiles(self, order: Sequence[str], beside: str | None) -> dict[str, int]:
        vector = self._vector
        weight = self._access.count + len(self._access.loads) + len(self._kernel.writes)
        most = max(1, 96 // max(1, weight))
        if beside is not None:
            return self._tiles_of_rows(order, beside, most)
        if not self._summed or len(set(self._kept)) > 1:
            inner = vector if vector is not None else order[-1] if order else None
            if self._ends_rows(order) and most >= 4:
                return {order[-2]: 4, order[-1]: 1}
            return {} if inner is None else {inner: self._fitting(inner, min(4, most))}
        kept = self._kept[0]
        if order[-1] == vector and vector in kept:
            row = order[-2]
            return {row: self._fitting(row, min(4, most)), vector: 1}
        rows = [axis for axis in order if axis in kept and axis != vector and self._reused(axis)]
        rows.sort(key=lambda axis: min(self._extents[axis], 8), reverse=True)
        tiles: dict[str, int] = {}
        if vector is not None and vector in kept:
            across = 2 if rows and self._extents[rows[0]] >= 4 else _TILE
            tiles[vector] = self._fitting(vector, min(across, most))
            if rows:
                tiles[rows[0]] = self._fitting(rows[0], min(_ACCUMULATORS // tiles[vector], most))
            terms = self._extents[order[-1]]
            if (
                not isinstance(terms, Hole)
                and terms * math.prod(tiles.values()) * weight <= _WRITTEN
            ):
                tiles[order[-1]] = terms
            return tiles
        left = min(_ACCUMULATORS, most)
        side = 4 if len(rows) > 1 else 8
        for axis in rows[:2]:
            # Powers of two, as that many sums are formed together.
            most = max(min(side, left, self._vectors(axis)), 1)
            tiles[axis] = 1 << (most.bit_length() - 1)
            left //= tiles[axis]
        return tiles

    def _ends_rows(self, order: Sequence[str]) -> bool:
        """Whether lanes are added at the end of short rows, which is done for some at once."""
        if len(order) < 2 or order[-1] != self._vector or self._vector not in self._summed:
            return False
        rows = all(order[-2] in kept for kept in self._kept)
        return rows and self._extents[order[-2]] >= 4 and self._vectors(order[-1]) <= _SHORT

    def _tiles_of_rows(self, order: Sequence[str], beside: str, most: int) -> dict[str, int]:
        tiles = {beside: self._together(beside)}
        if beside in self._summed:
            rows = [axis for axis in order if self._reused(axis) and axis not in self._summed]
            rows = [axis for axis in rows if axis != self._vector]
            if rows and len(set(self._kept)) == 1:
                rows.sort(key=self._extents.__getitem__)
                tiles[rows[-1]] = self._fitting(rows[-1], min(_ACCUMULATORS, most))
        return tiles

    def _fitting(self, axis: str, most: int) -> int:
        """How many vectors or rows go side by side: rather a divisor of all there are."""
        count = self._vectors(axis)
        if isinstance(self._extents[axis], Hole):
            return max(most, 1)
        if count <= most:
            return max(count, 1)
        divisors = [n for n in range(most, max(most // 2, 1), -1) if count % n == 0]
        return divisors[0] if divisors else max(most, 1)

    def _spread(self, order: Sequence[str], tiles: dict[str, int]) -> str | None:
        """A summed axis with accumulators of its own, if there are few; its tile is entered."""
        if not self._summed:
            return None
        axis = self._vector if self._vector in self._summed else None
        if axis is None:
            last = order[-1]
            if any(last in kept for kept in self._kept):
                return None
            axis = last
        if axis not in tiles:
            weight = self._access.count + len(self._access.loads) + 1
            side = 1
            for name, tile in tiles.items():
                side *= tile if name != axis else 1
            most = min(4, max(1, 8 // side), max(1, 64 // (weight * side)))
            tiles[axis] = self._fitting(axis, most)
        return axis if tiles[axis] > 1 else None

    def _levels(self, axis: str, tile: int, staged: bool) -> list[Level]:
        extent, vector = self._extents[axis], axis == self._vector
        lanes = self._lanes if vector else 1
        summed = any(axis not in kept for kept in self._kept)
        uniform = vector and summed
        open_ended = isinstance(extent, Hole)
        if uniform and not open_ended:
            while lanes // 2 >= extent:
                lanes //= 2
        compact = self._access.count > _LONG and not self._local
        level = Level(axis, extent, tile, lanes, uniform=uniform, exact=self._local)
        level = level._replace(compact=compact)
        most = extent.most if isinstance(extent, Hole) else extent
        if uniform and (most is None or most > 2 * BLOCK):
            return [level._replace(tile=1, lanes=1, block=True), level._replace(staged=True)]
        level = level._replace(staged=staged)
        if vector and not open_ended:
            level = level._replace(cuts=self._cuts(axis, extent, lanes if compact else 1))
        return [level]

    def _cuts(self, axis: str, extent: int, step: int) -> tuple[int, ...]:
        """Where conditions on an index change, or the multiples of a step around these places."""
        found: set[int] = set()
        for condition in self._access.conditions:
            if self._access.axes(condition) >= {axis}:
                found |= cuts(condition, axis, extent, self._access.lets)
        around = {end for at in found for end in (at // step * step, -(-at // step) * step)}
        around = {at for at in around if 0 < at < extent}
        return tuple(sorted(around)) if len(around) <= 4 else ()


def _last(axes: Sequence[str], axis: str | None) -> list[str]:
    return [a for a in axes if a != axis] + [a for a in axes if a == axis]
