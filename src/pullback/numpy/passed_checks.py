"""Checks of arguments in a library's code, where what they ask about is not known.

Code such as ``if np.any(Wn <= 0): raise ValueError(...)`` decides by values, which are not known
while a function is recorded or mapped. Of two ways, of which one raises an error, or only warns,
such a call takes the other. What is not valid then gives what the formulas make of it, most often
not a number, as in NumPy.

Which way leads where is read from the instructions of the code that asks.
"""

from __future__ import annotations

import dis
import functools
import sys
from types import CodeType, FrameType
from typing import Any

from pullback.core.tracing import Tracer

__all__ = ["decidable", "passing"]

_LIBRARIES, _OURS = ("numpy", "scipy"), "pullback"

_BETWEEN = frozenset(
    {"CACHE", "TO_BOOL", "NOT_TAKEN", "COMPARE_OP", "COPY", "EXTENDED_ARG", "CALL"}
)
"""What may stand between the question and the jump; the instruction that asks is one of these."""


def decidable(x: Any) -> bool:
    """Whether it is known whether this value is true, the same for all examples."""
    while type(x) is Tracer:
        if x._alias is not None:
            x._refresh()
        if not x._interpreter.decides(x):
            return False
        x = x._value
    return True


def passing() -> bool | None:
    """The answer with which the library's code that asks goes on, if with the other one it raises
    or warns; None otherwise.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _package(frame) == _OURS:
        frame = frame.f_back
    if frame is None or _package(frame) not in _LIBRARIES:
        return None
    return _passing(frame.f_code, frame.f_lasti)


def _package(frame: FrameType) -> str:
    name: str = frame.f_globals.get("__name__", "")
    return name.partition(".")[0]


@functools.lru_cache(maxsize=512)
def _passing(code: CodeType, place: int) -> bool | None:
    everything = list(dis.get_instructions(code))
    instructions = [each for each in everything if each.offset >= place]
    negated = False
    for number, each in enumerate(instructions):
        if "JUMP" in each.opname:
            if "_IF_TRUE" not in each.opname and "_IF_FALSE" not in each.opname:
                return None
            if "OR_POP" in each.opname:
                return None
            jumps_if = ("_IF_TRUE" in each.opname) != negated
            stays = _fails(instructions[number + 1].offset, everything)
            leaves = _fails(each.argval, everything)
            if stays == leaves:
                return None
            return jumps_if if stays else not jumps_if
        if each.opname == "UNARY_NOT":
            negated = not negated
        elif each.opname not in _BETWEEN:
            return None
    return None


def _fails(place: int, instructions: list[dis.Instruction], depth: int = 0) -> bool:
    """Whether all ways from here lead to an error, or the one that there is begins a warning."""
    ahead = [each for each in instructions if each.offset >= place]
    for number, each in enumerate(ahead):
        if each.opname == "RAISE_VARARGS":
            return True
        if each.opname == "LOAD_GLOBAL" and each.argval == "warnings" and number < _FIRST:
            return True
        if "JUMP" in each.opname:
            if depth == _DEEPEST or "BACKWARD" in each.opname:
                return False
            there = _fails(each.argval, instructions, depth + 1)
            if "_IF_" not in each.opname:
                return there
            return there and _fails(ahead[number + 1].offset, instructions, depth + 1)
        if each.opname.startswith(("RETURN", "FOR_ITER", "STORE")):
            return False
    return False


_FIRST, _DEEPEST = 3, 4
"""Among how many instructions a warning begins, and how many questions may follow another."""
