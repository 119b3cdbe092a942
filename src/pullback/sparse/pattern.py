"""Which inputs each element of a value depends on.

The inputs are numbered from 0. A pattern has one of two forms, which are changed as it grows:

* *labels*: a few arrays of the value's shape, which have the number of an input plus one in place
  of each element, or 0 for none. What only moves elements is applied to the labels as it is to
  numbers, and what works element by element puts the labels of its arguments side by side.
* *matrix*: the pattern in compressed rows, one for each element in C order.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = [
    "MOST_ENTRIES",
    "MOST_LABELS",
    "OverfullError",
    "Pattern",
    "csr",
    "index_dtype",
    "repeated_rows",
    "require_room",
]

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]

MOST_LABELS = 16
"""How many arrays of labels there may be, before they become a matrix."""

MOST_ENTRIES = 10**8
"""How many entries a pattern may have, which take 0.5 GB."""


class Pattern:
    """The pattern of a value of a `shape`, among so many inputs.

    Attributes
    ----------
    shape : tuple of int
    inputs : int
    labels : tuple of array or None
    matrix : csr_array or None
        One of the two forms.
    """

    __slots__ = ("inputs", "labels", "matrix", "shape")

    def __init__(
        self, shape: Shape, inputs: int, labels: Sequence[Array] | None, matrix: Any = None
    ) -> None:
        self.shape = shape
        self.inputs = inputs
        self.labels = None if labels is None else tuple(labels)
        self.matrix = matrix

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    def entries(self) -> int:
        """The number of entries, or somewhat more."""
        if self.labels is not None:
            return len(self.labels) * self.size
        return int(self.matrix.nnz)

    def counts(self) -> Array:
        """For each element the number of entries, or somewhat more."""
        if self.labels is not None:
            return np.full(self.size, len(self.labels))
        return np.diff(self.matrix.indptr)

    def label(self, k: int) -> Array:
        """The k-th array of labels; of zeros if there are fewer."""
        if self.labels is not None and k < len(self.labels):
            return self.labels[k]
        return np.zeros(self.shape, index_dtype(self.inputs))

    def csr(self) -> csr_array:
        """The matrix, with sorted rows without duplicates."""
        if self.labels is None:
            return self.matrix
        require_room(self.entries())
        rows = _sorted([np.ravel(each) for each in self.labels])
        keep = [rows[0] != 0]
        keep += [(b != a) & (b != 0) for a, b in itertools.pairwise(rows)]
        if len(rows) == 1:
            indices, counts = rows[0][keep[0]], keep[0]
        else:
            kept = np.stack(keep, axis=1)
            indices, counts = np.stack(rows, axis=1)[kept], np.count_nonzero(kept, axis=1)
        indices -= 1
        return csr(indices, _pointers(counts), (self.size, self.inputs))

    # -- other arrangements ------------------------------------------------------------------------

    def reshaped(self, shape: Shape) -> Pattern:
        """The elements in another shape, in C order."""
        labels = self.labels and [np.reshape(each, shape) for each in self.labels]
        return Pattern(shape, self.inputs, labels, self.matrix)

    def moved(self, move: Callable[[Array], Array]) -> Pattern:
        """What the same elements elsewhere have; `move` is applied to labels."""
        if self.labels is not None:
            labels = [move(each) for each in self.labels]
            return Pattern(labels[0].shape, self.inputs, labels)
        numbers = np.arange(1, self.size + 1, dtype=np.int64).reshape(self.shape)
        return self.taken(move(numbers))

    def taken(self, rows: Array) -> Pattern:
        """The elements with these numbers, from 1 on in C order; 0 for none."""
        if self.labels is not None:
            flat = [np.concatenate([[0], np.ravel(each)]) for each in self.labels]
            dtype = self.labels[0].dtype
            labels = [each.astype(dtype)[rows] for each in flat]
            return Pattern(rows.shape, self.inputs, labels)
        matrix = repeated_rows(self.matrix, np.ravel(rows) - 1)
        return Pattern(rows.shape, self.inputs, None, matrix)

    def broadcast(self, shape: Shape) -> Pattern:
        """The elements repeated along new and stretched axes."""
        if self.shape == shape:
            return self
        return self.moved(lambda each: np.broadcast_to(each, shape))

    def item(self, i: int) -> Pattern:
        """The elements with this place along the first axis."""
        shape = self.shape[1:]
        if self.labels is not None:
            return Pattern(shape, self.inputs, [each[i] for each in self.labels])
        size = math.prod(shape)
        begin, end = self.matrix.indptr[[i * size, (i + 1) * size]]
        pointers = self.matrix.indptr[i * size : (i + 1) * size + 1] - begin
        matrix = csr(self.matrix.indices[begin:end], pointers, (size, self.inputs))
        return Pattern(shape, self.inputs, None, matrix)

    def without(self, zeros: Array) -> Pattern:
        """The same without what the elements where `zeros` holds depend on."""
        zeros = np.broadcast_to(zeros, self.shape)
        if self.labels is not None:
            return Pattern(
                self.shape, self.inputs, [np.where(zeros, 0, each) for each in self.labels]
            )
        rows = np.where(np.ravel(zeros), -1, np.arange(self.size))
        return Pattern(self.shape, self.inputs, None, repeated_rows(self.matrix, rows))

    # -- sums --------------------------------------------------------------------------------------

    def over(self, axes: Sequence[int]) -> Pattern:
        """What all elements along these axes depend on, with extents 1 there."""
        if not axes or all(self.shape[axis] == 1 for axis in axes):
            return self
        shape = tuple(1 if i in axes else n for i, n in enumerate(self.shape))
        length = math.prod(self.shape[axis] for axis in axes)
        rest = [i for i in range(len(self.shape)) if i not in axes]
        if 0 in self.shape:
            return Pattern.empty(shape, self.inputs)

        def rows(x: Array) -> Array:
            return np.transpose(x, (*rest, *axes)).reshape(-1, length)

        if self.labels is not None:
            if len(self.labels) * length <= MOST_LABELS:
                labels = [np.reshape(row, shape) for x in self.labels for row in rows(x).T]
                return compact(Pattern(shape, self.inputs, labels))
            found = np.concatenate([rows(each) for each in self.labels], axis=1)
            return Pattern(shape, self.inputs, None, _of_rows(found, self.inputs))
        order = rows(np.arange(self.size).reshape(self.shape))
        matrix = repeated_rows(self.matrix, np.ravel(order))
        pointers = matrix.indptr[::length]
        return Pattern(shape, self.inputs, None, _united(matrix.indices, pointers, self.inputs))

    def through(self, matrix: csr_array, shape: Shape) -> Pattern:
        """That of a value of which each element depends on some elements of this one."""
        labels = self.labels
        if labels is not None and len(labels) == 1:
            found = np.ravel(labels[0])[matrix.indices]
            there = found != 0
            pointers = _pointers(there)[matrix.indptr]
            made = _united(found[there] - 1, pointers, self.inputs)
        else:
            most = int(np.sum(self.counts()[matrix.indices]))
            require_room(min(most, matrix.shape[0] * self.inputs))
            made = matrix @ self.csr()
            made.sort_indices()
        return Pattern(shape, self.inputs, None, made)

    @staticmethod
    def union(patterns: Sequence[Pattern]) -> Pattern:
        """What elements depend on that depend on those of several values of one shape."""
        first = patterns[0]
        if len(patterns) == 1:
            return first
        labels: list[Array] = []
        matrices = []
        for each in patterns:
            if each.labels is None:
                matrices.append(each.matrix)
            else:
                labels += each.labels
        if labels:
            joined = compact(Pattern(first.shape, first.inputs, labels))
            if not matrices:
                return joined
            matrices.append(joined.csr())
        total = matrices[0]
        for matrix in matrices[1:]:
            if matrix is not total:
                total = total + matrix
        return Pattern(first.shape, first.inputs, None, total)

    @staticmethod
    def empty(shape: Shape, inputs: int) -> Pattern:
        """That of a value that depends on nothing."""
        return Pattern(shape, inputs, [np.zeros(shape, index_dtype(inputs))])

    @staticmethod
    def stacked(patterns: Sequence[Pattern]) -> Pattern:
        """The elements of several values one after the other, as one dimension."""
        first = patterns[0]
        size = sum(each.size for each in patterns)
        if all(each.labels is not None for each in patterns):
            most = max(len(each.labels or ()) for each in patterns)
            columns = [
                np.concatenate([np.ravel(each.label(k)) for each in patterns]) for k in range(most)
            ]
            return Pattern((size,), first.inputs, columns)
        matrices = [each.csr() for each in patterns]
        lengths = [np.diff(each.indptr) for each in matrices]
        indices = np.concatenate([each.indices for each in matrices])
        matrix = csr(indices, _pointers(np.concatenate(lengths)), (size, first.inputs))
        return Pattern((size,), first.inputs, None, matrix)


def compact(pattern: Pattern) -> Pattern:
    """The same with as few labels as it has without those that are equal, or as a matrix."""
    labels: list[Array] = []
    for each in pattern.labels or ():
        if not any(_equal(each, other) for other in labels):
            labels.append(each)
    if len(labels) <= MOST_LABELS:
        return Pattern(pattern.shape, pattern.inputs, labels)
    matrix = Pattern(pattern.shape, pattern.inputs, labels).csr()
    return Pattern(pattern.shape, pattern.inputs, None, matrix)


def _equal(a: Array, b: Array) -> bool:
    """Whether labels are equal; most that are not differ in the first or the last element."""
    if a is b:
        return True
    first, last = (0,) * a.ndim, (-1,) * a.ndim
    if a.size and (a[first] != b[first] or a[last] != b[last]):
        return False
    return bool(np.array_equal(a, b))


def index_dtype(inputs: int) -> np.dtype[Any]:
    """The dtype of labels."""
    return np.dtype(np.int32 if inputs < 2**31 - 1 else np.int64)


def csr(
    indices: Array, pointers: Array, shape: tuple[int, int], data: Array | None = None
) -> csr_array:
    """A matrix of these indices, which are known to be right; of booleans that hold, by default."""
    from scipy.sparse import csr_array

    matrix = csr_array(shape, dtype=np.bool_)
    matrix.indptr = pointers.astype(indices.dtype, copy=False)
    matrix.indices = indices
    matrix.data = np.ones(len(indices), np.bool_) if data is None else data
    return matrix


def _pointers(counts: Array) -> Array:
    pointers = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=pointers[1:])
    require_room(int(pointers[-1]))
    return pointers


class OverfullError(Exception):
    """A pattern would have too many entries."""

    def __init__(self, entries: int) -> None:
        super().__init__(entries)
        self.entries = entries


def require_room(entries: int) -> None:
    """Raise where a pattern would have so many entries."""
    if entries > MOST_ENTRIES:
        raise OverfullError(entries)


def repeated_rows(matrix: csr_array, rows: Array, data: Array | None = None) -> csr_array:
    """The rows of these numbers of a matrix; −1 stands for an empty one.

    Of a matrix of booleans that hold, or of `data` in their place.
    """
    starts, counts = matrix.indptr[:-1], np.diff(matrix.indptr)
    if len(counts):
        there = rows >= 0
        counts = np.where(there, counts[rows], 0)
        starts = np.where(there, starts[rows], 0)
    else:
        counts = np.zeros(len(rows), np.int64)
        starts = counts
    pointers = _pointers(counts)
    places = np.arange(pointers[-1]) + np.repeat(starts - pointers[:-1], counts)
    taken = None if data is None else data[places]
    return csr(matrix.indices[places], pointers, (len(rows), matrix.shape[1]), taken)


def _sorted(rows: list[Array]) -> list[Array]:
    """Arrays with their elements in ascending order across them: a network of comparisons.

    K. E. Batcher, *Sorting networks and their applications*, AFIPS 32 (1968): odd–even merging.
    """
    rows = list(rows)
    for i, j in _comparisons(len(rows)):
        a, b = rows[i], rows[j]
        rows[i], rows[j] = np.minimum(a, b), np.maximum(a, b)
    return rows


def _comparisons(n: int) -> Iterable[tuple[int, int]]:
    p = 1
    while p < n:
        k = p
        while k:
            for j in range(k % p, n - k, 2 * k):
                for i in range(min(k, n - j - k)):
                    if (i + j) // (2 * p) == (i + j + k) // (2 * p):
                        yield i + j, i + j + k
            k //= 2
        p *= 2


def _of_rows(labels: Array, inputs: int) -> csr_array:
    """The matrix of labels of which each row of an array has those of an element."""
    n = len(labels)
    if n * inputs <= 8 * labels.size + 1024:
        dense = np.zeros((n, inputs + 1), np.bool_)
        dense[np.arange(n)[:, None], labels] = True
        rows, columns = np.nonzero(dense[:, 1:])
        dtype = index_dtype(inputs)
        return csr(columns.astype(dtype), _pointers(np.bincount(rows, minlength=n)), (n, inputs))
    there = labels != 0
    counts = np.count_nonzero(there, axis=1)
    return _united(labels[there] - 1, _pointers(counts), inputs)


def _united(indices: Array, pointers: Array, inputs: int) -> csr_array:
    """A matrix of rows with indices in any order, that may occur several times."""
    matrix = csr(indices.copy(), pointers, (len(pointers) - 1, inputs))
    matrix.has_sorted_indices = False
    matrix.has_canonical_format = False
    matrix.sum_duplicates()
    return matrix
