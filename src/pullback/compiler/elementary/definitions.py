"""The text of all functions that are wanted, and of those that they call."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import NamedTuple

from pullback.compiler.elementary.registry import FUNCTIONS, OUTLINED

__all__ = ["Text", "definitions", "text"]


class Text(NamedTuple):
    """LLVM text in two parts, for a module that declares intrinsic functions of its own."""

    declarations: tuple[str, ...]
    functions: tuple[str, ...]


class Definition(NamedTuple):
    """A function's text, and the intrinsic and the elementary functions that it calls."""

    text: str
    declarations: tuple[str, ...]
    calls: tuple[tuple[str, str, int], ...]


@functools.cache
def definition(name: str, dtype: str, lanes: int) -> Definition:
    """One function, written when it is first asked for."""
    function = FUNCTIONS.get(name) or OUTLINED[name]
    written, body = function.definition(dtype, lanes)
    return Definition(written, tuple(body.declarations), tuple(body.calls))


def text(wanted: Iterable[tuple[str, str, int]]) -> Text:
    """Declarations and definitions, each once, in an order that the input's alone decides."""
    pending = list(dict.fromkeys(wanted))
    declarations: dict[str, None] = {}
    functions: dict[tuple[str, str, int], str] = {}
    while pending:
        key = pending.pop()
        if key not in functions:
            functions[key], declared, called = definition(*key)
            declarations |= dict.fromkeys(declared)
            pending += called
    return Text(tuple(declarations), tuple(functions.values()))


def definitions(wanted: Iterable[tuple[str, str, int]]) -> str:
    """LLVM text that defines elementary functions, with all that they depend on.

    Parameters
    ----------
    wanted : iterable of (str, str, int)
        Of each function its name, one of `NAMES`; its dtype, ``"float64"`` or ``"float32"``; and
        its number of lanes, 1 for a scalar.

    Returns
    -------
    str
        Declarations of intrinsic functions, and an internal function for each that is wanted:
        ``@pb.exp.f64x8`` for ``("exp", "float64", 8)``, ``@pb.exp.f64`` for one lane.
    """
    declarations, functions = text(wanted)
    return "\n\n".join(("\n".join(declarations), *functions)) + "\n"
