"""The graph: a program as a list of equations in static single assignment."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.memory import in_memory, rely
from pullback.core.primitive import Primitive
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.subclasses import elements_of
from pullback.core.tracing import Tracer, is_plain
from pullback.core.validation import refuse, shown, to_array
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.graph import cost, dot, svg, text, verification
from pullback.graph.execution import Plan, require_declared
from pullback.graph.variable import Variable, require_64_bits

__all__ = ["Atom", "Equation", "Graph", "Signature"]

Atom = Any
"""What an equation acts on: a `Variable`, or a Python or NumPy scalar."""


class Equation:
    """The application of a primitive.

    Parameters
    ----------
    primitive : Primitive
    inputs : tuple of (Variable or scalar)
    params : dict
        Static parameters, graphs among them.
    outputs : tuple of Variable
    """

    __slots__ = ("inputs", "outputs", "params", "primitive")

    def __init__(
        self,
        primitive: Primitive,
        inputs: tuple[Atom, ...],
        params: dict[str, Any],
        outputs: tuple[Variable, ...],
    ) -> None:
        self.primitive = primitive
        self.inputs = inputs
        self.params = params
        self.outputs = outputs

    @property
    def graphs(self) -> dict[str, Graph]:
        """The nested graphs among the parameters, by path: ``body``, ``branches[1]``."""
        found: dict[str, Graph] = {}
        if not self.params:
            return found
        for name, value in _fields(self.params):
            if isinstance(value, Graph):
                found[name] = value
            elif isinstance(value, tuple | list):
                found.update(
                    (f"{name}[{i}]", each)
                    for i, each in enumerate(value)
                    if isinstance(each, Graph)
                )
        return found

    @property
    def settings(self) -> dict[str, Any]:
        """The parameters that are no graphs; in place of a dataclass, its fields."""
        nested = {path.partition("[")[0] for path in self.graphs}
        return {name: value for name, value in _fields(self.params) if name not in nested}

    def with_graphs(self, graphs: dict[str, Graph]) -> Equation:
        """The equation with other graphs at some of its paths."""
        params = {name: _replaced(name, value, graphs) for name, value in self.params.items()}
        return Equation(self.primitive, self.inputs, params, self.outputs)


def _fields(params: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The parameters by name; in place of a dataclass, its fields."""
    for name, value in params.items():
        if hasattr(value, "__dataclass_fields__"):
            yield from ((f.name, getattr(value, f.name)) for f in dataclasses.fields(value))
        else:
            yield name, value


