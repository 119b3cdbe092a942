"""Between dtypes, as `numpy.ndarray.astype` goes."""

from __future__ import annotations

from pullback.compiler.llvm.module import Lines
from pullback.compiler.llvm.values import SIZES, Value, is_float, is_signed, lane_type, literal

__all__ = ["constant", "convert", "truth"]


def constant(number: float, like: Value) -> Value:
    """A number in each lane, of the dtype of another value."""
    one = Value(literal(number, like.dtype), like.dtype)
    return one if like.lanes == 1 else Value(f"splat ({one.typed})", like.dtype, like.lanes)


def truth(at: Lines, value: Value) -> Value:
    """Whether it is not zero; NaN isn't."""
    if value.dtype == "bool":
        return value
    compare = "fcmp une" if is_float(value.dtype) else "icmp ne"
    zero = constant(0, value).text
    return Value(at.op(f"{compare} {value.typed}, {zero}"), "bool", value.lanes)


def convert(at: Lines, value: Value, dtype: str) -> Value:
    """The value in another dtype.

    What a float that no integer of the dtype is near becomes is not defined, but is some integer.
    """
    if dtype == value.dtype:
        return value
    if dtype == "bool":
        return truth(at, value)
    if is_float(value.dtype) and not is_float(dtype):
        return _rounded_to_integer(at, value, dtype)
    to = lane_type(dtype, value.lanes)
    if lane_type(dtype) == lane_type(value.dtype):
        return value._replace(dtype=dtype)
    return Value(
        at.op(f"{_instruction(value.dtype, dtype)} {value.typed} to {to}"), dtype, value.lanes
    )


def _instruction(source: str, target: str) -> str:
    if is_float(target):
        if is_float(source):
            return "fpext" if SIZES[target] > SIZES[source] else "fptrunc"
        return "sitofp" if is_signed(source) else "uitofp"
    if source != "bool" and SIZES[target] < SIZES[source]:
        return "trunc"
    return "sext" if is_signed(source) else "zext"


def _rounded_to_integer(at: Lines, value: Value, dtype: str) -> Value:
    """Through 64 bits, so that what fits in those wraps around; frozen, as it may be poison."""
    wide = dtype if SIZES[dtype] == 8 else "int64"
    instruction = "fptosi" if is_signed(wide) else "fptoui"
    there = at.op(f"{instruction} {value.typed} to {lane_type(wide, value.lanes)}")
    frozen = at.op(f"freeze {lane_type(wide, value.lanes)} {there}")
    return convert(at, Value(frozen, wide, value.lanes), dtype)
