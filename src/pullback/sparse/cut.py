"""The part of a program that computes, between what only moves elements in front and behind.

What is reached from the inputs by moves alone becomes the inputs of the rest, and what the outputs
are put together from becomes its outputs: J = M J′ S, where S and M select. A stencil reads each
of its neighbours as an array of its own then, so that J′ is a row of diagonals.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pullback.core.shapes import is_inexact
from pullback.core.structure import Gather, Scatter, View
from pullback.graph.building import flat_graph
from pullback.graph.dependence import read
from pullback.graph.graph import Graph
from pullback.graph.program import Equation
from pullback.graph.variable import Variable
from pullback.sparse.flow import Flow, labelled
from pullback.sparse.mechanisms import State
from pullback.sparse.pattern import Pattern

__all__ = ["Cut", "cut", "whole"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Cut:
    """A program between moves.

    Attributes
    ----------
    before : Graph
        From the inputs of the program to those of `inner`.
    inner : Graph
        Its first inputs are those that vary, so many as `labels` has.
    labels : list of array
        For each input of `inner` that varies, which input each of its elements is: a number from 1
        on, 0 for a constant.
    outputs : list of array
        For each output of the program, which output of `inner` each of its elements is.
    """

    before: Graph
    inner: Graph
    labels: list[Array]
    outputs: list[Array]

    @functools.cached_property
    def columns(self) -> Array:
        """For each element of the varying inputs, which input of the program it is."""
        return _flat(self.labels)

    @functools.cached_property
    def rows(self) -> Array:
        """For each element of the program's outputs, which output of `inner` it is."""
        return _flat(self.outputs)


def _flat(arrays: Sequence[Array]) -> Array:
    return np.concatenate([*map(np.ravel, arrays)]) if arrays else np.zeros(0, np.int64)


def whole(graph: Graph, order: Sequence[int]) -> Cut:
    """The program uncut; what varies comes first among the inputs of the inner one."""
    states, _ = labelled(graph.inputs, order)
    others = [i for i in range(len(graph.inputs)) if i not in order]
    names = graph.signature.names
    arranged = [*order, *others]
    inner = flat_graph(
        graph.name,
        [graph.inputs[i] for i in arranged],
        graph.constants,
        graph.equations,
        graph.outputs,
        [names[i] for i in arranged],
    )
    before = flat_graph(graph.name, graph.inputs, {}, (), inner.inputs, names)
    outs, _ = labelled([_abstract(x) for x in graph.outputs], range(len(graph.outputs)))
    return Cut(
        before, inner, [_only(states[i].pattern) for i in order], [_only(x.pattern) for x in outs]
    )


def _abstract(x: Any) -> Any:
    return x if type(x) is Variable else np.asarray(x)


def _only(pattern: Pattern | None) -> Array:
    assert pattern is not None and pattern.labels is not None
    return pattern.labels[0]


def cut(graph: Graph, order: Sequence[int], where: str) -> Cut:
    """The program cut at selections."""
    states, count = labelled(graph.inputs, order)
    known: dict[Variable, State] = {
        x: State(np.shape(v), None, v) for x, v in graph.constants.items()
    }
    known.update(zip(graph.inputs, states, strict=True))
    flow = Flow(where, count)
    moved = {x for x, state in zip(graph.inputs, states, strict=True) if state.pattern is not None}
    varying = set(moved)
    for equation in graph.equations:
        mine = [x for x in read(equation) if x in varying]
        if not mine:
            continue
        varying.update(filter(is_inexact, equation.outputs))
        if moved.issuperset(mine) and _moves(equation, known):
            found = _followed(flow, equation, known)
            if found is not None:
                moved.update(equation.outputs)
                known.update(zip(equation.outputs, found, strict=True))
    behind = _behind(graph, moved, varying, where)
    roots = list(dict.fromkeys(x for row in behind for x in row[0]))
    equations, frontier = _between(graph, roots, moved)
    inputs = [x for x in frontier if x in moved]
    others = [x for x in graph.inputs if x not in moved]
    inner = flat_graph(
        graph.name,
        [*inputs, *others],
        graph.constants,
        equations,
        roots,
        [f"z{i}" for i in range(len(inputs))] + [f"x{i}" for i in range(len(others))],
    )
    ahead, _ = _between(graph, inputs, set(graph.inputs))
    before = flat_graph(
        graph.name,
        graph.inputs,
        graph.constants,
        ahead,
        inner.inputs,
        graph.signature.names,
    )
    labels = [_only(known[x].pattern) for x in inputs]
    starts = dict(zip(roots, np.cumsum([0, *(x.size for x in roots)]), strict=False))
    outputs = [_numbered(row, starts) for row in behind]
    return Cut(before, inner, labels, outputs)


