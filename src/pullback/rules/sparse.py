"""Sparse matrices: their products, and the solutions of their equations.

A matrix is three arrays: the stored elements and, as constants, the row and the column of each. A
place that is named several times has the sum of its elements, as everywhere in SciPy. Everything
else about a matrix (its format, sums, diagonals, products with a diagonal) is a composition of
these arrays with indexing, see `pullback.scipy.sparse`.

For Y = AX it is Ẏ = ȦX + AẊ, X̄ = AᴴȲ, and for the stored elements āₑ = Σₖ ȳᵢₖ conj(xⱼₖ), with i and
j the row and the column of e: the derivative is formed where an element is stored, and nowhere
else. It is that of the dense formula (M. Giles, *An extended collection of matrix derivative
results for forward and reverse mode algorithmic differentiation*, Oxford 2008), of which the other
places are left out.
"""

from __future__ import annotations

import math

import numpy as np

from pullback.core.linear import Linear
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.structure import Opaque
from pullback.core.structure.axes import in_front, rank_of
from pullback.errors import ArgumentValueError
from pullback.rules.complex import conjugated
from pullback.rules.registration import rule

__all__ = ["FEW", "product_dtype", "sparse_matmul"]

FEW = 4096
"""With how many stored elements `numpy.bincount` is faster than to make a matrix of SciPy's."""


def product_dtype(*arrays):
    """The dtype of a product: NumPy's, but for half precision, in which SciPy doesn't compute."""
    dtype = np.result_type(*map(dtype_of, arrays))
    return np.dtype(np.float32) if dtype == np.float16 else dtype


def _sparse_matmul(data, x, rows, columns, *, shape):
    if x.ndim == 1 and data.size < FEW and data.dtype == x.dtype == _DOUBLE and data.size:
        # The same sums, in the same order.
        return np.bincount(rows, data * x[columns], minlength=shape[0])
    from scipy.sparse import coo_array

    dtype = product_dtype(data, x)
    matrix = coo_array((data.astype(dtype, copy=False), (rows, columns)), shape=shape)
    return np.ascontiguousarray(matrix @ x.astype(dtype, copy=False))


_DOUBLE = np.dtype(np.float64)


def _shape(primitive, data, x, rows, columns, *, shape):
    extents = shape_of(x)
    if not 1 <= len(extents) <= 2 or extents[0] != shape[1]:
        raise ArgumentValueError(
            f"{primitive.name}: a sparse matrix of shape {shape} was to be multiplied by an array "
            f"of shape {extents}, wanted ({shape[1]},) or ({shape[1]}, k)"
        )
    return Abstract((shape[0], *extents[1:]), product_dtype(data, x))


def _count(_out, data, x, *_, shape):
    """A multiplication and an addition for each stored element and each column."""
    return 2 * math.prod(shape_of(data)) * math.prod(shape_of(x)[1:])


def stacked(size, mapped, values, shape):
    """The block-diagonal matrix of a batch of matrices, and the shape of one block."""
    data, rows, columns = (
        in_front(x, size, mapped=one) for x, one in zip(values, mapped, strict=True)
    )
    first = np.arange(size)[:, None]
    m, n = shape
    rows, columns = rows + first * m, columns + first * n
    return *(np.reshape(each, (-1,)) for each in (data, rows, columns)), (size * m, size * n)


def _batch(primitive, size, mapped, values, params):
    """One product: with the columns of all examples, or of the block-diagonal matrix."""
    (data, x, *places), shape = values, params["shape"]
    if any((mapped[0], *mapped[2:])):
        marks = (mapped[0], *mapped[2:])
        data, rows, columns, whole = stacked(size, marks, (data, *places), shape)
        x = in_front(x, size, mapped=mapped[1])
        x = np.reshape(x, (whole[1], *shape_of(x)[2:]))
        y = primitive(data, x, rows, columns, shape=whole)
        return np.reshape(y, (size, shape[0], *shape_of(y)[1:]))
    if rank_of(x) == 2:
        return primitive(data, x.T, *places, shape=shape).T
    _, n, k = shape_of(x)
    side_by_side = np.reshape(np.moveaxis(x, 0, 1), (n, size * k))
    y = primitive(data, side_by_side, *places, shape=shape)
    return np.moveaxis(np.reshape(y, (shape[0], size, k)), 1, 0)


def _couples(values, outs, params):
    """Each stored element with its row, and the row of X with the number of its column."""
    _, _, rows, columns = values
    if rows is None or columns is None:
        return None
    width = math.prod(outs[0][1:])
    column = np.arange(width)
    into = np.reshape(rows, (-1, 1)) * width + column
    stored = np.repeat(np.arange(np.size(rows)), width)
    return {0: (into, stored), 1: (into, np.reshape(columns, (-1, 1)) * width + column)}


def on_pattern(left, right, rows, columns):
    """Σₖ leftᵢₖ rightⱼₖ for the row i and the column j of each stored element."""
    terms = left[rows] * right[columns]
    return np.sum(terms, axis=1) if terms.ndim == 2 else terms


@rule(
    _sparse_matmul,
    Opaque(
        _shape,
        _batch,
        couples=_couples,
        count=_count,
        generic=True,
        multilinear=True,
        cancels=False,
    ),
)
def sparse_matmul(_y, data, x, rows, columns, *, shape):
    """Y = AX of a sparse A and a dense X: Ẏ = ȦX + AẊ, X̄ = AᴴȲ, āₑ = Σₖ ȳᵢₖ conj(xⱼₖ).

    `x` is a vector, or a matrix of columns; `shape` is that of A. The order of summation is that
    of the stored elements.
    """
    return (
        Linear(
            lambda data_dot: sparse_matmul(data_dot, x, rows, columns, shape=shape),
            lambda y_bar: on_pattern(y_bar, conjugated(x), rows, columns),
        ),
        Linear(
            lambda x_dot: sparse_matmul(data, x_dot, rows, columns, shape=shape),
            lambda y_bar: sparse_matmul(conjugated(data), y_bar, columns, rows, shape=shape[::-1]),
        ),
        None,
        None,
    )
