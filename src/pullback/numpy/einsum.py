"""Einstein summation, as a composition of matrix multiplications.

``C[output] = Σ A[labels] B[labels] …`` is brought down, two operands at a time, to one batched
matrix product. The axes of a pair fall into four groups: *batch* (in both operands, kept), *summed*
(in both, not kept) and the free ones of either. With the groups put in the order (batch, free,
summed) and (batch, summed, free), and merged, the pair is a batch of matrix products.

What to do depends on subscripts and shapes alone. It is worked out once, as a plan, and remembered.
"""

from __future__ import annotations

import functools
import math
import string
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from pullback.core.memory import in_memory
from pullback.core.primitive import bind
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.strides import lying, strides_of_part
from pullback.core.tracing import Tracer, is_plain
from pullback.errors import ArgumentValueError
from pullback.numpy.conversion import cast, promoted
from pullback.numpy.decisions import Kind, decide
from pullback.numpy.operands import operand
from pullback.numpy.registration import implements
from pullback.numpy.subscripts import Labels, Shape, extents_of, parse, spelled
from pullback.numpy.views import element_of, in_order, view_of
from pullback.rules import contractions, reductions
from pullback.rules.indexing import ARRAY, index_update
from pullback.rules.shaping import diagonal, inverse, reshape, transpose

__all__: list[str] = []


class Term(NamedTuple):
    """An array in a plan: where its value will be, the label and the extent of each axis."""

    place: int
    labels: Labels
    shape: Shape

    def extents(self) -> dict[str, int]:
        return dict(zip(self.labels, self.shape, strict=True))


class Plan:
    """A sequence of primitives. Each takes some of the values so far and appends one.

    Attributes
    ----------
    steps : list
        The primitives, the places of their arguments, and their parameters.
    view : bool
        Whether NumPy returns a view: one operand, and nothing summed.
    back : tuple of int or None
        For a mere permutation of one operand, its inverse.
    layouts : dict of str to tuple of int
        The axes of the result from the outermost to the innermost in memory, by the `order` that
        was asked for, of operands in C order.
    """

    def __init__(self, operands: int) -> None:
        self.operands = operands
        self.steps: list[tuple[Callable[..., Any], tuple[int, ...], dict[str, Any]]] = []
        self.view = False
        self.back: tuple[int, ...] | None = None
        self.layouts: dict[str, tuple[int, ...]] = {}

    def add(self, function: Callable[..., Any], *places: int, **params: Any) -> int:
        self.steps.append((function, places, params))
        return self.operands + len(self.steps) - 1

    def run(self, arrays: Sequence[Any]) -> Any:
        values = list(arrays)
        for function, places, params in self.steps:
            values.append(function(*(values[place] for place in places), **params))
        return values[-1]


@implements(np.einsum)
def einsum(
    *operands: Any,
    optimize: Any = False,
    dtype: Any = None,
    order: str = "K",
    casting: str = "safe",
) -> Any:
    """Terms without summation over one operand are views, as in NumPy.

    Two operands are multiplied as they come; three and more in the order that
    `numpy.einsum_path` finds, or that `optimize` gives.
    """
    subscripts, arrays = spelled(operands)
    arrays = promoted(*(cast(operand(a), dtype) for a in arrays))
    way = tuple(optimize) if isinstance(optimize, list) else optimize
    plan = _plan(subscripts, tuple(shape_of(a) for a in arrays), way)
    if plan.view:
        if not shape_of(arrays[0]):
            return element_of(arrays[0])
        seen = _seen(arrays[0], plan)
        return in_order(seen, order) if order in ("C", "F") and type(seen) is Tracer else seen
    product = plan.run(arrays)
    if type(product) is not Tracer or len(product.shape) < 2:
        return product
    memories = [in_memory(a) for a in arrays]
    if any(memory is None for memory in memories):
        return product
    if all(not shape_of(memory) or memory.flags.c_contiguous for memory in memories):
        if order not in plan.layouts:
            plan.layouts[order] = _layout(subscripts, _places(memories), way, order)
        return _laid_out(product, plan.layouts[order])
    return _laid_out(product, _layout(subscripts, _places(memories), way, order))


