"""Making arrays that can hold traced values.

``np.zeros(n, like=x)`` and ``np.zeros_like(x)`` make a traced array at the level of `x`: a
constant, until something that varies is assigned to it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.memory import in_memory
from pullback.core.shapes import dtype_of, is_inexact, shape_of
from pullback.core.tracer import Tracer, creation_functions
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.graph.staging import Staging
from pullback.numpy.assignment import setitem
from pullback.numpy.conversion import astype
from pullback.numpy.operands import anywhere, operand, refuse
from pullback.numpy.registration import implements
from pullback.numpy.views import copy_of, in_order
from pullback.transforms.batch import Batch

__all__ = ["geomspace", "linspace", "logspace", "vander"]

F = Callable[..., Any]


def _lift(reference: Tracer, array: Any, where: str) -> Any:
    """A plain array as a constant at the level of `reference`."""
    interpreter = reference.interpreter
    interpreter.require_open(where)
    level: Any = None if is_inexact(array) else reference
    while isinstance(level, Tracer):
        if isinstance(level.interpreter, Batch | Staging):  # which follow integers and booleans too
            return Tracer(level.interpreter, array, None)
        level = level.value
    return interpreter.constant(array)


# -- like another array: np.zeros_like(x) --------------------------------------------------------


def _prototype(a: Any) -> Any:
    """A plain array of the shape and dtype of `a`, and of its layout in memory if that is known."""
    memory = in_memory(a)
    return np.empty(shape_of(a), dtype_of(a)) if memory is None else memory


def _like(function: F) -> None:
    """Serve ``zeros_like`` and its kin."""
    name = f"numpy.{function.__name__}"

    def make(
        a: Any,
        dtype: Any = None,
        order: Any = "K",
        subok: bool = True,
        shape: Any = None,
        *,
        device: Any = None,
    ) -> Any:
        return _lift(
            a, function(_prototype(a), dtype, order=order, shape=shape, device=device), name
        )

    make.__name__ = function.__name__
    implements(function)(make)


_like(np.zeros_like)
_like(np.ones_like)
_like(np.empty_like)


@implements(np.full_like)
def full_like(
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    order: Any = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Any:
    fill_value = operand(fill_value)
    if not isinstance(a, Tracer):
        a = fill_value
    zeros = np.zeros_like(_prototype(a), dtype, order=order, shape=shape, device=device)
    if not isinstance(fill_value, Tracer):
        zeros[...] = fill_value
        return _lift(a, zeros, "numpy.full_like")
    return _filled(_lift(a, zeros, "numpy.full_like"), fill_value, "numpy.full_like")


def _filled(target: Any, value: Any, where: str) -> Any:
    """`target`, a fresh array, with `value` everywhere."""
    if not isinstance(target, Tracer):
        raise ArgumentTypeError(
            f"{where}: a traced fill value cannot be stored with dtype={target.dtype}, which "
            "carries no derivative; leave dtype out"
        )
    setitem(target, ..., value)
    return target


# -- with like=: np.zeros(n, like=x) -------------------------------------------------------------


def _creates(function: F) -> Callable[[F], F]:
    """Make the decorated function what `function` does with ``like=`` a tracer."""

    def enter(implementation: F) -> F:
        creation_functions[function] = implementation
        return implementation

    return enter


def _constant(function: F) -> None:
    """Serve a function whose result does not depend on traced values."""
    name = f"numpy.{function.__name__}"

    def make(reference: Tracer, *args: Any, **kwargs: Any) -> Any:
        return _lift(reference, function(*args, **kwargs), name)

    make.__name__ = function.__name__
    _creates(function)(make)


for _function in (
    np.zeros, np.ones, np.empty, np.arange, np.eye, np.identity, np.tri, np.frombuffer,
    np.fromfile, np.fromiter, np.fromstring, np.genfromtxt, np.loadtxt,
):  # fmt: skip
    _constant(_function)


@_creates(np.full)
def full(
    reference: Tracer,
    shape: Any,
    fill_value: Any,
    dtype: Any = None,
    order: Any = "C",
    *,
    device: Any = None,
) -> Any:
    value = operand(fill_value)
    dtype = dtype_of(value) if dtype is None else np.dtype(dtype)
    if not isinstance(value, Tracer):
        return _lift(reference, np.full(shape, value, dtype, order), "numpy.full")
    zeros = _lift(reference, np.zeros(shape, dtype, order), "numpy.full")
    return _filled(zeros, value, "numpy.full")


@_creates(np.fromfunction)
def fromfunction(
    reference: Tracer, function: F, shape: Any, *, dtype: Any = float, **kwargs: Any
) -> Any:
    out = function(*np.indices(shape, dtype=dtype), **kwargs)
    return out if isinstance(out, Tracer) else _lift(reference, out, "numpy.fromfunction")


@_creates(np.array)
def array(
    reference: Tracer,
    object: Any,
    dtype: Any = None,
    *,
    copy: bool | None = True,
    order: Any = "K",
    subok: bool = False,
    ndmin: int = 0,
) -> Any:
    out = operand(object)
    if not isinstance(out, Tracer):
        out = np.array(out, dtype, copy=True, order=order, ndmin=ndmin)
        return _lift(reference, out, "numpy.array")
    converts = dtype is not None and np.dtype(dtype) != out.dtype
    if copy is False and (converts or out is not object):
        raise ArgumentValueError(
            "numpy.array: copy=False, but a copy is needed to change the dtype or to join a list; "
            "use copy=None"
        )
    if dtype is not None:
        out = astype(out, dtype, copy=False)
        if not isinstance(out, Tracer):
            return out
    if not out.mutable and is_inexact(out):
        out = _filled(_lift(reference, np.zeros((), out.dtype), "numpy.array"), out, "numpy.array")
    elif out is object and copy:
        out = copy_of(out, order)
    missing = ndmin - len(out.shape)
    return np.reshape(out, (1,) * missing + out.shape) if missing > 0 else out


def _as(function: F, order: str | None, ndmin: int) -> None:
    """Serve ``asarray`` and its kin, which copy only where they must."""

    def make(
        reference: Tracer,
        a: Any,
        dtype: Any = None,
        order: str | None = order,
        *,
        device: Any = None,
        copy: bool | None = None,
    ) -> Any:
        out = array(reference, a, dtype, copy=copy, order=order or "K", ndmin=ndmin)
        if order in ("C", "F") and isinstance(out, Tracer):
            return in_order(out, order)
        return out

    make.__name__ = function.__name__
    _creates(function)(make)


_as(np.asarray, None, 0)
_as(np.asanyarray, None, 0)
_as(np.ascontiguousarray, "C", 1)
_as(np.asfortranarray, "F", 1)


# -- ranges between traced ends ------------------------------------------------------------------


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
    start, stop = operand(start), operand(stop)
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
    if dtype is not None:
        out = astype(out, dtype, copy=False)
    out = np.moveaxis(out, 0, axis) if axis else out
    return (out, step if intervals > 0 else np.nan) if retstep else out


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
    return out if dtype is None else astype(out, dtype, copy=False)


@implements(np.geomspace)
def geomspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    start, stop = operand(start), operand(stop)
    for argument, value in (("start", start), ("stop", stop)):
        if dtype_of(value).kind == "c":
            refuse("numpy.geomspace", argument, value, "write start * ratio ** np.arange(num)")
    ratio = stop / start
    if anywhere(np.less_equal(ratio, 0)):
        raise ArgumentValueError(
            "numpy.geomspace: start and stop must be of the same sign and different from 0"
        )
    out = start * np.exp(linspace(np.zeros_like(ratio), np.log(ratio), num, endpoint))
    if num > 0:
        setitem(out, 0, start)
    if endpoint and num > 1:
        setitem(out, -1, stop)
    if dtype is not None:
        out = astype(out, dtype, copy=False)
    return np.moveaxis(out, 0, axis) if axis else out


@implements(np.vander)
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    x = operand(x)
    if len(shape_of(x)) != 1:
        raise ArgumentValueError(
            f"numpy.vander: x has shape {shape_of(x)}, wanted an array of one dimension"
        )
    powers = np.arange(shape_of(x)[0] if N is None else N)
    return np.power(x[:, None], powers if increasing else powers[::-1])
