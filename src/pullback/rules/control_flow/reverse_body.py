"""The body of a reverse loop: the linear part of a loop's body, and what it hands to itself."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np

from pullback.core.structure.axes import Row
from pullback.core.zeros import Changing, Zeros, changing, ordinary, stronger
from pullback.graph.building import flat_graph, like
from pullback.rules.control_flow.derived import both, zeros_like
from pullback.rules.control_flow.splitting import LinearPart, Split

__all__ = ["Given", "ReverseBody"]


class Given(NamedTuple):
    """What a reverse loop is given.

    Attributes
    ----------
    seeded : tuple of bool
        Which of the results of the loop have a cotangent.
    zeros : tuple of Zeros
        What the zeros of these are.
    start : int or None
        The index of the iteration that gets them, if it is known.
    once : bool
        Whether there is no other iteration.
    """

    seeded: tuple[bool, ...]
    zeros: tuple[Zeros, ...]
    start: int | None
    once: bool


class ReverseBody:
    """The body of the reverse loop, where some results of the loop have a cotangent.

    It carries the cotangents of the consts, which it adds to, and those of the carry; `sizes` tells
    how many consts and carries it has. It scans what the forward loop has scanned, what it has
    kept, and the cotangents of what it has stacked; it stacks the cotangents of what has been
    scanned. What it reads that depends on the consts alone is its `preamble`, to be evaluated once.
    """

    def __init__(self, parts: Split, given: Given, consts: int, carry: int) -> None:
        body, first_carry, first_x = parts.body, 1 + consts, 1 + consts + carry
        linear, kinds = _settled(parts, given, first_carry, carry)
        reads, onto, results = linear.reads, linear.onto, linear.results
        self.preamble = linear.preamble
        self._consts = consts
        # Positions are those of arguments and results of the loop, and of what it keeps.
        self._read_consts = [i - 1 for i in reads if 1 <= i < first_carry]
        self._read_xs = [i - 1 for i in reads if i >= first_x]
        self._kept = list(linear.kept)
        self._onto = [i - 1 for i in onto]
        self._carry_bars = {i: x for i, x in linear.bars.items() if i < carry}
        self._out_bars = [i for i in linear.bars if i >= carry]
        xs_bars = [i - 1 for i in results if i >= first_x]
        self._places = [*self._onto, *(consts + i for i in self._carry_bars), *xs_bars]
        self.sizes = (
            len(self._read_consts) + len(linear.fixed),
            len(self._onto) + len(self._carry_bars),
        )
        self._zeros = [
            *(linear.zeros[i] for i in onto),
            *(kinds[i] for i in self._carry_bars),
            *(linear.zeros[i + 1] for i in xs_bars),
        ]
        constants, next_bars = dict(linear.constants), []
        for i, x in self._carry_bars.items():
            bar = results.get(first_carry + i)
            if bar is None:
                bar = like(x)
                constants[bar] = np.zeros(bar.shape, bar.dtype)
            next_bars.append(bar)
        inputs = [
            reads.get(0, like(body.inputs[0])),
            *(reads[i + 1] for i in self._read_consts),
            *linear.fixed,
            *onto.values(),
            *self._carry_bars.values(),
            *(reads[i + 1] for i in self._read_xs),
            *linear.kept.values(),
            *(linear.bars[i] for i in self._out_bars),
        ]
        names = body.signature.names
        called = {x: names[i] for i, x in reads.items()}
        called |= {x: f"fixed{i}" for i, x in enumerate(linear.fixed)}
        called |= {x: f"kept{i}" for i, x in enumerate(linear.kept.values())}
        called |= {x: f"{names[i]}_bar" for i, x in onto.items()}
        called |= {x: f"{names[first_carry + i]}_bar" for i, x in self._carry_bars.items()}
        called |= {linear.bars[i]: f"y{i - carry}_bar" for i in self._out_bars}
        self.graph = flat_graph(
            f"{body.name}_bar",
            inputs,
            constants,
            linear.equations,
            [*(results[i] for i in onto), *next_bars, *(results[i + 1] for i in xs_bars)],
            [called.get(x, "i") for x in inputs],
        )

    def arguments(self, values: Row, kept: Row, bars: Row, totals: Row, *, runs: bool) -> list[Any]:
        """The arguments of the reverse loop, from those of the loop and what it kept, stacked.

        There is a cotangent, or `None`, for each of its results, and a total for each of its
        arguments. If it never `runs`, what depends on the consts alone is not computed: it may not
        exist.
        """
        fixed = self.preamble
        return [
            *(values[i] for i in self._read_consts),
            *(fixed.run(values[: self._consts]) if runs else map(zeros_like, fixed.outputs)),
            *(zeros_like(values[i]) if totals[i] is None else totals[i] for i in self._onto),
            *(zeros_like(x) if bars[i] is None else bars[i] for i, x in self._carry_bars.items()),
            *(values[i] for i in self._read_xs),
            *(kept[i] for i in self._kept),
            *(bars[i] for i in self._out_bars),
        ]

    def placed(self, results: Row, totals: Row) -> list[Any]:
        """A cotangent for each argument of the loop, added to its total; `None` is zero."""
        bars = list(totals)
        for place, bar in zip(self._places, results, strict=True):
            began_there = place < self._consts or bars[place] is None
            bars[place] = bar if began_there else bars[place] + bar
        return bars

    def zeros(self, count: int, *, runs: bool) -> list[Zeros]:
        """What the zeros are of these cotangents, of so many arguments; see `Followed`."""
        kinds = [Zeros.EVERYWHERE] * count
        for number, (place, kind) in enumerate(zip(self._places, self._zeros, strict=True)):
            if runs or number >= self.sizes[1]:
                kinds[place] = kind
        return kinds


def _settled(
    parts: Split, given: Given, first: int, carry: int
) -> tuple[LinearPart, tuple[Zeros, ...]]:
    """The linear part of a body that hands its cotangents of the carry to itself.

    Those that have not been given start with zeros. Returned is besides what the zeros of the
    carry's cotangents are after an iteration.
    """
    marks = both(given.seeded, parts.seeded)
    grown = parts.grown(marks, {first + i: i for i in range(carry)})
    kinds = [
        kind if seeded else Zeros.AT_POLES if mark else Zeros.ORDINARY
        for kind, seeded, mark in zip(given.zeros, marks, grown, strict=True)
    ]
    later: tuple[Zeros, ...] = ordinary(carry)
    while True:
        carried: Iterable[Zeros | Changing] = kinds[:carry]
        if not given.once:
            carried = map(changing, kinds[:carry], later, repeat(given.start))
        linear = parts.linear(grown, [*carried, *kinds[carry:]])
        after = tuple(
            Zeros.ORDINARY
            if i not in linear.bars
            else linear.zeros[first + i]
            if first + i in linear.results
            else Zeros.EVERYWHERE
            for i in range(carry)
        )
        if given.once or stronger((later, after)) == later:
            return linear, after
        later = stronger((later, after))
