"""Reverse mode of loops: with all kept that it reads, or with few states and recomputation.

The reverse loop reads values of each iteration. A `scan` keeps and stacks them. With `checkpoint`
few states of the carry are kept, and what lies between them is computed again. Of a loop that ends
when a condition says so, it isn't known how many there will be: on plain arrays they are kept in a
list; otherwise the loop is run anew, by `loop_pullback`, which runs it forth and back in one go.

The derivatives of `loop_pullback` are pullbacks again, of the loop that carries tangents along. Let
ẏ = J(x)ẋ be the pushforward of the loop y = F(x), and x̄ = J(x)ᵀȳ its pullback. Then, with d/dx of
the scalar ⟨ȳ, J(x)ẋ⟩ at fixed ȳ and ẋ:

* forward mode, in the directions ẋ and dȳ: dx̄ = J(x)ᵀ dȳ + d/dx ⟨ȳ, J(x)ẋ⟩, both together the
  pullback in x of (x, ẋ) ↦ (F(x), J(x)ẋ) for the cotangents (dȳ, ȳ); its pullback in ẋ is x̄;
* reverse mode, for a cotangent u of x̄: that of ȳ is J(x)u, that of x is d/dx ⟨ȳ, J(x)u⟩.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pullback.core.maps import Followed
from pullback.core.memory import with_snapshots
from pullback.core.primitive import FullRule, Primitive, bind
from pullback.core.shapes import Abstract
from pullback.core.structure import Nested
from pullback.core.structure.axes import Marks, Params, Row, in_front
from pullback.core.tracing import Tracer
from pullback.core.zeros import Zeros, ordinary
from pullback.graph.cost import Cost, cost
from pullback.rules.control_flow.contents import leaves_out
from pullback.rules.control_flow.derived import (
    groups,
    interleave,
    marked,
    separate,
    spread,
    zeros_like,
)
from pullback.rules.control_flow.loop import Loop, scan, while_loop
from pullback.rules.control_flow.recomputation import back, evaluations, forth, snapshots
from pullback.rules.control_flow.splitting import Split
from pullback.rules.registration import rule

__all__ = ["grouped", "loop_pullback"]


# -- the linear maps of loops ---------------------------------------------------------------------


def _linearize(values: Row, wanted: Marks, params: Params) -> tuple[tuple[Any, ...], Followed]:
    loop: Loop = params["loop"]
    parts = loop.split(wanted)
    if loop.condition is not None or loop.checkpoint is not None:
        return _by_recomputation(loop, parts, values, wanted)
    count = len(loop.body.outputs)
    results = replace(loop, body=parts.forward)(values)
    outs, kept = results[:count], results[count:]
    values = with_snapshots(values, wanted)

    def pull_onto(bars: Row, totals: Row, zeros: Row) -> tuple[Row, Row]:
        seeded = [bar is not None for bar in bars]
        runs = loop.length > 0
        backwards, back = loop.backwards(parts, seeded, zeros, loop.length)
        args = back.arguments(values, kept, bars, totals, runs=runs)
        return back.placed(backwards(args), totals), back.zeros(len(values), runs=runs)

    return outs, _maps(loop, values, pull_onto, len(outs))


def _by_recomputation(
    loop: Loop, parts: Split, values: Row, wanted: Marks
) -> tuple[tuple[Any, ...], Followed]:
    """On plain arrays the run that gives the results keeps what the first pullback starts from.

    Any other one runs the loop again.
    """
    plain = not _traced(values)
    values = with_snapshots(values, wanted)
    kept: list[list[list[Any]]] = []
    if plain:
        outs, first = forth(loop, parts, values)
        kept.append(first)
    else:
        outs = loop(values)

    def pull_onto(bars: Row, totals: Row, zeros: Row) -> tuple[Row, Row]:
        if not plain or _traced((*bars, *totals)):
            return _pull(loop, values, (bars, zeros), wanted, totals)
        try:
            states = kept.pop()
        except IndexError:
            _, states = forth(loop, parts, values)
        found = back(loop, parts, values, states, bars, totals, zeros)
        return found, _zeros(loop, values, parts, bars, zeros)

    return outs, _maps(loop, values, pull_onto, len(outs))


def _zeros(loop: Loop, values: Row, parts: Split, bars: Row, zeros: Row) -> list[Zeros]:
    """What the zeros of the cotangents of a loop's arguments are."""
    back = loop.reversed(parts, [bar is not None for bar in bars], zeros)
    return back.zeros(len(values), runs=loop.runs(values))


