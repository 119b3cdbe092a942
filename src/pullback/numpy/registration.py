"""How a NumPy function gets its meaning on tracers."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from pullback.numpy.protocol import array_functions

__all__ = ["implements", "with_parameters_of"]

F = TypeVar("F", bound=Callable[..., Any])


def implements(*functions: Callable[..., Any]) -> Callable[[F], F]:
    """Make the decorated function what these NumPy functions do when they meet a tracer.

    It takes the arguments that the NumPy function takes, under the same names, and is written as
    a composition of primitives. An argument that it doesn't support is refused with an error, not
    ignored; but `out` it need not take, see :mod:`pullback.numpy.outputs`.
    """

    def enter(implementation: F) -> F:
        if "<locals>" in implementation.__qualname__:  # Python's messages are to name NumPy's
            implementation.__qualname__ = functions[0].__name__
        for function in functions:
            if function in array_functions:
                raise ValueError(f"{function.__name__} has an implementation already")
            array_functions[function] = implementation
        return implementation

    return enter


def with_parameters_of(function: Callable[..., Any]) -> Callable[[Callable[..., Any]], Any]:
    """Let the decorated function take what `function` takes; it gets all of it by name."""
    signature = inspect.signature(function)
    parameters = signature.parameters.values()
    names = [each.name for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD]

    def adapt(implementation: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(implementation)
        def adapted(*args: Any, **kwargs: Any) -> Any:
            if len(args) > len(names):
                given = f"takes {len(names)} arguments by position, {len(args)} were given"
                raise TypeError(f"{adapted.__qualname__}() {given}")
            return implementation(**dict(zip(names, args, strict=False)), **kwargs)

        adapted.__signature__ = signature  # type: ignore[attr-defined]
        return adapted

    return adapt
