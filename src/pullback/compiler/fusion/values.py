"""Equal values computed once.

``a = f(x); b = f(x)`` is ``a = f(x)``, with a for b: values are numbered by what computes them, the
operation and the numbers of what it is applied to. Equal constants have the same bits and dtypes:
0.0 is not -0.0, and 1 is not True. What a load reads must not change between two of them.
"""

from __future__ import annotations

from typing import Any

from pullback.compiler.fusion.names import Names
from pullback.compiler.loops import Check, Const, Expr, Let, Load, Name, Op, Scalar

__all__ = ["Values"]


class Values:
    """A row of scalars, none of them computed twice.

    Attributes
    ----------
    body : list of Let or Check
    """

    def __init__(self, names: Names) -> None:
        self.body: list[Let | Check] = []
        self._names = names
        self._known: dict[Any, Name] = {}
        self._checked: set[Any] = set()

    def named(self, value: Load | Op, name: str | None = None) -> Name:
        """The name of a value, of names and constants: this one, if it has none yet."""
        key = _key(value)
        found = self._known.get(key)
        if found is None:
            found = Name(name or self._names.fresh(), value.dtype)
            self._known[key] = found
            self.body.append(Let(Scalar(found.name, found.dtype), value))
        return found

    def check(self, condition: Expr, error: int) -> None:
        """Check a name or a constant, once."""
        key = (_key(condition), error)
        if key not in self._checked:
            self._checked.add(key)
            self.body.append(Check(condition, error))


def _key(expr: Expr) -> Any:
    if isinstance(expr, Name):
        return expr.name
    if isinstance(expr, Const):
        value = expr.value
        same = value.hex() if isinstance(value, float) else value
        return (expr.dtype, type(value).__name__, same)
    if isinstance(expr, Load):
        return (expr.place, expr.dtype, None if expr.where is None else _key(expr.where))
    return (expr.name, expr.dtype, *map(_key, expr.args))
