"""The operations of the language, as LLVM instructions for any number of lanes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pullback.compiler.elementary import NAMES as ELEMENTARY
from pullback.compiler.llvm.conversions import constant, convert, truth
from pullback.compiler.llvm.floats import FLOATS
from pullback.compiler.llvm.integers import INTEGERS
from pullback.compiler.llvm.module import Lines
from pullback.compiler.llvm.values import Value, is_float, is_signed

__all__ = ["apply", "can"]

_FLOAT_COMPARES = {
    "equal": "oeq", "not_equal": "une", "less": "olt", "less_equal": "ole", "greater": "ogt",
    "greater_equal": "oge",
}  # fmt: skip
_INTEGER_COMPARES = {
    "equal": "eq", "not_equal": "ne", "less": "lt", "less_equal": "le", "greater": "gt",
    "greater_equal": "ge",
}  # fmt: skip
_LOGICAL = {"logical_and": "and", "logical_or": "or", "logical_xor": "xor"}
_QUESTIONS = {"isnan", "isfinite", "isinf", "signbit"}


def can(name: str, dtype: str) -> bool:
    """Whether there is machine code for an operation whose arguments have this dtype."""
    if name in ("select", "convert", "logical_not", *_FLOAT_COMPARES, *_LOGICAL, *_QUESTIONS):
        return True
    if is_float(dtype):
        return name in FLOATS or name in ELEMENTARY
    return name in INTEGERS


def apply(at: Lines, name: str, args: Sequence[Value], dtype: str) -> Value:
    """The value of an operation; the arguments have the same number of lanes."""
    first = args[0]
    if name == "convert":
        return convert(at, first, dtype)
    if name == "select":
        return _select(at, *args)
    if name in _LOGICAL:
        a, b = (truth(at, arg) for arg in args)
        both = Value(at.op(f"{_LOGICAL[name]} {a.typed}, {b.text}"), "bool", first.lanes)
        return convert(at, both, dtype)
    if name == "logical_not":
        return convert(at, _not(at, truth(at, first)), dtype)
    if name in _FLOAT_COMPARES:
        return _compare(at, name, *args)
    if name in _QUESTIONS:
        return _question(at, name, first)
    table: dict[str, Callable[..., str]] = FLOATS if is_float(first.dtype) else INTEGERS
    if name in table:
        return Value(table[name](at, *args), dtype, first.lanes)
    function = at.module.elementary(name, first.dtype, first.lanes)
    given = ", ".join(arg.typed for arg in args)
    return Value(at.op(f"call {first.type} {function}({given})"), dtype, first.lanes)


def _select(at: Lines, condition: Value, a: Value, b: Value) -> Value:
    text = at.op(f"select {condition.typed}, {a.typed}, {b.typed}")
    return Value(text, a.dtype, a.lanes)


def _not(at: Lines, value: Value) -> Value:
    return value._replace(text=at.op(f"xor {value.typed}, {constant(1, value).text}"))


def _compare(at: Lines, name: str, a: Value, b: Value) -> Value:
    if is_float(a.dtype):
        instruction = f"fcmp {_FLOAT_COMPARES[name]}"
    else:
        order = _INTEGER_COMPARES[name]
        sign = "" if name in ("equal", "not_equal") else "s" if is_signed(a.dtype) else "u"
        instruction = f"icmp {sign}{order}"
    return Value(at.op(f"{instruction} {a.typed}, {b.text}"), "bool", a.lanes)


def _question(at: Lines, name: str, value: Value) -> Value:
    answer = Value("", "bool", value.lanes)
    if not is_float(value.dtype):
        if name == "signbit" and is_signed(value.dtype):
            text = at.op(f"icmp slt {value.typed}, {constant(0, value).text}")
            return answer._replace(text=text)
        return constant(name == "isfinite", answer)
    if name == "isnan":
        return answer._replace(text=at.op(f"fcmp uno {value.typed}, {value.text}"))
    if name == "signbit":
        bits = value._replace(dtype="int64" if value.dtype == "float64" else "int32")
        bits = bits._replace(text=at.op(f"bitcast {value.typed} to {bits.type}"))
        return answer._replace(text=at.op(f"icmp slt {bits.typed}, {constant(0, bits).text}"))
    size = value._replace(text=at.intrinsic("fabs", value.type, value))
    order = "olt" if name == "isfinite" else "oeq"
    infinite = constant(float("inf"), value).text
    return answer._replace(text=at.op(f"fcmp {order} {size.typed}, {infinite}"))
