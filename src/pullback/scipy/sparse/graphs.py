"""scipy.sparse.csgraph: the Laplacian of a graph with traced weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph

from pullback.core.shapes import shape_of
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.numpy.operands import operand
from pullback.scipy.constants import constant_call
from pullback.scipy.first_step import serves
from pullback.scipy.sparse.traced import is_traced

__all__ = ["laplacian"]


@serves(scipy.sparse.csgraph.laplacian)
def laplacian(
    csgraph: Any,
    normed: bool = False,
    return_diag: bool = False,
    use_out_degree: bool = False,
    **options: Any,
) -> Any:
    """D − A, or I − D^(−½) A D^(−½), of the weights A between vertices, and the degrees D."""
    flags = (normed, return_diag, use_out_degree)
    out = constant_call(scipy.sparse.csgraph.laplacian, (csgraph, *flags), options)
    if out is not NotImplemented:
        return out
    where = "scipy.sparse.csgraph.laplacian"
    form, symmetrized = options.pop("form", "array"), options.pop("symmetrized", False)
    if form != "array" or options.pop("dtype", None) is not None:
        raise ArgumentTypeError(
            f"{where}: form and dtype are not supported where weights are traced, wanted "
            "form='array'"
        )
    sparse = is_traced(csgraph)
    a = csgraph if sparse else operand(csgraph)
    if len(shape_of(a)) != 2 or shape_of(a)[0] != shape_of(a)[1]:
        raise ArgumentValueError(f"{where}: csgraph has shape {shape_of(a)}, wanted (n, n)")
    if symmetrized:
        a = a + (a.T.conj() if sparse else np.conj(a.T))
    on = a.diagonal() if sparse else np.diagonal(a)
    degrees = _degrees(a, use_out_degree) - on
    diagonal = degrees
    if normed:
        alone = degrees == 0
        scale = np.where(alone, 1, np.sqrt(np.where(alone, 1, degrees)))
        a = _scaled(a, 1 / scale, sparse=sparse)
        on, diagonal = on / scale**2, 1 - alone.astype(degrees.dtype)
        degrees = scale
    laplacian = _with_diagonal(a, diagonal + on, sparse=sparse)
    return (laplacian, degrees) if return_diag else laplacian


def _degrees(a: Any, use_out_degree: bool) -> Any:
    ones = np.ones(shape_of(a)[0])
    return a @ ones if use_out_degree else a.T @ ones


def _scaled(a: Any, by: Any, *, sparse: bool) -> Any:
    if not sparse:
        return by[:, None] * a * by
    return a.multiply(by[:, None]).multiply(by).asformat(a.format)


def _with_diagonal(a: Any, diagonal: Any, *, sparse: bool) -> Any:
    """diag(d) − A, of which the diagonal is d less that of A."""
    if not sparse:
        return np.diag(diagonal) - a
    return scipy.sparse.diags_array(diagonal, format="coo") - a
