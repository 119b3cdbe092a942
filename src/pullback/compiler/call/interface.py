"""The functions of Python and NumPy that the native entry calls, as a table of addresses."""

from __future__ import annotations

import ctypes
import functools
from typing import Any

import numpy as np

__all__ = ["table"]

FUNCTIONS = (
    "Py_IncRef",
    "Py_DecRef",
    "PyObject_Vectorcall",
    "PyErr_Clear",
    "PyTuple_New",
    "PyFloat_FromDouble",
    "PyLong_FromLongLong",
    "PyComplex_FromDoubles",
    "PyLong_AsLongLongAndOverflow",
    "PyEval_SaveThread",
    "PyEval_RestoreThread",
    "PyMem_RawMalloc",
    "PyMem_RawFree",
)
"""Python's, in the order of the table."""

VERSION, NDARRAY, SCALAR, NEW = 0, 2, 60, 93
"""Places in NumPy's table: a release may add to it, and leaves these where they are."""

ABI = 0x02000000
"""The version of that table, of NumPy 2."""


@functools.cache
def table() -> np.ndarray[Any, Any] | None:
    """The addresses in the order of `%Api` in the LLVM text, or `None` if they are not known."""
    numpy_table = _numpy_table()
    if numpy_table is None or not _makes_arrays(numpy_table[NEW]):
        return None
    try:
        functions = [getattr(ctypes.pythonapi, name) for name in FUNCTIONS]
    except AttributeError:
        return None
    addresses = [ctypes.cast(function, ctypes.c_void_p).value or 0 for function in functions]
    objects = [id(np.ndarray), id(True), id(False)]
    return np.array([*addresses, numpy_table[NEW], numpy_table[SCALAR], *objects], np.uint64)


def _numpy_table() -> Any:
    """NumPy's own table of what extensions may call; `None` if it is another one than is known."""
    capsule = getattr(getattr(np, "_core", None), "_multiarray_umath", None)
    capsule = getattr(capsule, "_ARRAY_API", None)
    if capsule is None:
        return None
    pointer_of = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", ctypes.pythonapi)
    )
    entries = (ctypes.c_void_p * (NEW + 1)).from_address(pointer_of(capsule, None))
    version = ctypes.PYFUNCTYPE(ctypes.c_uint)(entries[VERSION] or 0)
    return entries if version() == ABI and entries[NDARRAY] == id(np.ndarray) else None


def _makes_arrays(address: int) -> bool:
    """Whether a function is `PyArray_New`, as far as one call tells."""
    new = ctypes.PYFUNCTYPE(
        ctypes.py_object,
        ctypes.py_object,
        ctypes.c_int,
        ctypes.c_void_p,
        ctypes.c_int,
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_void_p,
    )(address)
    shape = (ctypes.c_int64 * 2)(3, 0)
    made = new(np.ndarray, 2, shape, np.dtype(np.float32).num, None, None, 0, 0, None)
    return type(made) is np.ndarray and made.shape == (3, 0) and made.dtype == np.float32
