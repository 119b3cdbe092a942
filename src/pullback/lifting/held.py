"""Who holds an array: whether anything that the user's running functions can reach does.

It is searched from the variables of these functions, through containers, objects and the variables
of functions, as far as the function that is recorded. Views hold what they look into.
"""

from __future__ import annotations

import gc
import inspect
import sys
from collections.abc import Iterable, Iterator
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    FrameType,
    FunctionType,
    ModuleType,
)
from typing import Any

import numpy as np

from pullback.core.tracing import Interpreter, Tracer
from pullback.lifting.cells import content
from pullback.lifting.owners import owners_of
from pullback.lifting.recording import current
from pullback.lifting.slices.varying import Varying
from pullback.numpy.callers import is_pullbacks_file

__all__ = ["held"]

_MOST = 100_000
"""How many objects are looked at before an array counts as held."""

_ENDS = (type, ModuleType, CodeType, FrameType, BuiltinFunctionType, Interpreter, np.dtype)
"""Through what no array is reached that the program made."""


def held(owners: Iterable[Tracer]) -> set[int]:
    """The ids of those arrays that the user's functions that run can reach, or a view of."""
    wanted = {id(each) for each in owners}
    found: set[int] = set()
    if not wanted:
        return found
    pending, seen = list(_variables()), set[int]()
    while pending and found != wanted:
        x = pending.pop()
        kind = type(x)
        if kind is Tracer or kind is Varying:
            found.update(wanted.intersection(map(id, owners_of(x))))
        elif id(x) not in seen and (gc.is_tracked(x) or kind is tuple or kind is dict):
            seen.add(id(x))
            if len(seen) > _MOST:
                return wanted
            pending += _inside(x, kind)
    return found


def _inside(x: Any, kind: type) -> Iterable[Any]:
    """What an object holds."""
    if kind is FunctionType:
        return *(x.__closure__ or ()), *(x.__defaults__ or ()), x.__kwdefaults__
    if kind is CellType:
        return (content(x),)
    return () if issubclass(kind, _ENDS) else gc.get_referents(x)


def _variables() -> Iterator[Any]:
    """What the variables of the user's functions that run hold, and the globals they name."""
    outermost = current().outermost
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame is not outermost:
        code = frame.f_code
        if not is_pullbacks_file(code.co_filename):
            variables = frame.f_locals
            yield from list(variables.values())
            if type(variables) is dict and code.co_flags & inspect.CO_OPTIMIZED:
                variables.clear()  # a copy, which lives as long as the frame
            for name in code.co_names:
                yield frame.f_globals.get(name)
        frame = frame.f_back
