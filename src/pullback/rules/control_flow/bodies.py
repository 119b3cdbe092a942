"""Recording what the user gives as the body of a loop, a condition or a branch."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.precision import PYTHON_NUMBERS
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.tracing import Tracer, strip
from pullback.core.validation import is_integer, refuse, require_integer, shown
from pullback.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    GraphError,
)
from pullback.graph.building import flat_graph, like
from pullback.graph.graph import Graph
from pullback.graph.layout import layout_of_part, layouts_through
from pullback.graph.program import Atom
from pullback.graph.variable import Assumed, Least, Variable
from pullback.rules.control_flow.leaves import Leaves, in_dtype
from pullback.transforms.arguments import flatten_arrays

__all__ = [
    "Carry",
    "Result",
    "bound_of",
    "index_variable",
    "length_of",
    "require_checkpoint",
    "same_leaves",
    "slices",
]


MOST = 2**62
"""The largest bound of a range: its integers are those of 64 bits."""


class Result:
    """The structure of what a body returns, which is known once it is recorded."""

    spec: trees.TreeSpec

    def leaves(self, tree: Any) -> list[Any]:
        """The leaves of what the body returned."""
        leaves, self.spec = trees.flatten(tree)
        return leaves


def index_variable(least: int | None = 0) -> Variable:
    """The number of an iteration: as in a Python loop, it doesn't decide any dtype."""
    variable = Variable((), np.dtype(np.int64), weak=int)
    variable.least = None if least is None else Least([(None, least)])
    return variable


def slices(xs: Leaves) -> dict[Variable, str]:
    """What an iteration gets of each scanned array, with names."""
    found = {}
    for name, x in zip(xs.names, xs.variables, strict=True):
        layout = layout_of_part(x)
        variable = Variable(x.shape[1:], x.dtype, array=len(x.shape) > 1, layout=layout)
        variable.laid_by = x.laid_by
        found[variable] = name
    return found


def same_leaves(tree: Any, first: Leaves, given: Sequence[Any], where: str) -> list[Any]:
    """The leaves of a carry that a body returns, which must have the structure of the first one.

    What stands for a Python number becomes a scalar where it is not handed on in its own place,
    which is that among the leaves that the body was given.
    """
    leaves, got = flatten_arrays(tree, where, "carry")
    if got != first.spec:
        raise ArgumentValueError(
            f"{where}: carry has the structure {trees.contrast(got, first.spec)}, that of the "
            "initial one; return what the body was given, with other values"
        )
    return [
        x if x is own or not _is_weak(x, own) else in_dtype(x, dtype_of(x))
        for x, own in zip(leaves, given, strict=True)
    ]


def _is_weak(x: Any, own: Tracer) -> bool:
    if type(x) is not Tracer or type(x._value) is not Variable:
        return False
    return x._value.weak is not None and x._value is not own._value


class Carry(Leaves):
    """What a loop hands from one iteration to the next.

    A Python number takes the dtype that the body gives it: 0.0 starts a sum in float32 too.
    """

    def started(self) -> list[Variable]:
        """What stands for the leaves in a recording; it may lie in memory otherwise, later."""
        variables = [like(x) for x in self.variables]
        for x in variables:
            if x.weak is None and x.shape:
                x.laid_by = Assumed(None if x.laid_by is None else x.laid_by.outer)
        return variables

    def settle(
        self,
        record_body: Callable[[Sequence[Variable]], tuple[Graph, list[Any]]],
        where: str,
        *,
        repeats: bool = True,
    ) -> tuple[Graph, list[Any]]:
        """Record the body, and see to it that what it returns is like what it was given.

        It is recorded with variables for the carry; the next one is what the graph returns first.
        Unless it `repeats`, it doesn't run on what it has returned. A leaf that changes its dtype
        or shape is refused, as is one on whose layout in memory the body depends, and which it lays
        out otherwise.
        """
        variables = self.started()
        graph, free = record_body(variables)
        weak = [x for x in variables if x.weak is not None]
        if weak:
            # What was recorded for a number holds for a scalar of the dtype that came out, unless
            # some operation promotes that in another way.
            for variable, out in zip(variables, graph.outputs, strict=False):
                if variable.weak is not None:
                    variable.weak, variable.dtype = None, dtype_of(out)
            try:
                graph.verify()
            except GraphError:
                variables = [like(x) for x in variables]
                graph, free = record_body(variables)
        while repeats and (moved := _moved(graph, variables)):
            variables = [like(x) for x in variables]
            for i in moved:
                variables[i].layout = None
            graph, free = record_body(variables)
        outputs = list(graph.outputs)
        for i, (name, before) in enumerate(zip(self.names, variables, strict=True)):
            if outputs[i] is not before:
                outputs[i] = _checked(outputs[i], before, name, where)
        names = graph.signature.names
        return (
            flat_graph(graph.name, graph.inputs, graph.constants, graph.equations, outputs, names),
            free,
        )

    def begun(self, graph: Graph, position: int, handed_on: Mapping[int, int]) -> list[Any]:
        """The first carry as the body takes it, as inputs from `position` on.

        The body doesn't take what is `handed_on`.
        """
        taken = [i for i in range(len(self.values)) if i not in handed_on]
        for i, x in zip(taken, graph.inputs[position:], strict=False):
            if self.variables[i].weak is not None:
                self.values[i] = in_dtype(self.values[i], x.dtype)
        return [self.values[i] for i in taken]


