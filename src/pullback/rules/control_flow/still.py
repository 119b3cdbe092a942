"""What a reverse sweep can read from an array as a loop leaves it, in place of keeping it.

A loop that writes to an array which it carries makes a new state of it with each write. What its
derivative reads of a state is still there when the loop is done if nothing writes to these places
later, in this iteration or another one: then the last state of all is read. So is what was written
to such a place. A factorisation in place keeps nothing but its result.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pullback.graph.building import like
from pullback.graph.dependence import read
from pullback.graph.program import Equation
from pullback.graph.variable import Variable
from pullback.rules.control_flow.accesses import (
    STOPPED,
    Access,
    Forms,
    Range,
    meet_never,
    reads_of,
    shifted,
    writes_between,
)
from pullback.rules.control_flow.counting import Counted
from pullback.rules.control_flow.derived import Recording
from pullback.rules.control_flow.integers import is_counter, total
from pullback.rules.control_flow.loop import Loop
from pullback.rules.control_flow.splitting import Still
from pullback.rules.indexing import index, index_update

__all__ = ["LastCarries"]


@dataclass(frozen=True)
class LastCarries:
    """Finds what may read the last carries of a loop.

    Attributes
    ----------
    first, carry : int
        The place of the first carry among the inputs of the body, and how many there are.
    counts : (int, int or None)
        The lowest index, and the highest if it is known.
    ends : (int, int), optional
        The places of two inputs: there are as many iterations as the first is greater than the
        second, if it is.
    reverse : bool
        Whether the indices go down.
    """

    first: int
    carry: int
    counts: tuple[int, int | None]
    reverse: bool = False
    ends: tuple[int, int] | None = None

    @classmethod
    def of(cls, loop: Loop) -> LastCarries:
        """Those of a loop over indices."""
        highest = loop.start + loop.length - 1
        return cls(1 + loop.consts, loop.carry, (loop.start, highest), loop.reverse)

    @classmethod
    def of_counted(cls, loop: Counted) -> LastCarries:
        """Those of a loop that counts, without what it counts."""
        plain = loop.plain
        ends = None if loop.limit_is_number else (2 + loop.limit, 1)
        return cls(1 + plain.consts, plain.carry, (0, None), ends=ends)

    def __call__(self, recording: Recording) -> Still:
        inputs, outputs, early = recording.inputs, recording.outputs, recording.primal
        late = [*recording.rest, *recording.telling]
        results = {*map(id, recording.results), *map(id, recording.masks)}
        places = _Places(inputs, self, results)
        places.forms.learn(early)
        places.forms.learn(late)
        last: dict[int, Variable] = {}
        for number in range(self.carry):
            x = inputs[self.first + number]
            if not x.shape or outputs[number] is x:
                continue
            steps = writes_between(x, outputs[number], early, places.forms)
            if not steps:
                continue
            array = _Carried(x, steps, like(x))
            late, some = _reading_last(late, array, places)
            early, others = _reading_last(early, array, places)
            early, values = _reading_values(early, array, places)
            if some or others or values:
                last[number] = array.last
        return Still(last, early, late)


class _Carried:
    """An array that is carried: its states in an iteration, and the writes after each."""

    def __init__(
        self, x: Variable, steps: list[tuple[Variable, Equation, list[Access]]], last: Variable
    ) -> None:
        self.states = {x: 0} | {state: i for i, (state, _, _) in enumerate(steps, 1)}
        self.steps = steps
        self.last = last

    def writes_after(self, state: Variable) -> Iterable[Access]:
        """In the same iteration."""
        for _, _, accesses in self.steps[self.states[state] :]:
            yield from accesses

    @property
    def writes(self) -> Iterable[Access]:
        for _, _, accesses in self.steps:
            yield from accesses


class _Places:
    """What is known of the places in the body of a loop."""

    def __init__(
        self, inputs: Sequence[Variable], iterations: LastCarries, results: set[int]
    ) -> None:
        self.forms = Forms()
        self.results = results
        """The identities of what is returned."""
        self._index = inputs[0]
        low, high = iterations.counts
        ahead = object()
        counts: Range = {None: low} if low else {}, None if high is None else {None: high}
        for x in inputs[1 : iterations.first]:
            if is_counter(x):
                self.forms.let_stay(x)
        if iterations.ends is not None:
            limit, first = (self.forms.of(inputs[place]) for place in iterations.ends)
            assert limit is not None
            assert first is not None
            counts = {}, total(total(limit, first, -1), {None: -1})
        self.forms.ranges |= {ahead: ({}, None), self._index: counts}
        self.forms.known[self._index] = {self._index: 1}
        sign = -1 if iterations.reverse else 1
        self._by = {None: sign, ahead: sign}

    def last_is_read(self, array: _Carried, state: Variable, reads: Sequence[Access]) -> bool:
        """Whether nothing writes to places of a state that are read, after it was made."""
        return all(
            meet_never(one, other) for one in reads for other in array.writes_after(state)
        ) and all(
            meet_never(one, shifted(other, self._index, self._by))
            for one in reads
            for other in array.writes
        )


def _reading_last(
    equations: list[Equation], array: _Carried, places: _Places
) -> tuple[list[Equation], bool]:
    """Equations that read the last state in place of others, and whether some do."""
    made = {id(equation) for _, equation, _ in array.steps}
    found = []
    for equation in equations:
        if id(equation) not in made:
            for state in array.states.keys() & read(equation):
                accesses = _reads(state, equation, equations, places)
                if places.last_is_read(array, state, accesses):
                    equation = _with(equation, state, array.last)
        found.append(equation)
    return found, found != equations


def _reads(
    state: Variable, equation: Equation, equations: Sequence[Equation], places: _Places
) -> list[Access]:
    """Where a state is read by an equation, which may be one that hands it on."""
    if equation.primitive is not STOPPED:
        return reads_of(state, equation, places.forms)
    (copy,) = equation.outputs
    if id(copy) in places.results:
        return reads_of(state, equation, places.forms)
    readers = [each for each in equations if copy in read(each)]
    return [x for each in readers for x in _reads(copy, each, equations, places)]


def _with(equation: Equation, old: Variable, new: Variable) -> Equation:
    inputs = tuple(new if x is old else x for x in equation.inputs)
    return Equation(equation.primitive, inputs, equation.params, equation.outputs, equation.place)


def _reading_values(
    equations: list[Equation], array: _Carried, places: _Places
) -> tuple[list[Equation], bool]:
    """Equations that read numbers that were written where they are in the last state."""
    found: dict[Variable, Equation] = {}
    for state, equation, accesses in array.steps:
        value = equation.inputs[1]
        if equation.primitive is not index_update or type(value) is not Variable or value.shape:
            continue
        if value.dtype == state.dtype and places.last_is_read(array, state, accesses):
            inputs = array.last, *equation.inputs[2:]
            found[value] = Equation(index, inputs, equation.params, (value,), equation.place)
    if not found:
        return equations, False
    made = [
        found.get(each.outputs[0], each) if len(each.outputs) == 1 else each for each in equations
    ]
    return _in_order(made), made != equations


def _in_order(equations: Sequence[Equation]) -> list[Equation]:
    """Equations such that none reads what a later one makes."""
    made = {x: equation for equation in equations for x in equation.outputs}
    done: dict[int, Equation] = {}
    for last in equations:
        pending = [last]
        while pending:
            equation = pending[-1]
            before = [made[x] for x in read(equation) if x in made]
            missing = [each for each in before if id(each) not in done]
            if missing:
                pending += missing
            else:
                done.setdefault(id(equation), pending.pop())
    return [*done.values()]
