"""What names hold: numbers and tuples of such, which nobody can write to, and arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.precision import PYTHON_NUMBERS
from pullback.core.primitive import SCALARS
from pullback.core.running import GROUND
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer
from pullback.lifting.slices.varying import Varying

__all__ = [
    "are_alike", "as_it_is", "is_arrays", "is_value", "placeholder", "root_of",
    "set_state",
]  # fmt: skip


def is_value(x: Any) -> bool:
    """Whether `x` is a number, or a tuple of such, which nobody can write to."""
    kind = type(x)
    if kind is Tracer:
        return not x._mutable
    return kind in SCALARS or (kind is tuple and bool(x) and all(map(is_value, x)))


def is_arrays(x: Any) -> bool:
    """Whether `x` is an array or a number, or a tuple of such."""
    kind = type(x)
    return kind in SCALARS or kind in (Tracer, np.ndarray) or (
        kind is tuple and bool(x) and all(map(is_arrays, x))
    )  # fmt: skip


def root_of(x: Any) -> Any:
    """The array that owns the memory of `x`."""
    if type(x) is Varying:
        x = x._array
    return x._alias.root if type(x) is Tracer and x._alias is not None else x


def are_alike(one: Any, other: Any, *, dtypes: bool) -> bool:
    """Whether two pytrees have the same structure, shapes and, where these count, dtypes."""
    (leaves, spec), (others, other_spec) = trees.flatten(one), trees.flatten(other)
    return spec == other_spec and all(
        shape_of(x) == shape_of(y) and (not dtypes or dtype_of(x) == dtype_of(y))
        for x, y in zip(leaves, others, strict=True)
    )


def set_state(x: Tracer, state: Any) -> None:
    """Give an array the state of another tracer, unnoticed."""
    state = state if type(state) is Tracer else GROUND.constant(np.array(state))
    x._interpreter, x._value, x._payload = state._interpreter, state._value, state._payload
    x._version += 1


def as_it_is(x: Any) -> Any:
    """The present state of an array, which no later write changes."""
    return x._snapshot() if type(x) is Tracer and x._mutable else x


def placeholder(x: Any) -> Any:
    """A value of the same shape and dtype, which nobody reads."""
    if type(x) in PYTHON_NUMBERS:
        return type(x)(0)
    shape, dtype = shape_of(x), dtype_of(x)
    return np.zeros(shape, dtype) if shape else dtype.type(0)