def _moved(graph: Graph, variables: Sequence[Variable]) -> list[int]:
    """The leaves on whose layout the body depends, and which it changes."""
    relied = [i for i, x in enumerate(variables) if x.laid_by and x.laid_by.relied and x.layout]
    layouts = layouts_through(graph, graph.inputs) if relied else []
    return [i for i in relied if layouts[i] != variables[i].layout]


def _checked(out: Atom, before: Variable, name: str, where: str) -> Atom:
    """What a body returns in place of a leaf of the carry."""
    after = out if type(out) is Variable else Abstract.of(out)
    if after.shape != before.shape:
        raise ArgumentValueError(
            f"{where}: {name} has shape {before.shape} before an iteration and {after.shape} after "
            "it, wanted the same; start with an array of the final shape, and write to a part of "
            "it: y[i] = v"
        )
    if type(out) in PYTHON_NUMBERS and np.can_cast(after.dtype, before.dtype, "same_kind"):
        return before.dtype.type(out)
    if after.dtype == before.dtype:
        return out
    raise ArgumentTypeError(
        f"{where}: {name} has dtype {before.dtype} before an iteration and {after.dtype} after it, "
        f"wanted the same; start with {name}.astype({after.dtype}), or return "
        f"{name}.astype({before.dtype})"
    )


# -- arguments of loops ----------------------------------------------------------------------------


def bound_of(bound: Any, name: str, where: str) -> Any:
    """A bound of a range: an int, or a traced integer scalar."""
    if isinstance(bound, Tracer):
        if bound._is_constant:
            return bound_of(strip(bound), name, where)
        if dtype_of(bound).kind in "iu" and not shape_of(bound):
            return bound
    elif is_integer(bound):
        return require_integer(bound, where, name, least=-MOST, most=MOST)
    remedy = f"convert it with int({name}) outside the function, or with .astype(int) inside"
    raise refuse(where, name, bound, "an integer", remedy)


def length_of(xs: Leaves, length: int | None, where: str) -> int:
    """The number of iterations, on which all scanned arrays agree."""
    if length is not None:
        length = require_integer(length, where, "length", least=0, most=MOST)
    if not xs.values:
        if length is None:
            raise ArgumentValueError(
                f"{where}: there are no arrays in xs, so their extent does not tell the number of "
                "iterations; give it as length"
            )
        return length
    extents: dict[int, str] = {} if length is None else {length: "length"}
    for x, name in zip(xs.values, xs.names, strict=True):
        if not shape_of(x):
            raise ArgumentValueError(
                f"{where}: xs{name[1:]} has shape (), wanted an axis to go along: join a list of "
                "numbers with np.array(xs); what is the same in each iteration is used in the body "
                "as it is"
            )
        extents.setdefault(shape_of(x)[0], f"xs{name[1:]} of shape {shape_of(x)}")
    if len(extents) > 1:
        (one, first), (other, second), *_ = extents.items()
        raise ArgumentValueError(
            f"{where}: {first} asks for {one} iterations, {second} for {other}; all must have the "
            "same extent along their first axis"
        )
    return next(iter(extents))


def require_checkpoint(checkpoint: Any, where: str) -> Any:
    wanted = "None, 'sqrt', or how many carries to keep, 1 or more"
    if checkpoint is None or (isinstance(checkpoint, str) and checkpoint == "sqrt"):
        return checkpoint
    if is_integer(checkpoint) and checkpoint >= 1:
        return operator.index(checkpoint)
    raise ArgumentValueError(f"{where}: checkpoint is {shown(checkpoint)}, wanted {wanted}")
