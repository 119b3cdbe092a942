"""What NumPy functions accept as arrays, and the arguments that are refused."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from pullback.core.tracer import Tracer
from pullback.errors import ArgumentTypeError
from pullback.rules import shaping

__all__ = ["operand", "refuse", "refuse_out"]


def operand(x: Any) -> Any:
    """`x` as one array: an ndarray, a tracer or a scalar; nested lists of these are stacked."""
    if type(x) is Tracer or type(x) is np.ndarray:
        return x
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
