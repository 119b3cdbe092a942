"""The elementary functions there are, by name: their number of arguments and their bodies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pullback.compiler.elementary.values import Body, Value

__all__ = ["FUNCTIONS", "OUTLINED", "Builder", "Elementary", "elementary", "outlined", "single"]

Builder: TypeAlias = Callable[..., Value]
"""Writes a function into a `Body`, given that and a `Value` for each argument."""

Outlined: TypeAlias = Callable[[Body, Value], Sequence[Value]]
"""The same for a function of one argument that has several results."""


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
        return body.define(self.name, values, [result]), body


@dataclass
class Rare:
    """A part of functions that is seldom needed, of doubles: not in line, with several results."""

    name: str
    builder: Outlined

    def definition(self, dtype: str, lanes: int) -> tuple[str, Body]:
        body = Body(dtype, lanes)
        x = Value(body, body.real, "%x0")
        return body.define(self.name, [x], self.builder(body, x)), body


FUNCTIONS: dict[str, Elementary] = {}
OUTLINED: dict[str, Rare] = {}


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


def outlined(name: str) -> Callable[[Outlined], Outlined]:
    """Register what writes a part of functions that is called by `Body.call_outlined`."""

    def register(builder: Outlined) -> Outlined:
        OUTLINED[name] = Rare(name, builder)
        return builder

    return register
