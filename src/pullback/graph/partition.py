"""The cut of a graph into a part that is evaluated early and a part that is evaluated late.

A reverse sweep needs some of the values of the forward sweep. What it needs is either kept, or
computed again from what is kept, where that is cheap and keeps less.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence

from pullback.graph.dependence import read
from pullback.graph.program import Equation
from pullback.graph.variable import Variable

__all__ = ["kept_values", "recomputation"]

_LONGEST = 64
"""How many equations are computed again at most to save keeping one value."""


def kept_values(
    inputs: Sequence[Variable],
    equations: Sequence[Equation],
    needed: Iterable[Variable],
    free: Iterable[Variable],
    cheap: Callable[[Equation], bool],
) -> list[Variable]:
    """Which values of the early part to keep for the late part, which has the free ones anyway.

    From these and the free values `recomputation` gives all that is needed, inputs included, by
    equations that are cheap enough to be evaluated again.

    Greedy, from the last value to the first: a value goes if what has to be kept in its place
    takes less memory. The best choice is a minimum cut; programs of loops are seldom so tangled
    that it differs.
    """
    producer = {out: equation for equation in equations for out in equation.outputs}
    values = [*inputs, *producer]
    position = {x: i for i, x in enumerate(values)}
    available = set(free)
    kept = {x for x in needed if x not in available}
    queue = [-position[x] for x in kept]
    heapq.heapify(queue)
    while queue:
        x = values[-heapq.heappop(queue)]
        instead = _instead(x, producer, available | (kept - {x}), cheap)
        if instead is not None and sum(map(_nbytes, instead)) < _nbytes(x):
            kept.remove(x)
            for each in instead - kept:
                heapq.heappush(queue, -position[each])
            kept |= instead
    return sorted(kept, key=position.__getitem__)


def _instead(
    x: Variable,
    producer: dict[Variable, Equation],
    available: set[Variable],
    cheap: Callable[[Equation], bool],
) -> set[Variable] | None:
    """What has to be kept in place of `x`, beside what is available; `None` for `x` itself."""
    if x not in producer or not cheap(producer[x]):
        return None
    leaves: set[Variable] = set()
    pending, seen = [producer[x]], {id(producer[x])}
    while pending:
        for each in read(pending.pop()):
            if each in available:
                continue
            equation = producer.get(each)
            if equation is None or not cheap(equation):
                leaves.add(each)
            elif id(equation) not in seen:
                if len(seen) == _LONGEST:
                    return None
                seen.add(id(equation))
                pending.append(equation)
    return leaves


def recomputation(
    equations: Sequence[Equation], needed: Iterable[Variable], available: Iterable[Variable]
) -> list[Equation]:
    """The equations that compute what is needed from what is available."""
    have = set(available)
    wanted = {x for x in needed if x not in have}
    again = []
    for equation in reversed(equations):
        if not wanted.isdisjoint(equation.outputs):
            again.append(equation)
            wanted.difference_update(equation.outputs)
            wanted.update(x for x in read(equation) if x not in have)
    if wanted:
        raise ValueError(f"{len(wanted)} values are not computable from what is available")
    return again[::-1]


def _nbytes(x: Variable) -> int:
    return x.size * x.dtype.itemsize
