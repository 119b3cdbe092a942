"""The addresses of functions of libraries that native code calls: SciPy's BLAS and LAPACK.

SciPy offers them to other extension modules as capsules, whose names are the functions' types.
They may be called from any thread, with the interpreter's lock held or not.
"""

from __future__ import annotations

import ctypes
import functools
import re
from typing import Any

from scipy.linalg import cython_blas, cython_lapack

from pullback.errors import PullbackError

__all__ = ["LARGEST", "address_of", "is_available"]

LARGEST = 2**31 - 1
"""The largest integer that these functions take."""

_MODULES = {module.__name__: module for module in (cython_blas, cython_lapack)}
_ARGUMENTS = re.compile(
    r"(void|__pyx_t_\w+_[sd]) \(((char|int|__pyx_t_\w+_([sdcz]|complex)) \*(, )?)*\)"
)
"""The type of a function that takes pointers to letters, 32-bit integers and numbers, and returns

nothing or a real number.
"""

_name = ctypes.PYFUNCTYPE(ctypes.c_char_p, ctypes.py_object)(
    ("PyCapsule_GetName", ctypes.pythonapi)
)
_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi)
)


@functools.cache
def is_available(symbol: str) -> bool:
    """Whether a function is there, and takes what native code gives it."""
    capsule = _capsule(symbol)
    return capsule is not None and _ARGUMENTS.fullmatch(_name(capsule).decode()) is not None


@functools.cache
def address_of(symbol: str) -> int:
    """The address of a function, such as ``"scipy.linalg.cython_lapack.dpotrf"``.

    Raises
    ------
    PullbackError
        If this build of SciPy has none that can be called: ask `is_available` first.
    """
    if not is_available(symbol):
        raise PullbackError(
            f"compile: {symbol} is not among the functions that this build of SciPy offers for "
            "numbers and 32-bit integers; this is a mistake in pullback"
        )
    capsule = _capsule(symbol)
    return int(_pointer(capsule, _name(capsule)))


def _capsule(symbol: str) -> Any:
    module, _, name = symbol.rpartition(".")
    return getattr(_MODULES.get(module), "__pyx_capi__", {}).get(name)
