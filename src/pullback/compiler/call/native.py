"""The entry in machine code."""

from __future__ import annotations

import ctypes
import functools
import threading
import weakref
from collections.abc import Callable
from importlib import resources
from string import Template
from typing import Any, NoReturn

import numpy as np

from pullback.compiler.cache import object_cache
from pullback.compiler.cache.key import object_key
from pullback.compiler.call import interface, layout
from pullback.compiler.call.failure import failure
from pullback.compiler.call.record import INSTANCES, MOST_INSTANCES, instance_record, record
from pullback.compiler.call.spec import Instance, NativeFunction, require_alike
from pullback.compiler.runtime import Library, compile_text, load
from pullback.errors import PullbackError

__all__ = ["NativeEntry", "entry_text", "is_available"]

_PARTS = ("types", "arguments", "donation", "outputs", "scratch", "results", "entry")
_FASTCALL_WITH_KEYWORDS = 0x0080 | 0x0002

_new_function = ctypes.PYFUNCTYPE(
    ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.py_object
)(("PyCFunction_NewEx", ctypes.pythonapi))


def is_available() -> bool:
    """Whether this build of Python and NumPy is one that the native entry knows."""
    return layout.is_known() and interface.table() is not None


def entry_text() -> str:
    """The native entry in LLVM's language; it is one for all functions."""
    folder = resources.files(__package__) / "text"
    parts = [(folder / f"{part}.ll").read_text(encoding="utf-8") for part in _PARTS]
    return Template("\n".join(parts)).substitute(ITEMS=layout.tuple_head())


@functools.cache
def _library() -> Library:
    # At level 0 it is there five times sooner, and calls take a few hundredths longer: their time
    # goes to the functions of Python and NumPy.
    text = entry_text()
    key = object_key(text, level=0)
    objects = object_cache().get(key)
    if objects is None:
        objects = compile_text(text, level=0)
        object_cache().put(key, objects, name="calls from Python")
    return load(objects)


class NativeEntry:
    """A native function as a function of Python in machine code.

    It takes arrays that lie as native code reads them, numbers and scalars, of the kinds, dtypes
    and shapes of an instance. Anything else goes to the slow path.

    Parameters
    ----------
    function : NativeFunction
    instance : Instance
        The first; others can be added.
    slow : callable
        The slow path: called with the same arguments, and its result returned.

    Attributes
    ----------
    call : builtin_function_or_method
        The callable; it needs nothing else to live.

    Raises
    ------
    PullbackError
        If this build of Python or NumPy is not known: ask `is_available` first.
    """

    def __init__(
        self, function: NativeFunction, instance: Instance, slow: Callable[..., Any]
    ) -> None:
        table = interface.table()
        if table is None or not is_available():
            raise PullbackError(
                f"{function.name}: the native entry does not know this build of Python or NumPy; "
                "use the portable one"
            )
        require_alike(function, None, instance)
        self.function = function
        self._first = instance
        self._places: dict[tuple[tuple[int, ...], ...], int] = {}
        self._adding = threading.Lock()
        library = _library()
        self._record = record(function, instance, table)
        self._instances = np.full(MOST_INSTANCES, None, object)
        spelled = function.name.replace("\0", "").encode(errors="replace")
        name = np.frombuffer(spelled + b"\0", np.uint8)
        method = np.array(
            [name.ctypes.data, library.address("entry"), _FASTCALL_WITH_KEYWORDS, 0], np.int64
        )
        raised = functools.partial(_raise, function)
        # All that the callable needs hangs on a tuple, and numbers are arrays: neither is emptied
        # by the collector while something that refers to it is left.
        numbers = (self._record, self._instances)
        bound = (*numbers, slow, raised, function, library, name, method, table)
        self.call: Callable[..., Any] = _new_function(method.ctypes.data, bound, __package__)
        self.add(instance)
        close = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(library.address("close"))
        weakref.finalize(self.call, _close, close, self._record, library).atexit = False

    def add(self, instance: Instance) -> None:
        """Serve another set of shapes; beyond `MOST_INSTANCES` the oldest one is forgotten."""
        require_alike(self.function, self._first, instance)
        with self._adding:
            if instance.shapes in self._places:
                place = self._places.pop(instance.shapes)
            elif len(self._places) < MOST_INSTANCES:
                place = len(self._places)
            else:
                place = self._places.pop(next(iter(self._places)))
            # Calls may come meanwhile: an instance is there before it is counted.
            self._instances[place] = instance_record(instance)
            self._places[instance.shapes] = place
            self._record[INSTANCES] = len(self._places)


def _raise(function: NativeFunction, number: int, *leaves: Any) -> NoReturn:
    raise failure(function, number, leaves)


def _close(close: Callable[[int], None], record: np.ndarray[Any, Any], _: Library) -> None:
    close(record.ctypes.data)
