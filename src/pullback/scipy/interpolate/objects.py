"""Interpolators that hold traced values: what they are made of, and how their methods are served.

An interpolator of traced data is an object of SciPy's own class, of which an attribute is traced;
so ``isinstance`` says what it says without tracing. Some releases keep an attribute under its
public name, others under a private one behind a property.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from pullback.core.shapes import dtype_of
from pullback.core.tracing import Tracer, known, strip
from pullback.numpy.conversion import convert
from pullback.numpy.operands import operand
from pullback.scipy.constants import unless_constant
from pullback.scipy.decisions import refusing
from pullback.scipy.first_step import (
    composite,
    first_traced,
    give_first_step,
    give_method,
)

__all__ = [
    "attribute",
    "floating",
    "hold",
    "holds",
    "part",
    "real",
    "refuse_methods",
    "required",
    "serves_compiled",
]

F = TypeVar("F", bound=Callable[..., Any])


def serves_compiled(cls: type, name: str) -> Callable[[F], F]:
    """As `serves_followed`, for a compiled method of a class that can be given another one."""

    def enter(implementation: F) -> F:
        method = vars(cls)[name]
        give_method(cls, name, unless_constant(inspect.unwrap(method), implementation))
        return implementation

    return enter


# -- attributes ------------------------------------------------------------------------------------


def attribute(x: Any, name: str) -> str:
    """The name under which the running SciPy keeps an attribute of a class, or of its objects."""
    cls = x if isinstance(x, type) else type(x)
    return f"_{name}" if isinstance(getattr(cls, name, None), property) else name


def part(x: Any, name: str) -> Any:
    """An attribute of an interpolator, as it is kept."""
    return getattr(x, attribute(x, name))


def hold(x: Any, /, **parts: Any) -> None:
    """Keep these attributes, some of which may be traced."""
    for name, value in parts.items():
        setattr(x, attribute(x, name), value)
    if any(attribute(x, name) != name for name in parts):
        x._asarray = operand


def holds(*names: str) -> Callable[[type], None]:
    """State that objects of a class may hold traced values under these names."""

    def enter(cls: type) -> None:
        kept = [attribute(cls, name) for name in names]
        composite(cls, lambda x: first_traced([getattr(x, name, None) for name in kept]))

    return enter


def refuse_methods(cls: type, names: str, instead: str) -> None:
    """State that these methods are refused on traced values, and what to do instead."""
    for name in names.split():
        method = getattr(cls, name, None)
        method = getattr(method, "__func__", method)
        if method is not None:
            public = f"scipy.interpolate.{cls.__name__}.{name}"
            give_first_step(method, refusing(method, public, instead))


# -- arrays ----------------------------------------------------------------------------------------


def floating(x: Any) -> Any:
    """`x` in double precision, real or complex, in which SciPy interpolates."""
    x = operand(x)
    return convert(x, np.dtype(np.complex128 if dtype_of(x).kind == "c" else np.float64))


def real(x: Any, name: str, argument: str) -> Any:
    """`x` in double precision, which must be real."""
    x = operand(x)
    if dtype_of(x).kind == "c":
        raise ValueError(f"{name}: `{argument}` must contain real values.")
    return convert(x, np.dtype(np.float64))


def required(condition: Any, message: str) -> None:
    """Raise SciPy's error where a condition fails; it isn't asked of what a recording stands for.

    `condition` is a function of nothing, or an array of which every element is to be true.
    """
    held = condition() if callable(condition) else condition
    if type(held) is Tracer:
        if not known(held):
            return
        held = strip(held)
    if not np.all(held):
        raise ValueError(message)
