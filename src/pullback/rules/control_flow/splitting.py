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

from pullback.core.tracing import Tracer
from pullback.graph.building import flat_graph, like
from pullback.graph.dependence import affected, live, read
from pullback.graph.graph import Atom, Equation, Graph
from pullback.graph.partition import kept_values, recomputation
from pullback.graph.staging import Staging
from pullback.graph.variable import Variable
from pullback.rules.control_flow.derived import derived, marked
from pullback.transforms.arguments import lower
from pullback.transforms.linearization import Linearization
from pullback.transforms.tape import Tape

__all__ = ["CHEAP", "LinearPart", "Split", "split"]

CHEAP = frozenset(
    {
        "add", "subtract", "multiply", "negative", "positive", "square", "conjugate", "real",
        "imag", "maximum", "minimum", "absolute", "sign", "equal", "not_equal", "less",
        "less_equal", "greater", "greater_equal", "logical_and", "logical_or", "logical_not",
        "where", "reshape", "transpose", "broadcast_to", "astype", "index", "copy",
        "stop_gradient", "concatenate", "stack", "diagonal",
    }
)  # fmt: skip
"""The primitives that are evaluated again rather than have their results kept."""


def _is_cheap(equation: Equation) -> bool:
    return equation.primitive.name in CHEAP


class Recording:
    """A body and its pullback as one program.

    Attributes
    ----------
    inputs : list of Variable
        Those of the body.
    bars : list of (Variable or None)
        The cotangent of each output; `None` where it is zero.
    onto : list of (Variable or None)
        For each input, what its cotangent is added to.
    primal, rest : list of Equation
        Those of the body, and those of its pullback.
    outputs : list of (Variable or scalar)
        Those of the body.
    results : list of (Variable, scalar or None)
        The cotangent of each input; `None` where it is zero, or not asked for.
    constants : dict of Variable to array
    """

    def __init__(
        self,
        body: Graph,
        varying: Sequence[bool],
        seeded: Sequence[bool],
        onto: Sequence[bool],
    ) -> None:
        self.inputs = [like(x) for x in body.inputs]
        self.bars = [
            like(x) if seed else None for x, seed in zip(body.outputs, seeded, strict=True)
        ]
        self.onto = [like(x) if on else None for x, on in zip(body.inputs, onto, strict=True)]
        where = f"the pullback of {body.name}"
        with Staging(where) as staging:
            args = [staging.tracer(x, where) for x in self.inputs]
            bars, totals = (
                [None if x is None else staging.tracer(x, where) for x in variables]
                for variables in (self.bars, self.onto)
            )
            with Tape(where) as tape:
                followed = [
                    tape.input(x) if varies else x for x, varies in zip(args, varying, strict=True)
                ]
                pairs = [lower(out, tape, where) for out in body.run(followed)]
                self.outputs = [_atom(staging, out) for out, _ in pairs]
                count = len(staging.equations)
                nodes = [x._payload for x in marked(followed, varying)]
                some = marked(totals, varying)
                linear = Linearization(nodes, [node for _, node in pairs], tape)
                found = linear.pull(bars, onto=some)
            results = iter(found)
            self.results = [_atom(staging, next(results)) if varies else None for varies in varying]
        self.primal, self.rest = staging.equations[:count], staging.equations[count:]
        self.constants = staging.constants

    @property
    def places(self) -> dict[Variable, tuple[int, int]]:
        """Where each value of the body is found in any recording of it.

        The number of its equation, -1 for the inputs, and which of the outputs it is.
        """
        rows = [self.inputs, *(equation.outputs for equation in self.primal)]
        return {x: (number, i) for number, row in enumerate(rows, -1) for i, x in enumerate(row)}

    def at(self, place: tuple[int, int]) -> Variable:
        """The value that is found there."""
        number, i = place
        return self.inputs[i] if number < 0 else self.primal[number].outputs[i]


