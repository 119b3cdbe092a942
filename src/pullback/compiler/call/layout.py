"""How objects of Python and NumPy lie in memory, which the native entry relies on.

It is known for CPython with a global lock, NumPy 2 and 64-bit little-endian machines. There it is
compared with the objects of the running process before anything is read natively. Everywhere else,
and wherever something differs, the portable entry serves.
"""

from __future__ import annotations

import ctypes
import functools
import sys
import sysconfig
from typing import Any

import numpy as np

__all__ = ["SCALARS", "is_known", "tuple_head"]

SCALARS = [np.dtype(char) for char in "?bhilqBHILQefdFD"]
"""Those dtypes whose scalars are one value behind the head of an object."""


class _Object(ctypes.Structure):
    _fields_ = [("references", ctypes.c_int64), ("type", ctypes.c_void_p)]


class _Array(ctypes.Structure):
    _fields_ = [
        ("head", _Object),
        ("data", ctypes.c_void_p),
        ("rank", ctypes.c_int32),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("base", ctypes.c_void_p),
        ("descr", ctypes.c_void_p),
        ("flags", ctypes.c_int32),
    ]


class _Descr(ctypes.Structure):
    _fields_ = [
        ("head", _Object),
        ("scalars", ctypes.c_void_p),
        ("kind", ctypes.c_char),
        ("char", ctypes.c_char),
        ("order", ctypes.c_char),
        ("former_flags", ctypes.c_char),
        ("number", ctypes.c_int32),
    ]


@functools.cache
def is_known() -> bool:
    """Whether arrays, dtypes, scalars, numbers and tuples lie as native code reads them."""
    return (
        sys.implementation.name == "cpython"
        and not sysconfig.get_config_var("Py_GIL_DISABLED")
        and sys.byteorder == "little"
        and ctypes.sizeof(ctypes.c_void_p) == 8
        and object.__basicsize__ == ctypes.sizeof(_Object)
        and np.ndarray.__basicsize__ >= ctypes.sizeof(_Array)
        and np.dtype.__basicsize__ >= ctypes.sizeof(_Descr)
        and all(map(_is_array, _samples()))
        and all(map(_is_dtype, (dtype for d in SCALARS for dtype in (d, d.newbyteorder()))))
        and all(_is_value(dtype.type(1), dtype) for dtype in SCALARS)
        and _is_value(-1.5, np.dtype(np.float64))
        and _is_value(2.5 - 1j, np.dtype(np.complex128))
        and _is_tuple()
    )


def tuple_head() -> int:
    """The bytes of a tuple before its items: Python 3.14 has its hash there too."""
    return tuple.__basicsize__


def _samples() -> list[np.ndarray[Any, Any]]:
    """Arrays of which each has something that the others have not."""
    table = np.arange(24.0).reshape(2, 3, 4)
    locked = np.ones(3, np.int32)
    locked.flags.writeable = False
    odd = np.frombuffer(bytes(17), np.uint8)[1:].view(np.float64)
    return [
        table,
        table.T,
        table[:, ::2],
        np.array(7, np.int8),
        np.zeros((0, 5), np.complex64),
        locked,
        odd,
        np.ones(2, ">f4"),
        np.array([True, False]),
    ]


def _is_array(x: np.ndarray[Any, Any]) -> bool:
    found = _Array.from_address(id(x))
    rank = x.ndim
    is_like = bool(
        found.head.type == id(np.ndarray)
        and found.data == x.__array_interface__["data"][0]
        and found.rank == rank
        and found.base == (None if x.base is None else id(x.base))
        and found.descr == id(x.dtype)
        and found.flags == x.flags.num
    )
    if not is_like or not rank:
        return is_like
    row = ctypes.c_int64 * rank  # read only now, when where it is has been seen to be right
    return (
        tuple(row.from_address(found.shape)) == x.shape
        and tuple(row.from_address(found.strides)) == x.strides
    )


def _is_dtype(dtype: np.dtype[Any]) -> bool:
    found = _Descr.from_address(id(dtype))
    return bool(
        found.scalars == id(dtype.type)
        and found.kind == dtype.kind.encode()
        and found.char == dtype.char.encode()
        and found.order == dtype.byteorder.encode()
        and found.number == dtype.num
    )


def _is_value(x: Any, dtype: np.dtype[Any]) -> bool:
    """Whether what lies behind the head of an object is its value."""
    head = ctypes.sizeof(_Object)
    return (
        type(x).__basicsize__ >= head + dtype.itemsize
        and _Object.from_address(id(x)).type == id(type(x))
        and ctypes.string_at(id(x) + head, dtype.itemsize) == np.array(x, dtype).tobytes()
    )


def _is_tuple() -> bool:
    items = (object(), object(), 3)
    found = (ctypes.c_void_p * len(items)).from_address(id(items) + tuple_head())
    return list(found) == [id(item) for item in items]
