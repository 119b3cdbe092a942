"""Leaves that a body hands on and never looks at: they stay outside of the loop or the choice.

A body is given a whole pytree, and often reads a few of its leaves. What it does nothing with is
none of the primitive's business: neither evaluating it nor any of its derivatives depends on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from pullback.graph.dependence import read
from pullback.graph.graph import Graph
from pullback.graph.variable import Variable
from pullback.rules.control_flow.derived import with_constants

__all__ = ["handed_on", "looked_at", "relieved", "relieved_both", "without"]


def relieved(
    body: Graph, start: int, count: int, others: Iterable[Variable] = ()
) -> tuple[Graph, dict[int, int]]:
    """A loop's body without the carries that it only hands on, and where these stand in the carry.

    They are among `count` inputs from `start` on, and so many outputs; `others` are read elsewhere.
    """
    used = _read(body).union(others)
    returned = Counter(x for x in body.outputs if type(x) is Variable)
    pairs = enumerate(zip(body.inputs[start : start + count], body.outputs, strict=False))
    same = [i for i, (x, out) in pairs if out is x and returned[x] == 1 and x not in used]
    if not same:
        return body, {}
    return without(body, [start + i for i in same], same), dict(zip(same, same, strict=True))


def relieved_both(
    body: Graph, start: int, condition: Graph, first: int
) -> tuple[Graph, Graph, dict[int, int]]:
    """The same of a body and of a condition, whose carries start at `first`."""
    carry = body.inputs[start:]
    used = [carry[i] for i in looked_at([(condition, first)], ())]
    body, same = relieved(body, start, len(carry), used)
    if same:
        condition = without(condition, [first + i for i in same], ())
    return body, condition, same


def handed_on(branches: Sequence[tuple[Graph, int]]) -> dict[int, int]:
    """Which operand each result is, where it is the same one in all branches.

    With each branch comes how many inputs it has in front of the operands.
    """
    rows = []
    for branch, start in branches:
        places = {x: i for i, x in enumerate(branch.inputs[start:])}
        rows.append([places.get(x) if type(x) is Variable else None for x in branch.outputs])
    first, *others = rows
    if all(row == first for row in others):  # as most are
        return {j: place for j, place in enumerate(first) if place is not None}
    columns = enumerate(zip(*rows, strict=True))
    return {j: row[0] for j, row in columns if row[0] is not None and len(set(row)) == 1}


def looked_at(branches: Sequence[tuple[Graph, int]], gone: Iterable[int]) -> list[int]:
    """The operands that some branch reads, or returns among the results that aren't `gone`."""
    gone = frozenset(gone)
    found: set[int] = set()
    for branch, start in branches:
        used = _read(branch)
        used.update(
            x for j, x in enumerate(branch.outputs) if j not in gone and type(x) is Variable
        )
        found.update(i for i, x in enumerate(branch.inputs[start:]) if x in used)
    return sorted(found)


def without(body: Graph, inputs: Iterable[int], outputs: Iterable[int]) -> Graph:
    """A body without some of its inputs, which nothing reads, and some of its outputs."""
    inputs, outputs = frozenset(inputs), frozenset(outputs)
    kept = [i for i in range(len(body.inputs)) if i not in inputs]
    return with_constants(
        body.name,
        [body.inputs[i] for i in kept],
        body.constants,
        body.equations,
        [x for j, x in enumerate(body.outputs) if j not in outputs],
        [body.signature.names[i] for i in kept],
    )


def _read(graph: Graph) -> set[Variable]:
    return {x for equation in graph.equations for x in read(equation)}
