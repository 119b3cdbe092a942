"""Arguments as native code reads them."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.compiler.call.spec import NUMBERS, Array
from pullback.core.tracing import is_plain

__all__ = ["address", "is_alike", "is_donated", "laid_out"]

_INT64 = np.iinfo(np.int64)


def address(x: np.ndarray[Any, Any]) -> int:
    """Where the elements of an array begin."""
    begin: int = x.__array_interface__["data"][0]
    return begin


def is_alike(leaf: Any, wanted: Array) -> bool:
    """Whether an argument is of the kind and dtype that is wanted, and a number in its range."""
    if wanted.kind == "number":
        is_number = type(leaf) is NUMBERS[wanted.dtype]
        return is_number and (type(leaf) is not int or _INT64.min <= leaf <= _INT64.max)
    if not is_plain(leaf, np.ndarray if wanted.kind == "array" else np.generic):
        return False
    dtype = leaf.dtype
    if wanted.kind == "scalar" and type(leaf) is not dtype.type:
        return False  # a class of the user's
    return dtype is wanted.dtype or bool(dtype.newbyteorder("=") == wanted.dtype)


def laid_out(leaf: Any, wanted: Array) -> np.ndarray[Any, Any]:
    """The elements of an argument that is alike, as native code reads them.

    They are C-contiguous, aligned and in the machine's byte order: the argument itself where it
    lies like that, otherwise a copy.
    """
    array: np.ndarray[Any, Any] = np.asarray(leaf, wanted.dtype)
    flags, size = array.flags, wanted.dtype.itemsize
    lies = flags.c_contiguous and flags.aligned
    if lies and size > wanted.dtype.alignment:  # NumPy asks for less of complex elements
        lies = address(array) % size == 0
    return array if lies else np.array(array, order="C")


def is_donated(leaf: Any, buffer: np.ndarray[Any, Any], others: list[np.ndarray[Any, Any]]) -> bool:
    """Whether the memory of an argument, read from `buffer`, can become that of an output.

    The array must own it and be writeable, and no other buffer may lie there.
    """
    return (
        buffer is leaf
        and buffer.flags.writeable
        and buffer.flags.owndata
        and buffer.base is None
        and not any(np.may_share_memory(buffer, other) for other in others)
    )
