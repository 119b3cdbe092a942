"""`numpy.array` and its kin, of traced values and of whatever holds some.

What NumPy makes of something in which nothing is traced decides on shape, dtype and errors: it is
asked with plain values in the place of the traced ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.shapes import dtype_of, is_inexact, shape_of
from pullback.core.tracing import Tracer, is_number, is_plain
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.numpy.conversion import astype, convert
from pullback.numpy.creation import creates, filled, lift
from pullback.numpy.indexing import getitem
from pullback.numpy.operands import holds_tracer, joined
from pullback.numpy.views import copy_of, in_order
from pullback.rules import shaping

__all__ = ["array"]

F = Callable[..., Any]


@creates(np.array)
def array(
    reference: Tracer,
    object: Any,
    dtype: Any = None,
    *,
    copy: bool | None = True,
    order: Any = "K",
    subok: bool = False,
    ndmin: int = 0,
    **others: Any,
) -> Any:
    """``np.array``: a copy, or the traced array itself where `copy` lets it be that."""
    if not holds_tracer(object):
        plain = np.array(object, dtype, copy=True, order=order, ndmin=ndmin, **others)
        return lift(reference, plain, "numpy.array")
    if dtype is not None and np.dtype(dtype).kind == "O":
        return _of_objects(object, order, ndmin)
    if type(object) is Tracer:
        out = _of_tracer(reference, object, dtype, copy, order)
    else:
        out = _of_nest(object, dtype, copy, order, others)
    missing = ndmin - len(shape_of(out))
    return np.reshape(out, (1,) * missing + shape_of(out)) if missing > 0 else out


def _of_tracer(reference: Tracer, x: Tracer, dtype: Any, copy: bool | None, order: Any) -> Any:
    converts = dtype is not None and np.dtype(dtype) != x.dtype
    if copy is False and (converts or not x._mutable):
        raise _no_copy(f"{x.dtype} and shape {x.shape}")
    out = astype(x, dtype, copy=False) if converts else x
    if not isinstance(out, Tracer):  # an integer or a boolean
        return np.array(out)
    if not out._mutable:
        if not is_inexact(out):
            return out
        zeros = lift(reference, np.zeros((), out.dtype), "numpy.array")
        return filled(zeros, out, "numpy.array")
    if out is x and copy:
        out = copy_of(x, order)
    if order in ("C", "F") and isinstance(out, Tracer):
        ordered = in_order(out, order)
        if ordered is not out and copy is False:
            raise _no_copy(f"{x.dtype} and shape {x.shape}, in another order")
        out = ordered
    return out


def _no_copy(what: str) -> ArgumentValueError:
    return ArgumentValueError(
        f"numpy.array: copy=False, but of a traced value of dtype {what} a copy is needed; "
        "use copy=None, or np.asarray"
    )


def _of_nest(nest: Any, dtype: Any, copy: bool | None, order: Any, others: dict[str, Any]) -> Any:
    if copy is False:
        raise ArgumentValueError(
            f"numpy.array: copy=False, but to join a {type(nest).__name__} of traced values a "
            "copy is needed; use copy=None"
        )
    plain = np.array(_stand_in(nest), dtype, order=order, **others)
    if plain.dtype.kind not in "biufc":
        raise ArgumentTypeError(
            f"numpy.array: a {type(nest).__name__} that holds traced values would become an array "
            f"of dtype {plain.dtype}, which cannot hold their derivative; keep numbers apart from "
            "what is none, or say dtype=object"
        )
    out = joined(nest)
    if shape_of(out) != plain.shape:
        out = shaping.reshape(out, shape=plain.shape)
    if dtype_of(out).kind == "c" and plain.dtype.kind != "c":
        out = np.real(out)
    out = convert(out, plain.dtype)
    return in_order(out, "F" if order == "F" else "C") if isinstance(out, Tracer) else out


def _stand_in(x: Any) -> Any:
    """Nested sequences with something plain of the same kind in place of all that is traced."""
    if type(x) is Tracer:
        if is_number(x):
            return x.dtype.type(0).item()
        return np.broadcast_to(x.dtype.type(0), x.shape) if x._mutable else x.dtype.type(0)
    if is_plain(x) and x.dtype.kind == "O":
        x = x.tolist()
    if is_plain(x, list | tuple):
        return [_stand_in(each) for each in x]
    return x


def _of_objects(x: Any, order: Any, ndmin: int) -> Any:
    """An array of dtype object, whose elements are those of `x`, traced or not."""
    shape = np.array(_stand_in(x), dtype=object).shape
    out = np.empty(shape, dtype=object, order="F" if order == "F" else "C")
    for index in np.ndindex(shape):
        element = x
        for level, place in enumerate(index):
            if type(element) is Tracer or is_plain(element):
                element = element[index[level:]]
                break
            element = element[place]
        if type(element) is Tracer and element._mutable:
            element = getitem(element, ())
        out[index] = element
    return np.array(out, copy=False, ndmin=ndmin)


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
        return array(reference, a, dtype, copy=copy, order=order or "K", ndmin=ndmin)

    make.__name__ = function.__name__
    creates(function)(make)


_as(np.asarray, None, 0)
_as(np.asanyarray, None, 0)
_as(np.ascontiguousarray, "C", 1)
_as(np.asfortranarray, "F", 1)


@creates(np.fromiter)
def fromiter(reference: Tracer, iter: Any, dtype: Any, count: int = -1) -> Any:
    """``np.fromiter``, of an iterable that yields traced values."""
    values: list[Any] = []
    for value in iter:
        if len(values) == count:
            break
        values.append(value)
    if not holds_tracer(values):
        plain = np.fromiter(values, dtype, count)
        return lift(reference, plain, "numpy.fromiter")
    np.fromiter(map(_stand_in, values), dtype, count)  # which says what is wrong, if anything is
    return array(reference, values, dtype)
