"""NumPy's cumulative sums and products, differences and the trapezoidal rule."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from pullback.core.shapes import dtype_of, shape_of
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.numpy.conversion import cast, convert
from pullback.numpy.operands import operand
from pullback.numpy.registration import implements
from pullback.rules import cumulative
from pullback.rules.shaping import concatenate, reshape

__all__: list[str] = []

F = Callable[..., Any]


def _along(a: Any, axis: int | None, dtype: Any) -> tuple[Any, int]:
    """The array to go along and the axis; flat if none is given. A scalar has one element."""
    a = cast(operand(a), dtype)
    if axis is None or (not shape_of(a) and axis in (0, -1)):
        return reshape(a, shape=(math.prod(shape_of(a)),)), 0
    return a, normalize_axis_index(axis, len(shape_of(a)))


def _serve(function: F, accumulate: F, neutral: int, standard: F, without_nan: F) -> F:
    """Serve a cumulative function, its variant in the Array API, and the one that leaves NaN out.

    `accumulate` is the primitive, and `neutral` what it starts from.
    """
    name = f"np.{standard.__name__}"

    @implements(function)
    def cumulated(a: Any, axis: int | None = None, dtype: Any = None) -> Any:
        x, axis = _along(a, axis, dtype)
        return accumulate(x, axis=axis)

    @implements(without_nan)
    def cumulated_without_nan(a: Any, axis: int | None = None, dtype: Any = None) -> Any:
        a = operand(a)
        return cumulated(np.where(np.isnan(a), neutral, a), axis, dtype)

    @implements(standard)
    def cumulated_from(
        x: Any, /, *, axis: Any = None, dtype: Any = None, include_initial: bool = False
    ) -> Any:
        x = np.atleast_1d(operand(x))
        shape = shape_of(x)
        if type(axis) is tuple and len(axis) == 1:
            (axis,) = axis
        if axis is None and len(shape) != 1:
            raise ArgumentValueError(
                f"{name}: got an array of shape {shape} and no axis; give the axis to go along"
            )
        axis = normalize_axis_index(0 if axis is None else axis, len(shape))
        total = cumulated(x, axis, dtype)
        if not include_initial:
            return total
        edge = np.full((*shape[:axis], 1, *shape[axis + 1 :]), neutral, dtype_of(total))
        return concatenate(edge, total, axis=axis)

    return cumulated


cumsum = _serve(np.cumsum, cumulative.cumsum, 0, np.cumulative_sum, np.nancumsum)
cumprod = _serve(np.cumprod, cumulative.cumprod, 1, np.cumulative_prod, np.nancumprod)


# -- differences ----------------------------------------------------------------------------------

_ABSENT: Any = getattr(np, "_NoValue", None)


@implements(np.diff)
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = _ABSENT, append: Any = _ABSENT) -> Any:
    a = operand(a)
    if not shape_of(a):
        raise ArgumentValueError("np.diff: got a scalar; it wants an array of at least 1 axis")
    if n < 0:
        raise ArgumentValueError(f"np.diff: got n={n}; the order must not be negative")
    axis = normalize_axis_index(axis, len(shape_of(a)))
    if n == 0:
        return a
    edge = (*shape_of(a)[:axis], 1, *shape_of(a)[axis + 1 :])
    parts = [
        part if part is a or shape_of(part) else np.broadcast_to(part, edge)
        for part in (x if x is a else operand(x) for x in (prepend, a, append) if x is not _ABSENT)
    ]
    if len(parts) > 1:
        a = concatenate(*parts, axis=axis)
    lead = (slice(None),) * axis
    for _ in range(n):
        differs = np.not_equal if dtype_of(a).kind == "b" else np.subtract
        a = differs(a[*lead, 1:], a[*lead, :-1])
    return a


@implements(np.ediff1d)
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    flat, _ = _along(ary, None, None)
    parts = [flat[1:] - flat[:-1]]
    if to_begin is not None:
        parts.insert(0, _edge("to_begin", to_begin, dtype_of(flat)))
    if to_end is not None:
        parts.append(_edge("to_end", to_end, dtype_of(flat)))
    return concatenate(*parts, axis=0) if len(parts) > 1 else parts[0]


def _edge(argument: str, x: Any, dtype: np.dtype[Any]) -> Any:
    """What goes to an end of differences, in their dtype as in NumPy."""
    flat, _ = _along(x, None, None)
    if not np.can_cast(dtype_of(flat), dtype, "same_kind"):
        raise ArgumentTypeError(
            f"np.ediff1d: {argument} of dtype {dtype_of(flat)} cannot be stored among differences "
            f"of dtype {dtype}; convert the array first, with .astype({dtype_of(flat)})"
        )
    return convert(flat, dtype)
