"""NumPy's padding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.memory import in_memory
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.numpy.conversion import convert
from pullback.numpy.operands import operand
from pullback.numpy.registration import implements
from pullback.numpy.rewriting import rewritten
from pullback.numpy.views import copy_of
from pullback.rules.shaping import broadcast_to, concatenate

__all__ = ["pad"]

Padding = Callable[[Any, int, int, int], Any]
"""``padding(x, axis, before, after)`` is `x` with so many elements more along `axis`."""

_OPTIONS = {
    "constant": {"constant_values"},
    "edge": set(),
    "linear_ramp": {"end_values"},
    "maximum": {"stat_length"},
    "mean": {"stat_length"},
    "minimum": {"stat_length"},
    "reflect": {"reflect_type"},
    "symmetric": {"reflect_type"},
    "wrap": set(),
}

_as_written = rewritten(np.pad)


@implements(np.pad)
def pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    """The padding values may be differentiated as well as the array.

    The modes "median" and "empty", functions as modes, and odd reflections go by NumPy's code.
    """
    odd = mode in ("reflect", "symmetric") and kwargs.get("reflect_type") == "odd"
    if mode not in _OPTIONS or odd:
        return _as_written(operand(array), pad_width, mode, **kwargs)
    unknown = set(kwargs) - _OPTIONS[mode]
    if unknown:
        raise ArgumentValueError(
            f"np.pad: got the keywords {sorted(unknown)}, which mode={mode!r} does not take"
        )
    x = operand(array)
    flags = getattr(in_memory(x), "flags", None)
    order = "F" if flags is not None and flags.fnc else "C"
    rank = len(shape_of(x))
    widths = _pairs(_widths(pad_width, rank), rank)
    padding = _padding(mode, kwargs, rank)
    for axis, (before, after) in enumerate(widths):
        if before or after:
            if mode != "constant" and not shape_of(x)[axis]:
                raise ArgumentValueError(
                    f"np.pad: got an array of shape {shape_of(x)}, whose axis {axis} has no "
                    f"elements for mode={mode!r} to start from; use mode='constant'"
                )
            x = padding(x, axis, int(before), int(after))
    return copy_of(x, order)


def _widths(pad_width: Any, rank: int) -> Any:
    if isinstance(pad_width, dict):
        pairs: list[Any] = [(0, 0)] * rank
        for axis, width in pad_width.items():
            pairs[axis] = width if isinstance(width, tuple) else (width, width)
        pad_width = pairs
    widths = np.asarray(pad_width)
    if widths.dtype.kind not in "iu" or (widths < 0).any():
        raise ArgumentValueError(
            f"np.pad: got pad_width={pad_width!r}; give integers that are not negative"
        )
    return widths


def _pairs(values: Any, rank: int) -> list[tuple[Any, Any]]:
    """A value for before and one for after, for each axis."""
    pairs = np.broadcast_to(operand(values), (rank, 2))
    return [(pairs[axis, 0], pairs[axis, 1]) for axis in range(rank)]


def _padding(mode: str, options: dict[str, Any], rank: int) -> Padding:
    if mode == "constant":
        values = _pairs(options.get("constant_values", 0), rank)
        return lambda x, axis, before, after: _joined(x, axis, before, after, *values[axis])
    if mode == "linear_ramp":
        ends = _pairs(options.get("end_values", 0), rank)
        return lambda x, axis, before, after: _ramps(x, axis, before, after, *ends[axis])
    if mode in ("maximum", "minimum", "mean"):
        length = options.get("stat_length")
        lengths = _pairs(-1 if length is None else length, rank)
        statistic = {"maximum": np.max, "minimum": np.min, "mean": np.mean}[mode]
        return lambda x, axis, before, after: _joined(
            x, axis, before, after, *_statistics(x, axis, statistic, *lengths[axis])
        )
    if options.get("reflect_type", "even") != "even":
        raise ArgumentTypeError(
            f"np.pad: reflect_type={options['reflect_type']!r} is not supported where an array is "
            "being differentiated; use reflect_type='even'"
        )

    def gathered(x: Any, axis: int, before: int, after: int) -> Any:
        """Each padded element is a copy of one element."""
        positions = np.pad(np.arange(shape_of(x)[axis]), (before, after), mode=mode)  # type: ignore[call-overload]
        return x[*(slice(None),) * axis, positions]

    return gathered


def _joined(x: Any, axis: int, before: int, after: int, first: Any, last: Any) -> Any:
    """`x` between the values `first` and `last`, which are broadcast."""
    shape, dtype = shape_of(x), dtype_of(x)

    def block(value: Any, width: int) -> Any:
        wide = (*shape[:axis], width, *shape[axis + 1 :])
        if not isinstance(value, Tracer):
            return np.broadcast_to(np.asarray(value).astype(dtype), wide)
        return broadcast_to(convert(value, dtype), shape=wide)

    parts = [block(first, before)] if before else []
    parts.append(x)
    if after:
        parts.append(block(last, after))
    return concatenate(*parts, axis=axis)


def _ramps(x: Any, axis: int, before: int, after: int, first: Any, last: Any) -> Any:
    """`x` continued on straight lines to the values `first` and `last`."""
    lead = (slice(None),) * axis
    shape = (-1,) + (1,) * (len(shape_of(x)) - axis - 1)

    def line(end: Any, edge: Any, width: int) -> Any:
        along = np.reshape(np.arange(width) / width if width else np.zeros(0), shape)
        along = along.astype(dtype_of(x))
        return convert(end * (1 - along) + edge * along, dtype_of(x))

    left = line(first, x[*lead, :1], before)
    right = np.flip(line(last, x[*lead, -1:], after), axis)
    return concatenate(left, x, right, axis=axis)


def _statistics(x: Any, axis: int, statistic: Any, first: Any, last: Any) -> tuple[Any, Any]:
    """The statistic of the first so many, and of the last so many, elements."""
    lead = (slice(None),) * axis
    extent = shape_of(x)[axis]
    first = extent if first < 0 else min(int(first), extent)
    last = extent if last < 0 else min(int(last), extent)
    left = statistic(x[*lead, :first], axis=axis, keepdims=True)
    right = statistic(x[*lead, extent - last :], axis=axis, keepdims=True)
    return left, right
