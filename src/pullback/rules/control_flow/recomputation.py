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
from typing import Any

import numpy as np

from pullback.core.interpreter import snapshot
from pullback.core.linear import Joint
from pullback.core.primitive import Primitive, bind, registry
from pullback.core.shapes import Abstract
from pullback.core.tracer import Tracer
from pullback.graph.cost import Cost, cost
from pullback.rules.batching import in_front
from pullback.rules.control_flow.derived import groups, interleave, separate, zeros_like
from pullback.rules.control_flow.loop import Loop
from pullback.rules.control_flow.schedule import evaluations
from pullback.rules.control_flow.sweep import Sweep, snapshots

__all__ = ["linearize_by_recomputation", "loop_pullback"]

Marks = tuple[bool, ...]


def linearize_by_recomputation(
    loop: Loop, values: Sequence[Any], wanted: Sequence[bool]
) -> tuple[tuple[Any, ...], Joint]:
    """The results of a loop and its linear maps; see `Primitive.linearize`.

    On plain arrays the run that gives the results keeps what the first pullback starts from. Any
    other one runs the loop again.
    """
    parts = loop.split(wanted)
    plain = not _traced(values)
    values = [x if wants else snapshot(x) for x, wants in zip(values, wanted, strict=True)]
    kept: list[list[Any]] = []
    if plain:
        outs, first = Sweep(loop, parts, values).forth()
        kept.append(first)
    else:
        outs = loop(values)

    def pull(bars: Sequence[Any]) -> list[Any]:
        seeded = tuple(bar is not None for bar in bars)
        if not plain or _traced(bars):
            return _pull(loop, values, bars, wanted)
        sweep = Sweep(loop, parts, values)
        try:
            states = kept.pop()
        except IndexError:
            _, states = sweep.forth()
        return sweep.back(loop.reverse_body(parts, seeded), states, bars)

    return outs, Joint(lambda *dots: loop.push(values, dots)[1], pull)


def _traced(values: Sequence[Any]) -> bool:
    return any(type(x) is Tracer for x in values)


