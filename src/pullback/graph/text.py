"""A graph as text.

Equations stand in the order of evaluation, one a line, and a nested graph below the equation that
has it. The names are the same for the same program: inputs have those of the function's arguments,
constants c0, c1, …, values v0, v1, …; in a nested graph they begin anew.

Parameters that are `None` or False are left out. An index is written as Python writes it:
``index(x, key=[1:, i])`` is ``x[1:, i]``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.core.shapes import Abstract
from pullback.core.tracing import is_plain
from pullback.graph.program import Equation, Program
from pullback.graph.variable import Variable

__all__ = ["literal", "names_of", "parameters", "show", "type_of"]

INDENT, COLUMNS = "  ", 100

FEW = 6
"""The number of elements up to which a constant is written out."""

PLACE = "array"
"""What marks the place of an array in the template of an index."""


def show(graph: Program, *, lines: bool = False) -> str:
    """The whole graph, nested graphs indented below the equation that has them.

    With `lines`, where each equation comes from stands behind it.
    """
    names = names_of(graph)
    inputs = [f"{names[x]}: {type_of(x)}" for x in graph.inputs]
    outputs = ", ".join(type_of(x) if type(x) is Variable else literal(x) for x in graph.outputs)
    name = "f" if graph.name == "<lambda>" else graph.name
    text = [f"{name}({', '.join(inputs)}) -> {outputs}:"]
    if len(text[0]) > COLUMNS:
        text = [f"{name}(", *(f"{INDENT * 2}{x}," for x in inputs), f") -> {outputs}:"]
    for x, array in graph.constants.items():
        text.append(f"{INDENT}constant {names[x]}: {type_of(x)}{_elements(array)}")
    for equation in graph.equations:
        place = f"  # {equation.place.short}" if lines and equation.place is not None else ""
        text.append(INDENT + _equation(equation, names) + place)
        for path, nested in equation.graphs.items():
            first, *rest = show(nested, lines=lines).splitlines()
            text += [f"{INDENT * 2}{path} = {first}", *(INDENT * 2 + line for line in rest)]
    text.append(f"{INDENT}return {', '.join(_atom(x, names) for x in graph.outputs)}")
    return "\n".join(text)


def _elements(array: Any) -> str:
    """The elements of a constant, if they are few or all the same."""
    if not is_plain(array) or not array.size:
        return ""
    first = array[(0,) * array.ndim]
    if array.size > 1 and bool(np.all(array == first)):
        return f" = {first.item()} everywhere"
    return f" = {array.tolist()}" if array.size <= FEW else ""


def names_of(graph: Program) -> dict[Variable, str]:
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
    key = equation.params.get("key")
    arrays = sum(map(_is_place, key)) if isinstance(key, tuple) else 0  # the last of the inputs
    first = len(inputs) - arrays
    arguments = inputs[:first] + parameters(equation, inputs[first:])
    return f"{outputs} = {equation.primitive.name}({', '.join(arguments)})"


def parameters(equation: Equation, arrays: Sequence[str] = ()) -> list[str]:
    """The static parameters of an equation, but its graphs and what is `None` or False.

    The arrays in an index are called as `arrays` says.
    """
    remaining = iter(arrays)
    texts = []
    for name, value in equation.settings.items():
        if name == "key" and isinstance(value, tuple):
            entries = [next(remaining, "·") if _is_place(x) else literal(x) for x in value]
            texts.append(f"key=[{', '.join(entries)}]")
        elif value is not None and value is not False:
            texts.append(f"{name}={literal(value)}")
    return texts


def _is_place(entry: Any) -> bool:
    return isinstance(entry, str) and entry == PLACE


def _atom(x: Any, names: dict[Variable, str]) -> str:
    return names[x] if type(x) is Variable else literal(x)


def literal(x: Any) -> str:
    """A static value, without addresses or long arrays."""
    if is_plain(x, np.generic):
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
