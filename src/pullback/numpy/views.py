"""Arrays that share memory in NumPy, and writes that reach through them.

NumPy returns views from indexing with slices, from reshaping, transposing and the like. A traced
view remembers its base; a write to either is seen by both, as NumPy has it.

Whether reshaping makes a view or a copy depends on how the elements lie in memory. The values
underneath the tracers are laid out as NumPy would, and keep their layout when they are written to.
Under `vmap` each example is. While a graph is recorded, so are arrays that stand for the values.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.memory import in_memory, rely
from pullback.core.primitive import bind
from pullback.core.running import GROUND, grounded, look
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.strides import Lying, strides_in, strides_like
from pullback.core.tracing import Tracer, View, known, strip
from pullback.errors import AliasError, ArgumentValueError
from pullback.graph.layout import follows
from pullback.graph.places import user_line
from pullback.graph.variable import Variable
from pullback.rules import conversion, indexing, shaping

__all__ = [
    "Flat",
    "array_of",
    "as_array",
    "copy_of",
    "definite",
    "element_of",
    "in_order",
    "keep_layout",
    "known_memory",
    "laid_like",
    "may_share",
    "reshape_in_place",
    "view_of",
]


_ARRAYS = (np.ndarray, Lying)


class Flat(View):
    """The tie of the elements in order, ``x.flat``: what is written to them is written to `x`.

    To NumPy this is an iterator and no array. A part of it is a copy, and a value that is assigned
    to a part is taken over and over.
    """

    __slots__ = ()


def known_memory(x: Any) -> Any:
    """What lies in memory as `x` does, on which what is computed will depend; see `in_memory`."""
    memory = in_memory(x)
    if memory is None:
        raise AliasError(
            f"how an array of dtype {x.dtype} and shape {x.shape} lies in memory is not known "
            f"while a graph is recorded{user_line()}; copy it first: x.copy()"
        )
    rely(x)
    return memory


def definite(order: str, a: Any) -> str:
    """`order` as "C" or "F": "A" follows the memory layout of `a`."""
    if order in ("C", "F"):
        return order
    if order != "A":
        raise ArgumentValueError(
            f'the argument order must be "C", "F" or "A" ("K" for ravel), got {order!r}'
        )
    if len(shape_of(a)) < 2:
        return "C"
    flags = getattr(known_memory(a), "flags", None)
    return "F" if flags is not None and flags.fnc else "C"


def view_of(
    base: Any,
    read: Callable[[Any], Any],
    write: Callable[[Any, Any], Any] | None = None,
    *,
    always: bool = False,
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
    always : bool
        Whether it is a view however the base lies in memory.
    """
    out = look(base, read)
    if type(out) is not Tracer or type(base) is not Tracer:
        return out
    if out is base:
        out = base._snapshot()
    if write is None:
        out._alias = View(base, read, None)
    elif base._mutable:
        shared = always or _shares(out, base, read)
        if shared:
            out._alias = View(base, read, _in_place(write))
        elif shared is None:
            out._alias = View(base, _undecided, _undecided)
    return out


def _shares(out: Tracer, base: Tracer, read: Callable[[Any], Any]) -> bool | None:
    """Whether NumPy lets ``out = read(base)`` share memory with `base`; `None` if undecided."""
    memory = in_memory(base)
    if memory is not None and known(base):
        return may_share(in_memory(out), memory)
    # What is a view of an array with gaps in all directions is one of any array.
    strides = strides_in([extent + 1 for extent in base.shape], base.dtype.itemsize)
    gaps = Lying(base.shape, base.dtype, strides)
    if may_share(read(gaps), gaps):
        return True
    if memory is None:
        return None
    _watch(base, base)
    _watch(out, base)
    return may_share(read(memory), memory)


def may_share(seen: Any, memory: Any) -> bool:
    """Whether what a look into memory has given shares that memory."""
    if type(seen) is Lying:
        return not seen.size or seen.owner is memory.owner
    if type(seen) is not np.ndarray:
        return False
    owner = seen.base
    if owner is not None and (owner is memory or owner is memory.base):
        return True  # which is quickly seen
    return not seen.size or bool(np.may_share_memory(seen, memory))


def _watch(x: Tracer, laid_out: Any) -> None:
    """Note that what is written to `x` depends on the layout of an array that is recorded."""
    if x._alias is not None:
        x = x._alias.root
    bottom = laid_out
    while type(bottom._value) is Tracer:
        bottom = bottom._value
    if type(bottom._value) is Variable and bottom._value.laid_by is not None:
        bottom._interpreter.watch(x, bottom._value)


def _undecided(base: Any, _value: Any = None) -> Any:
    """What writing to one of two arrays does that may share memory, or may not."""
    raise AliasError(
        f"an array of dtype {base.dtype} and shape {base.shape} and a reshaped one may share "
        f"memory: that depends on a layout that is not known while a graph is recorded, and one "
        f"of them was written to{user_line()}. Copy first: y = x.reshape(shape).copy()"
    )