def _maps(loop: Loop, values: Row, pull_onto: Callable[..., Any], width: int) -> Followed:
    def push(dots: Row, zeros: Row) -> tuple[Row, Row]:
        return loop.push(values, dots, zeros)[1:]

    return Followed(push, pull_onto, (len(values), width), masks=leaves_out(loop.body))


def _traced(values: Row) -> bool:
    return any(type(x) is Tracer for x in values)


for _loop in (scan, while_loop):
    _loop.set_rule(
        FullRule(
            lambda values, dots, params, zeros: params["loop"].push(values, dots, zeros),
            _linearize,
            follows=True,
        )
    )


# -- a loop forth and back, as a primitive --------------------------------------------------------


Followable = tuple[Row, Sequence[Zeros]]
"""Cotangents, and what their zeros are."""


def _pull(
    loop: Loop, values: Row, seeds: Followable, wanted: Marks, totals: Row = ()
) -> tuple[list[Any], list[Zeros]]:
    """A cotangent for each argument of the loop, added to its total; `None` for those not wanted.

    There is a cotangent, or `None`, for each result, and for each argument a total, or `None`.
    """
    bars, zeros = seeds
    seeded = tuple(bar is not None for bar in bars)
    found: list[Any] = list(totals or [None] * len(values))
    if not any(seeded):
        return found, [Zeros.EVERYWHERE] * len(found)
    # Those of the consts are what the reverse loop starts from.
    onto = tuple(i < loop.consts and wanted[i] and x is not None for i, x in enumerate(found))
    args = (*values, *marked(bars, seeded), *marked(found, onto))
    params = {
        "loop": loop,
        "wanted": tuple(wanted),
        "seeded": seeded,
        "onto": onto,
        "zeros": tuple(zeros),
    }
    results = iter(bind(loop_pullback, args, params))
    for i, wants in enumerate(wanted):
        if wants:
            bar = next(results)
            found[i] = bar if onto[i] or found[i] is None else found[i] + bar
    return found, _zeros(loop, values, loop.split(wanted), bars, zeros)


def grouped(args: Row, params: Params) -> tuple[list[Any], ...]:
    """Values, cotangents and totals; `None` for a cotangent or a total that is zero."""
    seeded, onto = params["seeded"], params["onto"]
    values, bars, totals = groups(args, (len(params["wanted"]), sum(seeded)))
    return list(values), spread(bars, seeded), spread(totals, onto)


def _value(*args: Any, **params: Any) -> tuple[Any, ...]:
    """Cotangents of a loop's arguments from those of its results, by running it forth and back."""
    loop, wanted = params["loop"], params["wanted"]
    values, bars, totals = grouped(args, params)
    parts = loop.split(wanted)
    kept = forth(loop, parts, values)[1]
    found = back(loop, parts, values, kept, bars, totals, params["zeros"])
    return tuple(marked(map(_full, found, values), wanted))


def _full(bar: Any, x: Any) -> Any:
    return zeros_like(x) if bar is None else bar


def _shape(_primitive: Primitive, *args: Any, **params: Any) -> tuple[Abstract, ...]:
    values, _ = groups(args, (len(params["wanted"]),))
    return tuple(marked(map(Abstract.of, values), params["wanted"]))


def _pull_pushed(
    loop: Loop,
    values: Row,
    dots: Followable,
    bars: tuple[Followable, Followable],
    wanted: tuple[Marks, Marks],
    totals: tuple[Row, Row] | None = None,
) -> tuple[Followable, Followable]:
    """Cotangents of the arguments of a loop, and of their tangents, in the loop that pushes these.

    The pairs are of what `_pull` takes: that of values, and that of tangents.
    """
    tangents, zeros = dots
    dotted, out_dotted = loop.varying([dot is not None for dot in tangents])
    pushing, _ = loop.pushed(dotted, out_dotted, loop.started(tangents, dotted, zeros))
    seeds, kinds = (interleave(*x, out_dotted, (loop.carry,)) for x in zip(*bars, strict=True))
    found, kinds = _pull(
        pushing,
        loop.with_dots(values, tangents, dotted),
        (seeds, kinds),
        interleave(*wanted, dotted, loop.sizes),
        interleave(*totals, dotted, loop.sizes) if totals else (),
    )
    (primals, tangents), (one, other) = (separate(x, dotted, loop.sizes) for x in (found, kinds))
    return (primals, one), (tangents, [kind or Zeros.ORDINARY for kind in other])


