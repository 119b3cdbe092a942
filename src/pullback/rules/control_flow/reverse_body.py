"""The body of a reverse loop: the linear part of a loop's body, and what it hands to itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from pullback.core.structure.axes import Row
from pullback.core.zeros import Begun, Kind, Zeros, begun, ordinary, stronger
from pullback.graph.building import flat_graph, like
from pullback.graph.program import Atom
from pullback.graph.variable import Variable
from pullback.rules.control_flow.derived import both, mask_like, zeros_like
from pullback.rules.control_flow.pushing import masked
from pullback.rules.control_flow.splitting import LinearPart, Split
from pullback.transforms.masks import of_rows
from pullback.transforms.support import NOWHERE, Support

__all__ = ["Arguments", "Given", "ReverseBody"]


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
        Whether there is no more than one iteration.
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
    scanned. Among each of these come after the cotangents the masks that tell their strong zeros.
    What it reads that depends on the consts alone is its `preamble`, to be evaluated once.
    """

    def __init__(self, parts: Split, given: Given, consts: int, carry: int) -> None:
        body, first_carry, first_x = parts.body, 1 + consts, 1 + consts + carry
        linear, first, later = _settled(parts, given, first_carry, carry)
        reads, onto, results = linear.reads, linear.onto, linear.results
        self.preamble = linear.preamble
        self._consts, self._count = consts, len(body.inputs) - 1
        # Positions are those of arguments and results of the loop, and of what it keeps.
        self._read_consts = [i - 1 for i in reads if 1 <= i < first_carry]
        self._read_xs = [i - 1 for i in reads if i >= first_x]
        self._last = list(linear.last)
        self._kept = list(linear.kept)
        self._onto = [i - 1 for i in onto]
        carry_bars = {i: x for i, x in linear.bars.items() if i < carry}
        self._carry = list(carry_bars)
        self._masked = [
            i for i in carry_bars if not isinstance(first[i], Begun) and (first[i] or later[i])
        ]
        self._out_bars = [i for i in linear.bars if i >= carry]
        self._out_masks = [i for i in linear.bar_masks if i >= carry]
        self._xs_bars = [i - 1 for i in results if i >= first_x]
        self._xs_masks = [i for i in self._xs_bars if i + 1 in linear.masks]
        self.sizes = (
            len(self._read_consts) + len(linear.fixed) + len(linear.last),
            2 * len(self._onto) + len(carry_bars) + len(self._masked),
        )
        # What the zeros of the cotangents are, of the carry in the beginning and afterwards.
        self._started = {
            consts + i: Zeros.ORDINARY if isinstance(kind, Begun) else kind
            for i, kind in enumerate(first)
            if i in carry_bars
        }
        self._zeros = {
            **{i: linear.zeros[i + 1] for i in (*self._onto, *self._xs_bars)},
            **{consts + i: later[i] for i in carry_bars},
        }
        constants = dict(linear.constants)

        def constant(array: Any, x: Variable) -> Variable:
            made = like(x)
            constants[made] = array
            return made

        def bar(i: int, x: Variable) -> Atom:
            found = results.get(i)
            return constant(np.zeros(x.shape, x.dtype), x) if found is None else found

        def mask(i: int, x: Variable) -> Atom:
            found = linear.masks.get(i)
            return constant(np.full(x.shape, i in results), x) if found is None else found

        masks = {i: mask_like(carry_bars[i]) for i in self._masked} | {
            i: x for i, x in linear.bar_masks.items() if i < carry
        }
        names = body.signature.names
        inputs = {
            reads.get(0, like(body.inputs[0])): names[0],
            **{reads[i + 1]: names[i + 1] for i in self._read_consts},
            **{x: f"fixed{i}" for i, x in enumerate(linear.fixed)},
            **{x: f"{names[first_carry + i]}_last" for i, x in linear.last.items()},
            **{x: f"{names[i]}_bar" for i, x in onto.items()},
            **{x: f"{names[first_carry + i]}_bar" for i, x in carry_bars.items()},
            **{linear.onto_masks[i]: f"{names[i]}_bar_kept" for i in onto},
            **{x: f"{names[first_carry + i]}_bar_kept" for i, x in masks.items()},
            **{reads[i + 1]: names[i + 1] for i in self._read_xs},
            **{x: f"kept{i}" for i, x in enumerate(linear.kept.values())},
            **{linear.bars[i]: f"y{i - carry}_bar" for i in self._out_bars},
            **{linear.bar_masks[i]: f"y{i - carry}_bar_kept" for i in self._out_masks},
        }
        outputs = [
            *(results[i] for i in onto),
            *(bar(first_carry + i, x) for i, x in carry_bars.items()),
            *(mask(i, linear.onto_masks[i]) for i in onto),
            *(mask(first_carry + i, x) for i, x in masks.items()),
            *(results[i + 1] for i in self._xs_bars),
            *(linear.masks[i + 1] for i in self._xs_masks),
        ]
        self.graph = flat_graph(
            f"{body.name}_bar",
            [*inputs],
            constants,
            linear.equations,
            outputs,
            [*inputs.values()],
        )

    @property
    def fixed(self) -> range:
        """The places of what the preamble gives, among the arguments of the reverse loop."""
        start = len(self._read_consts)
        return range(start, start + len(self.preamble.outputs))

    def asks(self, *, masks: bool) -> list[bool]:
        """Marks of the outputs: the masks, or all others."""
        counts = (
            (len(self._onto) + len(self._carry), False),
            (len(self._onto) + len(self._masked), True),
            (len(self._xs_bars), False),
            (len(self._xs_masks), True),
        )
        return [kind is masks for count, kind in counts for _ in range(count)]

    def arguments(
        self, given_ones: Arguments, places: Sequence[int], *, runs: bool, last: Row = ()
    ) -> list[Any]:
        """The arguments of the reverse loop at these places, from those of the loop.

        What the loop carries is in the end the `last` one, where that is read.
        If it never `runs`, what depends on the consts alone is not computed: it may not exist. What
        is returned is to be found by `given`.
        """
        values, kept, bars, totals, supports = given_ones
        needs_fixed = any(i in self.fixed for i in places)
        row = [
            *(values[i] for i in self._read_consts),
            *(
                self.preamble.run(values[: self._consts])
                if runs and needs_fixed
                else map(zeros_like, self.preamble.outputs)
            ),
            *(last[i] for i in self._last),
            *(zeros_like(values[i]) if totals[i] is None else totals[i] for i in self._onto),
            *(
                zeros_like(values[self._consts + i]) if bars[i] is None else bars[i]
                for i in self._carry
            ),
            *(masked(NOWHERE, values[i]) for i in self._onto),
            *(
                masked(NOWHERE if bars[i] is None else supports[i], values[self._consts + i])
                for i in self._masked
            ),
            *(values[i] for i in self._read_xs),
            *(kept[i] for i in self._kept),
            *(bars[i] for i in self._out_bars),
            *(masked(supports[i], bars[i]) for i in self._out_masks),
        ]
        return [row[i] for i in places]

    def placed(self, results: Row, places: Sequence[int], totals: Row) -> list[Any]:
        """A cotangent for each argument of the loop, added to its total; `None` is zero.

        The results are those of the reverse loop at these places.
        """
        found = dict(zip(places, results, strict=True))
        bars = list(totals)
        for number, place in enumerate(self._of(self._onto, self._carry, self._xs_bars, False)):
            if place is None:
                continue
            bar = found[number]
            began_there = place < self._consts or bars[place] is None
            bars[place] = bar if began_there else bars[place] + bar
        return bars

    def _of(self, onto: Row, carry: Row, xs: Row, masks: bool) -> list[int | None]:
        """For each result of the reverse loop whose cotangent, or mask, it is."""
        row = [*onto, *(self._consts + i for i in carry), *xs]
        remaining = iter(row)
        return [next(remaining) if asked else None for asked in self.asks(masks=masks)]

    def masks(self, results: Row, places: Sequence[int]) -> list[Any]:
        """What tells the strong zeros of each argument's cotangent; `None` if nothing does."""
        found = dict(zip(places, results, strict=True))
        row: list[Any] = [None] * self._count
        for number, place in enumerate(self._of(self._onto, self._masked, self._xs_masks, True)):
            if place is not None:
                row[place] = found.get(number)
        return row

    @property
    def told(self) -> list[bool]:
        """Of which arguments' cotangents there are masks."""
        marks = [False] * self._count
        for place in (*self._onto, *(self._consts + i for i in self._masked), *self._xs_masks):
            marks[place] = True
        return marks

    def reads(self, places: Sequence[int], width: int) -> list[bool]:
        """Which of so many results of the loop have masks among the arguments at these places."""
        counts = self.sizes[0], len(self._carry)
        start = sum(counts) + 2 * len(self._onto)
        behind = len(self._read_xs) + len(self._kept) + len(self._out_bars)
        found = dict(enumerate(self._masked, start))
        found |= enumerate(self._out_masks, start + len(self._masked) + behind)
        marks = [False] * width
        for place in places:
            if place in found:
                marks[found[place]] = True
        return marks

    def supports(
        self, prepare: Callable[[], Callable[[], Row]], there: Row, *, runs: bool
    ) -> tuple[Support | None, ...]:
        """The supports of these cotangents, for each argument of the loop; see `of_rows`.

        What `prepare` returns finds masks for all; it is called if some are needed.
        """
        kinds: list[Zeros | None] = [None] * self._count
        for place, kind in self._zeros.items():
            if place < self._consts:
                kinds[place] = kind if runs else Zeros.EVERYWHERE
            else:
                kinds[place] = kind if runs else max(kind, self._started.get(place, kind))
        missing = any(kind and there[i] is None for i, kind in enumerate(kinds))
        masks = prepare() if missing else lambda: there
        return tuple(
            support if i in self._zeros else NOWHERE
            for i, support in enumerate(of_rows(masks, kinds, there))
        )


