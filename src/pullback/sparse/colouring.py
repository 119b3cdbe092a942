"""Which columns of a matrix are computed together: no two of them may meet in a row.

Dense rows would keep all columns apart, so that they are computed by themselves, in the other
mode. How many colours it takes at least, the length of the longest row that is left, is known
beforehand; nothing is coloured that cannot be worth it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pullback.sparse import kernels
from pullback.sparse.pattern import csr, repeated_rows

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Colouring", "by_arrays", "coloured", "least_of_stars", "peeled", "symmetric"]

Array = np.ndarray[Any, Any]

MOST_STEPS = 4 * 10**8
"""How many steps a colouring may take; beyond it each column has a colour of its own."""


@dataclass(frozen=True)
class Colouring:
    """The colour of each column, from 0 on, and −1 where a column has no entry to be found so.

    Attributes
    ----------
    colours : array of int
    count : int
    peeled : array of int
        The rows that are computed by themselves.
    """

    colours: Array
    count: int
    peeled: Array


def peeled(lengths: Array, across: float, along: float) -> tuple[int, float]:
    """How many of the longest rows to compute by themselves, and what all takes at least.

    A row takes `across`, a colour `along`; with the longest k rows left out there are at least as
    many colours as the next one has entries.
    """
    longest = np.sort(lengths)[::-1]
    longest = np.append(longest[:4096], longest[4096] if len(longest) > 4096 else 0)
    costs = across * np.arange(len(longest)) + along * longest
    k = int(np.argmin(costs))
    return k, float(costs[k])


def coloured(matrix: csr_array, peel: int) -> Colouring:
    """A colouring of the columns of a matrix without its longest rows.

    Columns are taken in their order; where that takes more colours than the longest row has
    entries, those with many neighbours first, which is kept if it takes less.
    """
    n = matrix.shape[1]
    lengths = np.diff(matrix.indptr)
    rows = np.sort(np.argsort(-lengths, kind="stable")[:peel])
    rest = without_rows(matrix, rows)
    lengths = np.diff(rest.indptr)
    bound = int(lengths.max(initial=0))
    columns = rest.tocsc()
    if bound <= 1:
        return Colouring(np.where(np.diff(columns.indptr) > 0, 0, -1), min(bound, 1), rows)
    steps = int(np.sum(lengths.astype(np.int64) ** 2))
    if steps > MOST_STEPS:
        return Colouring(np.arange(n), n, rows)
    colours, count = _greedy(rest, columns, np.arange(n), steps)
    if count > bound:
        degrees = np.diff(columns.indptr) * 1.0
        np.add.at(degrees, rest.indices, np.repeat(lengths, lengths) - 1.0)
        other, fewer = _greedy(rest, columns, np.argsort(-degrees, kind="stable"), steps)
        if fewer < count:
            colours, count = other, fewer
    return Colouring(np.where(np.diff(columns.indptr) > 0, colours, -1), count, rows)


WORTH_A_STAR = 8
"""How many colours a large symmetric matrix has to take before fewer are looked for."""


MOST_ARRAYS = 24
"""How many arrays may be looked at for products that take whole ones."""


def by_arrays(
    lines: Array, members: Array, count: int, sizes: Sequence[int], bound: int
) -> Array | None:
    """The colours of members of lines that are the elements of a few arrays, each of one colour.

    `None` where elements of one array meet in a line, or it takes more colours than `bound`.
    """
    k = len(sizes)
    if not 0 < k <= MOST_ARRAYS or count * k > max(16 * len(lines), 1024):
        return None
    array = np.repeat(np.arange(k, dtype=np.int8), sizes)[members]
    met = np.zeros((k, count), np.bool_)
    for a in range(k):
        mine = lines[array == a]
        met[a, mine] = True
        if np.count_nonzero(met[a]) < len(mine):
            return None
    colours = np.full(k, -1, np.int32)
    for a in range(k):
        if met[a].any():
            taken = {int(colours[b]) for b in range(a) if np.any(met[a] & met[b])}
            colours[a] = next(c for c in range(k) if c not in taken)
    if colours.max(initial=-1) >= bound:
        return None
    return np.repeat(colours, sizes)


def without_rows(matrix: csr_array, rows: Array) -> csr_array:
    """The matrix with these rows empty."""
    if not len(rows):
        return matrix
    kept = np.arange(matrix.shape[0])
    kept[rows] = -1
    return repeated_rows(matrix, kept)


def _greedy(rows: Any, columns: Any, order: Array, steps: int) -> tuple[Array, int]:
    n = rows.shape[1]
    room = 64
    while True:
        most = min(n, room)
        try:
            colours = kernels.run(
                kernels.distance_two,
                steps,
                order,
                columns.indptr,
                columns.indices,
                rows.indptr,
                rows.indices,
                np.full(n, most),
                np.full(most + 1, -1),
            )
        except IndexError:
            colours = None
        if colours is not None and colours.max(initial=0) < most:
            return colours, int(colours.max(initial=-1)) + 1
        room *= 8


def least_of_stars(matrix: csr_array) -> int:
    """How many colours a star colouring of a symmetric matrix has at least.

    The elements of two colours have fewer edges between them than there are such elements: with k
    colours there are at most (k − 1) n edges.
    """
    n = max(matrix.shape[0], 1)
    edges = (matrix.nnz - np.count_nonzero(matrix.diagonal())) // 2
    return int(1 + -(-edges // n)) if edges else min(int(matrix.nnz), 1)


def symmetric(matrix: csr_array, peel: int) -> Colouring:
    """A star colouring of a symmetric matrix, whose longest rows have colours of their own.

    A column that is alone in its colour is known, and by symmetry so is the row; for all others
    an entry is found in one of the two columns.
    """
    n = matrix.shape[0]
    lengths = np.diff(matrix.indptr)
    alone = np.sort(np.argsort(-lengths, kind="stable")[:peel])
    marks = np.zeros(n, np.bool_)
    marks[alone] = True
    rows = np.repeat(np.arange(n), lengths)
    kept = ~(marks[rows] | marks[matrix.indices] | (rows == matrix.indices))
    counts = np.bincount(rows[kept], minlength=n)
    pointers = np.concatenate([[0], np.cumsum(counts)])
    graph = csr(matrix.indices[kept], pointers, (n, n))
    steps = int(np.sum(counts.astype(np.int64) ** 2))
    if steps > MOST_STEPS:
        return Colouring(np.arange(n), n, np.zeros(0, np.intp))
    colours = _distance_two(without_rows(matrix, alone), marks)
    if graph.nnz and (8 * steps <= kernels.SMALL or colours.max() >= WORTH_A_STAR):
        other = _star(graph, steps)
        colours = other if other[~marks].max() < colours.max() else colours
    count = int(colours[~marks].max(initial=-1)) + 1
    colours = colours.copy()
    colours[alone] = count + np.arange(len(alone))
    colours[lengths == 0] = -1
    return Colouring(colours, count + len(alone), np.zeros(0, np.intp))


def _distance_two(matrix: csr_array, alone: Array) -> Array:
    """The colours of columns of which no two meet in a row, but for those that are alone."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    kept = ~alone[matrix.indices]
    pointers = np.concatenate([[0], np.cumsum(np.bincount(rows[kept], minlength=len(alone)))])
    return np.maximum(coloured(csr(matrix.indices[kept], pointers, matrix.shape), 0).colours, 0)


