"""Functions of each element, and Python's operators, of slices of varying length.

What doesn't count must not make a derivative NaN: zero times infinity is. So where a derivative is
computed from the operands, there are numbers in place of what doesn't count at which it is finite.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.shapes import astype, dtype_of
from pullback.core.tracing import Tracer, is_number
from pullback.lifting.slices.aligned import aligned
from pullback.lifting.slices.parts import assign, part, write
from pullback.lifting.slices.varying import (
    Varying,
    mask_of,
    method,
    operations,
    refusal,
)

__all__ = ["elementwise"]

_LINEAR = frozenset({
    np.add, np.subtract, np.negative, np.positive, np.conjugate, np.real, np.imag, np.where,
    np.maximum, np.minimum, np.fmax, np.fmin, np.less, np.less_equal, np.greater, np.greater_equal,
    np.equal, np.not_equal, np.logical_and, np.logical_or, np.logical_not, np.logical_xor,
    np.isnan, np.isinf, np.isfinite, np.sign, np.floor, np.ceil, np.rint, np.trunc, np.absolute,
    np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert, np.clip, np.round, np.around,
})  # fmt: skip
"""Of these no derivative is computed from the operands, but at most chosen by them."""

_FILLED: dict[Any, tuple[float, ...]] = {
    np.multiply: (0, 0), np.square: (0,), np.exp: (0,), np.expm1: (0,), np.exp2: (0,),
    np.sin: (0,), np.cos: (0,), np.tan: (0,), np.sinh: (0,), np.cosh: (0,), np.tanh: (0,),
    np.arctan: (0,), np.arcsinh: (0,), np.arcsin: (0,), np.arccos: (0,), np.arctanh: (0,),
    np.arccosh: (2,), np.log: (1,), np.log2: (1,), np.log10: (1,), np.log1p: (0,), np.sqrt: (1,),
    np.cbrt: (1,), np.reciprocal: (1,), np.divide: (0, 1), np.floor_divide: (0, 1),
    np.remainder: (0, 1), np.power: (1, 1), np.float_power: (1, 1), np.hypot: (1, 1),
    np.arctan2: (1, 1), np.logaddexp: (0, 0), np.deg2rad: (0,), np.rad2deg: (0,),
    np.radians: (0,), np.degrees: (0,), np.sinc: (1,), np.fabs: (1,),
}  # fmt: skip
"""What stands in place of what doesn't count, for each operand."""


def elementwise(function: Any, *operands: Any, **options: Any) -> Varying:
    """What a function of each element makes of operands that broadcast."""
    found, spans = aligned(operands)
    fills = _FILLED.get(function)
    if fills is None:
        arrays = [x._array if type(x) is Varying else x for x in found]
    else:
        mask = mask_of(spans)
        dtype = np.result_type(*(dtype_of(x) for x in found if not is_number(x)))
        arrays = [
            _filled(_cast(x, dtype), fill, mask, factor=function is np.multiply)
            for x, fill in zip(found, fills, strict=True)
        ]
    with np.errstate(all="ignore"):
        return Varying(function(*arrays, **options), spans)


def _cast(x: Any, dtype: np.dtype[Any]) -> Any:
    """What a Python number is beside arrays, in which it doesn't decide the dtype."""
    if not is_number(x):
        return x
    wanted = np.result_type(dtype, _NUMBERS[dtype_of(x).kind])
    return astype(x, wanted) if type(x) is Tracer else wanted.type(x)


_NUMBERS: dict[str, Any] = {"b": True, "i": 1, "f": 1.0, "c": 1j}


def _filled(x: Any, fill: float, mask: Any, *, factor: bool) -> Any:
    """An operand with a number in place of what doesn't count, be it the same for all elements.

    A factor that is no slice needs none: what it is multiplied by is zero there.
    """
    if type(x) is Varying:
        return np.where(mask_of(x._spans) if factor else mask, x._array, x.dtype.type(fill))
    return x if factor else np.where(mask, x, dtype_of(x).type(fill))


def _enter(function: Any) -> None:
    def operation(*operands: Any, **options: Any) -> Any:
        if options:
            raise refusal(f"{function.__name__} with {next(iter(options))}=")
        if function is np.where and len(operands) != 3:
            raise refusal("np.where of a condition alone")
        return elementwise(function, *operands)

    operations[function] = operation


for _function in (*_LINEAR, *_FILLED):
    _enter(_function)


@method("astype")
def _astype(x: Varying, dtype: Any) -> Varying:
    return Varying(x._array.astype(dtype), x._spans)


@method("conj")
def _conj(x: Varying) -> Varying:
    return elementwise(np.conjugate, x)


def _property(name: str, read: Callable[[Varying], Any]) -> None:
    setattr(Varying, name, property(read))


_property("real", lambda x: elementwise(np.real, x))
_property("imag", lambda x: elementwise(np.imag, x))


# -- operators -------------------------------------------------------------------------------------


def _power(x: Any, y: Any) -> Varying:
    """A power; to a whole number that is known it is finite everywhere."""
    if type(y) is int and y >= 1:
        return Varying(x.filled(0) ** y, x._spans)
    return elementwise(np.power, x, y)


_BINARY: dict[str, Callable[..., Any]] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.divide,
    "floordiv": np.floor_divide, "mod": np.remainder, "and": np.bitwise_and, "or": np.bitwise_or,
    "xor": np.bitwise_xor,
}  # fmt: skip
_COMPARISONS = {
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal,
    "ne": np.not_equal,
}  # fmt: skip
_UNARY = {"neg": np.negative, "pos": np.positive, "abs": np.absolute, "invert": np.invert}


def _in_place(x: Varying, made: Varying) -> Varying:
    if len(made._spans) != len(x._spans):
        raise refusal("an operation in place that makes more dimensions")
    if not np.can_cast(made.dtype, x.dtype, "same_kind"):
        raise TypeError(f"a result of dtype {made.dtype} cannot be stored as {x.dtype}")
    assign(x, made)
    return x


def _install(name: str, operate: Callable[..., Any]) -> None:
    setattr(Varying, f"__{name}__", lambda *operands: operate(*operands))


def _install_all(name: str, operate: Callable[[Any, Any], Any]) -> None:
    _install(name, operate)
    _install(f"r{name}", lambda x, y: operate(_not_changed(y), x))
    _install(f"i{name}", lambda x, y: _in_place(x, operate(x, y)))


def _not_changed(y: Any) -> Any:
    """What an operator stands in front of; `y += x` changes an array of one element in place."""
    if np.shape(y) and set(np.shape(y)) == {1}:
        raise refusal("an operator after an array of one element")
    return y


for _name, _ufunc in _BINARY.items():
    _install_all(_name, functools.partial(elementwise, _ufunc))
_install_all("pow", _power)
for _name, _ufunc in (_COMPARISONS | _UNARY).items():
    _install(_name, functools.partial(elementwise, _ufunc))
_install("getitem", part)
_install("setitem", write)
