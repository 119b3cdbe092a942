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

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from pullback.core.maps import Joint
from pullback.core.memory import with_snapshots
from pullback.core.primitive import FullRule, Primitive, bind
from pullback.core.shapes import Abstract
from pullback.core.structure import Nested
from pullback.core.structure.axes import Marks, Params, Row, in_front
from pullback.core.tracing import Tracer
from pullback.graph.cost import Cost, cost
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

__all__ = ["loop_pullback"]


# -- the linear maps of loops ---------------------------------------------------------------------


def _linearize(values: Row, wanted: Marks, params: Params) -> tuple[tuple[Any, ...], Joint]:
    loop: Loop = params["loop"]
    parts = loop.split(wanted)
    if loop.condition is not None or loop.checkpoint is not None:
        return _by_recomputation(loop, parts, values, wanted)
    count = len(loop.body.outputs)
    results = replace(loop, body=parts.forward)(values)
    outs, kept = results[:count], results[count:]
    values = with_snapshots(values, wanted)

    def pull_onto(bars: Row, totals: Row) -> list[Any]:
        seeded = [bar is not None for bar in bars]
        backwards, back = loop.backwards(parts, seeded, loop.length)
        args = back.arguments(values, kept, bars, totals, runs=loop.length > 0)
        return back.placed(backwards(args), totals)

    return outs, _maps(loop, values, pull_onto)


def _by_recomputation(
    loop: Loop, parts: Split, values: Row, wanted: Marks
) -> tuple[tuple[Any, ...], Joint]:
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

    def pull_onto(bars: Row, totals: Row) -> list[Any]:
        if not plain or _traced((*bars, *totals)):
            return _pull(loop, values, bars, wanted, totals)
        try:
            states = kept.pop()
        except IndexError:
            _, states = forth(loop, parts, values)
        return back(loop, parts, values, states, bars, totals)

    return outs, _maps(loop, values, pull_onto)


def _maps(loop: Loop, values: Row, pull_onto: Callable[..., list[Any]]) -> Joint:
    return Joint.accumulating(lambda *dots: loop.push(values, dots)[1], pull_onto, len(values))


def _traced(values: Row) -> bool:
    return any(type(x) is Tracer for x in values)


for _loop in (scan, while_loop):
    _loop.set_rule(
        FullRule(lambda values, dots, params: params["loop"].push(values, dots), _linearize)
    )


# -- a loop forth and back, as a primitive --------------------------------------------------------


def _pull(loop: Loop, values: Row, bars: Row, wanted: Marks, totals: Row = ()) -> list[Any]:
    """A cotangent for each argument of the loop, added to its total; `None` for those not wanted.

    There is a cotangent, or `None`, for each result, and for each argument a total, or `None`.
    """
    seeded = tuple(bar is not None for bar in bars)
    found: list[Any] = list(totals or [None] * len(values))
    if not any(seeded):
        return found
    # Those of the consts are what the reverse loop starts from.
    onto = tuple(i < loop.consts and wanted[i] and x is not None for i, x in enumerate(found))
    args = (*values, *marked(bars, seeded), *marked(found, onto))
    params = {"loop": loop, "wanted": tuple(wanted), "seeded": seeded, "onto": onto}
    results = iter(bind(loop_pullback, args, params))
    for i, wants in enumerate(wanted):
        if wants:
            bar = next(results)
            found[i] = bar if onto[i] or found[i] is None else found[i] + bar
    return found


def _grouped(args: Row, params: Params) -> tuple[list[Any], ...]:
    """Values, cotangents and totals; `None` for a cotangent or a total that is zero."""
    seeded, onto = params["seeded"], params["onto"]
    values, bars, totals = groups(args, (len(params["wanted"]), sum(seeded)))
    return list(values), spread(bars, seeded), spread(totals, onto)


def _value(*args: Any, **params: Any) -> tuple[Any, ...]:
    """Cotangents of a loop's arguments from those of its results, by running it forth and back."""
    loop, wanted = params["loop"], params["wanted"]
    values, bars, totals = _grouped(args, params)
    parts = loop.split(wanted)
    found = back(loop, parts, values, forth(loop, parts, values)[1], bars, totals)
    return tuple(marked(map(_full, found, values), wanted))


