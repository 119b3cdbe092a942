"""What NumPy functions accept as arrays, and the arguments that are refused."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from pullback.core.tracer import Tracer, known, strip
from pullback.errors import ArgumentTypeError, DataDependenceError
from pullback.graph.variable import unknown
from pullback.rules import shaping

__all__ = ["anywhere", "operand", "refuse", "refuse_out", "require_known"]


def operand(x: Any) -> Any:
    """`x` as one array: an ndarray, a tracer or a scalar.

    Nested lists of these are stacked, and object arrays of traced scalars joined.
    """
    if type(x) is Tracer or (type(x) is np.ndarray and x.dtype.kind != "O"):
        return x
    if (
        isinstance(x, np.ndarray)
        and x.dtype.kind == "O"
        and _holds_tracer(elements := x.ravel().tolist())
    ):
        return np.reshape(operand(elements), x.shape)
    if isinstance(x, _WHOLE):
        return x
    if isinstance(x, _NESTED) and _holds_tracer(x):
        return shaping.stack(*(operand(element) for element in x), axis=0)
    return np.asarray(x)


_NESTED = (list, tuple)
_WHOLE = (Tracer, np.ndarray, np.generic, int, float, complex)


def _holds_tracer(x: Any) -> bool:
    if isinstance(x, _NESTED):
        return any(_holds_tracer(element) for element in x)
    return isinstance(x, Tracer)


def refuse(function: str, argument: str, value: Any, remedy: str) -> NoReturn:
    """Raise the error that says that an argument is not supported on traced arrays.

    Parameters
    ----------
    function, argument : str
    value : object
        What came.
    remedy : str
        What to do instead.
    """
    shown = f"of type {type(value).__name__}" if np.ndim(value) else repr(value)
    raise ArgumentTypeError(
        f"{function}: the argument {argument} ({shown}) is not supported where an array is being "
        f"differentiated; {remedy}"
    )


def refuse_out(function: str, out: Any) -> None:
    """Raise if an output array was given."""
    if out is not None:
        refuse(function, "out", out, f"assign the result instead: y[...] = {function}(...)")


def anywhere(condition: Any) -> bool:
    """Whether a condition holds for some element; of a batch, for some element of some example."""
    return bool(np.any(strip(condition)))


def require_known(function: str, argument: str, value: Any) -> Any:
    """`value`, an argument that decides on the shape of the result, as a plain value.

    Raises
    ------
    DataDependenceError
        If it is mapped, so that the shape would differ from one example to the next, or not known
        while a graph is recorded.
    """
    if isinstance(value, Tracer):
        if not known(value):
            raise unknown(function, value, f"the argument {argument}, which decides on a shape")
        if not value.is_constant:
            raise DataDependenceError(
                f"{function}: the argument {argument}, of dtype {value.dtype} and shape "
                f"{value.shape}, is mapped, and the shape of the result depends on its values; "
                "hand it over whole, with None in in_axes"
            )
        return strip(value)
    return value
