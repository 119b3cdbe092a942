"""Products with one matrix that a loop forms in each iteration, formed at once.

* The products of the slices of a scanned array with a matrix are a product of the array with it.
* Stacked products of a value of each iteration with a matrix are a product of its stack.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from pullback.core.shapes import shape_of
from pullback.graph.dependence import live
from pullback.graph.graph import Graph
from pullback.graph.program import Atom, Equation
from pullback.graph.variable import Variable
from pullback.passes.accumulators import readers_of
from pullback.passes.calls import Call
from pullback.passes.rewriting import Pass, Rewriting
from pullback.passes.stacks import MANY, SMALL, Stacks, has_any, may_stack, rows_of, transposed
from pullback.rules.contractions import matmul
from pullback.rules.control_flow.derived import with_inputs
from pullback.rules.control_flow.loop import Loop, scan
from pullback.rules.shaping import reshape

__all__ = ["products_outside"]

products_outside = Pass()


class Product(NamedTuple):
    """value · matrix, or matrix · value."""

    out: Variable
    value: Variable
    matrix: Variable
    value_first: bool

    def of_all(self, rw: Rewriting, stack: Atom, matrix: Atom) -> Atom:
        """The stack of products, of that of the values."""
        if not self.value_first:
            matrix = transposed(rw, matrix)
        product = rw.bind(matmul, rows_of(rw, stack), matrix)
        shape = (*shape_of(stack)[:-1], shape_of(matrix)[1])
        return product if len(shape) == 2 else rw.bind(reshape, product, shape=shape)


class Fixed:
    """What depends on the consts alone, and only moves their elements."""

    def __init__(self, call: Call) -> None:
        self._call = call
        body = call.loop.body
        self.values = {*body.inputs[1 : call.first_carry], *body.constants}
        self._equations = []
        for equation in body.equations:
            structure = equation.primitive.structure
            moves = structure.is_free() and structure.is_safe(equation.inputs)
            if moves and all(type(x) is not Variable or x in self.values for x in equation.inputs):
                self.values.update(equation.outputs)
                self._equations.append(equation)

    def before(self, rw: Rewriting, wanted: Sequence[Variable]) -> list[Atom]:
        """These values, before the loop."""
        call, body = self._call, self._call.loop.body
        consts, equations = body.inputs[1 : call.first_carry], live(self._equations, wanted)
        graph = Graph("", consts, body.constants, equations, wanted, body.signature)
        return rw.inline(graph, call.consts)

    def product(self, equation: Equation, values: Collection[Variable]) -> Product | None:
        """What an equation is if it is the product of one of the values with a fixed matrix."""
        if equation.primitive is not matmul:
            return None
        (out,), (a, b) = equation.outputs, equation.inputs
        if type(a) is not Variable or type(b) is not Variable:
            return None
        if a in values and b in self.values and b.ndim == 2 and 1 <= a.ndim <= 2:
            found = Product(out, a, b, value_first=True)
        elif b in values and a in self.values and a.ndim == 2 and b.ndim == 1:
            found = Product(out, b, a, value_first=False)
        else:
            return None
        size = found.matrix.size
        return found if size > SMALL and out.size <= MANY * size else None


@products_outside.rewrites(scan)
def _of_slices(rw: Rewriting, _outputs: Sequence[Variable], *inputs: Atom, loop: Loop) -> Any:
    """x[t] @ W and W @ x[t], where x is scanned and W is the same in each iteration."""
    call = Call(loop, inputs)
    body = loop.body
    if not call.xs or not may_stack(loop) or not has_any(body, matmul):
        return None
    slices, fixed = dict(zip(body.inputs[call.first_x :], call.xs, strict=True)), Fixed(call)
    products = [fixed.product(equation, slices) for equation in body.equations]
    found = [product for product in products if product is not None]
    if not found:
        return None
    matrices = fixed.before(rw, [product.matrix for product in found])
    stacks = [
        product.of_all(rw, slices[product.value], matrix)
        for product, matrix in zip(found, matrices, strict=True)
    ]
    outs = [product.out for product in found]
    left = [equation for equation in body.equations if equation.outputs[0] not in outs]
    rest = Graph(body.name, body.inputs, body.constants, left, body.outputs, body.signature)
    rest = with_inputs(rest, len(body.inputs), outs, [f"product{i}" for i in range(len(outs))])
    return call.again(rw, rest, call.consts, call.carry, [*call.xs, *stacks])


@products_outside.rewrites(scan)
def _stacked(rw: Rewriting, _outputs: Sequence[Variable], *inputs: Atom, loop: Loop) -> Any:
    """Stacks of y[t] @ W and W @ y[t], where W is the same in each iteration."""
    call = Call(loop, inputs)
    body = loop.body
    if not may_stack(loop) or not has_any(body, matmul):
        return None
    readers, made = readers_of(body), {each.outputs[0]: each for each in body.equations}
    fixed, stacks = Fixed(call), Stacks(call)
    found: dict[int, Product] = {}
    for i, y in enumerate(body.outputs[loop.carry :], loop.carry):
        if type(y) is not Variable or y not in made or len(readers[y]) > 1:
            continue
        product = fixed.product(made[y], readers)
        if product is None or product.value in fixed.values:
            continue
        if stacks.have(product.value) or product.value.size <= y.size:
            found[i] = product
    if not found:
        return None
    for product in found.values():
        if not stacks.have(product.value):
            stacks.add(product.value)
    left = [i for i in range(len(body.outputs)) if i not in found]
    results = stacks.run(rw, body.equations, [body.outputs[i] for i in left])
    matrices = fixed.before(rw, [product.matrix for product in found.values()])
    atoms = dict(zip(left, results, strict=True))
    for (i, product), matrix in zip(found.items(), matrices, strict=True):
        atoms[i] = product.of_all(rw, stacks.of(product.value), matrix)
    return tuple(atoms[i] for i in range(len(body.outputs)))
