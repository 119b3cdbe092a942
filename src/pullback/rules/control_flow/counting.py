"""Loops with a condition that count: whose number of iterations is known before they run.

Such a loop carries a number that each iteration makes greater by one, and goes on as long as that
is less than another one, which stays the same. So it is what a `scan` is but for its length: a loop
over the number of the iteration, which need not be carried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pullback.core.primitive import registry
from pullback.core.shapes import dtype_of
from pullback.core.tracing import Tracer
from pullback.graph.building import flat_graph, like
from pullback.graph.graph import Graph
from pullback.graph.program import Equation
from pullback.graph.variable import Variable
from pullback.rules import arithmetic
from pullback.rules.control_flow.derived import derived
from pullback.rules.control_flow.loop import Loop

__all__ = ["Counted", "counted"]


@dataclass(frozen=True)
class Counted:
    """A loop that counts.

    Attributes
    ----------
    place : int
        That of the number that counts, in the carry.
    limit : int
        The place of the const that it stays below, or a number, which `limit_is_number` says.
    limit_is_number : bool
    plain : Loop
        The loop without that number; what that is at first is the first of its consts. Its length
        is not known.
    """

    place: int
    limit: int
    limit_is_number: bool
    plain: Loop

    def arguments(self, values: Sequence[Any]) -> list[Any]:
        """Those of the plain loop, from those of the loop."""
        consts = self.plain.consts - 1
        carry = [*values[consts:]]
        first = carry.pop(self.place)
        return [first, *values[:consts], *carry]

    def restored(self, row: Sequence[Any], missing: Any) -> list[Any]:
        """A row for the arguments of the loop, from one for those of the plain loop."""
        consts = self.plain.consts
        carry = [*row[consts:]]
        carry.insert(self.place, missing)
        return [*row[1:consts], *carry]

    def count(self, args: Sequence[Any]) -> Any:
        """How many iterations there are, or a number below 0, from those arguments."""
        first = args[0]
        limit = self.limit if self.limit_is_number else args[1 + self.limit]
        return limit if type(first) is not Tracer and first == 0 else limit - first


def counted(loop: Loop) -> Counted | None:
    """What a loop with a condition counts, if it does."""
    if loop.condition is None:
        return None
    return derived(loop.body, ("counted", loop.condition, loop.sizes), lambda: _counted(loop))


def _counted(loop: Loop) -> Counted | None:
    condition, body = loop.condition, loop.body
    assert condition is not None
    if len(condition.equations) != 1 or condition.equations[0].primitive is not registry["less"]:
        return None
    (test,) = condition.equations
    if condition.outputs[0] is not test.outputs[0]:
        return None
    places = {x: i for i, x in enumerate(condition.inputs)}
    low, high = test.inputs
    place = places.get(low, -1) - loop.consts if type(low) is Variable else -1
    if place < 0:
        return None
    if dtype_of(high) != np.int64:
        return None
    limit_is_number = type(high) is not Variable
    limit = int(high) if limit_is_number else places.get(high, loop.consts)
    if not limit_is_number and limit >= loop.consts:
        return None
    number = body.inputs[1 + loop.consts + place]
    if number.dtype != np.int64 or not _is_next(body, number, body.outputs[place]):
        return None
    return Counted(place, limit, limit_is_number, _plain(loop, place))


def _is_next(body: Graph, number: Variable, after: Any) -> bool:
    """Whether a carry is by one greater after an iteration."""
    for equation in body.equations:
        if any(x is after for x in equation.outputs):
            one = [x for x in equation.inputs if x is not number]
            return (
                equation.primitive is arithmetic.add
                and len(one) == 1
                and type(one[0]) is not Variable
                and bool(one[0] == 1)
            )
    return False


def _plain(loop: Loop, place: int) -> Loop:
    """The loop over the numbers of its iterations, which doesn't carry what counts."""
    body = loop.body
    carried = 1 + loop.consts + place
    number = body.inputs[carried]
    first = like(number)
    index, rest = body.inputs[0], [*body.inputs[1:]]
    rest.pop(carried - 1)
    names = [*body.signature.names]
    name = names.pop(carried)
    outputs = [*body.outputs]
    outputs.pop(place)
    begins = Equation(arithmetic.add, (first, index), {}, (number,))
    graph = flat_graph(
        body.name,
        [index, first, *rest],
        body.constants,
        [begins, *body.equations],
        outputs,
        [names[0], f"first_{name}", *names[1:]],
    )
    return Loop(None, graph, loop.consts + 1, loop.carry - 1, 0, None)