def _pushforward(args: Row, dots: Row, params: Params, zeros: Row) -> tuple[Row, Row, Row]:
    loop, wanted = params["loop"], params["wanted"]
    values, bars, totals = grouped(args, params)
    value_dots, bar_dots, total_dots = grouped(dots, params)
    kinds, bar_kinds, total_kinds = (list(map(_kind, row)) for row in grouped(zeros, params))
    full = [
        zeros_like(x) if wants and dot is None else dot
        for x, dot, wants in zip(values, value_dots, wanted, strict=True)
    ]
    tangents, primals = _pull_pushed(
        loop,
        values,
        (full, loop.started(value_dots, wanted, kinds)),
        ((bar_dots, bar_kinds), (bars, params["zeros"])),
        (wanted, wanted),
        (total_dots, totals),
    )
    found = [
        kind if total is None else min(kind, before)
        for kind, total, before in zip(tangents[1], total_dots, total_kinds, strict=True)
    ]
    rows = (primals[0], tangents[0], found)
    results, result_dots, result_kinds = (tuple(marked(row, wanted)) for row in rows)
    return results, result_dots, result_kinds


def _kind(zeros: Zeros | None) -> Zeros:
    return zeros or Zeros.ORDINARY


def _linearize_pullback(
    args: Row, differentiated: Marks, params: Params
) -> tuple[tuple[Any, ...], Followed]:
    outs = bind(loop_pullback, tuple(args), params)
    args = with_snapshots(args, differentiated)

    def push(dots: Row, zeros: Row) -> tuple[Row, Row]:
        return _pushforward(args, dots, params, zeros)[1:]

    def pull(cotangents: Row, totals: Row, zeros: Row) -> tuple[Row, Row]:
        loop: Loop = params["loop"]
        values, bars, _ = grouped(args, params)
        directions = spread(cotangents, params["wanted"])
        kinds = list(map(_kind, spread(zeros, params["wanted"])))
        _, out_dots, out_kinds = loop.push(values, directions, kinds)
        (values_bar, bar_kinds), _ = _pull_pushed(
            loop,
            values,
            (directions, kinds),
            (([None] * len(bars), ordinary(len(bars))), (bars, params["zeros"])),
            (differentiated[: len(values)], [False] * len(values)),
        )
        terms, found = (
            [*row, *marked(outs, params["seeded"]), *marked(starts, params["onto"])]
            for row, outs, starts in (
                (values_bar, out_dots, directions),
                (bar_kinds, out_kinds, kinds),
            )
        )
        sums = [
            total if term is None else term if total is None else total + term
            for total, term in zip(totals, terms, strict=True)
        ]
        return sums, found

    sizes, masks = (len(args), len(outs)), leaves_out(params["loop"].body)
    return outs, Followed(push, pull, sizes, masks=masks)


def _batch(
    _primitive: Primitive, size: int, mapped: Marks, args: Row, params: Params
) -> tuple[Any, ...]:
    loop, wanted = params["loop"], params["wanted"]
    values, bars, totals = grouped(args, params)
    values_mapped, bars_mapped, totals_mapped = grouped(mapped, params)
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

    values = lead(values, values_mapped, marks)
    totals = lead(totals, totals_mapped, [True] * len(totals))
    marked_bars = [bar if mark else None for bar, mark in zip(bars, outputs, strict=True)]
    carry, ys = groups(lead(marked_bars, bars_mapped, outputs), (loop.carry,))
    args = loop.to_batch(size, marks, inputs, values)
    found, _ = _pull(many, args, ([*carry, *second(ys)], params["zeros"]), wanted, totals)
    before, xs_bars = groups(found, (loop.first_x,))
    return tuple(marked(map(_full, [*before, *second(xs_bars)], values), wanted))


def _cost(costs: dict[str, Cost], **params: Any) -> Cost:
    """What the sweep forth and the sweep back cost."""
    loop: Loop = params["loop"]
    parts = loop.split(params["wanted"])
    backwards, back = loop.backwards(parts, params["seeded"], params["zeros"], loop.length)
    total, before = cost(parts.keeping) + cost(backwards.body), cost(back.preamble)
    if loop.condition is not None:
        return (total + costs["condition"] + before).once()
    again: int = evaluations(loop.length, snapshots(loop))
    return total * int(loop.length) + costs["body"] * again + before


loop_pullback = rule(_value, Nested(_shape, _batch, cost=_cost), name="loop_pullback")(
    FullRule(_pushforward, _linearize_pullback, follows=True)
)
