"""Interrupts of long loops: native code lets Python handle its signals now and then.

Python handles a signal before the next step of Python code in the main thread. A loop in machine
code takes no such step, and a function of Python's that it called would be cut off by the handler's
exception before its first line. So it is C functions that look for signals, run their handlers, and
take the exception that these may raise.
"""

from __future__ import annotations

import ctypes
import threading
from typing import Any

from pullback.compiler.runtime import Library, compile_text, load, once

__all__ = ["kept", "poll_address"]

_raised = threading.local()


def _keep(error: BaseException) -> None:
    _raised.error = error


_keep_pointer = ctypes.CFUNCTYPE(None, ctypes.py_object)(_keep)

_TEXT = """\
define i32 @poll() {{
  %type = alloca ptr
  %value = alloca ptr
  %trace = alloca ptr
  %state = call i32 inttoptr (i64 {PyGILState_Ensure} to ptr)()
  %found = call i32 inttoptr (i64 {PyErr_CheckSignals} to ptr)()
  %none = icmp eq i32 %found, 0
  br i1 %none, label %done, label %take
take:
  call void inttoptr (i64 {PyErr_Fetch} to ptr)(ptr %type, ptr %value, ptr %trace)
  call void inttoptr (i64 {PyErr_NormalizeException} to ptr)(ptr %type, ptr %value, ptr %trace)
  %error = load ptr, ptr %value
  call void inttoptr (i64 {keep} to ptr)(ptr %error)
  %t = load ptr, ptr %type
  call void inttoptr (i64 {Py_DecRef} to ptr)(ptr %t)
  call void inttoptr (i64 {Py_DecRef} to ptr)(ptr %error)
  %b = load ptr, ptr %trace
  call void inttoptr (i64 {Py_DecRef} to ptr)(ptr %b)
  br label %done
done:
  call void inttoptr (i64 {PyGILState_Release} to ptr)(i32 %state)
  ret i32 %found
}}
"""

_NAMES = (
    "PyGILState_Ensure",
    "PyErr_CheckSignals",
    "PyErr_Fetch",
    "PyErr_NormalizeException",
    "Py_DecRef",
    "PyGILState_Release",
)


@once
def _library() -> Library:
    addresses = {name: _address(getattr(ctypes.pythonapi, name)) for name in _NAMES}
    return load(compile_text(_TEXT.format(keep=_address(_keep_pointer), **addresses), level=0))


def _address(function: Any) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0


def poll_address() -> int:
    """The address of ``i32 poll()``: not 0 if a handler has raised an exception, which is kept."""
    return _library().address("poll")


def kept() -> BaseException | None:
    """Take out the exception that a handler has raised in this thread."""
    error: BaseException | None = getattr(_raised, "error", None)
    _raised.error = None
    return error
