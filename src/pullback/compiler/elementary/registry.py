"""The elementary functions there are, by name: their number of arguments and their bodies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from pullback.compiler.elementary.values import Body, Value

__all__ = ["FUNCTIONS", "Builder", "Elementary", "elementary", "single"]

Builder: TypeAlias = Callable[..., Value]
"""Writes a function into a `Body`, given that and a `Value` for each argument."""


@dataclass
class Elementary:
    """A function: `double` writes it for float64, `single` for float32 unless float64 serves."""

    name: str
    arguments: int
    double: Builder
    single: Builder | None = None

    def definition(self, dtype: str, lanes: int) -> tuple[str, Body]:
        """The text of the function, and the body with what it calls."""
        body = Body(dtype, lanes)
        values = [Value(body, body.real, f"%x{i}") for i in range(self.arguments)]
        if dtype == "float64":
            result = self.double(body, *values)
        elif self.single is not None:
            result = self.single(body, *values)
        else:
            wide = [body.widened(x) for x in values]
            result = body.narrowed(body.call(self.name, *wide))
        return body.define(self.name, values, result), body


FUNCTIONS: dict[str, Elementary] = {}


def elementary(name: str, arguments: int = 1) -> Callable[[Builder], Builder]:
    """Register what writes a function for float64; float32 goes through it, rounded once more."""

    def register(builder: Builder) -> Builder:
        FUNCTIONS[name] = Elementary(name, arguments, builder)
        return builder

    return register


def single(name: str) -> Callable[[Builder], Builder]:
    """Register what writes a function for float32, where that pays; the other one comes first."""

    def register(builder: Builder) -> Builder:
        FUNCTIONS[name].single = builder
        return builder

    return register
