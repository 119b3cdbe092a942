"""Stacks: the values that something has in all iterations of a loop, joined along a first axis.

Many small products take longer than a large one, but for that the values must be stacked. So it is
worth it where the matrix is not small, and the values are few in comparison with it.
"""

from __future__ import annotations

from collections.abc import Sequence

from pullback.core.primitive import Primitive
from pullback.core.shapes import shape_of
from pullback.graph.dependence import live
from pullback.graph.graph import Graph
from pullback.graph.program import Atom, Equation
from pullback.graph.variable import Variable
from pullback.passes.calls import Call
from pullback.passes.rewriting import Rewriting
from pullback.rules.control_flow.derived import with_constants
from pullback.rules.control_flow.loop import Loop
from pullback.rules.shaping import reshape, transpose

__all__ = ["MANY", "SMALL", "Stacks", "has_any", "may_stack", "rows_of", "transposed"]

SMALL = 16
"""How many elements a matrix has that is as well multiplied in the loop."""

MANY = 4
"""How many times as many elements as the matrix a value may have that is to be stacked."""


def may_stack(loop: Loop) -> bool:
    """Whether a loop may scan or hand out more than it does."""
    return loop.length > 1 and loop.checkpoint is None


def has_any(body: Graph, *primitives: Primitive) -> bool:
    """Whether a body applies one of these primitives."""
    return any(equation.primitive in primitives for equation in body.equations)


class Stacks:
    """The stacks that a loop scans, or hands out, or is to hand out."""

    def __init__(self, call: Call) -> None:
        self._call = call
        body = call.loop.body
        self._scanned = dict(zip(body.inputs[call.first_x :], call.xs, strict=True))
        self._handed_out = {x for x in body.outputs[call.loop.carry :] if type(x) is Variable}
        self._new: list[Variable] = []
        self._results: dict[Variable, Atom] = {}

    def have(self, x: Variable) -> bool:
        """Whether a value is stacked."""
        return x in self._scanned or x in self._handed_out

    def add(self, x: Variable) -> None:
        """Have a value stacked that isn't."""
        self._handed_out.add(x)
        self._new.append(x)

    def run(
        self, rw: Rewriting, equations: Sequence[Equation], outputs: Sequence[Atom]
    ) -> list[Atom]:
        """The results of the loop with these equations and outputs; all carries are among them."""
        call, body = self._call, self._call.loop.body
        everything = [*outputs, *self._new]
        graph = with_constants(
            body.name,
            body.inputs,
            body.constants,
            live(equations, everything),
            everything,
            body.signature.names,
        )
        results = [*call.again(rw, graph, call.consts, call.carry, call.xs)]
        carry = call.loop.carry
        pairs = zip(everything[carry:], results[carry:], strict=True)
        self._results = {x: result for x, result in pairs if type(x) is Variable}
        return results[: len(outputs)]

    def of(self, x: Variable) -> Atom:
        """The stack of a value, when the loop has run."""
        return self._scanned[x] if x in self._scanned else self._results[x]


def rows_of(rw: Rewriting, stack: Atom, *, columns: bool = False) -> Atom:
    """All rows, or all columns, of a stack of matrices one below the other; or all vectors."""
    shape = shape_of(stack)
    if len(shape) == 2:
        return stack
    if columns:
        stack = rw.bind(transpose, stack, axes=(0, 2, 1))
    return rw.bind(reshape, stack, shape=(-1, shape_of(stack)[-1]))


def transposed(rw: Rewriting, x: Atom) -> Atom:
    """The transpose of a matrix."""
    return rw.bind(transpose, x, axes=(1, 0))
