"""Python's operators on traced arrays. They go straight to their primitives."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.primitive import Primitive, bind, registry
from pullback.core.shapes import shape_of
from pullback.core.tracer import Tracer, as_number, is_number
from pullback.errors import ArgumentTypeError
from pullback.numpy.assignment import deliver
from pullback.numpy.elementwise import divmod, pow

__all__: list[str] = []

Binary = Callable[[Any, Any], Any]

_OPERANDS = frozenset(
    {Tracer, np.ndarray, float, int, bool, complex, list, tuple, *np.sctypeDict.values()}
)


def _is_operand(x: Any) -> bool:
    """Whether `x` is something that NumPy would take for an array."""
    return type(x) in _OPERANDS or (
        hasattr(x, "__array__") and getattr(x, "__array_ufunc__", True) is not None
    )


def _like_operands(out: Any, x: Any, *others: Any) -> Any:
    """A result, which is a Python number if all operands are, and so takes any array's dtype."""
    return as_number(out) if is_number(x) and all(map(is_number, others)) else out


def _operator(primitive: Primitive) -> Binary:
    def operate(self: Any, other: Any) -> Any:
        if type(other) in _OPERANDS or _is_operand(other):
            return _like_operands(bind(primitive, (self, other), {}), self, other)
        return NotImplemented

    return operate


def _reflected(primitive: Primitive) -> Binary:
    def operate(self: Any, other: Any) -> Any:
        if type(other) in _OPERANDS or _is_operand(other):
            return _like_operands(bind(primitive, (other, self), {}), self, other)
        return NotImplemented

    return operate


def _unary(primitive: Primitive) -> Callable[[Any], Any]:
    return lambda self: _like_operands(bind(primitive, (self,), {}), self)


def _in_place(operator: Binary, symbol: str) -> Binary:
    """An array gets a new state, which its views see.

    A scalar is immutable: the name on the left is bound to a new value, and others keep the old.
    """
    where = f"y {symbol}= v"

    def operate(self: Any, other: Any) -> Any:
        value = operator(self, other)
        if value is NotImplemented or not self.mutable:
            return value
        return deliver(self, value, where)

    return operate


def _bitwise(primitive: Primitive, symbol: str, *, reflected: bool = False) -> Binary:
    """An operator of integers and booleans, which are traced only where they differ by example."""
    plain = _reflected(primitive) if reflected else _operator(primitive)

    def operate(self: Any, other: Any) -> Any:
        _require_bits(self, symbol)
        return plain(self, other)

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


def _install(name: str, operator: Callable[..., Any]) -> None:
    setattr(Tracer, f"__{name}__", operator)


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
    _primitive = registry[_ufunc.__name__]
    _install(_name, _operator(_primitive))
    _install(f"r{_name}", _reflected(_primitive))
    _install(f"i{_name}", _in_place(_operator(_primitive), _symbol))
for _name, _ufunc in _COMPARISONS.items():
    _install(_name, _operator(registry[_ufunc.__name__]))
for _name, (_ufunc, _symbol) in _BITWISE.items():
    _primitive = registry[_ufunc.__name__]
    _install(_name, _bitwise(_primitive, _symbol))
    _install(f"r{_name}", _bitwise(_primitive, _symbol, reflected=True))
    _install(f"i{_name}", _in_place(_bitwise(_primitive, _symbol), _symbol))
_install("invert", _invert)
_install("neg", _unary(registry["negative"]))
_install("pos", _unary(registry["positive"]))
_install("abs", _unary(registry["absolute"]))


# -- operators that are no primitives ------------------------------------------------------------


def _power(x: Any, y: Any) -> Any:
    return _like_operands(pow(x, y), x, y) if _is_operand(y) else NotImplemented


def _divmod(x: Any, y: Any) -> Any:
    return divmod(x, y) if _is_operand(y) else NotImplemented


def _number(x: Any) -> Any:
    """The number underneath all levels of tracing, which is to become a Python integer."""
    while isinstance(x, Tracer):
        x.refresh()
        if shape_of(x.value) != x.shape:
            raise x.interpreter.detached(x, "a Python int")
        x = x.value
    return x


def _round(x: Any, digits: int | None = None) -> Any:
    """``round(x)`` and ``round(x, digits)``, both constant."""
    return round(_number(x)) if digits is None else np.round(x, digits)


_install("pow", _power)
_install("rpow", _reflected(registry["power"]))
_install("ipow", _in_place(_power, "**"))
_install("divmod", _divmod)
_install("rdivmod", lambda x, y: _divmod(y, x))
_install("round", _round)
_install("floor", lambda x: math.floor(_number(x)))
_install("ceil", lambda x: math.ceil(_number(x)))
_install("trunc", lambda x: math.trunc(_number(x)))
_install("contains", lambda x, value: bool(np.any(x == value)))