def _pull(loop: Loop, values: Sequence[Any], bars: Sequence[Any], wanted: Sequence[bool]) -> list[Any]:
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
    """
    seeded = tuple(bar is not None for bar in bars)
    if not any(seeded):
        return [None] * len(values)
    args = (*values, *(bar for bar in bars if bar is not None))
    params = {**_fields(loop), "wanted": tuple(wanted), "seeded": seeded}
    found = iter(bind(loop_pullback, args, params))
    return [next(found) if wants else None for wants in wanted]


def _fields(loop: Loop) -> dict[str, Any]:
    return {"condition": loop.condition, **replace(loop, condition=None).params}


def _taken_apart(
    args: Sequence[Any], params: dict[str, Any]
) -> tuple[Loop, Sequence[Any], list[Any], Marks]:
    """The loop, its arguments, a cotangent or `None` for each result, and what is wanted."""
    fields = dict(params)
    wanted, seeded = fields.pop("wanted"), fields.pop("seeded")
    values, some = groups(args, (len(wanted),))
    remaining = iter(some)
    return Loop(**fields), values, [next(remaining) if s else None for s in seeded], wanted


def _value(*args: Any, **params: Any) -> tuple[Any, ...]:
    loop, values, bars, wanted = _taken_apart(args, params)
    parts = loop.split(wanted)
    sweep = Sweep(loop, parts, values)
    back = loop.reverse_body(parts, params["seeded"])
    found = sweep.back(back, sweep.forth()[1], bars)
    return tuple(
        zeros_like(x) if bar is None else bar
        for x, bar, wants in zip(values, found, wanted, strict=True)
        if wants
    )


def _shape(*args: Any, **params: Any) -> tuple[Abstract, ...]:
    return tuple(Abstract.of(x) for x, wants in zip(args, params["wanted"], strict=False) if wants)


def _pushforward(
    args: Sequence[Any], dots: Sequence[Any], params: dict[str, Any]
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    loop, values, bars, wanted = _taken_apart(args, params)
    _, value_dots, bar_dots, _ = _taken_apart(dots, params)
    full = [
        zeros_like(x) if wants and dot is None else dot
        for x, dot, wants in zip(values, value_dots, wanted, strict=True)
    ]
    dotted, out_dotted = loop.varying([dot is not None for dot in full])
    both = loop.pushed(dotted, out_dotted)
    sizes, marks = loop.in_sizes[1:], dotted[1:]
    found = _pull(
        both,
        loop.with_dots(values, full, dotted),
        interleave(bar_dots, bars, out_dotted, (loop.carry,)),
        interleave(wanted, wanted, marks, sizes),
    )
    tangents, primals = separate(found, marks, sizes)
    return _marked(primals, wanted), _marked(tangents, wanted)


def _marked(row: Sequence[Any], marks: Sequence[bool]) -> tuple[Any, ...]:
    return tuple(x for x, marked in zip(row, marks, strict=True) if marked)


def _linearize(
    args: Sequence[Any], differentiated: Sequence[bool], params: dict[str, Any]
) -> tuple[tuple[Any, ...], Joint]:
    loop, _, _, wanted = _taken_apart(args, params)
    outs = bind(loop_pullback, tuple(args), params)
    args = [x if wants else snapshot(x) for x, wants in zip(args, differentiated, strict=True)]

    def pull(cotangents: Sequence[Any]) -> list[Any]:
        _, values, bars, _ = _taken_apart(args, params)
        given = iter(cotangents)
        directions = [next(given) if wants else None for wants in wanted]
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
        seeded = params["seeded"]
        return [*values_bar, *(dot for dot, seed in zip(out_dots, seeded, strict=True) if seed)]

    return outs, Joint(lambda *dots: _pushforward(args, dots, params)[1], pull)


def _batch(
    _primitive: Primitive,
    size: int,
    mapped: Sequence[bool],
    args: Sequence[Any],
    params: dict[str, Any],
) -> tuple[Any, ...]:
    loop, values, bars, wanted = _taken_apart(args, params)
    _, values_mapped, bars_mapped, _ = _taken_apart(mapped, params)
    # Each example has its own cotangent of what all of them share.
    marks = [one or wants for one, wants in zip(values_mapped, wanted, strict=True)]
    values = [
        in_front(x, size, mapped=one) if marked else x
        for x, one, marked in zip(values, values_mapped, marks, strict=True)
    ]
    many, inputs, outputs = loop.batched(size, marks)
    out_bars = [
        None if bar is None or not marked else in_front(bar, size, mapped=one)
        for bar, one, marked in zip(bars, bars_mapped, outputs, strict=True)
    ]
    carry, ys = groups(out_bars, (loop.carry,))
    ys = [None if bar is None else np.swapaxes(bar, 0, 1) for bar in ys]
    full = loop.to_batch(size, marks, inputs, values)
    found = _pull(many, full, [*carry, *ys], wanted)
    consts, carry_bars, xs_bars = groups(found, loop.in_sizes[1:])
    results = [
        *consts,
        *carry_bars,
        *(None if bar is None else np.swapaxes(bar, 0, 1) for bar in xs_bars),
    ]
    return tuple(
        zeros_like(x) if bar is None else bar
        for x, bar, wants in zip(values, results, wanted, strict=True)
        if wants
    )


def _cost(costs: dict[str, Cost], **params: Any) -> Cost:
    """What the sweep forth and the sweep back cost."""
    loop, _, _, wanted = _taken_apart((None,) * len(params["wanted"]), {**params, "seeded": ()})
    parts = loop.split(wanted)
    back = loop.reverse_body(parts, params["seeded"])
    total = cost(parts.keeping) + cost(back.graph)
    if loop.condition is not None:
        return (total + costs["condition"] + cost(back.preamble)).once()
    again = evaluations(loop.length, snapshots(loop))
    return total * loop.length + costs["body"] * again + cost(back.preamble)


loop_pullback = Primitive(
    "loop_pullback",
    _value,
    multiple=True,
    batch=_batch,
    shape=_shape,
    cost=_cost,
    pushforward=_pushforward,
    linearize=_linearize,
)
registry[loop_pullback.name] = loop_pullback
