"""Reverse mode of loops: with all kept that it reads, or with few states and recomputation.

The reverse loop reads values of each iteration. A `scan` keeps and stacks them. With `checkpoint`
few states of the carry are kept, and what lies between them is computed again. Of a loop that ends
when a condition says so, it isn't known how many there will be: on plain arrays they are kept in a
list; otherwise the loop is run anew, by `loop_pullback`, which runs it forth and back in one go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from pullback.core.maps import Followed
from pullback.core.memory import with_snapshots
from pullback.core.primitive import FullRule
from pullback.core.structure.axes import Marks, Params, Row
from pullback.core.tracing import Tracer, strip
from pullback.graph.variable import Variable
from pullback.rules.control_flow.contents import leaves_out
from pullback.rules.control_flow.counted_reversal import ThereAndBack, there_and_back
from pullback.rules.control_flow.loop import Loop, scan, while_loop
from pullback.rules.control_flow.loop_pullback import pull_loop
from pullback.rules.control_flow.pushed_loop import push_loop
from pullback.rules.control_flow.pushing import given
from pullback.rules.control_flow.recomputation import back, forth
from pullback.rules.control_flow.splitting import Split
from pullback.rules.control_flow.still import LastCarries
from pullback.transforms.masks import zeros_of
from pullback.transforms.support import NOWHERE

__all__: list[str] = []


def _linearize(values: Row, wanted: Marks, params: Params) -> tuple[tuple[Any, ...], Followed]:
    loop: Loop = params["loop"]
    recorded = any(type(strip(x)) is Variable for x in values if type(x) is Tracer)
    if loop.condition is not None or loop.checkpoint is not None:
        both_ways = there_and_back(loop, wanted) if recorded else None
        if both_ways is not None:
            return _counting(both_ways, values, wanted)
        return _by_recomputation(loop, loop.split(wanted), values, wanted)
    parts = loop.split(wanted, LastCarries.of(loop) if recorded else None)
    count = len(loop.body.outputs)
    results = replace(loop, body=parts.forward)(values)
    outs, kept = results[:count], results[count:]
    values = with_snapshots(values, wanted)
    last = with_snapshots(outs, loop.varying(wanted)[1]) if recorded else ()

    def pull_onto(bars: Row, totals: Row, supports: Row) -> tuple[Row, Row]:
        seeded, runs = [bar is not None for bar in bars], loop.length > 0
        body = loop.reversed(parts, seeded, tuple(map(zeros_of, supports)))

        def part(*, masks: bool) -> Callable[[], tuple[Row, Sequence[int]]]:
            backwards, inputs, outputs = loop.backwards(body, loop.length, masks=masks)
            given_ones = values, kept, bars, totals, supports
            row = body.arguments(given_ones, inputs, runs=runs, last=last)
            return lambda: (backwards(given(row, alone=masks)), outputs)

        def prepare() -> Callable[[], Row]:
            run = part(masks=True)
            return lambda: body.masks(*run())

        first = part(masks=False)()
        return body.placed(*first, totals), body.supports(prepare, body.masks(*first), runs=runs)

    return outs, _maps(loop, values, pull_onto, len(outs))


def _counting(
    both_ways: ThereAndBack, values: Row, wanted: Marks
) -> tuple[tuple[Any, ...], Followed]:
    """Of a loop that counts, while it is recorded."""
    loop, count = both_ways.loop, both_ways.count
    plain = count.plain
    outs, kept = both_ways.forth(values)
    args = count.arguments(with_snapshots(values, wanted))
    last = with_snapshots(outs, loop.varying(wanted)[1])
    last.pop(count.place)

    def pull_onto(bars: Row, totals: Row, supports: Row) -> tuple[Row, Row]:
        row = [[*bars], [*supports]]
        for each in row:
            each.pop(count.place)
        bars, supports = row
        seeded = [bar is not None for bar in bars]
        body = plain.reversed(both_ways.parts, seeded, tuple(map(zeros_of, supports)))
        totals = [None, *count.arguments(totals)[1:]]

        def run(*, masks: bool) -> tuple[Row, Sequence[int]]:
            return both_ways.back(body, (args, kept, bars, totals, supports), last, masks=masks)

        def prepare() -> Callable[[], Row]:
            return lambda: body.masks(*run(masks=True))

        first = run(masks=False)
        told = body.supports(prepare, body.masks(*first), runs=False)
        found = count.restored(body.placed(*first, totals), None)
        return found, count.restored(told, NOWHERE)

    return tuple(outs), _maps(loop, values, pull_onto, len(outs))


def _by_recomputation(
    loop: Loop, parts: Split, values: Row, wanted: Marks
) -> tuple[tuple[Any, ...], Followed]:
    """On plain arrays the run that gives the results keeps what the first pullback starts from.

    Any other one runs the loop again.
    """
    plain = not _traced(values)
    values = with_snapshots(values, wanted)
    states: list[list[list[Any]]] = []
    if plain:
        outs, first = forth(loop, parts, values)
        states.append(first)
    else:
        outs = loop(values)

    def pull_onto(bars: Row, totals: Row, supports: Row) -> tuple[Row, Row]:
        if not plain or _traced((*bars, *totals)):
            pulled, told = pull_loop(loop, values, (bars, supports), wanted, totals)
            return pulled(), told

        seeded = [bar is not None for bar in bars]
        body = loop.reversed(parts, seeded, tuple(map(zeros_of, supports)))

        def run(*, masks: bool) -> tuple[Row, Sequence[int]]:
            try:
                kept = states.pop()
            except IndexError:
                _, kept = forth(loop, parts, values)
            return back(loop, parts, body, (values, kept, bars, totals, supports), masks=masks)

        def prepare() -> Callable[[], Row]:
            return lambda: body.masks(*run(masks=True))

        first, there = run(masks=False)
        told = body.supports(prepare, body.masks(first, there), runs=loop.runs(values))
        return body.placed(first, there, totals), told

    return outs, _maps(loop, values, pull_onto, len(outs))


def _maps(loop: Loop, values: Row, pull_onto: Callable[..., Any], width: int) -> Followed:
    def push(dots: Row, supports: Row) -> tuple[Row, Row]:
        _, out_dots, follow = push_loop(loop, values, dots, supports)
        return out_dots, follow(supports)

    return Followed(push, pull_onto, (len(values), width), masks=leaves_out(loop.body))


def _traced(values: Row) -> bool:
    return any(type(x) is Tracer for x in values)


for _loop in (scan, while_loop):
    _loop.set_rule(
        FullRule(
            lambda values, dots, params, supports: push_loop(
                params["loop"], values, dots, supports
            ),
            _linearize,
            follows=True,
        )
    )
