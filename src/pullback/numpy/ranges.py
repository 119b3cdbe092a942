"""Ranges between traced ends, and powers of traced values."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.running import grounded
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer, known
from pullback.errors import ArgumentValueError
from pullback.numpy.assignment import setitem
from pullback.numpy.conversion import astype
from pullback.numpy.operands import anywhere, operand, refuse
from pullback.numpy.registration import implements

__all__: list[str] = []


@implements(np.linspace)
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    start, stop = _end(start), _end(stop)
    intervals = num - 1 if endpoint else num
    if num < 0:
        raise ArgumentValueError(f"numpy.linspace: num is {num}, wanted a number of points >= 0")
    if not any(isinstance(end, Tracer) for end in (start, stop)):
        plain: Any = np.linspace
        return plain(start, stop, num, endpoint, retstep, dtype, axis)
    span = stop - start
    positions = np.reshape(
        np.arange(num, dtype=np.float64), (num,) + (1,) * len(shape_of(span))
    ).astype(_real_dtype(span))
    step = span / max(intervals, 1)
    out = start + positions * step
    if endpoint and num > 1:
        setitem(out, -1, stop)
    out = _finished(out, dtype, axis)
    return (out, step if intervals > 0 else np.nan) if retstep else out


def _end(x: Any) -> Any:
    """One end of a range; a plain one, if nothing traced has been written to it."""
    x = operand(x)
    return x._value if grounded(x) else x


def _finished(out: Any, dtype: Any, axis: int = 0) -> Any:
    """A range along the first axis in the dtype, and along the axis, that were asked for."""
    out = out if dtype is None else astype(out, dtype, copy=False)
    return np.moveaxis(out, 0, axis) if axis else out


def _real_dtype(x: Any) -> np.dtype[Any]:
    """The dtype of the parts of `x`, in which an index stays as precise as it was."""
    dtype: np.dtype[Any] = np.zeros((), dtype_of(x)).real.dtype
    return dtype


@implements(np.logspace)
def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    base = operand(base)
    if len(shape_of(base)):
        refuse("numpy.logspace", "base", base, "give one number")
    out = np.power(base, linspace(start, stop, num, endpoint, axis=axis))
    return _finished(out, dtype)


@implements(np.geomspace)
def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Any:
    start, stop = _end(start), _end(stop)
    for argument, value in (("start", start), ("stop", stop)):
        if dtype_of(value).kind == "c":
            refuse("numpy.geomspace", argument, value, "write start * ratio ** np.arange(num)")
    ratio = stop / start
    if known(ratio) and anywhere(np.less_equal(ratio, 0)):
        raise ArgumentValueError(
            "numpy.geomspace: start and stop must be of the same sign and different from 0"
        )
    if not any(isinstance(end, Tracer) for end in (start, stop)):
        plain: Any = np.geomspace
        return plain(start, stop, num, endpoint, dtype, axis)
    out = start * np.exp(linspace(np.zeros_like(ratio), np.log(ratio), num, endpoint))
    if num > 0:
        setitem(out, 0, start)
    if endpoint and num > 1:
        setitem(out, -1, stop)
    return _finished(out, dtype, axis)


@implements(np.vander)
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    x = operand(x)
    if len(shape_of(x)) != 1:
        raise ArgumentValueError(
            f"numpy.vander: x has shape {shape_of(x)}, wanted an array of one dimension"
        )
    count = shape_of(x)[0] if N is None else N
    powers = [np.ones(shape_of(x), dtype_of(x)), x][:count]
    while len(powers) < count:
        powers.append(powers[-1] * x)
    if not powers:
        return np.zeros((shape_of(x)[0], 0), dtype_of(x))
    return np.stack(powers if increasing else powers[::-1], axis=1)
