"""The arithmetic of integers and booleans, as NumPy's: wrapped around, and 0 where undefined."""

from __future__ import annotations

from collections.abc import Callable

from pullback.compiler.llvm.conversions import constant, convert
from pullback.compiler.llvm.module import Lines, splat
from pullback.compiler.llvm.values import SIZES, Value, is_signed, lane_type, literal

__all__ = ["INTEGERS"]


def _instruction(name: str) -> Callable[..., str]:
    def emit(at: Lines, a: Value, b: Value) -> str:
        return at.op(f"{name} {a.typed}, {b.text}")

    return emit


def _same(at: Lines, a: Value) -> str:
    return a.text


def _fma(at: Lines, a: Value, b: Value, c: Value) -> str:
    product = at.op(f"mul {a.typed}, {b.text}")
    return at.op(f"add {a.type} {product}, {c.text}")


def _negative(at: Lines, a: Value) -> str:
    return at.op(f"sub {a.type} {constant(0, a).text}, {a.text}")


def _invert(at: Lines, a: Value) -> str:
    ones = constant(1 if a.dtype == "bool" else -1, a)
    return at.op(f"xor {a.typed}, {ones.text}")


def _compare(at: Lines, order: str, a: Value, b: str) -> Value:
    return Value(at.op(f"icmp {order} {a.typed}, {b}"), "bool", a.lanes)


def _select(at: Lines, condition: Value, a: Value, yes: str, no: str) -> str:
    return at.op(f"select {condition.typed}, {a.type} {yes}, {a.type} {no}")


def _absolute(at: Lines, a: Value) -> str:
    if not is_signed(a.dtype):
        return a.text
    return _select(at, _compare(at, "slt", a, constant(0, a).text), a, _negative(at, a), a.text)


def _sign(at: Lines, a: Value) -> str:
    zero = constant(0, a)
    some = _select(at, _compare(at, "ne", a, zero.text), a, constant(1, a).text, zero.text)
    if not is_signed(a.dtype):
        return some
    return _select(at, _compare(at, "slt", a, zero.text), a, constant(-1, a).text, some)


def _best(order: str) -> Callable[..., str]:
    def emit(at: Lines, a: Value, b: Value) -> str:
        sign = "s" if is_signed(a.dtype) else "u"
        return _select(at, _compare(at, f"{sign}{order}", a, b.text), a, a.text, b.text)

    return emit


def _divisor(at: Lines, a: Value, b: Value) -> tuple[Value, Value]:
    """A divisor that the machine takes, with the right quotient where there is one; b is zero."""
    nothing = _compare(at, "eq", b, constant(0, b).text)
    unfit = nothing
    if is_signed(a.dtype):
        least = constant(-(1 << (8 * SIZES[a.dtype] - 1)), a).text
        low = _compare(at, "eq", a, least)
        minus = _compare(at, "eq", b, constant(-1, b).text)
        over = at.op(f"and {low.typed}, {minus.text}")
        unfit = nothing._replace(text=at.op(f"or {nothing.typed}, {over}"))
    # The least integer divided by -1 wraps around to itself, as it does divided by 1.
    return b._replace(text=_select(at, unfit, b, constant(1, b).text, b.text)), nothing


def _adjusted(at: Lines, a: Value, b: Value, rest: Value) -> Value:
    """Whether a remainder is to be moved to the sign of the divisor."""
    some = _compare(at, "ne", rest, constant(0, a).text)
    signs = a._replace(text=at.op(f"xor {rest.typed}, {b.text}"))
    differ = _compare(at, "slt", signs, constant(0, a).text)
    return some._replace(text=at.op(f"and {some.typed}, {differ.text}"))


def _floor_divide(at: Lines, a: Value, b: Value) -> str:
    divisor, nothing = _divisor(at, a, b)
    if not is_signed(a.dtype):
        quotient = at.op(f"udiv {a.typed}, {divisor.text}")
        return _select(at, nothing, a, constant(0, a).text, quotient)
    quotient = at.op(f"sdiv {a.typed}, {divisor.text}")
    rest = a._replace(text=at.op(f"srem {a.typed}, {divisor.text}"))
    lower = at.op(f"add {a.type} {quotient}, {constant(-1, a).text}")
    found = _select(at, _adjusted(at, a, divisor, rest), a, lower, quotient)
    return _select(at, nothing, a, constant(0, a).text, found)


