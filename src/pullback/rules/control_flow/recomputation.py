"""Reverse mode of loops that keep few of their states, or don't know how many there will be.

`loop_pullback` runs a loop forth and back in one go. Its own derivatives are pullbacks again, of
the loop that carries tangents along. Let ẏ = J(x)ẋ be the pushforward of the loop y = F(x), and
x̄ = J(x)ᵀȳ its pullback. Then, with d/dx of the scalar ⟨ȳ, J(x)ẋ⟩ at fixed ȳ and ẋ:

* forward mode, in the directions ẋ and dȳ: dx̄ = J(x)ᵀ dȳ + d/dx ⟨ȳ, J(x)ẋ⟩, both together the
  pullback in x of (x, ẋ) ↦ (F(x), J(x)ẋ) for the cotangents (dȳ, ȳ); its pullback in ẋ is x̄;
* reverse mode, for a cotangent u of x̄: that of ȳ is J(x)u, that of x is d/dx ⟨ȳ, J(x)u⟩.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from pullback.core.linear import Joint
from pullback.core.memory import with_snapshots
from pullback.core.primitive import FullRule, Primitive, bind
from pullback.core.shapes import Abstract
from pullback.core.structure import Nested
from pullback.core.structure.axes import in_front
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
from pullback.rules.control_flow.loop import Loop
from pullback.rules.control_flow.reverse_body import reverse_body
from pullback.rules.control_flow.schedule import evaluations
from pullback.rules.control_flow.sweep import Sweep, snapshots
from pullback.rules.registration import rule

__all__ = ["linearize_by_recomputation", "loop_pullback"]


def linearize_by_recomputation(
    loop: Loop, values: Sequence[Any], wanted: Sequence[bool]
) -> tuple[tuple[Any, ...], Joint]:
    """The results of a loop and its linear maps; see `FullRule.linearize`.

    On plain arrays the run that gives the results keeps what the first pullback starts from. Any
    other one runs the loop again.
    """
    parts = loop.split(wanted)
    plain = not _traced(values)
    values = with_snapshots(values, wanted)
    kept: list[list[Any]] = []
    if plain:
        outs, first = Sweep(loop, parts, values).forth()
        kept.append(first)
    else:
        outs = loop(values)

    def pull_onto(bars: Sequence[Any], totals: Sequence[Any]) -> list[Any]:
        if not plain or _traced((*bars, *totals)):
            return _pull(loop, values, bars, wanted, totals)
        sweep = Sweep(loop, parts, values)
        try:
            states = kept.pop()
        except IndexError:
            _, states = sweep.forth()
        back = reverse_body(loop, parts, [bar is not None for bar in bars])
        return sweep.back(back, states, bars, totals)

    return outs, Joint.accumulating(
        lambda *dots: loop.push(values, dots)[1], pull_onto, len(values)
    )


def _traced(values: Sequence[Any]) -> bool:
    return any(type(x) is Tracer for x in values)


def _pull(
    loop: Loop,
    values: Sequence[Any],
    bars: Sequence[Any],
    wanted: Sequence[bool],
    totals: Sequence[Any] = (),
) -> list[Any]:
    """A cotangent for each argument of the loop; `None` for those that are not wanted.

    Parameters
    ----------
    loop : Loop
    values : sequence
        Its arguments.
    bars : sequence
        A cotangent, or `None`, for each result.
    wanted : sequence of bool
        For each argument, whether its cotangent is.
    totals : sequence, optional
        What the cotangents are added to, or `None`.
    """
    seeded = tuple(bar is not None for bar in bars)
    found: list[Any] = list(totals or [None] * len(values))
    if not any(seeded):
        return found
    # Those of the consts are what the reverse loop starts from.
    onto = tuple(i < loop.consts and wanted[i] and x is not None for i, x in enumerate(found))
    args = (*values, *(bar for bar in bars if bar is not None), *marked(found, onto))
    params = {"condition": loop.condition, **replace(loop, condition=None).params}
    params |= {"wanted": tuple(wanted), "seeded": seeded, "onto": onto}
    results = iter(bind(loop_pullback, args, params))
    for i, wants in enumerate(wanted):
        if wants:
            bar = next(results)
            found[i] = bar if onto[i] or found[i] is None else found[i] + bar
    return found


class Call(NamedTuple):
    """What `loop_pullback` is called with: `None` for a cotangent or a total that is zero."""

    loop: Loop
    values: Sequence[Any]
    bars: list[Any]
    totals: list[Any]
    wanted: tuple[bool, ...]


def _call(args: Sequence[Any], params: dict[str, Any]) -> Call:
    fields = dict(params)
    wanted, seeded, onto = (fields.pop(name) for name in ("wanted", "seeded", "onto"))
    values, bars, totals = (list(row) for row in groups(args, (len(wanted), sum(seeded))))
    return Call(Loop(**fields), values, spread(bars, seeded), spread(totals, onto), wanted)


def _value(*args: Any, **params: Any) -> tuple[Any, ...]:
    """Cotangents of a loop's arguments from those of its results, by running it forth and back."""
    loop, values, bars, totals, wanted = _call(args, params)
    parts = loop.split(wanted)
    sweep = Sweep(loop, parts, values)
    back = reverse_body(loop, parts, params["seeded"])
    found = sweep.back(back, sweep.forth()[1], bars, totals)
    full = [zeros_like(x) if bar is None else bar for x, bar in zip(values, found, strict=True)]
    return tuple(marked(full, wanted))