def _atom(staging: Staging, x: Any) -> Atom | None:
    if x is None:
        return None
    if type(x) is Tracer and x._interpreter is staging:
        x = x._value
    return staging.atom(x)


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

    Parameters
    ----------
    body : Graph
    varying : sequence of bool
        Which inputs are differentiated.
    free, invariant : sequences of bool
        Which inputs the reverse sweep has at hand, and which of these are the same in each
        iteration.
    seeded : sequence of bool
        Which outputs may have a cotangent.
    """

    def __init__(
        self,
        body: Graph,
        varying: Sequence[bool],
        seeded: Sequence[bool],
        free: Sequence[bool],
        invariant: Sequence[bool],
    ) -> None:
        self._body = weakref.ref(body)  # which refers to this split
        self.varying = tuple(varying)
        self.seeded = tuple(seeded)
        self.free = tuple(free)
        self.invariant = tuple(invariant)
        self._whole = Recording(body, varying, seeded, _both(varying, invariant))
        needed, fixed, _ = self._needs(self._whole)
        available = [*marked(self._whole.inputs, free), *fixed, *self._whole.constants]
        self._kept = kept_values(
            self._whole.inputs, self._whole.primal, needed, available, _is_cheap
        )
        places = self._whole.places
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
        name = f"{self.body.name}_forward"
        return _graph(name, whole, whole.inputs, whole.primal, outputs, names)

    def grown(self, seeded: Sequence[bool], around: dict[int, int]) -> list[bool]:
        """Which outputs get a cotangent in the end, where those of inputs go around.

        Parameters
        ----------
        seeded : sequence of bool
            Which outputs have one to begin with.
        around : dict of int to int
            For each input whose cotangent goes on as that of an output, which output that is.
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

    def linear(self, seeded: Sequence[bool], onto: Sequence[bool] | None = None) -> LinearPart:
        """The linear part for a pattern of cotangents.

        Parameters
        ----------
        seeded : sequence of bool
            Which outputs have a cotangent.
        onto : sequence of bool, optional
            To which inputs' cotangents it adds; by default, those of the invariant ones.
        """
        onto = _both(self.varying, self.invariant if onto is None else onto)
        key = tuple(seeded), onto
        if key not in self._parts:
            self._parts[key] = self._part(*key)
        return self._parts[key]

    def _part(self, seeded: tuple[bool, ...], onto: tuple[bool, ...]) -> LinearPart:
        recording = self._whole
        if (seeded, onto) != (self.seeded, _both(self.varying, self.invariant)):
            recording = Recording(self.body, self.varying, seeded, onto)
        needed, fixed, late = self._needs(recording)
        at_hand = [recording.at(place) for place in self._places]
        free = marked(recording.inputs, self.free)
        available = [*free, *fixed, *recording.constants, *at_hand]
        late = [*recomputation(recording.primal, needed, available), *late]
        results = _present(recording.results)
        used = {x for equation in late for x in read(equation)}
        used.update(x for x in results.values() if type(x) is Variable)
        direct = used.difference(at_hand)
        names = self.body.signature.names
        same = marked(range(len(names)), self.invariant)
        return LinearPart(
            reads={i: x for i, x in enumerate(recording.inputs) if x in direct},
            fixed=fixed,
            kept={i: x for i, x in enumerate(at_hand) if x in used},
            bars=_present(recording.bars),
            onto=_present(recording.onto),
            results=results,
            equations=late,
            constants={x: array for x, array in recording.constants.items() if x in used},
            preamble=_graph(
                f"{self.body.name}_fixed",
                recording,
                [recording.inputs[i] for i in same],
                [*recording.primal, *recording.rest],
                fixed,
                [names[i] for i in same],
            ),
        )

    def _needs(self, recording: Recording) -> tuple[list[Variable], list[Variable], list[Equation]]:
        """What the pullback reads: values of the body, values that stay the same; and itself."""
        constants = recording.constants
        everything = [*recording.primal, *recording.rest]
        same = {*marked(recording.inputs, self.invariant), *constants}
        moving = affected(
            everything,
            [
                *(x for x in recording.inputs if x not in same),
                *(x for x in (*recording.bars, *recording.onto) if x is not None),
            ],
        )
        outputs = [x for x in recording.results if x is not None]
        late = [
            equation
            for equation in live(everything, outputs)
            if not moving.isdisjoint(equation.outputs)
        ]
        primal = set(map(id, recording.primal))
        late = [equation for equation in late if id(equation) not in primal]
        reads = dict.fromkeys(
            x for x in (*(y for e in late for y in read(e)), *outputs) if type(x) is Variable
        )
        early = {*recording.inputs, *(x for e in recording.primal for x in e.outputs)}
        fixed = [x for x in reads if x not in moving and x not in same]
        return [x for x in reads if x in early and x in moving], fixed, late


def split(
    body: Graph,
    varying: Sequence[bool],
    seeded: Sequence[bool],
    free: Sequence[bool],
    invariant: Sequence[bool],
) -> Split:
    """The split of a body, made once for each pattern of arguments."""
    key = ("split", *map(tuple, (varying, seeded, free, invariant)))
    return derived(body, key, lambda: Split(body, varying, seeded, free, invariant))


def _graph(
    name: str,
    recording: Recording,
    inputs: Sequence[Variable],
    equations: Sequence[Equation],
    outputs: Sequence[Atom],
    names: Sequence[str],
) -> Graph:
    """A graph of the equations that the outputs need."""
    equations = live(equations, outputs)
    used = {x for equation in equations for x in read(equation)}
    used.update(x for x in outputs if type(x) is Variable)
    constants = {x: array for x, array in recording.constants.items() if x in used}
    return flat_graph(name, inputs, constants, equations, outputs, names)


def _present(values: Sequence[Any]) -> dict[int, Any]:
    """Those that are not `None`, by position."""
    return {i: x for i, x in enumerate(values) if x is not None}


def _both(some: Sequence[bool], others: Sequence[bool]) -> tuple[bool, ...]:
    return tuple(a and b for a, b in zip(some, others, strict=True))
