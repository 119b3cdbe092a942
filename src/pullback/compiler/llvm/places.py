"""Reading and writing memory at a pointer: one element, or as many as a vector has lanes.

Masked instructions take their alignment as a number. Newer releases of LLVM have it as an attribute
of the pointer, and read this form too; older ones read no other.
"""

from __future__ import annotations

from typing import NamedTuple

from pullback.compiler.llvm.holes import Integer
from pullback.compiler.llvm.module import Lines, Writing, splat
from pullback.compiler.llvm.values import SIZES, Value, memory_type

__all__ = [
    "Spot",
    "from_memory",
    "iota",
    "load",
    "mask_of",
    "minus",
    "plus",
    "store",
    "times",
    "to_memory",
]


class Spot(NamedTuple):
    """Where the lanes of a value lie.

    Attributes
    ----------
    pointer : str
        To the first lane; or, if `step` is ``"any"``, a vector of pointers, one for each lane.
    step : int or str
        Elements from one lane to the next one.
    lanes : int
    """

    pointer: str
    step: Integer
    lanes: int


ZEROS = "@pb.zeros"


def plus(at: Writing, a: Integer, b: Integer) -> Integer:
    """The sum of two indices."""
    if isinstance(a, int) and isinstance(b, int):
        return a + b
    if a == 0 or b == 0:
        return b if a == 0 else a
    return at.op(f"add nsw i64 {a}, {b}")


def minus(at: Writing, a: Integer, b: Integer) -> Integer:
    """Their difference."""
    if isinstance(b, int):
        return plus(at, a, -b)
    return at.op(f"sub nsw i64 {a}, {b}")


def times(at: Writing, a: Integer, b: Integer) -> Integer:
    """Their product."""
    if isinstance(a, int) and isinstance(b, int):
        return a * b
    if a == 0 or b == 0:
        return 0
    if a == 1 or b == 1:
        return b if a == 1 else a
    return at.op(f"mul nsw i64 {a}, {b}")


def iota(lanes: int) -> str:
    """The numbers of the lanes, as int64."""
    return "<" + ", ".join(f"i64 {i}" for i in range(lanes)) + ">"


def mask_of(active: int, lanes: int) -> Value:
    """The first lanes."""
    flags = ", ".join(f"i1 {'true' if i < active else 'false'}" for i in range(lanes))
    return Value(f"<{flags}>", "bool", lanes)


def from_memory(at: Lines, raw: str, dtype: str, lanes: int) -> Value:
    """A value as it was loaded; booleans are bytes there."""
    if dtype != "bool":
        return Value(raw, dtype, lanes)
    byte = Value(raw, "uint8", lanes)
    zero = "0" if lanes == 1 else "zeroinitializer"
    return Value(at.op(f"icmp ne {byte.typed}, {zero}"), dtype, lanes)


def to_memory(at: Lines, value: Value) -> str:
    """A value, typed, as it is stored."""
    if value.dtype != "bool":
        return value.typed
    to = memory_type("bool", value.lanes)
    return f"{to} {at.op(f'zext {value.typed} to {to}')}"


def _name(dtype: str, lanes: int) -> str:
    one = memory_type(dtype)
    return f"v{lanes}{'f64' if one == 'double' else 'f32' if one == 'float' else one}"


def _reverse(at: Lines, typed: str, lanes: int) -> str:
    type_ = typed.rpartition("> ")[0] + ">"
    order = ", ".join(f"i32 {lanes - 1 - i}" for i in range(lanes))
    return at.op(f"shufflevector {typed}, {type_} poison, <{lanes} x i32> <{order}>")