def _fmod(at: Lines, a: Value, b: Value) -> str:
    divisor, nothing = _divisor(at, a, b)
    rest = at.op(f"{'srem' if is_signed(a.dtype) else 'urem'} {a.typed}, {divisor.text}")
    return _select(at, nothing, a, constant(0, a).text, rest)


def _remainder(at: Lines, a: Value, b: Value) -> str:
    if not is_signed(a.dtype):
        return _fmod(at, a, b)
    divisor, nothing = _divisor(at, a, b)
    rest = a._replace(text=at.op(f"srem {a.typed}, {divisor.text}"))
    moved = at.op(f"add {rest.typed}, {divisor.text}")
    found = _select(at, _adjusted(at, a, divisor, rest), a, moved, rest.text)
    return _select(at, nothing, a, constant(0, a).text, found)


def _divide(at: Lines, a: Value, b: Value) -> str:
    x, y = convert(at, a, "float64"), convert(at, b, "float64")
    quotient = x._replace(text=at.op(f"fdiv {x.typed}, {y.text}"))
    return convert(at, quotient, a.dtype).text


def _shift(instruction: str) -> Callable[..., str]:
    """Shifts by the width or more, which LLVM leaves open, and by what is negative."""

    def emit(at: Lines, a: Value, b: Value) -> str:
        width = 8 * SIZES[a.dtype]
        fits = _compare(at, "ult", b, constant(width, b).text)
        if instruction == "ashr":
            most = constant(width - 1, b).text
            return at.op(f"ashr {a.typed}, {_select(at, fits, b, b.text, most)}")
        by = _select(at, fits, b, b.text, constant(0, b).text)
        return _select(at, fits, a, at.op(f"{instruction} {a.typed}, {by}"), constant(0, a).text)

    return emit


def _right_shift(at: Lines, a: Value, b: Value) -> str:
    return _shift("ashr" if is_signed(a.dtype) else "lshr")(at, a, b)


_POWER = """\
define internal {t} {name}({t} %base, {t} %exponent) #1 {{
  br label %loop
loop:
  %square = phi {t} [ %base, %0 ], [ %next, %step ]
  %rest = phi {t} [ %exponent, %0 ], [ %half, %step ]
  %found = phi {t} [ 1, %0 ], [ %more, %step ]
  %done = icmp eq {t} %rest, 0
  br i1 %done, label %exit, label %step
step:
  %bit = and {t} %rest, 1
  %odd = icmp ne {t} %bit, 0
  %product = mul {t} %found, %square
  %more = select i1 %odd, {t} %product, {t} %found
  %next = mul {t} %square, %square
  %half = lshr {t} %rest, 1
  br label %loop
exit:
  ret {t} %found
}}"""


def _power(at: Lines, a: Value, b: Value) -> str:
    """By squaring, lane by lane; the exponent is not negative."""
    lane = lane_type(a.dtype)
    name = f"@pb.power.{lane}"
    at.module.define(name, _POWER.format(name=name, t=lane))
    if a.lanes == 1:
        return at.op(f"call {lane} {name}({a.typed}, {b.typed})")
    found = splat(at, Value(literal(0, a.dtype), a.dtype), a.lanes).text
    for i in range(a.lanes):
        x = at.op(f"extractelement {a.typed}, i64 {i}")
        y = at.op(f"extractelement {b.typed}, i64 {i}")
        one = at.op(f"call {lane} {name}({lane} {x}, {lane} {y})")
        found = at.op(f"insertelement {a.type} {found}, {lane} {one}, i64 {i}")
    return found


INTEGERS: dict[str, Callable[..., str]] = {
    "add": _instruction("add"),
    "subtract": _instruction("sub"),
    "multiply": _instruction("mul"),
    "fma": _fma,
    "negative": _negative,
    "absolute": _absolute,
    **dict.fromkeys(("floor", "ceil", "trunc", "rint"), _same),
    "sign": _sign,
    "maximum": _best("gt"),
    "minimum": _best("lt"),
    "fmax": _best("gt"),
    "fmin": _best("lt"),
    "divide": _divide,
    "bitwise_and": _instruction("and"),
    "bitwise_or": _instruction("or"),
    "bitwise_xor": _instruction("xor"),
    "invert": _invert,
    "left_shift": _shift("shl"),
    "right_shift": _right_shift,
    "floor_divide": _floor_divide,
    "remainder": _remainder,
    "fmod": _fmod,
    "power": _power,
}
