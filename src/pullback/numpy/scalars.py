"""What Python asks of numbers and arrays: conversions, and methods that only one of them has.

A tracer stands for an array or for a number. Code that asks ``hasattr(x, "__len__")`` to tell one
from the other gets the answer that the plain value would give.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from types import MethodType
from typing import Any

import numpy as np

from pullback.core.shapes import Abstract
from pullback.core.tracing import Tracer, ground_level, is_number, strip
from pullback.errors import AbsentMethodError, ArgumentTypeError, DataDependenceError
from pullback.numpy.foreign import running_call
from pullback.numpy.passed_checks import decidable, passing
from pullback.numpy.refusals import detached, noted, refusal

__all__ = ["as_number"]

Test = Callable[[Any], bool]


def _where(exists: Test, method: Callable[..., Any], refusal: str) -> property:
    """A method of the tracers of which it `exists`; of others the error ends with `refusal`."""

    def get(self: Any) -> Any:
        if not exists(self):
            kind = self.__class__.__name__
            raise AbsentMethodError(f"a traced {kind} of dtype {self.dtype} {refusal}")
        return MethodType(method, self)

    return property(get)


def _is_array(x: Any) -> bool:
    return bool(x._mutable)


def _may_be_whole(x: Any) -> bool:
    return hasattr(x.__class__, "is_integer")


def _has_digits(x: Any) -> bool:
    return hasattr(x.__class__, "hex")


def _may_be_index(x: Any) -> bool:
    return x._mutable or x.dtype.kind in "iu" or (x.dtype.kind == "b" and is_number(x))


def _constant(x: Any, target: str) -> Any:
    """What is underneath all levels of tracing, which none of them follows."""
    if not x._is_constant:
        raise detached(x, target)
    return strip(x)


def _number(x: Any, target: str) -> Any:
    """The constant underneath, which has one element."""
    value = _constant(x, target)
    if x.shape and np.prod(x.shape) != 1:
        raise ArgumentTypeError(
            f"an array of dtype {x.dtype} and shape {x.shape} was about to become {target}, as "
            "only one of shape () can; take an element, x[i], or a sum"
        )
    return value


def _float(self: Any, target: str = "a Python float") -> float:
    return float(_number(self, target))


def _bool(self: Any) -> bool:
    if self._alias is not None:
        self._refresh()
    if not decidable(self):
        passed = passing()
        if passed is not None:
            return passed
    try:
        return bool(self._interpreter.truth(self))
    except DataDependenceError as error:
        call = running_call()
        if call is None:
            raise
        raise noted(refusal(call, self), call) from error


def _hash(self: Any) -> int:
    if self._mutable:
        raise TypeError("unhashable type: 'numpy.ndarray'")
    return hash(_constant(self, "a hash, for a set, for the keys of a dict or for a cache"))


def _repr(self: Any) -> str:
    if self._interpreter.level == ground_level:
        return repr(strip(self))
    return f"Tracer({strip(self)!r}, level={self._interpreter.level})"


def _str(self: Any) -> str:
    return str(strip(self)) if self._interpreter.level == ground_level else repr(self)


def _len(self: Any) -> int:
    if not self.shape:
        raise TypeError("len() of unsized object")
    return int(self.shape[0])


def _index(self: Any) -> int:
    """What stands for a size, a bound of a slice or a position in a list."""
    if self.dtype.kind not in "iu" and not (self.dtype.kind == "b" and is_number(self)):
        raise TypeError(
            f"a traced array of dtype {self.dtype} and shape {self.shape} cannot be interpreted as "
            "an integer"
        )
    return operator.index(_number(self, "a Python int"))


def _is_integer(self: Any) -> Any:
    """Whether the value is a whole number, which is constant."""
    whole = np.equal(np.trunc(self), self) & np.isfinite(self)
    return whole if type(whole) is Tracer else bool(whole)


def _digits(name: str) -> Callable[[Any], Any]:
    """A method of Python's floats that shows what they are made of."""

    def method(self: Any) -> Any:
        return getattr(_float(self, "a ratio of integers, or digits"), name)()

    return method


for _name, _method in {
    "__float__": _float,
    "__complex__": lambda self: complex(_number(self, "a Python complex")),
    "__int__": lambda self: int(_number(self, "a Python int")),
    "__bool__": _bool,
    "__hash__": _hash,
    "__repr__": _repr,
    "__str__": _str,
    "__reduce_ex__": lambda self, protocol: _constant(self, "a pickle").__reduce_ex__(protocol),
    "__len__": _where(_is_array, _len, "has no len()"),
    "__index__": _where(_may_be_index, _index, "cannot be interpreted as an integer"),
    "is_integer": _where(_may_be_whole, _is_integer, "has no method is_integer"),
    "as_integer_ratio": _where(
        _has_digits, _digits("as_integer_ratio"), "has no method as_integer_ratio"
    ),
    "hex": _where(_has_digits, _digits("hex"), "has no method hex"),
}.items():
    setattr(Tracer, _name, _method)


def as_number(x: Any) -> Any:
    """`x`, a result of which nothing else knows yet, as a Python number at all levels of tracing.

    Python's operators make Python numbers of such, and NumPy's functions scalars with a dtype.
    """
    holder = None
    bottom = x
    while type(bottom) is Tracer:
        holder, bottom = bottom, bottom._value
    if isinstance(bottom, Abstract):
        bottom.become_number()
        return x
    number = bottom.item() if isinstance(bottom, np.generic) else bottom
    if holder is None:
        return number
    holder._value = number
    return x
