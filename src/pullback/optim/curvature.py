"""The Hessian of an objective as a sparse matrix, where that is what pays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.errors import PullbackError
from pullback.optim.vectors import Vector, flatten
from pullback.sparse.matrices import SparseMatrix, sparse_hessian
from pullback.sparse.sparsity import sparsity
from pullback.transforms.gradient import grad

__all__ = ["Curvature", "sparse_curvature"]

LEAST = 100
"""How many unknowns there must be for a sparse matrix to be looked for."""

MOST_FILLED, MOST_COLOURS = 1 / 16, 1 / 8
"""How much of the matrix may be other than zero, and how many products there may be for each
unknown: a search by products alone takes about as many as there are unknowns."""


def sparse_curvature(f: Callable[[Any], Any], params: Any) -> SparseMatrix | None:
    """The Hessian of a function of a pytree; `None` if it is not sparse enough.

    It is `None` too where the function can't be recorded, as one that branches on values.
    """
    size = flatten(params)[0].size
    if size < LEAST:
        return None
    try:
        if sparsity(grad(f), params).nnz > MOST_FILLED * size**2:
            return None
        found = sparse_hessian(f, params)
    except PullbackError:
        return None
    return found if found.colours <= MOST_COLOURS * size else None


class Curvature:
    """A sparse Hessian by the elements of a vector, found once at each point.

    Parameters
    ----------
    matrix : callable
        The Hessian, as `sparse_hessian` returns it, compiled or not.
    unflatten : callable
        From a vector to the argument of `matrix`.
    """

    def __init__(self, matrix: Callable[..., Any], unflatten: Callable[[Vector], Any]) -> None:
        self.matrix = matrix
        self.unflatten = unflatten
        self.at: Vector | None = None
        self.found: Any = None

    def dense(self, vector: Vector) -> Vector:
        """The Hessian, shape (n, n)."""
        dense: Vector = self._at(vector).toarray()
        return dense

    def product(self, vector: Vector, direction: Vector) -> Vector:
        """The Hessian times a direction."""
        product: Vector = self._at(vector) @ direction
        return product

    def _at(self, vector: Vector) -> Any:
        if self.at is None or not np.array_equal(self.at, vector):
            self.found = self.matrix(self.unflatten(vector)).astype(np.float64)
            self.at = vector.copy()
        return self.found