def _seen(x: Any, plan: Plan) -> Any:
    """A permutation of axes, or a diagonal, which unlike that of `numpy.diagonal` is writeable."""
    shape, back = shape_of(x), plan.back

    def read(base: Any) -> Any:
        out = plan.run([base])
        if back is None and is_plain(out) and is_plain(base):
            out.flags.writeable = base.flags.writeable
        return out

    def write(base: Any, value: Any) -> Any:
        if back is not None:
            return transpose(value, axes=back)
        places = plan.run([np.arange(math.prod(shape)).reshape(shape)])
        key = np.unravel_index(places, shape)
        return bind(index_update, (base, value, *key), {"key": (ARRAY,) * len(shape)})

    return view_of(x, read, write)


def _places(memories: Sequence[Any]) -> tuple[Any, ...]:
    """How arrays lie in memory."""
    return tuple([(shape_of(m), getattr(m, "strides", ()), dtype_of(m)) for m in memories])


def _laid_out(x: Tracer, layout: tuple[int, ...]) -> Any:
    """`x`, or a copy of it, that lies in memory in the order of these axes."""
    memory = in_memory(x)
    if memory is None:
        return x
    if memory.flags.c_contiguous and layout == tuple(range(len(layout))):
        return x
    if memory.transpose(layout).flags.c_contiguous:
        return x
    return transpose(in_order(transpose(x, axes=layout)), axes=inverse(layout))


@functools.lru_cache(maxsize=512)
def _layout(subscripts: str, places: Any, optimize: Any, order: str) -> tuple[int, ...]:
    """The axes of the result from the outermost to the innermost in memory, as NumPy has it.

    It goes by how the operands lie, and is tried out on what lies as their first corners do.
    """
    corners = []
    evaluate: Any = np.einsum
    for shape, strides, dtype in places:
        small = tuple(min(extent, 2) for extent in shape)
        steps = strides_of_part(shape, strides, dtype.itemsize, small)
        corners.append(lying(small, dtype, steps))
    out = evaluate(subscripts, *corners, optimize=optimize, order=order)
    return tuple(sorted(range(out.ndim), key=lambda axis: -out.strides[axis]))


@implements(np.einsum_path)
def einsum_path(*operands: Any, optimize: Any = "greedy", einsum_call: bool = False) -> Any:
    plain = [np.empty(shape_of(x), bool) if hasattr(x, "shape") else x for x in operands]
    return np.einsum_path(*plain, optimize=optimize)


@functools.lru_cache(maxsize=512)
def _plan(subscripts: str, shapes: tuple[Shape, ...], optimize: Any) -> Plan:
    """What to do with operands of these shapes."""
    labels, output = parse(subscripts, shapes)
    extents = extents_of(labels, shapes)
    plan = Plan(len(shapes))
    terms = [Term(*row) for row in zip(range(len(shapes)), labels, shapes, strict=True)]
    if len(terms) == 1:
        plan.view = set(labels[0]) == set(output)
        if plan.view and len(labels[0]) == len(output):
            plan.back = tuple(output.index(label) for label in labels[0])
        term = _simplified(plan, terms[0], set(output), extents)
    else:
        term = _contracted(plan, terms, output, extents, _path(labels, output, shapes, optimize))
    _permuted(plan, term, output)
    if not plan.steps:
        plan.add(reshape, 0, shape=shapes[0])
    return plan


def _contracted(
    plan: Plan,
    terms: Sequence[Term],
    output: Labels,
    extents: dict[str, int],
    path: Sequence[tuple[int, ...]],
) -> Term:
    """The product of all the terms, two at a time, in the order of `path`."""
    work = []
    for position, term in enumerate(terms):
        others = [other.labels for i, other in enumerate(terms) if i != position]
        work.append(_simplified(plan, term, set(output).union(*others), extents))
    for group in path:
        chosen = [work[position] for position in group]
        work = [term for position, term in enumerate(work) if position not in group]
        while len(chosen) > 1:
            first, second, *rest = chosen
            kept = set(output).union(*(term.labels for term in work + rest))
            chosen = [*rest, _product(plan, first, second, kept)]
        work += chosen
    return work[0]


def _path(
    terms: Sequence[Labels], output: Labels, shapes: Sequence[Shape], optimize: Any
) -> list[tuple[int, ...]]:
    """Which operands to multiply next, as positions in a list that the products are appended to."""
    names = set().union(*terms)
    if len(terms) == 2 or len(names) > len(string.ascii_letters):
        return [tuple(range(len(terms)))]
    letter = dict(zip(names, string.ascii_letters, strict=False))
    spelled = ["".join(letter[label] for label in term) for term in (*terms, output)]
    stand_ins = [np.broadcast_to(np.float64(0), shape) for shape in shapes]
    if isinstance(optimize, tuple) and optimize and optimize[0] == "einsum_path":
        optimize = list(optimize)
    path: list[Any] = np.einsum_path(
        f"{','.join(spelled[:-1])}->{spelled[-1]}", *stand_ins, optimize=optimize or "greedy"
    )[0]
    return path[1:]


