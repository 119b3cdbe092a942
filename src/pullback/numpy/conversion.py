"""Conversion between dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.primitive import bind
from pullback.core.shapes import dtype_of
from pullback.core.tracing import Tracer
from pullback.errors import ArgumentTypeError
from pullback.numpy.registration import implements
from pullback.numpy.views import as_array, copy_of, definite, in_order
from pullback.rules import conversion

__all__ = ["astype", "convert", "double", "inexact", "promoted"]


def convert(x: Any, dtype: np.dtype[Any]) -> Any:
    """`x` in `dtype`, itself if it has that dtype already."""
    return x if dtype_of(x) == dtype else bind(conversion.astype, (x,), {"dtype": dtype})


def cast(x: Any, dtype: Any) -> Any:
    """`x` in the dtype that is asked for, if one is."""
    return x if dtype is None else convert(x, np.dtype(dtype))


def inexact(x: Any) -> Any:
    """`x` in double precision if it is an integer or a boolean, which wraps around or can't."""
    return x if dtype_of(x).kind in "fc" else convert(x, _DOUBLE)


def double(x: Any) -> Any:
    """`x` in double precision, or in what is wider already."""
    return convert(x, np.dtype(np.result_type(dtype_of(x), _DOUBLE)))


def promoted(*arrays: Any) -> tuple[Any, ...]:
    """Arrays in the dtype that they have in common, in which NumPy computes with them."""
    dtypes = set(map(dtype_of, arrays))
    if len(dtypes) < 2:
        return arrays
    common = np.result_type(*dtypes)
    return tuple(convert(x, common) for x in arrays)


_DOUBLE = np.dtype(np.float64)


def astype(
    x: Any,
    dtype: Any,
    order: str = "K",
    casting: Any = "unsafe",
    subok: bool = True,
    copy: bool = True,
) -> Any:
    """``x.astype(dtype)``: differentiable between floating and complex dtypes.

    Integers and booleans are plain constants. `order` decides whether it is a copy.

    Raises
    ------
    ArgumentTypeError
        From complex to real, which would drop the imaginary part: take `numpy.real`. Where
        `casting` forbids the conversion. For dtypes that are not numbers.
    """
    target, given = np.dtype(dtype), dtype_of(x)
    if target.kind not in "biufc":
        raise ArgumentTypeError(
            f"astype: got dtype {target} for an array of dtype {given} that is being "
            "differentiated, wanted a dtype of numbers"
        )
    if given.kind == "c" and target.kind not in "cb":
        raise ArgumentTypeError(
            f"astype: from {given} to {target} would discard the imaginary part; "
            f"write np.real(x).astype({target})"
        )
    if not np.can_cast(given, target, casting):
        raise ArgumentTypeError(
            f"astype: {given} cannot be cast to {target} with casting={casting!r}; "
            "pass casting='unsafe' if that is what you want"
        )
    if given == target and copy and x._mutable:
        return copy_of(x, order)
    if order == "A" and x._mutable:
        order = definite(order, x)
    if given != target:
        out = convert(x, target)
        x = as_array(out) if x._mutable else out
    if order == "K" or not (type(x) is Tracer and x._mutable):
        return x
    return in_order(x, order)


@implements(np.astype)
def _astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
    return astype(x, dtype, copy=copy)
