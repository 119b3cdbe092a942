"""The pushforward of a body, with the masks that tell where tangents have strong zeros.

What a body returns of them is found by a run of its own, when somebody asks: most sweeps don't.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import is_
from typing import Any, NamedTuple

from pullback.core.memory import snapshot
from pullback.core.shapes import Abstract
from pullback.core.structure.axes import Marks, Row
from pullback.core.tracing import Tracer
from pullback.core.zeros import Kind, Zeros
from pullback.graph.building import build, like
from pullback.graph.graph import Graph
from pullback.rules.control_flow.derived import (
    derived,
    interleave,
    mask_like,
    separate,
    zeros_like,
)
from pullback.rules.control_flow.idle import idle_inputs, idle_outputs, with_idle
from pullback.rules.custom import stop_gradient
from pullback.transforms.forward import Pushforward
from pullback.transforms.masks import Mask, mask_of, of_mask, of_rows, zeros_of
from pullback.transforms.support import NOWHERE, Support, settled

__all__ = ["Pushed", "following", "given", "masked", "pushed", "with_masks"]


class Pushed(NamedTuple):
    """The pushforward of a body, from primals, tangents and masks to the same of its outputs.

    After each group of inputs and outputs come the tangents of some of them, and then the masks
    that tell where these have strong zeros, again for some.

    Attributes
    ----------
    graph : Graph
    zeros : tuple of Zeros
        What the zeros of the outputs' tangents are.
    inputs, outputs : tuple of (tuple of bool)
        What is marked: all of the primals, tangents, masks.
    """

    graph: Graph
    zeros: tuple[Zeros, ...]
    inputs: tuple[Marks, Marks, Marks]
    outputs: tuple[Marks, Marks, Marks]

    def asks(self, sizes: Sequence[int] = (), *, masks: bool) -> list[bool]:
        """Marks of the outputs: the masks, or all others. Their groups have these sizes."""
        count = len(self.zeros)
        return interleave(([not masks] * count,) * 2 + ([masks] * count,), self.outputs, sizes)

    def rows(self, outs: Row, places: Sequence[int], sizes: Sequence[int] = ()) -> list[list[Any]]:
        """Primals, tangents and masks of the outputs that there are at these places."""
        found = dict(zip(places, outs, strict=True))
        total = sum(map(sum, self.outputs))
        return separate(map(found.get, range(total)), self.outputs, sizes)


def pushed(
    body: Graph,
    dotted: Marks,
    zeros: Sequence[Kind],
    wanted: Marks,
    sizes: tuple[Sequence[int], Sequence[int]] = ((), ()),
    masked: tuple[Marks, Marks] | None = None,
) -> Pushed:
    """The pushforward of a body.

    The inputs that are `dotted` have a tangent, whose zeros are of the given kinds. The outputs
    that are `wanted` get one: zeros, where theirs is zero. There are groups of so many inputs and
    outputs, by the `sizes`. More inputs and outputs than need it may be `masked`.
    """
    in_sizes, out_sizes = sizes
    masked_in, more = masked or (tuple(map(bool, zeros)), (False,) * len(wanted))
    rows = tuple(map(tuple, (dotted, zeros, wanted, in_sizes, out_sizes, masked_in, more)))

    def make() -> Pushed:
        found: list[Zeros] = []
        tells: list[bool] = []
        idle_in, idle_out = idle_inputs(body), idle_outputs(body)
        names = body.signature.names
        all_in, all_out = (True,) * len(body.inputs), (True,) * len(body.outputs)
        marks = all_in, tuple(dotted), tuple(masked_in)

        def function(*mixed: Tracer) -> list[Any]:
            primals, tangents, masks = separate(mixed, marks, in_sizes)
            with Pushforward(f"the pushforward of {body.name}") as interpreter:
                outs = body.run(
                    [
                        x
                        if dot is None
                        else interpreter.carry(x, dot, of_mask(mask, kind, primals[0]))
                        for x, dot, mask, kind in zip(primals, tangents, masks, zeros, strict=True)
                    ]
                )
                pairs = [interpreter.lower(out, body.name) for out in outs]
                supports = [
                    None
                    if rests or not want
                    else NOWHERE
                    if dot is None
                    else settled(interpreter.support_of(out))
                    for out, (_, dot), want, rests in zip(
                        outs, pairs, wanted, idle_out, strict=True
                    )
                ]
            found[:] = map(zeros_of, supports)
            tells[:] = [bool(kind) or also for kind, also in zip(found, more, strict=True)]
            out_dots = [zeros_like(out) if dot is None else dot for out, dot in pairs]
            out_masks = [
                mask_of(support, out) if tell else None
                for support, (out, _), tell in zip(supports, pairs, tells, strict=True)
            ]
            outs = [out for out, _ in pairs]
            return interleave((outs, out_dots, out_masks), (None, wanted, tells), out_sizes)

        dots = [like(x) for x in body.inputs]
        inputs = interleave(
            ([like(x) for x in body.inputs], dots, list(map(mask_like, dots))), marks, in_sizes
        )
        more_names = [f"{name}_dot" for name in names], [f"{name}_dot_kept" for name in names]
        called = interleave((names, *more_names), marks, in_sizes)
        graph = build(function, inputs, f"{body.name}_dot", called)
        out_marks = all_out, tuple(wanted), tuple(tells)
        with_idle(
            graph,
            interleave((idle_in,) * 3, marks, in_sizes),
            interleave((idle_out,) * 3, out_marks, out_sizes),
        )
        return Pushed(graph, tuple(found), marks, out_marks)

    return derived(body, ("pushed", *rows), make)


def with_masks(
    values: Row, dots: Row, supports: Row, marks: Sequence[Marks], sizes: Sequence[int] = ()
) -> list[Any]:
    """The arguments of what is pushed; their masks are found by `given`."""
    masks = list(map(masked, supports, dots))
    return interleave((values, dots, masks), marks, sizes)


def masked(support: Support | None, x: Any) -> Mask | None:
    """The mask of a tangent or cotangent, as an argument that is found when it is read."""
    return None if x is None else Mask(support, Abstract.of(x))


def given(row: Iterable[Any], *, alone: bool = False) -> list[Any]:
    """Arguments, with masks in their places.

    If masks are `alone` what is asked for they have no derivative, as nothing has that they are
    made of.
    """
    row = [x.array if type(x) is Mask else x for x in row]
    return [stop_gradient(x) if type(x) is Tracer else x for x in row] if alone else row


def following(
    pushes: Callable[[Row], Pushed],
    prepare: Callable[[Pushed, Row], tuple[Row, Callable[[Row], Row]]],
    pairs: tuple[Row, Row],
    done: tuple[Row, Row | None] = ((), None),
) -> Callable[[Row], tuple[Support | None, ...]]:
    """What gives the supports of a pushforward's tangents from those of its arguments'.

    ``pushes(supports)`` is the pushforward; ``prepare(pushed, supports)`` are the arguments of a
    run for the masks, and what runs it. The pairs are values and their tangents. For some supports
    the masks are there already.
    """
    supports_done, there = done

    def follow(supports: Row) -> tuple[Support | None, ...]:
        ours = pushes(supports)
        if not any(ours.zeros):
            return (None,) * len(ours.zeros)
        row, run = prepare(ours, supports)
        # What varies is safe from later writes.
        safe = {id(x) for pair in zip(*pairs, strict=True) if pair[1] is not None for x in pair}
        kept = [x if type(x) is Mask or id(x) in safe else snapshot(x) for x in row]
        same = len(supports) == len(supports_done) and all(map(is_, supports, supports_done))
        return of_rows(lambda: run(kept), ours.zeros, there if same else None)

    return follow