# -- one operand ----------------------------------------------------------------------------------


def _simplified(plan: Plan, term: Term, others: set[str], extents: dict[str, int]) -> Term:
    """Diagonals taken, axes that only broadcast dropped, axes of no interest to others summed."""
    for label in dict.fromkeys(term.labels):
        while term.labels.count(label) > 1:
            term = _diagonal(plan, term, label)
    place, labels, shape = term
    kept = [i for i, label in enumerate(labels) if shape[i] != 1 or extents.get(label, 1) == 1]
    if len(kept) < len(labels):
        labels, shape = tuple(labels[i] for i in kept), tuple(shape[i] for i in kept)
        place = plan.add(reshape, place, shape=shape)
    alone = tuple(i for i, label in enumerate(labels) if label not in others)
    if alone:
        place = plan.add(reductions.sum, place, axis=alone)
        shape = tuple(n for i, n in enumerate(shape) if i not in alone)
        labels = tuple(label for label in labels if label in others)
    return Term(place, labels, shape)


def _diagonal(plan: Plan, term: Term, label: str) -> Term:
    """The diagonal over the first two axes with this label, at the end."""
    place, labels, shape = term
    first = labels.index(label)
    second = labels.index(label, first + 1)
    if shape[first] != shape[second]:
        raise ArgumentValueError(
            f"np.einsum: the label {label!r} stands twice in one operand, for axes of extents "
            f"{shape[first]} and {shape[second]}; a diagonal wants them equal"
        )
    rest = tuple(i for i in range(len(labels)) if i not in (first, second))
    place = plan.add(diagonal, plan.add(transpose, place, axes=(*rest, first, second)))
    return Term(
        place, (*(labels[i] for i in rest), label), (*(shape[i] for i in rest), shape[first])
    )


def _permuted(plan: Plan, term: Term, wanted: Labels) -> Term:
    """The term with its axes in the order of `wanted`."""
    if term.labels == wanted:
        return term
    axes = tuple(term.labels.index(label) for label in wanted)
    shape = tuple(term.shape[axis] for axis in axes)
    return Term(plan.add(transpose, term.place, axes=axes), wanted, shape)


# -- two operands ---------------------------------------------------------------------------------


def _product(plan: Plan, first: Term, second: Term, kept: set[str]) -> Term:
    """The product of two operands, summed over the labels that both have and no one keeps."""
    a = _simplified(plan, first, kept | set(second.labels), {})
    b = _simplified(plan, second, kept | set(first.labels), {})
    both = [label for label in a.labels if label in b.labels]
    batch = tuple(label for label in both if label in kept)
    summed = tuple(label for label in both if label not in kept)
    free_a = tuple(label for label in a.labels if label not in b.labels)
    free_b = tuple(label for label in b.labels if label not in a.labels)
    extents = a.extents() | b.extents()
    result = (*batch, *free_a, *free_b)
    shape = tuple(extents[label] for label in result)
    single: list[Labels] = [(label,) for label in batch]
    if not summed:
        here: list[Labels] = [(label,) for label in free_a]
        there: list[Labels] = [(label,) for label in free_b]
        left = _grouped(plan, a, [*single, *here, *((),) * len(free_b)], extents)
        right = _grouped(plan, b, [*single, *((),) * len(free_a), *there], extents)
        return Term(plan.add(np.multiply, left, right), result, shape)
    rows = [free_a] if free_a or batch else []
    columns = [free_b] if free_b or batch else []
    left = _grouped(plan, a, [*single, *rows, summed], extents)
    right = _grouped(plan, b, [*single, summed, *columns], extents)
    place = plan.add(contractions.matmul, left, right)
    groups = (*single, *rows, *columns)
    if any(len(group) != 1 for group in groups):
        place = plan.add(reshape, place, shape=shape)
    return Term(place, result, shape)


def _grouped(plan: Plan, term: Term, groups: Sequence[Labels], extents: dict[str, int]) -> int:
    """The place of the term with its axes in this order, and each group merged into one axis."""
    term = _permuted(plan, term, tuple(label for group in groups for label in group))
    shape = tuple(math.prod(extents[label] for label in group) for group in groups)
    return term.place if term.shape == shape else plan.add(reshape, term.place, shape=shape)


decide(np, "einsum_path", Kind.CONSTANT, "says something of an array but for its elements")
