"""What tells a recording from all others whose machine code is another one."""

from __future__ import annotations

import hashlib
import struct
from typing import Any, NamedTuple

import numpy as np

from pullback.core.tracing import is_plain
from pullback.graph.graph import Graph
from pullback.graph.key import Outline

__all__ = ["Identity", "identity"]

_MOST = 1 << 24
"""Bytes of arrays up to which it takes less time to read them all than to compile."""


class Identity(NamedTuple):
    """The digests of a recording, the same in every process.

    Attributes
    ----------
    structure : str
        Without its numbers.
    whole : str or None
        With all that decides what code is made. `None` where that is not known, as with functions
        of the user's in it, or where its constants are large.
    """

    structure: str
    whole: str | None


def identity(graph: Graph) -> Identity:
    """The identity of a graph as it was recorded."""
    outline = Outline(graph)
    structure = outline.key
    if not outline.whole:
        return Identity(structure, None)
    state = hashlib.sha256(structure.encode())
    bytes_ = 0
    for hole in outline.holes:
        if is_plain(hole.value, np.ndarray):
            if hole.value.dtype.hasobject:
                return Identity(structure, None)
            bytes_ += _distinct(hole.value).nbytes
        if bytes_ > _MOST or not _add(state, hole.value):
            return Identity(structure, None)
    return Identity(structure, state.hexdigest())


def _distinct(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """An array without the repetitions that only its strides make."""
    return x[tuple(slice(None if step else 1) for step in x.strides)]


def _add(state: hashlib._Hash, value: Any) -> bool:
    """Take a number or an array into a digest, to the last bit; whether it is one."""
    if type(value) in (int, bool):
        state.update(f"{type(value).__name__} {value};".encode())
    elif type(value) in (float, complex):
        number = complex(value)
        state.update(type(value).__name__.encode() + struct.pack("<dd", number.real, number.imag))
    elif is_plain(value, np.ndarray | np.generic) and value.dtype.kind in "biufc":
        # Where an array repeats its elements, its strides say so, and code is made for that.
        array = np.asarray(value)
        state.update(f"{array.dtype.str} {value.shape} {array.strides} {type(value)};".encode())
        state.update(np.ascontiguousarray(_distinct(array)).data)
    else:
        return False
    return True
