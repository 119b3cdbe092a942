"""What NumPy says about an array: its shape, size and dtype, its memory, its text."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.strides import Lying
from pullback.core.tracing import Tracer, known, strip
from pullback.numpy.decisions import Kind, decide
from pullback.numpy.operands import operand
from pullback.numpy.protocol import are_constant
from pullback.numpy.registration import implements
from pullback.numpy.views import known_memory

__all__ = ["shown"]


# -- shape and dtype ------------------------------------------------------------------------------


@implements(np.shape)
def shape(a: Any) -> tuple[int, ...]:
    return shape_of(operand(a))


@implements(np.ndim)
def ndim(a: Any) -> int:
    return len(shape_of(operand(a)))


@implements(np.size)
def size(a: Any, axis: Any = None) -> int:
    extents = shape_of(operand(a))
    if axis is None:
        return math.prod(extents)
    return math.prod(extents[place] for place in normalize_axis_tuple(axis, len(extents)))


def _type(x: Any) -> Any:
    """The dtype of a tracer; anything else as it is."""
    return dtype_of(x) if isinstance(x, Tracer) else x


@implements(np.result_type)
def result_type(*arrays_and_dtypes: Any) -> np.dtype[Any]:
    return np.result_type(*map(_type, arrays_and_dtypes))


@implements(np.can_cast)
def can_cast(from_: Any, to: Any, casting: Any = "safe") -> bool:
    return np.can_cast(_type(from_), to, casting)


@implements(np.min_scalar_type)
def min_scalar_type(a: Any, /) -> np.dtype[Any]:
    return np.min_scalar_type(strip(a))


@implements(np.common_type)
def common_type(*arrays: Any) -> type:
    return np.common_type(*(np.empty(0, dtype_of(operand(a))) for a in arrays))


# -- memory ---------------------------------------------------------------------------------------


@implements(np.may_share_memory)
def may_share_memory(a: Any, b: Any, /, max_work: Any = 0) -> bool:
    return np.may_share_memory(*_memories(a, b), max_work)


@implements(np.shares_memory)
def shares_memory(a: Any, b: Any, /, max_work: Any = -1) -> bool:
    return np.shares_memory(*_memories(a, b), max_work)


def _memories(a: Any, b: Any) -> tuple[Any, Any]:
    """The arrays that two stand for; of those that are not known, what lies as they do.

    What looks into the same array does so here.
    """
    owners: dict[int, Any] = {}
    return _memory(a, owners), _memory(b, owners)


def _memory(x: Any, owners: dict[int, Any]) -> Any:
    memory = known_memory(x)
    if known(x) or not isinstance(memory, np.ndarray | Lying):
        return memory
    if x._alias is not None:
        return x._alias.read(_memory(x._alias.base, owners))
    alone = memory.empty() if type(memory) is Lying else np.empty_like(memory)
    return owners.setdefault(id(x), alone)


# -- text -----------------------------------------------------------------------------------------


@implements(np.array2string)
def array2string(a: Any, *args: Any, **kwargs: Any) -> str:
    return shown(a, np.array2string(np.asarray(strip(a)), *args, **kwargs))


@implements(np.array_repr)
def array_repr(arr: Any, *args: Any, **kwargs: Any) -> str:
    return shown(arr, np.array_repr(np.asarray(strip(arr)), *args, **kwargs))


@implements(np.array_str)
def array_str(a: Any, *args: Any, **kwargs: Any) -> str:
    return shown(a, np.array_str(np.asarray(strip(a)), *args, **kwargs))


def shown(x: Any, text: str) -> str:
    """`text`, which shows `x`: of what is traced, so that nothing reads a number of it again.

    Such a number would have no derivative, and nothing would tell.
    """
    return text if are_constant(x) else f"Tracer({text})"


decide(
    np, "shape ndim size result_type can_cast min_scalar_type common_type may_share_memory "
    "shares_memory isfortran isscalar iterable isdtype",
    Kind.CONSTANT, "says something of an array but for its elements",
)  # fmt: skip
decide(np, "array2string array_repr array_str", Kind.CONSTANT, "makes text")