def _in_place(write: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda base, value: keep_layout(base, write(base, value))


def reshape_in_place(x: Tracer, shape: Any) -> None:
    """``x.shape = shape``: other views of the same memory keep theirs.

    The tracer becomes a view of another one, which takes over its state and what looks into it.
    """
    memory = known_memory(x)
    target = bind(shaping.reshape, (memory,), {"shape": shape})
    if not may_share(target, memory):
        raise ArgumentValueError(
            f"y.shape = {shape}: an array of shape {x.shape} that lies in memory as this one "
            "does can't have that shape without being copied; write y = y.reshape(shape)"
        )
    extents = target.shape
    owner = Tracer(x._interpreter, x._value, x._payload)
    owner._alias, owner._version = x._alias, x._version
    for each in gc.get_referrers(x):
        if type(each) is View:
            each.base = owner if each.base is x else each.base
            each.root = owner if each.root is x else each.root

    def read(base: Any) -> Any:
        return bind(shaping.reshape, (base,), {"shape": extents})

    def write(base: Any, value: Any) -> Any:
        return keep_layout(base, bind(shaping.reshape, (value,), {"shape": base.shape}))

    x._alias = None
    x._adopt(look(owner, read))
    x._alias = View(owner, read, write)


def keep_layout(old: Any, new: Any) -> Any:
    """`new`, a state of the array `old`, laid out in memory as that is."""
    if isinstance(new, Tracer):
        value, before = in_memory(new), in_memory(old)
        arrays = isinstance(value, _ARRAYS) and isinstance(before, _ARRAYS)
        if arrays and value.strides == before.strides:
            one, other = strip(old), strip(new)
            if type(one) is not Variable or len(one.shape) < 2:
                return new
            if (type(other) is Variable and follows(other, one)) or not _varies(one):
                return new
    return bind(indexing.index_update, (old, new), {"key": (Ellipsis,)})


def _varies(bottom: Any) -> bool:
    """Whether an array may lie otherwise in another iteration, or call, of what is recorded."""
    return type(bottom) is Variable and len(bottom.shape) > 1 and bottom.is_laid_by_argument()


def laid_like(old: Any, new: Any) -> Any:
    """`new`, laid out in memory as ``np.empty_like(old)`` is, of the same shape."""
    if not isinstance(new, Tracer) or len(shape_of(new)) < 2:
        return new
    value, before = in_memory(new), in_memory(old)
    if value is not None and before is not None and not _varies(strip(old)):
        ordered = value.flags.c_contiguous and before.flags.c_contiguous
        if ordered or value.strides == strides_like(before, value.dtype):
            return new
    if dtype_of(old) != dtype_of(new):
        old = bind(conversion.astype, (old,), {"dtype": dtype_of(new)})
    return bind(indexing.index_update, (old, new), {"key": (Ellipsis,)})


def in_order(x: Any, order: str = "C") -> Any:
    """`x` if it lies in this order, "C" or "F", without gaps, otherwise a copy that does."""
    memory = in_memory(x)
    if memory is not None:
        flags = getattr(memory, "flags", None)
        if flags is None:
            return x
        out = x if getattr(flags, f"{order.lower()}_contiguous") else copy_of(x, order)
        if not known(x):
            _watch(x, x)
            _watch(out, x)
        return out
    copy = copy_of(x, order)
    copy._alias = View(x, _undecided, _undecided)
    return copy


def copy_of(x: Any, order: Any = "K") -> Any:
    """A copy of `x`, an array, that is laid out in memory as that of `numpy.copy` would be."""
    if not isinstance(x, Tracer):
        return np.array(x, order=order)
    if grounded(x):
        return GROUND.constant(np.array(x._value, order=order))
    flags = getattr(in_memory(x), "flags", None) if x._mutable else None
    if flags is not None:
        if order == "A":
            rely(x)
            order = "F" if flags.fnc else "C"
        if (order != "F" and flags.c_contiguous) or (order != "C" and flags.f_contiguous):
            bottom = strip(x)
            fixed = order != "K" and type(bottom) is Variable and len(bottom.shape) > 1
            if not (fixed and bottom.may_lie_otherwise()):
                return as_array(x._snapshot())
    return as_array(bind(conversion.copy, (x,), {"order": order}))


def array_of(x: Any) -> Any:
    """`x`, or of a traced number an array without dimensions, as `numpy.asarray` makes one."""
    return x[...] if type(x) is Tracer and not x._mutable else x  # type: ignore[index]


def element_of(x: Any) -> Any:
    """`x`, or of an array without dimensions the number in it, as NumPy's reductions return it."""
    return x if shape_of(x) else x[()]


def as_array(out: Any) -> Any:
    """`out`, a new value, as an array where NumPy has one that has no dimensions."""
    if type(out) is Tracer and not out._mutable:
        out._version += 1  # of a batch, only this tells an array without dimensions from a scalar
    return out
