"""Which products with a matrix give all of its entries, and where each entry is found in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pullback.sparse.colouring import by_arrays, coloured, least_of_stars, peeled, symmetric

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
    dtype = matrix.indices.dtype
    rows = np.repeat(np.arange(matrix.shape[0], dtype=dtype), np.diff(matrix.indptr))
    return rows, matrix.indices


def _none(n: int) -> Array:
    return np.full(n, -1, np.int32)


def bounds(matrix: csr_array, forward: float, reverse: float) -> tuple[float, float]:
    """What all products take at least, if most go forward, and if most go in reverse."""
    columns = np.bincount(matrix.indices, minlength=matrix.shape[1])
    return (
        peeled(np.diff(matrix.indptr), reverse, forward)[1],
        peeled(columns, forward, reverse)[1],
    )


def compressed(
    matrix: csr_array,
    costs: tuple[float, float],
    mode: str = "auto",
    sizes: tuple[Sequence[int], Sequence[int]] = ((), ()),
    limit: float = np.inf,
) -> tuple[float, Compression | None]:
    """The cheapest products with a matrix that are found, and what they take.

    Parameters
    ----------
    matrix : csr_array
    costs : (float, float)
        What a product takes, forward and in reverse.
    mode : {"auto", "forward", "reverse"}
        Which products to take alone.
    sizes : (sequence of int, sequence of int)
        Of the arrays that the rows are the elements of, and the columns. Products that take whole
        arrays are looked for first.
    limit : float
        Where all takes at least as much, nothing is coloured.
    """
    least = bounds(matrix, *costs)
    if mode != "auto":
        return _one_way(matrix, costs, sizes, by_columns=mode == "forward", peel=False)
    if min(least) >= limit:
        return min(least), None
    first = bool(least[0] <= least[1])
    best = _one_way(matrix, costs, sizes, by_columns=first)
    if least[int(first)] < best[0]:
        other = _one_way(matrix, costs, sizes, by_columns=not first)
        best = min(best, other, key=lambda pair: pair[0])
    return best


def _one_way(
    matrix: csr_array,
    costs: tuple[float, float],
    sizes: tuple[Sequence[int], Sequence[int]],
    *,
    by_columns: bool,
    peel: bool = True,
) -> tuple[float, Compression]:
    """With columns coloured, and the longest rows in reverse; or the other way round."""
    rows, columns = _entries(matrix)
    lines, members = (rows, columns) if by_columns else (columns, rows)
    n_lines = matrix.shape[0 if by_columns else 1]
    own, other = costs if by_columns else costs[::-1]
    lengths = np.bincount(lines, minlength=n_lines)
    count = peeled(lengths, other, own)[0] if peel else 0
    bound = int(lengths.max(initial=0))
    colours = None if count else by_arrays(lines, members, n_lines, sizes[int(by_columns)], bound)
    if colours is not None:
        alone = _none(n_lines)
        across = np.zeros(len(lines), np.bool_)
        products = colours[members]
        places = lines
    else:
        found = coloured(matrix if by_columns else matrix.T.tocsr(), count)
        colours, alone = found.colours, _none(n_lines)
        alone[found.peeled] = np.arange(len(found.peeled))
        across = alone[lines] >= 0
        products = np.where(across, alone[lines], colours[members])
        places = np.where(across, members, lines)
    if by_columns:
        made = Compression(colours, alone, across, products, places)
    else:
        made = Compression(alone, colours, ~across, products, places)
    return costs[0] * made.forwards + costs[1] * made.reverses, made


def compressed_symmetric(
    matrix: csr_array, cost: float, sizes: Sequence[int] = (), limit: float = np.inf
) -> tuple[float, Compression | None]:
    """The same for a symmetric matrix, with forward products alone."""
    least = cost * least_of_stars(matrix)
    if least >= limit:
        return least, None
    rows, columns = _entries(matrix)
    n = matrix.shape[0]
    lengths = np.diff(matrix.indptr)
    colours = by_arrays(rows, columns, n, sizes, int(lengths.max(initial=0)))
    if colours is None:
        peel = peeled(lengths, 1.0, 1.0)[0]
        found = symmetric(matrix, peel)
        if peel and found.count > 2:
            found = min(found, symmetric(matrix, 0), key=lambda each: each.count)
        colours = found.colours
    count = int(colours.max(initial=-1)) + 1
    # The entry (i, j) stands in row i of its column's product if no other of that colour does.
    keys = rows * np.int64(max(count, 1)) + colours[columns]
    if n * count <= 16 * len(rows):
        alone = np.bincount(keys)[keys] == 1
    else:
        _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
        alone = counts[inverse] == 1
    products = np.where(alone, colours[columns], colours[rows])
    places = np.where(alone, rows, columns)
    made = Compression(colours, _none(n), np.zeros(len(rows), np.bool_), products, places)
    return cost * count, made