def _full(bar: Any, x: Any) -> Any:
    return zeros_like(x) if bar is None else bar


def _shape(_primitive: Primitive, *args: Any, **params: Any) -> tuple[Abstract, ...]:
    values, _ = groups(args, (len(params["wanted"]),))
    return tuple(marked(map(Abstract.of, values), params["wanted"]))


def _pull_pushed(
    loop: Loop,
    values: Row,
    dots: Row,
    bars: tuple[Row, Row],
    wanted: tuple[Marks, Marks],
    totals: tuple[Row, Row] | None = None,
) -> tuple[list[Any], list[Any]]:
    """Cotangents of the arguments of a loop, and of their tangents, in the loop that pushes these.

    The pairs are of what `_pull` takes: that of values, and that of tangents.
    """
    dotted, out_dotted = loop.varying([dot is not None for dot in dots])
    found = _pull(
        loop.pushed(dotted, out_dotted),
        loop.with_dots(values, dots, dotted),
        interleave(*bars, out_dotted, (loop.carry,)),
        interleave(*wanted, dotted, loop.sizes),
        interleave(*totals, dotted, loop.sizes) if totals else (),
    )
    return separate(found, dotted, loop.sizes)


def _pushforward(args: Row, dots: Row, params: Params) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    loop, wanted = params["loop"], params["wanted"]
    values, bars, totals = _grouped(args, params)
    value_dots, bar_dots, total_dots = _grouped(dots, params)
    full = [
        zeros_like(x) if wants and dot is None else dot
        for x, dot, wants in zip(values, value_dots, wanted, strict=True)
    ]
    tangents, primals = _pull_pushed(
        loop, values, full, (bar_dots, bars), (wanted, wanted), (total_dots, totals)
    )
    return tuple(marked(primals, wanted)), tuple(marked(tangents, wanted))


def _linearize_pullback(
    args: Row, differentiated: Marks, params: Params
) -> tuple[tuple[Any, ...], Joint]:
    outs = bind(loop_pullback, tuple(args), params)
    args = with_snapshots(args, differentiated)

    def pull(cotangents: Row) -> list[Any]:
        loop: Loop = params["loop"]
        values, bars, _ = _grouped(args, params)
        directions = spread(cotangents, params["wanted"])
        _, out_dots = loop.push(values, directions)
        values_bar, _ = _pull_pushed(
            loop,
            values,
            directions,
            ([None] * len(bars), bars),
            (differentiated[: len(values)], [False] * len(values)),
        )
        return [
            *values_bar,
            *marked(out_dots, params["seeded"]),
            *marked(directions, params["onto"]),
        ]

    return outs, Joint(lambda *dots: _pushforward(args, dots, params)[1], pull)


def _batch(
    _primitive: Primitive, size: int, mapped: Marks, args: Row, params: Params
) -> tuple[Any, ...]:
    loop, wanted = params["loop"], params["wanted"]
    values, bars, totals = _grouped(args, params)
    values_mapped, bars_mapped, totals_mapped = _grouped(mapped, params)
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
    found = _pull(many, args, [*carry, *second(ys)], wanted, totals)
    before, xs_bars = groups(found, (loop.first_x,))
    return tuple(marked(map(_full, [*before, *second(xs_bars)], values), wanted))


def _cost(costs: dict[str, Cost], **params: Any) -> Cost:
    """What the sweep forth and the sweep back cost."""
    loop: Loop = params["loop"]
    parts = loop.split(params["wanted"])
    backwards, back = loop.backwards(parts, params["seeded"], loop.length)
    total, before = cost(parts.keeping) + cost(backwards.body), cost(back.preamble)
    if loop.condition is not None:
        return (total + costs["condition"] + before).once()
    again: int = evaluations(loop.length, snapshots(loop))
    return total * int(loop.length) + costs["body"] * again + before


loop_pullback = rule(_value, Nested(_shape, _batch, cost=_cost), name="loop_pullback")(
    FullRule(_pushforward, _linearize_pullback)
)
