"""A loop forth and back, as a primitive: `loop_pullback`.

Its derivatives are pullbacks again, of the loop that carries tangents along. Let ẏ = J(x)ẋ be the
pushforward of the loop y = F(x), and x̄ = J(x)ᵀȳ its pullback. Then, with d/dx of the scalar
⟨ȳ, J(x)ẋ⟩ at fixed ȳ and ẋ:

* forward mode, in the directions ẋ and dȳ: dx̄ = J(x)ᵀ dȳ + d/dx ⟨ȳ, J(x)ẋ⟩, both together the
  pullback in x of (x, ẋ) ↦ (F(x), J(x)ẋ) for the cotangents (dȳ, ȳ); its pullback in ẋ is x̄;
* reverse mode, for a cotangent u of x̄: that of ȳ is J(x)u, that of x is d/dx ⟨ȳ, J(x)u⟩.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core.maps import Followed
from pullback.core.memory import with_snapshots
from pullback.core.primitive import FullRule, Primitive, bind
from pullback.core.shapes import Abstract, shape_of
from pullback.core.structure import Nested
from pullback.core.structure.axes import Marks, Params, Row, in_front
from pullback.graph.cost import Cost, cost
from pullback.rules.control_flow.contents import leaves_out
from pullback.rules.control_flow.derived import (
    both,
    groups,
    interleave,
    marked,
    separate,
    spread,
    zeros_like,
)
from pullback.rules.control_flow.loop import Loop
from pullback.rules.control_flow.pushed_loop import PushedLoop, push_loop, pushed_loop, started
from pullback.rules.control_flow.pushing import given, masked
from pullback.rules.control_flow.recomputation import back, evaluations, forth, snapshots
from pullback.rules.control_flow.reverse_body import Arguments, ReverseBody
from pullback.rules.control_flow.splitting import Split
from pullback.rules.registration import rule
from pullback.transforms.masks import mask_of, of_mask, zeros_of
from pullback.transforms.support import NOWHERE, Support, union

__all__ = ["loop_pullback", "pull_loop", "pulled_by"]

Followable = tuple[Row, Row]
"""Cotangents, or tangents, and their supports."""

Supports = tuple[Support | None, ...]
Sweep = Callable[..., tuple[Row, Sequence[int]]]
Two = tuple[list[Any], list[Any]]
"""What belongs to the arguments of a loop, and to their tangents."""


def pull_loop(
    loop: Loop, values: Row, seeds: Followable, wanted: Marks, totals: Row = ()
) -> tuple[Callable[[], list[Any]], Supports]:
    """A cotangent for each argument of the loop, added to its total; `None` for those not wanted.

    There is a cotangent, or `None`, for each result, and for each argument a total, or `None`. The
    cotangents are found when they are asked for; with them come the supports of what is added.
    """
    bars, supports = seeds
    seeded = tuple(bar is not None for bar in bars)
    starts: list[Any] = list(totals or [None] * len(values))
    if not any(seeded):
        return lambda: starts, (NOWHERE,) * len(starts)
    # Those of the consts are what the reverse loop starts from.
    onto = tuple(i < loop.consts and wanted[i] and x is not None for i, x in enumerate(starts))
    zeros = tuple(map(zeros_of, supports))
    body = loop.reversed(loop.split(wanted), seeded, zeros)

    def run(*, masks: bool) -> list[Any]:
        places = loop.backwards(body, 0, masks=masks)[1]
        reads = both(body.reads(places, len(bars)), seeded)
        told = marked(map(masked, supports, bars), reads)
        args = (*values, *marked(bars, seeded), *marked(starts, onto), *told)
        params = {
            "loop": loop,
            "wanted": tuple(wanted),
            "seeded": seeded,
            "onto": onto,
            "zeros": zeros,
            "masked": reads,
            "told": tuple(body.told) if masks else None,
        }
        row = bind(loop_pullback, tuple(given(args, alone=masks)), params)
        return spread(row, body.told if masks else wanted)

    def pulled() -> list[Any]:
        found = [*starts]
        for i, bar in enumerate(run(masks=False)):
            if wanted[i]:
                found[i] = bar if onto[i] or found[i] is None else found[i] + bar
        return found

    none = [None] * len(starts)
    return pulled, body.supports(lambda: lambda: run(masks=True), none, runs=loop.runs(values))


def _grouped(args: Row, params: Params) -> list[list[Any]]:
    """Values, cotangents, totals and masks; `None` for what is zero, or isn't there."""
    marks = params["seeded"], params["onto"], params["masked"]
    sizes = len(params["wanted"]), *map(sum, marks[:2])
    values, *rows = groups(args, sizes)
    return [list(values), *map(spread, rows, marks)]


