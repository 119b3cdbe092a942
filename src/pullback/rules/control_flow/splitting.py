"""The derivative of a body, cut into what its forward sweep keeps and what its reverse sweep does.

The body and its pullback are recorded together. What doesn't depend on the incoming cotangents and
belongs to the body itself is the forward part; the rest is the linear part, a program that takes
the cotangents of the body's outputs to those of its inputs. Between them pass only the values of
the body that the linear part needs and can't get cheaply otherwise.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pullback.core.structure.axes import Marks
from pullback.core.zeros import Kind, Zeros, ordinary
from pullback.errors import DataDependenceError
from pullback.graph.building import flat_graph
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
)
from pullback.rules.control_flow.prices import price

__all__ = ["LinearPart", "Reading", "Split", "Still", "split"]


@dataclass(frozen=True)
class Still:
    """A body and its pullback, which may read what the loop carries in the end.

    Attributes
    ----------
    last : dict of int to Variable
        The last carries that are read, by their number.
    early, late : list of Equation
        Those of the body as far as they are evaluated again, and those of the pullback.
    """

    last: dict[int, Variable]
    early: list[Equation]
    late: list[Equation]


Reading = Callable[[Recording], Still]
"""Finds what may read last carries; equal ones find the same."""


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
    last : dict of int to Variable
        The last states of what the loop carries that it reads, by the number of the carry.
    kept : dict of int to Variable
        What it reads that the forward part has kept.
    bars, onto : dict of int to Variable
        The cotangents of outputs, and what the cotangents of inputs are added to.
    bar_masks, onto_masks : dict of int to Variable
        What tells the strong zeros of these.
    results : dict of int to (Variable or scalar)
        The cotangents of inputs that are not zero.
    masks : dict of int to (Variable or scalar)
        What tells the strong zeros of those that may have some.
    zeros : dict of int to Zeros
        What their zeros are.
    equations : list of Equation
    constants : dict of Variable to array
    preamble : Graph
        The values `fixed`, from the inputs that are the same in each iteration.
    """

    reads: dict[int, Variable]
    fixed: list[Variable]
    last: dict[int, Variable]
    kept: dict[int, Variable]
    bars: dict[int, Variable]
    onto: dict[int, Variable]
    bar_masks: dict[int, Variable]
    onto_masks: dict[int, Variable]
    results: dict[int, Atom]
    masks: dict[int, Atom]
    zeros: dict[int, Zeros]
    equations: list[Equation]
    constants: dict[Variable, Any]
    preamble: Graph

    def graph(self, name: str) -> Graph:
        """What it reads, the values `fixed`, what is kept, and cotangents, to the results.

        After cotangents, and the results, come their masks.
        """
        inputs = [*self.reads.values(), *self.fixed, *self.last.values(), *self.kept.values()]
        inputs += [*self.bars.values(), *self.bar_masks.values()]
        inputs += [*self.onto.values(), *self.onto_masks.values()]
        names = [f"x{i}" for i in range(len(inputs))]
        outputs = [*self.results.values(), *self.masks.values()]
        return flat_graph(name, inputs, self.constants, self.equations, outputs, names)


