"""Python's operators on traced arrays. They go straight to their primitives."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from numbers import Number, Rational
from typing import Any

import numpy as np

from pullback.core.primitive import SCALARS, Primitive, bind, registry
from pullback.core.running import GROUND
from pullback.core.shapes import shape_of
from pullback.core.tracing import NO_PARAMS, Tracer, is_number, is_plain
from pullback.errors import ArgumentTypeError
from pullback.numpy.assignment import deliver, owns_memory
from pullback.numpy.elementwise import divmod, pow
from pullback.numpy.refusals import detached
from pullback.numpy.scalars import as_number
from pullback.numpy.selected import Selected

__all__: list[str] = []

Binary = Callable[[Any, Any], Any]

_OPERANDS = frozenset(
    {Tracer, np.ndarray, float, int, bool, complex, list, tuple, range, *np.sctypeDict.values()}
)


_JOINED = frozenset({Tracer, list, tuple})
"""Operands that NumPy's arrays don't know what to do with, or had better not be given."""


def made(value: Any) -> Any:
    """What an operator has made of arrays at the ground; what is of another library stays it."""
    return GROUND.constant(value) if type(value) in _MADE else value


_MADE = frozenset({np.ndarray, *SCALARS})


def _is_operand(x: Any) -> bool:
    """Whether `x` is something that NumPy would take for an array."""
    return type(x) in _OPERANDS or (
        type(x) is not Selected
        and hasattr(x, "__array__")
        and getattr(x, "__array_ufunc__", True) is not None
        and not _has_unit(x)
    )


def _has_unit(x: Any) -> bool:
    """Whether `x` is a number with a unit, or an array with one, whose operators know what to do.

    A subclass of arrays cannot hold a traced value, and is refused where it is read.
    """
    return hasattr(x, "magnitude") and hasattr(x, "units") and not is_plain(x)


def _taken(x: Any, primitive: Primitive) -> Any:
    """What an operator takes an unusual operand for; NotImplemented to leave it to the other."""
    if _is_operand(x):
        return x
    if isinstance(x, Rational):
        return float(x)
    if isinstance(x, Number) and not primitive.is_constant:
        raise ArgumentTypeError(
            f"{primitive.name}: got a {type(x).__name__}, which Python's and NumPy's floats don't "
            "compute with, beside a traced value; convert it with float(x)"
        )
    return NotImplemented


def _like_operands(out: Any, x: Any, *others: Any) -> Any:
    """A result, which is a Python number if all operands are, and so takes any array's dtype."""
    return as_number(out) if is_number(x) and all(map(is_number, others)) else out


def _grounded_value(x: Any) -> Any:
    """What Python's operators can be applied to in place of `x`, if no level follows it.

    What a class of others, a data frame, makes of an array is its own affair.
    """
    if type(x) is not Tracer:
        return None if type(x) in _JOINED else x
    if x._alias is not None:
        x._refresh()
    return None if x._interpreter.level else x._value


def _refuses(_self: Any, _other: Any, _evaluate: Binary) -> Any:
    return NotImplemented


def _differs(self: Any, other: Any, evaluate: Binary) -> Any:
    """== and != of an array and None or text, which NumPy compares with each element."""
    if self._mutable and (other is None or isinstance(other, str)):
        return np.full(self.shape, evaluate(0, other))
    return NotImplemented


def _operator(
    primitive: Primitive, evaluate: Binary, otherwise: Callable[..., Any] = _refuses
) -> Binary:
    def operate(self: Any, other: Any) -> Any:
        if _stand_together(self, other):
            out = self._interpreter.operate(primitive, evaluate, self, other)
            if out is not NotImplemented:
                return out
        elif not self._interpreter.level and type(other) not in _JOINED:
            return made(evaluate(self._value, other))
        elif type(other) not in _OPERANDS:
            taken = _taken(other, primitive)
            if taken is NotImplemented:
                return otherwise(self, other, evaluate)
            other = taken
        return _like_operands(bind(primitive, (self, other), NO_PARAMS), self, other)

    return operate


def _reflected(primitive: Primitive, evaluate: Binary) -> Binary:
    def operate(self: Any, other: Any) -> Any:
        if _stand_together(self, other):
            out = self._interpreter.operate(primitive, evaluate, other, self)
            if out is not NotImplemented:
                return out
        elif not self._interpreter.level and type(other) not in _JOINED:
            return made(evaluate(other, self._value))
        elif type(other) not in _OPERANDS:
            other = _taken(other, primitive)
            if other is NotImplemented:
                return NotImplemented
        return _like_operands(bind(primitive, (other, self), NO_PARAMS), self, other)

    return operate


def _stand_together(x: Any, other: Any) -> bool:
    """Whether the operand of a tracer is a number, a plain array or a tracer of the same level."""
    if x._alias is not None:
        x._refresh()
    cls = type(other)
    if cls is Tracer:
        if other._alias is not None:
            other._refresh()
        return other._interpreter is x._interpreter
    return cls in SCALARS or (cls is np.ndarray and other.dtype.kind != "O")


def _unfailing(evaluate: Binary, function: np.ufunc) -> Binary:
    """The operator, which between Python's numbers makes infinity or NaN as NumPy's function."""

    def quotient(x: Any, y: Any) -> Any:
        try:
            return evaluate(x, y)
        except ZeroDivisionError:
            return function(x, y).item()

    return quotient


