"""Conditions on the indices of axes that hold, or don't, throughout a stretch of a loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pullback.compiler.llvm.holes import Hole
from pullback.compiler.loops import Const, Expr, Name, Op

__all__ = ["Interval", "cuts", "decided"]

Interval = tuple[int, int]
"""From the first number to the one beyond the last."""


class _Bound(Protocol):
    @property
    def range(self) -> Interval | None: ...


def decided(condition: Expr, bound: Mapping[str, _Bound], lets: Mapping[str, Expr]) -> bool | None:
    """Whether a condition holds wherever the axes are in their ranges; None if that isn't known."""
    condition = _given(condition, lets)
    if isinstance(condition, Const) and not isinstance(condition.value, Hole):
        return bool(condition.value)
    if not isinstance(condition, Op) or condition.dtype != "bool":
        return None
    if condition.name in ("logical_and", "logical_or", "bitwise_and", "bitwise_or"):
        either = condition.name.endswith("_or")
        sides = [decided(arg, bound, lets) for arg in condition.args]
        if either in sides:
            return either
        return None if None in sides else not either
    if condition.name in ("logical_not", "invert"):
        holds = decided(condition.args[0], bound, lets)
        return None if holds is None else not holds
    return _compared(condition, bound, lets)


def _given(expr: Expr, lets: Mapping[str, Expr]) -> Expr:
    while isinstance(expr, Name) and expr.name in lets:
        expr = lets[expr.name]
    return expr


def _compared(op: Op, bound: Mapping[str, _Bound], lets: Mapping[str, Expr]) -> bool | None:
    if op.name not in ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal"):
        return None
    a, b = (_range(arg, bound, lets) for arg in op.args)
    if a is None or b is None:
        return None
    if op.name in ("equal", "not_equal"):
        if a[1] <= b[0] or b[1] <= a[0]:
            return op.name == "not_equal"
        return op.name == "equal" if a == b and a[1] - a[0] == 1 else None
    if op.name in ("greater", "greater_equal"):
        a, b = b, a
    strict = op.name in ("less", "greater")
    if a[1] - 1 < b[0] + (not strict):
        return True
    return False if a[0] >= b[1] - 1 + (not strict) else None


def _range(expr: Expr, bound: Mapping[str, _Bound], lets: Mapping[str, Expr]) -> Interval | None:
    """Where an integer lies."""
    expr = _given(expr, lets)
    if isinstance(expr, Const):
        known = expr.dtype == "int64" and not isinstance(expr.value, Hole)
        return (int(expr.value), int(expr.value) + 1) if known else None
    if isinstance(expr, Name):
        return bound[expr.name].range if expr.name in bound else None
    if not isinstance(expr, Op) or expr.name not in ("add", "subtract", "multiply"):
        return None
    sides = [_range(arg, bound, lets) for arg in expr.args]
    if sides[0] is None or sides[1] is None:
        return None
    (low, high), (least, most) = sides[0], sides[1]
    if expr.name == "add":
        return low + least, high + most - 1
    if expr.name == "subtract":
        return low - most + 1, high - least
    ends = [x * y for x in (low, high - 1) for y in (least, most - 1)]
    return min(ends), max(ends) + 1


def cuts(condition: Expr, axis: str, extent: int, lets: Mapping[str, Expr]) -> set[int]:
    """Where along an axis the truth of comparisons in a condition changes."""
    condition = _given(condition, lets)
    if not isinstance(condition, Op):
        return set()
    if condition.dtype == "bool" and condition.name.startswith(("logical", "bitwise", "invert")):
        return set().union(*(cuts(arg, axis, extent, lets) for arg in condition.args))
    found: set[int] = set()
    for end in _crossings(condition, axis, extent, lets):
        found |= {end, end + 1}
    return {at for at in found if 0 < at < extent and _changes(condition, axis, at, lets)}


class _Known(tuple[int, int]):
    @property
    def range(self) -> Interval:
        return self[0], self[1]


def _changes(condition: Expr, axis: str, at: int, lets: Mapping[str, Expr]) -> bool:
    before, after = ({axis: _Known((i, i + 1))} for i in (at - 1, at))
    return decided(condition, before, lets) is not decided(condition, after, lets)


def _crossings(op: Op, axis: str, extent: int, lets: Mapping[str, Expr]) -> set[int]:
    """Where the two sides of a comparison meet, as they are linear in the index."""
    if len(op.args) != 2:
        return set()
    ends = []
    for i in (0, 1):
        here = {axis: _Known((i, i + 1))}
        sides = [_range(arg, here, lets) for arg in op.args]
        if sides[0] is None or sides[1] is None:
            return set()
        ends.append(sides[0][0] - sides[1][0])
    slope = ends[1] - ends[0]
    if slope == 0:
        return set()
    meeting = -ends[0] // slope
    return {meeting - 1, meeting, meeting + 1} if -2 <= meeting <= extent + 2 else set()
