"""The operations on scalars: what machine code has to be able to do, point by point."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy.special

__all__ = ["COMBINING", "OPERATIONS", "Operation", "unit"]


class Operation(NamedTuple):
    """An operation of one or more scalars.

    Attributes
    ----------
    arity : int
    value : callable
        What it computes, of arrays of NumPy; the dtype of the result is that of the `Op`.
    gives : {"same", "bool", "any"}
        The result has the dtype of the arguments, which is one, or is boolean, or as the `Op` says.
    cost : int
        About how many additions take as long.
    """

    arity: int
    value: Callable[..., Any]
    gives: str = "same"
    cost: int = 1


def _select(condition: Any, a: Any, b: Any) -> Any:
    return np.where(condition, a, b)


def _same(names: str, arity: int, cost: int = 1) -> dict[str, Operation]:
    return {name: Operation(arity, getattr(np, name), "same", cost) for name in names.split()}


def _special(names: str, arity: int, cost: int) -> dict[str, Operation]:
    return {
        name: Operation(arity, getattr(scipy.special, name), "same", cost) for name in names.split()
    }


def _questions(names: str, arity: int) -> dict[str, Operation]:
    return {name: Operation(arity, getattr(np, name), "bool") for name in names.split()}


OPERATIONS: dict[str, Operation] = {
    **_same("add subtract multiply maximum minimum fmax fmin copysign nextafter", 2),
    **_same("negative absolute floor ceil trunc rint sign", 1),
    **_same("divide", 2, cost=4),
    **_same("sqrt", 1, cost=4),
    **_same("bitwise_and bitwise_or bitwise_xor left_shift right_shift", 2),
    **_same("invert", 1),
    **_same("logical_and logical_or logical_xor", 2),
    **_same("logical_not", 1),
    **_same("floor_divide remainder fmod", 2, cost=8),
    **_same("exp exp2 expm1 log log2 log10 log1p", 1, cost=16),
    **_same("sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh", 1, cost=20),
    **_same("cbrt", 1, cost=16),
    **_same("arctan2 hypot power logaddexp logaddexp2", 2, cost=30),
    **_special("erf erfc expit log_expit gammaln digamma", 1, cost=30),
    **_special("xlogy xlog1py", 2, cost=20),
    **_questions("equal not_equal less less_equal greater greater_equal", 2),
    **_questions("isnan isfinite isinf signbit", 1),
    "fma": Operation(3, lambda a, b, c: a * b + c),
    "select": Operation(3, _select, "any"),
    "convert": Operation(1, lambda a: a, "any"),
}
"""By name; of NumPy's and SciPy's functions the name is theirs.

``fma`` is a·b + c, rounded once or twice. ``select`` has a boolean first. ``convert`` goes to the
dtype of the `Op` as `numpy.ndarray.astype` does. Booleans know the logical operations and the
bitwise ones alone.
"""

COMBINING: dict[str, tuple[np.ufunc, Any]] = {
    "add": (np.add, 0),
    "multiply": (np.multiply, 1),
    "maximum": (np.maximum, None),
    "minimum": (np.minimum, None),
    "logical_and": (np.logical_and, True),
    "logical_or": (np.logical_or, False),
}
"""How writes of a kernel are joined, and what doesn't change what it is joined with, if any."""


def unit(combine: str, dtype: str) -> int | float | bool:
    """What changes no value that it is joined with; for a sum of floats that is -0."""
    kind = np.dtype(dtype)
    if combine == "add":
        return -0.0 if kind.kind == "f" else 0
    if combine not in ("maximum", "minimum"):
        return kind.type(combine in ("multiply", "logical_and")).item()  # type: ignore[no-any-return]
    lowest = combine == "maximum"
    if kind.kind == "f":
        return -math.inf if lowest else math.inf
    if kind.kind == "b":
        return not lowest
    return int(np.iinfo(kind).min if lowest else np.iinfo(kind).max)
