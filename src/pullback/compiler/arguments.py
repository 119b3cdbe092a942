"""What of arguments decides on how a function is recorded, and which of them it is for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.graph.graph import Graph
from pullback.graph.numbering import Identity
from pullback.lifting import trace
from pullback.lifting.dispatch import lifted
from pullback.lifting.recording import Unrolled

__all__ = ["is_foreign", "is_native", "kind", "layout", "native", "recorded"]


def recorded(
    function: Callable[..., Any],
    name: str,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    lift: bool = False,
) -> tuple[Graph, tuple[Unrolled, ...]]:
    """The graph of a function for such arguments, under this name, and loops that it unrolls."""
    record = _with_loops if lift else _plainly
    function = lifted(function) if lift else function
    if not kwargs:
        return record(function, *args)

    def called(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return function(*args, **kwargs)

    called.__name__ = name
    return record(called, args, kwargs)


_INNERMOST = 8
"""Loops of fewer iterations run faster if they are unrolled, up to twice as fast.

They take as many times as long to compile: what has a loop inside stays one.
"""


def _with_loops(f: Callable[..., Any], *args: Any) -> tuple[Graph, tuple[Unrolled, ...]]:
    return trace.recorded(f, *args, innermost=_INNERMOST)


def _plainly(f: Callable[..., Any], *args: Any) -> tuple[Graph, tuple[Unrolled, ...]]:
    return trace.trace(f, *args), ()


def native(leaf: Any) -> Any:
    """An array in the byte order of the machine; a scalar of NumPy's own class."""
    if is_native(leaf):
        return leaf
    if isinstance(leaf, np.ndarray):
        return leaf.astype(leaf.dtype.newbyteorder("="))
    return np.asarray(leaf)[()]


def is_native(leaf: Any) -> bool:
    """Whether `native` changes nothing."""
    if isinstance(leaf, np.ndarray):
        return bool(leaf.dtype.isnative)
    # Of the scalars of a class of the user's, those of NumPy's kinds are numbers like others.
    is_number = issubclass(type(leaf), np.generic) and leaf.dtype.kind in "biufc"
    return not is_number or type(leaf) is leaf.dtype.type


def kind(leaf: Any) -> Any:
    """What of a leaf decides how the function is recorded."""
    if type(leaf) is np.ndarray:
        return leaf.dtype, leaf.shape
    if type(leaf) in (float, int, bool, complex):
        return type(leaf)
    if isinstance(leaf, np.generic):
        return leaf.dtype, "scalar"
    if isinstance(leaf, np.ndarray) or hasattr(leaf, "__array__"):
        return np.asarray(leaf).dtype, np.shape(leaf)
    try:
        hash(leaf)
    except TypeError:
        return Identity(leaf)
    return type(leaf), leaf


def is_foreign(leaf: Any) -> bool:
    """Whether it is an array of what are no numbers, or a number larger than those of NumPy.

    Of these nothing is recorded.
    """
    if type(leaf) is int:
        return not -(2**63) <= leaf < 2**63
    return isinstance(leaf, np.ndarray | np.generic) and leaf.dtype.kind not in "biufc"


def layout(leaf: Any) -> Any:
    """How an array lies in memory, if that is not in C order without gaps."""
    if isinstance(leaf, np.ndarray) and not leaf.flags.c_contiguous:
        return leaf.strides
    return None
