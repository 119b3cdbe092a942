"""Operators, methods and attributes of ndarray, installed on the tracer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pullback.core.primitive import Primitive, bind
from pullback.core.tracer import Tracer
from pullback.rules import arithmetic, contractions

__all__: list[str] = []


def _operator(primitive: Primitive) -> Callable[[Any, Any], Any]:
    return lambda self, other: bind(primitive, (self, other), {})


def _reflected(primitive: Primitive) -> Callable[[Any, Any], Any]:
    return lambda self, other: bind(primitive, (other, self), {})


_BINARY = {
    "add": arithmetic.add,
    "sub": arithmetic.subtract,
    "mul": arithmetic.multiply,
    "truediv": arithmetic.divide,
    "matmul": contractions.matmul,
}

for _name, _primitive in _BINARY.items():
    setattr(Tracer, f"__{_name}__", _operator(_primitive))
    setattr(Tracer, f"__r{_name}__", _reflected(_primitive))
