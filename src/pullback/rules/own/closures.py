"""Traced values that a function of the user's own, or its rule, reads from outside.

Its rule gives derivatives for its arguments. What it reads from an enclosing function, a global or
an attribute is constant to the rule, so it has to be constant to the transformations that follow
the arguments; at an inner level, where it is, everything is well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

from pullback.core.tracing import Tracer
from pullback.errors import NoRuleError

__all__ = ["ClosureError", "closes_over", "has_ended", "require_separate", "sees_traced"]


class ClosureError(NoRuleError):
    """A primitive's function, rule or batching reads a traced value that is no argument of it."""


def require_separate(out: Any, name: str, *functions: Callable[..., Any] | None) -> None:
    """Raise `NoRuleError` if a level that follows an argument has been met a second time below.

    The results `out` are those of the primitive `name`. One of the functions, which are its
    function, its rule and its batching, has read the traced value.
    """
    for each in out if type(out) is tuple else (out,):
        found = _twice(each)
        if found is not None:
            raise closes_over(name, found, *functions)


def _twice(x: Any) -> Tracer | None:
    """What is underneath a tracer of the same level, or of a higher one."""
    while type(x) is Tracer:
        for inside in (x._value, x._payload):
            if type(inside) is Tracer and inside._interpreter.level >= x._interpreter.level:
                return inside
        x = x._value
    return None


def closes_over(name: str, x: Tracer | None, *functions: Callable[..., Any] | None) -> ClosureError:
    """The error for the primitive `name`, which reads the traced value `x` from outside."""
    names = [f"`{each}`" for function in functions for each in _traced_names(function)]
    which = f", {names[0]}," if names else ""
    what = "" if x is None else f" of dtype {x.dtype}"
    return ClosureError(
        f"{name}: its function, its rule or its batching closes over a traced value{what}{which} "
        "from outside (an enclosing function, a global, an attribute), which is followed for "
        "arguments only: its share of the derivative, or its examples, would be lost. Make it an "
        "argument of the function, and let the rule return a linear map for it too; or close over "
        "pullback.stop_gradient(y) if its derivative is not wanted"
    )


def has_ended(x: Any) -> bool:
    """Whether `x` is a traced value of a transformation that has ended."""
    return type(x) is Tracer and not x._interpreter.open


def sees_traced(function: Callable[..., Any]) -> bool:
    """Whether a function has a variable from outside that is traced."""
    return any(True for _ in _traced_names(function))


def _traced_names(function: Any) -> Iterator[str]:
    """The names under which a function sees traced values."""
    function = getattr(function, "func", function)
    if type(function) is not FunctionType:
        return
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            content = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
        if type(content) is Tracer:
            yield name
    for name in function.__code__.co_names:
        if type(function.__globals__.get(name)) is Tracer:
            yield name