def _supports(masks: Row, params: Params) -> list[Support | None]:
    """The supports of the cotangents; where a mask isn't read, it isn't there.

    For all that is known then each element may be other than zero.
    """
    return [
        None if mask is None else of_mask(mask, kind)
        for mask, kind in zip(masks, params["zeros"], strict=True)
    ]


def _reversed(params: Params) -> ReverseBody:
    loop: Loop = params["loop"]
    return loop.reversed(loop.split(params["wanted"]), params["seeded"], params["zeros"])


def pulled_by(sweep: Sweep, args: Row, params: Params) -> tuple[Any, ...]:
    """What `loop_pullback` returns, by such a sweep forth and back.

    ``sweep(loop, parts, body, row, masks=masks)`` gives the results of the reverse loop, for
    cotangents or for their masks, and their places. The row is what `ReverseBody.arguments` takes,
    but nothing is kept.
    """
    loop, wanted = params["loop"], params["wanted"]
    values, bars, totals, masks = _grouped(args, params)
    body, row = _reversed(params), (values, (), bars, totals, _supports(masks, params))
    told = params["told"]
    results, places = sweep(loop, loop.split(wanted), body, row, masks=told is not None)
    if told is not None:
        # A loop that was made simpler meanwhile may have fewer, of cotangents that are full or 0.
        there = body.masks(results, places)
        supports = body.supports(lambda: lambda: there, there, runs=False)
        return tuple(marked(map(mask_of, supports, values), told))
    return tuple(marked(map(_full, body.placed(results, places, totals), values), wanted))


def _forth_and_back(
    loop: Loop, parts: Split, body: ReverseBody, row: Arguments, *, masks: bool
) -> tuple[Row, Sequence[int]]:
    values, _, bars, totals, supports = row
    row = values, forth(loop, parts, values)[1], bars, totals, supports
    return back(loop, parts, body, row, masks=masks)


def _value(*args: Any, **params: Any) -> tuple[Any, ...]:
    """Cotangents of a loop's arguments from those of its results, by running it forth and back.

    Or what tells their strong zeros, for those of the arguments that are `told`.
    """
    return pulled_by(_forth_and_back, args, params)


def _full(bar: Any, x: Any) -> Any:
    return zeros_like(x) if bar is None else bar


def _shape(_primitive: Primitive, *args: Any, **params: Any) -> tuple[Abstract, ...]:
    values, _ = groups(args, (len(params["wanted"]),))
    if params["told"] is not None:
        told = marked(values, params["told"])
        return tuple(Abstract(shape_of(x), np.dtype(bool)) for x in told)
    return tuple(marked(map(Abstract.of, values), params["wanted"]))


# -- derivatives ----------------------------------------------------------------------------------


