"""The verifier: whether a graph is well formed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.errors import GraphError
from pullback.graph.places import Place
from pullback.graph.program import Equation, Program
from pullback.graph.text import literal, names_of, type_of
from pullback.graph.variable import Variable

__all__ = ["abstract_outputs", "verify"]


def abstract_outputs(primitive: Any, inputs: Sequence[Any], params: dict[str, Any]) -> Any:
    """Shapes and dtypes of a primitive's outputs, always as a tuple.

    Inputs that stand for Python scalars are handed to the shape rule as such. A constant array
    should be one of the inputs itself: the shape may depend on it, as on a mask.
    """
    structure = primitive.structure
    if structure.infer is not None:
        out = structure.infer(*inputs, **params)
    else:
        args = [x.weak(1) if type(x) is Variable and x.weak is not None else x for x in inputs]
        out = structure.shape(primitive, *args, **params)
    return out if primitive.multiple else (out,)


def verify(graph: Program) -> None:
    """Raise `GraphError` unless `graph` is well formed; see `Graph.verify`."""
    defined: set[Variable] = set()
    place: Place | None = None

    def fail(line: str, what: str) -> None:
        where = "" if place is None else f"; it comes from {place.words()}"
        raise GraphError(f"graph of {graph.name}: {line}: {what}{where}")

    def define(variable: Any, line: str) -> None:
        if type(variable) is not Variable:
            fail(line, f"defines a {type(variable).__name__}, wanted a Variable")
        if variable in defined:
            fail(line, f"{names_of(graph)[variable]} is defined a second time")
        defined.add(variable)

    def use(x: Any, line: str) -> None:
        if isinstance(x, Abstract) and x not in defined:
            name = names_of(graph).get(x, repr(x))  # type: ignore[call-overload]
            fail(line, f"{name} is used before it is defined")

    for variable in graph.inputs:
        if type(variable) is Variable and variable not in defined:
            defined.add(variable)
        else:
            define(variable, "inputs")
    for variable, array in graph.constants.items():
        if type(variable) is Variable and variable not in defined:
            defined.add(variable)
        else:
            define(variable, "constants")
        if shape_of(array) != variable.shape or dtype_of(array) != variable.dtype:
            fail(
                "constants",
                f"{names_of(graph)[variable]} is declared as {type_of(variable)}, and the array is "
                f"{type_of(Abstract.of(array))}",
            )
    for number, equation in enumerate(graph.equations):
        line = f"equation {number}, {equation.primitive.name}"
        place = equation.place
        for x in equation.inputs:
            if type(x) is not Variable or x not in defined:
                use(x, line)
        _check_types(equation, graph.constants, line, fail)
        for nested in equation.graphs.values():
            verify(nested)
        for variable in equation.outputs:
            define(variable, line)
    place = None
    for x in graph.outputs:
        if type(x) is Variable and x in defined:
            continue
        use(x, "outputs")
        if not isinstance(x, Abstract) and shape_of(x) != ():
            fail("outputs", f"{literal(x)} is neither a variable nor a scalar")
    if graph.signature.result.num_leaves != len(graph.outputs):
        fail("outputs", f"{len(graph.outputs)} for {graph.signature.result.num_leaves} leaves")


def _check_types(
    equation: Equation, constants: dict[Variable, Any], line: str, fail: Callable[[str, str], None]
) -> None:
    """Whether an equation's outputs are what its primitive's shape rule says."""
    values = [constants.get(x, x) if type(x) is Variable else x for x in equation.inputs]
    wanted = abstract_outputs(equation.primitive, values, equation.params)
    if len(wanted) != len(equation.outputs):
        fail(line, f"has {len(equation.outputs)} outputs, wanted {len(wanted)}")
    for got, want in zip(equation.outputs, wanted, strict=True):
        if got.shape != want.shape or got.dtype != want.dtype:
            fail(line, f"an output is declared as {type_of(got)}, and is {type_of(want)}")