def _replaced(path: str, value: Any, graphs: dict[str, Graph]) -> Any:
    """A parameter with other graphs at some paths."""
    if isinstance(value, Graph):
        return graphs.get(path, value)
    if isinstance(value, tuple | list) and any(isinstance(each, Graph) for each in value):
        return type(value)(_replaced(f"{path}[{i}]", each, graphs) for i, each in enumerate(value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        changed = {name: _replaced(name, each, graphs) for name, each in fields.items()}
        return dataclasses.replace(value, **changed)
    return value


class Signature:
    """How the arguments and the result of a function are put together from arrays.

    Parameters
    ----------
    names : sequence of str
        How to reach each array among the arguments, for messages and printing.
    arguments : TreeSpec
        The structure of the tuple of arguments.
    static : dict
        The leaves of the arguments that are no arrays, by position.
    result : TreeSpec
    numbers : collection of int
        Which arrays of the result are to become Python numbers.
    layouts : dict of int to tuple of int
        The strides of those arguments on whose layout in memory the program depends.
    """

    __slots__ = ("arguments", "layouts", "names", "numbers", "result", "static")

    def __init__(
        self,
        names: Sequence[str],
        arguments: trees.TreeSpec,
        static: dict[int, Any],
        result: trees.TreeSpec,
        numbers: Collection[int] = (),
        layouts: dict[int, tuple[int, ...]] | None = None,
    ) -> None:
        self.names = tuple(names)
        self.layouts = layouts or {}
        self.numbers = frozenset(numbers)
        self.arguments = arguments
        self.static = static
        self.result = result


class Graph:
    """A program recorded as primitives in static single assignment.

    It is made by `trace`. ``print(graph)`` shows it, ``graph(*args)`` runs it with NumPy.

    Attributes
    ----------
    name : str
    inputs : tuple of Variable
    constants : dict of Variable to array
        Arrays from outside the function. A read-only array is held by reference, any other as it
        was when the function read it.
    equations : tuple of Equation
    outputs : tuple of (Variable or scalar)
    signature : Signature
    derived : dict
        What has been made from this graph, such as its derivative, so that it is made once.
    """

    def __init__(
        self,
        name: str,
        inputs: Sequence[Variable],
        constants: dict[Variable, Any],
        equations: Sequence[Equation],
        outputs: Sequence[Atom],
        signature: Signature,
    ) -> None:
        self.name = self.__name__ = name
        self.inputs = tuple(inputs)
        self.constants = constants
        self.equations = tuple(equations)
        self.outputs = tuple(outputs)
        self.signature = signature
        self.derived: dict[Any, Any] = {}
        self._released: list[list[Variable]] | None = None
        self._plan: Plan | None = None

    # -- running -------------------------------------------------------------------------------

    def __call__(self, *args: Any) -> Any:
        """Run the program.

        Parameters
        ----------
        *args
            As at recording: the same structure, shapes and dtypes.

        Returns
        -------
        pytree
            Fresh arrays.

        Raises
        ------
        ArgumentTypeError, ArgumentValueError
            Where an argument is not as at recording.

        Notes
        -----
        Values are freed after their last use. NumPy's floating-point warnings are off.
        Arguments may be traced: a graph can be differentiated, batched and recorded again.
        """
        values = self._bound(args)
        taken = set(map(id, (*values, *self.constants.values())))
        if any(type(x) is Tracer for x in (*values, *self.constants.values())):
            results = self.run(values)
        else:
            with np.errstate(all="ignore"):
                results = self.evaluate(values)
        leaves = [_fresh(out, taken) for out in results]
        for position in self.signature.numbers:
            if is_plain(leaves[position], np.generic):
                leaves[position] = leaves[position].item()
        return trees.unflatten(self.signature.result, leaves)

    def run(self, values: Sequence[Any]) -> list[Any]:
        """The outputs from one value for each input, traced or not, without checks of shapes."""
        self._require_row(values, "run")
        for position, x in enumerate(values):
            if getattr(getattr(x, "dtype", None), "kind", "f") not in "biufc":
                raise refuse(f"{self.name}.run", f"values[{position}]", x, "an array of numbers")
            require_64_bits(x, f"{self.name}.run: values[{position}]")
        state: dict[Variable, Any] = dict(self.constants)
        state.update(zip(self.inputs, values, strict=True))
        with np.errstate(all="ignore"):
            for equation, released in zip(self.equations, self._releases(), strict=True):
                args = [state[x] if type(x) is Variable else x for x in equation.inputs]
                out = equation.primitive(*args, **equation.params)
                if not equation.primitive.trusted:
                    require_declared(equation, out)
                if equation.primitive.multiple:
                    state.update(zip(equation.outputs, out, strict=True))
                else:
                    state[equation.outputs[0]] = out
                del args, out
                for variable in released:
                    del state[variable]
        return [state[x] if type(x) is Variable else x for x in self.outputs]

    def evaluate(self, values: list[Any]) -> list[Any]:
        """The outputs from one plain array or scalar for each input, in the least time and memory.

        Parameters
        ----------
        values : list
            It is taken over: emptied, and an array to which nothing but this list refers may be
            overwritten. Every other array, also one of which a view is alive, stays as it is.

        Returns
        -------
        list
            What is not fresh is an argument, a constant or a view: nothing is copied for it.

        Notes
        -----
        What can be updated in place is: see `pullback.graph.execution`. To run a loop, hand each
        result over with nothing else referring to it::

            values = [i, *constants, *state]
            del state
            state = body.evaluate(values)

        NumPy's floating-point warnings are as they are outside.
        """
        if type(values) is not list or len(values) != len(self.inputs):
            self._require_row(values, "evaluate", list)
        if self._plan is None:
            self._plan = Plan(self)
        return self._plan(values)

    def _require_row(self, values: Any, method: str, kinds: Any = (list, tuple)) -> None:
        """Raise unless there is one value for each input."""
        where = f"{self.name}.{method}"
        if not is_plain(values, kinds):
            raise refuse(
                where,
                "values",
                values,
                "a list with one value for each input",
                f"write graph.{method}([x]) for a single one, or call the graph itself: graph(x)",
            )
        if len(values) != len(self.inputs):
            raise ArgumentValueError(
                f"{where}: values has {len(values)} entries, wanted {len(self.inputs)}, one for "
                f"each input: {', '.join(self.signature.names[:4])}…; a pytree is taken apart by "
                "calling the graph itself: graph(*args)"
            )

    def _releases(self) -> list[list[Variable]]:
        """For each equation the values that nothing reads after it."""
        if self._released is None:
            needed = {x for x in self.outputs if type(x) is Variable}
            released = []
            for equation in reversed(self.equations):
                touched = dict.fromkeys(
                    x for x in (*equation.inputs, *equation.outputs) if type(x) is Variable
                )
                released.append([x for x in touched if x not in needed])
                needed.update(touched)
            self._released = released[::-1]
        return self._released

    def _bound(self, args: Sequence[Any]) -> list[Any]:
        """The arguments' arrays, checked against those of the recording."""
        leaves, spec = trees.flatten(tuple(args))
        signature = self.signature
        if spec != signature.arguments:
            raise ArgumentValueError(
                f"{self.name}: the arguments have the structure "
                f"{trees.contrast(spec, signature.arguments)}, that of the recording; trace the "
                "function again"
            )
        values: list[Any] = []
        for position, leaf in enumerate(leaves):
            if position in signature.static:
                fixed = signature.static[position]
                if not (leaf is fixed or bool(leaf == fixed)):
                    raise ArgumentValueError(
                        f"{self.name}: args{trees.leaf_paths(spec)[position]} is {leaf!r}, and the "
                        f"graph was recorded with {fixed!r}; trace the function again"
                    )
                continue
            name, variable = signature.names[len(values)], self.inputs[len(values)]
            values.append(_checked(leaf, variable, f"{self.name}: argument {name}"))
        for place, strides in signature.layouts.items():
            _require_layout(
                values[place], strides, f"{self.name}: argument {signature.names[place]}"
            )
        return values

    # -- looking -------------------------------------------------------------------------------

    def verify(self) -> None:
        """Check that the graph is well formed.

        Each variable is defined once, and before it is used; shapes and dtypes are those that
        the primitives give; constants and nested graphs are as they are declared.

        Raises
        ------
        GraphError
            Names the equation and what is wrong with it.
        """
        verification.verify(self)

    def cost(self) -> cost.Cost:
        """Floating-point operations and bytes read and written, counted from shapes and dtypes.

        Returns
        -------
        Cost
            With the attributes ``operations``, ``bytes`` and ``by_primitive``.
        """
        return cost.cost(self)

    def to_dot(self) -> str:
        """The graph in Graphviz's language."""
        return dot.to_dot(self)

    def __str__(self) -> str:
        return text.show(self)

    def __repr__(self) -> str:
        return text.show(self)

    def _repr_html_(self) -> str:
        return svg.to_html(self)

    def _repr_svg_(self) -> str | None:
        return svg.to_svg(self)


def _checked(x: Any, variable: Variable, what: str) -> Any:
    """An argument as the graph takes it."""
    if type(x) is np.ndarray and x.dtype == variable.dtype and x.shape == variable.shape != ():
        return x
    if isinstance(x, list | tuple | str) or callable(x) or x is None:
        raise ArgumentTypeError(f"{what} is {shown(x)}, wanted {variable!r}")
    if not isinstance(x, Tracer | np.ndarray | np.generic | int | float | complex):
        x = to_array(x, what)
    x = elements_of(x, what)
    require_64_bits(x, what)
    if shape_of(x) != variable.shape:
        raise ArgumentValueError(
            f"{what} has shape {shape_of(x)}, wanted {variable.shape}, that of the recording; "
            "trace the function again for another shape"
        )
    if dtype_of(x) != variable.dtype:
        raise ArgumentTypeError(
            f"{what} has dtype {dtype_of(x)}, wanted {variable.dtype}, that of the recording; "
            f"convert it with x.astype({variable.dtype}), or trace the function again"
        )
    if isinstance(x, Tracer):
        return x._snapshot()
    if variable.weak is not None:
        return variable.weak(x)
    if isinstance(x, np.ndarray):
        return x if x.shape or variable.array else x[()]
    return np.asarray(x) if variable.array else variable.dtype.type(x)


def _require_layout(x: Any, strides: tuple[int, ...], what: str) -> None:
    """Raise unless `x`, of the right shape, lies in memory as the argument at recording did."""
    memory = in_memory(x)
    got = getattr(memory, "strides", strides)
    pairs = zip(got, strides, shape_of(x), strict=True)
    if (memory is not None and all(a == b or n < 2 for a, b, n in pairs)) or 0 in shape_of(x):
        rely(x)
        return
    known = "is not known how it lies" if memory is None else f"lies with strides {got}"
    raise ArgumentValueError(
        f"{what}, of dtype {dtype_of(x)} and shape {shape_of(x)}, {known} in memory, and at "
        f"recording it lay with strides {strides}, on which the program depends, as one with "
        'x.ravel("K") does, or with a write to x.reshape(shape), which is a view or a copy; trace '
        "the function again for arrays that lie so, or, for the order of rows, trace and call it "
        "with np.ascontiguousarray(x)"
    )


def _fresh(x: Any, taken: set[int]) -> Any:
    """A result that shares memory with nothing else."""
    if is_plain(x):
        if x.base is not None or not x.flags.writeable or id(x) in taken:
            x = np.array(x, order="K")
        taken.add(id(x))
        return x
    return x._snapshot() if isinstance(x, Tracer) else x