def _moves(equation: Equation, known: dict[Variable, State]) -> bool:
    """Whether an equation only moves what varies: indices are known."""
    structure = equation.primitive.structure
    if isinstance(structure, View):
        return True
    if isinstance(structure, Gather):
        indices = equation.inputs[1:]
    elif isinstance(structure, Scatter):
        indices = equation.inputs[1 if structure.in_place is None else 2 :]
    else:
        return False
    return all(
        type(x) is not Variable or (x in known and known[x].value is not None) for x in indices
    )


def _followed(flow: Flow, equation: Equation, known: dict[Variable, State]) -> list[State] | None:
    """The states of the results, if each element of them is one of the inputs."""
    args = [
        known.get(x, State(x.shape)) if type(x) is Variable else State((), None, x)
        for x in equation.inputs
    ]
    found = flow.apply(equation, args)
    for state in found:
        pattern = state.pattern
        if pattern is None or pattern.labels is None or len(pattern.labels) != 1:
            return None
    return found


Source = tuple[list[Variable], list[Array]]
"""Values, and for each element of an output which it is: of one of them, from 1 on."""


def _behind(graph: Graph, moved: set[Variable], varying: set[Variable], where: str) -> list[Any]:
    """What each output is put together from: values, and labels among their elements."""
    producer = {out: equation for equation in graph.equations for out in equation.outputs}
    constants = {x: State(np.shape(v), None, v) for x, v in graph.constants.items()}
    found: list[Any] = []
    for out in graph.outputs:
        if type(out) is not Variable or out not in varying:
            found.append(([], np.zeros(np.shape(out), np.int64)))
            continue
        parts, equations = _sources(out, producer, moved, varying, constants)
        labels = _assembled(out, parts, equations, constants, where)
        found.append((parts, labels) if labels is not None else ([out], _counting(out)))
    return found


def _sources(
    out: Variable,
    producer: dict[Variable, Equation],
    moved: set[Variable],
    varying: set[Variable],
    constants: Any,
) -> tuple[list[Variable], list[Equation]]:
    """What a value is put together from by moves alone, and these, in order."""
    parts: dict[Variable, None] = {}
    equations: dict[int, Equation] = {}
    pending = [(out, False)]
    while pending:
        x, again = pending.pop()
        equation = producer.get(x)
        if x in moved or equation is None or not _moves(equation, constants):
            parts[x] = None
        elif again:
            equations.setdefault(id(equation), equation)
        else:
            pending.append((x, True))
            pending += [(each, False) for each in read(equation)[::-1] if each in varying]
    return list(parts), list(equations.values())


def _counting(x: Any) -> Array:
    return np.arange(1, x.size + 1).reshape(x.shape)


def _assembled(
    out: Variable, parts: list[Variable], equations: list[Equation], constants: Any, where: str
) -> Array | None:
    states, count = labelled(parts, range(len(parts)))
    known = {**constants, **dict(zip(parts, states, strict=True))}
    flow = Flow(where, count)
    for equation in equations:
        found = _followed(flow, equation, known)
        if found is None:
            return None
        known.update(zip(equation.outputs, found, strict=True))
    return _only(known[out].pattern)


def _numbered(row: Source, starts: dict[Variable, Any]) -> Array:
    """The labels of an output among the elements of all values that are put together."""
    parts, labels = row
    if not parts:
        return np.asarray(labels)
    sizes = [x.size for x in parts]
    table = np.concatenate(
        [[0], *(np.arange(size) + starts[x] + 1 for x, size in zip(parts, sizes, strict=True))]
    )
    return np.asarray(table[labels])


def _between(
    graph: Graph, outputs: Iterable[Variable], ends: set[Variable]
) -> tuple[list[Equation], list[Variable]]:
    """The equations that values need, from others on, and those of them that are met."""
    needed = dict.fromkeys(outputs)
    met = {x: None for x in needed if x in ends}
    kept = []
    for equation in reversed(graph.equations):
        if any(x in needed and x not in ends for x in equation.outputs):
            kept.append(equation)
            for x in read(equation):
                needed[x] = None
                if x in ends:
                    met[x] = None
    order = {x: k for k, x in enumerate(x for e in graph.equations for x in e.outputs)}
    return kept[::-1], sorted(met, key=lambda x: order.get(x, -1))
