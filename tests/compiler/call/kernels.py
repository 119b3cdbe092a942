"""Native functions written by hand, for entries to call."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from pullback.compiler.call import Array, Instance, Kind, NativeFunction
from pullback.compiler.runtime import Library, compile_text, load

__all__ = [
    "ADD",
    "CALL",
    "COPY",
    "SCRATCH",
    "SPIN",
    "STATUS",
    "array",
    "copying",
    "function",
    "instance",
    "same",
]

COPY = """
; Each output is the input of its place, of as many bytes as holes say: pairs of place and bytes.
; The first hole is the number of pairs; behind input number i, buffers are i + inputs, the second.
define i32 @run(ptr %buffers, ptr %holes, ptr %scratch, ptr %context) {
  %pairs = load i64, ptr %holes
  %inputs.at = getelementptr i64, ptr %holes, i64 1
  %inputs = load i64, ptr %inputs.at
  br label %pair
pair:
  %k = phi i64 [ 0, %0 ], [ %k.next, %done ]
  %more = icmp ult i64 %k, %pairs
  br i1 %more, label %begin, label %end
begin:
  %bytes.at = getelementptr i64, ptr %inputs.at, i64 1
  %place = getelementptr i64, ptr %bytes.at, i64 %k
  %bytes = load i64, ptr %place
  %from.at = getelementptr ptr, ptr %buffers, i64 %k
  %from = load ptr, ptr %from.at
  %behind = add i64 %inputs, %k
  %to.at = getelementptr ptr, ptr %buffers, i64 %behind
  %to = load ptr, ptr %to.at
  br label %byte
byte:
  %i = phi i64 [ 0, %begin ], [ %i.next, %move ]
  %left = icmp ult i64 %i, %bytes
  br i1 %left, label %move, label %done
move:
  %x = getelementptr i8, ptr %from, i64 %i
  %value = load i8, ptr %x
  %y = getelementptr i8, ptr %to, i64 %i
  store i8 %value, ptr %y
  %i.next = add i64 %i, 1
  br label %byte
done:
  %k.next = add i64 %k, 1
  br label %pair
end:
  ret i32 0
}
"""

ADD = """
; y = x0 + x1 + c, elements of float64: hole 0 of them, x1 of which is one if hole 1 is 0.
define i32 @run(ptr %buffers, ptr %holes, ptr %scratch, ptr %context) {
  %n = load i64, ptr %holes
  %step.at = getelementptr i64, ptr %holes, i64 1
  %step = load i64, ptr %step.at
  %a = load ptr, ptr %buffers
  %b.at = getelementptr ptr, ptr %buffers, i64 1
  %b = load ptr, ptr %b.at
  %y.at = getelementptr ptr, ptr %buffers, i64 2
  %y = load ptr, ptr %y.at
  %c.at = getelementptr ptr, ptr %buffers, i64 3
  %c = load ptr, ptr %c.at
  %fixed = load double, ptr %c
  br label %element
element:
  %i = phi i64 [ 0, %0 ], [ %i.next, %add ]
  %more = icmp ult i64 %i, %n
  br i1 %more, label %add, label %end
add:
  %a.at = getelementptr double, ptr %a, i64 %i
  %a.i = load double, ptr %a.at
  %j = mul i64 %i, %step
  %b.place = getelementptr double, ptr %b, i64 %j
  %b.j = load double, ptr %b.place
  %sum = fadd double %a.i, %b.j
  %all = fadd double %sum, %fixed
  %y.place = getelementptr double, ptr %y, i64 %i
  store double %all, ptr %y.place
  %i.next = add i64 %i, 1
  br label %element
end:
  ret i32 0
}
"""

STATUS = """
; Returns what its input is, and writes that to its output.
define i32 @run(ptr %buffers, ptr %holes, ptr %scratch, ptr %context) {
  %x.at = load ptr, ptr %buffers
  %x = load i64, ptr %x.at
  %y.place = getelementptr ptr, ptr %buffers, i64 1
  %y.at = load ptr, ptr %y.place
  store i64 %x, ptr %y.at
  %status = trunc i64 %x to i32
  ret i32 %status
}
"""

SCRATCH = """
; Writes its number to all of scratch, which hole 0 says the size of, and adds it up again; the
; result is 0 where scratch is not aligned to 64 bytes.
define i32 @run(ptr %buffers, ptr %holes, ptr %scratch, ptr %context) {
  %n = load i64, ptr %holes
  %x.at = load ptr, ptr %buffers
  %x = load i64, ptr %x.at
  %y.place = getelementptr ptr, ptr %buffers, i64 1
  %y.at = load ptr, ptr %y.place
  %address = ptrtoint ptr %scratch to i64
  %rest = and i64 %address, 63
  %aligned = icmp eq i64 %rest, 0
  br i1 %aligned, label %write, label %bad
bad:
  store i64 0, ptr %y.at
  ret i32 0
write:
  %i = phi i64 [ 0, %0 ], [ %i.next, %write ]
  %at = getelementptr i64, ptr %scratch, i64 %i
  store volatile i64 %x, ptr %at
  %i.next = add i64 %i, 1
  %more = icmp ult i64 %i.next, %n
  br i1 %more, label %write, label %read
read:
  %j = phi i64 [ 0, %write ], [ %j.next, %read ]
  %sum = phi i64 [ 0, %write ], [ %sum.next, %read ]
  %from = getelementptr i64, ptr %scratch, i64 %j
  %value = load volatile i64, ptr %from
  %sum.next = add i64 %sum, %value
  %j.next = add i64 %j, 1
  %left = icmp ult i64 %j.next, %n
  br i1 %left, label %read, label %end
end:
  store i64 %sum.next, ptr %y.at
  ret i32 0
}
"""

SPIN = """
; Waits until its input is not 0, and returns it; 0 after hole 0 looks.
define i32 @run(ptr %buffers, ptr %holes, ptr %scratch, ptr %context) {
  %most = load i64, ptr %holes
  %x.at = load ptr, ptr %buffers
  %y.place = getelementptr ptr, ptr %buffers, i64 1
  %y.at = load ptr, ptr %y.place
  br label %look
look:
  %i = phi i64 [ 0, %0 ], [ %i.next, %look ]
  %x = load volatile i64, ptr %x.at
  %i.next = add i64 %i, 1
  %zero = icmp eq i64 %x, 0
  %left = icmp ult i64 %i.next, %most
  %again = and i1 %zero, %left
  br i1 %again, label %look, label %end
end:
  store i64 %x, ptr %y.at
  ret i32 0
}
"""

CALL = """
; Calls the fallback of the context with its handle, number 7 and the buffers.
define i32 @run(ptr %buffers, ptr %holes, ptr %scratch, ptr %context) {
  %callback = load ptr, ptr %context
  %handle.at = getelementptr i64, ptr %context, i64 1
  %handle = load i64, ptr %handle.at
  %status = call i32 %callback(i64 %handle, i32 7, ptr %buffers)
  ret i32 %status
}
"""


@functools.cache
def _library(text: str) -> Library:
    return load(compile_text(text))


def function(text: str, name: str = "f", **options: Any) -> NativeFunction:
    """The native function of a text, which returns its only output by itself unless told."""
    library = _library(text)
    options = {"single": True, "owner": library, **options}
    return NativeFunction(name, library.address("run"), **options)


def array(dtype: Any, *shape: int, kind: Any = "array") -> Array:
    return Array(np.dtype(dtype), shape, kind)


def instance(inputs: Any, outputs: Any, *holes: int, **options: Any) -> Instance:
    """An instance, of arrays or of single ones, with these holes."""
    inputs, outputs = ((x,) if isinstance(x, Array) else tuple(x) for x in (inputs, outputs))
    held = np.array(holes, np.int64).tobytes() if holes else None
    return Instance(inputs, outputs, held, **options)


def copying(make: Any, values: list[Any], slow: Any, **options: Any) -> Any:
    """An entry of a function that copies values like these."""
    leaves = [_like(x) for x in values]
    holes = [len(leaves), len(leaves), *(x.bytes for x in leaves)]
    return make(function(COPY, **options), instance(leaves, leaves, *holes), slow)


def _like(x: Any) -> Array:
    kind: Kind = "number"
    if isinstance(x, np.ndarray | np.generic):
        kind = "array" if isinstance(x, np.ndarray) else "scalar"
    found = np.asarray(x)
    return Array(found.dtype, found.shape, kind)


def same(x: Any, y: Any) -> bool:
    """Whether two results are of the same type, and alike bit by bit."""
    x_array, y_array = np.asarray(x), np.asarray(y)
    return (
        type(x) is type(y)
        and x_array.dtype == y_array.dtype
        and x_array.shape == y_array.shape
        and x_array.tobytes() == y_array.tobytes()
    )
