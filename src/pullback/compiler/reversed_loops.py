"""`loop_pullback` as loops: forth, and back from few states that are kept.

Python keeps a list that grows, or walks through a schedule of recursion. Native code has memory of
a size that is known before, and counters: a stack of states, each with the number of the step that
it comes before, and for each step back the state before it, evaluated again from the top of the
stack. What is pushed on the way is what the binomial schedule says, whose numbers are computed
where they are needed; see `pullback.rules.control_flow.recomputation`.

Cotangents, and the masks that tell their strong zeros, are found by sweeps of their own, as in
Python: each has the part of the reverse loop's body that it needs.

A loop that ends when a condition says so is run once to count its steps. Its stack has room for
`_room` states, s, and that run keeps the states of up to s steps. Of more, no step is evaluated
more than r times again where there are at most C(s + r, r).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.structure.axes import Row
from pullback.core.tracing import Tracer
from pullback.rules.control_flow.choices import cond
from pullback.rules.control_flow.derived import groups, zeros_like
from pullback.rules.control_flow.loop import Loop
from pullback.rules.control_flow.loop_pullback import pulled_by
from pullback.rules.control_flow.loops import scan, while_loop
from pullback.rules.control_flow.pushing import given
from pullback.rules.control_flow.recomputation import advanced, snapshots
from pullback.rules.control_flow.reverse_body import Arguments, ReverseBody
from pullback.rules.control_flow.splitting import Split

__all__ = ["loop_pullback"]

_BYTES, _FEWEST, _MOST = 1 << 22, 16, 1024
"""What the states of a loop without a known end may take, and how many they are in any case."""

Values = list[Any]


def loop_pullback(*args: Any, **params: Any) -> tuple[Any, ...]:
    """Cotangents of a loop's arguments from those of its results, or what tells their zeros."""
    return pulled_by(_forth_and_back, args, params)


def _forth_and_back(
    loop: Loop, parts: Split, body: ReverseBody, row: Arguments, *, masks: bool
) -> tuple[Row, Sequence[int]]:
    if loop.length != 0:
        return _back(_Chain(loop, parts, [*row[0]]), body, row, masks=masks)
    backwards, inputs, outputs = loop.backwards(body, 0, masks=masks)
    values, _, bars, totals, supports = row
    kept = [np.zeros((0, *shape_of(x)), dtype_of(x)) for x in parts.keeping.outputs]
    row = values, kept, bars, totals, supports
    return backwards(given(body.arguments(row, inputs, runs=False))), outputs


@dataclass(frozen=True)
class _Kept:
    """Stands for a value of each iteration that the forward part finds."""

    number: int


class _Chain:
    """The steps of a loop, numbered in the order in which they come."""

    def __init__(self, loop: Loop, parts: Split, values: Values) -> None:
        self.loop, self.parts, self.values = loop, parts, values
        self.consts, self.first, self.xs = groups(values, loop.sizes)
        self.room = (
            _room(self.first) if loop.condition else max(min(snapshots(loop), loop.length), 1)
        )

    def inputs(self, step: Any, state: Values) -> Values:
        """What a body gets in a step."""
        place = step
        if self.loop.reverse:
            place = self.loop.length - 1 - step
        index = (place + (self.loop.start or 0)).item()
        return [index, *self.consts, *state, *(_at(x, place) for x in self.xs)]

    def advance(self, state: Values, start: Any, stop: Any) -> Values:
        """The state before the step `stop`, from that before the step `start`."""

        def following(carry: tuple[Any, Values]) -> tuple[Any, Values]:
            step, state = carry
            return step + 1, advanced(self.loop).run(self.inputs(step, state))

        last: Values = while_loop(lambda carry: carry[0] < stop, following, (start, state))[1]
        return last

    def begun(self) -> tuple[Any, dict[str, Any]]:
        """How many steps there are, and the stack with which the way back begins."""
        loop, room = self.loop, self.room
        slots = [np.broadcast_to(x, (room, *shape_of(x))) for x in self.first]
        top: Any = np.int64(0)
        count: Any = np.int64(loop.length or 0)
        if loop.condition is not None:
            count, slots = self._counted(slots)
            top = np.where(count > room, 0, count - 1)
        return count, {"top": top, "steps": np.arange(room), "slots": slots}

    def _counted(self, slots: Values) -> tuple[Any, Values]:
        """The number of steps, and the states before the first ones."""
        condition = self.loop.condition
        assert condition is not None

        def goes_on(carry: tuple[Any, Values, Values]) -> Any:
            return condition.run([*self.consts, *carry[1]])[0]

        def following(carry: tuple[Any, Values, Values]) -> tuple[Any, Values, Values]:
            step, state, slots = carry
            _put(slots, np.minimum(step, self.room - 1), state)
            return step + 1, self.loop.body.run(self.inputs(step, state)), slots

        count, _, slots = while_loop(goes_on, following, (np.int64(0), self.first, slots))
        return count, slots


