"""The cut of a graph into a part that is evaluated early and a part that is evaluated late.

A reverse sweep needs some of the values of the forward sweep. What it needs is either kept, or
computed again from what is kept, where that is cheaper.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from pullback.graph.dependence import read
from pullback.graph.flow import Network
from pullback.graph.program import Equation
from pullback.graph.variable import Variable

__all__ = ["KEEPING", "kept_values", "recomputation"]

KEEPING = 10
"""What it costs to keep a byte: to write it, and to read it again."""

_NEVER = 1 << 62
"""The capacity of what is never cut."""


def kept_values(
    equations: Sequence[Equation],
    needed: Iterable[Variable],
    free: Iterable[Variable],
    price: Callable[[Equation], int | None],
) -> list[Variable]:
    """Which values of the early part to keep for the late part, which has the free ones anyway.

    From these and the free values `recomputation` gives all that is needed by equations that may be
    evaluated again. ``price(equation)`` is what that costs, to be compared with `KEEPING` for each
    byte that is kept; None if it may not be. The sum of both is as small as it can be.

    That is a cheapest cut: what is kept, or evaluated again, cuts all ways from what only the early
    part has to what the late part needs. What needs no other value than those at hand costs nothing
    but its evaluation.
    """
    producer = {out: equation for equation in equations for out in equation.outputs}
    available = set(free)
    network = Network()
    gates: dict[Variable, tuple[int, int]] = {}  # a value that is kept is cut between the two
    reached: dict[int, int] = {}
    pending: list[Variable] = []

    def gate(x: Variable) -> tuple[int, int]:
        if x not in gates:
            gates[x] = before, after = network.node(), network.node()
            network.connect(before, after, KEEPING * x.size * x.dtype.itemsize)
            pending.append(x)
        return gates[x]

    for x in dict.fromkeys(needed):
        if x not in available:
            network.connect(gate(x)[1], network.SINK, _NEVER)
    while pending:
        x = pending.pop()
        equation = producer.get(x)
        cost = None if equation is None else price(equation)
        if equation is None or cost is None:
            network.connect(network.SOURCE, gates[x][0], _NEVER)
            continue
        if id(equation) not in reached:
            reached[id(equation)] = node = network.node()
            network.connect(network.SOURCE, node, cost)
            for each in set(read(equation)) - available:
                network.connect(gate(each)[1], node, _NEVER)
        network.connect(reached[id(equation)], gates[x][0], _NEVER)
    late = network.sink_side()
    kept = {x for x, (before, after) in gates.items() if late[after] and not late[before]}
    return [x for x in _in_order(equations, gates) if x in kept]


def _in_order(equations: Sequence[Equation], values: Iterable[Variable]) -> list[Variable]:
    """Values that no equation makes, and then the others, as they are made."""
    made = [out for equation in equations for out in equation.outputs]
    known = set(made)
    return [*(x for x in values if x not in known), *made]


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
