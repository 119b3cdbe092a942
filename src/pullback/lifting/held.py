"""Who holds an array: whether anything that the user's running functions can reach does.

It is searched from the variables of these functions, through containers, objects and the variables
of functions, as far as the function that is recorded. Views hold what they look into.
"""

from __future__ import annotations

import gc
import inspect
import sys
from collections.abc import Iterator
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    FrameType,
    FunctionType,
    MappingProxyType,
    ModuleType,
)
from typing import Any

import numpy as np

from pullback.core.tracing import Interpreter, Tracer
from pullback.lifting.cells import UNSET, content
from pullback.lifting.owners import owners_of
from pullback.lifting.recording import current
from pullback.lifting.slices.varying import Varying
from pullback.numpy.callers import is_pullbacks_file

__all__ = ["is_held"]

_MOST = 100_000
"""How many objects are looked at before an array counts as held."""

_ENDS = (type, ModuleType, CodeType, FrameType, BuiltinFunctionType, Interpreter, np.dtype)
"""Through what no array is reached that the program made."""


def is_held(root: Tracer) -> bool:
    """Whether the user's functions that run can reach an array, or a view of it."""
    seen: set[int] = set()
    return any(_reaches(start, root, seen) for start in _variables())


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


def _reaches(start: Any, root: Tracer, seen: set[int]) -> bool:
    pending = [start]
    while pending:
        x = pending.pop()
        kind = type(x)
        if kind is Tracer or kind is Varying:
            if any(owner is root for owner in owners_of(x)):
                return True
            continue
        if (not gc.is_tracked(x) and kind not in (tuple, dict)) or id(x) in seen:
            continue
        seen.add(id(x))
        if len(seen) > _MOST:
            return True
        if kind is FunctionType:
            inside = (*(x.__closure__ or ()), x.__defaults__, x.__kwdefaults__)
            pending += [each for each in inside if each is not None]
        elif kind is CellType:
            if content(x) is not UNSET:
                pending.append(content(x))
        elif not issubclass(kind, _ENDS) and kind is not MappingProxyType:
            pending += gc.get_referents(x)
    return False