def _star(graph: csr_array, steps: int) -> Array:
    n = graph.shape[0]
    rows = np.repeat(np.arange(n), np.diff(graph.indptr))
    low, high = np.minimum(rows, graph.indices), np.maximum(rows, graph.indices)
    _, edges = np.unique(low * np.int64(n) + high, return_inverse=True)
    count = graph.nnz // 2
    best = None
    for order in _orders(graph, steps):
        room = 64
        while True:
            most = min(n, room)
            try:
                colours = kernels.run(
                    kernels.star,
                    8 * steps,
                    order,
                    (np.append(graph.indptr, graph.indptr[-1:]), graph.indices, edges),
                    np.full(n + 1, most),
                    (*np.full((3, most + 1), -1), np.full(n + 1, -1)),
                    (np.arange(count + 1), np.full(count + 1, -1)),
                )
            except IndexError:
                colours = None
            if colours is not None and colours[:n].max(initial=0) < most:
                colours = colours[:n]
                break
            room *= 8
        if best is None or colours.max() < best.max():
            best = colours
        if best.max() <= 2:  # three colours, which is as few as a path takes
            break
    return np.asarray(best)


def _orders(graph: csr_array, steps: int) -> list[Array]:
    """The orders in which the vertices of a graph are coloured."""
    n = graph.shape[0]
    degrees = np.diff(graph.indptr)
    line = np.argsort(degrees, kind="stable")
    places = np.empty(n + 1, np.int64)
    places[line] = np.arange(n)
    places[n] = n
    starts = np.searchsorted(degrees[line], np.arange(degrees.max() + 3))
    last = kernels.run(
        kernels.last_by_degree,
        steps,
        (graph.indptr, graph.indices),
        np.append(degrees, 0),
        starts,
        places,
        np.append(line, n),
    )
    return [np.arange(n), last[:n][::-1]]
