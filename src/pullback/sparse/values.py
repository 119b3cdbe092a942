"""The values of a sparse matrix: products, and one gather from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pullback.core.shapes import dtype_of
from pullback.core.structure.axes import size_of
from pullback.sparse.compression import Compression
from pullback.sparse.cut import Cut
from pullback.sparse.pattern import csr, index_dtype, repeated_rows
from pullback.sparse.products import Products, made

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Layout", "Values", "assembled", "laid_out"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Layout:
    """How entries of an inner matrix make up a matrix.

    Attributes
    ----------
    pointers, indices : array of int
        The matrix in compressed rows.
    sources : array of int
        Which entry of the inner matrix belongs to each place, one place after the other.
    segments : array of int or None
        Where the sources of each place begin, if some have several, which are added up.
    shape : (int, int)
    """

    pointers: Array
    indices: Array
    sources: Array
    segments: Array | None
    shape: tuple[int, int]


def laid_out(
    matrix: csr_array, rows: Array, columns: Array, shape: tuple[int, int], *, gathered: bool
) -> Layout:
    """The matrix M J S of an inner one.

    Parameters
    ----------
    matrix : csr_array
        The pattern of J.
    rows : array of int
        If `gathered`, for each row of the result, from 1 on, which row of J it is; otherwise for
        each row of J which of the result it is added to. 0 is none.
    columns : array of int
        For each column of J, which column of the result it is added to.
    """
    m, n = shape
    matrix_rows = np.diff(matrix.indptr)
    if not gathered:
        row = np.repeat(rows - 1, matrix_rows)
        return _sorted(np.arange(matrix.nnz), row, columns[matrix.indices] - 1, shape)
    if len(rows) == matrix.shape[0] and np.array_equal(rows, np.arange(1, len(rows) + 1)):
        counts, entries = matrix_rows, np.arange(matrix.nnz, dtype=matrix.indices.dtype)
        indices = matrix.indices
    else:
        taken = repeated_rows(matrix, rows - 1, data=np.arange(matrix.nnz, dtype=np.int32))
        counts, entries, indices = np.diff(taken.indptr), taken.data, taken.indices
    column = columns[indices] - 1
    pointers = np.concatenate([[0], np.cumsum(counts)])
    found = csr(column.astype(matrix.indices.dtype), pointers, (m, max(n, 1)), data=entries)
    if len(column) and (column.min() < 0 or not _is_ascending(found)):
        if column.min() < 0:
            row = np.repeat(np.arange(m), counts)
            return _sorted(entries, row, column, shape)
        found.has_sorted_indices = False
        found.sort_indices()
        if not _is_ascending(found):
            row = np.repeat(np.arange(m), counts)
            return _sorted(found.data, row, found.indices, shape)
    return Layout(found.indptr, found.indices, found.data, None, shape)


def _is_ascending(matrix: csr_array) -> bool:
    """Whether indices ascend in each row, without repetition."""
    ascends = matrix.indices[1:] > matrix.indices[:-1]
    starts = matrix.indptr[1:-1]
    ascends[starts[(starts > 0) & (starts < len(matrix.indices))] - 1] = True
    return bool(ascends.all())


def _sorted(entries: Array, row: Array, column: Array, shape: tuple[int, int]) -> Layout:
    """The matrix of entries at places in any order, several of which may be one."""
    keep = (column >= 0) & (row >= 0)
    if not keep.all():
        entries, row, column = entries[keep], row[keep], column[keep]
    keys = row.astype(np.int64) * shape[1] + column
    if np.any(keys[1:] <= keys[:-1]):
        order = np.argsort(keys, kind="stable")
        entries, keys = entries[order], keys[order]
    first = np.ones(len(keys), np.bool_)
    first[1:] = keys[1:] != keys[:-1]
    segments = None if first.all() else np.flatnonzero(first)
    keys = keys if segments is None else keys[segments]
    rows, indices = np.divmod(keys, max(shape[1], 1))
    pointers = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=shape[0]))])
    dtype = index_dtype(max(*shape, len(keys)))
    return Layout(pointers.astype(dtype), indices.astype(dtype), entries, segments, shape)


@dataclass(frozen=True)
class Values:
    """What computes the entries of a matrix, in the order of compressed rows.

    Attributes
    ----------
    parts : list of Products
    length : int
        Of the line of all products.
    sources : array of int
        Where in the line each entry is.
    segments : array of int or None
        See `Layout`.
    dtype : dtype
    """

    parts: list[Products]
    length: int
    sources: Array
    segments: Array | None
    dtype: Any

    def __call__(self, values: Sequence[Any]) -> Array:
        """The entries for plain arrays."""
        line = np.empty(self.length, self.dtype)
        with np.errstate(all="ignore"):
            for part in self.parts:
                part.fill(line, values)
            found = line.take(self.sources)
            return found if self.segments is None else np.add.reduceat(found, self.segments)

    def traced(self, values: Sequence[Any]) -> Any:
        """The entries for arrays that may be traced."""
        rows = sorted(
            (row for part in self.parts for row in part.parts(values)), key=lambda r: r[0]
        )
        if not rows:
            return np.zeros(0, self.dtype)
        found = np.concatenate([row for _, row in rows])[self.sources]
        return found if self.segments is None else np.add.reduceat(found, self.segments)

    def cost(self) -> int:
        """What the products cost, and the gather."""
        return sum(part.cost() for part in self.parts) + 2 * len(self.sources)


def assembled(cut: Cut, matrix: csr_array, compression: Compression, layout: Layout) -> Values:
    """The graphs of the products, and the gather from them."""
    inputs, outputs = cut.inner.inputs[: len(cut.labels)], cut.inner.outputs
    parts: list[Products] = []
    line = np.zeros(matrix.nnz, np.int64)
    length = 0
    for reverse, colours in ((False, compression.forward), (True, compression.reverse)):
        count = int(colours.max(initial=-1)) + 1
        if not count:
            continue
        given = inputs if reverse else outputs
        sizes = [size_of(x) for x in given]
        starts = np.cumsum([0, *sizes])[:-1]
        mine: Any = compression.directions == reverse
        mine = slice(None) if mine.all() else np.flatnonzero(mine)
        places = compression.places[mine]
        array = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)[places]
        block = compression.products[mine] * np.int32(len(sizes)) + array
        used = np.bincount(block, minlength=count * len(sizes)).reshape(count, -1) > 0
        products, begins, length = made(cut, colours, used, reverse=reverse, first=length)
        line[mine] = np.ravel(begins - starts)[block] + places
        if products is not None:
            parts.append(products)
    # SciPy has no sparse matrices of half precision; where nothing is left there are no entries.
    kinds = [dtype_of(x) for x in (*inputs, *outputs)]
    dtype = np.result_type(*kinds, np.float32) if kinds else np.dtype(float)
    return Values(parts, length, line[layout.sources], layout.segments, dtype)
