"""NumPy's functions that go over the slices of an array: along an axis, over axes, by windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from pullback.core.shapes import shape_of
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.numpy.operands import operand
from pullback.numpy.registration import implements
from pullback.numpy.views import as_array, view_of
from pullback.rules.shaping import reshape, stack, transpose, windows

__all__: list[str] = []


@implements(np.apply_along_axis)
def apply_along_axis(
    func1d: Callable[..., Any], axis: Any, arr: Any, *args: Any, **kwargs: Any
) -> Any:
    a = operand(arr)
    shape = shape_of(a)
    axis = normalize_axis_index(axis, len(shape))
    lead, trail = shape[:axis], shape[axis + 1 :]
    lines = [
        operand(func1d(a[*before, :, *after], *args, **kwargs))
        for before in np.ndindex(lead)
        for after in np.ndindex(trail)
    ]
    if not lines:
        raise ArgumentValueError(
            f"np.apply_along_axis: an array of shape {shape} has no slices along axis {axis}"
        )
    inner = shape_of(lines[0])
    joined = reshape(stack(*lines, axis=0), shape=(*lead, *trail, *inner))
    first, last, rank = len(lead), len(lead) + len(trail), len(lead) + len(trail) + len(inner)
    axes = (*range(first), *range(last, rank), *range(first, last))
    return as_array(transpose(joined, axes=axes))


@implements(np.lib.stride_tricks.sliding_window_view)
def sliding_window_view(
    x: Any, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> Any:
    """A read-only view, as it is in NumPy by default."""
    if writeable:
        raise ArgumentTypeError(
            "np.lib.stride_tricks.sliding_window_view: writeable=True is not supported where an "
            "array is being differentiated, for its elements overlap; write to the array itself"
        )
    x = operand(x)
    shape = shape_of(x)
    widths = tuple(window_shape) if np.iterable(window_shape) else (window_shape,)
    axes = normalize_axis_tuple(range(len(shape)) if axis is None else axis, len(shape),
                                allow_duplicate=True)  # fmt: skip
    return view_of(x, lambda base: windows(base, widths=widths, axes=axes))