def _unary(primitive: Primitive, evaluate: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def operate(self: Any) -> Any:
        if not self._interpreter.level and self._alias is None:
            return made(evaluate(self._value))
        return _like_operands(bind(primitive, (self,), {}), self)

    return operate


def _in_place(anew: Binary, symbol: str, evaluate: Binary) -> Binary:
    """An array gets a new state, which its views see.

    A scalar is immutable: the name on the left is bound to a new value, and others keep the old.
    """
    where = f"y {symbol}= v"

    def operate(self: Any, other: Any) -> Any:
        if not self._interpreter.level and owns_memory(self):
            y = _grounded_value(other)
            if y is not None:
                self._announce()
                evaluate(self._value, y)
                self._touch()
                return self
        value = anew(self, other)
        if value is NotImplemented or not self._mutable:
            return value
        return deliver(self, value, where)

    return operate


def _bitwise(operate_on_bits: Binary, symbol: str) -> Binary:
    """An operator of integers and booleans, which are traced only where they differ by example."""

    def operate(self: Any, other: Any) -> Any:
        _require_bits(self, symbol)
        return operate_on_bits(self, other)

    return operate


def _invert(self: Any) -> Any:
    _require_bits(self, "~")
    return bind(registry["invert"], (self,), {})


def _require_bits(x: Any, symbol: str) -> None:
    if x.dtype.kind not in "biu":
        raise ArgumentTypeError(
            f"the operator {symbol} takes integers and booleans, got a traced array of dtype "
            f"{x.dtype} and shape {x.shape}; compare first, as in (x > 0) {symbol} mask"
        )


def _install(name: str, operate: Callable[..., Any]) -> None:
    setattr(Tracer, f"__{name}__", operate)


def _pythons(name: str) -> Any:
    """Python's operator of a name, as a function."""
    return getattr(operator, f"__{name}__")


_ARITHMETIC = {
    "add": (np.add, "+"),
    "sub": (np.subtract, "-"),
    "mul": (np.multiply, "*"),
    "truediv": (np.divide, "/"),
    "floordiv": (np.floor_divide, "//"),
    "mod": (np.remainder, "%"),
    "matmul": (np.matmul, "@"),
}
_COMPARISONS = {
    "lt": np.less,
    "le": np.less_equal,
    "eq": np.equal,
    "ne": np.not_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
}
_BITWISE = {
    "and": (np.bitwise_and, "&"),
    "or": (np.bitwise_or, "|"),
    "xor": (np.bitwise_xor, "^"),
    "lshift": (np.left_shift, "<<"),
    "rshift": (np.right_shift, ">>"),
}

for _name, (_ufunc, _symbol) in _ARITHMETIC.items():
    _primitive, _evaluate = registry[_ufunc.__name__], _pythons(_name)
    if _name in ("truediv", "floordiv", "mod"):
        _evaluate = _unfailing(_evaluate, _ufunc)
    _plainly = _operator(_primitive, _evaluate)
    _install(_name, _plainly)
    _install(f"r{_name}", _reflected(_primitive, _evaluate))
    _install(f"i{_name}", _in_place(_plainly, _symbol, _pythons(f"i{_name}")))
for _name, _ufunc in _COMPARISONS.items():
    _otherwise = _differs if _name in ("eq", "ne") else _refuses
    _install(_name, _operator(registry[_ufunc.__name__], _pythons(_name), _otherwise))
for _name, (_ufunc, _symbol) in _BITWISE.items():
    _primitive = registry[_ufunc.__name__]
    _plainly = _bitwise(_operator(_primitive, _pythons(_name)), _symbol)
    _install(_name, _plainly)
    _install(f"r{_name}", _bitwise(_reflected(_primitive, _pythons(_name)), _symbol))
    _install(f"i{_name}", _in_place(_plainly, _symbol, _pythons(f"i{_name}")))
_install("invert", _invert)
for _name, _ufunc in {"neg": np.negative, "pos": np.positive, "abs": np.absolute}.items():
    _install(_name, _unary(registry[_ufunc.__name__], _pythons(_name)))


# -- operators that are no primitives ------------------------------------------------------------


def _power(x: Any, y: Any) -> Any:
    if type(y) not in _OPERANDS:
        y = _taken(y, registry["power"])
    return NotImplemented if y is NotImplemented else _like_operands(pow(x, y), x, y)


def _divmod(x: Any, y: Any) -> Any:
    return divmod(x, y) if _is_operand(y) else NotImplemented


def _number(x: Any) -> Any:
    """The number underneath all levels of tracing, which is to become a Python integer."""
    while isinstance(x, Tracer):
        x._refresh()
        if shape_of(x._value) != x.shape:
            raise detached(x, "a Python int")
        x = x._value
    return x


def _round(x: Any, digits: int | None = None) -> Any:
    """``round(x)`` and ``round(x, digits)``, both constant."""
    return round(_number(x)) if digits is None else np.round(x, digits)


_install("pow", _power)
_install("rpow", _reflected(registry["power"], _pythons("pow")))
_install("ipow", _in_place(_power, "**", _pythons("ipow")))
_install("divmod", _divmod)
_install("rdivmod", lambda x, y: _divmod(y, x))
_install("round", _round)
_install("floor", lambda x: math.floor(_number(x)))
_install("ceil", lambda x: math.ceil(_number(x)))
_install("trunc", lambda x: math.trunc(_number(x)))
_install("contains", lambda x, value: bool(np.any(x == value)))
