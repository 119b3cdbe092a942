"""Bodies: what the graph of a loop or a choice may know about its arguments.

A nested graph sees the values around it as inputs, of which it knows nothing but shape and dtype.
Where an argument is a number, the same as another argument, or repeats something smaller, the graph
is told so, and can be simplified with that in mind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pullback.graph.building import flat_graph
from pullback.graph.graph import Graph
from pullback.graph.program import Atom, Equation
from pullback.graph.variable import Variable
from pullback.passes.rewriting import Rewriting, is_strong
from pullback.rules.shaping import broadcast_to

__all__ = ["Fact", "facts", "informed", "remaining"]


@dataclass(frozen=True)
class Fact:
    """What is known about an argument: one of three things.

    Attributes
    ----------
    number : scalar or None
        Every element is this number.
    same : int or None
        It is the argument at this place.
    source : Variable or None
        It repeats this smaller array.
    """

    number: Any = None
    same: int | None = None
    source: Variable | None = None


def facts(rw: Rewriting, inputs: Sequence[Variable], atoms: Sequence[Atom]) -> list[Fact | None]:
    """What is known about each argument of a nested graph, which has these inputs for them."""
    found: list[Fact | None] = []
    first: dict[Variable, int] = {}
    for place, (x, atom) in enumerate(zip(inputs, atoms, strict=True)):
        source = rw.source(atom)
        if type(atom) is Variable and first.setdefault(atom, place) != place:
            found.append(Fact(same=first[atom]))
        elif source is None:
            found.append(None)
        elif type(source) is not Variable:
            found.append(Fact(number=source if x.weak is not None else x.dtype.type(source)))
        elif is_strong(source) and source.dtype == x.dtype and source.shape != x.shape:
            found.append(Fact(source=source))
        else:
            found.append(None)
    return found


def remaining(atoms: Sequence[Atom], known: Sequence[Fact | None]) -> list[Atom]:
    """The arguments of a graph that has been informed."""
    left = []
    for atom, fact in zip(atoms, known, strict=True):
        if fact is None:
            left.append(atom)
        elif fact.source is not None:
            left.append(fact.source)
    return left


def informed(graph: Graph, start: int, known: Sequence[Fact | None]) -> Graph:
    """A graph that knows something about its inputs from `start` on."""
    now: dict[Variable, Atom] = {}
    before: list[Equation] = []
    inputs, names = list(graph.inputs[:start]), list(graph.signature.names[:start])
    for place, fact in enumerate(known, start):
        x, name = graph.inputs[place], graph.signature.names[place]
        if fact is None:
            inputs.append(x)
            names.append(name)
        elif fact.same is not None:
            now[x] = graph.inputs[start + fact.same]
        elif fact.number is not None and not x.shape:
            now[x] = fact.number
        else:
            narrow: Atom = fact.number
            if fact.source is not None:
                narrow = Variable(fact.source.shape, x.dtype, array=bool(fact.source.shape))
                inputs.append(narrow)
                names.append(name)
            before.append(Equation(broadcast_to, (narrow,), {"shape": x.shape}, (x,)))
    inputs += graph.inputs[start + len(known) :]
    names += graph.signature.names[start + len(known) :]

    def read(atoms: Sequence[Atom]) -> tuple[Atom, ...]:
        # What is a variable's place may be a variable that has one itself.
        return tuple([_last(now, x) for x in atoms])

    equations = [
        Equation(each.primitive, read(each.inputs), each.params, each.outputs, each.place)
        for each in graph.equations
    ]
    outputs = read(graph.outputs)
    return flat_graph(graph.name, inputs, graph.constants, [*before, *equations], outputs, names)


def _last(now: Mapping[Variable, Atom], x: Atom) -> Atom:
    while type(x) is Variable and x in now:
        x = now[x]
    return x
