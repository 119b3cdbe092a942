"""The text of all functions that are wanted, and of those that they call."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pullback.compiler.elementary.registry import FUNCTIONS

__all__ = ["Text", "definitions", "text"]


class Text(NamedTuple):
    """LLVM text in two parts, for a module that declares intrinsic functions of its own."""

    declarations: tuple[str, ...]
    functions: tuple[str, ...]


def text(wanted: Iterable[tuple[str, str, int]]) -> Text:
    """Declarations and definitions, each once, in an order that the input's alone decides."""
    pending = list(dict.fromkeys(wanted))
    declarations: dict[str, None] = {}
    functions: dict[tuple[str, str, int], str] = {}
    while pending:
        key = pending.pop()
        if key not in functions:
            name, dtype, lanes = key
            functions[key], body = FUNCTIONS[name].definition(dtype, lanes)
            declarations |= body.declarations
            pending += body.calls
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
    return "\n\n".join(("\n".join(text(wanted).declarations), *text(wanted).functions)) + "\n"
