"""What NumPy functions accept as arrays, and the arguments that are refused."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from pullback.core.shapes import shape_of
from pullback.core.subclasses import elements_of
from pullback.core.tracing import Tracer, is_plain, known, strip
from pullback.errors import ArgumentTypeError, ArgumentValueError, DataDependenceError
from pullback.graph.variable import unknown
from pullback.rules import shaping
from pullback.rules.custom import stop_gradient

__all__ = [
    "anywhere",
    "holds_tracer",
    "joined",
    "of_rank",
    "operand",
    "plain_values",
    "refuse",
    "require_known",
    "square",
]


def operand(x: Any) -> Any:
    """`x` as one array: an ndarray, a tracer or a scalar; nested lists of these are joined."""
    if type(x) is Tracer or (type(x) is np.ndarray and x.dtype.kind != "O"):
        return x
    x = elements_of(x, "a NumPy function")
    if isinstance(x, _NESTS) and holds_tracer(x):
        return joined(x)
    return x if isinstance(x, _WHOLE) else np.asarray(x)


_NESTS = (list, tuple, np.ndarray)
_WHOLE = (Tracer, np.ndarray, np.generic, int, float, complex)


def holds_tracer(x: Any) -> bool:
    """Whether `x` is traced, or something in nested lists, tuples and object arrays is."""
    kind = type(x)
    if kind is Tracer:
        return True
    if not issubclass(kind, _NESTS):
        return False
    try:
        return _holds_tracer(x)
    except RecursionError:
        raise ArgumentValueError(
            f"a {kind.__name__} contains itself, or is nested too deeply for an array, wanted "
            "numbers nested at most 64 deep"
        ) from None


def _holds_tracer(x: Any) -> bool:
    kind = type(x)
    if kind is Tracer:
        return True
    if kind is list or kind is tuple:
        return any(map(_holds_tracer, x))
    if issubclass(kind, np.ndarray):
        return x.dtype.kind == "O" and any(map(_holds_tracer, x.ravel()))
    return issubclass(kind, list | tuple) and any(map(_holds_tracer, x))


def joined(x: Any) -> Any:
    """Nested lists, tuples and object arrays, something in which is traced, as one array."""
    extents, leaves = _leaves(x)
    if not extents:
        return operand(leaves[0])
    parts = [operand(leaf) for leaf in leaves]
    out = shaping.stack(*parts, axis=0)
    if len(extents) == 1:
        return out
    return shaping.reshape(out, shape=extents + shape_of(parts[0]))  # a new array, and no view


def _leaves(x: Any) -> tuple[tuple[int, ...], list[Any]]:
    """The extents of nested sequences, and what is in them, in order.

    Sequences beside something else are joined first.
    """
    if is_plain(x) and x.dtype.kind == "O":
        return x.shape, x.ravel().tolist()
    if not is_plain(x, list | tuple):
        return (), [x]
    inner = [_leaves(each) for each in x]
    extents = {extents for extents, _ in inner}
    if len(extents) == 1:
        return (len(x), *extents.pop()), [leaf for _, leaves in inner for leaf in leaves]
    return (len(x),), [joined(each) if holds_tracer(each) else each for each in x]


def of_rank(least: int, x: Any, name: str) -> Any:
    """`x` as one array, which must have at least so many axes."""
    x = operand(x)
    if len(shape_of(x)) < least:
        raise ArgumentValueError(
            f"{name}: got an array of shape {shape_of(x)}; it wants at least {least} "
            f"{'axis' if least == 1 else 'axes'}"
        )
    return x


def square(x: Any, name: str) -> Any:
    """`x` as a batch of square matrices."""
    x = operand(x)
    shape = shape_of(x)
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise ArgumentValueError(
            f"{name}: got an array of shape {shape}; the last two axes must make a square matrix"
        )
    return x


def refuse(function: str, argument: str, value: Any, remedy: str) -> NoReturn:
    """Raise the error that says that an argument is not supported on traced arrays."""
    shown = f"of type {type(value).__name__}" if np.ndim(value) else repr(value)
    raise ArgumentTypeError(
        f"{function}: the argument {argument} ({shown}) is not supported where an array is being "
        f"differentiated; {remedy}"
    )


def anywhere(condition: Any) -> bool:
    """Whether a condition holds for some element; of a batch, for some element of some example."""
    return bool(np.any(strip(condition)))


def require_known(function: str, argument: str, value: Any) -> Any:
    """`value`, an argument that decides on the shape of the result, as a plain value.

    It must be neither mapped, as the shape would differ by example, nor unknown to a recording.
    """
    if isinstance(value, Tracer):
        if not known(value):
            raise unknown(function, value, f"the argument {argument}, which decides on a shape")
        if not value._is_constant:
            raise DataDependenceError(
                f"{function}: the argument {argument}, of dtype {value.dtype} and shape "
                f"{value.shape}, is mapped, and the shape of the result depends on its values; "
                "hand it over whole, with None in in_axes"
            )
        return strip(value)
    return value


def plain_values(function: str, argument: str, value: Any) -> Any:
    """The elements of an argument that decide on the shape of the result, as a plain array."""
    return np.asarray(require_known(function, argument, stop_gradient(operand(value))))
