"""The Hessian of an objective as a sparse matrix, where that is what pays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pullback.errors import PullbackError
from pullback.sparse.matrices import SparseMatrix, sparse_hessian
from pullback.sparse.sparsity import sparsity
from pullback.transforms.gradient import grad

__all__ = ["sparse_curvature"]

LEAST = 100
"""How many unknowns there must be for a sparse matrix to be looked for."""

MOST_FILLED, MOST_COLOURS = 1 / 16, 1 / 8
"""How much of the matrix may be other than zero, and how many products there may be for each
unknown: a search by products alone takes about as many as there are unknowns."""


def sparse_curvature(f: Callable[[Any], Any], params: Any, size: int) -> SparseMatrix | None:
    """The Hessian of a function of a pytree of so many elements; `None` if it is not sparse enough.

    It is `None` too where the function can't be recorded, as one that branches on values.
    """
    if size < LEAST:
        return None
    try:
        if sparsity(grad(f), params).nnz > MOST_FILLED * size**2:
            return None
        found = sparse_hessian(f, params)
    except PullbackError:
        return None
    return found if found.colours <= MOST_COLOURS * size else None
