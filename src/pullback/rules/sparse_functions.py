"""Functions of sparse matrices that act on dense arrays."""

from __future__ import annotations

import numpy as np

from pullback.core.linear import Linear
from pullback.core.shapes import Abstract, shape_of
from pullback.core.structure import Opaque
from pullback.core.structure.axes import rank_of
from pullback.errors import NoRuleError
from pullback.rules.complex import conjugated
from pullback.rules.registration import rule
from pullback.rules.sparse_systems import solution_dtype

__all__ = ["exponential_product"]


def _exponential_product(b, data, rows, columns):
    from scipy.sparse import coo_array
    from scipy.sparse.linalg import expm_multiply

    n = b.shape[0]
    return np.asarray(expm_multiply(coo_array((data, (rows, columns)), shape=(n, n)).tocsc(), b))


def _shape(_primitive, b, data, *_):
    return Abstract(shape_of(b), solution_dtype(data, b))


def _batch(primitive, size, mapped, values, _params):
    """All examples as columns of one matrix."""
    b, *matrix = values
    if any(mapped[1:]):
        rows = [
            primitive(*(x[i] if one else x for x, one in zip(values, mapped, strict=True)))
            for i in range(size)
        ]
        return np.stack(rows)
    if rank_of(b) == 2:
        return primitive(b.T, *matrix).T
    _, n, k = shape_of(b)
    y = primitive(np.reshape(np.moveaxis(b, 0, 1), (n, size * k)), *matrix)
    return np.moveaxis(np.reshape(y, (n, size, k)), 1, 0)


@rule(_exponential_product, Opaque(_shape, _batch))
def exponential_product(_y, _b, data, rows, columns):
    """Y = exp(A) B of a constant sparse A: Ẏ = exp(A) Ḃ, B̄ = exp(Aᴴ) Ȳ.

    It has no derivative in A: that takes the integral of exp((1 − s)A) Ȧ exp(sA) B over s in
    [0, 1].
    """

    def in_matrix():
        raise NoRuleError(
            "scipy.sparse.linalg.expm_multiply has no derivative in the elements of the matrix; "
            "write scipy.linalg.expm(A.toarray()) @ B"
        )

    return (
        Linear(
            lambda b_dot: exponential_product(b_dot, data, rows, columns),
            lambda y_bar: exponential_product(y_bar, conjugated(data), columns, rows),
        ),
        in_matrix,
        None,
        None,
    )
