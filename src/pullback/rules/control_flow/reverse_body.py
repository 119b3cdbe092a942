"""The body of a reverse loop, and what goes into the reverse loop and comes out of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.graph.building import flat_graph, like
from pullback.graph.variable import Variable
from pullback.rules.control_flow.derived import derived, groups, zeros_like
from pullback.rules.control_flow.loop import Loop
from pullback.rules.control_flow.splitting import LinearPart, Split

__all__ = ["ReverseBody", "reverse_body"]


def reverse_body(loop: Loop, parts: Split, seeded: Sequence[bool]) -> ReverseBody:
    """The body of the reverse loop, where these results of the loop have a cotangent."""
    return derived(
        loop.body,
        ("reverse", parts.varying, tuple(seeded), loop.consts, loop.carry),
        lambda: ReverseBody(loop, parts, seeded),
    )


class ReverseBody:
    """The body of the reverse loop.

    It carries the cotangents of the consts, which it adds to, and those of the carry. It scans
    what the forward loop has scanned, what it has kept, and the cotangents of what it has stacked;
    it stacks the cotangents of what has been scanned.

    Attributes
    ----------
    graph : Graph
    consts, carry : int
        How many there are.
    read_consts, read_xs : list of int
        Which consts and scanned arrays it reads.
    kept : list of int
        Which of the kept values it reads.
    total_consts, carry_bars, xs_bars : list of int
        Which consts, carries and scanned arrays have a cotangent.
    out_bars : list of int
        Which stacked results have one.
    preamble : Graph
        What it reads that depends on the consts alone, to be evaluated once.
    """

    def __init__(self, loop: Loop, parts: Split, seeded: Sequence[bool]) -> None:
        first_carry = 1 + loop.consts
        first_x = first_carry + loop.carry
        seeded = self._grown(loop, parts, seeded)
        linear = parts.linear(seeded)
        reads, bars = linear.reads, linear.bars
        self.read_consts = [i - 1 for i in reads if 1 <= i < first_carry]
        self.read_xs = [i - first_x for i in reads if i >= first_x]
        self.kept = list(linear.kept)
        self.total_consts = [i - 1 for i in linear.onto]
        self.carry_bars = [i for i in bars if i < loop.carry]
        self.out_bars = [i - loop.carry for i in bars if i >= loop.carry]
        self.xs_bars = [i - first_x for i in linear.results if i >= first_x]
        self.preamble = linear.preamble
        index = reads.get(0, like(loop.body.inputs[0]))
        inputs = [
            index,
            *(reads[i + 1] for i in self.read_consts),
            *linear.fixed,
            *linear.onto.values(),
            *(bars[i] for i in self.carry_bars),
            *(reads[i + first_x] for i in self.read_xs),
            *linear.kept.values(),
            *(bars[i + loop.carry] for i in self.out_bars),
        ]
        self.consts = len(self.read_consts) + len(linear.fixed)
        self.carry = len(self.total_consts) + len(self.carry_bars)
        results = linear.results
        constants = dict(linear.constants)
        outputs = [results[i] for i in linear.onto]
        for i in self.carry_bars:
            bar = results.get(first_carry + i)
            if bar is None:
                bar = like(bars[i])
                constants[bar] = np.zeros(bar.shape, bar.dtype)
            outputs.append(bar)
        outputs += [results[i + first_x] for i in self.xs_bars]
        self.graph = flat_graph(
            f"{loop.body.name}_bar",
            inputs,
            constants,
            linear.equations,
            outputs,
            _names(loop, linear, inputs),
        )

    def loop(self, loop: Loop) -> Loop:
        """The reverse loop of a loop without a condition."""
        return Loop(
            self.graph,
            self.consts,
            self.carry,
            start=loop.start,
            length=loop.length,
            reverse=not loop.reverse,
        )

    def arguments(
        self,
        loop: Loop,
        values: Sequence[Any],
        kept: Sequence[Any],
        bars: Sequence[Any],
        totals: Sequence[Any],
    ) -> list[Any]:
        """The arguments of the reverse loop.

        Parameters
        ----------
        loop : Loop
            The forward loop.
        values : sequence
            Its arguments.
        kept : sequence
            The kept values, stacked.
        bars : sequence
            A cotangent, or `None`, for each of its results.
        totals : sequence
            What the cotangents of its arguments are added to, or `None`.
        """
        consts, _, xs = groups(values, loop.in_sizes[1:])
        return [
            *self.start(loop, consts, bars, totals, runs=loop.length > 0),
            *(xs[i] for i in self.read_xs),
            *(kept[i] for i in self.kept),
            *(bars[loop.carry + i] for i in self.out_bars),
        ]

    def start(
        self,
        loop: Loop,
        consts: Sequence[Any],
        bars: Sequence[Any],
        totals: Sequence[Any],
        *,
        runs: bool,
    ) -> list[Any]:
        """The consts of the reverse loop, and its first carry.

        Without an iteration, what the consts are for is not computed: it may not exist.
        """
        fixed = self.preamble.outputs
        return [
            *(consts[i] for i in self.read_consts),
            *(self.preamble.run(list(consts)) if runs else map(zeros_like, fixed)),
            *(zeros_like(consts[i]) if totals[i] is None else totals[i] for i in self.total_consts),
            *(
                zeros_like(loop.body.outputs[i]) if bars[i] is None else bars[i]
                for i in self.carry_bars
            ),
        ]

    def placed(self, loop: Loop, results: Sequence[Any], totals: Sequence[Any]) -> list[Any]:
        """A cotangent for each argument of the loop, added to its total; `None` is zero."""
        first_x = loop.consts + loop.carry
        places = [
            *self.total_consts,
            *(loop.consts + i for i in self.carry_bars),
            *(first_x + i for i in self.xs_bars),
        ]
        bars = list(totals)
        for place, bar in zip(places, results, strict=True):
            began_there = place < loop.consts or bars[place] is None
            bars[place] = bar if began_there else bars[place] + bar
        return bars

    @staticmethod
    def _grown(loop: Loop, parts: Split, seeded: Sequence[bool]) -> list[bool]:
        """Which outputs of the body get a cotangent, once the reverse loop has gone around."""
        marks = [a and b for a, b in zip(seeded, parts.seeded, strict=True)]
        first = 1 + loop.consts
        return parts.grown(marks, {first + i: i for i in range(loop.carry)})


def _names(loop: Loop, linear: LinearPart, inputs: Sequence[Variable]) -> list[str]:
    """What to call the inputs of the reverse body."""
    names = loop.body.signature.names
    found = {x: names[i] for i, x in linear.reads.items()}
    found |= {x: f"fixed{i}" for i, x in enumerate(linear.fixed)}
    found |= {x: f"kept{i}" for i, x in enumerate(linear.kept.values())}
    found |= {x: f"{names[i]}_bar" for i, x in linear.onto.items()}
    first = 1 + loop.consts
    found |= {
        x: f"{names[first + i]}_bar" if i < loop.carry else f"y{i - loop.carry}_bar"
        for i, x in linear.bars.items()
    }
    return [found.get(x, "i") for x in inputs]
