"""How a block is left: what its function returns."""

from __future__ import annotations

from typing import Any

__all__ = ["BREAK", "CONTINUE", "NOTHING", "Returned", "Undecided", "code_of", "value_of"]


class _Signal:
    """A way to leave a block."""

    def __init__(self, name: str, code: int) -> None:
        self.name, self.code = name, code

    def __repr__(self) -> str:
        return self.name


CONTINUE = _Signal("CONTINUE", 0)
BREAK = _Signal("BREAK", 1)

NOTHING: Any = _Signal("NOTHING", 0)
"""The value of a block that doesn't return from the function."""


class Returned:
    """The function returns this value."""

    __slots__ = ("value",)

    code = 2

    def __init__(self, value: Any) -> None:
        self.value = value


class Undecided:
    """How the block is left is only known once it runs.

    Attributes
    ----------
    code : Tracer
        0 where it goes on, 1 where the loop is left, 2 where the function returns `value`.
    value : pytree
        `NOTHING`, if the function does not return here.
    """

    __slots__ = ("code", "value")

    def __init__(self, code: Any, value: Any) -> None:
        self.code, self.value = code, value


def code_of(signal: Any) -> Any:
    """How a block is left, as a number; one that ends where it ends goes on."""
    return 0 if signal is None else signal.code


def value_of(signal: Any) -> Any:
    """What the function returns there, or `NOTHING`."""
    return getattr(signal, "value", NOTHING)
