"""Places that are never the same element, at whichever points of their kernels.

``x[p + Σ s·i]`` and ``x[q + Σ r·j]`` are apart if p - q + Σ s·i - Σ r·j is not 0 for any i and j:
for some g that divides all longer steps, the rest lies between two multiples of g.
"""

from __future__ import annotations

from collections.abc import Mapping

from pullback.compiler.loops import Place

__all__ = ["apart", "disjoint"]


def disjoint(one: Place, other: Place, extents: Mapping[str, int]) -> bool:
    """Whether two places in one buffer are apart, each at any point of axes with these extents."""
    around = [{term for term in x.terms if term[0] not in extents} for x in (one, other)]
    if around[0] != around[1]:
        return False
    steps = [(step, extents[name]) for name, step in one.terms if name in extents]
    steps += [(-step, extents[name]) for name, step in other.terms if name in extents]
    difference = one.offset - other.offset
    if not _reaches_zero(difference, steps, 0):
        return True
    return any(not _reaches_zero(difference, steps, g) for g in {abs(step) for step, _ in steps})


def _reaches_zero(difference: int, steps: list[tuple[int, int]], g: int) -> bool:
    """Whether a multiple of g, which for 0 is 0, is among the difference and the smaller steps."""
    low = high = difference
    for step, extent in steps:
        if not g or step % g:
            end = step * (extent - 1)
            low, high = low + min(end, 0), high + max(end, 0)
    return high // g * g >= low if g else low <= 0 <= high


def apart(place: Place, extents: Mapping[str, int]) -> bool:
    """Whether a place is another one at each point of the axes, each of which has many indices.

    It is if each step is longer than all that the smaller ones make together.
    """
    steps = sorted((abs(step), extents[name]) for name, step in place.terms if name in extents)
    if len(steps) != len(extents):
        return False
    reach = 0
    for step, extent in steps:
        if step <= reach:
            return False
        reach += step * (extent - 1)
    return True
