"""The order of evaluation in which updates find their array to themselves.

An update works in place if nobody reads the array afterwards, through a view neither. So it waits
for the readers that don't depend on it; and a view that is needed longer is copied, which costs
what the view has, rather than the array.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from pullback.graph.dependence import affected, read
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
            between = equations[place + 1 : later[-1]]
            dependent = affected(between, equations[place].outputs)
            others = [i for i in later if dependent.isdisjoint(read(equations[i]))]
            if others:
                after.setdefault(place, []).extend(others)
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


def _sorted(equations: Sequence[Equation], after: dict[int, list[int]]) -> list[Equation]:
    """The equations in topological order, `after` giving additional ones that each waits for."""
    producer = {x: place for place, equation in enumerate(equations) for x in equation.outputs}
    sorter: TopologicalSorter[int] = TopologicalSorter()
    for place, equation in enumerate(equations):
        sources = [producer[x] for x in read(equation) if x in producer]
        sorter.add(place, *sources, *after.get(place, ()))
    try:
        sorter.prepare()
    except CycleError:
        # Updates of two arrays that each wait for a reader behind the other one wait forever.
        return list(equations)
    ready: list[int] = []
    order = []
    while sorter.is_active():
        for place in sorter.get_ready():
            heapq.heappush(ready, place)
        place = heapq.heappop(ready)
        order.append(equations[place])
        sorter.done(place)
    return order
