"""How a block is left: what its function returns."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = [
    "BREAK", "CONTINUE", "NOTHING", "Returned", "Undecided", "code_of", "codes_of", "ended", "left",
    "signal_of", "value_of",
]  # fmt: skip


class _Signal:
    """A way to leave a block."""

    def __init__(self, name: str, code: int) -> None:
        self.name, self.code = name, code

    def __repr__(self) -> str:
        return self.name


CONTINUE = _Signal("CONTINUE", 3)
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
        0 where it goes on, 1 where the loop is left, 2 where the function returns `value`, 3 where
        the next iteration begins.
    value : pytree
        `NOTHING`, if the function does not return here.
    codes : frozenset of int
        What the code may be.
    """

    __slots__ = ("code", "codes", "value")

    def __init__(self, code: Any, value: Any, codes: frozenset[int]) -> None:
        self.code, self.value, self.codes = code, value, codes


def code_of(signal: Any) -> Any:
    """How a block is left, as a number; one that ends where it ends goes on."""
    return 0 if signal is None else signal.code


def codes_of(signal: Any) -> frozenset[int]:
    """What the code may be of how a block is left."""
    return signal.codes if isinstance(signal, Undecided) else frozenset({code_of(signal)})


def ended(signal: Any) -> Any:
    """How an iteration is left by what its body is left by: the next one begins by itself."""
    codes = codes_of(signal)
    if codes <= {0, 3}:
        return None
    if 3 not in codes:
        return signal
    return Undecided(np.where(signal.code == 3, 0, signal.code), signal.value, codes - {3} | {0})


def left(signal: Undecided) -> Any:
    """How a block is left of which it isn't known by what, but that it is left early."""
    return signal_of(signal.code, signal.value, signal.codes - {0})


def signal_of(code: Any, value: Any, codes: frozenset[int]) -> Any:
    """How a block is left, by what its code may be."""
    match sorted(codes):
        case [0]:
            return None
        case [1]:
            return BREAK
        case [2]:
            return Returned(value)
        case [3]:
            return CONTINUE
    return Undecided(code, value, codes)


def value_of(signal: Any) -> Any:
    """What the function returns there, or `NOTHING`."""
    return getattr(signal, "value", NOTHING)