def _pull_pushed(
    loop: Loop,
    values: Row,
    dots: Followable,
    bars: tuple[Followable, Followable],
    wanted: tuple[Marks, Marks],
    totals: tuple[Row, Row] | None = None,
) -> tuple[Callable[[], Two], Two]:
    """Cotangents of the arguments of a loop, and of their tangents, in the loop that pushes these.

    The pairs are of what `pull_loop` takes and gives: that of values, and that of tangents.
    """
    tangents, supports = dots
    dotted, out_dotted = map(tuple, loop.varying([dot is not None for dot in tangents]))
    supports = started(tangents, dotted, supports)
    full = [
        zeros_like(x) if mark and dot is None else dot
        for x, dot, mark in zip(values, tangents, dotted, strict=True)
    ]
    pushing = pushed_loop(loop, dotted, out_dotted, supports, runs=loop.runs(values))
    part, inputs, row, outputs = pushing.part((values, full, supports), masks=False)
    row = given(row)
    mixed = _Mixed(pushing, loop, inputs, outputs)
    pulled, told = pull_loop(
        part,
        row,
        (mixed.results(bars[0][0], bars[1][0]), mixed.results(bars[0][1], bars[1][1])),
        mixed.arguments(*wanted, False),
        mixed.arguments(*totals, None) if totals else (),
    )

    def found() -> Two:
        one, other = mixed.apart(pulled(), None)
        starts = totals or ([None] * len(values),) * 2
        return _completed(one, wanted[0], starts[0], values), _completed(
            other, wanted[1], starts[1], values
        )

    return found, mixed.apart(told, NOWHERE)


class _Mixed:
    """Rows for a loop that carries tangents along, of which there are some inputs and outputs."""

    def __init__(
        self, pushing: PushedLoop, loop: Loop, inputs: Sequence[int], outputs: Sequence[int]
    ) -> None:
        self._pushing, self._loop = pushing, loop
        self._inputs, self._outputs = inputs, outputs

    def arguments(self, one: Row, other: Row, rest: Any) -> list[Any]:
        """Of rows for arguments and their tangents; the masks have the rest."""
        row = one, other, [rest] * len(one)
        mixed = interleave(row, self._pushing.inputs, self._loop.sizes)
        return [mixed[i] for i in self._inputs]

    def results(self, one: Row, other: Row) -> list[Any]:
        """Of rows for results and their tangents."""
        row = one, other, [None] * len(one)
        mixed = interleave(row, self._pushing.body.outputs, (self._loop.carry,))
        return [mixed[i] for i in self._outputs]

    def apart(self, found: Row, missing: Any) -> Two:
        """The rows for arguments and their tangents, from what there is of the mixed one."""
        marks = self._pushing.inputs
        row = dict(zip(self._inputs, found, strict=True))
        mixed = (row.get(i, missing) for i in range(sum(map(sum, marks))))
        one, other, _ = separate(mixed, marks, self._loop.sizes)
        return one, other


def _completed(bars: Row, wanted: Marks, totals: Row, values: Row) -> list[Any]:
    """Cotangents for all that are wanted, also where nothing is added to the totals."""
    return [
        _full(total, x) if bar is None and wants else bar
        for bar, wants, total, x in zip(bars, wanted, totals, values, strict=True)
    ]


def _pushforward(
    args: Row, dots: Row, params: Params, supports: Row
) -> tuple[Row, Row, Callable[[Row], Row]]:
    loop, wanted = params["loop"], params["wanted"]
    values, bars, totals, masks = _grouped(args, params)
    value_dots, bar_dots, total_dots, _ = _grouped(dots, params)
    full = [
        zeros_like(x) if wants and dot is None else dot
        for x, dot, wants in zip(values, value_dots, wanted, strict=True)
    ]

    def pull(supports: Row) -> tuple[Callable[[], Two], Supports]:
        value_supports, bar_supports, total_supports, _ = _grouped(supports, params)
        found, (told, _) = _pull_pushed(
            loop,
            values,
            (full, started(value_dots, wanted, value_supports)),
            ((bar_dots, bar_supports), (bars, _supports(masks, params))),
            (wanted, wanted),
            (total_dots, totals),
        )
        sums = [
            support if total is None else union(before, support)
            for support, total, before in zip(told, total_dots, total_supports, strict=True)
        ]
        return found, tuple(marked(sums, wanted))

    tangents, primals = (marked(row, wanted) for row in pull(supports)[0]())
    return tuple(primals), tuple(tangents), lambda supports: pull(supports)[1]