class Split:
    """The forward part of a body, and the linear part for any pattern of cotangents.

    Of the inputs, those that are `varying` are differentiated; the reverse sweep has at hand those
    that are `free`, of which the `invariant` ones are the same in each iteration. The outputs that
    are `seeded` may have a cotangent. What is `reading` the last carry has that at hand, too.
    """

    def __init__(
        self,
        body: Graph,
        varying: Marks,
        seeded: Marks,
        free: Marks,
        invariant: Marks,
        reading: Reading | None = None,
    ) -> None:
        self._body = weakref.ref(body)  # which refers to this split
        self.varying = tuple(varying)
        self.seeded = tuple(seeded)
        self.free = tuple(free)
        self.invariant = tuple(invariant)
        self.reading = reading
        none = ordinary(len(self.seeded))
        self._whole = whole = Recording(body, varying, seeded, both(varying, invariant), none)
        still = self._still(whole)
        needed, fixed, _ = self._needs(whole, still, whole.results)
        available = [*marked(whole.inputs, free), *fixed, *whole.constants, *still.last.values()]
        self._kept = kept_values(still.early, needed, available, price)
        places = whole.places
        self._places = [places[x] for x in self._kept]
        self._parts: dict[tuple[tuple[Any, ...], ...], LinearPart] = {}

    @property
    def kept_inputs(self) -> dict[int, int]:
        """Which of the values that are kept are inputs of the body, and which ones."""
        return {i: place for i, (number, place) in enumerate(self._places) if number < 0}

    @property
    def body(self) -> Graph:
        body = self._body()
        assert body is not None
        return body

    def _still(self, recording: Recording) -> Still:
        if self.reading is None:
            return Still({}, recording.primal, [*recording.rest, *recording.telling])
        return self.reading(recording)

    @property
    def kept(self) -> list[Variable]:
        """What is kept of each iteration."""
        return self._kept

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

    def linear(self, seeded: Marks, zeros: Sequence[Kind], onto: Marks | None = None) -> LinearPart:
        """The linear part where these outputs have a cotangent, with such zeros.

        It adds to the cotangents of the inputs `onto`; by default, to those of the invariant ones.
        """
        onto = both(self.varying, self.invariant if onto is None else onto)
        key = tuple(seeded), onto, tuple(zeros)
        if key not in self._parts:
            self._parts[key] = self._part(*key)
        return self._parts[key]

    def _part(
        self, seeded: tuple[bool, ...], onto: tuple[bool, ...], zeros: tuple[Kind, ...]
    ) -> LinearPart:
        recording = self._whole
        if any(zeros) or (seeded, onto) != (self.seeded, both(self.varying, self.invariant)):
            recording = Recording(self.body, self.varying, seeded, onto, zeros)
        still = self._still(recording)
        ends = [*recording.results, *recording.masks]
        needed, fixed, late = self._needs(recording, still, ends)
        at_hand = [recording.at(place) for place in self._places]
        available = [*marked(recording.inputs, self.free), *fixed, *recording.constants]
        available += [*still.last.values(), *at_hand]
        try:
            again = recomputation(still.early, needed, available)
        except ValueError as error:
            raise DataDependenceError(
                f"{self.body.name}: the reverse sweep of this loop needs a value of an iteration "
                f"that was not kept ({error}). Let Python run the loop: compile with lift=False, "
                "or differentiate without recording it"
            ) from None
        late = [*again, *late]
        results, masks = present(recording.results), present(recording.masks)
        used = {x for equation in late for x in read(equation)}
        used.update(x for x in (*results.values(), *masks.values()) if type(x) is Variable)
        direct = used.difference(at_hand)
        return LinearPart(
            reads={i: x for i, x in enumerate(recording.inputs) if x in direct},
            fixed=fixed,
            last={i: x for i, x in still.last.items() if x in used},
            kept={i: x for i, x in enumerate(at_hand) if x in used},
            bars=present(recording.bars),
            onto=present(recording.onto),
            bar_masks=present(recording.bar_masks),
            onto_masks=present(recording.onto_masks),
            results=results,
            masks=masks,
            zeros=dict(enumerate(recording.zeros)),
            equations=late,
            constants={x: array for x, array in recording.constants.items() if x in used},
            preamble=with_constants(
                f"{self.body.name}_fixed",
                marked(recording.inputs, self.invariant),
                recording.constants,
                live(recording.equations, fixed),
                fixed,
                marked(self.body.signature.names, self.invariant),
            ),
        )

    def _needs(
        self, recording: Recording, still: Still, results: Sequence[Atom | None]
    ) -> tuple[list[Variable], list[Variable], list[Equation]]:
        """What the results read: values of the body, values that stay the same; and how."""
        everything = [*still.early, *still.late]
        same = {*marked(recording.inputs, self.invariant), *recording.constants}
        moving = affected(
            everything,
            [
                *(x for x in recording.inputs if x not in same),
                *(x for x in recording.given if x is not None),
                *still.last.values(),
            ],
        )
        outputs = [x for x in results if x is not None]
        primal = set(map(id, still.early))
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


def split(
    body: Graph,
    varying: Marks,
    seeded: Marks,
    free: Marks,
    invariant: Marks,
    reading: Reading | None = None,
) -> Split:
    """The split of a body, made once for each pattern of arguments."""
    key = ("split", *map(tuple, (varying, seeded, free, invariant)), reading)
    return derived(body, key, lambda: Split(body, varying, seeded, free, invariant, reading))
