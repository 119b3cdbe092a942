"""Switches: choices between branches that are made already, or need not be made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pullback.graph.graph import Graph
from pullback.graph.numbering import structure
from pullback.graph.program import Atom
from pullback.graph.variable import Variable
from pullback.passes.bodies import facts, informed, remaining
from pullback.passes.rewriting import Pass, Rewriting
from pullback.rules.control_flow.choice import Branches, switch
from pullback.rules.control_flow.derived import part_of

__all__ = ["simplify_switches"]

simplify_switches = Pass()

Results = Sequence[Variable]


@simplify_switches.rewrites(switch)
def _made(rw: Rewriting, _outputs: Results, i: Atom, *operands: Atom, branches: Branches) -> Any:
    """A choice by a number, or between branches that are all the same."""
    if type(i) is not Variable:
        chosen = branches[min(max(int(i), 0), len(branches) - 1)]
    elif len(set(map(structure, branches))) == 1:
        chosen = branches[0]
    else:
        return None
    return tuple(rw.inline(chosen, operands))


@simplify_switches.rewrites(switch)
def _known(rw: Rewriting, _outputs: Results, i: Atom, *operands: Atom, branches: Branches) -> Any:
    """Operands that are numbers, repetitions, or given twice."""
    known = facts(rw, branches[0].inputs, operands)
    if not any(known):
        return None
    rest = remaining(operands, known)
    return rw.bind(switch, i, *rest, branches=tuple(informed(each, 0, known) for each in branches))


@simplify_switches.rewrites(switch)
def _agreed(rw: Rewriting, outputs: Results, i: Atom, *operands: Atom, branches: Branches) -> Any:
    """A result that is one operand, whichever branch is taken."""
    found: dict[int, Atom] = {}
    for number in range(len(outputs)):
        places = {_place(branch, branch.outputs[number]) for branch in branches}
        if len(places) == 1 and (only := places.pop()) is not None:
            found[number] = operands[only]
    if not found:
        return None
    rest = [number for number in range(len(outputs)) if number not in found]
    if not rest:
        return tuple(found.values())
    everything = range(len(operands))
    some = tuple(part_of(branch, everything, rest) for branch in branches)
    results = iter(rw.bind(switch, i, *operands, branches=some))
    return tuple(found[k] if k in found else next(results) for k in range(len(outputs)))


def _place(branch: Graph, x: Atom) -> int | None:
    """Which input of a branch `x` is."""
    known = type(x) is Variable and x in branch.inputs
    return branch.inputs.index(x) if known else None