def _room(state: Row) -> int:
    """How many states of a loop without a known end are kept."""
    size = sum(math.prod(shape_of(x)) * dtype_of(x).itemsize for x in state)
    return min(max(_BYTES // max(size, 1), _FEWEST), _MOST)


def _at(x: Any, place: Any) -> Any:
    """``x[place]``, whichever of them is known."""
    return np.asarray(x, like=cast(Any, place))[place] if type(place) is Tracer else x[place]


def _put(slots: Values, place: Any, state: Values) -> None:
    for slot, x in zip(slots, state, strict=True):
        slot[place] = x


def _back(
    chain: _Chain, body: ReverseBody, row: Arguments, *, masks: bool
) -> tuple[Row, Sequence[int]]:
    """What the reverse loop returns, and at which of its places."""
    loop, keeping = chain.loop, chain.parts.keeping
    backwards, inputs, outputs = loop.backwards(body, loop.length or 0, masks=masks)
    count, stack = chain.begun()
    kept = [_Kept(number) for number in range(len(keeping.outputs))]
    values, _, bars, totals, supports = row
    row = values, kept, bars, totals, supports
    args = given(body.arguments(row, inputs, runs=False))
    fixed = _fixed(body, chain.consts, count) if any(i in body.fixed for i in inputs) else {}
    args = [fixed.get(i, x) for i, x in zip(inputs, args, strict=True)]
    consts, first, reads = groups(args, backwards.sizes)
    scanned = [x for x in reads if not isinstance(x, _Kept)]

    def step_back(carry: tuple[Any, Values, dict[str, Any]], slices: Values) -> Any:
        step, bars, stack = carry
        step = step - 1
        state, stack = _before(chain, step, stack)
        inputs = chain.inputs(step, state)
        kept, rest = keeping.run(inputs), iter(slices)
        read = [kept[x.number] if isinstance(x, _Kept) else next(rest) for x in reads]
        results = backwards.body.run([inputs[0], *consts, *bars, *read])
        return (step, results[: len(bars)], stack), results[len(bars) :]

    start = count, [*first], stack
    if loop.condition is not None:
        _, last, _ = while_loop(
            lambda carry: carry[0] > 0, lambda carry: step_back(carry, [])[0], start
        )
        return last, outputs
    (_, last, _), ys = scan(
        step_back, start, scanned, loop.length, not loop.reverse, loop.checkpoint
    )
    return [*last, *ys], outputs


def _fixed(body: ReverseBody, consts: Sequence[Any], count: Any) -> dict[int, Any]:
    """What is the same in each step, if there is one, by its place; otherwise it may not exist."""
    graph = body.preamble
    found = cond(
        count > 0,
        lambda consts: list(graph.run(consts)),
        lambda _: list(map(zeros_like, graph.outputs)),
        [*consts],
    )
    return dict(zip(body.fixed, found, strict=True))


# -- the schedule ---------------------------------------------------------------------------------


def _before(chain: _Chain, step: Any, stack: dict[str, Any]) -> tuple[Values, dict[str, Any]]:
    """The state before a step, and the stack for the steps before it."""
    steps, slots = stack["steps"], stack["slots"]
    top = np.where(steps[stack["top"]] > step, stack["top"] - 1, stack["top"])
    if chain.room > 1:

        def rises(carry: tuple[Any, Any, Values]) -> Any:
            top, steps, _ = carry
            return np.logical_and(top < chain.room - 1, step > steps[top])

        def higher(carry: tuple[Any, Any, Values]) -> tuple[Any, Any, Values]:
            top, steps, slots = carry
            start = steps[top]
            stop = start + _distance(step + 1 - start, chain.room - top)
            state = chain.advance([_at(x, top) for x in slots], start, stop)
            top = top + 1
            steps[top] = stop
            _put(slots, top, state)
            return top, steps, slots

        top, steps, slots = while_loop(rises, higher, (top, steps, slots))
    state = chain.advance([_at(x, top) for x in slots], steps[top], step)
    return state, {"top": top, "steps": steps, "slots": slots}


def _distance(length: Any, room: Any) -> Any:
    """How far behind the start of a chain the next of at least two states is best kept.

    The least r with length ≤ β(s, r) is looked for; then it is β(s, r − 1), or less, if what comes
    behind is worth r repetitions.
    """
    one = np.int64(1)

    def following(carry: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
        r, _, reach = carry
        return r + 1, reach, reach * (room + r + 1) // (r + 1)

    r, before, _ = while_loop(lambda carry: carry[2] < length, following, (one - 1, one, one))
    behind = before * room // (room + r - 1)
    return np.minimum(before, length - behind)
