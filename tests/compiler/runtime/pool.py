"""Calls of the pool of threads, with tasks in Python and in machine code."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import numpy as np

from pullback.compiler.runtime import compile_text, load, once, threads

__all__ = ["Task", "call", "marks", "meets", "native", "outcome"]

Task = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)

_ARGUMENTS = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
_parallel = ctypes.CFUNCTYPE(ctypes.c_int32, *_ARGUMENTS)
_parallel_with_lock = ctypes.PYFUNCTYPE(ctypes.c_int32, *_ARGUMENTS)

TEXT = """
; mark: frame[2·span] += 1, frame[2·span + 1] = worker
define i32 @mark(ptr %frame, i64 %span, i64 %worker) {
  %at = shl i64 %span, 1
  %count.at = getelementptr i64, ptr %frame, i64 %at
  %old = load i64, ptr %count.at
  %new = add i64 %old, 1
  store i64 %new, ptr %count.at
  %worker.at = getelementptr i64, ptr %count.at, i64 1
  store i64 %worker, ptr %worker.at
  ret i32 0
}

; meet: wait until all of frame[1] spans have come, which frame[0] counts; 1 if they do not
define i32 @meet(ptr %frame, i64 %span, i64 %worker) {
entry:
  %before = atomicrmw add ptr %frame, i64 1 seq_cst
  %all.at = getelementptr i64, ptr %frame, i64 1
  %all = load i64, ptr %all.at
  br label %head
head:
  %i = phi i64 [ 0, %entry ], [ %next, %again ]
  %come = load atomic i64, ptr %frame seq_cst, align 8
  %met = icmp sge i64 %come, %all
  br i1 %met, label %good, label %again
again:
  %next = add i64 %i, 1
  %patient = icmp slt i64 %next, 5000000000
  br i1 %patient, label %head, label %bad
good:
  ret i32 0
bad:
  ret i32 1
}

; fail: at every span of which frame[span] is not 0, with that
define i32 @fail(ptr %frame, i64 %span, i64 %worker) {
  %at = getelementptr i64, ptr %frame, i64 %span
  %error = load i64, ptr %at
  %short = trunc i64 %error to i32
  ret i32 %short
}
"""


@once
def _library():
    return load(compile_text(TEXT))


def native(name: str) -> int:
    """The address of a task in machine code: ``mark``, ``meet`` or ``fail``."""
    return _library().address(name)


def call(task, frame, spans: int, workers: int, *, locked: bool = False) -> int:
    """What ``parallel`` returns, called with Python's lock or without."""
    function = (_parallel_with_lock if locked else _parallel)(threads.parallel_address())
    place = frame.ctypes.data if isinstance(frame, np.ndarray) else frame
    return function(ctypes.cast(task, ctypes.c_void_p), place, spans, workers)


def marks(spans: int, workers: int) -> np.ndarray:
    """How often each span was called, and by which worker."""
    frame = np.zeros((spans, 2), np.int64)
    assert call(native("mark"), frame, spans, workers) == 0
    return frame


def meets(workers: int, *, locked: bool = False) -> bool:
    """Whether so many threads work at once."""
    frame = np.array([0, workers])
    return call(native("meet"), frame, workers, workers, locked=locked) == 0


def outcome(program: str, **environment: str) -> subprocess.CompletedProcess:
    """Run a program in a process of its own, which is to end by itself."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **environment},
    )
