"""Arrays that share memory in NumPy, and writes that reach through them.

NumPy returns views from indexing with slices, from reshaping, transposing and the like. A traced
view remembers its base; a write to either is seen by both, as NumPy has it.

Whether reshaping makes a view or a copy depends on how the elements lie in memory. The values
underneath the tracers are laid out as NumPy would, and keep their layout when they are written to.
Under `vmap` each example is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.primitive import bind
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracer import Tracer, View, strip
from pullback.rules import conversion, indexing

__all__ = ["copy_of", "in_memory", "keep_layout", "view_of"]


def in_memory(x: Any) -> Any:
    """The array or scalar underneath all levels of tracing; of a batch, that of one example.

    It has the shape of `x`, and lies in memory as NumPy would have it. Its elements mean nothing
    if `x` is mapped: read none of them.
    """
    array = strip(x)
    shape = shape_of(x)
    lead = len(shape_of(array)) - len(shape)
    if not lead:
        return array
    if 0 in array.shape[:lead]:
        return np.empty(shape, dtype_of(x))
    return array[(0,) * lead + (Ellipsis,)]


def view_of(
    base: Any, read: Callable[[Any], Any], write: Callable[[Any, Any], Any] | None = None
) -> Any:
    """``read(base)``, tied to `base` if NumPy lets the two share memory.

    Parameters
    ----------
    base : array or Tracer
    read : callable
        ``read(base)`` looks into the base.
    write : callable, optional
        ``write(base, value)`` is the base after `value` has been assigned to the view. Without it
        the result is read-only, as those of `numpy.broadcast_to` and `numpy.diagonal` are.
    """
    out = read(base)
    if not (isinstance(out, Tracer) and isinstance(base, Tracer)):
        return out
    if out is base:
        out = base.snapshot()
    if write is None:
        out.alias = View(base, read, None)
    elif base.mutable:
        below, underneath = in_memory(out), in_memory(base)
        if isinstance(below, np.ndarray) and (
            not below.size or np.may_share_memory(below, underneath)
        ):
            out.alias = View(base, read, _in_place(write))
    return out


def _in_place(write: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda base, value: keep_layout(base, write(base, value))


def keep_layout(old: Any, new: Any) -> Any:
    """`new`, a state of the array `old`, laid out in memory as that is."""
    if isinstance(new, Tracer):
        value = in_memory(new)
        if isinstance(value, np.ndarray) and value.strides == in_memory(old).strides:
            return new
    return bind(indexing.index_update, (old, new), {"key": (Ellipsis,)})


def copy_of(x: Any, order: Any = "K") -> Any:
    """A copy of `x`, an array, that is laid out in memory as NumPy's would be.

    Parameters
    ----------
    x : array or Tracer
    order : {"C", "F", "A", "K"}
        As in `numpy.copy`.
    """
    if not isinstance(x, Tracer):
        return np.array(x, order=order)
    flags = getattr(in_memory(x), "flags", None) if x.mutable else None
    if flags is not None:
        if order == "A":
            order = "F" if flags.fnc else "C"
        if order != "F" and flags.c_contiguous:
            return x.snapshot()
        if order != "C" and flags.f_contiguous:
            return x.snapshot()
    return bind(conversion.copy, (x,), {"order": order})
