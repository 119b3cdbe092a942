"""The choice between ways to compute a sparse matrix: cut or not, forward or reverse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pullback.core.structure.axes import size_of
from pullback.graph.building import build, like
from pullback.graph.cost import cost
from pullback.graph.graph import Graph
from pullback.graph.program import Program
from pullback.passes.simplification import simplify
from pullback.sparse.compression import Compression, compressed, compressed_symmetric
from pullback.sparse.cut import Cut, cut, whole
from pullback.sparse.flow import Flow
from pullback.sparse.pattern import csr
from pullback.sparse.products import CALL
from pullback.sparse.sparsity import pattern_of
from pullback.sparse.values import Layout, Values, assembled, laid_out
from pullback.transforms.gradient import grad

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Plan", "plan_hessian", "plan_jacobian"]

FORWARD, REVERSE = 2, 3
"""How many times as much as the program a product takes, about."""

NEAR = 4
"""How many times as dear a way may seem to be, so that its graph is made to be compared."""


@dataclass(frozen=True)
class Plan:
    """A way to compute a sparse matrix.

    Attributes
    ----------
    name : str
        "cut" or "whole".
    layout : Layout
    compression : Compression
    values : Values
    met : dict of str to int
        How often the pattern went through a primitive of each structure.
    others : list of str
        What was not chosen, and why.
    """

    name: str
    layout: Layout
    compression: Compression
    values: Values
    met: dict[str, int]
    others: list[str]

    @property
    def pattern(self) -> csr_array:
        """Where the matrix may be other than zero."""
        return csr(self.layout.indices, self.layout.pointers, self.layout.shape)


@dataclass(frozen=True)
class _Way:
    name: str
    score: float
    cut: Cut
    matrix: csr_array
    compression: Compression | None
    layout: Layout

    def __str__(self) -> str:
        found = self.compression
        if found is None:
            return f"{self.name}: could take no less"
        return f"{self.name}: {found.forwards} forward and {found.reverses} reverse products"


def _weight(program: Program) -> float:
    found = cost(program)
    return max(1.0, found.operations + found.bytes / 8 + CALL * len(program.equations))


def plan_jacobian(graph: Graph, order: Sequence[int], where: str, mode: str) -> Plan:
    """The cheapest way that is found to a Jacobian of all outputs and some inputs."""
    at_moves = cut(graph, order, where)
    shape = (
        sum(np.size(labels) for labels in at_moves.outputs),
        sum(graph.inputs[i].size for i in order),
    )
    pattern, flow = pattern_of(at_moves.inner, range(len(at_moves.labels)), where)
    matrix = pattern.csr()
    layout = laid_out(matrix, at_moves.rows, at_moves.columns, shape, gathered=True)
    ways = []
    if not _is_idle(at_moves, graph, order):
        weight = _weight(at_moves.inner)
        score, found = compressed(matrix, _costs(weight), mode, _sizes(at_moves))
        ways.append(_Way("cut at selections", score, at_moves, matrix, found, layout))
    full = csr(layout.indices, layout.pointers, shape)
    weight = _weight(graph)
    limit = min((way.score for way in ways), default=np.inf)
    uncut = whole(graph, order)
    score, found = compressed(full, _costs(weight), mode, _sizes(uncut), limit)
    plain = Layout(layout.pointers, layout.indices, np.arange(full.nnz), None, shape)
    ways.append(_Way("whole", score, uncut, full, found, plain))
    return _cheapest(ways, flow)


def _costs(weight: float) -> tuple[float, float]:
    return FORWARD * weight, REVERSE * weight


def _sizes(at: Cut) -> tuple[list[int], list[int]]:
    """Of the outputs of the inner program, and of its inputs that vary."""
    inputs = at.inner.inputs[: len(at.labels)]
    return [size_of(x) for x in at.inner.outputs], [size_of(x) for x in inputs]


def _is_idle(found: Cut, graph: Graph, order: Sequence[int]) -> bool:
    """Whether nothing is cut off."""
    return len(found.inner.equations) == len(graph.equations)


def plan_hessian(graph: Graph, order: Sequence[int], where: str) -> Plan:
    """The cheapest way that is found to the Hessian of a scalar program in some inputs."""
    size = sum(graph.inputs[i].size for i in order)
    ways: list[_Way] = []
    flow = Flow(where, size)
    for name, at in (
        ("cut at selections", cut(graph, order, where)),
        ("whole", whole(graph, order)),
    ):
        if name != "whole" and _is_idle(at, graph, order):
            continue
        inner = _gradient(at.inner, len(at.labels))
        pattern, flow = pattern_of(inner, range(len(at.labels)), where)
        matrix = _symmetric(pattern.csr())
        limit = min((way.score for way in ways), default=np.inf)
        sizes = [x.size for x in inner.inputs[: len(at.labels)]]
        score, found = compressed_symmetric(matrix, FORWARD * _weight(inner), sizes, limit)
        columns = at.columns
        layout = laid_out(matrix, columns, columns, (size, size), gathered=False)
        own = Cut(at.before, inner, at.labels, at.labels)
        ways.append(_Way(name, score, own, matrix, found, layout))
    return _cheapest(ways, flow)


def _symmetric(matrix: csr_array) -> csr_array:
    found = matrix + matrix.T.tocsr()
    found.sort_indices()
    return found


def _gradient(inner: Graph, count: int) -> Graph:
    """From the inputs of a scalar program to its derivatives in the first so many."""
    inputs = [like(x) for x in inner.inputs]

    def function(*values: Any) -> list[Any]:
        def scalar(*varying: Any) -> Any:
            return inner.run([*varying, *values[count:]])[0]

        return [*grad(scalar, tuple(range(count)))(*values[:count])]

    return simplify(
        build(function, inputs, inner.name, inner.signature.names, advise=False), verify=False
    )


def _cheapest(ways: list[_Way], flow: Flow) -> Plan:
    """What takes the least, by the cost of the graphs where estimates are near."""
    ways = sorted(ways, key=lambda way: way.score)
    near = [way for way in ways if way.score <= NEAR * ways[0].score and way.compression]
    made = [
        assembled(way.cut, way.matrix, way.compression, way.layout)
        for way in near
        if way.compression
    ]
    costs = [each.cost() for each in made]
    k = int(np.argmin(costs))
    words = [f"{way}, {each:,} operations" for way, each in zip(near, costs, strict=True)]
    del words[k]
    words += [f"{way}, some {way.score:,.0f} operations" for way in ways if way not in near]
    way = near[k]
    assert way.compression is not None
    return Plan(way.name, way.layout, way.compression, made[k], flow.met, words)
