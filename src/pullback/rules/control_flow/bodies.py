"""Recording what the user gives as the body of a loop, a condition or a branch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from pullback.core import trees
from pullback.core.primitive import bind
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.tracing import Tracer, is_number
from pullback.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    DataDependenceError,
    GraphError,
    NoRuleError,
)
from pullback.graph.building import build, close, flat_graph, like
from pullback.graph.dependence import read
from pullback.graph.graph import Atom, Graph
from pullback.graph.layout import assumed_of, layout_of, layout_of_part, layouts_through
from pullback.graph.staging import Staging
from pullback.graph.variable import Assumed, Variable, require_64_bits
from pullback.rules import conversion
from pullback.rules.control_flow.free_arrays import FreeArrays
from pullback.transforms.arguments import flatten_arrays, owned

__all__ = [
    "Carry",
    "Leaves",
    "Result",
    "index_variable",
    "record",
    "record_unevaluated",
    "same_leaves",
    "slices",
]


class Leaves:
    """The arrays of a pytree, as the arguments of a body.

    Attributes
    ----------
    values : list of (array, scalar or tracer)
    spec : TreeSpec
    variables : list of Variable
    names : list of str
        How to reach each array, below the name of the tree.
    """

    def __init__(self, tree: Any, where: str, name: str) -> None:
        self.values, self.spec = flatten_arrays(tree, where, name)
        self.values = [x._snapshot() if type(x) is Tracer else x for x in self.values]
        self.variables = [_variable(x) for x in self.values]
        self.names = [name + path for path in trees.leaf_paths(self.spec)]
        for x, variable, path in zip(self.values, self.variables, self.names, strict=True):
            require_64_bits(x, f"{where}: {path}")
            if variable.dtype.kind not in "biufc":
                raise ArgumentTypeError(
                    f"{where}: {path} is an array of dtype {dtype_of(x)} and shape {shape_of(x)}, "
                    "wanted numbers or booleans; convert it with .astype(float)"
                )

    def tree(self, leaves: Sequence[Any]) -> Any:
        """The pytree with these leaves."""
        return trees.unflatten(self.spec, leaves)

    def results(self, leaves: Sequence[Any]) -> Any:
        """The pytree with these leaves, arrays of the user's own."""
        taken = set(map(id, self.values))
        return self.tree([owned(_strong(x), taken) for x in leaves])


class Result:
    """The structure of what a body returns, which is known once it is recorded."""

    spec: trees.TreeSpec

    def leaves(self, tree: Any) -> list[Any]:
        """The leaves of what the body returned."""
        leaves, self.spec = trees.flatten(tree)
        return leaves


def _variable(x: Any) -> Variable:
    if type(x) in (bool, int, float, complex):
        return Variable((), dtype_of(x), weak=type(x), layout=True)
    weak = _python_type(x)
    array = x._mutable if isinstance(x, Tracer) else isinstance(x, np.ndarray)
    variable = Variable(shape_of(x), dtype_of(x), weak=weak, array=array, layout=layout_of(x))
    variable.laid_by = assumed_of(x)
    variable.number = is_number(x)
    return variable


def _python_type(x: Any) -> type | None:
    """The type of the Python number that a body is handed for `x` when it runs, if it is one."""
    while type(x) is Tracer:
        x = x._value
    if type(x) is Variable:
        return x.weak
    return type(x) if type(x) in (bool, int, float, complex) else None


def _strong(x: Any) -> Any:
    """A Python number as a NumPy scalar."""
    return dtype_of(x).type(x) if type(x) in (bool, int, float, complex) else x


def index_variable() -> Variable:
    """The number of an iteration: as in a Python loop, it doesn't decide any dtype."""
    return Variable((), np.dtype(np.int64), weak=int)


def slices(xs: Leaves) -> list[Variable]:
    """What an iteration gets of each scanned array."""
    found = []
    for x in xs.variables:
        layout = layout_of_part(x)
        variable = Variable(x.shape[1:], x.dtype, array=len(x.shape) > 1, layout=layout)
        variable.laid_by = x.laid_by
        found.append(variable)
    return found


def record(
    function: Callable[..., Sequence[Any]],
    inputs: Sequence[Variable],
    names: Sequence[str],
    name: str,
    position: int,
    unknown: tuple[type, ...] = (),
) -> tuple[Graph, list[Any]]:
    """A body as a graph, and the traced values from outside that it takes at `position`.

    What is computed from values from outside alone is computed outside, but for those of the types
    `unknown`, `Tracer` or `ndarray`.
    """
    given = bool(inputs)
    free_variables: set[Variable] = set()

    def seeing_tracers(*args: Tracer) -> Sequence[Any]:
        free = FreeArrays(cast(Staging, args[0]._interpreter), unknown)
        outs: Sequence[Any] = free.seen_by(function)(*(args if given else ()))
        free.require_unwritten(name)
        free_variables.update(free.variables)
        return outs

    if not given:
        inputs, names = [Variable((), np.dtype(np.bool_))], ["nothing"]
    graph = build(seeing_tracers, inputs, name, names)
    used = {x for equation in graph.equations for x in read(equation)}
    used.update(x for x in graph.outputs if type(x) is Variable)
    constants = {x: value for x, value in graph.constants.items() if x in used}
    inputs, names = (graph.inputs, graph.signature.names) if given else ((), ())
    flat = flat_graph(name, inputs, constants, graph.equations, graph.outputs, names)
    return close(flat, position, free_variables)