def _linearize(
    args: Row, differentiated: Marks, params: Params
) -> tuple[tuple[Any, ...], Followed]:
    outs = bind(loop_pullback, tuple(args), params)
    args = with_snapshots(args, differentiated)

    def push(dots: Row, supports: Row) -> tuple[Row, Row]:
        _, out_dots, follow = _pushforward(args, dots, params, supports)
        return out_dots, follow(supports)

    def pull(cotangents: Row, totals: Row, supports: Row) -> tuple[Row, Row]:
        loop: Loop = params["loop"]
        values, bars, _, masks = _grouped(args, params)
        directions = spread(cotangents, params["wanted"])
        kinds = spread(supports, params["wanted"])
        _, out_dots, follow = push_loop(loop, values, directions, kinds)
        none = [None] * len(bars)
        found, (told, _) = _pull_pushed(
            loop,
            values,
            (directions, kinds),
            ((none, none), (bars, _supports(masks, params))),
            (differentiated[: len(values)], [False] * len(values)),
        )
        terms, term_supports = (
            [
                *row,
                *marked(outs, params["seeded"]),
                *marked(starts, params["onto"]),
                *[None] * sum(params["masked"]),
            ]
            for row, outs, starts in (
                (found()[0], out_dots, directions),
                (told, follow(kinds), kinds),
            )
        )
        sums = [
            total if term is None else term if total is None else total + term
            for total, term in zip(totals, terms, strict=True)
        ]
        return sums, term_supports

    sizes, masks = (len(args), len(outs)), leaves_out(params["loop"].body)
    return outs, Followed(push, pull, sizes, masks=masks)


# -- batches, and the rest ------------------------------------------------------------------------


def _batch(
    _primitive: Primitive, size: int, mapped: Marks, args: Row, params: Params
) -> tuple[Any, ...]:
    loop, wanted = params["loop"], params["wanted"]
    values, bars, totals, masks = _grouped(args, params)
    values_mapped, bars_mapped, totals_mapped, masks_mapped = _grouped(mapped, params)
    # Each example has its own cotangent of what all of them share.
    marks = [one or wants for one, wants in zip(values_mapped, wanted, strict=True)]
    many, inputs, outputs = loop.batched(size, marks)

    def lead(row: Row, mapped: Row, marks: Marks) -> list[Any]:
        return [
            in_front(x, size, mapped=one) if mark and x is not None else x
            for x, one, mark in zip(row, mapped, marks, strict=True)
        ]

    def second(row: Row) -> list[Any]:
        return [None if x is None else np.swapaxes(x, 0, 1) for x in row]

    def seeds(row: Row, mapped: Row) -> list[Any]:
        own = [x if mark else None for x, mark in zip(row, outputs, strict=True)]
        carry, ys = groups(lead(own, mapped, outputs), (loop.carry,))
        return [*carry, *second(ys)]

    values = lead(values, values_mapped, marks)
    totals = lead(totals, totals_mapped, [True] * len(totals))
    supports = _supports(seeds(masks, masks_mapped), params)
    args = loop.to_batch(size, marks, inputs, values)
    pulled, told = pull_loop(many, args, (seeds(bars, bars_mapped), supports), wanted, totals)
    tells = params["told"]
    if tells is not None:
        found = [
            mask_of(support, x) if tell else None
            for support, x, tell in zip(told, args, tells, strict=True)
        ]
    else:
        found = [_full(bar, x) for bar, x in zip(pulled(), args, strict=True)]
    before, behind = groups(found, (loop.first_x,))
    return tuple(marked([*before, *second(behind)], wanted if tells is None else tells))


def _cost(costs: dict[str, Cost], **params: Any) -> Cost:
    """What the sweep forth and the sweep back cost."""
    loop: Loop = params["loop"]
    parts, body = loop.split(params["wanted"]), _reversed(params)
    backwards, *_ = loop.backwards(body, loop.length or 0, masks=params["told"] is not None)
    total, before = cost(parts.keeping) + cost(backwards.body), cost(body.preamble)
    if loop.condition is not None:
        return (total + costs["condition"] + before).once()
    again: int = evaluations(loop.length, snapshots(loop))
    return total * int(loop.length) + costs["body"] * again + before


loop_pullback = rule(_value, Nested(_shape, _batch, cost=_cost), name="loop_pullback")(
    FullRule(_pushforward, _linearize, follows=True)
)
