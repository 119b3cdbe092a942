"""Which products with a matrix give all of its entries, and where each entry is found in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pullback.sparse.colouring import coloured, peeled, symmetric

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Compression", "compressed", "compressed_symmetric"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Compression:
    """Products with a matrix, forward and reverse.

    Attributes
    ----------
    forward, reverse : array of int
        For each column, or row, with which product it is summed; −1 for none.
    directions : array of bool
        For each entry whether a reverse product has it.
    products, places : array of int
        Which product that is, and which element of it.
    """

    forward: Array
    reverse: Array
    directions: Array
    products: Array
    places: Array

    @property
    def forwards(self) -> int:
        """How many forward products there are."""
        return int(self.forward.max(initial=-1)) + 1

    @property
    def reverses(self) -> int:
        """How many reverse ones."""
        return int(self.reverse.max(initial=-1)) + 1


def _entries(matrix: csr_array) -> tuple[Array, Array]:
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return rows, matrix.indices.astype(np.int64)


def _none(n: int) -> Array:
    return np.full(n, -1)


def bounds(matrix: csr_array, forward: float, reverse: float) -> tuple[float, float]:
    """What all products take at least, if most go forward, and if most go in reverse."""
    columns = np.bincount(matrix.indices, minlength=matrix.shape[1])
    return (
        peeled(np.diff(matrix.indptr), reverse, forward)[1],
        peeled(columns, forward, reverse)[1],
    )


def compressed(
    matrix: csr_array, forward: float, reverse: float, mode: str = "auto"
) -> tuple[float, Compression]:
    """The cheapest products with a matrix that are found, and what they take.

    Parameters
    ----------
    matrix : csr_array
    forward, reverse : float
        What a product takes.
    mode : {"auto", "forward", "reverse"}
        Which products to take alone.
    """
    if mode != "auto":
        by_columns = mode == "forward"
        return _one_way(matrix, forward, reverse, by_columns=by_columns, peel=False)
    least = bounds(matrix, forward, reverse)
    first = bool(least[0] <= least[1])
    best = _one_way(matrix, forward, reverse, by_columns=first)
    if min(least[int(first)], best[0]) < best[0]:
        other = _one_way(matrix, forward, reverse, by_columns=not first)
        best = min(best, other, key=lambda pair: pair[0])
    return best


def _one_way(
    matrix: csr_array, forward: float, reverse: float, *, by_columns: bool, peel: bool = True
) -> tuple[float, Compression]:
    """With columns coloured, and the longest rows in reverse; or the other way round."""
    m, n = matrix.shape
    rows, columns = _entries(matrix)
    if by_columns:
        count = peeled(np.diff(matrix.indptr), reverse, forward)[0] if peel else 0
        colouring = coloured(matrix, count)
        colours, alone = colouring.colours, colouring.peeled
        others = _none(m)
        others[alone] = np.arange(len(alone))
        directions = others[rows] >= 0
        products = np.where(directions, others[rows], colours[columns])
        found = Compression(
            colours, others, directions, products, np.where(directions, columns, rows)
        )
    else:
        flipped = matrix.T.tocsr()
        count = peeled(np.diff(flipped.indptr), forward, reverse)[0] if peel else 0
        colouring = coloured(flipped, count)
        colours, alone = colouring.colours, colouring.peeled
        others = _none(n)
        others[alone] = np.arange(len(alone))
        directions = others[columns] < 0
        products = np.where(directions, colours[rows], others[columns])
        found = Compression(
            others, colours, directions, products, np.where(directions, columns, rows)
        )
    return forward * found.forwards + reverse * found.reverses, found


def compressed_symmetric(matrix: csr_array, cost: float) -> tuple[float, Compression]:
    """The same for a symmetric matrix, with forward products alone."""
    rows, columns = _entries(matrix)
    n = matrix.shape[0]
    lengths = np.diff(matrix.indptr)
    peel = peeled(lengths, 1.0, 1.0)[0]
    found = symmetric(matrix, peel)
    if peel:
        other = symmetric(matrix, 0)
        found = min(found, other, key=lambda each: each.count)
    colours = found.colours
    # The entry (i, j) stands in row i of its column's product if no other of that colour does.
    keys = rows * np.int64(max(found.count, 1)) + colours[columns]
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    alone = counts[inverse] == 1
    products = np.where(alone, colours[columns], colours[rows])
    places = np.where(alone, rows, columns)
    made = Compression(colours, _none(n), np.zeros(len(rows), np.bool_), products, places)
    return cost * found.count, made
