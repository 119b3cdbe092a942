"""Where a program reads an array and where it writes to it, in terms of the indices of its loops.

The place of an element is a row of forms, Σ factor · integer, one for each axis. Integers are those
that a program is given, and the numbers of the iterations of the loops inside of it, of which it is
known between which forms they lie. So it is found out of two places whether they never meet: along
some axis their difference is more than 0, or less, wherever the integers lie.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pullback.core.primitive import Primitive, registry
from pullback.graph.dependence import read
from pullback.graph.graph import Graph
from pullback.graph.program import Atom, Equation
from pullback.graph.variable import Least, Variable
from pullback.rules import arithmetic
from pullback.rules.control_flow.counting import counted
from pullback.rules.control_flow.integers import Form, is_counter, total
from pullback.rules.control_flow.loop import Loop, scan, while_loop
from pullback.rules.conversion import astype
from pullback.rules.indexing import ARRAY, index, index_add, index_update

__all__ = [
    "STOPPED",
    "Access",
    "Forms",
    "Range",
    "entered",
    "meet_never",
    "place_of",
    "reads_of",
    "shifted",
    "writes_between",
]

STOPPED = registry["stop_gradient"]
"""The primitive of `pullback.stop_gradient`."""

Range = tuple[Form, Form | None]
"""Forms that an integer is not below and, where it is known, not above."""

Axis = tuple[Form, Form] | None
"""The lowest and the highest place along an axis; `None` where that is not known."""


def _number(x: int) -> Form:
    return {None: x} if x else {}


@dataclass(frozen=True)
class Access:
    """Elements that are read or written: their place, and where the integers in it lie."""

    place: tuple[Axis, ...]
    ranges: tuple[tuple[Any, Range], ...] = ()


@dataclass
class Forms:
    """The integers of a program as forms, and where those lie that forms are made of.

    Others than those that are `known` are not told apart from one iteration to the next. Of what
    is `outside` of all loops each integer is one of its own.
    """

    known: dict[Any, Form] = field(default_factory=dict)
    ranges: dict[Any, Range] = field(default_factory=dict)
    outside: bool = False

    def of(self, x: Any) -> Form | None:
        """The form of an integer, if it has one."""
        if type(x) is not Variable:
            return _number(int(x)) if is_counter(x) or type(x) is int else None
        if x not in self.known and self.outside and is_counter(x):
            self.let_stay(x)
        return self.known.get(x)

    def let_stay(self, x: Variable) -> None:
        """Say that an integer is the same in each iteration."""
        self.known[x] = {x if x.least is None else x.least: 1}

    def learn(self, equations: Iterable[Equation]) -> Forms:
        """Note what is computed, one after the other."""
        for equation in equations:
            if len(equation.outputs) == 1 and is_counter(equation.outputs[0]):
                found = self._computed(equation)
                if found is not None:
                    self.known[equation.outputs[0]] = found
        return self

    def _computed(self, equation: Equation) -> Form | None:
        primitive = equation.primitive
        rule = _SUMS.get(primitive)
        forms = [self.of(x) for x in equation.inputs]
        if any(each is None for each in forms):
            return None
        if rule is not None:
            return total(forms[0] or {}, forms[1] or {}, rule)
        if primitive in (astype, index, STOPPED):
            return forms[0]
        if primitive is arithmetic.multiply:
            for one, other in (forms, forms[::-1]):
                if not one or one.keys() == {None}:
                    return total({}, other or {}, (one or {}).get(None, 0))
        return None

    def inside(self, inputs: Sequence[Variable], args: Sequence[Atom]) -> Forms:
        """For a body that gets these arguments."""
        pairs = ((x, self.of(arg)) for x, arg in zip(inputs, args, strict=True) if is_counter(x))
        known = {x: found for x, found in pairs if found is not None}
        return Forms(known, dict(self.ranges))


_SUMS: dict[Primitive, int] = {arithmetic.add: 1, arithmetic.subtract: -1}


# -- accesses -------------------------------------------------------------------------------------


def _place(equation: Equation, forms: Forms, first: int) -> tuple[Axis, ...]:
    """The place that an equation names of its first input, by indices from `first` on."""
    shape = equation.inputs[0].shape
    place: list[Axis] = [None] * len(shape)
    remaining = iter(equation.inputs[first:])
    for axis, entry in enumerate(equation.params["key"]):
        if isinstance(entry, str) and entry == ARRAY:
            found = forms.of(next(remaining))
            if found is None:
                break
            place[axis] = found, found
        elif type(entry) is int:
            found = _number(entry % shape[axis])
            place[axis] = found, found
        elif type(entry) is slice:
            positions = range(shape[axis])[entry]
            if positions:
                ends = sorted((positions[0], positions[-1]))
                place[axis] = _number(ends[0]), _number(ends[1])
        else:
            break
    return tuple(place)


def place_of(equation: Equation, forms: Forms, first: int) -> Access:
    """What an equation names of its first input, by indices from `first` on."""
    return _access(_place(equation, forms, first), forms)


def _access(place: tuple[Axis, ...], forms: Forms) -> Access:
    return Access(place, tuple(forms.ranges.items()))


def _whole(x: Variable, forms: Forms) -> Access:
    return _access((None,) * len(x.shape), forms)


def _among(x: Variable, row: Sequence[Atom]) -> bool:
    return any(each is x for each in row)


def reads_of(x: Variable, equation: Equation, forms: Forms) -> list[Access]:
    """Where an equation reads an array."""
    primitive, inputs = equation.primitive, equation.inputs
    if primitive is index and inputs[0] is x and not _among(x, inputs[1:]):
        return [place_of(equation, forms, 1)]
    if primitive in (scan, while_loop):
        loop: Loop = equation.params["loop"]
        if not _among(x, inputs[loop.consts :]):
            return _reads_in_loop(x, loop, inputs, forms)
    return [_whole(x, forms)]


def _reads_in_loop(x: Variable, loop: Loop, inputs: Sequence[Atom], forms: Forms) -> list[Access]:
    places = [i for i, atom in enumerate(inputs[: loop.consts]) if atom is x]
    if loop.condition is not None:
        tested = {y for each in loop.condition.equations for y in read(each)}
        if any(loop.condition.inputs[i] in tested for i in places):
            return [_whole(x, forms)]
    body, around = entered(loop, inputs, forms)
    found: list[Access] = []
    given = [loop.body.inputs[1 + i] for i in places]
    for each in body.equations:
        for array in given:
            if _among(array, each.inputs):
                found += reads_of(array, each, around)
    if any(_among(array, body.outputs) for array in given):
        found.append(_whole(x, forms))
    return found


def entered(loop: Loop, inputs: Sequence[Atom], forms: Forms) -> tuple[Graph, Forms]:
    """The body of a loop, its own or that without what counts, and what is known in it."""
    plain = counted(loop)
    if plain is None:
        around = forms.inside(loop.body.inputs[1 : 1 + loop.consts], inputs[: loop.consts])
        if loop.condition is None:
            start = _number(loop.start)
            _let_count(around, loop.body.inputs[0], (start, total(start, _number(loop.length - 1))))
        return loop.body, around.learn(loop.body.equations)
    args = plain.arguments(inputs)
    body, consts = plain.plain.body, plain.plain.consts
    limit = forms.of(plain.limit if plain.limit_is_number else inputs[plain.limit])
    first = forms.of(args[0])
    last = None if limit is None or first is None else total(total(limit, first, -1), {None: -1})
    around = forms.inside(body.inputs[1 : 1 + consts], args[:consts])
    _let_count(around, body.inputs[0], ({}, last))
    return body, around.learn(body.equations)


def _let_count(forms: Forms, x: Variable, counts: Range) -> None:
    """Say where an index lies, which is one of its own each time that this is said."""
    own = object()
    forms.known[x] = {own: 1}
    forms.ranges[own] = counts


def writes_between(
    before: Variable, after: Atom, equations: Sequence[Equation], forms: Forms
) -> list[tuple[Variable, Equation, list[Access]]] | None:
    """How an array becomes another one by writes: each state, what makes it, and where it writes.

    `None` where it does so in another way.
    """
    made = {x: (equation, i) for equation in equations for i, x in enumerate(equation.outputs)}
    steps = []
    now = after
    while now is not before:
        if type(now) is not Variable or now not in made:
            return None
        equation, number = made[now]
        found = _writes(equation, number, forms)
        if found is None:
            return None
        state, accesses = found
        steps.append((now, equation, accesses))
        now = state
    return steps[::-1]


def _writes(equation: Equation, number: int, forms: Forms) -> tuple[Atom, list[Access]] | None:
    """The state before an equation, and where it writes to make the result of this number."""
    if equation.primitive is index_update and equation.params["key"] in ((), (Ellipsis,)):
        value, written = equation.inputs[1], equation.outputs[0]
        alike = type(value) is Variable and value.shape == written.shape
        return (value, []) if alike and value.dtype == written.dtype else None
    if equation.primitive in (index_update, index_add):
        return equation.inputs[0], [place_of(equation, forms, 2)]
    if equation.primitive not in (scan, while_loop):
        return None
    loop: Loop = equation.params["loop"]
    if number >= loop.carry:
        return None
    body, around = entered(loop, equation.inputs, forms)
    before = loop.body.inputs[1 + loop.consts + number]
    inner = writes_between(before, loop.body.outputs[number], body.equations, around)
    if inner is None:
        return None
    found = [access for _, _, accesses in inner for access in accesses]
    return equation.inputs[loop.consts + number], found


# -- whether two places meet ----------------------------------------------------------------------


def shifted(access: Access, key: Any, by: Form) -> Access:
    """An access with ``key + by`` in place of an integer."""

    def moved(form: Form) -> Form:
        return total(form, by, form[key]) if key in form else form

    place = tuple(None if axis is None else (moved(axis[0]), moved(axis[1]))
                  for axis in access.place)  # fmt: skip
    ranges = tuple(
        (x, (moved(low), None if high is None else moved(high)) if x is not key else (low, high))
        for x, (low, high) in access.ranges
    )
    return Access(place, ranges)


def meet_never(one: Access, other: Access) -> bool:
    """Whether no element of one is one of the other, whatever the integers are."""
    ranges = dict(one.ranges) | dict(other.ranges)
    for a, b in zip(one.place, other.place, strict=True):
        if a is None or b is None:
            continue
        # A place below 0 would be counted from the end.
        if not all(_is_positive(total(low, {None: 1}), ranges) for low in (a[0], b[0])):
            continue
        if _is_positive(total(a[0], b[1], -1), ranges) or _is_positive(
            total(b[0], a[1], -1), ranges
        ):
            return True
    return False


def _is_positive(form: Form, ranges: Mapping[Any, Range], deep: int = 8) -> bool:
    """Whether a form is more than 0, wherever the integers lie."""
    number = form.get(None, 0)
    if form.keys() <= {None}:
        return number > 0
    if not deep:
        return False
    for key, factor in form.items():
        bounds: list[Form] = []
        if key in ranges:
            low, high = ranges[key]
            bound = low if factor > 0 else high
            bounds = [] if bound is None else [bound]
        elif type(key) is Least and factor > 0:
            bounds = [
                _number(least) if other is None else total({other: 1}, _number(least))
                for other, least in key.bounds
            ]
        if bounds:
            rest = {x: count for x, count in form.items() if x is not key}
            if any(_is_positive(total(rest, each, factor), ranges, deep - 1) for each in bounds):
                return True
    return False
