"""What a layer takes: parameters, and inputs that are numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.shapes import shape_of
from pullback.core.tracing import Tracer, is_plain
from pullback.core.validation import refuse, require_number
from pullback.errors import ArgumentValueError
from pullback.transforms.arguments import require_array
from pullback.transforms.foreign import by_position

__all__ = ["as_parameter", "numbers", "require_last", "scalar_parameter"]


def as_parameter(x: Any, kind: str, name: str) -> Any:
    """`x` as a floating array; arrays and traced values of such a dtype stay what they are."""
    if type(x) is not Tracer and type(x) is not np.ndarray:
        x = by_position(x, f"{kind}: {name}")
    if x.dtype.kind not in "biuf":
        raise refuse(kind, name, x, "an array of real numbers")
    return x if x.dtype.kind == "f" else x.astype(np.float64)


def scalar_parameter(x: Any, like: Any, kind: str, name: str) -> Any:
    """`x` as a scalar parameter, in the dtype of `like` if it's a Python number."""
    if is_plain(x, int | float | np.bool_):
        return np.asarray(require_number(x, kind, name), dtype=like.dtype)
    x = as_parameter(x, kind, name)
    if x.shape != ():
        raise ArgumentValueError(f"{kind}: {name} has shape {x.shape}, wanted a scalar of shape ()")
    return x


def numbers(x: Any, layer: Any, argument: str = "the input") -> Any:
    """`x`, an argument of a layer's call, as an array or tracer of numbers."""
    if type(x) is not Tracer and type(x) is not np.ndarray:
        x = by_position(x, f"{layer!r}: {argument}")
    if x.dtype.kind not in "fiubc":
        x = require_array(x, f"{layer!r}: {argument}")
        if x.dtype.kind not in "fiubc":
            raise refuse(repr(layer), argument, x, "an array of numbers")
    return x


def require_last(x: Any, layer: Any, wanted: tuple[int | str, ...]) -> Any:
    """`x` as numbers whose last axes are these, where a word stands for any extent."""
    x = numbers(x, layer)
    shape = shape_of(x)[-len(wanted) :]
    fits = len(shape) == len(wanted) and all(
        isinstance(each, str) or n == each for n, each in zip(shape, wanted, strict=True)
    )
    if not fits:
        sample = ", ".join(map(str, wanted)) + ("," if len(wanted) == 1 else "")
        raise ArgumentValueError(
            f"{layer!r}: got an input of shape {shape_of(x)}, wanted ({sample}) for a sample or "
            f"(m, {sample.rstrip(',')}) for a batch of m"
        )
    return x
