"""A graph in Graphviz's language."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from pullback.graph.program import Program
from pullback.graph.text import literal, names_of, parameters, type_of
from pullback.graph.variable import Variable

__all__ = ["to_dot"]


def to_dot(graph: Program, *, lines: bool = False) -> str:
    """A directed graph: boxes are equations, ellipses inputs, constants and outputs.

    A nested graph is a cluster, tied to its equation by a dashed line. With `lines`, where an
    equation comes from is what its box shows under the pointer.
    """
    text = [
        f"digraph {_quoted(graph.name)} {{",
        "  rankdir=TB;",
        "  compound=true;",
        '  node [shape=box, fontname="monospace"];',
    ]
    text += ["  " + line for line in _body(graph, count(), lines)]
    return "\n".join([*text, "}"])


def _body(graph: Program, numbers: Iterator[int], places: bool) -> list[str]:
    names = names_of(graph)
    nodes: dict[Variable, str] = {}
    lines = []

    def node(label: str, style: str = "") -> str:
        identity = f"n{next(numbers)}"
        lines.append(f"{identity} [label={_quoted(label)}{style}];")
        return identity

    def edge(x: Any, target: str) -> None:
        if type(x) is Variable:
            lines.append(f"{nodes[x]} -> {target} [label={_quoted(type_of(x))}];")

    for x in graph.inputs:
        nodes[x] = node(f"{names[x]}: {type_of(x)}", ", shape=ellipse")
    for x in graph.constants:
        nodes[x] = node(f"{names[x]}: {type_of(x)}", ", shape=ellipse, style=dashed")
    for equation in graph.equations:
        scalars = [literal(x) for x in equation.inputs if type(x) is not Variable]
        details = ", ".join(scalars + parameters(equation))
        label = equation.primitive.name + (f"\n{details}" if details else "")
        place = equation.place if places else None
        identity = node(label, "" if place is None else f", tooltip={_quoted(place.words())}")
        for x in equation.inputs:
            edge(x, identity)
        for x in equation.outputs:
            nodes[x] = identity
        for path, nested in equation.graphs.items():
            cluster = f"cluster_{next(numbers)}"
            lines.append(f"subgraph {cluster} {{")
            lines.append(f"  label={_quoted(f'{equation.primitive.name}: {path}')};")
            inside = _body(nested, numbers, places)
            lines += ["  " + line for line in inside]
            lines.append("}")
            first = inside[0].partition(" ")[0]
            lines.append(f"{identity} -> {first} [lhead={cluster}, style=dashed, arrowhead=none];")
    for position, x in enumerate(graph.outputs):
        what = "" if type(x) is Variable else f": {literal(x)}"
        edge(x, node(f"output {position}{what}", ", shape=ellipse, style=bold"))
    return lines


def _quoted(label: str) -> str:
    return '"' + label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
