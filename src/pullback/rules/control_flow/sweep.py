"""A loop run on plain arrays, forth and back, with as many of its states kept as is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pullback.graph.building import flat_graph
from pullback.graph.dependence import live
from pullback.graph.graph import Graph
from pullback.rules.control_flow.derived import derived, groups
from pullback.rules.control_flow.loop import Loop, iterations, stack, stacks
from pullback.rules.control_flow.reverse_body import ReverseBody
from pullback.rules.control_flow.schedule import (
    Advance,
    Restore,
    Reverse,
    Store,
    actions,
    first_sweep,
    square_root,
)
from pullback.rules.control_flow.splitting import Split

__all__ = ["Sweep", "snapshots"]


class Sweep:
    """The forward and the reverse sweep of a loop.

    With a condition, what the reverse sweep needs is kept for each iteration. Without one it is
    computed again from the states that the binomial schedule keeps.

    Parameters
    ----------
    loop : Loop
    parts : Split
        Of its body.
    values : sequence of array
        The loop's arguments.
    """

    def __init__(self, loop: Loop, parts: Split, values: Sequence[Any]) -> None:
        self.loop = loop
        self.parts = parts
        self.consts, self.first, self.xs = groups(values, loop.in_sizes[1:])

    def forth(self) -> tuple[tuple[Any, ...], list[Any]]:
        """The loop's results, and what is kept for the way back.

        That is a row of values for each iteration, or the states in the schedule's slots.
        """
        return self._rows() if self.loop.condition is not None else self._states()

    def _rows(self) -> tuple[tuple[Any, ...], list[Any]]:
        carry = [*self.first]
        run = iterations(self.loop, self.consts, carry, (), self.parts.forward)
        rows = [row for _, row in run]
        return tuple(carry), rows

    def _states(self) -> tuple[tuple[Any, ...], list[Any]]:
        loop, carry, slots = self.loop, [*self.first], []
        wanted, room = set(first_sweep(loop.length, snapshots(loop))), stacks(loop)
        run = iterations(loop, self.consts, carry, self.xs, loop.body)
        for step in range(loop.length):
            if step in wanted:
                slots.append([*carry])
            index, ys = next(run)
            stack(loop, room, index, ys)
        return (*carry, *room), slots

    def _inputs(self, index: int, carry: list[Any]) -> list[Any]:
        """What the body takes in an iteration."""
        place = index - self.loop.start
        return [index, *self.consts, *carry, *(x[place] for x in self.xs)]

    def back(
        self, back: ReverseBody, kept: list[Any], bars: Sequence[Any], totals: Sequence[Any]
    ) -> list[Any]:
        """A cotangent for each argument of the loop, `None` where it is zero.

        Parameters
        ----------
        back : ReverseBody
        kept : list
            What `forth` has kept. The states are used up.
        bars : sequence
            A cotangent, or `None`, for each of the loop's results.
        totals : sequence
            What the cotangents are added to, or `None`.
        """
        loop = self.loop
        with np.errstate(all="ignore"):
            start = back.start(loop, self.consts, bars, totals, runs=bool(kept))
            consts, carry = start[: back.consts], start[back.consts :]
            del start
            stacks = [np.empty(x.shape, x.dtype) for x in (self.xs[i] for i in back.xs_bars)]
            ys_bars = [bars[loop.carry + i] for i in back.out_bars]
            rows = (
                reversed(list(enumerate(kept)))
                if loop.condition is not None
                else self._recomputed(kept)
            )
            for index, row in rows:
                place = index - loop.start
                values = [
                    index,
                    *consts,
                    *carry,
                    *(self.xs[i][place] for i in back.read_xs),
                    *(row[i] for i in back.kept),
                    *(bar[place] for bar in ys_bars),
                ]
                del carry, row
                carry = back.graph.evaluate(values)
                for stack, bar in zip(stacks, carry[back.carry :], strict=True):
                    stack[place] = bar
                del carry[back.carry :]
        return back.placed(loop, [*carry, *stacks], totals)

    def _recomputed(self, slots: list[Any]) -> Iterator[tuple[int, list[Any]]]:
        """The index of each iteration, from the last to the first, and what it has to keep."""
        loop = self.loop
        indices, advance = loop.indices, _advance(loop)
        state: list[Any] = []
        for action in actions(loop.length, snapshots(self.loop)):
            match action:
                case Restore(slot, _):
                    state = [*slots[slot]]
                case Store(slot, _):
                    slots[slot:] = [[*state]]
                case Advance(begin, end):
                    for index in indices[begin:end]:
                        values = self._inputs(index, state)
                        del state
                        state = advance.evaluate(values)
                case Reverse(step):
                    index = indices[step]
                    values = self._inputs(index, state)
                    state = []
                    yield index, self.parts.keeping.evaluate(values)


def snapshots(loop: Loop) -> int:
    """How many states are kept, the first among them, which is there anyway."""
    return 1 + (square_root(loop.length) if loop.checkpoint == "sqrt" else loop.checkpoint)


def _advance(loop: Loop) -> Graph:
    """The body without what it stacks."""

    def make() -> Graph:
        body = loop.body
        outputs = body.outputs[: loop.carry]
        return flat_graph(
            body.name,
            body.inputs,
            body.constants,
            live(body.equations, outputs),
            outputs,
            body.signature.names,
        )

    return derived(loop.body, ("advance", loop.carry), make)
