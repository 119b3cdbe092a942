"""The graphs that compute products with a Jacobian, several at once.

A product that takes whole arrays as they are, as the products of a row of diagonals do, has ones
for its seeds: they are recorded one after the other in one graph, in which ones disappear. Any
others are a batch, a few at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pullback.core.shapes import shape_of
from pullback.core.structure.axes import size_of
from pullback.errors import DataDependenceError, NoRuleError
from pullback.graph.building import build, like
from pullback.graph.graph import Graph
from pullback.graph.variable import Variable
from pullback.passes.simplification import simplify
from pullback.sparse.cut import Cut
from pullback.transforms.batch import vmap
from pullback.transforms.reverse import linearize, vjp

__all__ = ["Products", "made"]

Array = np.ndarray[Any, Any]

MOST_APART = 16
"""How many products there may be in one graph, one after the other."""

CHUNK = 2**21
"""How many elements a value may have, over a batch."""

CALL = 1000
"""As many operations as the call of a function of NumPy's takes time for."""


@dataclass(frozen=True)
class Products:
    """A graph and what to call it with.

    Attributes
    ----------
    graph : Graph
        From the arrays of the function, and seeds, to products.
    seeds : list of list of array
        For each call its seeds.
    starts : list of list of int
        For each call, for each of the results, where it goes in the line of all products.
    size : int
        The length of that line.
    """

    graph: Graph
    seeds: list[list[Array]]
    starts: list[list[int]]

    def fill(self, line: Array, values: Sequence[Any]) -> None:
        """Compute the products and put them into the line."""
        for seeds, starts in zip(self.seeds, self.starts, strict=True):
            outs = self.graph.evaluate([*values, *seeds])
            for out, start in zip(outs, starts, strict=True):
                line[start : start + np.size(out)] = np.ravel(out)

    def parts(self, values: Sequence[Any]) -> list[tuple[int, Any]]:
        """The products of values that may be traced, and where they go."""
        found = []
        for seeds, starts in zip(self.seeds, self.starts, strict=True):
            outs = self.graph.run([*values, *seeds])
            found += [(start, np.ravel(out)) for out, start in zip(outs, starts, strict=True)]
        return found

    def cost(self) -> int:
        """Operations, and numbers read and written, of all calls."""
        cost = self.graph.cost()
        calls = CALL * len(self.graph.equations)
        return (cost.operations + cost.bytes // 8 + calls) * len(self.seeds)


def _starts(row: Sequence[Any]) -> Array:
    return np.cumsum([0, *map(size_of, row)])


def made(
    cut: Cut,
    colours: Array,
    used: Array,
    *,
    reverse: bool,
    first: int,
) -> tuple[Products | None, Array, int]:
    """The products of one direction.

    Parameters
    ----------
    cut : Cut
    colours : array of int
        For each element of what is seeded, its product; −1 for none.
    used : array of bool, shape (products, elements of a product)
        In which arrays of a product there is anything to find; by array.
    reverse : bool
    first : int
        Where in the line to begin.

    Returns
    -------
    products : Products or None
    places : array of int, shape (products, arrays)
        Where each array of a product begins.
    stop : int
        Where the line ends.
    """
    inputs, outputs = cut.inner.inputs[: len(cut.labels)], cut.inner.outputs
    seeded, given = (outputs, inputs) if reverse else (inputs, outputs)
    count = int(colours.max(initial=-1)) + 1
    places = np.full((count, len(given)), -1)
    if not count:
        return None, places, first
    parts = np.split(colours, _starts(seeded)[1:-1])
    whole = all(len(part) and part.min() == part.max() for part in parts if len(part))
    if whole and count <= MOST_APART:
        return _apart(cut, parts, used, reverse, seeded, given, places, first)
    return _batch(cut, parts, used, reverse, seeded, given, places, first)


def _derivative(cut: Cut, values: Sequence[Any], *, reverse: bool) -> Callable[..., list[Any]]:
    """The products with the inner program's Jacobian at these arrays, as a function of seeds."""
    reached = cut.before.run(list(values))
    count = len(cut.labels)
    others = reached[count:]

    def inner(*varying: Any) -> tuple[Any, ...]:
        return tuple(cut.inner.run([*varying, *others]))

    if reverse:
        pull = vjp(inner, *reached[:count])[1]
        return lambda *seeds: [*pull(tuple(seeds))]
    push = linearize(inner, *reached[:count])[1]
    return lambda *seeds: [*push(*seeds)]


def _recorded(cut: Cut, function: Callable[..., list[Any]], seeds: Sequence[Variable]) -> Graph:
    inputs = [like(x) for x in cut.before.inputs]
    names = [*cut.before.signature.names, *(f"seed{i}" for i in range(len(seeds)))]
    graph = build(function, [*inputs, *seeds], cut.before.name, names, advise=False)
    return simplify(graph, verify=False)


def _apart(
    cut: Cut, parts: Any, used: Any, reverse: bool, seeded: Any, given: Any, places: Any, first: int
) -> tuple[Products, Array, int]:
    starts: list[int] = []
    for c in range(len(places)):
        for a, x in enumerate(given):
            if used[c, a]:
                places[c, a] = first
                starts.append(first)
                first += size_of(x)

    def function(*values: Any) -> list[Any]:
        derivative = _derivative(cut, values, reverse=reverse)
        found = []
        for c in range(len(places)):
            seeds = [
                np.ones(x.shape, x.dtype) if len(part) and part[0] == c else None
                for x, part in zip(seeded, parts, strict=True)
            ]
            outs = derivative(*seeds)
            found += [_there(outs[a], x) for a, x in enumerate(given) if used[c, a]]
        return found

    return Products(_recorded(cut, function, ()), [[]], [starts]), places, first


def _there(out: Any, like: Any) -> Any:
    return np.zeros(like.shape, like.dtype) if out is None else out


def _batch(
    cut: Cut, parts: Any, used: Any, reverse: bool, seeded: Any, given: Any, places: Any, first: int
) -> tuple[Products, Array, int]:
    count = len(places)
    carriers = [i for i, part in enumerate(parts) if part.max(initial=-1) >= 0]
    wanted = [a for a in range(len(given)) if used[:, a].any()]

    def products(values: Sequence[Any], apply: Callable[..., Any], seeds: Sequence[Any]) -> Any:
        derivative = _derivative(cut, values[: len(cut.before.inputs)], reverse=reverse)

        def one(*own: Any) -> tuple[Any, ...]:
            row = [None] * len(seeded)
            for i, seed in zip(carriers, own, strict=True):
                row[i] = seed
            outs = derivative(*row)
            return tuple(_there(outs[a], given[a]) for a in wanted)

        return [*apply(one)(*seeds)]

    def recorded(apply: Callable[..., Any], lead: tuple[int, ...]) -> Graph:
        variables = [
            Variable((*lead, *shape_of(seeded[i])), seeded[i].dtype, array=True, layout=True)
            for i in carriers
        ]
        size = len(cut.before.inputs)
        return _recorded(cut, lambda *xs: products(xs, apply, xs[size:]), variables)

    largest = max([size_of(x) for e in cut.inner.equations for x in e.outputs], default=1)
    chunks = -(-count // max(1, min(count, CHUNK // max(1, largest))))
    length = -(-count // chunks)
    try:
        graph = recorded(vmap, (length,))
    except (NoRuleError, DataDependenceError):  # as a rule of the user's may not be batched
        length, chunks = 1, count
        graph = recorded(lambda one: one, ())
    calls, starts = [], []
    for k in range(chunks):
        own = range(k * length, min((k + 1) * length, count))
        calls.append([_seeds(seeded[i], parts[i], own, graph, length) for i in carriers])
        begins = []
        for a in wanted:
            begins.append(first)
            places[list(own), a] = first + size_of(given[a]) * np.arange(len(own))
            first += size_of(given[a]) * length
        starts.append(begins)
    return Products(graph, calls, starts), places, first


def _seeds(x: Any, part: Array, own: Sequence[int], graph: Graph, length: int) -> Array:
    """The seeds of these products in one array, as the graph takes them."""
    seeds = np.zeros((length, size_of(x)), x.dtype)
    for row, c in enumerate(own):
        seeds[row] = part == c
    batched = len(graph.inputs[-1].shape) > len(shape_of(x)) if length == 1 else True
    return seeds.reshape((*(length,) * batched, *shape_of(x)))
