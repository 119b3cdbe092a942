"""Joining the values of a reduction: what it begins with, lanes, and several accumulators."""

from __future__ import annotations

from collections.abc import Sequence

from pullback.compiler.llvm.arithmetic import apply
from pullback.compiler.llvm.conversions import constant
from pullback.compiler.llvm.holes import Hole
from pullback.compiler.llvm.module import Lines
from pullback.compiler.llvm.values import Value, is_float
from pullback.compiler.loops import Const, Expr, unit

__all__ = ["across", "changes_nothing", "identity", "joined", "side_by_side", "together"]


def identity(combine: str, dtype: str, lanes: int) -> Value:
    """What changes no value that it is joined with; for a sum of floats that is -0."""
    return constant(unit(combine, dtype), Value("", dtype, lanes))


def changes_nothing(combine: str, start: Expr | None) -> bool:
    """Whether a number is like `identity`, up to the sign of a zero."""
    if not isinstance(start, Const) or isinstance(start.value, Hole):
        return False
    nothing = identity(combine, start.dtype, 1)
    if combine == "add" and is_float(start.dtype):
        return bool(start.value == 0)
    return constant(start.value, nothing) == nothing


def joined(at: Lines, combine: str, a: Value, b: Value) -> Value:
    """Two values."""
    return apply(at, combine, (a, b), a.dtype)


def together(at: Lines, combine: str, values: Sequence[Value]) -> Value:
    """Pairs, then pairs of these: an order that the number of values alone decides."""
    while len(values) > 1:
        pairs = [
            joined(at, combine, *pair) for pair in zip(values[::2], values[1::2], strict=False)
        ]
        values = pairs + list(values[len(values) - len(values) % 2 :])
    return values[0]


def across(at: Lines, combine: str, value: Value) -> Value:
    """The lanes of a vector, the halves of which are joined until there is one."""
    while value.lanes > 1:
        half = value.lanes // 2
        low, high = (
            Value(_lanes(at, value, range(first, first + half)), value.dtype, half)
            for first in (0, half)
        )
        value = joined(at, combine, low, high)
    return value


def side_by_side(at: Lines, combine: str, values: Sequence[Value]) -> Value:
    """What `across` gives for each of several vectors, as the lanes of one.

    Two vectors are interleaved twice, so that halves of both are joined by one instruction.
    """
    width = 1
    lanes = values[0].lanes
    while len(values) > 1:
        found = []
        for a, b in zip(values[::2], values[1::2], strict=True):
            halves = []
            for half in (0, width):
                order = [
                    source * lanes + block + half + lane
                    for block in range(0, lanes, 2 * width)
                    for source in (0, 1)
                    for lane in range(width)
                ]
                chosen = ", ".join(f"i32 {lane}" for lane in order)
                halves.append(
                    a._replace(
                        text=at.op(
                            f"shufflevector {a.typed}, {b.typed}, <{lanes} x i32> <{chosen}>"
                        )
                    )
                )
            found.append(joined(at, combine, *halves))
        values, width = found, 2 * width
    value = values[0]
    while value.lanes > width:
        half = value.lanes // 2
        low, high = (
            Value(_lanes(at, value, range(first, first + half)), value.dtype, half)
            for first in (0, half)
        )
        value = joined(at, combine, low, high)
    return value


def _lanes(at: Lines, value: Value, lanes: range) -> str:
    if len(lanes) == 1:
        return at.op(f"extractelement {value.typed}, i64 {lanes[0]}")
    chosen = ", ".join(f"i32 {lane}" for lane in lanes)
    return at.op(
        f"shufflevector {value.typed}, {value.type} poison, <{len(lanes)} x i32> <{chosen}>"
    )
