"""A graph drawn in a notebook: layers from top to bottom, or its text if it is large."""

from __future__ import annotations

import html
from typing import Any

from pullback.graph.program import Program
from pullback.graph.text import literal, names_of, show, type_of
from pullback.graph.variable import Variable

__all__ = ["to_html", "to_svg"]

MOST = 60
"""The number of equations up to which a graph is drawn."""

CHARACTER, HEIGHT, GAP_X, GAP_Y, MARGIN = 7.0, 26.0, 18.0, 34.0, 12.0


def to_html(graph: Program) -> str:
    """The drawing, if the graph is small enough for one, and those of nested graphs, and the text.

    The drawings of nested graphs are folded away.
    """
    return f"<div>{_drawings(graph)}<pre>{html.escape(show(graph))}</pre></div>"


def _drawings(graph: Program) -> str:
    """The drawing of a graph, and below it those of its nested graphs."""
    parts = [to_svg(graph, lines=True) or ""]
    names = names_of(graph)
    for equation in graph.equations:
        results = ", ".join(names[x] for x in equation.outputs)
        for path, nested in equation.graphs.items():
            title = html.escape(f"{path} of {results} = {equation.primitive.name}")
            parts.append(f"<details><summary>{title}</summary>{_drawings(nested)}</details>")
    return "\n".join(filter(None, parts))


def to_svg(graph: Program, *, lines: bool = False) -> str | None:
    """The drawing: each value stands one layer below the lowest that it is computed from.

    With `lines`, where an equation comes from is what its box shows under the pointer.
    """
    if len(graph.equations) > MOST:
        return None
    labels, parents = _nodes(graph)
    layers: list[list[int]] = []
    depth: list[int] = []
    for number, above in enumerate(parents):
        depth.append(1 + max((depth[p] for p in above), default=-1))
        layers += [[] for _ in range(depth[number] + 1 - len(layers))]
        layers[depth[number]].append(number)
    boxes = _places(labels, layers)
    width = max((x + w for x, _, w in boxes), default=0.0) + MARGIN
    height = len(layers) * (HEIGHT + GAP_Y) - GAP_Y + 2 * MARGIN
    size = f'width="{width:.0f}" height="{height:.0f}"'
    font = 'font-family="monospace" font-size="11"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>']
    for number, above in enumerate(parents):
        x, y, w = boxes[number]
        for p in above:
            from_x, from_y, from_w = boxes[p]
            parts.append(
                f'<line x1="{from_x + from_w / 2:.1f}" y1="{from_y + HEIGHT:.1f}" '
                f'x2="{x + w / 2:.1f}" y2="{y:.1f}" stroke="#888"/>'
            )
    first = len(graph.inputs) + len(graph.constants)
    for number, ((x, y, w), label) in enumerate(zip(boxes, labels, strict=True)):
        place = None
        if lines and first <= number < first + len(graph.equations):
            place = graph.equations[number - first].place
        title = "" if place is None else f"<title>{html.escape(place.words())}</title>"
        parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{HEIGHT:.0f}" rx="4" '
            'fill="#f4f4f8" stroke="#446"' + (f">{title}</rect>" if title else "/>")
        )
        parts.append(
            f'<text x="{x + w / 2:.1f}" y="{y + HEIGHT / 2 + 4:.1f}" text-anchor="middle">'
            f"{html.escape(label)}</text>"
        )
    return "\n".join([*parts, "</svg>"])


def _nodes(graph: Program) -> tuple[list[str], list[list[int]]]:
    """Labels of inputs, constants, equations and outputs, and what each is computed from."""
    names = names_of(graph)
    labels: list[str] = []
    parents: list[list[int]] = []
    place: dict[Variable, int] = {}

    def add(label: str, inputs: Any) -> int:
        above = dict.fromkeys(place[x] for x in inputs if type(x) is Variable)
        labels.append(label)
        parents.append(list(above))
        return len(labels) - 1

    for x in (*graph.inputs, *graph.constants):
        place[x] = add(f"{names[x]}: {type_of(x)}", ())
    for equation in graph.equations:
        types = ", ".join(map(type_of, equation.outputs))
        number = add(f"{equation.primitive.name}: {types}", equation.inputs)
        place.update((x, number) for x in equation.outputs)
    for x in graph.outputs:
        add("return" if type(x) is Variable else f"return {literal(x)}", (x,))
    return labels, parents


def _places(labels: list[str], layers: list[list[int]]) -> list[tuple[float, float, float]]:
    """Left edge, top and width of each box."""
    widths = [CHARACTER * len(label) + 14 for label in labels]
    totals = [sum(widths[n] + GAP_X for n in layer) - GAP_X for layer in layers]
    widest = max(totals, default=0.0)
    boxes = [(0.0, 0.0, 0.0)] * len(labels)
    for level, (layer, total) in enumerate(zip(layers, totals, strict=True)):
        x = MARGIN + (widest - total) / 2
        for number in layer:
            boxes[number] = (x, MARGIN + level * (HEIGHT + GAP_Y), widths[number])
            x += widths[number] + GAP_X
    return boxes
