"""Primitives without a formula in entries: named, and told by the rules that they carry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pullback.core.shapes import dtype_of
from pullback.explain.boxes import Box, Call, Fenced, Mark, Named, Over, Superscript, Text, row
from pullback.explain.layout import number_box
from pullback.explain.names import Name
from pullback.explain.program import Definition, Reading
from pullback.explain.writers import name_text
from pullback.graph.program import Equation
from pullback.graph.text import parameters
from pullback.graph.variable import Variable

__all__ = ["call", "inner_values", "is_loop", "round_of", "rule_of", "singular", "slope"]


def call(d: Definition, reading: Reading) -> Box:
    """The primitive as a function of what it reads."""
    equation = d.equation
    args = [
        Named(reading.names[x]) if type(x) is Variable else number_box(_plain(x))[0]
        for x in equation.inputs
    ]
    more = [] if equation.graphs else [Text(x, upright=True) for x in parameters(equation)]
    return Call(equation.primitive.name.replace("_", " "), 0, (*args, *more))


def _plain(x: Any) -> Any:
    return x.item() if isinstance(x, np.generic) else x


def rule_of(equation: Equation) -> str:
    """What the primitive's rule says of itself."""
    primitive = equation.primitive
    text = " ".join((getattr(primitive.rule, "__doc__", None) or "").split())
    return f"by the rule of {primitive.name}" + (f": {text}" if text else "")


def slope(d: Definition, u: Name, bars: Mapping[Name, Name], *, forward: bool) -> Box:
    """(∂z/∂u)ᵀ z̄, or (∂z/∂u) u̇."""
    matrix: Box = Fenced(Over(Named(d.name), Named(u)))
    if forward:
        return row(matrix, Mark(" "), Named(bars[u]))
    power = "H" if dtype_of(d.variable).kind == "c" else "T"
    return row(Superscript(matrix, Text(power)), Mark(" "), Named(bars[d.name]))


def singular(d: Definition, values: Mapping[Variable, Any]) -> list[str]:
    """The singular points that the values are at, with what the rule gives there."""
    found = []
    for equation in d.equations:
        primitive = equation.primitive
        for point in primitive.singular_points:
            args = [values[x] if type(x) is Variable else x for x in equation.inputs]
            try:
                met = bool(np.any(point.at(*args, **equation.params)))
            except Exception:  # asked of a point for which it was not made
                continue
            if met:
                text = " ".join((getattr(primitive.rule, "__doc__", "") or "").split())
                found.append(f"{primitive.name} is at a singular point, {point.place}: {text}")
    return list(dict.fromkeys(found))


def is_loop(equation: Equation) -> bool:
    """Whether it has a body that it runs again and again."""
    return equation.primitive.name in ("scan", "while_loop")


def inner_values(equation: Equation, values: Mapping[Variable, Any]) -> list[Any]:
    """What the body of a loop is given in its first round."""
    loop = equation.params["loop"]
    given = [values[x] if type(x) is Variable else np.asarray(x) for x in equation.inputs]
    start = loop.start or 0
    fixed = loop.consts + loop.carry
    place = -1 if loop.reverse else 0
    return [np.asarray(start), *given[:fixed], *(x[place] for x in given[fixed:])]


def round_of(loop: Any, reading: Reading, *, forward: bool) -> str:
    """What is said of the rounds of a loop."""
    body = reading.program
    fixed = 1 + loop.consts
    carried = [name_text(reading.names[x]) for x in body.inputs[fixed : fixed + loop.carry]]
    after = [
        name_text(reading.names[x]) if type(x) is Variable else "a number"
        for x in body.outputs[: loop.carry]
    ]
    pairs = ", ".join(f"{a} is {b}" for a, b in zip(carried, after, strict=True))
    often = "as often as its condition holds" if loop.length is None else f"{loop.length} times"
    text = f"One round of the loop, which runs {often}; in the next round {pairs}"
    if loop.consts and not forward:
        text += "; back through the rounds, what goes to the values from outside is added up"
    return text
