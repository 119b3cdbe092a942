"""The derivative of a body, cut into what its forward sweep keeps and what its reverse sweep does.

The body and its pullback are recorded together. What doesn't depend on the incoming cotangents and
belongs to the body itself is the forward part; the rest is the linear part, a program that takes
the cotangents of the body's outputs to those of its inputs. Between them pass only the values of
the body that the linear part needs and can't get cheaply otherwise.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from pullback.core.structure.axes import Marks, Row
from pullback.graph.building import flat_graph, like
from pullback.graph.dependence import affected, live, read
from pullback.graph.graph import Graph
from pullback.graph.partition import kept_values, recomputation
from pullback.graph.program import Atom, Equation
from pullback.graph.variable import Variable
from pullback.rules.control_flow.derived import (
    Recording,
    both,
    derived,
    marked,
    present,
    with_constants,
    zeros_like,
)
from pullback.rules.control_flow.prices import price

__all__ = ["LinearPart", "ReverseBody", "Split", "split"]


@dataclass
class LinearPart:
    """The pullback of a body, in terms of what its forward part has kept.

    All positions are those of the body's inputs and outputs, and of what is kept.

    Attributes
    ----------
    reads : dict of int to Variable
        The inputs that it reads.
    fixed : list of Variable
        What it reads that is the same in each iteration, and that `preamble` computes.
    kept : dict of int to Variable
        What it reads that the forward part has kept.
    bars, onto : dict of int to Variable
        The cotangents of outputs, and what the cotangents of inputs are added to.
    results : dict of int to (Variable or scalar)
        The cotangents of inputs that are not zero.
    equations : list of Equation
    constants : dict of Variable to array
    preamble : Graph
        The values `fixed`, from the inputs that are the same in each iteration.
    """

    reads: dict[int, Variable]
    fixed: list[Variable]
    kept: dict[int, Variable]
    bars: dict[int, Variable]
    onto: dict[int, Variable]
    results: dict[int, Atom]
    equations: list[Equation]
    constants: dict[Variable, Any]
    preamble: Graph

    def graph(self, name: str) -> Graph:
        """What it reads, the values `fixed`, what is kept, and cotangents, to the results."""
        inputs = [*self.reads.values(), *self.fixed, *self.kept.values(), *self.bars.values()]
        inputs += self.onto.values()
        names = [f"x{i}" for i in range(len(inputs))]
        outputs = list(self.results.values())
        return flat_graph(name, inputs, self.constants, self.equations, outputs, names)


class Split:
    """The forward part of a body, and the linear part for any pattern of cotangents.

    Of the inputs, those that are `varying` are differentiated; the reverse sweep has at hand those
    that are `free`, of which the `invariant` ones are the same in each iteration. The outputs that
    are `seeded` may have a cotangent.
    """

    def __init__(
        self, body: Graph, varying: Marks, seeded: Marks, free: Marks, invariant: Marks
    ) -> None:
        self._body = weakref.ref(body)  # which refers to this split
        self.varying = tuple(varying)
        self.seeded = tuple(seeded)
        self.free = tuple(free)
        self.invariant = tuple(invariant)
        self._whole = whole = Recording(body, varying, seeded, both(varying, invariant))
        needed, fixed, _ = self._needs(whole)
        available = [*marked(whole.inputs, free), *fixed, *whole.constants]
        self._kept = kept_values(whole.primal, needed, available, price)
        places = whole.places
        self._places = [places[x] for x in self._kept]
        self._parts: dict[tuple[tuple[bool, ...], ...], LinearPart] = {}

    @property
    def kept_inputs(self) -> dict[int, int]:
        """Which of the values that are kept are inputs of the body, and which ones."""
        return {i: place for i, (number, place) in enumerate(self._places) if number < 0}

    @property
    def body(self) -> Graph:
        body = self._body()
        assert body is not None
        return body

    @cached_property
    def forward(self) -> Graph:
        """The body, which returns what is kept after its own outputs."""
        return self._early([*self._whole.outputs, *self._kept])

    @cached_property
    def keeping(self) -> Graph:
        """What is kept, alone."""
        return self._early(self._kept)

    def _early(self, outputs: Sequence[Atom]) -> Graph:
        whole, names = self._whole, self.body.signature.names
        name, equations = f"{self.body.name}_forward", live(whole.primal, outputs)
        return with_constants(name, whole.inputs, whole.constants, equations, outputs, names)

    def grown(self, seeded: Marks, around: dict[int, int]) -> list[bool]:
        """Which outputs get a cotangent in the end, where those of inputs go around.

        Those that are `seeded` have one to begin with; `around` tells for each input whose
        cotangent goes on as that of an output, which output that is.
        """
        whole, marks = self._whole, list(seeded)
        readers: dict[Atom, list[int]] = {}
        for number, equation in enumerate(whole.rest):
            for y in read(equation):
                readers.setdefault(y, []).append(number)
        ends: dict[Atom, list[int]] = {}
        for place, z in enumerate(whole.results):
            if type(z) is Variable and place in around:
                ends.setdefault(z, []).append(around[place])
        pending: list[Any] = marked(whole.bars, marks)
        reached: set[int] = set()
        while pending:
            x = pending.pop()
            for number in readers.pop(x, ()):
                if number not in reached:
                    reached.add(number)
                    pending += whole.rest[number].outputs
            for place in ends.pop(x, ()):
                if self.seeded[place] and not marks[place]:
                    marks[place] = True
                    pending.append(whole.bars[place])
        return marks

    def linear(self, seeded: Marks, onto: Marks | None = None) -> LinearPart:
        """The linear part where these outputs have a cotangent.

        It adds to the cotangents of the inputs `onto`; by default, to those of the invariant ones.
        """
        onto = both(self.varying, self.invariant if onto is None else onto)
        key = tuple(seeded), onto
        if key not in self._parts:
            self._parts[key] = self._part(*key)
        return self._parts[key]

    def _part(self, seeded: tuple[bool, ...], onto: tuple[bool, ...]) -> LinearPart:
        recording = self._whole
        if (seeded, onto) != (self.seeded, both(self.varying, self.invariant)):
            recording = Recording(self.body, self.varying, seeded, onto)
        needed, fixed, late = self._needs(recording)
        at_hand = [recording.at(place) for place in self._places]
        available = [*marked(recording.inputs, self.free), *fixed, *recording.constants, *at_hand]
        late = [*recomputation(recording.primal, needed, available), *late]
        results = present(recording.results)
        used = {x for equation in late for x in read(equation)}
        used.update(x for x in results.values() if type(x) is Variable)
        direct = used.difference(at_hand)
        return LinearPart(
            reads={i: x for i, x in enumerate(recording.inputs) if x in direct},
            fixed=fixed,
            kept={i: x for i, x in enumerate(at_hand) if x in used},
            bars=present(recording.bars),
            onto=present(recording.onto),
            results=results,
            equations=late,
            constants={x: array for x, array in recording.constants.items() if x in used},
            preamble=with_constants(
                f"{self.body.name}_fixed",
                marked(recording.inputs, self.invariant),
                recording.constants,
                live([*recording.primal, *recording.rest], fixed),
                fixed,
                marked(self.body.signature.names, self.invariant),
            ),
        )

    def _needs(self, recording: Recording) -> tuple[list[Variable], list[Variable], list[Equation]]:
        """What the pullback reads: values of the body, values that stay the same; and itself."""
        everything = [*recording.primal, *recording.rest]
        same = {*marked(recording.inputs, self.invariant), *recording.constants}
        moving = affected(
            everything,
            [
                *(x for x in recording.inputs if x not in same),
                *(x for x in (*recording.bars, *recording.onto) if x is not None),
            ],
        )
        outputs = [x for x in recording.results if x is not None]
        primal = set(map(id, recording.primal))
        late = [
            equation
            for equation in live(everything, outputs)
            if id(equation) not in primal and not moving.isdisjoint(equation.outputs)
        ]
        reads = dict.fromkeys(
            x for x in (*(y for e in late for y in read(e)), *outputs) if type(x) is Variable
        )
        early = {*recording.inputs, *(x for e in recording.primal for x in e.outputs)}
        fixed = [x for x in reads if x not in moving and x not in same]
        return [x for x in reads if x in early and x in moving], fixed, late


def split(body: Graph, varying: Marks, seeded: Marks, free: Marks, invariant: Marks) -> Split:
    """The split of a body, made once for each pattern of arguments."""
    key = ("split", *map(tuple, (varying, seeded, free, invariant)))
    return derived(body, key, lambda: Split(body, varying, seeded, free, invariant))


# -- the body of a reverse loop --------------------------------------------------------------------


class ReverseBody:
    """The body of the reverse loop, where these results of the loop have a cotangent.

    It carries the cotangents of the consts, which it adds to, and those of the carry; `sizes` tells
    how many consts and carries it has. It scans what the forward loop has scanned, what it has
    kept, and the cotangents of what it has stacked; it stacks the cotangents of what has been
    scanned. What it reads that depends on the consts alone is its `preamble`, to be evaluated once.
    """

    def __init__(self, parts: Split, seeded: Marks, consts: int, carry: int) -> None:
        body, first_carry, first_x = parts.body, 1 + consts, 1 + consts + carry
        marks = both(seeded, parts.seeded)
        linear = parts.linear(parts.grown(marks, {first_carry + i: i for i in range(carry)}))
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
