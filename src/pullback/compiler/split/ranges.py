"""Indices that are looked up: what is known of them once they were found to be inside.

``check -n <= i and i < n`` and then ``j = select(i < 0, i + n, i)`` say that j is less than n, and
at least 0.
"""

from __future__ import annotations

from collections.abc import Callable

from pullback.compiler.loops import Check, Const, Expr, Kernel, Let, Name, Op

__all__ = ["ranges"]


def ranges(kernel: Kernel) -> dict[str, int]:
    """The scalars of a kernel that are known to be less than a number, from 0 on."""
    if not any(isinstance(each, Check) for each in kernel.body):
        return {}
    values = {each.scalar.name: each.value for each in kernel.body if isinstance(each, Let)}

    def value(expr: Expr) -> Expr:
        return values.get(expr.name, expr) if isinstance(expr, Name) else expr

    inside: dict[Expr, int] = {}
    for each in kernel.body:
        if isinstance(each, Check):
            found = _bounded(value(each.condition), value)
            if found is not None:
                inside[found[0]] = found[1]
    known: dict[str, int] = {}
    for name, chosen in values.items():
        if isinstance(chosen, Op) and chosen.name == "select":
            index = chosen.args[2]
            n = inside.get(index)
            below = Op("less", (index, Const(0, "int64")), "bool")
            moved = Op("add", (index, Const(n, "int64")), "int64")
            if n is not None and [*map(value, chosen.args[:2])] == [below, moved]:
                known[name] = n
    return known


def _bounded(condition: Expr, value: Callable[[Expr], Expr]) -> tuple[Expr, int] | None:
    """The index and the number of what says that -n <= index < n."""
    if not isinstance(condition, Op) or condition.name != "logical_and":
        return None
    low, high = map(value, condition.args)
    if not (isinstance(low, Op) and low.name == "greater_equal" and isinstance(high, Op)):
        return None
    least, most = low.args[1], high.args[1]
    if high.name != "less" or low.args[0] != high.args[0]:
        return None
    if not isinstance(least, Const) or not isinstance(most, Const) or least.value != -most.value:
        return None
    return low.args[0], int(most.value)
