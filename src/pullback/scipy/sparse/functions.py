"""scipy.sparse.linalg: norms, the exponential, and what is decided for everything else."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
import scipy.sparse.linalg as sl

from pullback.core.shapes import shape_of
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.numpy.operands import operand
from pullback.rules.sparse_functions import exponential_product
from pullback.scipy.constants import constant_call
from pullback.scipy.first_step import any_traced, serves
from pullback.scipy.sparse.parts import parts_of
from pullback.scipy.sparse.traced import is_traced, without_repeats

__all__ = ["expm_multiply", "norm"]


@serves(sl.expm_multiply)
def expm_multiply(
    A: Any,
    B: Any,
    start: Any = None,
    stop: Any = None,
    num: Any = None,
    endpoint: Any = None,
    traceA: Any = None,
) -> Any:
    """exp(A) B of a constant matrix A, at one time."""
    out = constant_call(sl.expm_multiply, (A, B, start, stop, num, endpoint, traceA), {})
    if out is not NotImplemented:
        return out
    name = "scipy.sparse.linalg.expm_multiply"
    if any_traced((A, traceA)) or not scipy.sparse.issparse(A):
        raise ArgumentTypeError(
            f"{name}: A is traced, or is no sparse matrix, and the derivative is for a constant "
            "sparse one; write scipy.linalg.expm(A) @ B with a dense A"
        )
    if not all(x is None for x in (start, stop, num, endpoint)):
        raise ArgumentTypeError(
            f"{name}: intervals of time are not supported where B is traced; call it once for each "
            "time, with t * A"
        )
    b = operand(B)
    if not 1 <= len(shape_of(b)) <= 2 or (shape_of(b)[0],) * 2 != A.shape:
        raise ArgumentValueError(
            f"{name}: A has shape {A.shape} and B has shape {shape_of(b)}, wanted (n, n), and (n,) "
            "or (n, k)"
        )
    return exponential_product(b, *parts_of(A)[:3])


@serves(sl.norm)
def norm(x: Any, ord: Any = None, axis: Any = None) -> Any:
    """Norms of a matrix with traced elements, that of Frobenius from the stored elements."""
    out = constant_call(sl.norm, (x, ord, axis), {})
    if out is not NotImplemented:
        return out
    if not is_traced(x):
        raise ArgumentTypeError(
            "scipy.sparse.linalg.norm: x is dense and traced, or an option is traced; write "
            "numpy.linalg.norm(x)"
        )
    whole = axis is None or (isinstance(axis, tuple) and len(axis) == 2)
    if whole and ord in (None, "fro", "f"):
        return np.linalg.norm(without_repeats(x).tocoo().data)
    if whole and ord in (2, -2, "nuc"):
        raise ArgumentTypeError(
            f"scipy.sparse.linalg.norm: ord is {ord!r}, which SciPy has not for sparse matrices; "
            "write numpy.linalg.norm(A.toarray(), ord)"
        )
    return np.linalg.norm(x.toarray(), ord, axis)
