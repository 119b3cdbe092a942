"""The primitive of loops that end when a condition says so: `while_loop`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.core.linear import Joint
from pullback.core.primitive import Primitive, registry
from pullback.core.shapes import Abstract
from pullback.rules.control_flow.derived import groups
from pullback.rules.control_flow.loop import Loop
from pullback.rules.control_flow.recomputation import linearize_by_recomputation
from pullback.transforms.batch import Unmapped

__all__ = ["while_loop"]


def _value(*args: Any, **params: Any) -> tuple[Any, ...]:
    """The last carry of a loop that goes on as long as a condition holds.

    Its pushforward is the loop that carries tangents along, its pullback `loop_pullback`. The
    number of iterations is locally constant.
    """
    return _take_over([*args], **params)


def _take_over(args: list[Any], **params: Any) -> tuple[Any, ...]:
    loop = Loop(**params)
    assert loop.condition is not None
    consts, carry, _ = groups(args, loop.in_sizes[1:])
    args.clear()  # what only the carry refers to is updated in place
    index = 0
    while loop.condition.evaluate([*consts, *carry])[0]:
        values = [index, *consts, *carry]
        del carry
        carry = loop.body.evaluate(values)
        index += 1
    return tuple(carry)


def _shape(*_args: Any, **params: Any) -> tuple[Abstract, ...]:
    return tuple(Abstract.of(x) for x in params["body"].outputs)


def _batch(
    _primitive: Primitive,
    size: int,
    mapped: Sequence[bool],
    values: Sequence[Any],
    params: dict[str, Any],
) -> tuple[Any, ...]:
    loop = Loop(**params)
    many, inputs, outputs = loop.batched(size, mapped)
    with np.errstate(all="ignore"):  # examples that have come to their end are run on
        outs = many(loop.to_batch(size, mapped, inputs, values))
    return tuple(x if marked else Unmapped(x) for x, marked in zip(outs, outputs, strict=True))


def _pushforward(
    values: Sequence[Any], dots: Sequence[Any], params: dict[str, Any]
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    return Loop(**params).push(values, dots)


def _linearize(
    values: Sequence[Any], wanted: Sequence[bool], params: dict[str, Any]
) -> tuple[tuple[Any, ...], Joint]:
    return linearize_by_recomputation(Loop(**params), values, wanted)


while_loop = Primitive(
    "while_loop",
    _value,
    multiple=True,
    batch=_batch,
    shape=_shape,
    cost=lambda costs, **_: (costs["condition"] + costs["body"]).once(),
    pushforward=_pushforward,
    linearize=_linearize,
    take_over=_take_over,
)
registry[while_loop.name] = while_loop
