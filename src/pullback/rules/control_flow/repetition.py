"""The primitive of loops that end when a condition says so: `while_loop`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pullback.core.linear import Joint
from pullback.core.primitive import FullRule
from pullback.core.structure import Nested
from pullback.rules.control_flow.derived import groups
from pullback.rules.control_flow.loop import Loop, batch, iterations, layouts, pushforward, shape
from pullback.rules.control_flow.recomputation import linearize_by_recomputation
from pullback.rules.registration import rule

__all__ = ["while_loop"]


def _value(*args: Any, **params: Any) -> tuple[Any, ...]:
    """The last carry of a loop that goes on as long as a condition holds.

    Its pushforward is the loop that carries tangents along, its pullback `loop_pullback`. The
    number of iterations is locally constant.
    """
    return _take_over([*args], **params)


def _take_over(args: list[Any], **params: Any) -> tuple[Any, ...]:
    loop = Loop(**params)
    consts, first, _ = groups(args, loop.in_sizes[1:])
    args.clear()  # what only the carry refers to is updated in place
    carry = [*first]
    del first
    for _ in iterations(loop, consts, carry, (), loop.body):
        pass
    return tuple(carry)


def _linearize(
    values: Sequence[Any], wanted: Sequence[bool], params: dict[str, Any]
) -> tuple[tuple[Any, ...], Joint]:
    return linearize_by_recomputation(Loop(**params), values, wanted)


while_loop = rule(
    _value,
    Nested(
        shape,
        batch,
        cost=lambda costs, **_: (costs["condition"] + costs["body"]).once(),
        layouts=layouts,
        take_over=_take_over,
    ),
    name="while_loop",
)(FullRule(pushforward, _linearize))
