"""Methods that arrays have and numbers have not, and the other way round.

A tracer stands for an array or for a number. Code that asks ``hasattr(x, "__len__")`` to tell one
from the other gets the answer that the plain value would give.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from types import MethodType
from typing import Any

import numpy as np

from pullback.core.tracer import Tracer, is_number
from pullback.errors import AbsentMethodError

__all__: list[str] = []

Test = Callable[[Any], bool]


def _where(exists: Test, method: Callable[..., Any], refusal: str) -> property:
    """A method that some tracers have.

    Parameters
    ----------
    exists : callable
        Whether a tracer has it.
    method : callable
    refusal : str
        What the error says of a tracer that has not, after what the tracer is.
    """

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
    return operator.index(self._scalar(int, "a Python int"))


def _is_integer(self: Any) -> Any:
    """Whether the value is a whole number, which is constant."""
    whole = np.equal(np.trunc(self), self) & np.isfinite(self)
    return whole if type(whole) is Tracer else bool(whole)


def _digits(name: str) -> Callable[[Any], Any]:
    """A method of Python's floats that shows what they are made of."""

    def method(self: Any) -> Any:
        return getattr(self._scalar(float, "a ratio of integers, or digits"), name)()

    return method


for _name, _method in {
    "__len__": _where(_is_array, _len, "has no len()"),
    "__index__": _where(_may_be_index, _index, "cannot be interpreted as an integer"),
    "is_integer": _where(_may_be_whole, _is_integer, "has no method is_integer"),
    "as_integer_ratio": _where(
        _has_digits, _digits("as_integer_ratio"), "has no method as_integer_ratio"
    ),
    "hex": _where(_has_digits, _digits("hex"), "has no method hex"),
}.items():
    setattr(Tracer, _name, _method)
