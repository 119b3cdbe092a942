"""Whether a statement gives every element of a buffer a new value."""

from __future__ import annotations

import math

from pullback.compiler.fusion.degenerate import apart
from pullback.compiler.fusion.effects import effects
from pullback.compiler.loops import Copy, Kernel, Place, Statement

__all__ = ["covers"]


def covers(statement: Statement, buffer: str, size: int) -> bool:
    """Whether it writes to all elements, and reads none of them."""
    if buffer in effects(statement).reads:
        return False
    if isinstance(statement, Copy):
        return statement.target == Place(buffer) and statement.size == size
    if not isinstance(statement, Kernel) or not all(axis.extent for axis in statement.axes):
        return False
    for write in statement.writes:
        target = write.target
        if isinstance(target, Place) and target.buffer == buffer:
            extents = dict(statement.axes)
            walked = {name: extents[name] for name, _ in target.terms if name in extents}
            inside = len(walked) == len(target.terms)
            if inside and apart(target, walked) and math.prod(walked.values()) == size:
                return True
    return False
