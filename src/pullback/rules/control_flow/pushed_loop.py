"""Forward mode of loops: a loop that carries tangents along, and what tells their strong zeros."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pullback.core.structure.axes import Marks, Row
from pullback.core.zeros import Begun, Zeros, begun, ordinary, stronger
from pullback.rules.control_flow.conditions import ignoring
from pullback.rules.control_flow.derived import derived, groups, zeros_like
from pullback.rules.control_flow.loop import Loop
from pullback.rules.control_flow.pushing import Pushed, following, given, pushed, with_masks
from pullback.transforms.masks import zeros_of
from pullback.transforms.support import NOWHERE, may_be_nan, only_mapped

__all__ = ["PushedLoop", "push_loop", "pushed_loop", "started"]


@dataclass(frozen=True)
class PushedLoop:
    """A loop that carries tangents and masks along: those of each group come after it.

    Attributes
    ----------
    loop : Loop
    body : Pushed
    sizes : tuple of int
        The groups of the arguments of the loop that is pushed, but the scanned ones.
    """

    loop: Loop
    body: Pushed
    sizes: tuple[int, int]

    @property
    def inputs(self) -> list[Marks]:
        """Which arguments have tangents and masks; the index is none of them."""
        return [marks[1:] for marks in self.body.inputs]

    def part(
        self, args: tuple[Row, Row, Row], *, masks: bool
    ) -> tuple[Loop, list[int], list[Any], list[int]]:
        """The loop for all but the masks, or for these alone.

        With it come the places of its arguments, the arguments themselves, from values, tangents
        and supports, and the places of the results. What is given is to be found by `given`.
        """
        row = with_masks(*args, self.inputs, self.sizes)
        loop, inputs, outputs = self.loop.asked(self.body.asks((self.sizes[1],), masks=masks))
        return loop, inputs, [row[i] for i in inputs], outputs

    def rows(self, outs: Row, outputs: Sequence[int]) -> list[list[Any]]:
        """The results, their tangents, and their masks, as far as there are any."""
        return self.body.rows(outs, outputs, (self.sizes[1],))


def pushed_loop(
    loop: Loop, dotted: Marks, wanted: Marks, supports: Row, *, runs: bool
) -> PushedLoop:
    """The pushforward of a loop whose arguments' tangents have such supports.

    The zeros of the results' tangents are those after an iteration.
    """
    zeros, fresh = tuple(map(zeros_of, supports)), tuple(x is NOWHERE for x in supports)
    start = loop.first_index if runs else None
    pattern = dotted, wanted, zeros, fresh, start
    found: PushedLoop = derived(
        loop.body,
        ("pushed loop", loop.condition, loop.sizes, loop.length == 1, pattern),
        lambda: _pushed(loop, pattern),
    )
    pushing = replace(
        loop,
        body=found.loop.body,
        condition=found.loop.condition,
        consts=found.loop.consts,
        carry=found.loop.carry,
    )
    return PushedLoop(pushing, found.body, found.sizes)


Pattern = tuple[Marks, Marks, tuple[Zeros, ...], Marks, int | None]


def _pushed(loop: Loop, pattern: Pattern) -> PushedLoop:
    dotted, wanted, zeros, fresh, start = pattern
    before, first, after = groups(zeros, loop.sizes)
    new = [*groups(fresh, loop.sizes)][1]
    later: tuple[Zeros, ...] = ordinary(loop.carry)
    while True:
        carried = begun(first, later, new, start)
        masked = [not isinstance(kind, Begun) and bool(kind) for kind in carried]
        if loop.length == 1:
            pairs = zip(carried, first, strict=True)
            carried = tuple(x if isinstance(x, Begun) else kind for x, kind in pairs)
        body = pushed(
            loop.body,
            (False, *dotted),
            (Zeros.ORDINARY, *before, *carried, *after),
            wanted,
            ((1, *loop.sizes), (loop.carry,)),
            (
                (False, *map(bool, before), *masked, *map(bool, after)),
                (*masked, *[False] * (len(wanted) - loop.carry)),
            ),
        )
        grown = stronger((later, body.zeros[: loop.carry]))
        if grown == later:
            break
        later = grown
    marks = [row[1:] for row in body.inputs]
    split = [[*groups(row, loop.sizes)] for row in marks]
    consts, carry = (sum(sum(row[i]) for row in split) for i in (0, 1))
    condition = loop.condition and ignoring(loop.condition, marks, loop.consts)
    many = replace(loop, body=body.graph, consts=consts, carry=carry, condition=condition)
    return PushedLoop(many, body, loop.sizes)


def push_loop(
    loop: Loop, values: Row, dots: Row, supports: Row
) -> tuple[Row, Row, Callable[[Row], Row]]:
    """The results, their tangents, and what gives the supports of these; `None` is zero."""
    dotted, wanted = map(tuple, loop.varying([dot is not None for dot in dots]))
    full = [
        zeros_like(x) if mark and dot is None else dot
        for x, dot, mark in zip(values, dots, dotted, strict=True)
    ]

    runs = loop.runs(values)

    def pushes(supports: Row) -> PushedLoop:
        return pushed_loop(loop, dotted, wanted, supports, runs=runs)

    def told(supports: Row) -> Pushed:
        """What the zeros are in the end; if there is no iteration, what they were."""
        body = pushes(supports).body
        if runs:
            return body
        first = tuple(map(zeros_of, supports[loop.consts : loop.first_x]))
        carried = stronger((first, body.zeros[: loop.carry]))
        return body._replace(zeros=(*carried, *body.zeros[loop.carry :]))

    def prepare(_body: Pushed, supports: Row) -> tuple[Row, Callable[[Row], Row]]:
        ours = pushes(supports)
        part, _, row, outputs = ours.part((values, full, supports), masks=True)
        return row, lambda row: ours.rows(part(given(row, alone=True)), outputs)[2]

    def run(supports: Row) -> list[list[Any]]:
        ours = pushes(supports)
        part, _, row, outputs = ours.part((values, full, supports), masks=False)
        return ours.rows(part(given(row)), outputs)

    first = started(dots, dotted, supports)
    trusted = [None if support is NOWHERE else support for support in first]
    trusts = trusted != first and all(map(only_mapped, (*values, *full)))
    outs, out_dots, there = run(trusted if trusts else first)
    if trusts and any(map(may_be_nan, out_dots)):
        # What it starts with is nothing that others depend on.
        trusts, (outs, out_dots, there) = False, run(first)
    follow = following(told, prepare, (values, full), ([] if trusts else first, there))
    return tuple(outs), tuple(out_dots), lambda row: follow(started(dots, dotted, row))


def started(dots: Row, dotted: Marks, supports: Row) -> list[Any]:
    """The supports of what a loop starts from; a carry that gets a tangent later has zeros."""
    return [
        NOWHERE if mark and dot is None else support
        for dot, mark, support in zip(dots, dotted, supports, strict=True)
    ]
