"""Calls of SciPy's functions in which no level follows any of the arrays that are traced.

An array that a function makes inside of a transformation is such a constant, and so is what
`pullback.stop_gradient` returns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pullback.core.tracing import Tracer
from pullback.numpy.protocol import are_constant, on_constants
from pullback.scipy.first_step import plain, traced_within

__all__ = ["constant_call"]


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
