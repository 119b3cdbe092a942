"""What native code calls Python for: primitives that have no loop form."""

from __future__ import annotations

import ctypes
import itertools
import math
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.compiler.lowering import PythonCall
from pullback.compiler.trampolines import trampolines

__all__ = ["Callbacks"]

_numbers = itertools.count(1)
_all: dict[int, Callbacks] = {}


class Callbacks:
    """The calls of a program; native code names it by its `handle`.

    Parameters
    ----------
    calls : sequence of PythonCall
    """

    def __init__(self, calls: Sequence[PythonCall]) -> None:
        self.calls = tuple(calls)
        self.handle = next(_numbers)
        _all[self.handle] = self
        weakref.finalize(self, _all.pop, self.handle)

    @staticmethod
    def address() -> int:
        """Of the function that native code calls."""
        return trampolines(_call).address("call")

    @staticmethod
    def poll_address() -> int:
        """Of the function by which native code looks for signals."""
        return trampolines(_call).address("poll")

    @staticmethod
    def kept() -> Callable[[], BaseException | None]:
        """What takes out the exception that a call, or an interrupt, in this thread has raised.

        No line of Python is in it, which would need room on the stack.
        """
        return ctypes.PYFUNCTYPE(ctypes.py_object)(trampolines(_call).address("kept"))

    def run(self, number: int, operands: int) -> None:
        """Evaluate a call whose operands are at the addresses in a table."""
        call = self.calls[number]
        kinds = (*call.reads, *call.writes)
        table = (ctypes.c_void_p * len(kinds)).from_address(operands)
        arrays = [_array(place, *kind) for place, kind in zip(table, kinds, strict=True)]
        given = iter(arrays)
        equation = call.equation
        args = [
            call.literals[i] if i in call.literals else next(given)[()]
            for i in range(len(equation.inputs))
        ]
        with np.errstate(all="ignore"):
            try:
                out = equation.primitive.value(*args, **equation.params)
            except Exception as error:
                equation.blame(error)
                raise
        outs = out if equation.primitive.multiple else (out,)
        for array, value in zip(given, outs, strict=True):
            array[...] = value


def _array(place: int | None, shape: tuple[int, ...], dtype: str) -> np.ndarray[Any, Any]:
    """The array at an address."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if not size or place is None:
        return np.empty(shape, dtype)
    memory: Any = (ctypes.c_char * size).from_address(place)
    return np.ndarray(shape, dtype, memory)


def _call(handle: int, number: int, operands: int) -> None:
    _all[handle].run(number, operands)
