"""About how many operations statements take."""

from __future__ import annotations

import math

from pullback.compiler.loops.language import Const, Expr, For, Kernel, Let, Load, Op, Statement
from pullback.compiler.loops.operations import OPERATIONS

__all__ = ["operations", "work"]


def operations(expr: Expr) -> int:
    """Of an expression, those of elementary functions included."""
    if isinstance(expr, Op):
        cost = OPERATIONS[expr.name].cost
        return (1 if cost < 16 else 2 * cost) + sum(map(operations, expr.args))
    return 1 if isinstance(expr, Load) else 0


def work(statement: Statement) -> int:
    """Of a statement, at all its points; a loop counts once where only the data know how often."""
    if isinstance(statement, Kernel):
        points = math.prod(axis.extent for axis in statement.axes)
        inner = sum(operations(each.value) for each in statement.body if isinstance(each, Let))
        return points * (inner + len(statement.writes))
    times = 1
    if isinstance(statement, For) and isinstance(statement.extent, Const):
        times = statement.extent.value
    return times * sum(map(work, getattr(statement, "body", ())))