def load(at: Lines, spot: Spot, dtype: str, mask: Value | None = None) -> Value:
    """What lies there; zero, and nothing read, in lanes that the mask leaves out."""
    size, lanes = SIZES[dtype], spot.lanes
    if lanes == 1:
        pointer = spot.pointer if mask is None else _safe(at, mask, spot.pointer)
        raw = at.op(f"load {memory_type(dtype)}, ptr {pointer}, align {size}")
        return from_memory(at, raw, dtype, 1)
    to = memory_type(dtype, lanes)
    if spot.step == "any":
        every = mask or mask_of(lanes, lanes)
        name = f"@llvm.masked.gather.{_name(dtype, lanes)}.v{lanes}p0"
        types = f"<{lanes} x ptr>, i32, <{lanes} x i1>, {to}"
        at.module.declare(f"declare {to} {name}({types})")
        given = f"<{lanes} x ptr> {spot.pointer}, i32 {size}, {every.typed}, {to} zeroinitializer"
        return from_memory(at, at.op(f"call {to} {name}({given})"), dtype, lanes)
    pointer = spot.pointer
    if spot.step == -1:
        pointer = at.op(f"getelementptr {memory_type(dtype)}, ptr {pointer}, i64 {1 - lanes}")
    if mask is not None and mask.lanes == 1:
        pointer, mask = _safe(at, mask, pointer), None
    if mask is None:
        raw = at.op(f"load {to}, ptr {pointer}, align {size}")
    else:
        if spot.step == -1:
            mask = mask._replace(text=_reverse(at, mask.typed, lanes))
        name = f"@llvm.masked.load.{_name(dtype, lanes)}.p0"
        at.module.declare(f"declare {to} {name}(ptr, i32, <{lanes} x i1>, {to})")
        given = f"ptr {pointer}, i32 {size}, {mask.typed}, {to} zeroinitializer"
        raw = at.op(f"call {to} {name}({given})")
    if spot.step == -1:
        raw = _reverse(at, f"{to} {raw}", lanes)
    return from_memory(at, raw, dtype, lanes)


def _safe(at: Lines, holds: Value, pointer: str) -> str:
    """The pointer if a condition holds, and one to zeros if not."""
    at.module.constant(f"{ZEROS} = internal constant [64 x i8] zeroinitializer, align 64")
    return at.op(f"select {holds.typed}, ptr {pointer}, ptr {ZEROS}")


def store(at: Lines, spot: Spot, value: Value, mask: Value | None = None) -> None:
    """Write the lanes that the mask has."""
    size, lanes = SIZES[value.dtype], spot.lanes
    value = splat(at, value, lanes)
    if mask == mask_of(1, lanes) and spot.step != "any":
        # LLVM makes one store of such a masked one, and where the value is a truncated integer it
        # is as wide as before it was truncated: it writes behind the end of the array.
        first = Value(at.op(f"extractelement {value.typed}, i64 0"), value.dtype, 1)
        store(at, Spot(spot.pointer, 1, 1), first)
        return
    if lanes == 1:
        at.do(f"store {to_memory(at, value)}, ptr {spot.pointer}, align {size}")
        return
    to = memory_type(value.dtype, lanes)
    typed = to_memory(at, value)
    if spot.step == "any":
        every = mask or mask_of(lanes, lanes)
        name = f"@llvm.masked.scatter.{_name(value.dtype, lanes)}.v{lanes}p0"
        at.module.declare(f"declare void {name}({to}, <{lanes} x ptr>, i32, <{lanes} x i1>)")
        given = f"{typed}, <{lanes} x ptr> {spot.pointer}, i32 {size}, {every.typed}"
        at.do(f"call void {name}({given})")
        return
    pointer = spot.pointer
    if spot.step == -1:
        pointer = at.op(f"getelementptr {memory_type(value.dtype)}, ptr {pointer}, i64 {1 - lanes}")
        typed = f"{to} {_reverse(at, typed, lanes)}"
        mask = mask and mask._replace(text=_reverse(at, mask.typed, lanes))
    if mask is None:
        at.do(f"store {typed}, ptr {pointer}, align {size}")
        return
    name = f"@llvm.masked.store.{_name(value.dtype, lanes)}.p0"
    at.module.declare(f"declare void {name}({to}, ptr, i32, <{lanes} x i1>)")
    at.do(f"call void {name}({typed}, ptr {pointer}, i32 {size}, {mask.typed})")
