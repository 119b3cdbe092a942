"""Which values from outside that a body takes are equal, so that it takes one of them.

Each time that a body reads ``p[0]``, where p is from outside, it is a value of its own, with a
cotangent of its own, to be carried through all of the reverse loop. The values are equal if the
same function was applied to the same.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from pullback.core.precision import PYTHON_NUMBERS
from pullback.core.tracing import Tracer, is_plain, strip
from pullback.graph.graph import Graph
from pullback.graph.numbering import frozen, is_ours, numbered
from pullback.graph.variable import Variable
from pullback.rules.control_flow.derived import with_constants
from pullback.transforms.tape import Node, Operation, Output, Tape

__all__ = ["with_each_given_once", "with_each_once"]

_DEEP = 8
"""How many operations one after the other are compared."""


def with_each_once(graph: Graph, position: int, values: Sequence[Any]) -> tuple[Graph, list[Any]]:
    """A body that takes each of several equal values once, and computes nothing twice.

    The values are those of its inputs from `position` on.
    """
    same: dict[Variable, Variable] = {}
    first: dict[Hashable, Variable] = {}
    kept: list[Any] = []
    inputs, names = list(graph.inputs), graph.signature.names
    end = position + len(values)
    for x, value in zip(inputs[position:end], values, strict=True):
        origin = _origin(value)
        found = x if origin is None else first.setdefault(origin, x)
        if found is x:
            kept.append(value)
        else:
            same[x] = found
    equations, now = numbered(graph.equations, same)
    if not now:
        return graph, list(values)
    outputs = [now.get(x, x) if type(x) is Variable else x for x in graph.outputs]
    inputs = [x for x in inputs if x not in same]
    free = [f"free{i}" for i in range(len(kept))]
    called = [*names[:position], *free, *names[end:]]
    body = with_constants(graph.name, inputs, graph.constants, equations, outputs, called)
    return body, kept


def with_each_given_once(
    condition: Graph, body: Graph, values: Sequence[Any]
) -> tuple[Graph, Graph, list[Any]]:
    """The condition and the body of a loop that take each const once; these come first."""
    first: dict[Variable, int] = {}
    bottoms = [strip(x) if type(x) is Tracer else None for x in values]
    same = [first.setdefault(x, i) if type(x) is Variable else i for i, x in enumerate(bottoms)]
    if all(i == place for i, place in enumerate(same)):
        return condition, body, list(values)
    condition, body = (
        _with_first(graph, start, same) for graph, start in ((condition, 0), (body, 1))
    )
    return condition, body, [x for i, x in enumerate(values) if same[i] == i]


def _with_first(graph: Graph, start: int, same: Sequence[int]) -> Graph:
    """A graph whose inputs from `start` on are taken to be the ones at these places of them."""
    inputs, names = graph.inputs[start : start + len(same)], graph.signature.names
    equal = {x: inputs[place] for x, place in zip(inputs, same, strict=True)
             if inputs[place] is not x}  # fmt: skip
    equations, now = numbered(graph.equations, equal)
    outputs = [now.get(x, x) if type(x) is Variable else x for x in graph.outputs]
    kept = [i for i, x in enumerate(graph.inputs) if x not in equal]
    return with_constants(
        graph.name,
        [graph.inputs[i] for i in kept],
        graph.constants,
        equations,
        outputs,
        [names[i] for i in kept],
    )


def _origin(value: Any) -> Hashable | None:
    """What a value that a tape follows has come from, equal for equal ones; `None` otherwise."""
    if type(value) is not Tracer or type(value._interpreter) is not Tape:
        return None
    return _computation(value._payload, _DEEP)


def _computation(node: Any, deep: int) -> Hashable | None:
    """What was applied to what, if that is known of a node, and deep enough."""
    if not deep:
        return None
    if type(node) is Output:
        whole = _computation(node.parents[0], deep)
        return None if whole is None else (node.position, whole)
    if type(node) is not Operation or not node.parents or not is_ours(node.primitive):
        return None
    known = node.args if len(node.args) == len(node.parents) else [None] * len(node.parents)
    parents = [_argument(x, y, deep) for x, y in zip(node.parents, known, strict=True)]
    if None in parents:
        return None
    return (node.primitive, frozen(node.params), *parents)


def _argument(parent: Node | None, value: Any, deep: int) -> Hashable | None:
    """A value on the tape, or a number."""
    if parent is None:
        is_known = type(value) in PYTHON_NUMBERS or is_plain(value, np.generic)
        return frozen(value) if is_known else None
    found = _computation(parent, deep - 1)
    return (id(parent),) if found is None else found
