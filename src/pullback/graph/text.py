"""A graph as text.

Equations stand in the order of evaluation, one a line. The names are the same for the same
program: inputs have those of the function's arguments, constants c0, c1, …, values v0, v1, ….
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pullback.core.shapes import Abstract
from pullback.graph.variable import Variable

if TYPE_CHECKING:
    from pullback.graph.graph import Equation, Graph

__all__ = ["literal", "names_of", "parameters", "show", "type_of"]

INDENT, COLUMNS = "  ", 100


def show(graph: Graph) -> str:
    """The whole graph, nested graphs indented below the equation that has them."""
    names = names_of(graph)
    inputs = [f"{names[x]}: {type_of(x)}" for x in graph.inputs]
    outputs = ", ".join(type_of(x) if type(x) is Variable else literal(x) for x in graph.outputs)
    lines = [f"{graph.name}({', '.join(inputs)}) -> {outputs}:"]
    if len(lines[0]) > COLUMNS:
        lines = [f"{graph.name}(", *(f"{INDENT * 2}{x}," for x in inputs), f") -> {outputs}:"]
    lines += [f"{INDENT}constant {names[x]}: {type_of(x)}" for x in graph.constants]
    for equation in graph.equations:
        lines.append(INDENT + _equation(equation, names))
        for path, nested in equation.graphs.items():
            lines.append(f"{INDENT * 2}{path} =")
            lines += [INDENT * 3 + line for line in show(nested).splitlines()]
    lines.append(f"{INDENT}return {', '.join(_atom(x, names) for x in graph.outputs)}")
    return "\n".join(lines)


def names_of(graph: Graph) -> dict[Variable, str]:
    """A name for every variable of a graph."""
    names: dict[Variable, str] = dict(zip(graph.inputs, graph.signature.names, strict=True))
    taken = set(names.values())

    def give(letter: str, variables: Any) -> None:
        for number, variable in enumerate(variables):
            name = f"{letter}{number}"
            names[variable] = f"{name}_" if name in taken else name

    give("c", graph.constants)
    give("v", (x for equation in graph.equations for x in equation.outputs))
    return names


def type_of(x: Abstract) -> str:
    """A shape and dtype: ``float64[2, 3]``, ``float64`` for a scalar."""
    if isinstance(x, Variable) and x.weak is not None:
        return x.weak.__name__
    return f"{x.dtype}{list(x.shape)}" if x.shape else str(x.dtype)


def _equation(equation: Equation, names: dict[Variable, str]) -> str:
    outputs = ", ".join(f"{names[x]}: {type_of(x)}" for x in equation.outputs)
    inputs = [_atom(x, names) for x in equation.inputs]
    return f"{outputs} = {equation.primitive.name}({', '.join(inputs + parameters(equation))})"


def parameters(equation: Equation) -> list[str]:
    """The static parameters of an equation but its graphs."""
    return [f"{name}={literal(value)}" for name, value in equation.settings.items()]


def _atom(x: Any, names: dict[Variable, str]) -> str:
    return names[x] if type(x) is Variable else literal(x)


def literal(x: Any) -> str:
    """A static value, without addresses or long arrays."""
    if isinstance(x, np.generic):
        return f"{x.dtype}({x.item()})"
    if isinstance(x, slice):
        stop = "" if x.stop is None else x.stop
        start = "" if x.start is None else x.start
        return f"{start}:{stop}" + ("" if x.step is None else f":{x.step}")
    if x is Ellipsis:
        return "..."
    if isinstance(x, tuple):
        inner = ", ".join(map(literal, x))
        return f"({inner},)" if len(x) == 1 else f"({inner})"
    if isinstance(x, list):
        return f"[{', '.join(map(literal, x))}]"
    if isinstance(x, dict):
        return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in x.items()) + "}"
    if isinstance(x, np.dtype):
        return str(x)
    if isinstance(x, np.ndarray | Abstract):
        return f"{x.dtype}{list(x.shape)}"
    if callable(x):
        return str(getattr(x, "__name__", type(x).__name__))
    if isinstance(x, str | int | float | complex) or x is None:
        return repr(x)
    return type(x).__name__
