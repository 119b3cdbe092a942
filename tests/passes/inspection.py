"""What a simplified graph must not have. It is found without the passes' own means."""

from __future__ import annotations

import numpy as np

from pullback.graph.graph import Graph
from pullback.graph.variable import Variable

__all__ = ["findings", "names"]

NEUTRAL = {
    "add": {0: (0, 1)},
    "subtract": {0: (0, 1)},
    "difference": {0: (1,)},
    "index_add": {0: (0, 1)},
    "multiply": {1: (0, 1), -1: (0, 1)},
    "product": {1: (0, 1)},
    "strong_multiply": {1: (0, 1), 0: (0, 1)},
    "divide": {1: (1,), -1: (1,)},
    "power": {0: (1,), 1: (1,)},
}
"""For each primitive the numbers that it must not be applied to, and at which places."""

TWICE = ("transpose", "reshape", "broadcast_to", "negative", "copy", "conjugate", "positive")
"""What does nothing, or can be done at once, if it is done twice in a row."""


def findings(graph: Graph) -> list[str]:
    """What is wrong with a simplified graph, in words."""
    made = {x: equation for equation in graph.equations for x in equation.outputs}
    found = []

    def number(x):
        """The number that every element of `x` is, if that is known."""
        if type(x) is not Variable:
            return x
        if x in graph.constants:
            array = graph.constants[x]
            if isinstance(array, np.ndarray) and array.size and (array == array.flat[0]).all():
                return array.flat[0]
        elif x in made and made[x].primitive.name == "broadcast_to":
            return number(made[x].inputs[0])
        return None

    for equation in graph.equations:
        primitive, inputs = equation.primitive, equation.inputs
        name = primitive.name
        for value, places in NEUTRAL.get(name, {}).items():
            for place in places:
                each = number(inputs[place])
                if each is not None and each == value:
                    found.append(f"{name} with {value}")
        sources = [made[x].primitive.name for x in inputs if type(x) is Variable and x in made]
        whole = inputs and getattr(inputs[-1], "shape", ()) == equation.outputs[0].shape
        if name in ("add", "subtract") and "scatter" in sources[-1:] and whole:
            found.append(f"{name} of a scatter")
        if primitive.structure.elementwise and "broadcast_to" in sources:
            found.append(f"{name} of what was broadcast")
        for x in inputs:
            if primitive.structure.elementwise and x in graph.constants and number(x) is not None:
                found.append(f"{name} of an array of one number")
        if name in ("sum", "mean", "max", "min") and "broadcast_to" in sources:
            found.append(f"{name} of what was broadcast")
        before = [made[x] for x in inputs if type(x) is Variable and x in made]
        if name in TWICE and any(
            each.primitive is primitive and _order(each) == _order(equation) for each in before
        ):
            found.append(f"{name} twice")
        if name in ("positive", "copy"):
            found.append(name)
        if (
            name in ("astype", "reshape", "broadcast_to", "transpose")
            and type(inputs[0]) is Variable
            and inputs[0].weak is None
            and inputs[0].shape == equation.outputs[0].shape
            and inputs[0].dtype == equation.outputs[0].dtype
            and name != "transpose"
        ):
            found.append(f"{name} to what it is already")
        if inputs and all(type(x) is not Variable for x in inputs) and name != "broadcast_to":
            found.append(f"{name} of numbers")
        for nested in equation.graphs.values():
            found += findings(nested)
    return found + _unused(graph) + _repeated(graph)


def _order(equation):
    """The order in which a reshape reads elements; two in different orders do not become one."""
    return equation.params.get("order", "C")


def _unused(graph: Graph) -> list[str]:
    """Dead code."""
    read = {x for x in graph.outputs if type(x) is Variable}
    for equation in graph.equations:
        read.update(x for x in equation.inputs if type(x) is Variable)
    dead = [
        equation.primitive.name
        for equation in graph.equations
        if not any(x in read for x in equation.outputs)
    ]
    return [
        f"{name} is dead" for name in dead + ["a constant"] * (len(graph.constants.keys() - read))
    ]


def _repeated(graph: Graph) -> list[str]:
    """Values that are computed twice, as the printed graph shows them."""
    seen, repeated = set(), []
    lines = str(graph).splitlines()
    if any(equation.graphs for equation in graph.equations):
        return []
    for line in lines:
        name, equals, value = line.partition(" = ")
        if "constant " in name:
            continue
        if equals and value in seen:
            repeated.append(f"{value} twice")
        seen.add(value)
    return repeated


def names(graph: Graph) -> list[str]:
    """The primitives of a graph, in order."""
    return [equation.primitive.name for equation in graph.equations]
