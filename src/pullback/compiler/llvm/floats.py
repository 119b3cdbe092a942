"""The arithmetic of floats, with NumPy's NaN and signs of zero."""

from __future__ import annotations

from collections.abc import Callable

from pullback.compiler.llvm.conversions import constant
from pullback.compiler.llvm.module import Lines
from pullback.compiler.llvm.values import SIZES, Value, literal

__all__ = ["FLOATS"]


def _instruction(name: str) -> Callable[..., str]:
    def emit(at: Lines, a: Value, b: Value) -> str:
        return at.op(f"{name} {a.typed}, {b.text}")

    return emit


def _function(name: str) -> Callable[..., str]:
    def emit(at: Lines, *args: Value) -> str:
        return at.intrinsic(name, args[0].type, *args)

    return emit


def _negative(at: Lines, a: Value) -> str:
    return at.op(f"fneg {a.typed}")


def _fma(at: Lines, a: Value, b: Value, c: Value) -> str:
    # Contracted where the machine can; the intrinsic function would be called where it can't.
    product = at.op(f"fmul contract {a.typed}, {b.text}")
    return at.op(f"fadd contract {a.type} {product}, {c.text}")


def _select(at: Lines, condition: str, a: Value, yes: str, no: str) -> str:
    lanes = Value(condition, "bool", a.lanes)
    return at.op(f"select {lanes.typed}, {a.type} {yes}, {a.type} {no}")


def _compare(at: Lines, order: str, a: Value, b: str) -> str:
    return at.op(f"fcmp {order} {a.typed}, {b}")


def _greatest(order: str) -> Callable[..., str]:
    def emit(at: Lines, a: Value, b: Value) -> str:
        # The first select is one instruction of the machine's, and gives b where one is NaN.
        best = _select(at, _compare(at, order, a, b.text), a, a.text, b.text)
        return _select(at, _compare(at, "uno", a, a.text), a, a.text, best)

    return emit


def _greatest_number(order: str) -> Callable[..., str]:
    def emit(at: Lines, a: Value, b: Value) -> str:
        best = _select(at, _compare(at, order, a, b.text), a, a.text, b.text)
        return _select(at, _compare(at, "uno", b, b.text), a, a.text, best)

    return emit


def _sign(at: Lines, a: Value) -> str:
    zero, one = constant(0, a).text, constant(1, a).text
    low = _select(at, _compare(at, "olt", a, zero), a, constant(-1, a).text, zero)
    high = _select(at, _compare(at, "ogt", a, zero), a, one, low)
    return _select(at, _compare(at, "uno", a, a.text), a, a.text, high)


def _nextafter(at: Lines, a: Value, b: Value) -> str:
    bits = a._replace(dtype="int64" if SIZES[a.dtype] == 8 else "int32")
    zero = constant(0, a).text
    least = literal(2.0**-1074 if SIZES[a.dtype] == 8 else 2.0**-149, a.dtype)
    tiny = a._replace(text=_splat_text(a, least))
    from_zero = at.intrinsic("copysign", a.type, tiny, b)
    up = at.op(f"xor {Value(_compare(at, 'olt', a, b.text), 'bool', a.lanes).typed}, "
               f"{_compare(at, 'olt', a, zero)}")  # fmt: skip
    step = at.op(f"select {Value(up, 'bool', a.lanes).typed}, {bits.type} "
                 f"{constant(1, bits).text}, {bits.type} {constant(-1, bits).text}")  # fmt: skip
    pattern = at.op(f"bitcast {a.typed} to {bits.type}")
    moved = at.op(f"add {bits.type} {pattern}, {step}")
    near = at.op(f"bitcast {bits.type} {moved} to {a.type}")
    near = _select(at, _compare(at, "oeq", a, zero), a, from_zero, near)
    near = _select(at, _compare(at, "oeq", a, b.text), a, b.text, near)
    nan = at.op(f"fadd {a.typed}, {b.text}")
    return _select(at, _compare(at, "uno", a, b.text), a, nan, near)


def _splat_text(like: Value, one: str) -> str:
    return one if like.lanes == 1 else f"splat ({like._replace(lanes=1).type} {one})"


def _division(at: Lines, a: Value, b: Value) -> tuple[str, str]:
    """Quotient and remainder of `divmod`: the remainder has the sign of b."""
    zero = constant(0, a).text
    rest = a._replace(text=at.op(f"frem {a.typed}, {b.text}"))
    quotient = at.op(f"fsub {a.typed}, {rest.text}")
    quotient = at.op(f"fdiv {a.type} {quotient}, {b.text}")
    signs = Value(_compare(at, "olt", b, zero), "bool", a.lanes)
    differ = at.op(f"xor {signs.typed}, {_compare(at, 'olt', rest, zero)}")
    some = _compare(at, "une", rest, zero)
    adjust = at.op(f"and {signs.type} {differ}, {some}")
    moved = at.op(f"fadd {rest.typed}, {b.text}")
    lower = at.op(f"fsub {a.type} {quotient}, {constant(1, a).text}")
    quotient = _select(at, adjust, a, lower, quotient)
    unsigned = at.intrinsic("copysign", a.type, a._replace(text=zero), b)
    rest = a._replace(text=_select(at, some, a, _select(at, adjust, a, moved, rest.text), unsigned))
    # Rounding may have left the quotient just beside the whole number that it is.
    whole = a._replace(text=at.intrinsic("floor", a.type, a._replace(text=quotient)))
    beyond = a._replace(text=at.op(f"fsub {a.type} {quotient}, {whole.text}"))
    next_up = at.op(f"fadd {whole.typed}, {constant(1, a).text}")
    half = _splat_text(a, literal(0.5, a.dtype))
    found = _select(at, _compare(at, "ogt", beyond, half), a, next_up, whole.text)
    true = a._replace(text=at.op(f"fdiv {a.typed}, {b.text}"))
    signed_zero = at.intrinsic("copysign", a.type, a._replace(text=zero), true)
    is_zero = _compare(at, "oeq", a._replace(text=quotient), zero)
    found = _select(at, is_zero, a, signed_zero, found)
    nothing = _compare(at, "oeq", b, zero)
    found = _select(at, nothing, a, true.text, found)
    return found, _select(at, nothing, a, at.op(f"frem {a.typed}, {b.text}"), rest.text)


FLOATS: dict[str, Callable[..., str]] = {
    "add": _instruction("fadd contract"),
    "subtract": _instruction("fsub contract"),
    "multiply": _instruction("fmul contract"),
    "divide": _instruction("fdiv"),
    "fmod": _instruction("frem"),
    "fma": _fma,
    "negative": _negative,
    "absolute": _function("fabs"),
    "floor": _function("floor"),
    "ceil": _function("ceil"),
    "trunc": _function("trunc"),
    "rint": _function("rint"),
    "sqrt": _function("sqrt"),
    "copysign": _function("copysign"),
    "sign": _sign,
    "maximum": _greatest("ogt"),
    "minimum": _greatest("olt"),
    "fmax": _greatest_number("ogt"),
    "fmin": _greatest_number("olt"),
    "nextafter": _nextafter,
    "floor_divide": lambda at, a, b: _division(at, a, b)[0],
    "remainder": lambda at, a, b: _division(at, a, b)[1],
}
