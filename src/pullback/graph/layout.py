"""How results of primitives lie in memory, where of the arguments only shape and dtype are known.

Most results lie in C order without gaps if all arguments do; else it is not known how they lie. A
primitive that moves elements about is tried out on arrays that lie as its arguments do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.core.memory import in_memory
from pullback.core.primitive import Primitive, registry
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.tracer import Tracer

__all__ = ["layout_of_result", "makes_array"]

_REFUSALS = (ValueError, ArithmeticError, IndexError, np.linalg.LinAlgError)


def layout_of_result(primitive: Primitive, args: Sequence[Any], params: dict[str, Any]) -> Any:
    """The `layout` of the variables that stand for ``primitive(*args, **params)``."""
    if primitive.in_place is not None:
        memory = in_memory(args[0])
        return None if memory is None else _layout(np.empty_like(memory))
    if not primitive.rearranges:
        return all(map(_gives_order, args)) or None
    if primitive.multiple:
        return None
    memory = in_memory(args[0])
    if memory is not None:
        return _layout(_tried_out(primitive, memory, args, params))
    # What does not depend on how the argument lies is the same for two arrays with gaps.
    shape = shape_of(args[0])
    gaps = np.empty(2 * math.prod(shape), dtype_of(args[0]))[::2]
    one, other = (
        _tried_out(primitive, np.reshape(gaps, shape, order=order), args, params)
        for order in ("C", "F")
    )
    if one is None or other is None or one.strides != other.strides or not one.flags.forc:
        return None
    return _layout(one)


def _gives_order(x: Any) -> bool:
    """Whether a function of `x`, of which it is an argument, gives an array in C order."""
    if not shape_of(x) or getattr(x, "layout", None) is True:
        return True
    memory = in_memory(x)
    if memory is None:
        return False
    if memory.flags.c_contiguous:
        return True
    steps = [s for s, extent in zip(memory.strides, memory.shape, strict=True) if extent > 1]
    return len(steps) <= 1 and min(steps, default=0) >= 0


def _layout(memory: Any) -> Any:
    """A layout, from an array that lies likewise; one in order need not be kept."""
    return True if isinstance(memory, np.ndarray) and memory.flags.c_contiguous else memory


def _tried_out(
    primitive: Primitive, memory: Any, args: Sequence[Any], params: dict[str, Any]
) -> Any:
    """The primitive's value on `memory`, in place of the first argument; None if it fails."""
    try:
        with np.errstate(all="ignore"):
            return primitive.value(memory, *map(_stand_in, args[1:]), **params)
    except _REFUSALS:
        return None


def _stand_in(x: Any) -> Any:
    """Zeros in place of an argument that is not known."""
    if not isinstance(x, Abstract | Tracer):
        return x
    array = x._mutable if isinstance(x, Tracer) else isinstance(x.memory, np.ndarray) or x.shape
    return np.zeros(shape_of(x), dtype_of(x)) if array else dtype_of(x).type(0)


def makes_array(primitive: Primitive, args: Sequence[Any], params: dict[str, Any]) -> bool:
    """Whether a result of shape () is an array, to which NumPy lets one write.

    Functions of larger arrays return scalars, unless they move elements. Others are tried out, but
    for those of the user's own, which may do anything.
    """
    if isinstance(primitive.value, np.ufunc) or primitive.multiple:
        return False
    if registry.get(primitive.name) is not primitive:
        return False
    if not primitive.rearranges and any(math.prod(shape_of(x)) != 1 for x in args):
        return False
    first, *_ = map(_stand_in, args)
    return isinstance(_tried_out(primitive, first, args, params), np.ndarray)
