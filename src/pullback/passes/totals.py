"""Totals: what a loop adds up of products of two values of each iteration, formed after it.

Where an accumulator takes left · right in each iteration, its last value has the product of all
left factors with all right ones, side by side and one below the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pullback.graph.program import Atom, Equation
from pullback.graph.variable import Variable
from pullback.passes.accumulators import accumulation, readers_of
from pullback.passes.calls import Call
from pullback.passes.rewriting import Pass, Rewriting
from pullback.passes.stacks import MANY, SMALL, Stacks, has_any, may_stack, rows_of, transposed
from pullback.rules import reductions
from pullback.rules.arithmetic import add, multiply, subtract
from pullback.rules.contractions import matmul
from pullback.rules.control_flow.loop import Loop, scan
from pullback.rules.shaping import concatenate, reshape, transpose

__all__ = ["totals_after_loops"]

totals_after_loops = Pass()

Makers = Mapping[Variable, Equation]
"""The equation that makes each value."""


class Factor(NamedTuple):
    """A value of each iteration: a vector, or a matrix, which may be meant transposed."""

    value: Variable
    transposed: bool = False


class Term(NamedTuple):
    """What an equation adds to the accumulator at a place among the carries.

    That is left · right, or the outer product of two vectors, or without `left` the sum of the rows
    of `right`.
    """

    place: int
    equation: Equation
    accumulator: Variable
    left: Factor | None
    right: Factor

    @property
    def sums_with(self) -> tuple[int, bool, bool]:
        """Terms that have this in common are summed up together."""
        return self.place, self.equation.primitive is subtract, self.left is None


@totals_after_loops.rewrites(scan)
def _added_up(rw: Rewriting, _outputs: Sequence[Variable], *inputs: Atom, loop: Loop) -> Any:
    call = Call(loop, inputs)
    if not may_stack(loop) or not has_any(loop.body, matmul, reshape, reductions.sum):
        return None
    stacks = Stacks(call)
    fixed = {*loop.body.inputs[: call.first_carry], *loop.body.constants}
    terms = [term for term in _terms(call) if _may_have(stacks, term, fixed)]
    if not terms:
        return None
    without = {term.equation.outputs[0]: term.accumulator for term in terms}

    def last(x: Atom) -> Atom:
        while type(x) is Variable and x in without:
            x = without[x]
        return x

    equations = [
        Equation(e.primitive, tuple(map(last, e.inputs)), e.params, e.outputs, e.place)
        for e in loop.body.equations
        if e.outputs[0] not in without
    ]
    totals = stacks.run(rw, equations, [*map(last, loop.body.outputs)])
    groups: dict[tuple[int, bool, bool], list[Term]] = {}
    for term in terms:
        groups.setdefault(term.sums_with, []).append(term)
    for (place, is_subtracted, _), group in groups.items():
        primitive = subtract if is_subtracted else add
        totals[place] = rw.bind(primitive, totals[place], _sum(rw, group, stacks))
    return tuple(totals)


def _sum(rw: Rewriting, terms: Sequence[Term], stacks: Stacks) -> Atom:
    """What some terms are in all iterations: one product, or one sum."""

    def all_rows(factors: Sequence[tuple[Factor, bool]]) -> Atom:
        rows = [rows_of(rw, stacks.of(each.value), columns=across) for each, across in factors]
        return rows[0] if len(rows) == 1 else rw.bind(concatenate, *rows, axis=0)

    right = all_rows([(term.right, term.right.transposed) for term in terms])
    lefts = [term.left for term in terms if term.left is not None]
    if not lefts:
        return rw.bind(reductions.sum, right, axis=(0,))
    left = all_rows([(each, not each.transposed) for each in lefts])
    return rw.bind(matmul, transposed(rw, left), right)


def _may_have(stacks: Stacks, term: Term, fixed: set[Variable]) -> bool:
    """Whether the factors of a term are stacked, or are from now on."""
    factors = [term.right] if term.left is None else [term.left, term.right]
    missing = [x for x in dict.fromkeys(each.value for each in factors) if not stacks.have(x)]
    size = term.accumulator.size
    if missing and (size <= SMALL or term.left is None):
        return False
    if not fixed.isdisjoint(missing) or sum(x.size for x in missing) > MANY * size:
        return False
    for x in missing:
        stacks.add(x)
    return True


# -- terms ----------------------------------------------------------------------------------------


def _terms(call: Call) -> list[Term]:
    """Products that accumulators take, those that most is added to first."""
    body = call.loop.body
    readers = readers_of(body)
    makers = {out: equation for equation in body.equations for out in equation.outputs}
    found: list[Term] = []
    for place in range(call.loop.carry):
        chain = accumulation(body, readers, call, place)
        if chain is None:
            continue
        accumulator = chain.start
        for equation in chain.equations:
            addend = _addend(equation, accumulator)
            if addend is not None and addend in makers and len(readers[addend]) == 1:
                factors = _factors(makers[addend], makers)
                if factors is not None:
                    found.append(Term(place, equation, accumulator, *factors))
            (accumulator,) = equation.outputs
    return sorted(found, key=lambda term: (term.left is None, -term.accumulator.size))


def _addend(equation: Equation, accumulator: Variable) -> Variable | None:
    """What is added to an accumulator, if it is of the same kind."""
    if equation.primitive not in (add, subtract):
        return None
    a, b = equation.inputs
    addend = b if a is accumulator else a
    if type(addend) is not Variable or addend.dtype != accumulator.dtype:
        return None
    inexact = addend.dtype.kind in "fc"
    return addend if inexact and addend.shape == accumulator.shape else None


def _factors(made: Equation, makers: Makers) -> tuple[Factor | None, Factor] | None:
    """The factors of a product, or the value whose rows are summed up."""
    primitive, inputs, (out, *others) = made.primitive, made.inputs, made.outputs
    if others or any(type(x) is not Variable or x.dtype != out.dtype for x in inputs):
        return None
    if primitive is reductions.sum:
        (x,) = inputs
        rows = x.ndim == 2 and out.ndim == 1 and made.params.get("axis") in (0, (0,))
        return (None, Factor(x)) if rows else None
    if primitive is matmul:
        a, b = inputs
        return (_matrix(a, makers), _matrix(b, makers)) if a.ndim == b.ndim == 2 else None
    if primitive is multiply and out.ndim == 2:
        for one, other in (inputs, inputs[::-1]):
            left, right = _vector(one, out, 0, makers), _vector(other, out, 1, makers)
            if left is not None and right is not None:
                return left, right
    return None


def _matrix(x: Variable, makers: Makers) -> Factor:
    """A matrix, as that which it is the transpose of if it is one."""
    made = makers.get(x)
    if made is not None and made.primitive is transpose and made.params.get("axes") != (0, 1):
        return Factor(made.inputs[0], transposed=True)
    return Factor(x)


def _vector(x: Variable, out: Variable, axis: int, makers: Makers) -> Factor | None:
    """The vector along one of two axes that a factor of an outer product is."""
    extent = out.shape[axis]
    if axis == 1 and x.shape == (extent,):
        return Factor(x)
    made = makers.get(x)
    if made is None or made.primitive is not reshape or 1 in out.shape:
        return None
    (source,) = made.inputs
    fits = x.shape == ((extent, 1), (1, extent))[axis] and source.shape == (extent,)
    return Factor(source) if fits else None
