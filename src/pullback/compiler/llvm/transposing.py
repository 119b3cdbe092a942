"""Elements that lie side by side along another axis than the lanes of vectors, some rows at once.

Where the lanes of a vector are far apart in memory, and the points side by side along another axis
are neighbours there, rows of these are read as vectors, and transposed in registers. Rows of two or
three that follow each other without a gap, such as points in space, are read as one row.
"""

from __future__ import annotations

from collections.abc import Sequence

from pullback.compiler.llvm.holes import Integer
from pullback.compiler.llvm.module import Lines, Writing
from pullback.compiler.llvm.places import Spot, load, store, times
from pullback.compiler.llvm.values import Value, memory_type

__all__ = ["MOST", "group", "is_dense", "load_rows", "store_rows", "transposed"]

MOST = 8
"""How many neighbours are read at once."""
_DENSE = (2, 3)
"""So many neighbours are all there is of a row that is read together with the next ones."""


def is_dense(count: int, step: Integer) -> bool:
    """Whether rows of `count` elements, so far apart, are one row without gaps."""
    return count in _DENSE and type(step) is int and step == count


def group(position: int, count: int, lanes: int, step: Integer) -> range:
    """Of `count` neighbours those that are read with the one at a position.

    They are a power of two, or all of a dense row.
    """
    if is_dense(count, step):
        return range(count)
    first, left = 0, count
    while True:
        size = min(1 << (left.bit_length() - 1), MOST, lanes)
        if position < first + size:
            return range(first, first + size)
        first, left = first + size, left - size


def transposed(at: Lines, rows: Sequence[Value]) -> list[Value]:
    """Vectors of which lane c of block b has what lane b of block c had, in blocks as many lanes.

    In every block of as many lanes as there are vectors, these are the columns of a square of which
    they were the rows.
    """
    found, width = [*rows], 1
    lanes = rows[0].lanes
    while width < len(found):
        low = [lane if not lane & width else lanes + lane - width for lane in range(lanes)]
        high = [lane + width if not lane & width else lanes + lane for lane in range(lanes)]
        for i in range(len(found)):
            if not i & width:
                a, b = found[i], found[i + width]
                found[i], found[i + width] = (_shuffled(at, a, b, each) for each in (low, high))
        width *= 2
    return found


def load_rows(
    at: Lines, spot: Spot, dtype: str, count: int, mask: Value | None = None
) -> list[Value]:
    """The vectors at `count` neighbouring elements and as many as far from them as `spot` steps."""
    if is_dense(count, spot.step):
        return _load_dense(at, spot, dtype, count, mask)
    pointers = _rows(at, spot, dtype)
    rows = []
    for lane, pointer in enumerate(pointers):
        there = None if mask is None else _lane(at, mask, lane)
        rows.append(load(at, Spot(pointer, 1, count), dtype, there))
    wide = [_joined(at, rows[first::count]) for first in range(count)]
    return transposed(at, wide)


def store_rows(at: Lines, spot: Spot, values: Sequence[Value], mask: Value | None = None) -> None:
    """Write what `load_rows` reads."""
    count, dtype = len(values), values[0].dtype
    if is_dense(count, spot.step):
        _store_dense(at, spot, values, mask)
        return
    wide = transposed(at, values)
    for lane, pointer in enumerate(_rows(at, spot, dtype)):
        first = lane // count * count
        chosen = wide[lane % count]
        row = _shuffled(at, chosen, chosen, range(first, first + count))
        there = None
        if mask is not None:
            holds = _lane(at, mask, lane)
            some = at.op(f"insertelement <{count} x i1> poison, {holds.typed}, i64 0")
            zeros = f"<{count} x i32> zeroinitializer"
            text = at.op(f"shufflevector <{count} x i1> {some}, <{count} x i1> poison, {zeros}")
            there = Value(text, "bool", count)
        store(at, Spot(pointer, 1, count), row, there)


def _load_dense(at: Lines, spot: Spot, dtype: str, count: int, mask: Value | None) -> list[Value]:
    lanes = spot.lanes
    parts = [
        load(at, Spot(_moved(at, spot, dtype, part * lanes), 1, lanes), dtype, there)
        for part, there in enumerate(_masks(at, mask, count))
    ]
    found = []
    for each in range(count):
        places = [divmod(lane * count + each, lanes) for lane in range(lanes)]
        found.append(_picked(at, parts, places))
    return found


def _store_dense(at: Lines, spot: Spot, values: Sequence[Value], mask: Value | None) -> None:
    count, lanes = len(values), spot.lanes
    dtype = values[0].dtype
    for part, there in enumerate(_masks(at, mask, count)):
        places = [divmod(part * lanes + lane, count)[::-1] for lane in range(lanes)]
        pointer = _moved(at, spot, dtype, part * lanes)
        store(at, Spot(pointer, 1, lanes), _picked(at, values, places), there)


def _masks(at: Lines, mask: Value | None, count: int) -> list[Value | None]:
    """Which elements there are of the vectors that a dense row is read in."""
    if mask is None:
        return [None] * count
    lanes = mask.lanes
    return [
        _shuffled(at, mask, mask, [(part * lanes + lane) // count for lane in range(lanes)])
        for part in range(count)
    ]


def _picked(at: Lines, vectors: Sequence[Value], places: Sequence[tuple[int, int]]) -> Value:
    """A vector of lanes of others: for each which vector, and which of its lanes."""
    found, lanes = vectors[0], vectors[0].lanes
    for number, vector in enumerate(vectors[1:], start=1):
        first = number == 1
        order = [
            lanes + at_lane if which == number else (at_lane if first and not which else lane)
            for lane, (which, at_lane) in enumerate(places)
        ]
        found = _shuffled(at, found, vector, order)
    return found


def _moved(at: Lines, spot: Spot, dtype: str, by: int) -> str:
    if not by:
        return spot.pointer
    return at.op(f"getelementptr {memory_type(dtype)}, ptr {spot.pointer}, i64 {by}")


def _rows(at: Lines, spot: Spot, dtype: str) -> list[str]:
    """The pointers to the rows of the lanes."""
    found = [spot.pointer]
    for lane in range(1, spot.lanes):
        moved: Integer = times(at, spot.step, lane)
        found.append(at.op(f"getelementptr {memory_type(dtype)}, ptr {spot.pointer}, i64 {moved}"))
    return found


def _lane(at: Writing, mask: Value, lane: int) -> Value:
    return Value(at.op(f"extractelement {mask.typed}, i64 {lane}"), "bool")


def _joined(at: Lines, parts: Sequence[Value]) -> Value:
    """Vectors one after the other."""
    while len(parts) > 1:
        many = range(2 * parts[0].lanes)
        pairs = zip(parts[::2], parts[1::2], strict=True)
        parts = [_shuffled(at, a, b, many) for a, b in pairs]
    return parts[0]


def _shuffled(at: Lines, a: Value, b: Value, order: Sequence[int]) -> Value:
    chosen = ", ".join(f"i32 {lane}" for lane in order)
    text = at.op(f"shufflevector {a.typed}, {b.typed}, <{len(order)} x i32> <{chosen}>")
    return Value(text, a.dtype, len(order))
