"""Small programs in LLVM's language, and calls of them."""

from __future__ import annotations

import ctypes

import numpy as np

from pullback.compiler.runtime import WIDE_VECTORS, Library

__all__ = ["ANSWER", "SCALED", "call", "scaled"]

ANSWER = "define i32 @run(ptr %buffers) {\n  ret i32 42\n}\n"

SCALED = f"""
; out[i] = x[i]² + table[i mod 8], for a number of vectors of 8

@table = internal constant [8 x double] [
  double 0.5, double 1.5, double 2.5, double 3.5, double 4.5, double 5.5, double 6.5, double 7.5
], align 64

define internal <8 x double> @square(<8 x double> %x) alwaysinline {{
  %y = fmul <8 x double> %x, %x
  ret <8 x double> %y
}}

define i32 @run(ptr %x, ptr %out, i64 %count) {WIDE_VECTORS} {{
entry:
  %i = alloca i64
  store i64 0, ptr %i
  br label %head
head:
  %now = load i64, ptr %i
  %more = icmp slt i64 %now, %count
  br i1 %more, label %body, label %done
body:
  %place = getelementptr <8 x double>, ptr %x, i64 %now
  %value = load <8 x double>, ptr %place, align 8
  %squared = call <8 x double> @square(<8 x double> %value)
  %added = load <8 x double>, ptr @table, align 64
  %sum = fadd <8 x double> %squared, %added
  %target = getelementptr <8 x double>, ptr %out, i64 %now
  store <8 x double> %sum, ptr %target, align 8
  %next = add i64 %now, 1
  store i64 %next, ptr %i
  br label %head
done:
  ret i32 0
}}
"""


def call(library: Library, *arguments: np.ndarray | int) -> int:
    """What ``run`` returns; of arrays it is given the addresses."""
    words = [a.ctypes.data if isinstance(a, np.ndarray) else a for a in arguments]
    function = ctypes.CFUNCTYPE(ctypes.c_int32, *[ctypes.c_int64] * len(words))
    return function(library.address("run"))(*words)


def scaled(library: Library, x: np.ndarray) -> np.ndarray:
    """What `SCALED` makes of an array of a multiple of 8 elements."""
    out = np.full_like(x, np.nan)
    assert call(library, x, out, x.size // 8) == 0
    return out
