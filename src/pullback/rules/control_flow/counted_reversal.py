"""Reverse mode of loops that count, while they are recorded: forth, and back as often.

They go back from the number of iterations that there were. What the way back reads of each of them
is written to arrays of as many places as there are iterations at most; see
`pullback.rules.control_flow.counting`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.structure.axes import Marks, Row
from pullback.graph.building import build, like
from pullback.graph.graph import Graph
from pullback.graph.variable import Least, Variable
from pullback.rules.control_flow.bodies import index_variable
from pullback.rules.control_flow.counting import Counted, counted
from pullback.rules.control_flow.derived import derived, groups, with_inputs
from pullback.rules.control_flow.loop import Loop
from pullback.rules.control_flow.pushing import given
from pullback.rules.control_flow.reverse_body import Arguments, ReverseBody
from pullback.rules.control_flow.splitting import Split
from pullback.rules.control_flow.still import LastCarries

__all__ = ["ThereAndBack", "there_and_back"]

_BYTES = 1 << 26
"""The most that is kept of a loop; of one that would keep more some states are."""


def there_and_back(loop: Loop, wanted: Marks) -> ThereAndBack | None:
    """How a loop that counts goes back, if it does so by what it keeps."""
    count = counted(loop)
    if count is None:
        return None
    plain = count.plain
    marks = count.arguments(wanted)
    marks[0] = False
    parts = plain.split(marks, LastCarries.of_counted(count))
    size = sum(math.prod(x.shape) * x.dtype.itemsize for x in parts.kept)
    if size and (loop.most is None or loop.most * size > _BYTES):
        return None
    return ThereAndBack(loop, count, parts)


@dataclass(frozen=True)
class ThereAndBack:
    """A loop that counts, and the parts of its derivative."""

    loop: Loop
    count: Counted
    parts: Split

    def forth(self, values: Row) -> tuple[list[Any], list[Any]]:
        """The results, and what is kept of each iteration."""
        loop, kept = self.loop, self.parts.kept
        if not kept:
            return [*loop(values)], []
        whole = derived(loop.body, ("logged", self.parts), self._logging)
        room = [np.zeros((loop.most, *x.shape), x.dtype) for x in kept]
        outs = whole([*values, *room])
        return [*outs[: loop.carry]], [*outs[loop.carry :]]

    def _logging(self) -> Loop:
        loop, kept = self.loop, self.parts.kept
        assert loop.condition is not None
        rooms = [Variable((loop.most, *x.shape), x.dtype, array=True, layout=True) for x in kept]
        names = [f"kept{i}" for i in range(len(kept))]

        def body(*args: Any) -> list[Any]:
            own, logs = groups(args, (len(loop.body.inputs),))
            index, *rest = own
            counts, *others = self.count.arguments(rest)
            row = self.parts.forward.run([index, counts - index, *others])
            outs, values = groups(row, (loop.carry - 1,))
            for log, x in zip(logs, values, strict=True):
                log[index] = x
            place = self.count.place
            return [*outs[:place], counts + 1, *outs[place:], *logs]

        graph = build(
            body,
            [*map(like, loop.body.inputs), *rooms],
            loop.body.name,
            [*loop.body.signature.names, *names],
        )
        end = len(loop.condition.inputs)
        condition = with_inputs(loop.condition, end, [like(x) for x in rooms], names)
        return replace(loop, body=graph, condition=condition, carry=loop.carry + len(kept))

    # -- back ------------------------------------------------------------------------------------

    def back(
        self, body: ReverseBody, row: Arguments, last: Row, *, masks: bool
    ) -> tuple[Row, Sequence[int]]:
        """What the reverse loop of the plain one returns, and at which of its places."""
        plain = self.count.plain
        backwards, inputs, outputs = plain.backwards(body, None, masks=masks)
        values, kept, bars, totals, supports = row
        places = [*map(_Kept, range(len(kept)))]
        args = body.arguments(
            (values, places, bars, totals, supports), inputs, runs=False, last=last
        )
        read = [x.number for x in args if isinstance(x, _Kept)]
        args = given([x for x in args if not isinstance(x, _Kept)], alone=masks)
        consts, carry = groups(args, (backwards.consts,))
        fixed = [i for i, place in enumerate(inputs[: backwards.consts]) if place in body.fixed]
        consts = [x for i, x in enumerate(consts) if i not in fixed]
        numbers = [inputs[i] - body.fixed.start for i in fixed]
        reverse = _Reverse(backwards, body.preamble, tuple(fixed), tuple(numbers), self.loop.most)
        before = values[: plain.consts] if fixed else []
        logs = [kept[i] for i in read]
        return reverse(self.count.count(values), before, consts, logs, carry), outputs


@dataclass(frozen=True)
class _Kept:
    """Stands for a value of each iteration that is kept."""

    number: int


@dataclass(frozen=True)
class _Reverse:
    """The reverse loop as one that counts.

    Attributes
    ----------
    backwards : Loop
        The one over the iterations, from the last to the first.
    preamble : Graph
        What it reads that is the same in each iteration: computed in each, for there may be none.
    fixed, numbers : tuple of int
        Its consts that are such, and which of the outputs of the preamble they are.
    most : int or None
    """

    backwards: Loop
    preamble: Graph
    fixed: tuple[int, ...]
    numbers: tuple[int, ...]
    most: int | None

    def __call__(
        self, count: Any, before: Row, consts: Row, logs: Row, carry: Row
    ) -> tuple[Any, ...]:
        row = [count, *before, *consts, *logs]
        sizes = len(before), len(consts), len(logs)
        key = ("counted back", self.fixed, self.numbers, sizes, self.most)
        kinds = [shape_of(x) for x in logs]
        loop = derived(
            self.backwards.body, (*key, *kinds), lambda: self._made(sizes, (before, logs))
        )
        return loop([*row, np.int64(0), *carry])[1:]

    def _made(self, sizes: tuple[int, int, int], rows: tuple[Row, Row]) -> Loop:
        """The loop, for so many arguments of the preamble, consts and logs."""
        backwards = self.backwards
        own = [i for i in range(backwards.consts) if i not in self.fixed]
        inputs, names = backwards.body.inputs, backwards.body.signature.names
        first = 1 + backwards.consts
        ends = range(first, first + backwards.carry)
        variables = [
            index_variable(),
            _integer(),
            *(like(x) for x in (self.preamble.inputs if sizes[0] else ())),
            *(like(inputs[1 + i]) for i in own),
            *(Variable(shape_of(x), dtype_of(x), array=True, layout=True) for x in rows[1]),
            _integer(),
            *(like(inputs[i]) for i in ends),
        ]
        called = [
            "i",
            "count",
            *(self.preamble.signature.names if sizes[0] else ()),
            *(names[1 + i] for i in own),
            *(f"kept{i}" for i in range(sizes[2])),
            "done",
            *(names[i] for i in ends),
        ]

        def body(*args: Any) -> list[Any]:
            _, count, *rest = args
            before, consts, logs, (done, *carry) = groups(rest, sizes)
            index = count - 1 - done
            fixed = self.preamble.run(before) if self.fixed else []
            given_ones = iter(consts)
            filled = [
                fixed[self.numbers[self.fixed.index(i)]] if i in self.fixed else next(given_ones)
                for i in range(backwards.consts)
            ]
            slices = [log[index] for log in logs]
            return [done + 1, *backwards.body.run([index, *filled, *carry, *slices])]

        def going(*args: Any) -> list[Any]:
            return [args[1 + sum(sizes)] < args[0]]

        graph = build(body, variables, backwards.body.name, called)
        condition = build(going, [like(x) for x in variables[1:]], "in_range", called[1:])
        consts, carry = 1 + sum(sizes), 1 + backwards.carry
        return Loop(condition, graph, consts, carry, most=self.most)


def _integer() -> Variable:
    variable = Variable((), np.dtype(np.int64))
    variable.least = Least([(None, 0)])
    return variable
