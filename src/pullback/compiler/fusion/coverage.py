"""Whether a statement gives every element of a buffer a new value."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pullback.compiler.fusion.effects import effects
from pullback.compiler.fusion.regions import apart, disjoint
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
    extents = dict(statement.axes)
    found: list[Place] = []
    for write in statement.writes:
        target = write.target
        if not isinstance(target, Place) or target.buffer != buffer:
            continue
        if all(disjoint(target, other, extents) for other in found):
            found.append(target)
    return sum(_elements(place, extents) for place in found) == size


def _elements(place: Place, extents: Mapping[str, int]) -> int:
    """How many elements a place is at all points; 0 if that is not known."""
    walked = {name: extents[name] for name, _ in place.terms if name in extents}
    known = len(walked) == len(place.terms) and apart(place, walked)
    return math.prod(walked.values()) if known else 0
