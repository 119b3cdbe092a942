"""How machine code calls Python: by C functions alone, and no exception gets lost.

A function of Python's that is called may raise before its first line: where the stack is at its
limit, or where the handler of a signal raises. Then nothing of its own could take the exception. So
it is a few lines of machine code that call it, see whether it raised, and put what it raised
where Python finds it afterwards: into the dict of the thread.

Python handles a signal before the next step of Python code in the main thread. A loop in machine
code takes no such step, and looks for signals now and then.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from typing import Any

from pullback.compiler.runtime import Library, compile_text, load

__all__ = ["trampolines"]

_KEY = "what pullback's machine code met"
"""Of the exception in the dict of a thread."""

_TEXT = """\
@format = private constant [4 x i8] c"LiL\\00"

define i32 @poll() {{
  %state = call i32 inttoptr (i64 {PyGILState_Ensure} to ptr)()
  %found = call i32 inttoptr (i64 {PyErr_CheckSignals} to ptr)()
  %none = icmp eq i32 %found, 0
  br i1 %none, label %done, label %raised
raised:
  call void @keep()
  br label %done
done:
  call void inttoptr (i64 {PyGILState_Release} to ptr)(i32 %state)
  ret i32 %found
}}

define i32 @call(i64 %handle, i32 %number, ptr %operands) {{
  %state = call i32 inttoptr (i64 {PyGILState_Ensure} to ptr)()
  %table = ptrtoint ptr %operands to i64
  %result = call ptr (ptr, ptr, ...) inttoptr (i64 {PyObject_CallFunction} to ptr)(
      ptr inttoptr (i64 {function} to ptr), ptr @format, i64 %handle, i32 %number, i64 %table)
  %none = icmp eq ptr %result, null
  br i1 %none, label %raised, label %returned
raised:
  call void @keep()
  br label %done
returned:
  call void inttoptr (i64 {Py_DecRef} to ptr)(ptr %result)
  br label %done
done:
  %code = phi i32 [ -1, %raised ], [ 0, %returned ]
  call void inttoptr (i64 {PyGILState_Release} to ptr)(i32 %state)
  ret i32 %code
}}

define ptr @kept() {{
  %dict = call ptr inttoptr (i64 {PyThreadState_GetDict} to ptr)()
  %found = call ptr inttoptr (i64 {PyDict_GetItem} to ptr)(
      ptr %dict, ptr inttoptr (i64 {key} to ptr))
  %none = icmp eq ptr %found, null
  br i1 %none, label %nothing, label %something
something:
  call void inttoptr (i64 {Py_IncRef} to ptr)(ptr %found)
  %gone = call i32 inttoptr (i64 {PyDict_DelItem} to ptr)(
      ptr %dict, ptr inttoptr (i64 {key} to ptr))
  ret ptr %found
nothing:
  call void inttoptr (i64 {Py_IncRef} to ptr)(ptr inttoptr (i64 {none} to ptr))
  ret ptr inttoptr (i64 {none} to ptr)
}}

define internal void @keep() {{
  %type = alloca ptr
  %value = alloca ptr
  %trace = alloca ptr
  call void inttoptr (i64 {PyErr_Fetch} to ptr)(ptr %type, ptr %value, ptr %trace)
  call void inttoptr (i64 {PyErr_NormalizeException} to ptr)(ptr %type, ptr %value, ptr %trace)
  %error = load ptr, ptr %value
  %lines = load ptr, ptr %trace
  %bare = icmp eq ptr %lines, null
  br i1 %bare, label %put, label %placed
placed:
  %set = call i32 inttoptr (i64 {PyException_SetTraceback} to ptr)(ptr %error, ptr %lines)
  call void inttoptr (i64 {Py_DecRef} to ptr)(ptr %lines)
  br label %put
put:
  %dict = call ptr inttoptr (i64 {PyThreadState_GetDict} to ptr)()
  %there = call i32 inttoptr (i64 {PyDict_SetItem} to ptr)(
      ptr %dict, ptr inttoptr (i64 {key} to ptr), ptr %error)
  call void inttoptr (i64 {PyErr_Clear} to ptr)()
  %kind = load ptr, ptr %type
  call void inttoptr (i64 {Py_DecRef} to ptr)(ptr %kind)
  call void inttoptr (i64 {Py_DecRef} to ptr)(ptr %error)
  ret void
}}
"""

_NAMES = (
    "PyDict_DelItem",
    "PyDict_GetItem",
    "PyDict_SetItem",
    "PyErr_CheckSignals",
    "PyErr_Clear",
    "PyErr_Fetch",
    "PyErr_NormalizeException",
    "PyException_SetTraceback",
    "PyGILState_Ensure",
    "PyGILState_Release",
    "PyObject_CallFunction",
    "PyThreadState_GetDict",
    "Py_DecRef",
    "Py_IncRef",
)


@functools.cache
def trampolines(function: Callable[[int, int, int], object]) -> Library:
    """Code that calls Python, for as long as the process lives.

    It has ``i32 poll()``, which lets Python handle its signals, and
    ``i32 call(i64 handle, i32 number, ptr operands)``, which calls the function with them. Either
    returns what is not 0 if an exception was raised. ``ptr kept()`` takes out the one that was
    raised last in this thread, or `None`.
    """
    addresses = {name: _address(getattr(ctypes.pythonapi, name)) for name in _NAMES}
    objects = {"key": id(_KEY), "none": id(None), "function": id(function)}
    text = _TEXT.format(**objects, **addresses)
    return load(compile_text(text, level=0))


def _address(function: Any) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0
