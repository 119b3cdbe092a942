"""What machine code needs beside itself to be called, in a form that is kept with it on disk."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from pullback.compiler.llvm import Area

__all__ = ["Linkage", "in_line", "pack", "unpack"]

_MOST = 1 << 20
"""Bytes of constants that are kept."""

_ERRORS: dict[str, type[Exception]] = {
    error.__name__: error for error in (IndexError, ValueError, np.linalg.LinAlgError)
}


@dataclass(frozen=True)
class Linkage:
    """What a program of loops needs to be called.

    Attributes
    ----------
    symbols : tuple of str
        The functions of libraries, in the order of their addresses in the context.
    constants : tuple of numpy.ndarray
        C-contiguous.
    errors : tuple of (exception class, str)
    donated : tuple of (int, int)
        Inputs, each with the output that may take over its memory.
    scratch : int
        Bytes of working memory, beside those of tiles.
    areas : tuple of Area
        What the working memory of tiles depends on.
    operations : int
        How many a call takes; very many where only the data knows it.
    """

    symbols: tuple[str, ...]
    constants: tuple[np.ndarray[Any, Any], ...]
    errors: tuple[tuple[type[Exception], str], ...]
    donated: tuple[tuple[int, int], ...]
    scratch: int
    areas: tuple[Area, ...]
    operations: int


def in_line(constant: Any) -> Any:
    """A constant as native code reads it, whatever array of the user's it is."""
    constant = np.ascontiguousarray(constant, constant.dtype.newbyteorder("="))
    return constant if constant.ctypes.data % constant.itemsize == 0 else constant.copy()


def pack(linkage: Linkage, code: str) -> bytes | None:
    """A linkage and the key of its machine code as bytes; `None` if that is not to be kept."""
    constants = linkage.constants
    if sum(x.nbytes for x in constants) > _MOST:
        return None
    if any(_ERRORS.get(error.__name__) is not error for error, _ in linkage.errors):
        return None
    head = {
        "code": code,
        "symbols": linkage.symbols,
        "constants": [(x.dtype.str, x.shape) for x in constants],
        "errors": [(error.__name__, words) for error, words in linkage.errors],
        "donated": linkage.donated,
        "scratch": linkage.scratch,
        "areas": linkage.areas,
        "operations": linkage.operations,
    }
    return b"\n".join((json.dumps(head).encode(), b"".join(x.tobytes() for x in constants)))


def unpack(packed: bytes) -> tuple[Linkage, str]:
    """What `pack` was given."""
    text, _, data = packed.partition(b"\n")
    head = json.loads(text)
    kinds = [(np.dtype(dtype), tuple(shape)) for dtype, shape in head["constants"]]
    sizes = [int(np.prod(shape, dtype=np.int64)) for _, shape in kinds]
    bytes_ = [size * dtype.itemsize for size, (dtype, _) in zip(sizes, kinds, strict=True)]
    starts = itertools.accumulate(bytes_, initial=0)
    # Each is copied, so that it is aligned.
    constants = tuple(
        np.frombuffer(data, dtype, size, start).reshape(shape).copy()
        for size, start, (dtype, shape) in zip(sizes, starts, kinds, strict=False)
    )
    linkage = Linkage(
        tuple(head["symbols"]),
        constants,
        tuple((_ERRORS[name], words) for name, words in head["errors"]),
        tuple((i, o) for i, o in head["donated"]),
        head["scratch"],
        tuple(Area(*each) for each in head["areas"]),
        head["operations"],
    )
    return linkage, head["code"]