Arguments = tuple[Row, Any, Row, Row, Row]
"""Values, what is kept of them, cotangents of results, totals, and supports of the cotangents."""


def _settled(
    parts: Split, given: Given, first: int, carry: int
) -> tuple[LinearPart, tuple[Kind, ...], tuple[Zeros, ...]]:
    """The linear part of a body that hands its cotangents of the carry to itself.

    Those that have not been given start with zeros. Returned is besides what the zeros of the
    carry's cotangents are in the beginning, and what they are after an iteration.
    """
    marks = both(given.seeded, parts.seeded)
    grown = parts.grown(marks, {first + i: i for i in range(carry)})
    fresh = [mark and not seeded for mark, seeded in zip(grown, marks, strict=True)]
    kinds = [
        Zeros.EVERYWHERE if new else kind if seeded else Zeros.ORDINARY
        for kind, seeded, new in zip(given.zeros, marks, fresh, strict=True)
    ]
    later: tuple[Zeros, ...] = ordinary(carry)
    while True:
        carried = begun(kinds[:carry], later, fresh[:carry], given.start)
        pairs = zip(carried, kinds[:carry], strict=True)
        started = tuple(x if isinstance(x, Begun) else kind for x, kind in pairs)
        linear = parts.linear(grown, [*(started if given.once else carried), *kinds[carry:]])
        after = tuple(
            Zeros.ORDINARY
            if i not in linear.bars
            else linear.zeros[first + i]
            if first + i in linear.results
            else Zeros.EVERYWHERE
            for i in range(carry)
        )
        grows = stronger((later, after)) != later
        if not grows:
            return linear, started, after
        later = stronger((later, after))
