"""Numbering: which equations of a graph compute the same, so that one of them is enough.

Equations are equal if they apply the same primitive, with the same parameters, to the same inputs:
to the same variables, or to numbers of the same type with the same bits. The order of the factors
of a product does not matter. Arrays among the parameters are compared by identity, graphs by
structure. Constant arrays are equal if their elements are; see `pullback.graph.interning`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from pullback.core.primitive import Primitive, registry
from pullback.core.tracing import is_plain
from pullback.graph.building import flat_graph
from pullback.graph.graph import Graph
from pullback.graph.interning import Interned
from pullback.graph.program import Atom, Equation
from pullback.graph.variable import Variable

__all__ = ["Identity", "Numbering", "frozen", "is_ours", "numbered", "shared", "structure"]


class Numbering:
    """The equations and constants of a graph so far, by what makes them equal."""

    def __init__(self) -> None:
        self._outputs: dict[Any, tuple[Variable, ...]] = {}
        self._constants = Interned()

    def find(self, equation: Equation) -> Any:
        """The outputs of an equal equation, or `None`; and the key to enter it with."""
        primitive, params = equation.primitive, equation.params
        atoms = [x if type(x) is Variable else _number(x) for x in equation.inputs]
        if primitive.structure.symmetric and _precedes(atoms[1], atoms[0]):
            atoms.reverse()
        key: Any = (primitive, *atoms)
        if params or not isinstance(primitive.value, np.ufunc):
            key += _settings(primitive, params)
        return self._outputs.get(key), key

    def enter(self, key: Any, outputs: tuple[Variable, ...]) -> None:
        """Remember the outputs of an equation."""
        self._outputs[key] = outputs

    def constant(self, array: np.ndarray[Any, Any], variable: Variable) -> tuple[Variable, bool]:
        """The variable of an equal constant, or of its transpose, and whether it is the latter."""
        return self._constants.find(array, variable)


@functools.lru_cache(maxsize=4096)
def _defaults(primitive: Primitive) -> dict[str, Any]:
    """The parameters that a primitive need not be given."""
    if isinstance(primitive.value, np.ufunc):
        return {}  # its keywords are NumPy's own
    try:
        parameters = inspect.signature(primitive.value).parameters.values()
    except (TypeError, ValueError):  # a function that does not tell
        return {}
    return {
        each.name: each.default
        for each in parameters
        if each.kind is each.KEYWORD_ONLY and each.default is not each.empty
    }


def _settings(primitive: Primitive, params: dict[str, Any]) -> tuple[Any, ...]:
    """All parameters of an equation, those that it was not given included, as a part of a key."""
    complete = {**_defaults(primitive), **params}
    return tuple([(name, frozen(value)) for name, value in complete.items()])


def _number(x: Any) -> Any:
    """What numbers of a type with the same bits have in common."""
    return (type(x), x.tobytes() if is_plain(x, np.generic) else repr(x))


def _precedes(one: Any, other: Any) -> bool:
    """The order of two factors: variables first."""
    if type(one) is type(other) is Variable:
        return id(one) < id(other)
    return type(one) is Variable


def frozen(value: Any) -> Any:
    """A parameter as something hashable, equal for equal parameters alone."""
    kind = type(value)
    if kind is int or kind is bool or kind is str or value is None:
        return (kind, value)
    if kind is tuple or kind is list:
        return (kind, *map(frozen, value))
    if kind is dict:
        return (kind, *((name, frozen(each)) for name, each in value.items()))
    if kind is slice:
        return (kind, value.start, value.stop, value.step)
    if kind is float or kind is complex or is_plain(value, np.generic):
        return _number(value)
    if kind is Graph:
        return structure(value)
    if isinstance(value, np.dtype):
        return (kind, value)
    if is_dataclass(value):
        return (kind, *(frozen(getattr(value, field.name)) for field in fields(value)))
    return Identity(value)


class Identity:
    """An object that equals itself alone; it is kept, so that its address is not used again."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return type(other) is Identity and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


def structure(graph: Graph) -> Any:
    """What makes two nested graphs equal: all but the names of their variables."""
    numbers: dict[Variable, int] = {}

    def define(variables: Sequence[Variable]) -> Any:
        for variable in variables:
            numbers[variable] = len(numbers)
        return tuple((x.shape, x.dtype, x.weak) for x in variables)

    def use(atoms: Sequence[Atom]) -> Any:
        return tuple(numbers[x] if type(x) is Variable else _number(x) for x in atoms)

    heads = define(graph.inputs), define(tuple(graph.constants))
    constants = tuple(Identity(value) for value in graph.constants.values())
    body = []
    for equation in graph.equations:
        params = _settings(equation.primitive, equation.params)
        inputs = use(equation.inputs)
        body.append((equation.primitive, inputs, params, define(equation.outputs)))
    return heads, constants, tuple(body), use(graph.outputs)


# -- a whole graph --------------------------------------------------------------------------------


def numbered(
    equations: Sequence[Equation], same: Mapping[Variable, Atom]
) -> tuple[list[Equation], dict[Variable, Atom]]:
    """The equations without those that are equal to an earlier one, and what stands for what.

    What the user has made is evaluated as often as the user says: it may do something besides.

    Parameters
    ----------
    equations : sequence of Equation
    same : mapping of Variable to Atom
        What else they read that is something else.
    """
    found = Numbering()
    now: dict[Variable, Atom] = dict(same)
    kept = []
    for equation in equations:
        inputs = tuple([now.get(x, x) if type(x) is Variable else x for x in equation.inputs])
        if any(x is not y for x, y in zip(inputs, equation.inputs, strict=True)):
            equation = Equation(
                equation.primitive, inputs, equation.params, equation.outputs, equation.place
            )
        outputs = None
        if is_ours(equation.primitive) and not equation.graphs:
            outputs, key = found.find(equation)
            if outputs is None:
                found.enter(key, equation.outputs)
        if outputs is None:
            kept.append(equation)
        else:
            now.update(zip(equation.outputs, outputs, strict=True))
    return kept, now


def is_ours(primitive: Primitive) -> bool:
    """Whether a primitive is in the rule book, and so without side effects."""
    return registry.get(primitive.name) is primitive


def shared(graph: Graph) -> Graph:
    """A flat graph in which nothing is computed twice; the graph itself if nothing was."""
    equations, now = numbered(graph.equations, {})
    if not now:
        return graph
    outputs = [now.get(x, x) if type(x) is Variable else x for x in graph.outputs]
    names = graph.signature.names
    return flat_graph(graph.name, graph.inputs, graph.constants, equations, outputs, names)
