"""Bodies: arguments of loops and choices that need not be arguments.

A graph that is nested in an equation sees the values around it as inputs, of which it knows nothing
but shape and dtype. Where an argument is a number, the same as another argument, or repeats
something smaller, the body is told so, and simplified with that in mind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pullback.core.shapes import shape_of
from pullback.graph.building import flat_graph
from pullback.graph.graph import Atom, Equation, Graph
from pullback.graph.variable import Variable
from pullback.passes.rewriting import Rewriting, is_strong
from pullback.rules.shaping import broadcast_to

__all__ = ["Told", "substituted", "told"]


@dataclass
class Told:
    """What a body is told about its inputs.

    Attributes
    ----------
    now : dict of Variable to Atom
        Inputs that are something else: a number, or another input.
    repeated : dict of Variable to Atom
        Inputs that repeat a number, or a new input.
    new : dict of Variable to Variable
        For each of those new inputs, in whose place it stands.
    """

    now: dict[Variable, Atom] = field(default_factory=dict)
    repeated: dict[Variable, Atom] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.now or self.repeated)


def told(
    rw: Rewriting, inputs: Sequence[Variable], atoms: Sequence[Atom]
) -> tuple[Told, list[Variable], list[Atom]]:
    """What there is to say about arguments; and the inputs and arguments that remain.

    Parameters
    ----------
    rw : Rewriting
    inputs : sequence of Variable
        Of the body.
    atoms : sequence of Atom
        What it is called with.
    """
    found = Told()
    kept: list[Variable] = []
    given: list[Atom] = []
    first: dict[Variable, Variable] = {}
    for x, atom in zip(inputs, atoms, strict=True):
        source = rw.source(atom)
        if type(source) is Variable and (not is_strong(source) or source.dtype != x.dtype):
            source = None
        if type(atom) is Variable and atom in first:
            found.now[x] = first[atom]
        elif source is not None and type(source) is not Variable:
            number = source if x.weak is not None else x.dtype.type(source)
            if x.shape:
                found.repeated[x] = number
            else:
                found.now[x] = number
        elif source is not None and shape_of(source) != x.shape:
            small = Variable(source.shape, source.dtype, array=bool(source.shape))
            found.repeated[x] = small
            kept.append(small)
            given.append(source)
        else:
            kept.append(x)
            given.append(atom)
            if type(atom) is Variable:
                first[atom] = x
    return found, kept, given
