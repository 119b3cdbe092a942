"""The order of evaluation in which updates find their array to themselves.

An update works in place if nobody reads the array afterwards, through a view neither. So it waits
for the readers that don't depend on it; and a view that is needed longer is copied, which costs
what the view has, rather than the array.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from typing import Any

from pullback.graph.dependence import read
from pullback.graph.program import Equation
from pullback.graph.variable import Variable

__all__ = ["outliving_views", "updates_last"]


def updates_last(equations: Sequence[Equation]) -> list[Equation]:
    """The equations in an order in which updates come after other readers of their array.

    Otherwise the order stays as it is.
    """
    readers: dict[Variable, list[int]] = {}
    targets: list[tuple[int, Variable]] = []
    bases = _bases(equations)
    for place, equation in enumerate(equations):
        for x in read(equation):
            for each in (x, *bases.get(x, ())):
                readers.setdefault(each, []).append(place)
        targets += [(place, target) for target in _updated(equation)]
    after: dict[int, list[int]] = {}
    for place, target in targets:
        later = [other for other in readers[target] if other > place]
        if later:
            dependent = _dependent(equations, place, later[-1])
            for other in later:
                if other not in dependent:
                    after.setdefault(other, []).append(place)
    return _sorted(equations, after) if after else list(equations)


def outliving_views(equations: Sequence[Equation], outputs: Iterable[Any]) -> set[Variable]:
    """What may be a view of an array that is updated while the view is still needed."""
    last: dict[Variable, int] = {}
    made: dict[Variable, int] = {}
    for place, equation in enumerate(equations):
        last.update((x, place) for x in read(equation))
        made.update((x, place) for x in equation.outputs)
    last.update((x, len(equations)) for x in outputs if type(x) is Variable)
    updated = {
        target: place
        for place, equation in enumerate(equations)
        for target in _updated(equation)
        if last[target] == place
    }
    return {
        view
        for view, bases in _bases(equations).items()
        if view in last and any(made[view] < updated.get(base, -1) < last[view] for base in bases)
    }


def _updated(equation: Equation) -> list[Variable]:
    """The arrays that an equation could update in place."""
    if equation.primitive.structure.take_over is not None:
        return [x for x in read(equation) if x.shape]
    target = equation.inputs[0] if equation.primitive.structure.in_place is not None else None
    return [target] if type(target) is Variable else []


def _bases(equations: Sequence[Equation]) -> dict[Variable, tuple[Variable, ...]]:
    """For each value that may be a view: of what, and of what that one may be."""
    bases: dict[Variable, tuple[Variable, ...]] = {}
    for equation in equations:
        if equation.primitive.structure.shares and type(equation.inputs[0]) is Variable:
            base = equation.inputs[0]
            for out in equation.outputs:
                if out.shape:
                    bases[out] = (base, *bases.get(base, ()))
    return bases


def _dependent(equations: Sequence[Equation], place: int, last: int) -> set[int]:
    """Which equations up to `last` depend on the one at `place`."""
    found, values = set(), set(equations[place].outputs)
    for other in range(place + 1, last + 1):
        if not values.isdisjoint(read(equations[other])):
            found.add(other)
            values.update(equations[other].outputs)
    return found


def _sorted(equations: Sequence[Equation], after: dict[int, list[int]]) -> list[Equation]:
    """The equations in topological order, `after` giving additional ones to wait for each."""
    producer = {x: place for place, equation in enumerate(equations) for x in equation.outputs}
    followers: list[list[int]] = [list(after.get(place, ())) for place in range(len(equations))]
    for place, equation in enumerate(equations):
        for x in set(read(equation)):
            if x in producer:
                followers[producer[x]].append(place)
    waiting = [0] * len(equations)
    for places in followers:
        for place in places:
            waiting[place] += 1
    ready = [place for place, count in enumerate(waiting) if not count]
    order = []
    while ready:
        place = heapq.heappop(ready)
        order.append(equations[place])
        for other in followers[place]:
            waiting[other] -= 1
            if not waiting[other]:
                heapq.heappush(ready, other)
    # Updates of two arrays that each wait for a reader behind the other one wait forever.
    return order if len(order) == len(equations) else list(equations)
