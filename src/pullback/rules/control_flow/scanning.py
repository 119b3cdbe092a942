"""The primitive of loops whose number of iterations is known: `scan`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pullback.core.linear import Joint
from pullback.core.memory import with_snapshots
from pullback.core.primitive import FullRule
from pullback.core.structure import Nested
from pullback.rules.control_flow.derived import groups
from pullback.rules.control_flow.loop import (
    Loop,
    batch,
    iterations,
    layouts,
    pushforward,
    shape,
    stack,
    stacks,
)
from pullback.rules.control_flow.recomputation import linearize_by_recomputation
from pullback.rules.control_flow.reverse_body import reverse_body
from pullback.rules.registration import rule

__all__ = ["scan"]


def _value(*args: Any, **params: Any) -> tuple[Any, ...]:
    """The last carry and the stacked results of a loop over the slices of arrays.

    Its pushforward is the loop that carries tangents along. Its pullback is a loop in the other
    direction, from the values that a forward loop keeps for it; with `checkpoint` see
    `loop_pullback`.
    """
    return _take_over([*args], **params)


def _take_over(args: list[Any], **params: Any) -> tuple[Any, ...]:
    loop = Loop(**params)
    consts, first, xs = groups(args, loop.in_sizes[1:])
    args.clear()  # what only the carry refers to is updated in place
    carry, room = [*first], stacks(loop)
    del first
    for index, ys in iterations(loop, consts, carry, xs, loop.body):
        stack(loop, room, index, ys)
    return (*carry, *room)


def _linearize(
    values: Sequence[Any], wanted: Sequence[bool], params: dict[str, Any]
) -> tuple[tuple[Any, ...], Joint]:
    loop = Loop(**params)
    if loop.checkpoint is not None:
        return linearize_by_recomputation(loop, values, wanted)
    parts = loop.split(wanted)
    count = len(loop.body.outputs)
    results = replace(loop, body=parts.forward)(values)
    outs, kept = results[:count], results[count:]
    values = with_snapshots(values, wanted)

    def pull_onto(bars: Sequence[Any], totals: Sequence[Any]) -> list[Any]:
        back = reverse_body(loop, parts, [bar is not None for bar in bars])
        found = back.loop(loop)(back.arguments(loop, values, kept, bars, totals))
        return back.placed(loop, found, totals)

    return outs, Joint.accumulating(
        lambda *dots: loop.push(values, dots)[1], pull_onto, len(values)
    )


scan = rule(
    _value,
    Nested(
        shape,
        batch,
        cost=lambda costs, **params: costs["body"] * params["length"],
        layouts=layouts,
        take_over=_take_over,
    ),
    name="scan",
)(FullRule(pushforward, _linearize))