def record_unevaluated(
    function: Callable[..., Sequence[Any]],
    inputs: Sequence[Variable],
    names: Sequence[str],
    name: str,
    position: int,
) -> tuple[Graph, list[Any]]:
    """As `record`, for a body that may not be run at all: nothing of it is evaluated yet.

    If its course depends on a plain array from outside, what is computed from plain arrays is.
    """
    with np.errstate(all="ignore"):
        try:
            return record(function, inputs, names, name, position, (Tracer, np.ndarray))
        except (DataDependenceError, NoRuleError, ArgumentTypeError):
            return record(function, inputs, names, name, position, (Tracer,))


def same_leaves(tree: Any, first: Leaves, where: str, what: str) -> list[Any]:
    """The leaves of a result, which must have the structure of what it will replace.

    What stands for a Python number becomes a scalar where it is not handed on in its own place.
    """
    leaves, got = flatten_arrays(tree, where, what)
    if got != first.spec:
        raise ArgumentValueError(
            f"{where}: {what} has the structure {trees.contrast(got, first.spec)}, that of the "
            "initial one; return what the body was given, with other values"
        )
    return [
        bind(conversion.astype, (x,), {"dtype": dtype_of(x)}) if _is_weak(x, own) else x
        for x, own in zip(leaves, first.variables, strict=True)
    ]


def _is_weak(x: Any, own: Variable) -> bool:
    if type(x) is not Tracer or type(x._value) is not Variable:
        return False
    return x._value.weak is not None and x._value is not own


def _in_dtype(x: Any, dtype: np.dtype[Any]) -> Any:
    """A number, traced or not, as a scalar of this dtype."""
    return bind(conversion.astype, (x,), {"dtype": dtype}) if type(x) is Tracer else dtype.type(x)


class Carry(Leaves):
    """What a loop hands from one iteration to the next.

    A Python number takes the dtype that the body gives it: 0.0 starts a sum in float32 too.
    """

    def __init__(self, tree: Any, where: str, name: str) -> None:
        super().__init__(tree, where, name)
        for variable in self.variables:
            variable.laid_by = Assumed(None if variable.laid_by is None else variable.laid_by.outer)

    def settle(
        self,
        record_body: Callable[[], tuple[Graph, list[Any]]],
        where: str,
        *,
        repeats: bool = True,
    ) -> tuple[Graph, list[Any]]:
        """Record the body, and see to it that what it returns is like what it was given.

        Parameters
        ----------
        record_body : callable
            Records it with `variables`; the next carry is what the graph returns first.
        where : str
        repeats : bool
            Whether the body may run on what it has returned.

        Raises
        ------
        ArgumentTypeError, ArgumentValueError
            Where a leaf changes its dtype or shape.
        AliasError
            Where the body depends on how a leaf lies in memory, and changes that.
        """
        graph, free = record_body()
        weak = [x.weak is not None for x in self.variables]
        if any(weak):
            # What was recorded for a number holds for a scalar of the dtype that came out, unless
            # some operation promotes that in another way.
            for variable, out in zip(self.variables, graph.outputs, strict=False):
                if variable.weak is not None:
                    variable.weak, variable.dtype = None, dtype_of(out)
            try:
                graph.verify()
            except GraphError:
                self.variables = [like(x) for x in self.variables]
                graph, free = record_body()
        while repeats and self._forget_layouts(graph):
            graph, free = record_body()
        outputs = list(graph.outputs)
        for i, (name, before) in enumerate(zip(self.names, self.variables, strict=True)):
            outputs[i] = _checked(outputs[i], before, name, where)
        for i, is_weak in enumerate(weak):
            if is_weak:
                self.values[i] = _in_dtype(self.values[i], self.variables[i].dtype)
        names = graph.signature.names
        return (
            flat_graph(graph.name, graph.inputs, graph.constants, graph.equations, outputs, names),
            free,
        )

    def _forget_layouts(self, graph: Graph) -> bool:
        """Whether the body depends on a layout that it changes, which is not known from now on."""
        relied = [i for i, x in enumerate(self.variables) if x.laid_by.relied and x.layout]
        layouts = layouts_through(graph, graph.inputs) if relied else []
        moved = [i for i in relied if layouts[i] != self.variables[i].layout]
        if moved:
            self.variables = [like(x) for x in self.variables]
        for i in moved:
            self.variables[i].layout = None
        return bool(moved)


def _checked(out: Atom, before: Variable, name: str, where: str) -> Atom:
    """What a body returns in place of a leaf of the carry."""
    after = out if type(out) is Variable else Abstract.of(out)
    if after.shape != before.shape:
        raise ArgumentValueError(
            f"{where}: {name} has shape {before.shape} before an iteration and {after.shape} after "
            "it, wanted the same; start with an array of the final shape, and write to a part of "
            "it: y[i] = v"
        )
    if after.dtype == before.dtype and type(out) is Variable:
        return out
    fits = np.can_cast(after.dtype, before.dtype, "same_kind")
    if type(out) in (bool, int, float, complex) and fits:
        return before.dtype.type(out)
    if after.dtype == before.dtype:
        return out
    raise ArgumentTypeError(
        f"{where}: {name} has dtype {before.dtype} before an iteration and {after.dtype} after it, "
        f"wanted the same; start with {name}.astype({after.dtype}), or return "
        f"{name}.astype({before.dtype})"
    )
