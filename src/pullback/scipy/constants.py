"""Calls of SciPy's functions in which no level follows any of the arrays that are traced.

An array that a function makes inside of a transformation is such a constant, and so is what
`pullback.stop_gradient` returns.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from pullback.core.tracing import Tracer
from pullback.numpy.protocol import are_constant, on_constants
from pullback.scipy.first_step import plain, serves, traced_within

__all__ = ["constant_call", "serves_followed", "unless_constant"]

F = TypeVar("F", bound=Callable[..., Any])


def constant_call(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Any) -> Any:
    """What SciPy's function returns for constants; NotImplemented where something is followed."""
    if _holds_composites((*args, *kwargs.values())) or not are_constant((args, kwargs)):
        return NotImplemented
    return on_constants(plain(function), args, kwargs)


def _holds_composites(values: Any) -> bool:
    return any(
        _holds_composites(x) if type(x) in (list, tuple) else _is_composite(x) for x in values
    )


def _is_composite(x: Any) -> bool:
    return type(x) is not Tracer and traced_within(x) is not None


def unless_constant(function: Callable[..., Any], implementation: Callable[..., Any]) -> Any:
    """What is called in place of SciPy's function, which itself is called with constants."""

    @functools.wraps(implementation)
    def call(*args: Any, **kwargs: Any) -> Any:
        out = constant_call(function, args, kwargs)
        return implementation(*args, **kwargs) if out is NotImplemented else out

    return call


def serves_followed(*functions: Callable[..., Any]) -> Callable[[F], F]:
    """As `serves`, but for calls in which no level follows what is traced: those are SciPy's."""

    def enter(implementation: F) -> F:
        for function in functions:
            serves(function)(unless_constant(function, implementation))
        return implementation

    return enter
