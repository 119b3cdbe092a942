"""The primitive of loops whose number of iterations is known: `scan`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pullback.core.interpreter import with_snapshots
from pullback.core.linear import Joint
from pullback.core.primitive import Primitive, registry
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.rules.control_flow.derived import groups
from pullback.rules.control_flow.loop import Loop
from pullback.rules.control_flow.recomputation import linearize_by_recomputation
from pullback.rules.control_flow.reverse_body import reverse_body
from pullback.transforms.batch import Unmapped

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
    consts, carry, xs = groups(args, loop.in_sizes[1:])
    args.clear()  # what only the carry refers to is updated in place
    body, count = loop.body, loop.carry
    stacks = [
        np.empty((loop.length, *shape_of(y)), dtype_of(y)) for y in body.outputs[loop.carry :]
    ]
    for index in loop.indices:
        place = index - loop.start
        values = [index, *consts, *carry, *(x[place] for x in xs)]
        del carry
        carry = body.evaluate(values)
        for stack, y in zip(stacks, carry[count:], strict=True):
            stack[place] = y
        del carry[count:]
    return (*carry, *stacks)


def _shape(*_args: Any, **params: Any) -> tuple[Abstract, ...]:
    loop = Loop(**params)
    carry, ys = groups([Abstract.of(x) for x in loop.body.outputs], (loop.carry,))
    return (*carry, *(Abstract((loop.length, *y.shape), y.dtype) for y in ys))


def _batch(
    _primitive: Primitive,
    size: int,
    mapped: Sequence[bool],
    values: Sequence[Any],
    params: dict[str, Any],
) -> tuple[Any, ...]:
    loop = Loop(**params)
    many, inputs, outputs = loop.batched(size, mapped)
    outs = many(loop.to_batch(size, mapped, inputs, values))
    carry, ys = groups(list(zip(outs, outputs, strict=True)), (loop.carry,))
    return (
        *(x if marked else Unmapped(x) for x, marked in carry),
        *(np.swapaxes(y, 0, 1) if marked else Unmapped(y) for y, marked in ys),
    )


def _pushforward(
    values: Sequence[Any], dots: Sequence[Any], params: dict[str, Any]
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    return Loop(**params).push(values, dots)


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


scan = Primitive(
    "scan",
    _value,
    multiple=True,
    batch=_batch,
    shape=_shape,
    cost=lambda costs, **params: costs["body"] * params["length"],
    pushforward=_pushforward,
    linearize=_linearize,
    take_over=_take_over,
)
registry[scan.name] = scan
