"""A sparse matrix as what `pullback.rules.sparse` computes with: elements, rows and columns."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from pullback.rules.indexing import ARRAY, scatter

__all__ = ["Parts", "distinct", "parts_of", "summed"]


class Parts(NamedTuple):
    """The stored elements of a matrix, and where they are.

    Attributes
    ----------
    data : array
    rows, columns : array of int
    shape : tuple of int
    """

    data: Any
    rows: Any
    columns: Any
    shape: tuple[int, int]

    @property
    def transposed(self) -> Parts:
        return Parts(self.data, self.columns, self.rows, self.shape[::-1])

    def with_data(self, data: Any) -> Parts:
        return Parts(data, *self[1:])


def parts_of(matrix: Any) -> Parts:
    """The parts of a matrix, in the order in which its elements are stored.

    An array of one dimension is a row.
    """
    pattern = getattr(matrix, "_pattern", matrix)
    shape = pattern.shape if pattern.ndim == 2 else (1, *pattern.shape)
    if pattern.format in ("csr", "csc") and pattern.ndim == 2:
        count = pattern.indptr.size - 1
        lines = np.repeat(np.arange(count, dtype=pattern.indices.dtype), np.diff(pattern.indptr))
        number = lines.size  # there may be room for more
        places = (lines, pattern.indices[:number])
        rows, columns = places if pattern.format == "csr" else places[::-1]
        data = pattern.data[:number]
    else:
        coordinates = pattern.tocoo(copy=False)
        rows, columns, data = coordinates.row, coordinates.col, coordinates.data
    if pattern is not matrix:
        data = matrix._elements(data)
    return Parts(data, rows, columns, shape)


def distinct(parts: Parts) -> tuple[Any, Any]:
    """The order of elements by rows and columns, and which in that order are the first there."""
    key = parts.rows.astype(np.int64) * max(parts.shape[1], 1) + parts.columns
    order = np.argsort(key, kind="stable")
    key = key[order]
    return order, np.concatenate([np.ones(min(key.size, 1), bool), key[1:] != key[:-1]])


def summed(parts: Parts) -> Parts:
    """The same matrix by rows, with one element at each place, the sum of those that were there."""
    order, first = distinct(parts)
    data, rows, columns = (each[order] for each in parts[:3])
    if not np.all(first):
        count = (int(np.count_nonzero(first)),)
        data = scatter(data, np.cumsum(first) - 1, key=(ARRAY,), shape=count)
        rows, columns = rows[first], columns[first]
    return Parts(data, rows, columns, parts.shape)
