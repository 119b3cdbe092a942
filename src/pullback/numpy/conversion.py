"""Conversion between dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.memory import in_memory
from pullback.core.primitive import bind
from pullback.core.shapes import dtype_of
from pullback.core.tracer import Tracer
from pullback.errors import ArgumentTypeError
from pullback.numpy.registration import implements
from pullback.numpy.views import as_array, copy_of, in_order
from pullback.rules import conversion

__all__ = ["astype", "convert"]


def convert(x: Any, dtype: np.dtype[Any]) -> Any:
    """`x` in `dtype`, itself if it has that dtype already."""
    return x if dtype_of(x) == dtype else bind(conversion.astype, (x,), {"dtype": dtype})


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
    if given != target:
        out = convert(x, target)
        x = as_array(out) if x._mutable else out
    elif copy and x._mutable:
        return copy_of(x, order)
    return _in_order(x, order)


def _in_order(x: Any, order: str) -> Any:
    """`x` where it lies in memory as `order` wants it, otherwise a copy that does."""
    if order == "K" or not (type(x) is Tracer and x._mutable):
        return x
    if order == "A":
        flags = getattr(in_memory(x), "flags", None)
        return x if flags is None or flags.forc else copy_of(x, order)
    return in_order(x, order)


@implements(np.astype)
def _astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
    return astype(x, dtype, copy=copy)