def _shape(_primitive: Primitive, *args: Any, **params: Any) -> tuple[Abstract, ...]:
    values, _ = groups(args, (len(params["wanted"]),))
    return tuple(marked(map(Abstract.of, values), params["wanted"]))


def _pushforward(
    args: Sequence[Any], dots: Sequence[Any], params: dict[str, Any]
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    loop, values, bars, totals, wanted = _call(args, params)
    _, value_dots, bar_dots, total_dots, _ = _call(dots, params)
    full = [
        zeros_like(x) if wants and dot is None else dot
        for x, dot, wants in zip(values, value_dots, wanted, strict=True)
    ]
    dotted, out_dotted = loop.varying([dot is not None for dot in full])
    sizes, marks = loop.in_sizes[1:], dotted[1:]
    found = _pull(
        loop.pushed(dotted, out_dotted),
        loop.with_dots(values, full, dotted),
        interleave(bar_dots, bars, out_dotted, (loop.carry,)),
        interleave(wanted, wanted, marks, sizes),
        interleave(total_dots, totals, marks, sizes),
    )
    tangents, primals = separate(found, marks, sizes)
    return tuple(marked(primals, wanted)), tuple(marked(tangents, wanted))


def _linearize(
    args: Sequence[Any], differentiated: Sequence[bool], params: dict[str, Any]
) -> tuple[tuple[Any, ...], Joint]:
    outs = bind(loop_pullback, tuple(args), params)
    args = with_snapshots(args, differentiated)

    def pull(cotangents: Sequence[Any]) -> list[Any]:
        loop, values, bars, _, wanted = _call(args, params)
        directions = spread(cotangents, wanted)
        _, out_dots = loop.push(values, directions)
        dotted, out_dotted = loop.varying([dot is not None for dot in directions])
        sizes, marks = loop.in_sizes[1:], dotted[1:]
        found = _pull(
            loop.pushed(dotted, out_dotted),
            loop.with_dots(values, directions, dotted),
            interleave([None] * len(bars), bars, out_dotted, (loop.carry,)),
            interleave(differentiated[: len(values)], [False] * len(values), marks, sizes),
        )
        values_bar, _ = separate(found, marks, sizes)
        return [
            *values_bar,
            *marked(out_dots, params["seeded"]),
            *marked(directions, params["onto"]),
        ]

    return outs, Joint(lambda *dots: _pushforward(args, dots, params)[1], pull)


def _batch(
    _primitive: Primitive,
    size: int,
    mapped: Sequence[bool],
    args: Sequence[Any],
    params: dict[str, Any],
) -> tuple[Any, ...]:
    loop, values, bars, totals, wanted = _call(args, params)
    _, values_mapped, bars_mapped, totals_mapped, _ = _call(mapped, params)
    # Each example has its own cotangent of what all of them share.
    marks = [one or wants for one, wants in zip(values_mapped, wanted, strict=True)]
    values = [
        in_front(x, size, mapped=one) if mark else x
        for x, one, mark in zip(values, values_mapped, marks, strict=True)
    ]
    totals = [
        None if total is None else in_front(total, size, mapped=one)
        for total, one in zip(totals, totals_mapped, strict=True)
    ]
    many, inputs, outputs = loop.batched(size, marks)
    out_bars = [
        None if bar is None or not mark else in_front(bar, size, mapped=one)
        for bar, one, mark in zip(bars, bars_mapped, outputs, strict=True)
    ]
    carry, ys = groups(out_bars, (loop.carry,))
    ys = [None if bar is None else np.swapaxes(bar, 0, 1) for bar in ys]
    args = loop.to_batch(size, marks, inputs, values)
    found = _pull(many, args, [*carry, *ys], wanted, totals)
    consts, carry_bars, xs_bars = groups(found, loop.in_sizes[1:])
    results = [
        *consts,
        *carry_bars,
        *(None if bar is None else np.swapaxes(bar, 0, 1) for bar in xs_bars),
    ]
    full = [zeros_like(x) if bar is None else bar for x, bar in zip(values, results, strict=True)]
    return tuple(marked(full, wanted))


def _cost(costs: dict[str, Cost], **params: Any) -> Cost:
    """What the sweep forth and the sweep back cost."""
    fields = {name: x for name, x in params.items() if name not in ("wanted", "seeded", "onto")}
    loop, wanted = Loop(**fields), params["wanted"]
    parts = loop.split(wanted)
    back = reverse_body(loop, parts, params["seeded"])
    total = cost(parts.keeping) + cost(back.graph)
    if loop.condition is not None:
        return (total + costs["condition"] + cost(back.preamble)).once()
    again = evaluations(loop.length, snapshots(loop))
    return total * loop.length + costs["body"] * again + cost(back.preamble)


loop_pullback = rule(_value, Nested(_shape, _batch, cost=_cost), name="loop_pullback")(
    FullRule(_pushforward, _linearize)
)
